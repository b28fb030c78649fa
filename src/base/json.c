/* The JSON reader: a state for each place between two bytes. */
#include "adder/json.h"

#include <string.h>

#include "src/base/json_int.h"

enum {
    ST_VALUE,
    ST_FIRST_ITEM, /* or ] */
    ST_FIRST_NAME, /* or } */
    ST_NAME,
    ST_COLON,
    ST_AFTER_VALUE,
    ST_TEXT,
    ST_UTF8,
    ST_ESCAPE,
    ST_HEX,
    ST_LITERAL,
    ST_MINUS, /* of a number */
    ST_ZERO,
    ST_INT,
    ST_DOT,
    ST_FRACTION,
    ST_E,
    ST_E_SIGN,
    ST_EXPONENT,
    ST_DONE,
    ST_OVER,
};

const char *adder_json_why_str(adder_json_why_t why)
{
    static const char *const texts[] = {
#define TEXT(code, text) text,
        ADDER_JSON_WHYS(TEXT)
#undef TEXT
    };
    _Static_assert(sizeof texts / sizeof texts[0] == ADDER_JSON_WHY_COUNT, "one text each");
    return (unsigned)why < ADDER_JSON_WHY_COUNT ? texts[why] : "unknown error";
}

void adder_json_read_init(adder_json_reader_t *r, char *token, size_t cap)
{
    memset(r, 0, sizeof *r);
    r->priv.buf = token;
    r->priv.cap = cap;
    r->priv.state = ST_VALUE;
    if (cap < ADDER_JSON_TOKEN_MIN) {
        r->why = ADDER_JSON_WHY_LONG;
        r->priv.err = ADDER_ERR_NOSPACE;
    }
}

static adder_err_t fail(adder_json_reader_t *r, adder_json_why_t why)
{
    bool room = why == ADDER_JSON_WHY_LONG || why == ADDER_JSON_WHY_DEPTH;
    r->why = why;
    return r->priv.err = room ? ADDER_ERR_NOSPACE : ADDER_ERR_FORMAT;
}

/* ---- arrays and objects ---- */

static bool in_object(const adder_json_reader_t *r)
{
    unsigned level = r->depth - 1u;
    return r->depth > 0 && (r->priv.in_object[level / 32] >> level % 32 & 1) != 0;
}

static adder_err_t open(adder_json_reader_t *r, bool object, adder_json_event_t *ev)
{
    if (r->depth == ADDER_JSON_DEPTH)
        return fail(r, ADDER_JSON_WHY_DEPTH);
    uint32_t bit = 1u << r->depth % 32;
    if (object)
        r->priv.in_object[r->depth / 32] |= bit;
    else
        r->priv.in_object[r->depth / 32] &= ~bit;
    r->depth++;
    r->priv.state = object ? ST_FIRST_NAME : ST_FIRST_ITEM;
    ev->kind = object ? ADDER_JSON_OBJECT : ADDER_JSON_ARRAY;
    return ADDER_OK;
}

static void value_ends(adder_json_reader_t *r)
{
    r->complete = r->depth == 0;
    r->priv.state = r->complete ? ST_DONE : ST_AFTER_VALUE;
}

static adder_err_t close(adder_json_reader_t *r, adder_json_event_t *ev)
{
    ev->kind = in_object(r) ? ADDER_JSON_OBJECT_END : ADDER_JSON_ARRAY_END;
    r->depth--;
    value_ends(r);
    return ADDER_OK;
}

/* ---- numbers and literals ---- */

