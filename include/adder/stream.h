/* A stream of bytes both ways, whatever is below it: a socket, a TLS session, an object of a program, a
 * script of a test. What HTTP, MQTT and TLS stand on.
 *
 *     adder_net_stream_t plain = {&net, sock};
 *     adder_stream_t s = adder_net_stream(&plain);
 *     err = s.ops->send(s.ctx, request, len, &n);
 *
 * Results are those of adder/net.h: AGAIN (not now, nothing was moved), END (the other side has closed in
 * order and all is read), CLOSED (gone), others the cause; an error stays. Neither call blocks. Buffers are
 * the caller's and are not kept after the call; what AGAIN refused may be offered again in other pieces.
 * Threading: that of what is below. RAM: 2 pointers. */
#ifndef ADDER_STREAM_H
#define ADDER_STREAM_H

#include "adder/net.h"

typedef struct {
    /* Take 1..len bytes, *n_out says how many (0 on an error); len 0 takes none and is OK, or moves on what
     * the layer has kept (a TLS record half sent). */
    adder_err_t (*send)(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out);
    /* 1..cap bytes. cap 0: OK and none. */
    adder_err_t (*recv)(void *ctx, uint8_t *buf, size_t cap, size_t *n_out);
} adder_stream_ops_t;

typedef struct {
    const adder_stream_ops_t *ops;
    void *ctx;
} adder_stream_t;

/* A connected TCP or TLS socket of a stack. Borrowed by the stream made of it. */
typedef struct {
    const adder_net_t *net;
    uint16_t sock;
} adder_net_stream_t;

adder_stream_t adder_net_stream(adder_net_stream_t *s);

#endif
