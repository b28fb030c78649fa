/* The transports of adder/mqtt_transport.h. */
#include <string.h>

#include "adder/mqtt_transport.h"

/* ---- a connection ---- */

static adder_err_t conn_open(void *ctx, uint32_t now_ms)
{
    adder_mqtt_conn_t *t = ctx;
    return adder_conn_start(t->conn, &t->config, t->host, strlen(t->host), t->port, now_ms);
}

static adder_err_t conn_tick(void *ctx, uint32_t now_ms, uint32_t *wait_ms_out)
{
    adder_mqtt_conn_t *t = ctx;
    return adder_conn_tick(t->conn, now_ms, wait_ms_out);
}

static adder_stream_t conn_stream(void *ctx)
{
    adder_mqtt_conn_t *t = ctx;
    return adder_conn_stream(t->conn);
}

static void conn_close(void *ctx, bool abort)
{
    adder_mqtt_conn_t *t = ctx;
    adder_conn_close(t->conn, abort);
}

adder_mqtt_transport_t adder_mqtt_over_conn(adder_mqtt_conn_t *t)
{
    static const adder_mqtt_transport_ops_t ops = {conn_open, conn_tick, conn_stream, conn_close};
    return (adder_mqtt_transport_t){&ops, t};
}

/* ---- a WebSocket on a transport ---- */

enum { HANDSHAKE_MS = 10000, HANDSHAKE_WAIT_MS = 100 }; /* in all; for an owner whom no news wakes */

static adder_err_t ws_open(void *ctx, uint32_t now_ms)
{
    adder_mqtt_websocket_t *t = ctx;
    t->priv.begun = false;
    return t->below.ops->open(t->below.ctx, now_ms);
}

static adder_err_t ws_tick(void *ctx, uint32_t now_ms, uint32_t *wait_ms_out)
{
    adder_mqtt_websocket_t *t = ctx;
    adder_err_t err = ADDER_OK;
    if (!t->priv.begun) {
        err = t->below.ops->tick(t->below.ctx, now_ms, wait_ms_out);
        if (err == ADDER_OK) {
            err = adder_websocket_init(&t->priv.ws, &t->config, t->below.ops->stream(t->below.ctx));
            t->priv.begun = err == ADDER_OK;
            t->priv.since_ms = now_ms;
        }
    }
    if (err == ADDER_OK) {
        *wait_ms_out = HANDSHAKE_WAIT_MS;
        err = adder_websocket_handshake(&t->priv.ws);
        if (err == ADDER_ERR_AGAIN && now_ms - t->priv.since_ms >= HANDSHAKE_MS) {
            err = ADDER_ERR_TIMEOUT;
        }
    }
    return err;
}

static adder_stream_t ws_stream(void *ctx)
{
    adder_mqtt_websocket_t *t = ctx;
    return adder_websocket_stream(&t->priv.ws);
}

static void ws_close(void *ctx, bool abort)
{
    adder_mqtt_websocket_t *t = ctx;
    if (t->priv.begun && !abort) {
        ADDER_IGNORE(adder_websocket_close(&t->priv.ws), "what cannot leave at once is not waited for");
    }
    t->priv.begun = false;
    t->below.ops->close(t->below.ctx, abort);
}

adder_mqtt_transport_t adder_mqtt_over_websocket(adder_mqtt_websocket_t *t)
{
    static const adder_mqtt_transport_ops_t ops = {ws_open, ws_tick, ws_stream, ws_close};
    return (adder_mqtt_transport_t){&ops, t};
}
