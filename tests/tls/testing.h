/* For the tests of TLS: certificates made by tests/tls/certs.sh, a pair of pipes that can be slow, cut or
 * broken, and a client and a server on their ends.
 *
 *     bench_t b;
 *     bench_start(&b, "good", ADDER_TLS_CLIENT ...);
 *
 * Host only: files, a shell. Not thread-safe. */
#ifndef TLS_TESTING_H
#define TLS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adder/tls.h"

/* ---- files ---- */

static char bench_folder[64];

static inline int bench_make_files(void **state)
{
    (void)state;
    char command[160];
    snprintf(bench_folder, sizeof bench_folder, "/tmp/adder-tls-XXXXXX");
    if (mkdtemp(bench_folder) == NULL) {
        return -1;
    }
    snprintf(command, sizeof command, "sh tests/tls/certs.sh %s", bench_folder);
    return system(command);
}

static inline int bench_drop_files(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", bench_folder);
    return system(command);
}

typedef struct {
    uint8_t *bytes;
    size_t len;
} bench_file_t;

static inline bench_file_t bench_read(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", bench_folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    bench_file_t f = {malloc(1 << 16), 0};
    assert_non_null(f.bytes);
    f.len = fread(f.bytes, 1, 1 << 16, file);
    fclose(file);
    /* Exactly as long, so that a read past the end is seen by the sanitizer. */
    f.bytes = realloc(f.bytes, f.len);
    return f;
}

/* ---- random numbers that repeat, and a clock ---- */

typedef struct {
    uint64_t x;
    size_t calls, fail_at;
} bench_random_t;

static inline uint32_t bench_next(bench_random_t *r)
{
    r->x ^= r->x << 13;
    r->x ^= r->x >> 7;
    r->x ^= r->x << 17;
    return (uint32_t)(r->x >> 32);
}

static inline adder_err_t bench_random(void *ctx, uint8_t *out, size_t len)
{
    bench_random_t *r = ctx;
    if (++r->calls == r->fail_at) {
        return ADDER_ERR_TIMEOUT;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)bench_next(r);
    }
    return ADDER_OK;
}

static inline int64_t bench_now(void *ctx)
{
    const int64_t *shift_days = ctx;
    return (int64_t)time(NULL) + *shift_days * 86400;
}

/* ---- pipes ---- */

typedef struct {
    uint8_t bytes[1 << 17];
    size_t begin, end;
    size_t total;  /* bytes that went in */
    size_t cut_at; /* only so many come out, then END; SIZE_MAX = all */
    size_t out;    /* bytes that came out */
    bool closed;   /* END once empty */
} bench_pipe_t;

typedef struct {
    bench_pipe_t *in, *out;
    bench_random_t *dice; /* NULL: everything at once */
    size_t calls, fail_at;
    adder_err_t failure;
    bool failed;
} bench_end_t;

static inline bool bench_fails(bench_end_t *e)
{
    e->failed |= e->calls++ == e->fail_at;
    return e->failed;
}

static inline adder_err_t bench_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    bench_end_t *e = ctx;
    bench_pipe_t *p = e->out;
    *n_out = 0;
    if (bench_fails(e)) {
        return e->failure;
    }
    if (e->dice != NULL && bench_next(e->dice) % 3 == 0) {
        return ADDER_ERR_AGAIN;
    }
    if (p->begin == p->end) {
        p->begin = p->end = 0;
    }
    size_t n = sizeof p->bytes - p->end;
    n = n < len ? n : len;
    if (e->dice != NULL) {
        const size_t some = 1 + bench_next(e->dice) % 900;
        n = n < some ? n : some;
    }
    if (n == 0) {
        return len == 0 ? ADDER_OK : ADDER_ERR_AGAIN;
    }
    memcpy(p->bytes + p->end, bytes, n);
    p->end += n;
    p->total += n;
    *n_out = n;
    return ADDER_OK;
}

static inline adder_err_t bench_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    bench_end_t *e = ctx;
    bench_pipe_t *p = e->in;
    *n_out = 0;
    if (bench_fails(e)) {
        return e->failure;
    }
    size_t n = p->end - p->begin;
    n = n < cap ? n : cap;
    n = n < p->cut_at - p->out ? n : p->cut_at - p->out;
    if (n == 0) {
        return cap == 0                                                   ? ADDER_OK
               : p->out == p->cut_at || (p->closed && p->begin == p->end) ? ADDER_ERR_END
                                                                          : ADDER_ERR_AGAIN;
    }
    if (e->dice != NULL) {
        if (bench_next(e->dice) % 3 == 0) {
            return ADDER_ERR_AGAIN;
        }
        const size_t some = 1 + bench_next(e->dice) % 900;
        n = n < some ? n : some;
    }
    memcpy(buf, p->bytes + p->begin, n);
    p->begin += n;
    p->out += n;
    *n_out = n;
    return ADDER_OK;
}

static const adder_stream_ops_t bench_ops = {bench_send, bench_recv};

/* ---- a server's identity that need not hold the key ---- */

/* The client is to look at the certificate before the signature. */
static inline adder_err_t bench_sign_nonsense(void *ctx, adder_hash_kind_t kind, const uint8_t *hash,
                                              size_t hash_len, uint8_t *sig, size_t cap, size_t *n_out)
{
    (void)kind;
    (void)hash;
    (void)hash_len;
    const size_t n = *(const size_t *)ctx;
    assert_true(cap >= n);
    memset(sig, 0x5A, n);
    *n_out = n;
    return ADDER_OK;
}

static const adder_identity_ops_t bench_nonsense_ops = {bench_sign_nonsense};

/* ---- two ends ---- */

