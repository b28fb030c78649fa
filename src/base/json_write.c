/* The JSON writer. */
#include <string.h>

#include "src/base/json_int.h"

enum { ST_FIRST, ST_NEXT, ST_NAMED, ST_DONE };

size_t adder_json_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)(first[n] | c);
    return n;
}

void adder_json_write_init(adder_json_writer_t *w, char *buf, size_t cap)
{
    memset(w, 0, sizeof *w);
    w->priv.buf = buf;
    w->priv.cap = cap;
}

static void refuse(adder_json_writer_t *w, adder_json_why_t why)
{
    if (w->priv.err != ADDER_OK)
        return;
    w->priv.err = ADDER_ERR_ARG;
    w->why = why;
}

static void put(adder_json_writer_t *w, const char *at, size_t len)
{
    if (w->priv.len <= w->priv.cap && len <= w->priv.cap - w->priv.len && len > 0)
        memcpy(w->priv.buf + w->priv.len, at, len);
    w->priv.len += len;
}

static bool in_object(const adder_json_writer_t *w)
{
    unsigned level = w->priv.depth - 1u;
    return w->priv.depth > 0 && (w->priv.in_object[level / 32] >> level % 32 & 1) != 0;
}

/* May a value (or, in an object, a name) come here? With its comma. */
static bool begin(adder_json_writer_t *w, bool name)
{
    bool right = name ? in_object(w) && w->priv.state != ST_NAMED
                      : w->priv.state == ST_NAMED || (!in_object(w) && w->priv.state != ST_DONE);
    if (!right)
        refuse(w, w->priv.state == ST_DONE && !name ? ADDER_JSON_WHY_AFTER : ADDER_JSON_WHY_ORDER);
    if (w->priv.err != ADDER_OK)
        return false;
    if (w->priv.state == ST_NEXT)
        put(w, ",", 1);
    return true;
}

static void end(adder_json_writer_t *w)
{
    w->priv.state = w->priv.depth == 0 ? ST_DONE : ST_NEXT;
}

void adder_json_put_begin(adder_json_writer_t *w, adder_json_kind_t object_or_array)
{
    bool object = object_or_array == ADDER_JSON_OBJECT;
    if (!begin(w, false))
        return;
    if (w->priv.depth == ADDER_JSON_DEPTH) {
        refuse(w, ADDER_JSON_WHY_DEPTH);
        return;
    }
    uint32_t bit = 1u << w->priv.depth % 32, *word = &w->priv.in_object[w->priv.depth / 32];
    *word = object ? *word | bit : *word & ~bit;
    w->priv.depth++;
    w->priv.state = ST_FIRST;
    put(w, object ? "{" : "[", 1);
}

void adder_json_put_end(adder_json_writer_t *w)
{
    if (w->priv.depth == 0 || w->priv.state == ST_NAMED)
        refuse(w, ADDER_JSON_WHY_ORDER);
    if (w->priv.err != ADDER_OK)
        return;
    put(w, in_object(w) ? "}" : "]", 1);
    w->priv.depth--;
    end(w);
}

/* ---- texts ---- */

static bool is_utf8(const uint8_t *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint8_t c = s[i++];
        if (c < 0x80)
            continue;
        if (c < 0xC2 || c > 0xF4)
            return false;
        size_t need = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
        uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        uint8_t top = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        if (need > len - i)
            return false;
        for (; need > 0; need--, i++) {
            if (s[i] < low || s[i] > top)
                return false;
            low = 0x80;
            top = 0xBF;
        }
    }
    return true;
}

static void put_quoted(adder_json_writer_t *w, const char *text, size_t len)
{
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    size_t from = 0;
    put(w, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        put(w, text + from, i - from);
        from = i + 1;
        const char *found = c != 0 ? strchr(special, c) : NULL;
        char escape[6] = {'\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
        if (found != NULL)
            escape[1] = letters[found - special];
        put(w, escape, found != NULL ? 2 : 6);
    }
    put(w, text + from, len - from);
    put(w, "\"", 1);
}

void adder_json_put_name_str(adder_json_writer_t *w, const char *name, size_t len)
{
    if (!is_utf8((const uint8_t *)name, len))
        refuse(w, ADDER_JSON_WHY_UTF8);
    if (!begin(w, true))
        return;
    put_quoted(w, name, len);
    put(w, ":", 1);
    w->priv.state = ST_NAMED;
}

void adder_json_put_name(adder_json_writer_t *w, const char *name)
{
    adder_json_put_name_str(w, name, strlen(name));
}

void adder_json_put_text_str(adder_json_writer_t *w, const char *text, size_t len)
{
    if (!is_utf8((const uint8_t *)text, len))
        refuse(w, ADDER_JSON_WHY_UTF8);
    if (!begin(w, false))
        return;
    put_quoted(w, text, len);
    end(w);
}

void adder_json_put_text(adder_json_writer_t *w, const char *text)
{
    adder_json_put_text_str(w, text, strlen(text));
}

/* ---- other values ---- */

static void put_value(adder_json_writer_t *w, const char *at, size_t len)
{
    if (!begin(w, false))
        return;
    put(w, at, len);
    end(w);
}

static void put_number(adder_json_writer_t *w, uint64_t n, bool minus)
{
    char digits[21];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    if (minus)
        digits[--at] = '-';
    put_value(w, digits + at, sizeof digits - at);
}

void adder_json_put_int(adder_json_writer_t *w, int64_t n)
{
    put_number(w, n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n, n < 0);
}

void adder_json_put_uint(adder_json_writer_t *w, uint64_t n)
{
    put_number(w, n, false);
}

void adder_json_put_double(adder_json_writer_t *w, double x)
{
    char text[ADDER_JSON_DOUBLE];
    if (!(x - x == 0)) { /* infinite or not a number */
        refuse(w, ADDER_JSON_WHY_NOT_FINITE);
        return;
    }
    put_value(w, text, adder_json_print_double(x, text));
}

void adder_json_put_bool(adder_json_writer_t *w, bool b)
{
    put_value(w, b ? "true" : "false", b ? 4 : 5);
}

void adder_json_put_null(adder_json_writer_t *w)
{
    put_value(w, "null", 4);
}

void adder_json_put_raw(adder_json_writer_t *w, const char *json, size_t len)
{
    char token[64];
    adder_json_reader_t r;
    adder_json_event_t ev;
    size_t at = 0, used;
    adder_err_t err;
    adder_json_read_init(&r, token, sizeof token);
    r.priv.cut_names = true;
    do {
        err = adder_json_feed(&r, json + at, len - at, &used, &ev);
        at += used;
    } while (err == ADDER_OK && ev.kind != ADDER_JSON_MORE);
    while (err == ADDER_OK && ev.kind != ADDER_JSON_END)
        err = adder_json_eof(&r, &ev);
    if (err != ADDER_OK)
        refuse(w, r.why);
    put_value(w, json, len);
}

adder_err_t adder_json_write_end(adder_json_writer_t *w, size_t *len_out)
{
    *len_out = 0;
    if (w->priv.err != ADDER_OK)
        return w->priv.err;
    if (w->priv.state != ST_DONE)
        return ADDER_ERR_STATE;
    *len_out = w->priv.len;
    if (w->priv.len > w->priv.cap)
        return ADDER_ERR_NOSPACE;
    if (w->priv.len < w->priv.cap)
        w->priv.buf[w->priv.len] = '\0';
    return ADDER_OK;
}
