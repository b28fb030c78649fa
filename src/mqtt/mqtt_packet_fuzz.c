/* Any bytes from a server: the invariants of adder/mqtt.h.
 *
 * First byte: bit 0 version 5.0, bit 1 the connection stands at first, bit 2 an authentication method, bits
 * 3-4 what is under way (nothing, QoS 1, QoS 2, SUBSCRIBE), bit 5 a bound of packets, bit 6 the taker says
 * AGAIN now and then. Then steps: a length in 6 bits and what to do before in 2: nothing, lost and connect
 * again, publish once more, time passes. */
#include <stdlib.h>
#include <string.h>

#include "adder/mqtt.h"
#include "adder/mqtt_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

enum { RX = 96, TX = 80, SLOTS = 3, IDS = 2, MSGS = 4 };

typedef struct {
    adder_mqtt_t m;
    adder_mqtt_config_t c;
    adder_mqtt_connect_t o;
    adder_mqtt_slot_t *slots;
    uint16_t *ids;
    adder_mqtt_msg_t msgs[MSGS];
    bool under_way[MSGS];
    uint32_t done_at; /* bytes of the message under way */
    bool held[65536]; /* QoS 2 ids between their PUBLISH and PUBREL */
    bool shy, over;
    unsigned offers;
} bench_t;

static void check_props(adder_mqtt_props_t props) /* 6 */
{
    size_t at = 0;
    uint64_t seen = 0;
    adder_mqtt_prop_t p;
    while (adder_mqtt_prop_next(props, &at, &p)) {
        check(p.id < 64);
        check((seen >> p.id & 1) == 0 || p.id == ADDER_MQTT_PROP_USER ||
              p.id == ADDER_MQTT_PROP_SUBSCRIPTION_ID);
        seen |= 1ull << p.id;
    }
    check(at == props.len);
}

static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    bench_t *b = ctx;
    check(!b->over);                                                   /* 5 */
    check(piece->topic.len >= 1 && adder_mqtt_is_topic(piece->topic)); /* 2 */
    check(piece->offset == b->done_at && piece->len <= piece->total - piece->offset);
    check(piece->qos < 3 && (piece->qos == 0) == (piece->id == 0));
    if (b->m.priv.version == 5)
        check_props(piece->props);
    volatile uint8_t sum = 0; /* the bytes are there */
    for (uint32_t i = 0; i < piece->len; i++)
        sum = (uint8_t)(sum + piece->payload[i]);
    if (b->shy && ++b->offers % 3 == 0)
        return ADDER_ERR_AGAIN;
    b->done_at += piece->len;
    if (b->done_at == piece->total) {
        b->done_at = 0;
        if (piece->qos == 2) {
            check(!b->held[piece->id]); /* 3 */
            b->held[piece->id] = true;
        }
    }
    return ADDER_OK;
}

static adder_err_t on_event(void *ctx, const adder_mqtt_event_t *e)
{
    bench_t *b = ctx;
    check(!b->over);
    if (b->m.priv.version == 5)
        check_props(e->props);
    if (e->kind == ADDER_MQTT_CONNECTED && !b->m.session_present)
        memset(b->held, 0, sizeof b->held);
    if (e->kind == ADDER_MQTT_RELEASED) {
        check(b->held[e->id]);
        b->held[e->id] = false;
    }
    if (e->kind == ADDER_MQTT_DONE) { /* 4 */
        const size_t i = (size_t)(e->msg - b->msgs);
        check(i < MSGS && b->under_way[i] && !adder_mqtt_holds(&b->m, e->msg));
        b->under_way[i] = false;
    }
    return ADDER_OK;
}

static void publish(bench_t *b)
{
    for (unsigned i = 0; i < MSGS; i++) {
        if (!b->under_way[i]) {
            b->under_way[i] = adder_mqtt_publish(&b->m, &b->msgs[i], NULL) == ADDER_OK;
            return;
        }
    }
}

static void drain(bench_t *b)
{
    const uint8_t *bytes;
    size_t len;
    while (adder_mqtt_out(&b->m, &bytes, &len)) {
        volatile uint8_t sum = 0;
        for (size_t i = 0; i < len; i++)
            sum = (uint8_t)(sum + bytes[i]);
        adder_mqtt_out_done(&b->m, len > 7 ? len - 3 : len);
    }
}

