/* The client with a hostile broker, a failing stream, a store and power cuts. Invariants:
 *   1. memory: of buffers of exactly their size (the sanitizer's);
 *   2. the queue never holds more than its items, and what is in it lies in the arena, in order;
 *   3. after each tick the client waits for something, or is STOPPED or FAILED;
 *   4. a restart with the same store succeeds, and finds no more messages than were queued;
 *   5. a subscription is asked for once at most between two connections.
 *
 * First byte: bit 0 version, bit 1 queue QoS 0, bits 2-3 policy, bit 4 CONNACK is given on each connection.
 * Then operations of one byte, the first with its length and bytes. */
#include <stdlib.h>

#include "adder/mqtt_client.h"
#include "src/base/test_flash.h"
#include "src/websocket/test_pipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

enum { ITEMS = 4, ARENA = 64, RX = 80, TX = 72, SLOTS = 3, IDS = 2, SUBS = 2 };

typedef struct {
    test_pipe_t pipe;
    test_flash_t flash;
    adder_store_log_t log;
    adder_mqtt_client_t c;
    adder_mqtt_client_config_t config;
    adder_mqtt_sub_t subs[SUBS];
    bool willing;
    uint32_t now;
} bench_t;

static adder_err_t pipe_open(void *ctx, uint32_t now_ms)
{
    bench_t *b = ctx;
    (void)now_ms;
    b->pipe.in_at = b->pipe.in_len = b->pipe.out_len = 0;
    b->pipe.failed = b->pipe.ended = false;
    if (b->willing)
        check(test_pipe_give(&b->pipe, b->config.connect.version == 5 ? "\x20\3\0\0\0" : "\x20\2\0\0",
                             b->config.connect.version == 5 ? 5 : 4));
    return ADDER_OK;
}

static adder_err_t pipe_tick(void *ctx, uint32_t now_ms, uint32_t *wait_ms_out)
{
    (void)ctx;
    (void)now_ms;
    *wait_ms_out = 1;
    return ADDER_OK;
}

static adder_stream_t pipe_stream(void *ctx)
{
    return test_pipe_stream(&((bench_t *)ctx)->pipe);
}

static void pipe_close(void *ctx, bool abort)
{
    (void)ctx;
    (void)abort;
}

static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    check(adder_mqtt_is_topic(piece->topic));
    (void)ctx;
    return piece->len % 5 == 4 ? ADDER_ERR_FORMAT : ADDER_OK;
}

static void check_queue(const bench_t *b)
{
    size_t used = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        const adder_mqtt_item_t *item = &b->config.items[i];
        const uint8_t *at = (const uint8_t *)item->msg.topic.at;
        if (item->len > 0)
            check(at >= b->config.arena && item->len <= (size_t)(b->config.arena + ARENA - at));
        used += item->len;
    }
    check(used <= ARENA && adder_mqtt_client_queued(&b->c) <= ITEMS);
}

static void tick(bench_t *b)
{
    adder_mqtt_client_wants_t w;
    adder_mqtt_client_tick(&b->c, b->now, &w);
    check(w.in || w.out || w.wait_ms != UINT32_MAX || b->c.state == ADDER_MQTT_CLIENT_STOPPED ||
          b->c.state == ADDER_MQTT_CLIENT_FAILED || b->c.mqtt.priv.rx_len == RX);
    b->pipe.out_len = 0;
    check_queue(b);
}

static void boot(bench_t *b)
{
    check(adder_store_log_open(&b->log, &b->flash.flash) == ADDER_OK);
    b->config.store = adder_store_log(&b->log);
    check(adder_mqtt_client_init(&b->c, &b->config) == ADDER_OK);
    for (unsigned i = 0; i < SUBS; i++) {
        b->subs[i] =
            (adder_mqtt_sub_t){.route = {.filter = {i == 0 ? "a/#" : "b", i == 0 ? 3 : 1}}, .qos = 1};
        check(adder_mqtt_client_subscribe(&b->c, &b->subs[i]) == ADDER_OK);
    }
    check(adder_mqtt_client_start(&b->c, b->now) == ADDER_OK);
}

static void act(bench_t *b, uint8_t op)
{
    const adder_mqtt_msg_t msg = {.topic = {"abcdefgh", 1u + (op >> 4 & 7)},
                                  .payload = (const uint8_t *)"0123456789",
                                  .payload_len = op >> 3 & 7,
                                  .qos = (uint8_t)((op >> 2) % 3)};
    switch (op & 7) {
    case 1:
    case 2:
        ADDER_IGNORE(adder_mqtt_client_publish(&b->c, &msg, NULL), "any of its results may be");
        break;
    case 3:
        b->now += (uint32_t)(op >> 3) * 1000;
        break;
    case 4:
        b->pipe.failed = (op & 8) != 0;
        b->pipe.ended = true;
        break;
    case 5:
        b->pipe.out_room = (op & 8) != 0 ? 3 : 0;
        b->pipe.chunk = op >> 4;
        break;
    case 6:
        b->flash.cut_at = b->flash.ops + (op >> 3);
        break;
    case 7:
        if ((op & 8) != 0) {
            const size_t queued = adder_mqtt_client_queued(&b->c);
            b->flash.off = false;
            b->flash.cut_at = SIZE_MAX;
            boot(b);
            check(adder_mqtt_client_queued(&b->c) <= queued + 1);
        } else {
            adder_mqtt_client_stop(&b->c, b->now);
            tick(b);
            ADDER_IGNORE(adder_mqtt_client_start(&b->c, b->now), "it may still be stopping");
        }
        break;
    default:
        break;
    }
    tick(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const adder_mqtt_transport_ops_t ops = {pipe_open, pipe_tick, pipe_stream, pipe_close};
    static bench_t bench;
    bench_t *b = &bench;
    if (size < 1)
        return 0;
    memset(b, 0, sizeof *b);
    test_flash_init(&b->flash, 1024, 256, 4);
    b->willing = (data[0] & 16) != 0;
    b->config = (adder_mqtt_client_config_t){
        .transport = {&ops, b},
        .connect = {.client_id = {"f", 1}, .version = (data[0] & 1) != 0 ? 5 : 4, .keep_alive_s = 30},
        .engine = {.rx = malloc(RX),
                   .tx = malloc(TX),
                   .rx_cap = RX,
                   .tx_cap = TX,
                   .slots = malloc(SLOTS * sizeof(adder_mqtt_slot_t)),
                   .ids = malloc(IDS * sizeof(uint16_t)),
                   .n_slots = SLOTS,
                   .n_ids = IDS},
        .items = malloc(ITEMS * sizeof(adder_mqtt_item_t)),
        .n_items = ITEMS,
        .arena = malloc(ARENA),
        .arena_len = ARENA,
        .policy = (adder_mqtt_queue_policy_t)((data[0] >> 2 & 3) % 3),
        .queue_qos0 = (data[0] & 2) != 0,
        .message = on_message};
    boot(b);
    tick(b);
    for (data++, size--; size > 0;) {
        const uint8_t op = *data++;
        size--;
        if ((op & 7) == 0 && size > 0) {
            size_t n = op >> 3;
            n = n < size ? n : size;
            if (!test_pipe_give(&b->pipe, data, n))
                break;
            data += n;
            size -= n;
        }
        act(b, op);
    }
    free(b->config.engine.rx);
    free(b->config.engine.tx);
    free(b->config.engine.slots);
    free(b->config.engine.ids);
    free(b->config.items);
    free(b->config.arena);
    return 0;
}
