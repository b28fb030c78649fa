/* JSON read in every piece size, refused where RFC 8259 refuses, written, and doubles against the C
 * library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adder/json.h"

#define LEN(s) (sizeof(s) - 1)

/* What is read, in letters: { } [ ] n:name s:text i:number d:text T F N and $ for END. */
typedef struct {
    char text[2048];
    adder_err_t err;
    adder_json_why_t why;
    size_t at;
} seen_t;

static void add(seen_t *s, const char *text, size_t len)
{
    size_t n = strlen(s->text);
    assert_true(n + len < sizeof s->text);
    memcpy(s->text + n, text, len);
    s->text[n + len] = '\0';
}

static void note(seen_t *s, const adder_json_event_t *ev)
{
    static const char letters[] = "?{}[]nsid?N$";
    char number[32];
    switch (ev->kind) {
    case ADDER_JSON_INT:
        (void)snprintf(number, sizeof number, "i:%lld ", (long long)ev->number);
        add(s, number, strlen(number));
        break;
    case ADDER_JSON_BOOL:
        add(s, ev->number ? "T" : "F", 1);
        break;
    case ADDER_JSON_NAME:
    case ADDER_JSON_TEXT:
    case ADDER_JSON_NUMBER:
        add(s, &letters[ev->kind], 1);
        add(s, ev->partial ? "+" : ":", 1);
        for (size_t i = 0; i < ev->len; i++) {
            if (ev->text[i] == '\0')
                add(s, "<0>", 3);
            else
                add(s, ev->text + i, 1);
        }
        add(s, " ", 1);
        break;
    default:
        add(s, &letters[ev->kind], 1);
    }
}

static seen_t read_all(const char *json, size_t len, size_t piece, size_t cap)
{
    char token[256];
    seen_t s;
    adder_json_reader_t r;
    adder_json_event_t ev = {0};
    memset(&s, 0, sizeof s);
    adder_json_read_init(&r, token, cap);
    for (size_t at = 0; at < len && s.err == ADDER_OK;) {
        size_t n = len - at < piece ? len - at : piece, used;
        s.err = adder_json_feed(&r, json + at, n, &used, &ev);
        if (s.err != ADDER_OK)
            break;
        if (ev.kind != ADDER_JSON_MORE)
            note(&s, &ev);
        else
            assert_int_equal(used, n);
        at += used;
        assert_int_equal(r.at, at);
    }
    while (s.err == ADDER_OK && ev.kind != ADDER_JSON_END) {
        s.err = adder_json_eof(&r, &ev);
        if (s.err == ADDER_OK)
            note(&s, &ev);
    }
    size_t used;
    s.why = r.why;
    s.at = r.at;
    assert_int_equal(adder_json_feed(&r, "1", 1, &used, &ev), s.err == ADDER_OK ? ADDER_ERR_STATE : s.err);
    assert_int_equal(adder_json_eof(&r, &ev), s.err == ADDER_OK ? ADDER_ERR_STATE : s.err);
    return s;
}

static void reads_as(const char *json, size_t len, const char *want)
{
    for (size_t piece = 1; piece <= len + 1; piece++) {
        seen_t s = read_all(json, len, piece, 256);
        if (s.err != ADDER_OK)
            fail_msg("%s: %s at %zu", json, adder_json_why_str(s.why), s.at);
        assert_string_equal(s.text, want);
    }
}

#define READS(json, want) reads_as(json, LEN(json), want)

static void values(void **state)
{
    (void)state;
    READS("null", "N$");
    READS(" true\r\n\t ", "T$");
    READS("false", "F$");
    READS("0", "i:0 $");
    READS("-0", "i:0 $");
    READS("-9223372036854775808 ", "i:-9223372036854775808 $");
    READS("9223372036854775807", "i:9223372036854775807 $");
    READS("9223372036854775808", "d:9223372036854775808 $");
    READS("-9223372036854775809", "d:-9223372036854775809 $");
    READS("1.0", "d:1.0 $");
    READS("-0.5e+10", "d:-0.5e+10 $");
    READS("1E400", "d:1E400 $");
    READS("[]", "[]$");
    READS("[ ]", "[]$");
    READS("{}", "{}$");
    READS("[1,[2],{},null]", "[i:1 [i:2 ]{}N]$");
    READS("{\"a\": 1 , \"b\" : [ { \"c\":\"d\" } ], \"a\":false}", "{n:a i:1 n:b [{n:c s:d }]n:a F}$");
    READS("\"\"", "s: $");
    READS("{\"\":\"\"}", "{n: s: }$");
}

