/* Forms, queries, Basic authentication, and multipart bodies through buffers of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/http_form.h"
#include "adder/http_multipart.h"

#define STR(s) ((adder_http_str_t){s, sizeof(s) - 1})

static void form_written(void **state)
{
    (void)state;
    static const char want[] = "name=J%C3%BCrgen+%26+Co&%3D=a*b-c.d_e%7E%00&e=";
    char buf[80];
    size_t n;
    for (size_t cap = 0; cap <= sizeof want - 1; cap++) {
        adder_http_form_t f;
        memset(buf, 0x55, sizeof buf);
        adder_http_form_init(&f, buf, cap);
        adder_http_form_put(&f, "name", "J\xc3\xbcrgen & Co", 12);
        adder_http_form_put(&f, "=", "a*b-c.d_e~\0", 11);
        adder_http_form_put(&f, "e", "", 0);
        adder_err_t err = adder_http_form_end(&f, &n);
        assert_int_equal(n, sizeof want - 1);
        assert_int_equal(err, cap == sizeof want - 1 ? ADDER_OK : ADDER_ERR_NOSPACE);
        assert_memory_equal(buf, want, cap);
        assert_int_equal(buf[cap], 0x55);
    }
}

static void form_read(void **state)
{
    (void)state;
    adder_http_str_t rest = STR("&a=1&&b&c=x=y&=z&d="), name, value;
    static const char *const want[][2] = {{"a", "1"}, {"b", ""}, {"c", "x=y"}, {"", "z"}, {"d", ""}};
    for (size_t i = 0; i < 5; i++) {
        assert_true(adder_http_form_next(&rest, &name, &value));
        assert_int_equal(name.len, strlen(want[i][0]));
        assert_memory_equal(name.at, want[i][0], name.len);
        assert_int_equal(value.len, strlen(want[i][1]));
        assert_memory_equal(value.at, want[i][1], value.len);
    }
    assert_false(adder_http_form_next(&rest, &name, &value));

    char out[16];
    size_t n;
    assert_int_equal(adder_http_form_decode(STR("a%2b+%C3%bc"), out, sizeof out, &n), ADDER_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(out, "a+ \xc3\xbc", 5);
}

static void form_values(void **state)
{
    (void)state;
    char out[8];
    size_t n;
    adder_http_str_t q = STR("x=1&na%6De=a+b&name=second&bad=%zz&nul=%00&long=12345678&cut=%4");
    assert_int_equal(adder_http_form_get(q, "name", out, sizeof out, &n), ADDER_OK);
    assert_string_equal(out, "a b");
    assert_int_equal(adder_http_form_get(q, "none", out, sizeof out, &n), ADDER_ERR_NOT_FOUND);
    assert_int_equal(adder_http_form_get(q, "bad", out, sizeof out, &n), ADDER_ERR_FORMAT);
    assert_int_equal(adder_http_form_get(q, "nul", out, sizeof out, &n), ADDER_ERR_FORMAT);
    assert_int_equal(adder_http_form_get(q, "cut", out, sizeof out, &n), ADDER_ERR_FORMAT);
    assert_int_equal(adder_http_form_get(q, "long", out, sizeof out, &n), ADDER_ERR_NOSPACE);
    assert_int_equal(n, 8);
    assert_int_equal(adder_http_path_decode(STR("a+b%20"), out, sizeof out, &n), ADDER_OK);
    assert_memory_equal(out, "a+b ", 4);
    assert_int_equal(adder_http_path_decode(STR("123456789"), out, sizeof out, &n), ADDER_ERR_NOSPACE);
    assert_int_equal(n, 9);
}

static void basic(void **state)
{
    (void)state;
    static const struct {
        const char *user, *password, *value;
    } cases[] = {
        {"Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617, section 2 */
        {"test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow=="},                /* section 2.1 */
        {"", "", "Basic Og=="},
        {"a", "b", "Basic YTpi"},
        {"a", "bc", "Basic YTpiYw=="},
        {"a", "b:c", "Basic YTpiOmM="},
    };
    char out[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *u = cases[i].user, *p = cases[i].password;
        adder_http_str_t v = {cases[i].value, strlen(cases[i].value)};
        assert_int_equal(adder_http_basic_write(u, p, out, sizeof out), ADDER_OK);
        assert_string_equal(out, cases[i].value);
        assert_int_equal(adder_http_basic_write(u, p, out, v.len), ADDER_ERR_NOSPACE);
        assert_true(adder_http_basic_is(v, u, p));
        for (size_t k = 0; k < v.len; k++) { /* any byte else, and any shorter */
            char changed[64];
            memcpy(changed, v.at, v.len);
            changed[k] ^= 1;
            assert_false(adder_http_basic_is((adder_http_str_t){changed, v.len}, u, p));
            assert_false(adder_http_basic_is((adder_http_str_t){v.at, k}, u, p));
        }
        memcpy(out, v.at, v.len);
        out[v.len] = '=';
        assert_false(adder_http_basic_is((adder_http_str_t){out, v.len + 1}, u, p));
    }
    assert_true(adder_http_basic_is(STR("bASIC YTpi"), "a", "b"));
    assert_false(adder_http_basic_is((adder_http_str_t){NULL, 0}, "a", "b"));
    assert_int_equal(adder_http_basic_write("a:b", "", out, sizeof out), ADDER_ERR_ARG);
    assert_int_equal(adder_http_basic_write("a", "\n", out, sizeof out), ADDER_ERR_ARG);
}

/* ---- multipart ---- */

