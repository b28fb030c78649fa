/* Shared by the files of the WebSocket. */
#ifndef WEBSOCKET_INT_H
#define WEBSOCKET_INT_H

#include "adder/websocket.h"

enum { CONTROL_MAX = 2 + 4 + 125 }; /* a masked control frame, at the end of the buffer */

typedef enum { WS_REQUEST, WS_ANSWER, WS_HEAD, WS_PAYLOAD, WS_CONTROL, WS_CLOSED } websocket_state_t;

/* handshake.c */
adder_err_t websocket_request(adder_websocket_t *ws);
adder_err_t websocket_answer(adder_websocket_t *ws);

/* What waits leaves, as far as it goes: ADDER_OK = all of it. */
adder_err_t websocket_flush(adder_websocket_t *ws);
adder_err_t websocket_stop(adder_websocket_t *ws, adder_err_t err);

/* sha1.c: RFC 6455 needs it, and nothing is kept secret by it. */
void websocket_sha1(const void *bytes, size_t len, uint8_t out[20]);
/* Base64 of `len` bytes, with padding; not terminated. */
void websocket_base64(const uint8_t *bytes, size_t len, char *out);

#endif