static void texts(void **state)
{
    (void)state;
    READS("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s:\"\\/\b\f\n\r\t $");
    READS("\"\\u0000\\u00e9\\u20AC\\uD83D\\ude00\\uffff\"",
          "s:<0>\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf $");
    READS("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\x7f\"",
          "s:\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\x7f $");
}

static void long_texts_in_pieces(void **state)
{
    (void)state;
    static const char json[] = "[\"abcdefghijklmnopqrstuvwxyz\xe2\x82\xac\\u20ac12345678901234567890\",1]";
    for (size_t piece = 1; piece < sizeof json; piece++) {
        seen_t s = read_all(json, LEN(json), piece, 24);
        assert_int_equal(s.err, ADDER_OK);
        assert_string_equal(s.text, "[s+abcdefghijklmnopqrstuvwx s+yz\xe2\x82\xac\xe2\x82\xac"
                                    "1234567890123456 s:7890 i:1 ]$");
    }
    seen_t s = read_all("{\"abcdefghijklmnopqrstuvwxy\":1}", 30, 30, 24);
    assert_int_equal(s.err, ADDER_ERR_NOSPACE);
    assert_int_equal(s.why, ADDER_JSON_WHY_LONG);
    s = read_all("1111111111111111111111111", 25, 30, 24);
    assert_int_equal(s.why, ADDER_JSON_WHY_LONG);
    s = read_all("1", 1, 1, 23);
    assert_int_equal(s.err, ADDER_ERR_NOSPACE);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        adder_json_why_t why;
        size_t at;
    } cases[] = {
        {"", ADDER_JSON_WHY_CUT, 0},
        {" ", ADDER_JSON_WHY_CUT, 1},
        {"[", ADDER_JSON_WHY_CUT, 1},
        {"[1", ADDER_JSON_WHY_CUT, 2},
        {"{\"a\":", ADDER_JSON_WHY_CUT, 5},
        {"\"a", ADDER_JSON_WHY_CUT, 2},
        {"tru", ADDER_JSON_WHY_CUT, 3},
        {"-", ADDER_JSON_WHY_NUMBER, 1},
        {"1.", ADDER_JSON_WHY_NUMBER, 2},
        {"1e", ADDER_JSON_WHY_NUMBER, 2},
        {"1e+", ADDER_JSON_WHY_NUMBER, 3},
        {"1.e1", ADDER_JSON_WHY_NUMBER, 2},
        {"-a", ADDER_JSON_WHY_NUMBER, 1},
        {"01", ADDER_JSON_WHY_AFTER, 1},
        {"-01", ADDER_JSON_WHY_AFTER, 2},
        {"+1", ADDER_JSON_WHY_VALUE, 0},
        {".5", ADDER_JSON_WHY_VALUE, 0},
        {"NaN", ADDER_JSON_WHY_VALUE, 0},
        {"nul1", ADDER_JSON_WHY_VALUE, 3},
        {"True", ADDER_JSON_WHY_VALUE, 0},
        {"'a'", ADDER_JSON_WHY_VALUE, 0},
        {"[1,]", ADDER_JSON_WHY_VALUE, 3},
        {"[,1]", ADDER_JSON_WHY_VALUE, 1},
        {"[1 2]", ADDER_JSON_WHY_COMMA, 3},
        {"[1}", ADDER_JSON_WHY_COMMA, 2},
        {"{\"a\":1]", ADDER_JSON_WHY_COMMA, 6},
        {"{\"a\" 1}", ADDER_JSON_WHY_COLON, 5},
        {"{\"a\":1,}", ADDER_JSON_WHY_NAME, 7},
        {"{a:1}", ADDER_JSON_WHY_NAME, 1},
        {"{1:1}", ADDER_JSON_WHY_NAME, 1},
        {"1 2", ADDER_JSON_WHY_AFTER, 2},
        {"{}}", ADDER_JSON_WHY_AFTER, 2},
        {"\xef\xbb\xbf{}", ADDER_JSON_WHY_VALUE, 0}, /* a byte order mark */
        {"/**/1", ADDER_JSON_WHY_VALUE, 0},
        {"\"\x1f\"", ADDER_JSON_WHY_CONTROL, 1},
        {"\"\n\"", ADDER_JSON_WHY_CONTROL, 1},
        {"\"\\x\"", ADDER_JSON_WHY_ESCAPE, 2},
        {"\"\\u12g4\"", ADDER_JSON_WHY_ESCAPE, 5},
        {"\"\\ud800\"", ADDER_JSON_WHY_SURROGATE, 7},
        {"\"\\ud800a\"", ADDER_JSON_WHY_SURROGATE, 7},
        {"\"\\ud800\\n\"", ADDER_JSON_WHY_SURROGATE, 8},
        {"\"\\ud800\\u0041\"", ADDER_JSON_WHY_SURROGATE, 12},
        {"\"\\ud800\\ud800\"", ADDER_JSON_WHY_SURROGATE, 12},
        {"\"\\udc00\"", ADDER_JSON_WHY_SURROGATE, 6},
        {"\"\x80\"", ADDER_JSON_WHY_UTF8, 1},
        {"\"\xc1\xbf\"", ADDER_JSON_WHY_UTF8, 1},
        {"\"\xc3\"", ADDER_JSON_WHY_UTF8, 2},
        {"\"\xe0\x9f\xbf\"", ADDER_JSON_WHY_UTF8, 2},
        {"\"\xed\xa0\x80\"", ADDER_JSON_WHY_UTF8, 2},
        {"\"\xf0\x8f\xbf\xbf\"", ADDER_JSON_WHY_UTF8, 2},
        {"\"\xf4\x90\x80\x80\"", ADDER_JSON_WHY_UTF8, 2},
        {"\"\xf5\x80\x80\x80\"", ADDER_JSON_WHY_UTF8, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 1; piece < 20; piece++) {
            seen_t s = read_all(cases[i].json, strlen(cases[i].json), piece, 64);
            if (s.err != ADDER_ERR_FORMAT || s.why != cases[i].why || s.at != cases[i].at)
                fail_msg("%s: %s at %zu", cases[i].json, adder_json_why_str(s.why), s.at);
        }
    }
}

