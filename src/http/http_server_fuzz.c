/* A client that says anything: invariants 1 to 6 of adder/http_server.h. */
#include <stdlib.h>
#include <string.h>

#include "adder/http_server.h"
#include "src/http/test_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)
#define BODY_MAX 300
#define OUT 65536

typedef struct {
    unsigned stage; /* 0: none, 1: REQUEST seen, 2: END seen */
    uint64_t body;
    unsigned busy;
    size_t source;
    unsigned requests, dones;
} watch_t;

static adder_err_t source(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    watch_t *w = ctx;
    size_t n = 100 - w->source;
    if (n == 0)
        return ADDER_ERR_END;
    *n_out = n < cap ? n : cap;
    memset(buf, 's', *n_out);
    w->source += *n_out;
    return ADDER_OK;
}

static adder_err_t handler(void *ctx, adder_http_call_t *call, adder_http_serve_t what, const uint8_t *bytes,
                           size_t len)
{
    watch_t *w = ctx;
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < len; i++) /* 1: it is all there */
        sum = (uint8_t)(sum + bytes[i]);
    char kind = call->param[0] != NULL ? call->param[0][0] : '\0';
    switch (what) {
    case ADDER_HTTP_SERVE_REQUEST: /* 3 */
        MUST(w->stage == 0 && call->user == NULL && strlen(call->method) > 0 && call->path[0] != '\0');
        MUST(adder_http_call_header(call, "Host").len < 1024);
        w->stage = 1;
        w->body = 0;
        w->source = 0;
        w->requests++;
        if (kind == 'e')
            return adder_http_call_reply(call, 200, "text/plain", "early", 5);
        return kind == 'f' ? ADDER_ERR_IO : ADDER_OK;
    case ADDER_HTTP_SERVE_BODY:
        MUST(w->stage == 1 && len > 0);
        if (kind == 'b' && w->busy++ % 2 == 0)
            return ADDER_ERR_AGAIN;
        w->body += len;
        MUST(w->body <= BODY_MAX); /* 4 */
        return ADDER_OK;
    case ADDER_HTTP_SERVE_END:
        MUST(w->stage == 1);
        MUST(call->head->body != ADDER_HTTP_BODY_LENGTH || w->body == call->head->length);
        w->stage = 2;
        if (kind == 'c') {
            adder_http_payload_t b = {.kind = ADDER_HTTP_BODY_CHUNKED, .source = {source, NULL, w}};
            return adder_http_call_answer(call, 200, NULL, NULL, 0, &b);
        }
        return adder_http_call_reply(call, 200, "text/plain", "whole", 5);
    default:
        MUST(w->stage != 0);
        w->stage = 0;
        w->dones++;
        return ADDER_OK;
    }
}

/* Everything that the client is told, without the 100s, which depend on what has come already. */
static size_t serve(const uint8_t *data, size_t size, size_t call_bytes, size_t chunk, unsigned again,
                    size_t fail_at, uint8_t *told)
{
    watch_t w;
    memset(&w, 0, sizeof w);
    const adder_http_route_t routes[] = {{"GET", "/<what>", handler, &w}, {"POST", "/<what>", handler, &w}};
    test_net_t t = {.peer = test_peer(data, size, told, OUT)};
    adder_net_t net = test_net(&t);
    adder_http_server_t server;
    adder_http_call_t call;
    uint32_t wait;
    uint8_t *memory = malloc(call_bytes); /* exact: 1 */
    MUST(memory != NULL);
    adder_http_server_config_t config = {.net = &net,
                                         .routes = routes,
                                         .n_routes = 2,
                                         .calls = &call,
                                         .n_calls = 1,
                                         .memory = memory,
                                         .call_bytes = call_bytes,
                                         .body_max = BODY_MAX};
    t.peer.chunk = chunk;
    t.peer.again = again;
    t.peer.fail_at = fail_at;
    MUST(adder_http_server_start(&server, &config) == ADDER_OK);
    for (unsigned ticks = 0; !t.accepted || t.connected; ticks++) {
        MUST(ticks < 100000);
        MUST(adder_http_server_tick(&server, 0, &wait) == ADDER_OK);
    }
    MUST(w.stage == 0 && w.requests == w.dones);
    adder_http_server_stop(&server);
    MUST(!t.connected && !t.listening); /* 6 */
    free(memory);
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t n = 0;
    for (size_t at = 0; at < t.peer.took_len;) { /* the last one may be cut, if the client went meanwhile */
        size_t left = t.peer.took_len - at, len = left < sizeof go_on - 1 ? left : sizeof go_on - 1;
        if (memcmp(told + at, go_on, len) == 0)
            at += len;
        else
            told[n++] = told[at++];
    }
    return n;
}

static bool holds(const uint8_t *data, size_t size, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(data + i, text, n) == 0)
            return true;
    }
    return false;
}

/* 2: one well-formed answer after another. */
static void check_answers(const uint8_t *told, size_t len)
{
    char line[256];
    while (len > 0) {
        adder_http_parser_t p;
        adder_http_event_t ev;
        size_t used;
        adder_http_response_init(&p, line, sizeof line, false);
        do {
            adder_err_t err = adder_http_feed(&p, told, len, &used, &ev);
            MUST(err == ADDER_OK);
            told += used;
            len -= used;
            if (ev.kind == ADDER_HTTP_EV_MORE) {
                MUST(len == 0 && adder_http_eof(&p, &ev) == ADDER_OK);
            }
        } while (ev.kind != ADDER_HTTP_EV_END);
        MUST(p.head.keep_alive || len == 0);
    }
}

/* How long the chunks of an answer are depends on what else waited to be sent just then, such as a 100: one
 * long chunk is made of them. They hold nothing but the source's 's'. */
static size_t join_chunks(uint8_t *told, size_t len)
{
    size_t n = 0;
    for (size_t at = 0, end; at < len; at = end) {
        size_t digits = 0, data = 0;
        for (end = at; end < len && told[end] != '\n'; end++) {
            digits += holds((const uint8_t *)"123456789abcdef0", 16, (char[]){(char)told[end], '\0'});
            data += told[end] == 's';
        }
        end += end < len;
        size_t line = end - at >= 2 && told[end - 2] == '\r' ? end - at - 2 : 0;
        if (line > 0 && line < 3 && digits == line && told[at] != '0')
            continue;
        size_t keep = line > 0 && data == line ? line : end - at;
        memmove(told + n, told + at, keep);
        n += keep;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t one[OUT], other[OUT];
    if (size < 3 || size > 3000)
        return 0;
    size_t bytes = 512 + data[0] % 16u * 64;
    size_t n = serve(data + 3, size - 3, bytes, 0, 0, SIZE_MAX, one);
    size_t m = serve(data + 3, size - 3, bytes, 1 + data[1] % 32u, data[1] / 128u, SIZE_MAX, other);
    if (!holds(data, size, "HEAD"))
        check_answers(one, n);
    n = join_chunks(one, n);
    m = join_chunks(other, m);
    MUST(n == m && memcmp(one, other, n) == 0); /* 5 */
    (void)serve(data + 3, size - 3, bytes, 1 + data[1] % 32u, 0, data[2], other);
    return 0;
}
