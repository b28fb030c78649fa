#include "adder/ip.h"

#include <string.h>

/* ---- building and comparing ---- */

adder_ip_t adder_ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (adder_ip_t){.family = ADDER_IP_V4, .bytes = {a, b, c, d}};
}

adder_ip_t adder_ip_v6(const uint8_t bytes[16])
{
    adder_ip_t ip = {.family = ADDER_IP_V6};
    memcpy(ip.bytes, bytes, 16);
    return ip;
}

static bool is_mapped(const adder_ip_t *ip)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return ip->family == ADDER_IP_V6 && memcmp(ip->bytes, prefix, sizeof prefix) == 0;
}

adder_ip_t adder_ip_unmap(const adder_ip_t *ip)
{
    if (!is_mapped(ip))
        return *ip;
    return adder_ip_v4(ip->bytes[12], ip->bytes[13], ip->bytes[14], ip->bytes[15]);
}

static size_t width(const adder_ip_t *ip)
{
    return ip->family == ADDER_IP_V6 ? 16 : ip->family == ADDER_IP_V4 ? 4 : 0;
}

bool adder_ip_equal(const adder_ip_t *a, const adder_ip_t *b)
{
    return a->family == b->family && a->zone == b->zone && memcmp(a->bytes, b->bytes, width(a)) == 0;
}

bool adder_endpoint_equal(const adder_endpoint_t *a, const adder_endpoint_t *b)
{
    return a->port == b->port && adder_ip_equal(&a->ip, &b->ip);
}

bool adder_ip_is_any(const adder_ip_t *ip)
{
    static const uint8_t zero[16] = {0};
    return memcmp(ip->bytes, zero, width(ip)) == 0;
}

bool adder_ip_is_loopback(const adder_ip_t *ip)
{
    static const uint8_t one[16] = {[15] = 1};
    if (ip->family == ADDER_IP_V4)
        return ip->bytes[0] == 127;
    return ip->family == ADDER_IP_V6 && memcmp(ip->bytes, one, 16) == 0;
}

bool adder_ip_is_link_local(const adder_ip_t *ip)
{
    if (ip->family == ADDER_IP_V4)
        return ip->bytes[0] == 169 && ip->bytes[1] == 254;
    return ip->family == ADDER_IP_V6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool adder_ip_is_multicast(const adder_ip_t *ip)
{
    if (ip->family == ADDER_IP_V4)
        return (ip->bytes[0] & 0xf0) == 0xe0;
    return ip->family == ADDER_IP_V6 && ip->bytes[0] == 0xff;
}

/* A zone says something for fe80::/10 and for groups of interface or link scope (RFC 4007 section 4). */
static bool has_zones(const adder_ip_t *ip)
{
    if (ip->family != ADDER_IP_V6)
        return false;
    return adder_ip_is_link_local(ip) ||
           (ip->bytes[0] == 0xff && ((ip->bytes[1] & 0x0f) == 1 || (ip->bytes[1] & 0x0f) == 2));
}

/* ---- parsing ---- */

typedef struct {
    const char *at;
    size_t left;
} text_t;

static bool next_is(const text_t *t, char c)
{
    return t->left > 0 && t->at[0] == c;
}

static bool skip_char(text_t *t, char c)
{
    if (!next_is(t, c))
        return false;
    t->at++;
    t->left--;
    return true;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

/* Digits of `base` up to `max`. A decimal number has no leading zero: whoever reads those as octal would
 * see another address. */
static bool take_number(text_t *t, unsigned base, uint32_t max, uint32_t *out)
{
    uint64_t value = 0;
    size_t n = 0;
    while (n < t->left && digit_value(t->at[n]) < (int)base) {
        value = value * base + (unsigned)digit_value(t->at[n]);
        n++;
        if (value > max || (base == 16 && n > 4))
            return false;
    }
    if (n == 0 || (base == 10 && n > 1 && t->at[0] == '0'))
        return false;
    t->at += n;
    t->left -= n;
    *out = (uint32_t)value;
    return true;
}

static bool take_dotted(text_t *t, uint8_t out[4])
{
    for (size_t i = 0; i < 4; i++) {
        uint32_t octet;
        if ((i > 0 && !skip_char(t, '.')) || !take_number(t, 10, 255, &octet))
            return false;
        out[i] = (uint8_t)octet;
    }
    return true;
}

/* Is there a dot before the next colon: a dotted tail? */
static bool is_dotted(const text_t *t)
{
    for (size_t i = 0; i < t->left && t->at[i] != ':' && t->at[i] != '%'; i++) {
        if (t->at[i] == '.')
            return true;
    }
    return false;
}

static bool take_v6(text_t *t, uint8_t out[16])
{
    uint8_t bytes[16] = {0};
    size_t n = 0;
    size_t gap = SIZE_MAX; /* where "::" stands */
    if (next_is(t, ':')) {
        if (t->left < 2 || t->at[1] != ':')
            return false;
        t->at += 2;
        t->left -= 2;
        gap = 0;
    }
    while (t->left > 0 && !next_is(t, '%')) {
        uint32_t group;
        if (n == 16)
            return false;
        if (is_dotted(t)) {
            if (n > 12 || !take_dotted(t, bytes + n))
                return false;
            n += 4;
            break;
        }
        if (!take_number(t, 16, 0xffff, &group))
            return false;
        bytes[n++] = (uint8_t)(group >> 8);
        bytes[n++] = (uint8_t)group;
        if (!next_is(t, ':'))
            break;
        (void)skip_char(t, ':');
        if (next_is(t, ':')) {
            if (gap != SIZE_MAX)
                return false;
            (void)skip_char(t, ':');
            gap = n;
        } else if (t->left == 0 || next_is(t, '%')) {
            return false; /* ends in a single colon */
        }
    }
    if (gap == SIZE_MAX) {
        if (n != 16)
            return false;
    } else {
        /* "::" stands for at least one group (RFC 4291: one or more). */
        if (n > 14)
            return false;
        memmove(bytes + 16 - (n - gap), bytes + gap, n - gap);
        memset(bytes + gap, 0, 16 - n);
    }
    memcpy(out, bytes, 16);
    return true;
}

adder_err_t adder_ip_parse(const char *text, size_t len, adder_ip_t *out)
{
    text_t t = {text, len};
    adder_ip_t ip = {0};
    if (memchr(text, ':', len) == NULL) {
        ip.family = ADDER_IP_V4;
        if (!take_dotted(&t, ip.bytes) || t.left > 0)
            return ADDER_ERR_FORMAT;
    } else {
        ip.family = ADDER_IP_V6;
        if (!take_v6(&t, ip.bytes))
            return ADDER_ERR_FORMAT;
        if (skip_char(&t, '%') &&
            (!has_zones(&ip) || !take_number(&t, 10, UINT32_MAX, &ip.zone) || ip.zone == 0))
            return ADDER_ERR_FORMAT;
        if (t.left > 0)
            return ADDER_ERR_FORMAT;
    }
    *out = ip;
    return ADDER_OK;
}

/* ---- printing ---- */

typedef struct {
    char text[ADDER_ENDPOINT_TEXT];
    size_t n;
} printer_t;

static void put_char(printer_t *p, char c)
{
    ADDER_ASSERT(p->n < sizeof p->text);
    if (p->n < sizeof p->text)
        p->text[p->n++] = c;
}

static void put_text(printer_t *p, const char *text)
{
    while (*text != '\0')
        put_char(p, *text++);
}

static void put_number(printer_t *p, uint32_t value, unsigned base)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    while (n > 0)
        put_char(p, digits[--n]);
}

static void put_dotted(printer_t *p, const uint8_t bytes[4])
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            put_char(p, '.');
        put_number(p, bytes[i], 10);
    }
}