static void depth(void **state)
{
    (void)state;
    char json[2 * ADDER_JSON_DEPTH + 3];
    memset(json, '[', ADDER_JSON_DEPTH + 1);
    memset(json + ADDER_JSON_DEPTH, ']', ADDER_JSON_DEPTH);
    assert_int_equal(read_all(json, 2 * ADDER_JSON_DEPTH, 7, 64).err, ADDER_OK);
    json[ADDER_JSON_DEPTH] = '[';
    seen_t s = read_all(json, ADDER_JSON_DEPTH + 1, 7, 64);
    assert_int_equal(s.err, ADDER_ERR_NOSPACE);
    assert_int_equal(s.why, ADDER_JSON_WHY_DEPTH);
}

static void write_sample(adder_json_writer_t *w, char *buf, size_t cap)
{
    adder_json_write_init(w, buf, cap);
    adder_json_put_begin(w, ADDER_JSON_OBJECT);
    adder_json_put_name(w, "a\"\\\n\x01\x7f\xc3\xa9");
    adder_json_put_text_str(w, "\0/", 2);
    adder_json_put_name(w, "b");
    adder_json_put_begin(w, ADDER_JSON_ARRAY);
    adder_json_put_int(w, INT64_MIN);
    adder_json_put_uint(w, UINT64_MAX);
    adder_json_put_double(w, 21.5);
    adder_json_put_bool(w, true);
    adder_json_put_null(w);
    adder_json_put_raw(w, "{\"a_name_that_is_longer_than_the_buffer_in_which_the_writer_looks_at_it\":1}",
                       75);
    adder_json_put_begin(w, ADDER_JSON_ARRAY);
    adder_json_put_end(w);
    adder_json_put_end(w);
    adder_json_put_end(w);
}

