/* Numbers and texts on the wire (1.5). */
#include <string.h>

#include "mqtt_int.h"

unsigned mqtt_varint_len(uint32_t v)
{
    return v < 128 ? 1 : v < 16384 ? 2 : v < 2097152 ? 3 : 4;
}

uint8_t *mqtt_put_varint(uint8_t *p, uint32_t v)
{
    for (; v > 127; v >>= 7) {
        *p++ = (uint8_t)(v | 128);
    }
    *p++ = (uint8_t)v;
    return p;
}

uint8_t *mqtt_put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

uint8_t *mqtt_put_bytes(uint8_t *p, const void *bytes, size_t len)
{
    if (len > 0) { /* NULL with no bytes is allowed, but not to memcpy */
        memcpy(p, bytes, len);
    }
    return p + len;
}

uint8_t *mqtt_put_str(uint8_t *p, adder_mqtt_str_t s)
{
    return mqtt_put_bytes(mqtt_put16(p, (unsigned)s.len), s.at, s.len);
}

/* 1.5.5; that it be the shortest form is 5.0's alone [MQTT-1.5.5-1]. */
int mqtt_get_varint(const uint8_t *p, size_t len, bool shortest, uint32_t *out)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (i == len) {
            return 0;
        }
        v |= (uint32_t)(p[i] & 127) << (7 * i);
        if (p[i] < 128) {
            *out = v;
            return shortest && i > 0 && p[i] == 0 ? -1 : (int)i + 1;
        }
    }
    return -1;
}

bool mqtt_get_u8(mqtt_body_t *b, uint8_t *out)
{
    if (b->left < 1) {
        return false;
    }
    *out = *b->at++;
    b->left--;
    return true;
}

bool mqtt_get16(mqtt_body_t *b, uint16_t *out)
{
    if (b->left < 2) {
        return false;
    }
    *out = (uint16_t)(b->at[0] << 8 | b->at[1]);
    b->at += 2;
    b->left -= 2;
    return true;
}

static bool take(mqtt_body_t *b, size_t len, const uint8_t **out)
{
    if (b->left < len) {
        return false;
    }
    *out = b->at;
    b->at += len;
    b->left -= len;
    return true;
}

bool mqtt_get_str(mqtt_body_t *b, adder_mqtt_str_t *out)
{
    uint16_t len;
    const uint8_t *at;
    if (!mqtt_get16(b, &len) || !take(b, len, &at)) {
        return false;
    }
    *out = (adder_mqtt_str_t){(const char *)at, len};
    return true;
}

#if ADDER_MQTT_V5
bool mqtt_get_props(mqtt_body_t *b, adder_mqtt_props_t *out)
{
    uint32_t len;
    const int n = mqtt_get_varint(b->at, b->left, true, &len);
    if (n <= 0) {
        return false;
    }
    b->at += n;
    b->left -= (size_t)n;
    out->len = len;
    return take(b, len, &out->at);
}
#endif
