/* adder._mqtt: the inbox
 *
 *   bytes:  | ... topic props payload |        free        | record topic props payload | record to ...
 *                                      write_at             read_at
 *
 * Everything may go around the end. A message that is only partly there, or that is not in the store yet,
 * lies behind write_at and is not counted in `used`. */
#include <string.h>

#include "python/modules/mqtt_int.h"

static size_t size_of(const mqtt_record_t *r)
{
    return sizeof *r + r->topic_len + r->props_len + r->len;
}

static void put(const mqtt_inbox_t *b, size_t at, const void *from, size_t len)
{
    at = at % b->cap;
    const size_t first = len < b->cap - at ? len : b->cap - at;
    if (first > 0)
        memcpy(b->bytes + at, from, first);
    if (len > first)
        memcpy(b->bytes, (const uint8_t *)from + first, len - first);
}

static void get(const mqtt_inbox_t *b, size_t at, void *to, size_t len)
{
    at = at % b->cap;
    const size_t first = len < b->cap - at ? len : b->cap - at;
    if (first > 0)
        memcpy(to, b->bytes + at, first);
    if (len > first)
        memcpy((uint8_t *)to + first, b->bytes, len - first);
}

static bool fits(mqtt_inbox_t *b, size_t size)
{
    return size <= b->cap - atomic_load(&b->used);
}

adder_err_t mqtt_inbox_put(mqtt_inbox_t *b, const adder_mqtt_piece_t *piece, uint32_t key, bool *whole_out)
{
    const mqtt_record_t r = {.len = piece->total,
                             .key = key,
                             .topic_len = (uint16_t)piece->topic.len,
                             .props_len = (uint16_t)piece->props.len,
                             .qos = piece->qos,
                             .retain = piece->retain,
                             .dup = piece->dup};
    const size_t size = size_of(&r);
    *whole_out = false;
    if (piece->offset == 0)
        b->skipping = size > b->cap || piece->total > b->cap;
    if (b->skipping)
        return ADDER_ERR_NOSPACE;
    if (!fits(b, size)) {
        atomic_store(&b->starved, true);
        if (!fits(b, size)) /* else the program has made room just now and did not see the flag */
            return ADDER_ERR_AGAIN;
    }
    size_t at = b->write_at;
    if (piece->offset == 0) {
        put(b, at, &r, sizeof r);
        put(b, at + sizeof r, piece->topic.at, piece->topic.len);
        put(b, at + sizeof r + piece->topic.len, piece->props.at, piece->props.len);
    }
    at += sizeof r + piece->topic.len + piece->props.len + piece->offset;
    put(b, at, piece->payload, piece->len);
    if (piece->offset + piece->len == piece->total) {
        b->pending = size;
        if (key == 0)
            mqtt_inbox_commit(b, true);
        *whole_out = true;
    }
    return ADDER_OK;
}

adder_store_change_t mqtt_inbox_value(const mqtt_inbox_t *b, uint32_t key)
{
    const size_t first = b->pending < b->cap - b->write_at ? b->pending : b->cap - b->write_at;
    return (adder_store_change_t){.key = key,
                                  .bytes = b->bytes + b->write_at,
                                  .len = first,
                                  .more = b->bytes,
                                  .more_len = b->pending - first};
}

void mqtt_inbox_commit(mqtt_inbox_t *b, bool stored)
{
    if (stored) {
        b->write_at = (b->write_at + b->pending) % b->cap;
        atomic_fetch_add(&b->used, b->pending);
    }
    b->pending = 0;
}

adder_err_t mqtt_inbox_load(mqtt_inbox_t *b, adder_store_t store, uint32_t key, size_t len)
{
    mqtt_record_t r;
    size_t n;
    if (len > b->cap - b->used)
        return ADDER_ERR_NOSPACE;
    adder_err_t err = store.ops->read(store.ctx, key, 0, b->bytes + b->write_at, len, &n);
    if (err != ADDER_OK)
        return err;
    if (len < sizeof r)
        return ADDER_ERR_FORMAT;
    get(b, b->write_at, &r, sizeof r);
    if (r.key != key || size_of(&r) != len || r.topic_len > MQTT_RX)
        return ADDER_ERR_FORMAT;
    r.dup = true; /* the program may have had it before */
    put(b, b->write_at, &r, sizeof r);
    b->pending = len;
    mqtt_inbox_commit(b, true);
    return ADDER_OK;
}

bool mqtt_inbox_first(mqtt_inbox_t *b, mqtt_record_t *r)
{
    if (atomic_load(&b->used) == 0)
        return false;
    get(b, b->read_at, r, sizeof *r);
    return true;
}

void mqtt_inbox_copy(const mqtt_inbox_t *b, size_t at, void *to, size_t len)
{
    get(b, b->read_at + sizeof(mqtt_record_t) + at, to, len);
}

bool mqtt_inbox_drop(mqtt_inbox_t *b, const mqtt_record_t *r)
{
    const size_t size = size_of(r);
    b->read_at = (b->read_at + size) % b->cap;
    atomic_fetch_sub(&b->used, size);
    return atomic_exchange(&b->starved, false);
}