static void written(void **state)
{
    (void)state;
    static const char want[] =
        "{\"a\\\"\\\\\\n\\u0001\x7f\xc3\xa9\":\"\\u0000/"
        "\",\"b\":[-9223372036854775808,18446744073709551615,21.5,"
        "true,null,{\"a_name_that_is_longer_than_the_buffer_in_which_the_writer_looks_at_it\":1},[]]}";
    adder_json_writer_t w;
    char buf[256];
    size_t n;
    write_sample(&w, buf, sizeof buf);
    assert_int_equal(adder_json_write_end(&w, &n), ADDER_OK);
    assert_string_equal(buf, want);
    assert_int_equal(n, LEN(want));
    for (size_t cap = 0; cap < LEN(want); cap++) {
        memset(buf, 0x55, sizeof buf);
        write_sample(&w, buf, cap);
        assert_int_equal(adder_json_write_end(&w, &n), ADDER_ERR_NOSPACE);
        assert_int_equal(n, LEN(want));
        assert_int_equal(buf[cap], 0x55);
    }
    write_sample(&w, buf, LEN(want)); /* without room for the NUL */
    assert_int_equal(adder_json_write_end(&w, &n), ADDER_OK);
}

static void not_written(void **state)
{
    (void)state;
    adder_json_writer_t w;
    char buf[64];
    size_t n;
    for (int i = 0; i < 13; i++) {
        adder_json_why_t why = ADDER_JSON_WHY_ORDER;
        adder_json_write_init(&w, buf, sizeof buf);
        if (i < 4)
            adder_json_put_begin(&w, ADDER_JSON_OBJECT);
        switch (i) {
        case 0:
            adder_json_put_null(&w); /* a value without a name */
            break;
        case 1:
            adder_json_put_name(&w, "a");
            adder_json_put_name(&w, "b");
            break;
        case 2:
            adder_json_put_name(&w, "a");
            adder_json_put_end(&w);
            break;
        case 3:
            adder_json_put_name(&w, "\xff");
            why = ADDER_JSON_WHY_UTF8;
            break;
        case 4:
            adder_json_put_name(&w, "a");
            break;
        case 5:
            adder_json_put_end(&w);
            break;
        case 6:
            adder_json_put_null(&w);
            adder_json_put_null(&w);
            why = ADDER_JSON_WHY_AFTER;
            break;
        case 7:
            adder_json_put_text(&w, "\xed\xa0\x80");
            why = ADDER_JSON_WHY_UTF8;
            break;
        case 8:
            adder_json_put_double(&w, 1e308 * 10);
            why = ADDER_JSON_WHY_NOT_FINITE;
            break;
        case 9:
            for (unsigned d = 0; d <= ADDER_JSON_DEPTH; d++)
                adder_json_put_begin(&w, ADDER_JSON_ARRAY);
            why = ADDER_JSON_WHY_DEPTH;
            break;
        case 10:
            adder_json_put_raw(&w, "1,2", 3);
            why = ADDER_JSON_WHY_AFTER;
            break;
        case 11:
            adder_json_put_raw(&w, "", 0);
            why = ADDER_JSON_WHY_CUT;
            break;
        default:
            adder_json_put_begin(&w, ADDER_JSON_ARRAY);
            adder_json_put_name(&w, "a");
        }
        assert_int_equal(adder_json_write_end(&w, &n), ADDER_ERR_ARG);
        assert_int_equal(w.why, why);
    }
    adder_json_write_init(&w, buf, sizeof buf);
    assert_int_equal(adder_json_write_end(&w, &n), ADDER_ERR_STATE);
    adder_json_put_begin(&w, ADDER_JSON_ARRAY);
    assert_int_equal(adder_json_write_end(&w, &n), ADDER_ERR_STATE);
}

/* ---- doubles ---- */

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static size_t print(double x, char *out, size_t cap)
{
    adder_json_writer_t w;
    size_t n;
    adder_json_write_init(&w, out, cap);
    adder_json_put_double(&w, x);
    assert_int_equal(adder_json_write_end(&w, &n), ADDER_OK);
    return n;
}