typedef struct {
    bench_random_t random;
    int64_t shift_days;
    bench_file_t root, chain, key;
    adder_identity_software_t sw;
    adder_identity_t identity; /* the server's */
    adder_tls_options_t client_options, server_options;
    adder_tls_config_t client_config, server_config;
    adder_tls_t client, server;
    bench_pipe_t up, down; /* client to server, and back */
    bench_end_t client_end, server_end;
    bool configured, running;
} bench_t;

/* Options as usual for a server that presents NAME.pem; to be changed before bench_configure. */
static inline bench_t *bench_new(const char *name)
{
    bench_t *b = calloc(1, sizeof *b);
    assert_non_null(b);
    char file[64];
    b->random.x = 0x9E3779B97F4A7C15u;
    snprintf(file, sizeof file, "%s.pem", name);
    b->chain = bench_read(file);
    snprintf(file, sizeof file, "%s.key", name);
    b->key = bench_read(file);
    b->root = bench_read("root.pem");
    adder_identity_software_options_t o = {b->chain.bytes, b->chain.len, b->key.bytes, b->key.len,
                                           NULL,           bench_random, &b->random};
    static const size_t rsa1024 = 128;
    if (strcmp(name, "rsa1024") == 0) { /* of which we make no identity */
        b->identity = (adder_identity_t){.ops = &bench_nonsense_ops,
                                         .ctx = (void *)(uintptr_t)&rsa1024,
                                         .kind = ADDER_KEY_RSA,
                                         .chain = b->chain.bytes,
                                         .chain_len = b->chain.len};
    } else {
        assert_int_equal(adder_identity_software_init(&b->sw, &b->identity, &o, NULL), ADDER_OK);
    }
    b->client_options = (adder_tls_options_t){
        .random = bench_random, .random_ctx = &b->random, .now_s = bench_now, .now_ctx = &b->shift_days};
    b->server_options = b->client_options;
    b->server_options.role = ADDER_TLS_SERVER;
    b->server_options.identity = &b->identity;
    return b;
}

static inline void bench_configure(bench_t *b)
{
    adder_tls_why_t why = ADDER_TLS_WHY_NONE;
    adder_err_t err = adder_tls_config_init(&b->client_config, &b->client_options, &why);
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(adder_tls_config_init(&b->server_config, &b->server_options, &why), ADDER_OK);
    if (b->root.bytes != NULL) {
        assert_int_equal(
            adder_tls_config_add_ca(&b->client_config, b->root.bytes, b->root.len, NULL, NULL, &why),
            ADDER_OK);
        assert_int_equal(
            adder_tls_config_add_ca(&b->server_config, b->root.bytes, b->root.len, NULL, NULL, &why),
            ADDER_OK);
    }
    b->configured = true;
}

static inline void bench_hang_up(bench_t *b)
{
    adder_tls_deinit(&b->client);
    adder_tls_deinit(&b->server);
    b->running = false;
}

/* A new connection; the ends' knobs are as after bench_new. */
static inline void bench_connect(bench_t *b, const char *host)
{
    if (!b->configured) {
        bench_configure(b);
    }
    if (b->running) {
        bench_hang_up(b);
    }
    memset(&b->up, 0, offsetof(bench_t, configured) - offsetof(bench_t, up));
    b->up.cut_at = b->down.cut_at = SIZE_MAX;
    b->client_end = (bench_end_t){.in = &b->down, .out = &b->up, .fail_at = SIZE_MAX};
    b->server_end = (bench_end_t){.in = &b->up, .out = &b->down, .fail_at = SIZE_MAX};
    const adder_stream_t client = {&bench_ops, &b->client_end}, server = {&bench_ops, &b->server_end};
    assert_int_equal(adder_tls_init(&b->client, &b->client_config, client, host), ADDER_OK);
    assert_int_equal(adder_tls_init(&b->server, &b->server_config, server, NULL), ADDER_OK);
    b->running = true;
}

/* Both ends step until the client is done, one way or the other; and the server too where it can. */
static inline adder_err_t bench_shake(bench_t *b)
{
    adder_err_t client = ADDER_ERR_AGAIN, server = ADDER_ERR_AGAIN;
    unsigned idle = 0;
    for (unsigned i = 0; idle < 50; i++) {
        assert_true(i < 1000000); /* bounded */
        const size_t before = b->up.total + b->down.total + b->up.out + b->down.out;
        if (client == ADDER_ERR_AGAIN) {
            client = adder_tls_handshake(&b->client);
        }
        if (client != ADDER_OK && client != ADDER_ERR_AGAIN && adder_tls_close(&b->client) == ADDER_OK) {
            b->up.closed = true;
        }
        if (server == ADDER_ERR_AGAIN) {
            server = adder_tls_handshake(&b->server);
        }
        if (server != ADDER_OK && server != ADDER_ERR_AGAIN && adder_tls_close(&b->server) == ADDER_OK) {
            b->down.closed = true;
        }
        if (client != ADDER_ERR_AGAIN && server != ADDER_ERR_AGAIN) {
            break;
        }
        const bool moved = before != b->up.total + b->down.total + b->up.out + b->down.out ||
                           adder_tls_wants(&b->client) == 0 || adder_tls_wants(&b->server) == 0;
        idle = moved ? 0 : idle + 1;
    }
    return client;
}

static inline void bench_free(bench_t *b)
{
    bench_hang_up(b);
    adder_tls_config_deinit(&b->client_config);
    adder_tls_config_deinit(&b->server_config);
    adder_identity_software_deinit(&b->sw);
    free(b->root.bytes);
    free(b->chain.bytes);
    free(b->key.bytes);
    free(b);
}

#endif