static uint32_t counted(void *ctx)
{
    return 0x01234567u + (*(uint32_t *)ctx)++;
}

typedef struct {
    size_t at, len;
    unsigned rewinds;
} file_t;

static adder_err_t file_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    file_t *f = ctx;
    size_t n = f->len - f->at < 3 ? f->len - f->at : 3;
    if (n == 0)
        return ADDER_ERR_END;
    *n_out = n < cap ? n : cap;
    memcpy(buf, &"0123456789"[f->at], *n_out);
    f->at += *n_out;
    return ADDER_OK;
}

static adder_err_t file_rewind(void *ctx)
{
    file_t *f = ctx;
    f->at = 0;
    f->rewinds++;
    return ADDER_OK;
}

#define B "--765432108654321096543210a6543210"
static const char form_data[] = B
    "\r\nContent-Disposition: form-data; name=\"a%22%0D%0A\xc3\xa9\"\r\n\r\none\r\n" B
    "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.bin\"\r\n"
    "Content-Type: application/octet-stream\r\nX-More: 1\r\n\r\n0123456789\r\n" B
    "\r\nContent-Disposition: form-data; name=\"g\"; filename=\"\"\r\nContent-Type: text/plain\r\n\r\n\r\n" B
    "--\r\n";

static adder_err_t drain(const adder_http_payload_t *body, size_t cap, char *out, size_t *len)
{
    adder_err_t err;
    *len = 0;
    do {
        size_t n = 0;
        uint8_t piece[512];
        memset(piece, 0x55, sizeof piece);
        err = body->source.read(body->source.ctx, piece, cap, &n);
        assert_true(n <= cap && (err == ADDER_OK ? n > 0 : n == 0));
        assert_true(cap == sizeof piece || piece[cap] == 0x55);
        memcpy(out + *len, piece, n);
        *len += n;
    } while (err == ADDER_OK);
    return err;
}

static void multipart(void **state)
{
    (void)state;
    file_t file = {.len = 10};
    adder_http_header_t more = {"X-More", "1", false};
    adder_http_part_t parts[] = {
        {.name = "a\"\r\n\xc3\xa9", .body = adder_http_payload_bytes("one", 3)},
        {.name = "f",
         .file_name = "x.bin",
         .headers = &more,
         .n_headers = 1,
         .body = {.kind = ADDER_HTTP_BODY_LENGTH, .length = 10, .source = {file_read, file_rewind, &file}}},
        {.name = "g", .file_name = "", .content_type = "text/plain"},
    };
    uint32_t seed = 0;
    char out[1024];
    size_t n;
    adder_http_multipart_t m;
    assert_int_equal(adder_http_multipart_init(&m, parts, 3, counted, &seed), ADDER_OK);
    assert_string_equal(m.content_type, "multipart/form-data; boundary=765432108654321096543210a6543210");
    adder_http_payload_t body = adder_http_multipart_payload(&m);
    assert_int_equal(body.kind, ADDER_HTTP_BODY_LENGTH);
    assert_int_equal(body.length, sizeof form_data - 1);
    for (size_t cap = 1; cap < 512; cap++) {
        assert_int_equal(drain(&body, cap, out, &n), ADDER_ERR_END);
        assert_int_equal(n, sizeof form_data - 1);
        assert_memory_equal(out, form_data, n);
        assert_int_equal(drain(&body, cap, out, &n), ADDER_ERR_END);
        assert_int_equal(body.source.rewind(body.source.ctx), ADDER_OK);
        assert_int_equal(file.rewinds, cap);
    }
    /* Of unknown length: the same bytes, in chunks. */
    parts[1].body.kind = ADDER_HTTP_BODY_CHUNKED;
    parts[1].body.source.rewind = NULL;
    body = adder_http_multipart_payload(&m);
    assert_int_equal(body.kind, ADDER_HTTP_BODY_CHUNKED);
    assert_null(body.source.rewind);
    assert_int_equal(drain(&body, 100, out, &n), ADDER_ERR_END);
    assert_memory_equal(out, form_data, sizeof form_data - 1);
    /* A file shorter than it was said to be. */
    parts[1].body = (adder_http_payload_t){
        .kind = ADDER_HTTP_BODY_LENGTH, .length = 11, .source = {file_read, file_rewind, &file}};
    body = adder_http_multipart_payload(&m);
    assert_int_equal(body.source.rewind(body.source.ctx), ADDER_OK);
    assert_int_equal(drain(&body, 7, out, &n), ADDER_ERR_STATE);
}

static void multipart_refused(void **state)
{
    (void)state;
    uint32_t seed = 0;
    adder_http_multipart_t m;
    adder_http_header_t bad[] = {{"X", "a\r\nb", false}, {"X Y", "a", false}, {NULL, "a", false}};
    adder_http_part_t p = {.name = "a", .n_headers = 1};
    for (size_t i = 0; i < 3; i++) {
        p.headers = &bad[i];
        assert_int_equal(adder_http_multipart_init(&m, &p, 1, counted, &seed), ADDER_ERR_ARG);
    }
    p = (adder_http_part_t){.name = "a", .content_type = "a\nb"};
    assert_int_equal(adder_http_multipart_init(&m, &p, 1, counted, &seed), ADDER_ERR_ARG);
    p = (adder_http_part_t){0};
    assert_int_equal(adder_http_multipart_init(&m, &p, 1, counted, &seed), ADDER_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form_written), cmocka_unit_test(form_read), cmocka_unit_test(form_values),
        cmocka_unit_test(basic),        cmocka_unit_test(multipart), cmocka_unit_test(multipart_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