static void doubles_printed(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1, "-1.0"},
        {0.1, "0.1"},
        {21.5, "21.5"},
        {100, "100.0"},
        {123456789012, "123456789012.0"},
        {0.05, "0.05"},
        {1e-5, "0.00001"},
        {1.5e-5, "0.000015"},
        {1e-6, "1e-6"},
        {1e16, "10000000000000000.0"},
        {12345678901234568, "12345678901234568.0"},
        {1e17, "1e17"},
        {1e22, "1e22"},
        {1.5e300, "1.5e300"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {9.5e-323, "9.4e-323"}, /* 19 * 2^-1074 */
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {9.999999999999999e22, "1e23"}, /* the same bits */
        {0.999999999999999944, "0.9999999999999999"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        double back;
        size_t n = print(cases[i].x, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(adder_json_double(text, n, &back), ADDER_OK);
        assert_true(bits_of(back) == bits_of(cases[i].x));
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Against the C library: the same value, and not one digit more than it needs. */
static void doubles_against_the_library(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (unsigned i = 0; i < 400; i++) {
        uint64_t bits = next_random(&seed);
        if (i % 4 == 0) /* subnormal numbers */
            bits &= 0x800FFFFFFFFFFFFFu >> i % 40;
        double x, back;
        char text[40], theirs[64];
        memcpy(&x, &bits, sizeof x);
        if (!(x - x == 0))
            continue;
        size_t n = print(x, text, sizeof text);
        assert_int_equal(adder_json_double(text, n, &back), ADDER_OK);
        assert_true(bits_of(back) == bits);
        assert_true(bits_of(strtod(text, NULL)) == bits);
        int digits = 1;
        while (snprintf(theirs, sizeof theirs, "%.*e", digits - 1, x) > 0 &&
               bits_of(strtod(theirs, NULL)) != bits)
            digits++;
        int ours = 0, zeros = 0;
        for (const char *c = text; *c != '\0' && *c != 'e'; c++) {
            if (*c < '0' || *c > '9' || (*c == '0' && ours == 0))
                continue;
            ours += *c != '0' ? 1 + zeros : 0;
            zeros = *c == '0' ? zeros + 1 : 0;
        }
        assert_true(ours <= digits);
        /* Texts that nobody printed. */
        (void)snprintf(
            theirs, sizeof theirs, "%llu.%llue%d", (unsigned long long)(next_random(&seed) >> i % 60),
            (unsigned long long)(next_random(&seed) >> (i * 7) % 60), (int)(next_random(&seed) % 700) - 350);
        assert_int_equal(adder_json_double(theirs, strlen(theirs), &back), ADDER_OK);
        uint64_t a = bits_of(back), b = bits_of(strtod(theirs, NULL));
        assert_true(a == b || a + 1 == b || b + 1 == a);
    }
}

static void doubles_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double x;
    } cases[] = {
        {"1e400", 1e308 * 10},
        {"-1e400", -1e308 * 10},
        {"1e-400", 0},
        {"0e999999999999", 0},
        {"1e99999999999999999999", 1e308 * 10},
        {"1e-99999999999999999999", 0},
        {"1.7976931348623158e308", 1.7976931348623157e308},
        {"1.7976931348623159e308", 1e308 * 10},
        {"2.4703282292062327e-324", 0},
        {"2.4703282292062329e-324", 5e-324},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.00000000000000000000000000001", 9007199254740994.0},
        {"9007199254740995", 9007199254740996.0},
        {"0.000000000000000000000000000000000000000001", 1e-42},
        {"1000000000000000000000000000000", 1e30},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double x;
        assert_int_equal(adder_json_double(cases[i].text, strlen(cases[i].text), &x), ADDER_OK);
        if (bits_of(x) != bits_of(cases[i].x))
            fail_msg("%s", cases[i].text);
    }
    static const char *const bad[] = {"",    "-",  ".5", "1.",  "01",  "1e",
                                      "1e+", "1 ", " 1", "0x1", "inf", "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double x = 7;
        assert_int_equal(adder_json_double(bad[i], strlen(bad[i]), &x), ADDER_ERR_FORMAT);
        assert_true(x == 7);
    }
}

static void names(void **state)
{
    (void)state;
    adder_json_event_t ev = {.kind = ADDER_JSON_NAME, .text = "value", .len = 5};
    assert_true(adder_json_is(&ev, "value"));
    assert_false(adder_json_is(&ev, "valu"));
    ev.partial = true;
    assert_false(adder_json_is(&ev, "value"));
    ev = (adder_json_event_t){.kind = ADDER_JSON_NUMBER, .text = "1.0", .len = 3};
    assert_false(adder_json_is(&ev, "1.0"));
    for (int why = 0; why <= ADDER_JSON_WHY_COUNT; why++)
        assert_true(strlen(adder_json_why_str((adder_json_why_t)why)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(texts),
        cmocka_unit_test(long_texts_in_pieces),
        cmocka_unit_test(refused),
        cmocka_unit_test(depth),
        cmocka_unit_test(written),
        cmocka_unit_test(not_written),
        cmocka_unit_test(doubles_printed),
        cmocka_unit_test(doubles_against_the_library),
        cmocka_unit_test(doubles_read),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