static void feed(bench_t *b, const uint8_t *bytes, size_t len, uint32_t now)
{
    uint8_t *buf;
    size_t cap;
    adder_err_t err = (adder_err_t)b->m.priv.err;
    unsigned stuck = 0;
    while (len > 0 && adder_mqtt_in(&b->m, &buf, &cap) && stuck < 4) {
        const size_t n = len < cap ? len : cap;
        memcpy(buf, bytes, n);
        adder_mqtt_in_done(&b->m, n);
        bytes += n;
        len -= n;
        const adder_err_t now_err = adder_mqtt_tick(&b->m, now);
        check(err == ADDER_OK || now_err == err); /* 5 */
        err = now_err;
        b->over = err != ADDER_OK;
        drain(b);
    }
    while (stuck++ < 4) {
        ADDER_IGNORE(adder_mqtt_tick(&b->m, now), "looked at above");
        b->over = b->m.priv.err != ADDER_OK;
        drain(b);
    }
    adder_mqtt_wants_t wants;
    adder_mqtt_wants(&b->m, now, &wants);
    check(!wants.close || (!wants.in && !wants.out));
}

static void connect(bench_t *b, uint8_t version, bool stands, uint32_t now)
{
    adder_mqtt_lost(&b->m);
    b->over = false;
    b->done_at = 0;
    check(adder_mqtt_connect(&b->m, &b->o, now) == ADDER_OK);
    drain(b);
    if (stands)
        feed(b, (const uint8_t *)(version == 5 ? "\x20\3\1\0\0" : "\x20\2\1\0"), version == 5 ? 5 : 4, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t method[] = {0x15, 0, 1, 'm'};
    static const uint8_t payload[200] = {1};
    if (size < 2)
        return 0;
    static bench_t bench;
    bench_t *b = &bench;
    memset(b, 0, sizeof *b);
    const uint8_t flags = data[0];
    const uint8_t version = (flags & 1) != 0 ? 5 : 4;
    uint32_t now = 0xfffff000;
    b->shy = (flags & 64) != 0;
    b->slots = malloc(SLOTS * sizeof *b->slots);
    b->ids = malloc(IDS * sizeof *b->ids);
    b->c = (adder_mqtt_config_t){.message = on_message,
                                 .event = on_event,
                                 .ctx = b,
                                 .rx = malloc(RX),
                                 .tx = malloc(TX),
                                 .rx_cap = RX,
                                 .tx_cap = TX,
                                 .slots = b->slots,
                                 .ids = b->ids,
                                 .n_slots = SLOTS,
                                 .n_ids = IDS,
                                 .packet_max = (flags & 32) != 0 ? 300 : 0,
                                 .aliases = malloc(3 * 12),
                                 .n_aliases = 3,
                                 .alias_size = 12};
    b->o = (adder_mqtt_connect_t){.client_id = {"f", 1}, .version = version, .keep_alive_s = 20};
    if ((flags & 4) != 0 && (flags & 2) == 0)
        b->o.props = (adder_mqtt_props_t){method, sizeof method};
    for (unsigned i = 0; i < MSGS; i++)
        b->msgs[i] = (adder_mqtt_msg_t){.topic = {"t", 1},
                                        .payload = payload,
                                        .payload_len = i == 3 ? sizeof payload : i,
                                        .qos = (uint8_t)(1 + i % 2),
                                        .alias = (uint16_t)i};
    check(adder_mqtt_init(&b->m, &b->c) == ADDER_OK);
    connect(b, version, (flags & 2) != 0, now);
    const adder_mqtt_filter_t filter = {.filter = {"f", 1}};
    if ((flags & 24) == 24)
        ADDER_IGNORE(adder_mqtt_subscribe(&b->m, &filter, 1, (adder_mqtt_props_t){NULL, 0}, NULL),
                     "may be off");
    for (unsigned i = 0; i < (flags >> 3 & 3u) && (flags & 24) != 24; i++)
        publish(b);
    drain(b);
    for (data++, size--; size > 0;) {
        const uint8_t head = *data++;
        size--;
        switch (head >> 6) {
        case 1:
            connect(b, version, (head & 1) != 0, now);
            break;
        case 2:
            publish(b);
            drain(b);
            break;
        case 3:
            now += (head & 63u) * 700u;
            break;
        default:
            break;
        }
        size_t n = head & 63;
        n = n < size ? n : size;
        feed(b, data, n, now);
        data += n;
        size -= n;
    }
    for (unsigned i = 0; i < MSGS; i++) /* 4: none is lost from sight */
        check(b->under_way[i] == adder_mqtt_holds(&b->m, &b->msgs[i]));
    free(b->c.rx);
    free(b->c.tx);
    free(b->c.aliases);
    free(b->slots);
    free(b->ids);
    return 0;
}
