/* A server of exact packets for the engine's tests: what it gives is a list of bytes, what it gets has to be
 * one. Nothing is forgiven. To be included behind cmocka's header. */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <stdio.h>
#include <string.h>

#include "mqtt_int.h"

enum { RX = 128, TX = 128, SLOTS = 4, IDS = 3, ALIASES = 2, ALIAS_SIZE = 18, EVENTS = 16 };

typedef struct {
    adder_mqtt_t m;
    adder_mqtt_config_t c;
    adder_mqtt_connect_t o;
    adder_mqtt_slot_t slots[SLOTS];
    uint16_t ids[IDS];
    uint8_t rx[RX + 8], tx[TX + 8], aliases[ALIASES * ALIAS_SIZE]; /* 8 bytes that nobody may touch */
    uint32_t now;
    size_t chunk; /* bytes given at once; 0 = as they fit */
    /* what the callbacks were told */
    adder_mqtt_event_t events[EVENTS];
    size_t n_events;
    uint8_t codes[8];
    char topic[64];
    char payload[1024];
    size_t payload_len, n_messages, n_pieces;
    adder_mqtt_piece_t piece;
    adder_err_t message_result, event_result;
    bool disconnects; /* from the message callback */
} server_t;

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define GIVES(s, ...) give(s, BYTES(__VA_ARGS__))
#define GETS(s, ...) get(s, BYTES(__VA_ARGS__), __LINE__)

__attribute__((unused)) static const adder_mqtt_props_t no_props = {NULL, 0};

__attribute__((unused)) static adder_mqtt_str_t str(const char *text)
{
    return (adder_mqtt_str_t){text, strlen(text)};
}

static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    server_t *s = ctx;
    if (s->message_result == ADDER_ERR_AGAIN) {
        return ADDER_ERR_AGAIN;
    }
    s->piece = *piece;
    s->n_pieces++;
    assert_true(adder_mqtt_is_topic(piece->topic) && piece->topic.len < sizeof s->topic);
    memcpy(s->topic, piece->topic.at, piece->topic.len);
    s->topic[piece->topic.len] = 0;
    if (piece->offset == 0) {
        s->payload_len = 0;
    }
    assert_int_equal(s->payload_len, piece->offset);
    assert_true(piece->offset + piece->len <= piece->total && piece->total < sizeof s->payload);
    if (piece->len > 0) {
        memcpy(s->payload + piece->offset, piece->payload, piece->len);
    }
    s->payload_len += piece->len;
    s->payload[s->payload_len] = 0;
    s->n_messages += s->payload_len == piece->total;
    if (s->disconnects) {
        assert_int_equal(adder_mqtt_disconnect(&s->m, 0, no_props), ADDER_OK);
    }
    return s->message_result;
}

static adder_err_t on_event(void *ctx, const adder_mqtt_event_t *e)
{
    server_t *s = ctx;
    assert_true(s->n_events < EVENTS);
    assert_true(e->n_codes <= sizeof s->codes);
    if (e->n_codes > 0) {
        memcpy(s->codes, e->codes, e->n_codes);
    }
    s->events[s->n_events++] = *e;
    return s->event_result;
}

__attribute__((unused)) static void set_up(server_t *s, uint8_t version)
{
    memset(s, 0, sizeof *s);
    memset(s->rx + RX, 0xa5, 8);
    memset(s->tx + TX, 0xa5, 8);
    s->now = 0xffffff00; /* the clock wraps during the tests */
    s->c = (adder_mqtt_config_t){.message = on_message,
                                 .event = on_event,
                                 .ctx = s,
                                 .rx = s->rx,
                                 .tx = s->tx,
                                 .rx_cap = RX,
                                 .tx_cap = TX,
                                 .slots = s->slots,
                                 .ids = s->ids,
                                 .n_slots = SLOTS,
                                 .n_ids = IDS,
                                 .aliases = s->aliases,
                                 .n_aliases = ALIASES,
                                 .alias_size = ALIAS_SIZE};
    s->o =
        (adder_mqtt_connect_t){.client_id = str("me"), .keep_alive_s = 60, .version = version, .clean = true};
    assert_int_equal(adder_mqtt_init(&s->m, &s->c), ADDER_OK);
}

__attribute__((unused)) static adder_err_t tick(server_t *s)
{
    const adder_err_t err = adder_mqtt_tick(&s->m, s->now);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(s->rx[RX + i], 0xa5);
        assert_int_equal(s->tx[TX + i], 0xa5);
    }
    return err;
}

/* Bytes for the engine, with a tick after each chunk. What it does not take any more is dropped. */
__attribute__((unused)) static adder_err_t give(server_t *s, const uint8_t *bytes, size_t len)
{
    adder_err_t err = ADDER_OK;
    while (len > 0) {
        uint8_t *buf;
        size_t cap;
        if (!adder_mqtt_in(&s->m, &buf, &cap)) {
            break;
        }
        size_t n = len < cap ? len : cap;
        n = s->chunk != 0 && n > s->chunk ? s->chunk : n;
        memcpy(buf, bytes, n);
        adder_mqtt_in_done(&s->m, n);
        bytes += n;
        len -= n;
        err = tick(s);
    }
    return err;
}

/* All that leaves now, in `out`; its length. */
__attribute__((unused)) static size_t drain(server_t *s, uint8_t *out, size_t cap, size_t chunk)
{
    const uint8_t *bytes;
    size_t len, n = 0;
    while (adder_mqtt_out(&s->m, &bytes, &len)) {
        assert_true(len > 0);
        len = chunk != 0 && len > chunk ? chunk : len;
        assert_true(len <= cap - n);
        memcpy(out + n, bytes, len);
        n += len;
        adder_mqtt_out_done(&s->m, len);
    }
    return n;
}

__attribute__((unused)) static void get(server_t *s, const uint8_t *bytes, size_t len, int line)
{
    uint8_t out[2048];
    const size_t n = drain(s, out, sizeof out, 0);
    if (n != len || memcmp(out, bytes, len) != 0) {
        print_error("line %d: got", line);
        for (size_t i = 0; i < n; i++) {
            print_error(" %02x", out[i]);
        }
        print_error("\n");
        assert_true(false);
    }
}

__attribute__((unused)) static void gets_nothing(server_t *s)
{
    uint8_t out[2048];
    assert_int_equal(drain(s, out, sizeof out, 0), 0);
}

__attribute__((unused)) static adder_mqtt_event_t last_event(server_t *s)
{
    assert_true(s->n_events > 0);
    return s->events[s->n_events - 1];
}

__attribute__((unused)) static void connects(server_t *s)
{
    uint8_t out[2048];
    assert_int_equal(adder_mqtt_connect(&s->m, &s->o, s->now), ADDER_OK);
    assert_true(drain(s, out, sizeof out, 0) > 10);
}

/* Connected, with nothing to do. */
__attribute__((unused)) static void is_on(server_t *s)
{
    connects(s);
    assert_int_equal(s->o.version == 5 ? GIVES(s, 0x20, 3, 0, 0, 0) : GIVES(s, 0x20, 2, 0, 0), ADDER_OK);
    assert_int_equal(last_event(s).kind, ADDER_MQTT_CONNECTED);
}

#endif