static adder_err_t keep(adder_json_reader_t *r, uint8_t c)
{
    if (r->priv.len == r->priv.cap)
        return fail(r, ADDER_JSON_WHY_LONG);
    r->priv.buf[r->priv.len++] = (char)c;
    return ADDER_OK;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The state after `c` in a number; ST_DONE: `c` is not of it. */
static uint8_t number_next(uint8_t state, uint8_t c)
{
    switch (state) {
    case ST_MINUS:
        return c == '0' ? ST_ZERO : is_digit(c) ? ST_INT : ST_DONE;
    case ST_ZERO:
    case ST_INT:
        if (is_digit(c) && state == ST_INT)
            return ST_INT;
        return c == '.' ? ST_DOT : c == 'e' || c == 'E' ? ST_E : ST_DONE;
    case ST_DOT:
        return is_digit(c) ? ST_FRACTION : ST_DONE;
    case ST_FRACTION:
        return is_digit(c) ? ST_FRACTION : c == 'e' || c == 'E' ? ST_E : ST_DONE;
    case ST_E:
        return is_digit(c) ? ST_EXPONENT : c == '+' || c == '-' ? ST_E_SIGN : ST_DONE;
    default:
        return is_digit(c) ? ST_EXPONENT : ST_DONE;
    }
}

/* As an int64; false: it does not fit. */
static bool whole(const char *text, size_t len, int64_t *out)
{
    bool minus = text[0] == '-';
    uint64_t n = 0, max = (uint64_t)INT64_MAX + minus;
    for (size_t i = minus; i < len; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (n > (max - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = !minus ? (int64_t)n : n == 0 ? 0 : -(int64_t)(n - 1) - 1;
    return true;
}

static adder_err_t number_ends(adder_json_reader_t *r, adder_json_event_t *ev)
{
    uint8_t state = r->priv.state;
    if (state != ST_ZERO && state != ST_INT && state != ST_FRACTION && state != ST_EXPONENT)
        return fail(r, ADDER_JSON_WHY_NUMBER);
    ev->kind = ADDER_JSON_NUMBER;
    ev->text = r->priv.buf;
    ev->len = r->priv.len;
    if ((state == ST_ZERO || state == ST_INT) && whole(ev->text, ev->len, &ev->number))
        ev->kind = ADDER_JSON_INT;
    value_ends(r);
    return ADDER_OK;
}

static const char *const literals[] = {"true", "false", "null"};

static adder_err_t literal_step(adder_json_reader_t *r, uint8_t c, adder_json_event_t *ev)
{
    const char *want = literals[r->priv.code];
    if (c != (uint8_t)want[r->priv.need])
        return fail(r, ADDER_JSON_WHY_VALUE);
    if (want[++r->priv.need] != '\0')
        return ADDER_OK;
    ev->kind = r->priv.code == 2 ? ADDER_JSON_NULL : ADDER_JSON_BOOL;
    ev->number = r->priv.code == 0;
    value_ends(r);
    return ADDER_OK;
}

/* ---- texts ---- */

static void text_begins(adder_json_reader_t *r, bool name)
{
    r->priv.state = ST_TEXT;
    r->priv.is_name = name;
    r->priv.len = 0;
}

static void text_event(adder_json_reader_t *r, bool partial, adder_json_event_t *ev)
{
    ev->kind = r->priv.is_name ? ADDER_JSON_NAME : ADDER_JSON_TEXT;
    ev->partial = partial;
    ev->text = r->priv.buf;
    ev->len = r->priv.len;
    r->priv.len = 0;
}

/* Room for a whole code point, or the piece so far has to go first: *ev is set, nothing is consumed. */
static adder_err_t need_room(adder_json_reader_t *r, size_t n, adder_json_event_t *ev)
{
    if (n <= r->priv.cap - r->priv.len)
        return ADDER_OK;
    if (r->priv.is_name && !r->priv.cut_names)
        return fail(r, ADDER_JSON_WHY_LONG);
    text_event(r, true, ev);
    return ADDER_OK;
}

static void put_code(adder_json_reader_t *r, uint32_t c)
{
    r->priv.len += adder_json_utf8(c, r->priv.buf + r->priv.len);
}

/* The first byte of a sequence: how many follow, and the bounds of the next (RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF). */
static adder_err_t utf8_begins(adder_json_reader_t *r, uint8_t c, adder_json_event_t *ev)
{
    if (c < 0xC2 || c > 0xF4)
        return fail(r, ADDER_JSON_WHY_UTF8);
    uint8_t need = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    adder_err_t err = need_room(r, need + 1u, ev);
    if (err != ADDER_OK || ev->kind != ADDER_JSON_MORE)
        return err;
    r->priv.need = need;
    r->priv.low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    r->priv.top = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    r->priv.state = ST_UTF8;
    return keep(r, c);
}

static adder_err_t utf8_step(adder_json_reader_t *r, uint8_t c)
{
    if (c < r->priv.low || c > r->priv.top)
        return fail(r, ADDER_JSON_WHY_UTF8);
    r->priv.low = 0x80;
    r->priv.top = 0xBF;
    if (--r->priv.need == 0)
        r->priv.state = ST_TEXT;
    return keep(r, c);
}

static adder_err_t text_step(adder_json_reader_t *r, uint8_t c, adder_json_event_t *ev)
{
    if (r->priv.high != 0 && c != '\\')
        return fail(r, ADDER_JSON_WHY_SURROGATE);
    if (c < 0x20)
        return fail(r, ADDER_JSON_WHY_CONTROL);
    if (c >= 0x80)
        return utf8_begins(r, c, ev);
    if (c == '"') {
        bool name = r->priv.is_name;
        text_event(r, false, ev);
        if (name)
            r->priv.state = ST_COLON;
        else
            value_ends(r);
        return ADDER_OK;
    }
    adder_err_t err = ADDER_OK;
    if (r->priv.high == 0)
        err = need_room(r, c == '\\' ? 4 : 1, ev);
    if (err != ADDER_OK || ev->kind != ADDER_JSON_MORE)
        return err;
    if (c != '\\')
        return keep(r, c);
    r->priv.state = ST_ESCAPE;
    return ADDER_OK;
}

static adder_err_t escape_step(adder_json_reader_t *r, uint8_t c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (c == 'u') {
        r->priv.state = ST_HEX;
        r->priv.need = 4;
        r->priv.code = 0;
        return ADDER_OK;
    }
    if (r->priv.high != 0)
        return fail(r, ADDER_JSON_WHY_SURROGATE);
    const char *found = c != 0 ? strchr(from, c) : NULL;
    if (found == NULL)
        return fail(r, ADDER_JSON_WHY_ESCAPE);
    r->priv.state = ST_TEXT;
    return keep(r, (uint8_t)to[found - from]);
}

static adder_err_t hex_step(adder_json_reader_t *r, uint8_t c)
{
    uint8_t letter = c | 0x20;
    if (!is_digit(c) && (letter < 'a' || letter > 'f'))
        return fail(r, ADDER_JSON_WHY_ESCAPE);
    r->priv.code = r->priv.code << 4 | (uint32_t)(is_digit(c) ? c - '0' : letter - 'a' + 10);
    if (--r->priv.need > 0)
        return ADDER_OK;
    uint32_t code = r->priv.code;
    bool low = code >= 0xDC00 && code <= 0xDFFF;
    if (low != (r->priv.high != 0))
        return fail(r, ADDER_JSON_WHY_SURROGATE);
    r->priv.state = ST_TEXT;
    if (code >= 0xD800 && code <= 0xDBFF) {
        r->priv.high = (uint16_t)code;
        return ADDER_OK;
    }
    if (low)
        code = 0x10000 + ((r->priv.high - 0xD800u) << 10) + (code - 0xDC00);
    r->priv.high = 0;
    put_code(r, code);
    return ADDER_OK;
}

/* ---- between the tokens ---- */

static adder_err_t value_begins(adder_json_reader_t *r, uint8_t c, adder_json_event_t *ev)
{
    if (c == '{' || c == '[')
        return open(r, c == '{', ev);
    if (c == '"') {
        text_begins(r, false);
        return ADDER_OK;
    }
    if (c == '-' || is_digit(c)) {
        r->priv.state = c == '-' ? ST_MINUS : c == '0' ? ST_ZERO : ST_INT;
        r->priv.len = 0;
        return keep(r, c);
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (c == (uint8_t)literals[i][0]) {
            r->priv.state = ST_LITERAL;
            r->priv.code = i;
            r->priv.need = 1;
            return ADDER_OK;
        }
    }
    return fail(r, ADDER_JSON_WHY_VALUE);
}

static adder_err_t between(adder_json_reader_t *r, uint8_t c, adder_json_event_t *ev)
{
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        return ADDER_OK;
    switch (r->priv.state) {
    case ST_FIRST_ITEM:
        return c == ']' ? close(r, ev) : value_begins(r, c, ev);
    case ST_FIRST_NAME:
    case ST_NAME:
        if (c == '}' && r->priv.state == ST_FIRST_NAME)
            return close(r, ev);
        if (c != '"')
            return fail(r, ADDER_JSON_WHY_NAME);
        text_begins(r, true);
        return ADDER_OK;
    case ST_COLON:
        if (c != ':')
            return fail(r, ADDER_JSON_WHY_COLON);
        r->priv.state = ST_VALUE;
        return ADDER_OK;
    case ST_AFTER_VALUE:
        if (c == (in_object(r) ? '}' : ']'))
            return close(r, ev);
        if (c != ',')
            return fail(r, ADDER_JSON_WHY_COMMA);
        r->priv.state = in_object(r) ? ST_NAME : ST_VALUE;
        return ADDER_OK;
    case ST_DONE:
        return fail(r, ADDER_JSON_WHY_AFTER);
    default:
        return value_begins(r, c, ev);
    }
}

/* One byte. *taken false: it is looked at again. */
static adder_err_t step(adder_json_reader_t *r, uint8_t c, adder_json_event_t *ev, bool *taken)
{
    *taken = true;
    switch (r->priv.state) {
    case ST_TEXT: {
        adder_err_t err = text_step(r, c, ev);
        *taken = !ev->partial;
        return err;
    }
    case ST_UTF8:
        return utf8_step(r, c);
    case ST_ESCAPE:
        return escape_step(r, c);
    case ST_HEX:
        return hex_step(r, c);
    case ST_LITERAL:
        return literal_step(r, c, ev);
    default:
        break;
    }
    if (r->priv.state < ST_MINUS || r->priv.state > ST_EXPONENT)
        return between(r, c, ev);
    uint8_t next = number_next(r->priv.state, c);
    if (next == ST_DONE) {
        *taken = false;
        return number_ends(r, ev);
    }
    r->priv.state = next;
    return keep(r, c);
}

/* Plain characters of a text at once. */
static size_t plain_run(adder_json_reader_t *r, const uint8_t *in, size_t len)
{
    size_t n = 0;
    if (r->priv.state != ST_TEXT || r->priv.high != 0)
        return 0;
    if (len > r->priv.cap - r->priv.len)
        len = r->priv.cap - r->priv.len;
    while (n < len && in[n] >= 0x20 && in[n] < 0x80 && in[n] != '"' && in[n] != '\\')
        n++;
    if (n > 0)
        memcpy(r->priv.buf + r->priv.len, in, n);
    r->priv.len += n;
    return n;
}

/* ---- the two entries ---- */

adder_err_t adder_json_feed(adder_json_reader_t *r, const void *in, size_t len, size_t *used_out,
                            adder_json_event_t *ev_out)
{
    const uint8_t *bytes = in;
    *used_out = 0;
    memset(ev_out, 0, sizeof *ev_out);
    if (r->priv.err != ADDER_OK)
        return r->priv.err;
    if (r->priv.state == ST_OVER)
        return ADDER_ERR_STATE;
    while (*used_out < len && ev_out->kind == ADDER_JSON_MORE) {
        size_t n = plain_run(r, bytes + *used_out, len - *used_out);
        *used_out += n;
        r->at += n;
        if (n > 0)
            continue;
        bool taken;
        adder_err_t err = step(r, bytes[*used_out], ev_out, &taken);
        if (err != ADDER_OK) {
            memset(ev_out, 0, sizeof *ev_out);
            return err;
        }
        *used_out += taken;
        r->at += taken;
    }
    return ADDER_OK;
}

adder_err_t adder_json_eof(adder_json_reader_t *r, adder_json_event_t *ev_out)
{
    memset(ev_out, 0, sizeof *ev_out);
    if (r->priv.err != ADDER_OK)
        return r->priv.err;
    if (r->priv.state == ST_OVER)
        return ADDER_ERR_STATE;
    if (r->priv.state >= ST_MINUS && r->priv.state <= ST_EXPONENT && r->depth == 0)
        return number_ends(r, ev_out);
    if (r->priv.state != ST_DONE)
        return fail(r, ADDER_JSON_WHY_CUT);
    r->priv.state = ST_OVER;
    ev_out->kind = ADDER_JSON_END;
    return ADDER_OK;
}

bool adder_json_is(const adder_json_event_t *ev, const char *text)
{
    return (ev->kind == ADDER_JSON_NAME || ev->kind == ADDER_JSON_TEXT) && !ev->partial &&
           ev->len == strlen(text) && memcmp(ev->text, text, ev->len) == 0;
}
