/* What adder/mqtt_client.h connects through: a network with or without TLS, and a WebSocket on top.
 *
 *     adder_mqtt_conn_t plain = {.conn = &conn, .config = {.net = &net, .security = ADDER_CONN_TLS, .tls =
 * &tls}, .host = "io.adafruit.com", .port = 8883}; config.transport = adder_mqtt_over_conn(&plain);
 *
 *     adder_mqtt_websocket_t ws = {.below = adder_mqtt_over_conn(&plain), .config = {...}};
 *     config.transport = adder_mqtt_over_websocket(&ws);
 *
 * ALPN is an option of the TLS layer (adder_tls_options_t.alpn): "x-amzn-mqtt-ca" brings MQTT through port
 * 443. A WebSocket's `protocol` shall be "mqtt" [MQTT-6.0.0-3].
 *
 * Structs are the caller's, stay in place and are borrowed. Threading: one thread with the client. */
#ifndef ADDER_MQTT_TRANSPORT_H
#define ADDER_MQTT_TRANSPORT_H

#include "adder/conn.h"
#include "adder/mqtt_client.h"
#include "adder/websocket.h"

typedef struct {
    adder_conn_t *conn; /* zeroed */
    adder_conn_config_t config;
    const char *host;
    uint16_t port;
} adder_mqtt_conn_t;

adder_mqtt_transport_t adder_mqtt_over_conn(adder_mqtt_conn_t *t);

/* The handshake has 10 s. */
typedef struct {
    adder_mqtt_transport_t below;
    adder_websocket_config_t config;
    struct {
        adder_websocket_t ws;
        uint32_t since_ms;
        bool begun; /* the stream below is there */
    } priv;
} adder_mqtt_websocket_t;

adder_mqtt_transport_t adder_mqtt_over_websocket(adder_mqtt_websocket_t *t);

#endif
