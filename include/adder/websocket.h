/* The client's side of a WebSocket (RFC 6455) over any stream and itself a stream of bytes.
 *
 *     adder_websocket_config_t config = {.host = "io.adafruit.com", .path = "/mqtt", .protocol = "mqtt",
 *                                        .random = random_bytes, .buf = buf, .cap = sizeof buf};
 *     adder_websocket_t ws;
 *     err = adder_websocket_init(&ws, &config, below);
 *     while ((err = adder_websocket_handshake(&ws)) == ADDER_ERR_AGAIN) wait_for(below);
 *     adder_stream_t s = adder_websocket_stream(&ws);         // MQTT runs on this
 *
 * What is sent goes out as binary messages, masked, one frame a call and no longer than the buffer takes.
 * What comes in binary frames, in whatever pieces, is one stream of bytes ([MQTT-6.0.0-2]). Pings are
 * answered. A text frame, a masked one, a reserved bit or opcode, a fragment out of order, a length in more
 * bytes than needed ends it: a Close frame with 1002 or 1003 leaves, then all calls give FORMAT. No
 * extensions.
 *
 * Threading: that of the stream below. RAM on 32 bits: 240 bytes and the buffer: 256 or more, and not less
 * than the request for the handshake (180 bytes, path, host, protocol and headers). Lines of the answer may
 * be longer. Stack 400 for the handshake, then 100.
 *
 * Invariants (fuzzed): 1. nothing outside of the buffers is written; 2. payload comes out unchanged and in
 * order however the input is cut; 3. an error stays; 4. what leaves is well-formed and masked. */
#ifndef ADDER_WEBSOCKET_H
#define ADDER_WEBSOCKET_H

#include "adder/stream.h"

/* Fill with random bytes that others cannot guess (RFC 6455 section 10.3). */
typedef adder_err_t (*adder_websocket_random_fn)(void *ctx, uint8_t *buf, size_t len);

/* Texts are the caller's, valid until the handshake is done. */
typedef struct {
    const char *host;     /* for the Host header, with ":port" where it is not the scheme's own */
    const char *path;     /* "/mqtt", with its query; NULL = "/" */
    const char *protocol; /* asked for, and the server must agree; NULL = none */
    const char *headers;  /* whole lines, each with CR LF at its end; or NULL */
    adder_websocket_random_fn random;
    void *random_ctx;
    uint8_t *buf; /* borrowed until the end */
    size_t cap;   /* 256..65535 */
} adder_websocket_config_t;

typedef struct {
    uint16_t status; /* of the answer to the handshake, 0 = none yet */
    uint16_t code;   /* of the Close frame that came; 0 = none, 1005 = it had none */
    struct {
        adder_websocket_config_t c;
        adder_stream_t below;
        uint64_t left;              /* of the frame under way */
        uint16_t out_at, out_len;   /* what waits to leave, in the buffer */
        uint16_t rest_at, rest_len; /* what came behind the handshake, at the buffer's begin */
        uint16_t head_bytes;        /* of the answer to the handshake */
        char accept[28];            /* what the server must answer */
        uint8_t head[10];           /* of a frame, as far as it came */
        uint8_t control[125];       /* of a control frame, as far as it came */
        uint8_t ctl_at, ctl_len;    /* a control frame that waits, at the buffer's end */
        uint8_t head_len, state, seen, err;
        bool message; /* a fragmented one is under way */
        bool skipping;
    } priv;
} adder_websocket_t;

/* Nothing is sent yet. ADDER_ERR_ARG: a CR or LF where it may not be, no host, no random source, cap;
 * ADDER_ERR_NOSPACE: the request does not fit; else the random source's cause. */
adder_err_t adder_websocket_init(adder_websocket_t *ws, const adder_websocket_config_t *c,
                                 adder_stream_t below) ADDER_MUST_USE;

/* ADDER_ERR_AGAIN until the server has agreed.
 *   ADDER_ERR_REFUSED   `status` is not 101
 *   ADDER_ERR_FORMAT    not an answer as RFC 6455 section 4.1 wants it
 *   ADDER_ERR_CLOSED    the stream ended
 *   else                the cause of the stream below */
adder_err_t adder_websocket_handshake(adder_websocket_t *ws) ADDER_MUST_USE;

/* As adder/stream.h has it; before the handshake is done it is made. What send() took may still wait for the
 * stream below: any later call moves it on.
 *   ADDER_ERR_END      a Close frame came (`code`), and its answer is on its way
 *   ADDER_ERR_CLOSED   the stream below ended without one */
adder_stream_t adder_websocket_stream(adder_websocket_t *ws);
/* True: something that was taken waits for the stream below to take more. */
bool adder_websocket_pending(const adder_websocket_t *ws);

/* Say goodbye (Close 1000) behind what waits; AGAIN until it is out. Then close the stream below; what comes
 * in between may be received or not. */
adder_err_t adder_websocket_close(adder_websocket_t *ws) ADDER_MUST_USE;

#endif
