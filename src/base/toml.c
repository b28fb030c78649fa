/* settings.toml */
#include "adder/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines ---- */

typedef struct {
    const char *at, *end; /* what is left of the file */
    unsigned line;
} reader_t;

typedef struct {
    const char *at, *end; /* without the line's end */
} line_t;

static bool next_line(reader_t *r, line_t *out)
{
    if (r->at == r->end)
        return false;
    const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    out->at = r->at;
    out->end = newline != NULL ? newline : r->end;
    r->at = newline != NULL ? newline + 1 : r->end;
    if (out->end > out->at && out->end[-1] == '\r')
        out->end--;
    if (r->line == 0 && out->end - out->at >= 3 && memcmp(out->at, "\xEF\xBB\xBF", 3) == 0)
        out->at += 3; /* the mark some editors write first */
    r->line++;
    return true;
}

static void skip_blanks(line_t *l)
{
    while (l->at < l->end && (*l->at == ' ' || *l->at == '\t'))
        l->at++;
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* ---- values ---- */

static void bad(adder_setting_t *s, const char *problem)
{
    s->kind = ADDER_SETTING_BAD;
    s->problem = problem;
}

/* Only blanks and a comment may follow a value. */
static bool ends(line_t l)
{
    skip_blanks(&l);
    return l.at == l.end || *l.at == '#';
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The code point of \uXXXX or \UXXXXXXXX; `at` stands on the u. False: no such character. */
static bool code_point(const char *at, const char *end, uint32_t *out, size_t *digits_out)
{
    size_t digits = *at == 'u' ? 4 : 8;
    if ((size_t)(end - at) < digits + 1)
        return false;
    uint32_t code = 0;
    for (size_t i = 1; i <= digits; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return false;
        code = code << 4 | (uint32_t)digit;
    }
    *out = code;
    *digits_out = digits;
    return code > 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

static void parse_text(line_t l, adder_setting_t *s)
{
    const char *problem = NULL;
    s->raw = ++l.at;
    while (l.at < l.end && *l.at != '"') {
        if (*l.at == '\\') {
            uint32_t code;
            size_t digits;
            if (++l.at == l.end)
                break;
            if ((*l.at == 'u' || *l.at == 'U') && !code_point(l.at, l.end, &code, &digits))
                problem = "\\u takes the four hex digits of a character, \\U eight";
        }
        l.at++;
    }
    s->raw_len = (size_t)(l.at - s->raw);
    if (l.at == l.end) {
        bad(s, "the text has no closing quote");
        return;
    }
    l.at++;
    s->kind = ADDER_SETTING_TEXT;
    if (problem != NULL)
        bad(s, problem);
    else if (!ends(l))
        bad(s, "there is something after the closing quote");
}

static bool is_word(const adder_setting_t *s, const char *word)
{
    return s->raw_len == strlen(word) && memcmp(s->raw, word, s->raw_len) == 0;
}

static void parse_bare(line_t l, adder_setting_t *s)
{
    char number[48];
    const char *hash = memchr(l.at, '#', (size_t)(l.end - l.at));
    if (hash != NULL)
        l.end = hash;
    while (l.end > l.at && (l.end[-1] == ' ' || l.end[-1] == '\t'))
        l.end--;
    s->raw = l.at;
    s->raw_len = (size_t)(l.end - l.at);
    if (s->raw_len == 0) {
        bad(s, "the value is missing");
        return;
    }
    if (is_word(s, "true") || is_word(s, "false")) {
        s->kind = ADDER_SETTING_BOOL;
        s->b = s->raw_len == 4;
        return;
    }
    if (s->raw_len >= sizeof number) {
        bad(s, "not a number; text needs double quotes");
        return;
    }
    memcpy(number, s->raw, s->raw_len);
    number[s->raw_len] = '\0';
    char *end;
    errno = 0;
    long long i = strtoll(number, &end, 0);
    if (end == number + s->raw_len) {
        s->kind = ADDER_SETTING_INT;
        s->i = i;
        if (errno == ERANGE)
            bad(s, "the number is too large");
        return;
    }
    double f = strtod(number, &end);
    if (end == number + s->raw_len) {
        s->kind = ADDER_SETTING_FLOAT;
        s->f = f;
        return;
    }
    bad(s, "not a number; text needs double quotes");
}

/* ---- a line as a whole ---- */

typedef enum { LINE_NOTHING, LINE_SETTING, LINE_SECTION, LINE_WRONG } line_kind_t;

/* WRONG: s->problem. SETTING: key, and s with the value. */
static line_kind_t parse_line(line_t l, line_t *key, adder_setting_t *s)
{
    skip_blanks(&l);
    if (l.at == l.end || *l.at == '#')
        return LINE_NOTHING;
    if (*l.at == '[')
        return LINE_SECTION;
    key->at = l.at;
    while (l.at < l.end && is_key_char(*l.at))
        l.at++;
    key->end = l.at;
    if (key->at == key->end) {
        s->problem = "a key is letters, digits, _ and -";
        return LINE_WRONG;
    }
    skip_blanks(&l);
    if (l.at == l.end || *l.at != '=') {
        s->problem = "there is no = after the key";
        return LINE_WRONG;
    }
    l.at++;
    skip_blanks(&l);
    if (l.at < l.end && *l.at == '"')
        parse_text(l, s);
    else
        parse_bare(l, s);
    return LINE_SETTING;
}

bool adder_settings_find(const char *bytes, size_t len, const char *key, adder_setting_t *out)
{
    reader_t r = {bytes, len > 0 ? bytes + len : bytes, 0};
    size_t key_len = strlen(key);
    line_t line, found;
    while (next_line(&r, &line)) {
        *out = (adder_setting_t){.line = r.line};
        line_kind_t kind = parse_line(line, &found, out);
        if (kind == LINE_SECTION)
            break;
        if (kind == LINE_SETTING && (size_t)(found.end - found.at) == key_len &&
            memcmp(found.at, key, key_len) == 0)
            return true;
    }
    return false;
}

size_t adder_settings_check(const char *bytes, size_t len, adder_settings_problem_t *out, size_t cap)
{
    reader_t r = {bytes, len > 0 ? bytes + len : bytes, 0};
    size_t n = 0;
    line_t line, key;
    while (n < cap && next_line(&r, &line)) {
        adder_setting_t s = {.line = r.line};
        line_kind_t kind = parse_line(line, &key, &s);
        if (kind == LINE_SECTION)
            break;
        if (kind == LINE_WRONG || (kind == LINE_SETTING && s.kind == ADDER_SETTING_BAD))
            out[n++] = (adder_settings_problem_t){s.line, s.problem};
    }
    return n;
}

/* ---- text ---- */

static size_t put_utf8(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)((0xF00u >> n & 0xFF) | code);
    return n;
}

static char plain_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    case 'f':
        return '\f';
    default:
        return c;
    }
}

adder_err_t adder_settings_text(const adder_setting_t *s, char *out, size_t cap, size_t *len_out)
{
    size_t n = 0;
    const char *at = s->raw, *end = at + s->raw_len;
    if (cap <= s->raw_len) /* what is written is never longer than what was read */
        return ADDER_ERR_NOSPACE;
    while (at < end) {
        uint32_t code;
        size_t digits;
        if (s->kind != ADDER_SETTING_TEXT || *at != '\\' || at + 1 == end) {
            out[n++] = *at++;
            continue;
        }
        at++;
        if ((*at == 'u' || *at == 'U') && code_point(at, end, &code, &digits)) {
            n += put_utf8(code, out + n);
            at += 1 + digits;
        } else {
            out[n++] = plain_escape(*at++);
        }
    }
    out[n] = '\0';
    *len_out = n;
    return ADDER_OK;
}
