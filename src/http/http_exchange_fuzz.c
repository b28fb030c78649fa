/* A server that says anything: invariants 1 to 5 of adder/http_exchange.h. The first bytes choose the sizes,
 * the pieces and the request. */
#include <stdlib.h>
#include <string.h>

#include "adder/http_exchange.h"
#include "src/http/test_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)
#define BODY 150

typedef struct {
    uint64_t hash,
        lines; /* of the body; of head and trailers, which may be seen before the body's last piece */
    adder_err_t err;
    adder_http_why_t why;
    bool keep, received;
    size_t rest;
} run_t;

static void hash(uint64_t *h, const void *at, size_t len)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < len; i++)
        *h = (*h ^ bytes[i]) * 0x100000001b3u;
}

static adder_err_t on_head(void *ctx, const adder_http_head_t *head, const adder_http_event_t *ev)
{
    run_t *r = ctx;
    hash(&r->lines, &head->status, sizeof head->status);
    hash(&r->lines, ev->name.at, ev->name.len);
    hash(&r->lines, ev->value.at, ev->value.len);
    return ADDER_OK;
}

static adder_err_t source(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    size_t *at = ctx, n = BODY - *at;
    if (n == 0)
        return ADDER_ERR_END;
    *n_out = n < cap ? n : cap;
    memset(buf, 'b', *n_out);
    *at += *n_out;
    return ADDER_OK;
}

static void *exact(size_t n)
{
    void *p = malloc(n);
    MUST(p != NULL);
    return p;
}

typedef struct {
    size_t in_cap, line_cap, read_cap;
    bool head, body, chunked;
} shape_t;

static run_t run(test_peer_t *p, const shape_t *s)
{
    static char bytes[BODY];
    run_t r;
    adder_url_t url;
    adder_http_writer_t w;
    size_t n, at = 0;
    memset(&r, 0, sizeof r);
    memset(bytes, 'b', sizeof bytes);
    char *out = exact(128), *line = exact(s->line_cap);
    uint8_t *in = exact(s->in_cap), *buf = exact(s->read_cap);
    adder_http_payload_t body = adder_http_payload_bytes(bytes, BODY);
    if (s->chunked)
        body = (adder_http_payload_t){.kind = ADDER_HTTP_BODY_CHUNKED, .source = {source, NULL, &at}};
    const char *method = s->head ? "HEAD" : s->body ? "PUT" : "GET";
    MUST(adder_url_parse("http://a/", 9, &url, NULL) == ADDER_OK);
    adder_http_write_request(&w, out, 128, method, &url);
    MUST(adder_http_write_head_end(&w, s->body ? body.kind : ADDER_HTTP_BODY_NONE, body.length, &n) ==
         ADDER_OK);
    adder_http_exchange_config_t c = {.out = out,
                                      .out_cap = 128,
                                      .in = in,
                                      .in_cap = s->in_cap,
                                      .line = line,
                                      .line_cap = s->line_cap,
                                      .on_head = on_head,
                                      .ctx = &r};
    adder_http_exchange_t x;
    adder_http_exchange_start(&x, &c, test_peer_stream(p), &w, n, method, s->body ? &body : NULL);
    uint64_t got = 0;
    size_t calls;
    do {
        calls = p->calls;
        r.err = adder_http_exchange_step(&x);
        MUST(p->calls - calls <= 49); /* 5 */
    } while (r.err == ADDER_ERR_AGAIN);
    while (r.err == ADDER_OK || r.err == ADDER_ERR_AGAIN) {
        calls = p->calls;
        r.err = adder_http_exchange_read(&x, buf, s->read_cap, &n);
        MUST(p->calls - calls <= 49 && n <= s->read_cap && (r.err == ADDER_OK) == (n > 0));
        hash(&r.hash, buf, n);
        got += n;
        MUST(x.head->body != ADDER_HTTP_BODY_LENGTH || got <= x.head->length);
        MUST(x.head->body != ADDER_HTTP_BODY_NONE || got == 0);
    }
    calls = p->calls;
    unsigned dead = p->dead_calls;
    MUST(adder_http_exchange_read(&x, buf, s->read_cap, &n) == r.err && n == 0); /* 3 */
    adder_err_t again = adder_http_exchange_step(&x);
    MUST(again == r.err || (again == ADDER_OK && r.err == ADDER_ERR_END));
    MUST(p->calls == calls && p->dead_calls == dead && dead <= 1); /* a failed send's reason is looked for */
    r.keep = adder_http_exchange_keep(&x);
    r.received = x.received;
    r.why = x.why;
    (void)adder_http_exchange_rest(&x, &r.rest);
    MUST(!r.keep || (r.err == ADDER_ERR_END && x.complete && x.head->keep_alive && r.rest == 0)); /* 4 */
    MUST(r.err != ADDER_ERR_END || x.head->body != ADDER_HTTP_BODY_LENGTH || got == x.head->length);
    MUST(r.received == (p->gave > 0));
    free(out);
    free(line);
    free(in);
    free(buf);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t took[2048];
    if (size < 4 || size > 4096)
        return 0;
    shape_t s = {.in_cap = 32 + data[0] % 64u,
                 .line_cap = 64 + data[1] % 64u * 4,
                 .read_cap = 1 + data[2] % 96u,
                 .head = data[3] % 8 == 0,
                 .body = data[3] % 8 == 1,
                 .chunked = data[0] % 2 == 1};
    test_peer_t p = test_peer(data + 4, size - 4, took, sizeof took);
    run_t a = run(&p, &s);
    size_t asked = p.took_len;
    p = test_peer(data + 4, size - 4, took, sizeof took);
    p.chunk = 1 + data[3] / 8 % 16u;
    p.again = data[3] / 128u;
    s.in_cap = 32 + (s.in_cap * 7) % 61; /* other sizes: the same body */
    s.read_cap = 1 + (s.read_cap * 11) % 89;
    run_t b = run(&p, &s);
    MUST(a.hash == b.hash && a.lines == b.lines && a.err == b.err && a.why == b.why); /* 2 */
    /* What comes behind may or may not have been received; and who refuses what has not been asked to its end
     * is not asked on. */
    if (!s.body && a.rest == 0 && b.rest == 0 && p.took_len == asked)
        MUST(a.keep == b.keep);
    /* Every call may be the last. */
    p = test_peer(data + 4, size - 4, took, sizeof took);
    p.chunk = 16;
    p.fail_at = data[1] % 32u;
    run_t c = run(&p, &s);
    MUST(!p.dead || c.err != ADDER_OK);
    return 0;
}
