/* The client's queue and what of it is in the store.
 *
 *   arena:  |  free  | topic props payload | topic props payload | ...   the order of the queue   |  free  |
 *           0        at                                                                          at + used
 *
 * The oldest goes without a move of the others; they move up once there is no room behind them.
 *
 * Records: OUT id -> flags, lengths, the bytes above; RELEASED id -> nothing; IN id -> nothing. An id is
 * chosen when a message is queued, so that one write makes it safe, and what is sent again after a power cut
 * bears the id it had. */
#include <string.h>

#include "client_int.h"
#include "mqtt_int.h"

enum { RECORD_HEAD = 5, LAST_ID = 0x7fff }; /* ids above are the engine's own */

uint32_t client_key(const adder_mqtt_client_t *c, unsigned kind, uint16_t id)
{
    return (uint32_t)c->priv.c.store_kind << 24 | (uint32_t)kind << 16 | id;
}

adder_err_t client_write(const adder_mqtt_client_t *c, const adder_store_change_t *changes, size_t n)
{
    const adder_store_t *s = &c->priv.c.store;
    return s->ops != NULL ? s->ops->write(s->ctx, changes, n) : ADDER_OK;
}

/* ---- the arena ---- */

static uint8_t *data_of(const adder_mqtt_item_t *item)
{
    return (uint8_t *)(uintptr_t)item->msg.topic.at; /* in the arena, which is ours to write */
}

static void point_at(adder_mqtt_item_t *item, uint8_t *data)
{
    item->msg.topic.at = (const char *)data;
    item->msg.props.at = data + item->msg.topic.len;
    item->msg.payload = data + item->msg.topic.len + item->msg.props.len;
}

static adder_mqtt_item_t *free_item(const adder_mqtt_client_t *c)
{
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        if (c->priv.c.items[i].len == 0) {
            return &c->priv.c.items[i];
        }
    }
    return NULL;
}

/* What lies from `from` to the end moves up by `by`. The engine keeps pointers to messages, not to their
 * bytes. */
static void move_up(adder_mqtt_client_t *c, uint8_t *from, size_t by)
{
    const uint8_t *end = c->priv.c.arena + c->priv.arena_at + c->priv.arena_used;
    memmove(from - by, from, (size_t)(end - from));
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        adder_mqtt_item_t *item = &c->priv.c.items[i];
        if (item->len > 0 && data_of(item) >= from) {
            point_at(item, data_of(item) - by);
        }
    }
}

/* Room for `len` bytes, and an item that has them; NULL: none. */
static adder_mqtt_item_t *take_room(adder_mqtt_client_t *c, size_t len)
{
    adder_mqtt_item_t *item = free_item(c);
    const size_t room = c->priv.c.arena_len - c->priv.arena_used;
    if (item == NULL || len > room) {
        return NULL;
    }
    if (len > room - c->priv.arena_at) {
        move_up(c, c->priv.c.arena + c->priv.arena_at, c->priv.arena_at);
        c->priv.arena_at = 0;
    }
    *item = (adder_mqtt_item_t){.len = (uint32_t)len};
    item->msg.topic.at = (const char *)(c->priv.c.arena + c->priv.arena_at + c->priv.arena_used);
    c->priv.arena_used += len;
    return item;
}

static void give_back(adder_mqtt_client_t *c, adder_mqtt_item_t *item)
{
    uint8_t *hole = data_of(item);
    const size_t len = item->len;
    item->len = 0;
    item->msg.topic.at = NULL;
    if (hole == c->priv.c.arena + c->priv.arena_at) {
        c->priv.arena_at += len;
    } else {
        move_up(c, hole + len, len);
    }
    c->priv.arena_used -= len;
    if (c->priv.arena_used == 0) {
        c->priv.arena_at = 0;
    }
}

/* The oldest in that state; NULL: none. */
static adder_mqtt_item_t *oldest(const adder_mqtt_client_t *c, unsigned state)
{
    adder_mqtt_item_t *found = NULL;
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        adder_mqtt_item_t *item = &c->priv.c.items[i];
        if (item->len > 0 && item->state == state && (found == NULL || data_of(item) < data_of(found))) {
            found = item;
        }
    }
    return found;
}

static adder_mqtt_item_t *item_of_id(const adder_mqtt_client_t *c, uint16_t id)
{
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        if (c->priv.c.items[i].len > 0 && c->priv.c.items[i].id == id) {
            return &c->priv.c.items[i];
        }
    }
    return NULL;
}

