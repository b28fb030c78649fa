/* The other end of a stream, for tests and fuzzing: gives bytes, takes bytes, in pieces, with AGAINs,
 * failing. */
#ifndef ADDER_SRC_HTTP_TEST_PEER_H
#define ADDER_SRC_HTTP_TEST_PEER_H

#include <string.h>

#include "adder/stream.h"

typedef struct {
    const void *give;
    size_t give_len;
    size_t behind;       /* it gives nothing before it has taken so much */
    adder_err_t after;   /* what recv says when all is given */
    size_t take_max;     /* so much is taken, then... */
    adder_err_t full;    /* ...this is what send says */
    size_t chunk;        /* bytes a call moves at most; 0 = all */
    unsigned again;      /* so many AGAIN before each call that gets on */
    size_t fail_at;      /* call number that fails, SIZE_MAX = none */
    adder_err_t failure; /* with this, and from then on */
    uint8_t *took;
    size_t took_cap, took_len, gave, calls;
    unsigned sends, recvs; /* calls that moved bytes */
    unsigned agains[2];
    bool dead;           /* failed */
    unsigned dead_calls; /* calls after that */
} test_peer_t;

static inline adder_err_t test_peer_enter(test_peer_t *p, unsigned way)
{
    if (p->dead) {
        p->dead_calls++;
        return p->failure;
    }
    if (p->calls++ == p->fail_at) {
        p->dead = p->failure != ADDER_ERR_AGAIN;
        return p->failure;
    }
    if (p->agains[way]++ < p->again)
        return ADDER_ERR_AGAIN;
    p->agains[way] = 0;
    return ADDER_OK;
}

static inline size_t test_peer_piece(const test_peer_t *p, size_t n, size_t room)
{
    if (n > room)
        n = room;
    return p->chunk > 0 && n > p->chunk ? p->chunk : n;
}

static inline adder_err_t test_peer_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    test_peer_t *p = ctx;
    *n_out = 0;
    adder_err_t err = test_peer_enter(p, 0);
    if (err != ADDER_OK)
        return err;
    if (len == 0)
        return ADDER_OK;
    size_t max = p->take_max < p->took_cap ? p->take_max : p->took_cap;
    if (p->took_len >= max)
        return p->full;
    size_t n = test_peer_piece(p, len, max - p->took_len);
    memcpy(p->took + p->took_len, bytes, n);
    p->took_len += n;
    p->sends++;
    *n_out = n;
    return ADDER_OK;
}

static inline adder_err_t test_peer_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    test_peer_t *p = ctx;
    *n_out = 0;
    adder_err_t err = test_peer_enter(p, 1);
    if (err != ADDER_OK)
        return err;
    if (p->took_len < p->behind)
        return ADDER_ERR_AGAIN;
    if (cap == 0)
        return ADDER_OK;
    if (p->gave == p->give_len)
        return p->after;
    size_t n = test_peer_piece(p, p->give_len - p->gave, cap);
    memcpy(buf, (const uint8_t *)p->give + p->gave, n);
    p->gave += n;
    p->recvs++;
    *n_out = n;
    return ADDER_OK;
}

static inline test_peer_t test_peer(const void *give, size_t give_len, void *took, size_t took_cap)
{
    return (test_peer_t){.give = give,
                         .give_len = give_len,
                         .after = ADDER_ERR_END,
                         .take_max = SIZE_MAX,
                         .full = ADDER_ERR_AGAIN,
                         .fail_at = SIZE_MAX,
                         .failure = ADDER_ERR_IO,
                         .took = took,
                         .took_cap = took_cap};
}

static inline adder_stream_t test_peer_stream(test_peer_t *p)
{
    static const adder_stream_ops_t ops = {test_peer_send, test_peer_recv};
    return (adder_stream_t){&ops, p};
}

#endif
