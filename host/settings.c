#include "host/settings.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *at, *end;
} cursor_t;

static void skip_blanks(cursor_t *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

static bool at_line_end(const cursor_t *c)
{
    return c->at == c->end || *c->at == '\n' || *c->at == '#';
}

/* Where the cut-off copy of a value goes. */
typedef struct {
    char *out;
    size_t cap, len;
} sink_t;

static void add(sink_t *s, char byte)
{
    if (s->len + 1 < s->cap)
        s->out[s->len] = byte;
    s->len++;
}

static void add_code_point(sink_t *s, uint32_t c)
{
    if (c < 0x80) {
        add(s, (char)c);
    } else if (c < 0x800) {
        add(s, (char)(0xC0 | c >> 6));
        add(s, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        add(s, (char)(0xE0 | c >> 12));
        add(s, (char)(0x80 | (c >> 6 & 0x3F)));
        add(s, (char)(0x80 | (c & 0x3F)));
    } else {
        add(s, (char)(0xF0 | (c >> 18 & 7)));
        add(s, (char)(0x80 | (c >> 12 & 0x3F)));
        add(s, (char)(0x80 | (c >> 6 & 0x3F)));
        add(s, (char)(0x80 | (c & 0x3F)));
    }
}

static const char *escape(cursor_t *c, sink_t *s)
{
    static const char from[] = "brntvf", to[] = "\b\r\n\t\v\f";
    char letter = *c->at++;
    const char *simple = memchr(from, letter, sizeof from - 1);
    if (simple != NULL) {
        add(s, to[simple - from]);
        return NULL;
    }
    if (letter != 'u' && letter != 'U') {
        add(s, letter);
        return NULL;
    }
    uint32_t code = 0;
    for (int digits = letter == 'u' ? 4 : 8; digits > 0; digits--, c->at++) {
        if (c->at == c->end || !isxdigit((unsigned char)*c->at))
            return "\\u takes 4 hex digits and \\U takes 8";
        char d = *c->at;
        code = code << 4 | (uint32_t)(isdigit((unsigned char)d) ? d - '0' : (d | 0x20) - 'a' + 10);
    }
    if (code > 0x10FFFF)
        return "there is no such Unicode character";
    add_code_point(s, code);
    return NULL;
}

static const char *quoted(cursor_t *c, sink_t *s)
{
    c->at++;
    while (c->at < c->end && *c->at != '\n') {
        char byte = *c->at++;
        if (byte == '"')
            return NULL;
        if (byte != '\\') {
            add(s, byte);
            continue;
        }
        if (c->at == c->end || *c->at == '\n')
            break;
        const char *wrong = escape(c, s);
        if (wrong != NULL)
            return wrong;
    }
    return "the text has no closing quote";
}

static const char *bare(cursor_t *c, sink_t *s)
{
    const char *from = c->at;
    while (!at_line_end(c))
        c->at++;
    const char *end = c->at;
    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    char word[64];
    if ((size_t)(end - from) >= sizeof word)
        return "the value is neither a quoted text nor a number";
    memcpy(word, from, (size_t)(end - from));
    word[end - from] = '\0';
    for (const char *p = from; p < end; p++)
        add(s, *p);
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
        return NULL;
    char *rest;
    if (word[0] != '\0') {
        (void)strtol(word, &rest, 0);
        if (*rest == '\0')
            return NULL;
        (void)strtod(word, &rest);
        if (*rest == '\0')
            return NULL;
    }
    return word[0] == '\0' ? "the value is missing"
                           : "the value is neither a quoted text nor a number (quotes missing?)";
}

/* One line. The key into key[64] ("" = a line without one), its value into the sink. NULL or what is wrong.
 */
static const char *line(cursor_t *c, char key[64], sink_t *s)
{
    key[0] = '\0';
    s->len = 0;
    skip_blanks(c);
    if (at_line_end(c))
        return NULL;
    const char *from = c->at;
    while (c->at < c->end && (isalnum((unsigned char)*c->at) || *c->at == '_' || *c->at == '-'))
        c->at++;
    size_t len = (size_t)(c->at - from);
    skip_blanks(c);
    if (len == 0 || c->at == c->end || *c->at != '=')
        return "expected NAME = value";
    if (len >= 64)
        return "the name is too long";
    memcpy(key, from, len);
    key[len] = '\0';
    c->at++;
    skip_blanks(c);
    const char *wrong = c->at < c->end && *c->at == '"' ? quoted(c, s) : bare(c, s);
    if (wrong != NULL)
        return wrong;
    skip_blanks(c);
    return at_line_end(c) ? NULL : "something follows the value";
}

/* Call by call through the lines; false at the end or at the first [section]. */
static bool next_line(cursor_t *c, unsigned *number, char key[64], sink_t *s, const char **wrong)
{
    if (*number > 0) {
        while (c->at < c->end && *c->at != '\n')
            c->at++;
        if (c->at == c->end)
            return false;
        c->at++;
    }
    ++*number;
    cursor_t peek = *c;
    skip_blanks(&peek);
    if (peek.at < peek.end && *peek.at == '[')
        return false;
    *wrong = line(c, key, s);
    return true;
}

bool settings_get(const char *text, size_t len, const char *key, char *out, size_t cap)
{
    cursor_t c = {text, text + len};
    sink_t sink = {out, cap, 0};
    char found[64];
    const char *wrong;
    for (unsigned number = 0; next_line(&c, &number, found, &sink, &wrong);) {
        if (strcmp(found, key) != 0)
            continue;
        bool fits = wrong == NULL && sink.len < cap;
        out[fits ? sink.len : 0] = '\0';
        return fits;
    }
    if (cap > 0)
        out[0] = '\0';
    return false;
}

bool settings_check(const char *text, size_t len, char *msg, size_t msg_cap)
{
    cursor_t c = {text, text + len};
    char key[64], scrap[8];
    sink_t sink = {scrap, sizeof scrap, 0};
    const char *wrong = NULL;
    for (unsigned number = 0; next_line(&c, &number, key, &sink, &wrong);)
        if (wrong != NULL) {
            snprintf(msg, msg_cap, "%u: %s%s%s", number, key, key[0] != '\0' ? ": " : "", wrong);
            return false;
        }
    return true;
}