static uint16_t next_id(adder_mqtt_client_t *c)
{
    do {
        c->priv.next_id = c->priv.next_id >= LAST_ID ? 1 : (uint16_t)(c->priv.next_id + 1);
    } while (item_of_id(c, c->priv.next_id) != NULL);
    return c->priv.next_id;
}

/* ---- out of the queue ---- */

static adder_err_t forget(adder_mqtt_client_t *c, adder_mqtt_item_t *item)
{
    adder_err_t err = ADDER_OK;
    if (item->msg.qos > 0) {
        const adder_store_change_t gone[2] = {{.key = client_key(c, KEY_OUT, item->id), .erase = true},
                                              {.key = client_key(c, KEY_RELEASED, item->id), .erase = true}};
        err = client_write(c, gone, item->msg.qos);
    }
    if (err == ADDER_OK) {
        give_back(c, item);
    }
    return err;
}

/* Its records must go before its id is used again, or a later message would be taken for this one. */
static adder_err_t finish_item(adder_mqtt_client_t *c, adder_mqtt_item_t *item)
{
    item->state = ITEM_ENDED;
    return forget(c, item);
}

adder_err_t client_done(adder_mqtt_client_t *c, const adder_mqtt_msg_t *msg)
{
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        if (&c->priv.c.items[i].msg == msg) {
            return finish_item(c, &c->priv.c.items[i]);
        }
    }
    return ADDER_OK; /* published past the queue, with memory of the caller's own */
}

void client_sweep(adder_mqtt_client_t *c)
{
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        adder_mqtt_item_t *item = &c->priv.c.items[i];
        if (item->len > 0 && item->msg.qos == 0 && item->state == ITEM_GIVEN &&
            !adder_mqtt_holds(&c->mqtt, &item->msg)) {
            give_back(c, item);
        }
    }
    adder_mqtt_item_t *ended = oldest(c, ITEM_ENDED);
    if (ended != NULL) {
        ADDER_IGNORE(forget(c, ended), "it has been told: this is one more attempt");
    }
}

void client_drop(adder_mqtt_client_t *c, adder_mqtt_item_t *item, uint8_t reason)
{
    const adder_mqtt_event_t e = {
        .kind = ADDER_MQTT_DONE, .id = item->id, .msg = &item->msg, .reason = reason};
    item->state = ITEM_DROPPED; /* what the callback calls leaves it alone */
    c->dropped++;
    if (c->priv.c.event != NULL) {
        c->priv.c.event(c->priv.c.ctx, &e);
    }
    ADDER_IGNORE(finish_item(c, item), "client_sweep() tries again");
}

void client_feed(adder_mqtt_client_t *c)
{
    adder_mqtt_item_t *item;
    while (c->mqtt.state == ADDER_MQTT_ON && (item = oldest(c, ITEM_QUEUED)) != NULL) {
        adder_err_t err = ADDER_ERR_AGAIN;
        if (item->msg.qos == 0) {
            err = adder_mqtt_publish(&c->mqtt, &item->msg, NULL);
        } else if (c->mqtt.priv.n_slots + 1 < c->priv.c.engine.n_slots) { /* one is for subscribing */
            err = adder_mqtt_publish_as(&c->mqtt, &item->msg, item->id, false);
        }
        if (err == ADDER_ERR_AGAIN || err == ADDER_ERR_STATE) {
            return;
        }
        if (err == ADDER_OK) {
            item->state = ITEM_GIVEN;
            client_sweep(c);
            continue;
        }
        /* This server does not take it. */
        client_drop(c, item,
                    err == ADDER_ERR_UNSUPPORTED ? ADDER_MQTT_REASON_QOS_UNSUPPORTED
                                                 : ADDER_MQTT_REASON_TOO_LARGE);
    }
}

/* ---- into the queue ---- */

/* Nothing waits, and it can be copied whole: no need of the queue. */
static bool may_pass(const adder_mqtt_client_t *c, const adder_mqtt_msg_t *msg, size_t len)
{
    return c->mqtt.state == ADDER_MQTT_ON && len + 16 <= mqtt_free(&c->mqtt) && msg->qos == 0 &&
           oldest(c, ITEM_QUEUED) == NULL;
}

