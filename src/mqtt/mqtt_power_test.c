/* The client with its store on a flash whose power is cut at every program and erase, at every packet, and
 * both at random, again and again: no QoS 1 or 2 message is lost, and none of QoS 2 comes twice, neither at
 * the broker nor in what the application has kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adder/mqtt_client.h"
#include "src/base/test_flash.h"
#include "src/mqtt/test_strict_broker.h"
#include "src/websocket/test_pipe.h"

enum { ITEMS = 6, SLOTS = 4, IDS = 4, NUMBERS = 24, KIND = 3, APP = 0x0a000000 };

/* What is done to the device, and where. SIZE_MAX = nowhere. */
typedef struct {
    uint8_t version;
    uint16_t unit;
    uint32_t size;
    uint8_t numbers; /* messages each way */
    size_t cut_at;   /* operation of the flash */
    bool fails;      /* the operation fails, and power stays */
    size_t packet;   /* packet, of both directions, behind which the connection is lost */
    bool in_air;     /* what was on its way then still arrives */
    size_t then;     /* and power is cut so many operations later; 0 = with it, at no write */
    bool flood;      /* 3.1.1: more on their way to the device than it has ids for */
    bool forgets;    /* the broker has lost the session when the connection was lost */
    uint32_t seed;   /* all of it at random, time and again */
} plan_t;

typedef struct {
    size_t cuts, losses, packets, ops;
    size_t full; /* connections that ended for want of ids */
} outcome_t;

typedef struct {
    /* what outlives the device */
    const plan_t *plan;
    outcome_t outcome;
    test_flash_t flash;
    strict_broker_t broker;
    uint8_t routed[NUMBERS], accepted[NUMBERS]; /* at the broker; publish() was OK */
    uint8_t last_new;
    uint8_t next, posted;
    unsigned disorder;
    uint32_t now, seed;
    size_t lose_in; /* packets until the connection goes */
    bool dead;
    /* the device */
    test_pipe_t pipe;
    adder_store_log_t log;
    adder_mqtt_client_t c;
    adder_mqtt_client_config_t config;
    adder_mqtt_item_t items[ITEMS];
    uint8_t arena[96], rx[96], tx[96];
    adder_mqtt_slot_t slots[SLOTS];
    uint16_t ids[IDS];
    adder_mqtt_sub_t sub;
    uint8_t counts[NUMBERS]; /* of messages by number: what the application keeps */
    adder_store_change_t keep;
} device_t;

static device_t d; /* one at a time, and too large for a small stack */

static uint32_t draw(void)
{
    d.seed = d.seed * 1664525u + 1013904223u;
    return d.seed >> 8;
}

static uint8_t qos_of(unsigned number)
{
    return (uint8_t)(1 + number % 2);
}

/* ---- the broker's side ---- */

static void on_routed(void *ctx, const strict_message_t *m)
{
    (void)ctx;
    const uint8_t number = m->payload[0];
    if (m->topic[0] != 'u') {
        return;
    }
    assert_true(m->len == 1 && number < NUMBERS && m->qos == qos_of(number));
    d.disorder += d.routed[number] == 0 && number < d.last_new;
    d.last_new = number;
    d.routed[number]++;
}

static void post(uint8_t number)
{
    const strict_message_t m = {.qos = qos_of(number), .topic = "down", .len = 1, .payload = {number}};
    assert_true(strict_route(&d.broker, &m));
}

static void lose_connection(bool in_air)
{
    d.outcome.losses++;
    if (in_air) {
        d.pipe.ended = true;
    } else {
        d.pipe.failed = true;
        d.pipe.in_at = d.pipe.in_len = 0;
    }
    d.broker.conns[0].open = false;
    d.broker.conns[0].session = NULL;
    if (d.plan->forgets) {
        memset(&d.broker.kept.sessions[0], 0, sizeof d.broker.kept.sessions[0]);
    }
}

