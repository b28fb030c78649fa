/* Percent-encoding, forms and queries, Basic authentication. */
#include "adder/http_form.h"

#include <string.h>

#include "src/http/http_int.h"

/* ---- writing ---- */

static void put(adder_http_form_t *f, char c)
{
    if (f->priv.len < f->priv.cap)
        f->priv.buf[f->priv.len] = c;
    f->priv.len++;
}

static void put_encoded(adder_http_form_t *f, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (adder_http_is_alpha(c) || adder_http_is_digit(c) || (c != '\0' && strchr("*-._", c) != NULL)) {
            put(f, c);
        } else if (c == ' ') {
            put(f, '+');
        } else {
            put(f, '%');
            put(f, "0123456789ABCDEF"[(uint8_t)c >> 4]);
            put(f, "0123456789ABCDEF"[(uint8_t)c & 15]);
        }
    }
}

void adder_http_form_init(adder_http_form_t *f, char *buf, size_t cap)
{
    f->priv.buf = buf;
    f->priv.cap = cap;
    f->priv.len = 0;
}

void adder_http_form_put(adder_http_form_t *f, const char *name, const char *value, size_t value_len)
{
    if (f->priv.len > 0)
        put(f, '&');
    put_encoded(f, name, strlen(name));
    put(f, '=');
    put_encoded(f, value, value_len);
}

adder_err_t adder_http_form_end(adder_http_form_t *f, size_t *len_out)
{
    *len_out = f->priv.len;
    return f->priv.len <= f->priv.cap ? ADDER_OK : ADDER_ERR_NOSPACE;
}

/* ---- reading ---- */

bool adder_http_form_next(adder_http_str_t *rest, adder_http_str_t *name_out, adder_http_str_t *value_out)
{
    while (rest->len > 0) {
        const char *amp = memchr(rest->at, '&', rest->len);
        adder_http_str_t pair = {rest->at, amp != NULL ? (size_t)(amp - rest->at) : rest->len};
        size_t skip = pair.len + (amp != NULL);
        rest->at += skip;
        rest->len -= skip;
        if (pair.len == 0)
            continue;
        const char *equals = memchr(pair.at, '=', pair.len);
        size_t n = equals != NULL ? (size_t)(equals - pair.at) : pair.len;
        *name_out = (adder_http_str_t){pair.at, n};
        n += equals != NULL;
        *value_out = (adder_http_str_t){pair.at + n, pair.len - n};
        return true;
    }
    return false;
}

/* The next byte of an encoded text. False: malformed. */
static bool next_byte(adder_http_str_t *in, bool plus, char *out)
{
    char c = in->at[0];
    size_t n = 1;
    if (c == '%') {
        int high = in->len >= 3 ? adder_http_hex(in->at[1]) : -1,
            low = high >= 0 ? adder_http_hex(in->at[2]) : -1;
        if (low < 0)
            return false;
        c = (char)(high << 4 | low);
        n = 3;
    } else if (c == '+' && plus) {
        c = ' ';
    }
    *out = c;
    in->at += n;
    in->len -= n;
    return true;
}

static adder_err_t decode(adder_http_str_t in, bool plus, char *out, size_t cap, size_t *len_out)
{
    size_t len = 0;
    *len_out = 0;
    while (in.len > 0) {
        char c;
        if (!next_byte(&in, plus, &c))
            return ADDER_ERR_FORMAT;
        if (len < cap)
            out[len] = c;
        len++;
    }
    *len_out = len;
    return len <= cap ? ADDER_OK : ADDER_ERR_NOSPACE;
}

adder_err_t adder_http_form_decode(adder_http_str_t in, char *out, size_t cap, size_t *len_out)
{
    return decode(in, true, out, cap, len_out);
}

adder_err_t adder_http_path_decode(adder_http_str_t in, char *out, size_t cap, size_t *len_out)
{
    return decode(in, false, out, cap, len_out);
}

bool adder_http_decodes_to(adder_http_str_t in, bool plus, const char *text, size_t len)
{
    size_t i = 0;
    while (in.len > 0) {
        char c;
        if (!next_byte(&in, plus, &c) || i == len || text[i++] != c)
            return false;
    }
    return i == len;
}

adder_err_t adder_http_form_get(adder_http_str_t query, const char *name, char *out, size_t cap,
                                size_t *len_out)
{
    adder_http_str_t key, value;
    *len_out = 0;
    while (adder_http_form_next(&query, &key, &value)) {
        if (!adder_http_decodes_to(key, true, name, strlen(name)))
            continue;
        adder_err_t err = decode(value, true, out, cap, len_out);
        if (err != ADDER_ERR_FORMAT && *len_out >= cap)
            return ADDER_ERR_NOSPACE;
        if (err != ADDER_OK)
            return err;
        if (*len_out > 0 && memchr(out, '\0', *len_out) != NULL)
            return ADDER_ERR_FORMAT;
        out[*len_out] = '\0';
        return ADDER_OK;
    }
    return ADDER_ERR_NOT_FOUND;
}

/* ---- Basic authentication ---- */

/* Byte i of "user:password" behind i's end: -1. */
static int pair_byte(const char *user, size_t user_len, const char *password, size_t password_len, size_t i)
{
    if (i < user_len)
        return (uint8_t)user[i];
    if (i == user_len)
        return ':';
    i -= user_len + 1;
    return i < password_len ? (uint8_t)password[i] : -1;
}

/* Character i of "Basic " and base64 of the pair. */
static char basic_char(const char *user, size_t user_len, const char *password, size_t password_len, size_t i)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (i < 6)
        return "Basic "[i];
    i -= 6;
    uint32_t three = 0;
    int last = 0;
    for (size_t k = 0; k < 3; k++) {
        int b = pair_byte(user, user_len, password, password_len, i / 4 * 3 + k);
        three = three << 8 | (uint32_t)(b < 0 ? 0 : b);
        last += b >= 0;
    }
    return (int)(i % 4) > last ? '=' : digits[three >> (18 - 6 * (i % 4)) & 63];
}

static size_t basic_len(size_t user_len, size_t password_len)
{
    return 6 + (user_len + 1 + password_len + 2) / 3 * 4;
}

adder_err_t adder_http_basic_write(const char *user, const char *password, char *out, size_t cap)
{
    size_t user_len = strlen(user), password_len = strlen(password);
    adder_http_str_t u = {user, user_len}, p = {password, password_len};
    if (!adder_http_is_value(u) || !adder_http_is_value(p) || strchr(user, ':') != NULL)
        return ADDER_ERR_ARG;
    size_t len = basic_len(user_len, password_len);
    if (len >= cap)
        return ADDER_ERR_NOSPACE;
    for (size_t i = 0; i < len; i++)
        out[i] = basic_char(user, user_len, password, password_len, i);
    out[len] = '\0';
    return ADDER_OK;
}

/* Every character is compared, whatever the first ones said. The scheme's case is free (RFC 9110, 11.1). */
bool adder_http_basic_is(adder_http_str_t value, const char *user, const char *password)
{
    size_t user_len = strlen(user), password_len = strlen(password), len = basic_len(user_len, password_len);
    if (value.len < 6 || !adder_http_str_is((adder_http_str_t){value.at, 6}, "Basic "))
        return false;
    volatile uint8_t differs = value.len != len;
    for (size_t i = 6; i < len; i++) {
        char want = basic_char(user, user_len, password, password_len, i);
        char have = i < value.len ? value.at[i] : '\0';
        differs = (uint8_t)(differs | (want ^ have));
    }
    return differs == 0;
}
