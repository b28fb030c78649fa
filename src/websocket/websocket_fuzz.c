/* Any answer and any frames: the invariants of adder/websocket.h.
 *
 * First byte: bit 0 the handshake succeeds at first, bits 1-3 bytes a call below (0 = all), bits 4-7 room to
 * receive. */
#include <stdlib.h>

#include "src/websocket/test_pipe.h"
#include "src/websocket/websocket_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

static adder_err_t fill(void *ctx, uint8_t *buf, size_t len)
{
    (void)ctx;
    memcpy(buf, len == 16 ? "the sample nonce" : "\1\2\3\4", len);
    return ADDER_OK;
}

static const char answer[] = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/* What left after the request: whole frames, masked, with a Close at most as the last (4). */
static void check_frames(const uint8_t *p, size_t len)
{
    bool closed = false;
    while (len >= 2) {
        check(!closed && (p[0] & 0x70) == 0 && (p[1] & 0x80) != 0);
        check(p[0] == 0x82 || p[0] == 0x88 || p[0] == 0x8a);
        closed = p[0] == 0x88;
        const size_t n = 6u + (p[1] & 127);
        check((p[1] & 127) < 126);
        if (n > len)
            return;
        p += n;
        len -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { CAP = 300 };
    static test_pipe_t pipe;
    if (size < 1 || size > 2000)
        return 0;
    memset(&pipe, 0, sizeof pipe);
    pipe.chunk = data[0] >> 1 & 7;
    const size_t cap = 1u + (data[0] >> 4) * 5u;
    uint8_t *buf = malloc(CAP), *in = malloc(cap);
    adder_websocket_t ws;
    const adder_websocket_config_t c = {.host = "h", .random = fill, .buf = buf, .cap = CAP};
    check(adder_websocket_init(&ws, &c, test_pipe_stream(&pipe)) == ADDER_OK);
    if ((data[0] & 1) != 0)
        check(test_pipe_give(&pipe, answer, sizeof answer - 1));
    check(test_pipe_give(&pipe, data + 1, size - 1));
    const adder_stream_t s = adder_websocket_stream(&ws);
    adder_err_t first = ADDER_OK;
    size_t request = 0, n;
    for (unsigned i = 0; i < 6000; i++) {
        const adder_err_t err = s.ops->recv(s.ctx, in, cap, &n);
        check(n <= cap && (err == ADDER_OK) == (n > 0));
        check(first == ADDER_OK || err == first); /* 3 */
        first = err != ADDER_OK && err != ADDER_ERR_AGAIN ? err : first;
        if (request == 0 && ws.priv.state >= WS_HEAD && pipe.out_len > 0) {
            for (size_t k = 3; k < pipe.out_len && request == 0; k++)
                request = memcmp(pipe.out + k - 3, "\r\n\r\n", 4) == 0 ? k + 1 : 0;
        }
        if (err == ADDER_OK && i % 8 == 0 && pipe.out_len < 3000)
            ADDER_IGNORE(s.ops->send(s.ctx, (const uint8_t *)"hello", 5, &n), "may wait, may be over");
        if (err == ADDER_ERR_AGAIN && pipe.in_at == pipe.in_len)
            break;
        if (first != ADDER_OK && i > 40)
            break;
    }
    if (request > 0)
        check_frames(pipe.out + request, pipe.out_len - request);
    free(buf);
    free(in);
    return 0;
}