/* A packet has gone by. True: it was the last one. */
static bool was_last(void)
{
    d.outcome.packets++;
    if (d.lose_in == SIZE_MAX || d.lose_in-- > 0) {
        return false;
    }
    d.lose_in = d.plan->seed != 0 ? draw() % 60 : SIZE_MAX;
    const bool in_air = d.plan->seed != 0 ? draw() % 2 == 0 : d.plan->in_air;
    const size_t then = d.plan->seed != 0 ? draw() % 40 : d.plan->then;
    lose_connection(in_air);
    if (then == 0) {
        d.dead = true;
    } else if (then != SIZE_MAX) {
        d.flash.cut_at = d.flash.ops + then - 1;
    }
    return true;
}

static size_t packet_len(const uint8_t *p, size_t len)
{
    assert_true(len < 2 || p[1] < 128); /* the test's are short */
    return len >= 2 && len >= 2u + p[1] ? 2u + p[1] : 0;
}

/* Both ways, packet by packet, as long as there are any. */
static void exchange(void)
{
    strict_conn_t *conn = &d.broker.conns[0];
    size_t n, at = 0;
    while (conn->open && (n = packet_len(d.pipe.out + at, d.pipe.out_len - at)) > 0) {
        strict_take(&d.broker, 0, d.pipe.out + at, n);
        at += n;
        if (was_last()) {
            break;
        }
    }
    memmove(d.pipe.out, d.pipe.out + at, d.pipe.out_len - at);
    d.pipe.out_len -= at;
    if (conn->open) {
        strict_take(&d.broker, 0, NULL, 0);
    }
    for (at = 0; conn->open && at < conn->out_len; at += n) {
        n = packet_len(conn->out + at, conn->out_len - at);
        assert_true(test_pipe_give(&d.pipe, conn->out + at, n));
        if (was_last()) {
            break;
        }
    }
    conn->out_len = 0;
}

static adder_err_t pipe_open(void *ctx, uint32_t now_ms)
{
    (void)ctx;
    (void)now_ms;
    memset(&d.pipe, 0, sizeof d.pipe);
    strict_accept(&d.broker, 0);
    return ADDER_OK;
}

static adder_err_t pipe_tick(void *ctx, uint32_t now_ms, uint32_t *wait_ms_out)
{
    (void)ctx;
    (void)now_ms;
    *wait_ms_out = 0;
    return ADDER_OK;
}

static adder_stream_t pipe_stream(void *ctx)
{
    (void)ctx;
    return test_pipe_stream(&d.pipe);
}

static void pipe_close(void *ctx, bool abort)
{
    (void)ctx;
    (void)abort;
    d.broker.conns[0].open = false;
    d.broker.conns[0].session = NULL;
}

/* ---- the device's program ---- */

/* Count it, in one write with its id. */
static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    (void)ctx;
    const uint8_t number = piece->payload[0];
    assert_true(piece->len == 1 && number < NUMBERS && piece->qos == qos_of(number));
    const adder_store_t *s = &d.config.store;
    size_t len;
    const adder_err_t err = s->ops->read(s->ctx, APP, 0, d.counts, sizeof d.counts, &len);
    if (err == ADDER_ERR_NOT_FOUND) {
        memset(d.counts, 0, sizeof d.counts);
    }
    d.counts[number]++;
    d.keep = (adder_store_change_t){.key = APP, .bytes = d.counts, .len = d.plan->numbers};
    assert_int_equal(adder_mqtt_client_keep(&d.c, &d.keep, 1), ADDER_OK);
    return ADDER_OK;
}

