/* Any text as topic and filter: the invariants of adder/mqtt_match.h, and the matcher beside one that goes by
 * levels. First byte: where the filter ends and the topic begins. */
#include <stdlib.h>
#include <string.h>

#include "adder/mqtt_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

/* The next level; false: there is no more. */
static bool level(adder_mqtt_str_t text, size_t *at, adder_mqtt_str_t *out)
{
    if (*at > text.len)
        return false;
    const char *from = text.at + *at;
    const char *end = memchr(from, '/', text.len - *at);
    out->at = from;
    out->len = end != NULL ? (size_t)(end - from) : text.len - *at;
    *at += out->len + 1;
    return true;
}

static bool matches_by_levels(adder_mqtt_str_t filter, adder_mqtt_str_t topic)
{
    size_t f = 0, t = 0;
    adder_mqtt_str_t a, b;
    if (adder_mqtt_is_shared(filter)) {
        level(filter, &f, &a);
        level(filter, &f, &a);
    }
    for (bool first = true;; first = false) {
        const bool has_filter = level(filter, &f, &a);
        const bool hash = has_filter && a.len == 1 && a.at[0] == '#';
        const bool has_topic = level(topic, &t, &b);
        const bool wild = hash || (has_filter && a.len == 1 && a.at[0] == '+');
        if (first && wild && topic.at[0] == '$')
            return false;
        if (hash)
            return true;
        if (!has_filter || !has_topic)
            return has_filter == has_topic;
        if (!wild && (a.len != b.len || memcmp(a.at, b.at, a.len) != 0))
            return false;
    }
}

static char *copy(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len > 0 ? len : 1); /* of exactly its size (1) */
    if (text != NULL && len > 0)
        memcpy(text, bytes, len);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t n = data[0] < size - 1 ? data[0] : size - 1;
    char *f = copy(data + 1, n), *t = copy(data + 1 + n, size - 1 - n);
    const adder_mqtt_str_t filter = {f, n}, topic = {t, size - 1 - n};
    const bool is_filter = adder_mqtt_is_filter(filter), is_topic = adder_mqtt_is_topic(topic);
    if (is_topic) { /* 4 */
        const adder_mqtt_str_t hash = {"#", 1};
        check(adder_mqtt_matches(hash, topic) == (t[0] != '$'));
        if (!adder_mqtt_is_shared(topic)) {
            check(adder_mqtt_is_filter(topic));
            check(adder_mqtt_matches(topic, topic)); /* 2 */
        }
    }
    if (is_filter && is_topic) {
        const bool matches = adder_mqtt_matches(filter, topic);
        check(matches == matches_by_levels(filter, topic));
        const bool plain = memchr(f, '+', n) == NULL && memchr(f, '#', n) == NULL;
        if (plain && !adder_mqtt_is_shared(filter))
            check(matches == (n == topic.len && memcmp(f, t, n) == 0));
    }
    free(f);
    free(t);
    return 0;
}
