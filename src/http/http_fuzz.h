/* The invariants of adder/http.h that hold for both sides' parsers; the numbers are the header's. */
#ifndef ADDER_SRC_HTTP_FUZZ_H
#define ADDER_SRC_HTTP_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "adder/http.h"

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)

typedef struct {
    uint64_t hash; /* of all events, the body taken together */
    uint64_t body;
    size_t used, head_bytes;
    bool in_body, over;
    adder_err_t err;
    adder_http_why_t why;
    adder_http_head_t head;
} fuzz_run_t;

static void fuzz_hash(fuzz_run_t *r, const void *at, size_t len)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < len; i++)
        r->hash = (r->hash ^ bytes[i]) * 0x100000001b3u;
    r->hash = (r->hash ^ 0x100) * 0x100000001b3u;
}

static void fuzz_inside(adder_http_str_t s, const char *line, size_t cap)
{
    MUST(s.len == 0 || (s.at >= line && s.len <= cap && (size_t)(s.at - line) <= cap - s.len)); /* 2 */
    for (size_t i = 0; i < s.len; i++)
        MUST(s.at[i] != '\r' && s.at[i] != '\n' && s.at[i] != '\0'); /* 5 */
}

static void fuzz_event(fuzz_run_t *r, const adder_http_parser_t *p, const adder_http_event_t *ev,
                       const uint8_t *in, size_t len, const char *line, size_t cap)
{
    bool body = ev->kind == ADDER_HTTP_EV_BODY;
    if (!(body && r->in_body))
        fuzz_hash(r, &ev->kind, sizeof ev->kind);
    r->in_body = body;
    if (body) {
        MUST(ev->body_len > 0 && ev->body >= in && ev->body_len <= len &&
             (size_t)(ev->body - in) <= len - ev->body_len); /* 2 */
        for (size_t i = 0; i < ev->body_len; i++)
            r->hash = (r->hash ^ ev->body[i]) * 0x100000001b3u;
        r->body += ev->body_len;
        MUST(p->head.body != ADDER_HTTP_BODY_NONE);
        MUST(p->head.body != ADDER_HTTP_BODY_LENGTH || r->body <= p->head.length); /* 4 */
    }
    r->over = ev->kind == ADDER_HTTP_EV_END;
    if (body || ev->kind == ADDER_HTTP_EV_END)
        return;
    fuzz_inside(ev->name, line, cap);
    fuzz_inside(ev->value, line, cap);
    fuzz_hash(r, ev->name.at, ev->name.len);
    fuzz_hash(r, ev->value.at, ev->value.len);
    for (size_t i = 0; i < ev->name.len; i++)
        MUST(ev->name.at[i] > ' ' && ev->name.at[i] < 0x7F && ev->name.at[i] != ':'); /* 5 */
    r->head_bytes += ev->name.len + ev->value.len;
    MUST(r->head_bytes <= p->head_max); /* 8 */
}

/* `seed` 0: the input at once; else in pieces. `p` is fresh; the line buffer is an exact allocation. */
static fuzz_run_t fuzz_run(adder_http_parser_t *p, const uint8_t *data, size_t size, uint32_t seed)
{
    fuzz_run_t r;
    memset(&r, 0, sizeof r);
    adder_http_event_t ev;
    while (r.err == ADDER_OK && !r.over) {
        size_t n = size - r.used;
        if (seed != 0) {
            seed = seed * 1664525u + 1013904223u;
            if (n > 1 + (seed >> 28))
                n = 1 + (seed >> 28);
        }
        uint8_t *in = malloc(n > 0 ? n : 1); /* an exact copy: the sanitizer sees a step outside: 1 */
        MUST(in != NULL);
        if (n > 0)
            memcpy(in, data + r.used, n);
        size_t at = 0;
        for (size_t calls = 0;; calls++) {
            MUST(calls <= 2 * n + 4); /* 7 */
            size_t used;
            r.err = adder_http_feed(p, in + at, n - at, &used, &ev);
            if (r.err != ADDER_OK)
                break;
            MUST(used <= n - at);
            at += used;
            if (ev.kind == ADDER_HTTP_EV_MORE)
                break;
            fuzz_event(&r, p, &ev, in, n, p->priv.line, p->priv.cap);
            if (r.over)
                break;
        }
        MUST(r.err != ADDER_OK || r.over || at == n);
        r.used += at;
        free(in);
        if (r.used == size)
            break;
    }
    if (r.err == ADDER_OK && !r.over) {
        r.err = adder_http_eof(p, &ev);
        MUST(r.err != ADDER_OK || ev.kind == ADDER_HTTP_EV_END);
    }
    r.why = p->why;
    r.head = p->head;
    if (r.err != ADDER_OK) { /* 6 */
        size_t used;
        MUST(r.why != ADDER_HTTP_WHY_NONE);
        MUST(adder_http_feed(p, "0\r\n", 3, &used, &ev) == r.err && adder_http_eof(p, &ev) == r.err);
    }
    return r;
}

/* One input at once and in pieces: 3. `mode` is the first byte of the fuzzer's input. */
static void fuzz_both(const uint8_t *data, size_t size, bool request)
{
    if (size < 2)
        return;
    size_t cap = 64 + (data[0] & 0x7F) * 2u;
    bool to_head = (data[0] & 0x80) != 0;
    fuzz_run_t runs[2];
    for (int i = 0; i < 2; i++) {
        char *line = malloc(cap);
        MUST(line != NULL);
        adder_http_parser_t p;
        if (request)
            adder_http_request_init(&p, line, cap);
        else
            adder_http_response_init(&p, line, cap, to_head);
        p.head_max = 1024;
        runs[i] = fuzz_run(&p, data + 2, size - 2, i == 0 ? 0 : data[1] + 1u);
        free(line);
    }
    MUST(runs[0].err == runs[1].err && runs[0].why == runs[1].why);
    MUST(runs[0].hash == runs[1].hash && runs[0].body == runs[1].body);
    MUST(runs[0].err != ADDER_OK || runs[0].used == runs[1].used);
    MUST(runs[0].head.keep_alive == runs[1].head.keep_alive && runs[0].head.length == runs[1].head.length);
    if (runs[0].err == ADDER_OK && runs[0].over && runs[0].head.body == ADDER_HTTP_BODY_LENGTH)
        MUST(runs[0].body == runs[0].head.length); /* 4, the whole of it */
}

#endif