static void boot(void)
{
    static const adder_mqtt_transport_ops_t ops = {pipe_open, pipe_tick, pipe_stream, pipe_close};
    d.dead = d.flash.off = false;
    memset(d.items, 0xa5, sizeof d.items); /* what RAM holds after a power cut */
    memset(d.slots, 0xa5, sizeof d.slots);
    memset(d.ids, 0xa5, sizeof d.ids);
    memset(d.arena, 0xa5, sizeof d.arena);
    memset(&d.log, 0xa5, sizeof d.log);
    assert_int_equal(adder_store_log_open(&d.log, &d.flash.flash), ADDER_OK);
    d.config = (adder_mqtt_client_config_t){
        .transport = {&ops, NULL},
        .connect = {.client_id = {"me", 2},
                    .keep_alive_s = 60,
                    .version = d.plan->version,
                    .session_expiry_s = 900},
        .engine = {.rx = d.rx,
                   .tx = d.tx,
                   .rx_cap = sizeof d.rx,
                   .tx_cap = sizeof d.tx,
                   .slots = d.slots,
                   .ids = d.ids,
                   .n_slots = SLOTS,
                   .n_ids = IDS},
        .items = d.items,
        .n_items = ITEMS,
        .arena = d.arena,
        .arena_len = sizeof d.arena,
        .store = adder_store_log(&d.log),
        .store_kind = KIND,
        .message = on_message,
    };
    assert_int_equal(adder_mqtt_client_init(&d.c, &d.config), ADDER_OK);
    assert_int_equal(adder_mqtt_client_start(&d.c, d.now), ADDER_OK);
    d.sub = (adder_mqtt_sub_t){.route = {.filter = {"down", 4}}, .qos = 2};
    assert_int_equal(adder_mqtt_client_subscribe(&d.c, &d.sub), ADDER_OK);
    if (d.plan->seed != 0 && d.next < d.plan->numbers) {
        d.flash.cut_at = d.flash.ops + draw() % (4000u / d.plan->unit + 40u);
    }
}

static void publish_next(void)
{
    const adder_mqtt_msg_t msg = {
        .topic = {"up", 2}, .payload = &d.next, .payload_len = 1, .qos = qos_of(d.next)};
    const adder_err_t err = adder_mqtt_client_publish(&d.c, &msg, NULL);
    assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN || err == ADDER_ERR_IO);
    d.accepted[d.next] = err == ADDER_OK;
    d.next = (uint8_t)(d.next + (err != ADDER_ERR_AGAIN));
}

static bool is_idle(void)
{
    return d.next == d.plan->numbers && d.posted == d.plan->numbers && d.broker.kept.sessions[0].n == 0 &&
           adder_mqtt_client_queued(&d.c) == 0 && d.c.mqtt.priv.n_ids == 0;
}

static void live(void)
{
    boot();
    for (unsigned i = 0; i < 5000 && !is_idle(); i++) {
        adder_mqtt_client_wants_t w;
        if (d.next < d.plan->numbers) {
            publish_next();
        }
        const unsigned bound = d.plan->flood ? 3 * IDS : IDS;
        while (d.posted < d.plan->numbers && d.broker.kept.sessions[0].filters[0][0] != 0 &&
               d.broker.kept.sessions[0].n < bound) {
            post(d.posted++);
        }
        adder_mqtt_client_tick(&d.c, d.now, &w);
        if (!d.dead) {
            exchange();
        }
        if (d.dead || d.flash.off) {
            d.outcome.cuts++;
            if (d.broker.conns[0].open) {
                lose_connection(false);
            }
            d.flash.cut_at = SIZE_MAX;
            boot();
        }
        d.outcome.full += d.c.state == ADDER_MQTT_CLIENT_PAUSE && d.c.cause == ADDER_ERR_NOMEM;
        d.now += d.c.state == ADDER_MQTT_CLIENT_PAUSE && w.wait_ms != UINT32_MAX ? w.wait_ms : 1;
    }
}

static void check(void)
{
    const strict_session_t *session = &d.broker.kept.sessions[0];
    const adder_store_t *s = &d.config.store;
    uint8_t kept[NUMBERS] = {0};
    size_t len;
    assert_string_equal(d.broker.kept.why, "");
    assert_false(d.flash.broke_rules);
    assert_true(is_idle());
    assert_int_equal(s->ops->read(s->ctx, APP, 0, kept, sizeof kept, &len), ADDER_OK);
    unsigned again = 0;
    for (unsigned i = 0; i < d.plan->numbers; i++) {
        const bool once = qos_of(i) == 2;
        again += once && d.routed[i] > 1;
        assert_true(!d.accepted[i] || d.routed[i] >= 1);                      /* out: not lost */
        assert_true(d.plan->forgets || (once ? kept[i] == 1 : kept[i] >= 1)); /* in, and not twice */
    }
    assert_true(again <= (d.plan->forgets ? SLOTS - 1 : 0)); /* what was in flight at most */
    assert_int_equal(d.disorder, 0);
    for (unsigned i = 0; i < STRICT_HELD; i++) {
        assert_int_equal(session->held[i], 0);
    }
    uint32_t cursor = 0, key;
    while (s->ops->next(s->ctx, &cursor, &key, &len) == ADDER_OK) {
        assert_int_equal(key, APP); /* nothing of the client's is left behind */
    }
}

