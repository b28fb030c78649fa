#include <string.h>

#include "src/http/http_int.h"

const char *adder_http_why_str(adder_http_why_t why)
{
    static const char *const texts[] = {
#define TEXT(code, text) text,
        ADDER_HTTP_WHYS(TEXT)
#undef TEXT
    };
    _Static_assert(sizeof texts / sizeof texts[0] == ADDER_HTTP_WHY_COUNT, "one text each");
    return (unsigned)why < ADDER_HTTP_WHY_COUNT ? texts[why] : "unknown error";
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool adder_http_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool adder_http_is_alpha(char c)
{
    c = lower(c);
    return c >= 'a' && c <= 'z';
}

int adder_http_hex(char c)
{
    if (adder_http_is_digit(c))
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool adder_http_is_token(adder_http_str_t s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c == '\0' ||
            (!adder_http_is_alpha(c) && !adder_http_is_digit(c) && strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.len > 0;
}

bool adder_http_is_value(adder_http_str_t s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

bool adder_http_is_visible(adder_http_str_t s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c <= 0x20 || c >= 0x7F)
            return false;
    }
    return true;
}

bool adder_http_same(adder_http_str_t a, adder_http_str_t b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    }
    return true;
}

bool adder_http_str_is(adder_http_str_t s, const char *text)
{
    return adder_http_same(s, (adder_http_str_t){text, strlen(text)});
}

adder_http_str_t adder_http_trim(adder_http_str_t s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
        s.at++, s.len--;
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}
