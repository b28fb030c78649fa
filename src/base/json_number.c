/* Doubles as JSON text and back, exactly: both are a ratio of two large whole numbers.
 *
 * Not strtod and printf: they follow the locale, and on small systems take memory from the heap. */
#include <float.h>
#include <string.h>

#include "src/base/json_int.h"

_Static_assert(DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024 && sizeof(double) == 8, "IEEE 754 binary64");

/* 10^343, which 19 digits of the least double take, has 1140 bits; one word more for a shift. */
#define WORDS 37

typedef struct {
    uint32_t word[WORDS]; /* the least significant first */
} big_t;

static void big_set(big_t *b, uint64_t n)
{
    memset(b, 0, sizeof *b);
    b->word[0] = (uint32_t)n;
    b->word[1] = (uint32_t)(n >> 32);
}

static void big_multiply(big_t *b, uint32_t by)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < WORDS; i++) {
        carry += (uint64_t)b->word[i] * by;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    ADDER_ASSERT(carry == 0);
}

static void big_power10(big_t *b, int n)
{
    for (; n >= 9; n -= 9)
        big_multiply(b, 1000000000);
    for (; n > 0; n--)
        big_multiply(b, 10);
}

static void big_shift(big_t *b, int bits)
{
    size_t words = (size_t)bits / 32, rest = (size_t)bits % 32;
    for (size_t i = WORDS; i-- > 0;) {
        uint64_t two = i >= words ? (uint64_t)b->word[i - words] << 32 : 0;
        if (i > words)
            two |= b->word[i - words - 1];
        b->word[i] = (uint32_t)(two >> (32 - rest));
    }
}

static int big_bits(const big_t *b)
{
    for (size_t i = WORDS; i-- > 0;) {
        for (int bit = 31; b->word[i] != 0 && bit >= 0; bit--) {
            if (b->word[i] >> bit & 1)
                return (int)i * 32 + bit + 1;
        }
    }
    return 0;
}