static outcome_t run(const plan_t *plan)
{
    memset(&d, 0, sizeof d);
    d.plan = plan;
    d.now = 0xfffff000;
    d.broker.routed = on_routed;
    d.seed = plan->seed;
    d.lose_in = plan->seed != 0 ? draw() % 60 : plan->packet;
    test_flash_init(&d.flash, plan->size, plan->size / 8, plan->unit);
    d.flash.cut_at = plan->cut_at;
    d.flash.fails = plan->fails;
    d.flash.seed = (uint32_t)plan->cut_at * 31u + plan->seed;
    live();
    check();
    d.outcome.ops = d.flash.ops;
    return d.outcome;
}

/* ---- the tests ---- */

static const struct {
    uint16_t unit;
    uint32_t size; /* so small that it is copied often */
    size_t cuts;   /* there are more */
} shapes[] = {{1, 640, 1500}, {4, 640, 400}, {64, 2048, 80}};

static void power_is_cut_at_every_write(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        plan_t plan = {.version = i % 2 == 0 ? 4 : 5,
                       .unit = shapes[i / 4].unit,
                       .size = shapes[i / 4].size,
                       .numbers = 16,
                       .fails = i / 2 % 2 == 1,
                       .packet = SIZE_MAX};
        size_t cuts = 0;
        while (run(&plan).ops > plan.cut_at) {
            cuts += d.outcome.cuts;
            plan.cut_at++;
        }
        assert_true((plan.fails ? plan.cut_at : cuts) > shapes[i / 4].cuts);
    }
}

static void connection_is_lost_at_every_packet_and_power_cut_behind(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        static const size_t then[] = {SIZE_MAX, 0, 1, 2, 3};
        plan_t plan = {.version = i % 2 == 0 ? 4 : 5,
                       .unit = 64,
                       .size = 2048,
                       .numbers = 8,
                       .cut_at = SIZE_MAX,
                       .in_air = i / 2 % 2 == 1,
                       .then = then[i / 4]};
        outcome_t o;
        size_t cuts = 0;
        while ((o = run(&plan)).losses > 0) {
            cuts += o.cuts;
            plan.packet++;
        }
        assert_true(plan.packet > 50);
        assert_true(plan.then == SIZE_MAX ? cuts == 0 : cuts > 40);
    }
}

/* [MQTT-3.2.2-5] What the server has not taken before it forgot us is published anew: at least once. */
static void a_session_that_the_server_loses_costs_no_message(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        for (unsigned in_air = 0; in_air < 2; in_air++) {
            plan_t plan = {.version = version,
                           .unit = 4,
                           .size = 2048,
                           .numbers = 8,
                           .cut_at = SIZE_MAX,
                           .then = SIZE_MAX,
                           .in_air = in_air == 1,
                           .forgets = true};
            while (run(&plan).losses > 0) {
                plan.packet++;
            }
            assert_true(plan.packet > 50);
        }
    }
}

static void power_and_connection_go_at_random_again_and_again(void **state)
{
    (void)state;
    size_t cuts = 0, losses = 0, full = 0;
    for (uint32_t seed = 1; seed <= 600; seed++) {
        const unsigned shape = seed % 3;
        const plan_t plan = {.version = seed / 3 % 2 == 0 ? 4 : 5,
                             .unit = shapes[shape].unit,
                             .size = shapes[shape].size,
                             .numbers = NUMBERS,
                             .cut_at = SIZE_MAX,
                             .packet = SIZE_MAX,
                             .flood = seed % 2 == 0,
                             .seed = seed};
        const outcome_t o = run(&plan);
        full += o.full;
        cuts += o.cuts;
        losses += o.losses;
    }
    assert_true(cuts > 2000 && losses > 2000 && full > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_is_cut_at_every_write),
        cmocka_unit_test(connection_is_lost_at_every_packet_and_power_cut_behind),
        cmocka_unit_test(a_session_that_the_server_loses_costs_no_message),
        cmocka_unit_test(power_and_connection_go_at_random_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