static void put_v6(printer_t *p, const adder_ip_t *ip)
{
    size_t groups = is_mapped(ip) ? 6 : 8;
    uint32_t group[8] = {0};
    for (size_t i = 0; i < 8; i++)
        group[i] = (uint32_t)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
    /* The longest run of two zero groups or more, the first of equal ones (RFC 5952 section 4.2). */
    size_t at = groups, longest = 1;
    for (size_t i = 0; i < groups; i++) {
        size_t n = 0;
        while (i + n < groups && group[i + n] == 0)
            n++;
        if (n > longest) {
            at = i;
            longest = n;
        }
    }
    for (size_t i = 0; i < groups; i++) {
        if (i == at) {
            put_text(p, "::");
            i += longest - 1;
            continue;
        }
        if (i > 0 && i != at + longest)
            put_char(p, ':');
        put_number(p, group[i], 16);
    }
    if (groups == 6) { /* ::ffff: and the tail */
        put_char(p, ':');
        put_dotted(p, ip->bytes + 12);
    }
    if (ip->zone != 0 && has_zones(ip)) {
        put_char(p, '%');
        put_number(p, ip->zone, 10);
    }
}

static void put_ip(printer_t *p, const adder_ip_t *ip)
{
    if (ip->family == ADDER_IP_V4)
        put_dotted(p, ip->bytes);
    else if (ip->family == ADDER_IP_V6)
        put_v6(p, ip);
    else
        put_text(p, "none");
}

static size_t hand_out(const printer_t *p, char *out, size_t cap)
{
    bool fits = p->n < cap;
    if (fits)
        memcpy(out, p->text, p->n);
    if (cap > 0)
        out[fits ? p->n : 0] = '\0';
    return fits ? p->n : 0;
}

size_t adder_ip_print(const adder_ip_t *ip, char *out, size_t cap)
{
    printer_t p = {.n = 0};
    put_ip(&p, ip);
    return hand_out(&p, out, cap);
}

size_t adder_endpoint_print(const adder_endpoint_t *e, char *out, size_t cap)
{
    printer_t p = {.n = 0};
    bool brackets = e->ip.family == ADDER_IP_V6;
    if (brackets)
        put_char(&p, '[');
    put_ip(&p, &e->ip);
    put_text(&p, brackets ? "]:" : ":");
    put_number(&p, e->port, 10);
    return hand_out(&p, out, cap);
}