/* a -= b if that is not negative; whether it was. */
static bool big_subtract(big_t *a, const big_t *b)
{
    size_t i = WORDS - 1;
    while (i > 0 && a->word[i] == b->word[i])
        i--;
    if (a->word[i] < b->word[i])
        return false;
    uint64_t borrow = 0;
    for (i = 0; i < WORDS; i++) {
        uint64_t d = (uint64_t)a->word[i] - b->word[i] - borrow;
        a->word[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    return true;
}

/* num / den as q * 2^*exp with the top bit of q set; *more: a rest is cut off. Neither is 0. */
static uint64_t ratio(big_t *num, big_t *den, int *exp, bool *more)
{
    int shift = big_bits(num) - big_bits(den);
    big_shift(shift > 0 ? den : num, shift > 0 ? shift : -shift);
    uint64_t q = 0;
    int bits = 0;
    while (q >> 63 == 0) {
        q = q << 1 | big_subtract(num, den);
        big_shift(num, 1);
        bits++;
    }
    *exp = shift + 1 - bits;
    *more = big_bits(num) > 0;
    return q;
}

/* The nearest double to q * 2^exp, ties to even. */
static double assemble(uint64_t q, int exp, bool more)
{
    int top = exp + 63, drop = 11; /* bits below the 53 */
    uint64_t bits;
    double x;
    if (top < -1022)
        drop += -1022 - top;
    if (top > 1023) {
        bits = (uint64_t)0x7FF << 52;
    } else if (drop > 64) {
        bits = 0;
    } else {
        uint64_t half = (uint64_t)1 << (drop - 1);
        bits = drop == 64 ? 0 : q >> drop;
        if ((q & half) != 0 && ((q & (half - 1)) != 0 || more || (bits & 1) != 0))
            bits++;
        if (drop == 11) /* the mantissa's own top bit is the last 1 of the exponent */
            bits += (uint64_t)(top + 1022) << 52;
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* digits * 10^exp10, and a little more if `more`. */
static double scale(uint64_t digits, int exp10, bool more)
{
    big_t num, den;
    int exp;
    bool rest;
    if (digits == 0 || exp10 < -343)
        return 0;
    if (exp10 > 308)
        return assemble((uint64_t)1 << 63, 2000, false);
    big_set(&num, digits);
    big_set(&den, 1);
    big_power10(exp10 < 0 ? &den : &num, exp10 < 0 ? -exp10 : exp10);
    uint64_t q = ratio(&num, &den, &exp, &rest);
    return assemble(q, exp, rest || more);
}

/* Take digits; those behind the 19th only count for the size. */
static size_t take_digits(const char *text, size_t len, size_t at, uint64_t *digits, int *dropped, int *taken,
                          bool *more)
{
    for (; at < len && text[at] >= '0' && text[at] <= '9'; at++) {
        if (*digits < 1000000000000000000u) {
            *digits = *digits * 10 + (uint64_t)(text[at] - '0');
            *taken += *taken < 100000;
        } else {
            *dropped += *dropped < 100000;
            *more |= text[at] != '0';
        }
    }
    return at;
}

adder_err_t adder_json_double(const char *text, size_t len, double *out)
{
    size_t at = len > 0 && text[0] == '-', from = at;
    uint64_t digits = 0;
    int before = 0, taken = 0, after = 0, none = 0, exp = 0;
    bool more = false;
    at = take_digits(text, len, at, &digits, &before, &none, &more);
    bool ok = at > from && (text[from] != '0' || at == from + 1);
    if (ok && at < len && text[at] == '.') {
        from = ++at;
        at = take_digits(text, len, at, &digits, &after, &taken, &more);
        ok = at > from;
    }
    if (ok && at < len && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        bool minus = at < len && text[at] == '-';
        at += at < len && (text[at] == '-' || text[at] == '+');
        from = at;
        for (; at < len && text[at] >= '0' && text[at] <= '9'; at++)
            exp = exp < 1000000 ? exp * 10 + (text[at] - '0') : exp;
        ok = at > from;
        exp = minus ? -exp : exp;
    }
    if (!ok || at != len)
        return ADDER_ERR_FORMAT;
    double x = scale(digits, exp + before - taken, more);
    *out = text[0] == '-' ? -x : x;
    return ADDER_OK;
}

/* ---- printing ---- */

/* x = mantissa * 2^exp. */
static uint64_t take_apart(double x, int *exp)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> 52 & 0x7FF);
    uint64_t mantissa = bits & (((uint64_t)1 << 52) - 1);
    *exp = (e > 0 ? e : 1) - 1075;
    return e > 0 ? mantissa | (uint64_t)1 << 52 : mantissa;
}

/* The nearest whole number to x / 10^exp10. */
static uint64_t scaled(uint64_t mantissa, int exp, int exp10)
{
    big_t num, den;
    int e;
    bool more;
    big_set(&num, mantissa);
    big_set(&den, 1);
    big_power10(exp10 < 0 ? &num : &den, exp10 < 0 ? -exp10 : exp10);
    big_shift(exp > 0 ? &num : &den, exp > 0 ? exp : -exp);
    uint64_t q = ratio(&num, &den, &e, &more);
    return (e > -64 ? q >> -e : 0) + (q >> (-e - 1) & 1); /* 1 to 18 digits: e is -64 to -4 */
}

/* The power of ten of the first of 17 digits of mantissa * 2^exp. */
static int find_exp10(uint64_t mantissa, int exp)
{
    int bits = 53;
    while (bits > 1 && mantissa >> (bits - 1) == 0)
        bits--;
    int exp10 = (exp + bits - 1) * 30103 / 100000; /* log10(2); off by one at most */
    for (;;) {
        uint64_t digits = scaled(mantissa, exp, exp10 - 16);
        if (digits >= 100000000000000000u)
            exp10++;
        else if (digits < 10000000000000000u)
            exp10--;
        else
            return exp10;
    }
}

/* The fewest digits that read back as x > 0: *n of them, the last not 0. */
static uint64_t shortest(double x, int *exp10, int *n)
{
    int exp;
    uint64_t mantissa = take_apart(x, &exp), digits = 0;
    *exp10 = find_exp10(mantissa, exp);
    /* 15 digits hold every shorter number, but for the subnormal ones, which have fewer bits. */
    for (*n = x < DBL_MIN ? 1 : 15; *n <= 17; ++*n) {
        digits = scaled(mantissa, exp, *exp10 - *n + 1);
        if (*n == 17 || scale(digits, *exp10 - *n + 1, false) == x)
            break;
    }
    uint64_t limit = 1;
    for (int i = 0; i < *n; i++)
        limit *= 10;
    if (digits >= limit) { /* rounded up to one digit more */
        ++*exp10;
        ++*n;
    }
    while (digits % 10 == 0) {
        digits /= 10;
        --*n;
    }
    return digits;
}

static size_t put_exponent(char *out, int exp10)
{
    size_t len = 0;
    out[len++] = 'e';
    if (exp10 < 0)
        out[len++] = '-';
    unsigned e = (unsigned)(exp10 < 0 ? -exp10 : exp10);
    for (unsigned unit = e >= 100 ? 100 : e >= 10 ? 10 : 1; unit > 0; unit /= 10)
        out[len++] = (char)('0' + e / unit % 10);
    return len;
}

size_t adder_json_print_double(double x, char out[ADDER_JSON_DOUBLE])
{
    char text[20];
    int exp10 = 0, n = 1;
    uint64_t bits, digits = 0;
    size_t len = 0;
    memcpy(&bits, &x, sizeof bits);
    if (bits >> 63 != 0) {
        out[len++] = '-';
        x = -x;
    }
    if (x != 0)
        digits = shortest(x, &exp10, &n);
    for (int i = n; i-- > 0; digits /= 10)
        text[i] = (char)('0' + digits % 10);
    bool plain = exp10 >= -5 && exp10 < 17;
    if (plain && exp10 < 0) {
        out[len++] = '0';
        out[len++] = '.';
        for (int i = -1; i > exp10; i--)
            out[len++] = '0';
    }
    int point = !plain ? 0 : exp10 < 0 ? -1 : exp10; /* behind this digit; -1: it stands already */
    for (int i = 0; i < n || (plain && i <= exp10 + 1 && exp10 >= 0); i++) {
        out[len++] = i < n ? text[i] : '0';
        if (i == point && (plain || n > 1))
            out[len++] = '.';
    }
    return plain ? len : len + put_exponent(out + len, exp10);
}
