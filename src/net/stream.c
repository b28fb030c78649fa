/* A socket of a stack as a stream. */
#include "adder/stream.h"

static adder_err_t net_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    const adder_net_stream_t *s = ctx;
    return s->net->ops->send(s->net->ctx, s->sock, NULL, bytes, len, n_out);
}

static adder_err_t net_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    const adder_net_stream_t *s = ctx;
    return s->net->ops->recv(s->net->ctx, s->sock, buf, cap, n_out, NULL);
}

static const adder_stream_ops_t net_stream_ops = {net_send, net_recv};

adder_stream_t adder_net_stream(adder_net_stream_t *s)
{
    return (adder_stream_t){&net_stream_ops, s};
}
