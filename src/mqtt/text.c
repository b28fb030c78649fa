/* Well-formed text, topics and filters (1.5.4, 4.7, 4.8.2). */
#include <string.h>

#include "mqtt_int.h"

/* One character's bytes at `s`, 0 = not well-formed (1.5.4, RFC 3629). */
static size_t char_len(const uint8_t *s, size_t left)
{
    const uint8_t c = s[0];
    if (c < 0x80) {
        return c != 0; /* [MQTT-1.5.4-2] */
    }
    const size_t n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n == 0 || n > left) {
        return 0;
    }
    /* The second byte tells overlong forms, surrogates [MQTT-1.5.4-1] and what is above U+10FFFF. */
    const uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

bool adder_mqtt_is_text(adder_mqtt_str_t text)
{
    if (text.len > 65535) {
        return false;
    }
    const uint8_t *s = (const uint8_t *)text.at;
    for (size_t i = 0; i < text.len;) {
        const size_t n = char_len(s + i, text.len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

static bool has(const char *s, size_t len, char c)
{
    return len > 0 && memchr(s, c, len) != NULL;
}

bool adder_mqtt_is_topic(adder_mqtt_str_t topic)
{
    return topic.len > 0 && adder_mqtt_is_text(topic) && !has(topic.at, topic.len, '+') &&
           !has(topic.at, topic.len, '#');
}

bool adder_mqtt_is_shared(adder_mqtt_str_t filter)
{
    return filter.len >= 7 && memcmp(filter.at, "$share/", 7) == 0;
}

size_t mqtt_share_head(adder_mqtt_str_t f)
{
    if (!adder_mqtt_is_shared(f)) {
        return 0;
    }
    const char *end = memchr(f.at + 7, '/', f.len - 7);
    return end == NULL ? 0 : (size_t)(end - f.at) + 1;
}

bool adder_mqtt_is_filter(adder_mqtt_str_t filter)
{
    if (filter.len == 0 || !adder_mqtt_is_text(filter)) {
        return false;
    }
    size_t i = 0;
    if (adder_mqtt_is_shared(filter)) {
        i = mqtt_share_head(filter);
        if (i < 9 || i == filter.len || has(filter.at + 7, i - 8, '+') || has(filter.at + 7, i - 8, '#')) {
            return false; /* [MQTT-4.8.2-1], [MQTT-4.8.2-2] */
        }
    }
    const char *f = filter.at;
    for (const size_t first = i; i < filter.len; i++) {
        const bool starts = i == first || f[i - 1] == '/';
        const bool ends = i + 1 == filter.len || f[i + 1] == '/';
        if ((f[i] == '#' && !(starts && i + 1 == filter.len)) || /* [MQTT-4.7.1-1] */
            (f[i] == '+' && !(starts && ends))) {                /* [MQTT-4.7.1-2] */
            return false;
        }
    }
    return true;
}