static adder_err_t make_room(adder_mqtt_client_t *c, size_t len, adder_mqtt_item_t **item_out)
{
    while ((*item_out = take_room(c, len)) == NULL) {
        adder_mqtt_item_t *old;
        if (c->priv.c.policy == ADDER_MQTT_QUEUE_REFUSE) {
            return ADDER_ERR_AGAIN;
        }
        if (c->priv.c.policy == ADDER_MQTT_QUEUE_DROP_NEWEST) {
            c->dropped++;
            return ADDER_OK;
        }
        if ((old = oldest(c, ITEM_QUEUED)) == NULL) {
            return ADDER_ERR_AGAIN; /* all of them are in flight */
        }
        const adder_err_t err = forget(c, old);
        c->dropped++;
        if (err != ADDER_OK) {
            return err;
        }
    }
    return ADDER_OK;
}

static adder_err_t save(const adder_mqtt_client_t *c, const adder_mqtt_item_t *item)
{
    uint8_t head[RECORD_HEAD];
    head[0] = (uint8_t)(item->msg.qos | (item->msg.retain ? 4 : 0));
    mqtt_put16(head + 1, (unsigned)item->msg.topic.len);
    mqtt_put16(head + 3, (unsigned)item->msg.props.len);
    const adder_store_change_t change = {.key = client_key(c, KEY_OUT, item->id),
                                         .bytes = head,
                                         .len = sizeof head,
                                         .more = data_of(item),
                                         .more_len = item->len};
    return client_write(c, &change, 1);
}

static adder_err_t check(const adder_mqtt_client_t *c, const adder_mqtt_msg_t *msg)
{
    if (msg->qos > 2 || msg->read != NULL || msg->props.len > UINT16_MAX ||
        !adder_mqtt_is_topic(msg->topic)) {
        return ADDER_ERR_ARG;
    }
#if ADDER_MQTT_V5
    if (c->priv.c.connect.version == 5 && mqtt_check_props(msg->props, IN_PUBLISH_OUT) != 0) {
        return ADDER_ERR_ARG;
    }
#endif
    const size_t cap = c->priv.c.arena_len;
    if (msg->topic.len > cap || msg->props.len > cap - msg->topic.len ||
        msg->payload_len > cap - msg->topic.len - msg->props.len ||
        msg->topic.len + msg->props.len + 16 > c->priv.c.engine.tx_cap) {
        return ADDER_ERR_NOSPACE;
    }
    return msg->qos == 0 && c->mqtt.state != ADDER_MQTT_ON && !c->priv.c.queue_qos0 ? ADDER_ERR_STATE
                                                                                    : ADDER_OK;
}

adder_err_t adder_mqtt_client_publish(adder_mqtt_client_t *c, const adder_mqtt_msg_t *msg, uint16_t *id_out)
{
    if (id_out != NULL) {
        *id_out = 0;
    }
    const size_t len = msg->topic.len + msg->props.len + msg->payload_len;
    if (msg->qos == 0 && msg->read == NULL && may_pass(c, msg, len)) {
        return adder_mqtt_publish(&c->mqtt, msg, NULL);
    }
    adder_mqtt_item_t *item;
    adder_err_t err = check(c, msg);
    if (err == ADDER_OK) {
        client_sweep(c);
        err = make_room(c, len, &item);
    }
    if (err != ADDER_OK || item == NULL) {
        return err;
    }
    uint8_t *data = data_of(item);
    uint8_t *p = mqtt_put_bytes(data, msg->topic.at, msg->topic.len);
    p = mqtt_put_bytes(p, msg->props.at, msg->props.len);
    mqtt_put_bytes(p, msg->payload, msg->payload_len);
    item->msg = *msg;
    point_at(item, data);
    if (msg->qos > 0) {
        item->id = next_id(c);
        err = save(c, item);
        if (err != ADDER_OK) {
            give_back(c, item);
            return err;
        }
    }
    if (id_out != NULL) {
        *id_out = item->id;
    }
    client_feed(c);
    return ADDER_OK;
}

size_t adder_mqtt_client_queued(const adder_mqtt_client_t *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->priv.c.n_items; i++) {
        n += c->priv.c.items[i].len > 0;
    }
    return n;
}

size_t adder_mqtt_client_room(const adder_mqtt_client_t *c)
{
    return free_item(c) != NULL ? c->priv.c.arena_len - c->priv.arena_used : 0;
}

/* ---- out of the store ---- */

