/* A stream in memory for tests: bytes to give, bytes taken; pieces of any size, AGAIN at will, call n
 * failing. */
#ifndef TEST_PIPE_H
#define TEST_PIPE_H

#include <string.h>

#include "adder/stream.h"

enum { TEST_PIPE_MAX = 4096 };

typedef struct {
    uint8_t in[TEST_PIPE_MAX], out[TEST_PIPE_MAX]; /* for the engine, from the engine */
    size_t in_at, in_len, out_len;
    size_t chunk;    /* bytes moved at most a call; 0 = all */
    size_t out_room; /* send says AGAIN beyond; 0 = no bound */
    bool ended;      /* END behind `in` */
    bool sleepy;     /* every other call is AGAIN */
    size_t calls, sends;
    size_t fail_at; /* call number, from 1, that fails for good; 0 = none */
    bool failed;
} test_pipe_t;

static inline adder_err_t test_pipe_call(test_pipe_t *p)
{
    p->calls++;
    p->failed = p->failed || p->calls == p->fail_at;
    return p->failed ? ADDER_ERR_CLOSED : p->sleepy && p->calls % 2 == 0 ? ADDER_ERR_AGAIN : ADDER_OK;
}

static inline adder_err_t test_pipe_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    test_pipe_t *p = ctx;
    *n_out = 0;
    if (len == 0) {
        return p->failed ? ADDER_ERR_CLOSED : ADDER_OK;
    }
    adder_err_t err = test_pipe_call(p);
    size_t n = p->chunk != 0 && p->chunk < len ? p->chunk : len;
    const size_t room = (p->out_room != 0 ? p->out_room : TEST_PIPE_MAX) - p->out_len;
    n = n < room ? n : room;
    if (err == ADDER_OK && n == 0) {
        err = ADDER_ERR_AGAIN;
    }
    if (err != ADDER_OK) {
        return err;
    }
    memcpy(p->out + p->out_len, bytes, n);
    p->out_len += n;
    p->sends++;
    *n_out = n;
    return ADDER_OK;
}

static inline adder_err_t test_pipe_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    test_pipe_t *p = ctx;
    *n_out = 0;
    if (cap == 0) {
        return ADDER_OK;
    }
    const adder_err_t err = test_pipe_call(p);
    if (err != ADDER_OK) {
        return err;
    }
    size_t n = p->in_len - p->in_at;
    n = n < cap ? n : cap;
    n = p->chunk != 0 && p->chunk < n ? p->chunk : n;
    if (n == 0) {
        return p->ended ? ADDER_ERR_END : ADDER_ERR_AGAIN;
    }
    memcpy(buf, p->in + p->in_at, n);
    p->in_at += n;
    if (p->in_at == p->in_len) {
        p->in_at = p->in_len = 0;
    }
    *n_out = n;
    return ADDER_OK;
}

/* False: there is no room. */
static inline bool test_pipe_give(test_pipe_t *p, const void *bytes, size_t len)
{
    if (len > sizeof p->in - p->in_len) {
        return false;
    }
    memcpy(p->in + p->in_len, bytes, len);
    p->in_len += len;
    return true;
}

static inline adder_stream_t test_pipe_stream(test_pipe_t *p)
{
    static const adder_stream_ops_t ops = {test_pipe_send, test_pipe_recv};
    return (adder_stream_t){&ops, p};
}

#endif
