/* Any text as a URL and as a reference: invariants 9 to 11 of adder/http.h. Input: base LF reference. */
#include <stdlib.h>
#include <string.h>

#include "adder/http.h"

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *copy(const void *at, size_t len)
{
    char *text = malloc(len > 0 ? len : 1); /* exact: the sanitizer sees a read past the end */
    MUST(text != NULL);
    if (len > 0)
        memcpy(text, at, len);
    return text;
}

static void inside(adder_http_str_t s, const char *text, size_t len)
{
    MUST(s.at >= text && s.len <= len && (size_t)(s.at - text) <= len - s.len); /* 9 */
    for (size_t i = 0; i < s.len; i++)
        MUST(s.at[i] > ' ' && s.at[i] < 0x7F && s.at[i] != '#'); /* 10 */
}

static void check(const adder_url_t *u, const char *text, size_t len)
{
    inside(u->scheme, text, len);
    inside(u->host, text, len);
    inside(u->target, text, len);
    MUST(u->host.len >= 1 && u->host.len <= 253 && u->port > 0);
    MUST(u->target.len == 0 || u->target.at[0] == '/' || u->target.at[0] == '?');
    for (size_t i = 0; i < u->host.len; i++)
        MUST(strchr("/?@[]\\", u->host.at[i]) == NULL);
}

static void no_dots(adder_http_str_t target) /* 11 */
{
    size_t from = 0;
    for (size_t i = 0; i <= target.len; i++) {
        char c = i < target.len ? target.at[i] : '?';
        if (c != '/' && c != '?')
            continue;
        MUST(!(i - from == 1 && target.at[from] == '.'));
        MUST(!(i - from == 2 && target.at[from] == '.' && target.at[from + 1] == '.'));
        from = i + 1;
        if (c == '?')
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *lf = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t base_len = lf != NULL ? (size_t)(lf - data) : size;
    size_t ref_len = lf != NULL ? size - base_len - 1 : 0;
    char *text = copy(data, base_len), *ref = copy(data + (lf != NULL ? base_len + 1 : 0), ref_len);
    adder_url_t base, u, again;
    adder_http_why_t why;
    adder_err_t err = adder_url_parse(text, base_len, &base, &why);
    MUST((err == ADDER_OK) == (why == ADDER_HTTP_WHY_NONE));
    if (err == ADDER_OK) {
        check(&base, text, base_len);
        size_t cap = 21 + base.host.len + base.target.len + ref_len;
        char *buf = malloc(cap), *buf2 = malloc(cap);
        MUST(buf != NULL && buf2 != NULL);
        err = adder_url_resolve(&base, ref, ref_len, buf, cap, &u, &why);
        MUST(err != ADDER_ERR_NOSPACE && (err == ADDER_OK) == (why == ADDER_HTTP_WHY_NONE));
        size_t len = strlen(buf);
        MUST(len < cap);
        if (err == ADDER_OK) {
            check(&u, buf, len);
            no_dots(u.target);
            MUST(adder_url_parse(buf, len, &again, NULL) == ADDER_OK && adder_url_same_origin(&u, &again));
            MUST(again.target.at == u.target.at && again.target.len == u.target.len);
            /* Resolved once more it is the same. */
            MUST(adder_url_resolve(&base, buf, len, buf2, cap, &again, NULL) == ADDER_OK);
            MUST(strcmp(buf, buf2) == 0);
            MUST(len == 0 || adder_url_resolve(&base, ref, ref_len, buf2, len, &u, NULL) != ADDER_OK);
        }
        free(buf);
        free(buf2);
    }
    free(text);
    free(ref);
    return 0;
}