static adder_err_t restore_message(adder_mqtt_client_t *c, uint32_t key, size_t len)
{
    const adder_store_t *s = &c->priv.c.store;
    uint8_t head[RECORD_HEAD];
    adder_err_t err = s->ops->read(s->ctx, key, 0, head, sizeof head, &len);
    if (err != ADDER_OK) {
        return err;
    }
    const size_t topic = (size_t)(head[1] << 8 | head[2]), props = (size_t)(head[3] << 8 | head[4]);
    if (len <= RECORD_HEAD || topic + props > len - RECORD_HEAD || (head[0] & 3) == 3 || (head[0] & 3) == 0) {
        return ADDER_ERR_FORMAT;
    }
    adder_mqtt_item_t *item = take_room(c, len - RECORD_HEAD);
    if (item == NULL) {
        return ADDER_ERR_NOSPACE;
    }
    err = s->ops->read(s->ctx, key, RECORD_HEAD, data_of(item), item->len, &len);
    item->msg.qos = head[0] & 3;
    item->msg.retain = (head[0] & 4) != 0;
    item->msg.topic.len = topic;
    item->msg.props.len = props;
    item->msg.payload_len = (uint32_t)(item->len - topic - props);
    item->id = (uint16_t)key;
    point_at(item, data_of(item));
    return err == ADDER_OK && !adder_mqtt_is_topic(item->msg.topic) ? ADDER_ERR_FORMAT : err;
}

static adder_err_t restore_released(adder_mqtt_client_t *c, uint16_t id)
{
    adder_mqtt_item_t *item = item_of_id(c, id);
    if (item == NULL) {
        return ADDER_OK; /* a record alone: both are erased at once, so this is not ours to judge */
    }
    item->state = ITEM_GIVEN;
    return adder_mqtt_restore_released(&c->mqtt, &item->msg, id);
}

static adder_err_t restore_kind(adder_mqtt_client_t *c, unsigned kind)
{
    const adder_store_t *s = &c->priv.c.store;
    uint32_t cursor = 0, key;
    size_t len;
    adder_err_t err;
    while ((err = s->ops->next(s->ctx, &cursor, &key, &len)) == ADDER_OK) {
        if (key != client_key(c, kind, (uint16_t)key)) {
            continue;
        }
        err = kind == KEY_OUT        ? restore_message(c, key, len)
              : kind == KEY_RELEASED ? restore_released(c, (uint16_t)key)
                                     : adder_mqtt_restore_id(&c->mqtt, (uint16_t)key);
        if (err != ADDER_OK) {
            return err == ADDER_ERR_AGAIN ? ADDER_ERR_NOSPACE : err;
        }
    }
    return err == ADDER_ERR_NOT_FOUND ? ADDER_OK : err;
}

adder_err_t client_restore(adder_mqtt_client_t *c)
{
    if (c->priv.c.store.ops == NULL) {
        return ADDER_OK;
    }
    adder_err_t err = restore_kind(c, KEY_OUT);
    err = err == ADDER_OK ? restore_kind(c, KEY_RELEASED) : err;
    err = err == ADDER_OK ? restore_kind(c, KEY_IN) : err;
    adder_mqtt_item_t *item;
    /* As many as may have been in flight: they go with DUP. */
    while (err == ADDER_OK && c->mqtt.priv.n_slots + 1 < c->priv.c.engine.n_slots &&
           (item = oldest(c, ITEM_QUEUED)) != NULL) {
        err = adder_mqtt_publish_as(&c->mqtt, &item->msg, item->id, true);
        item->state = ITEM_GIVEN;
    }
    return err;
}

/* The server has no session any more: ids of before mean nothing. */
adder_err_t client_drop_ids(adder_mqtt_client_t *c)
{
    const adder_store_t *s = &c->priv.c.store;
    adder_err_t err = ADDER_OK;
    while (s->ops != NULL && err == ADDER_OK) {
        uint32_t cursor = 0, key;
        size_t len;
        do {
            err = s->ops->next(s->ctx, &cursor, &key, &len);
        } while (err == ADDER_OK && key != client_key(c, KEY_IN, (uint16_t)key));
        if (err == ADDER_OK) {
            const adder_store_change_t gone = {.key = key, .erase = true};
            err = client_write(c, &gone, 1);
        }
    }
    return err == ADDER_ERR_NOT_FOUND ? ADDER_OK : err;
}
