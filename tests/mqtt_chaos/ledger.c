/* Messages by number. */
#include <string.h>

#include "chaos.h"

ledger_t ledgers[DIRECTIONS][2];

static size_t length_of(uint32_t number)
{
    return 4 + number * 37u % (MESSAGE_MAX - 3);
}

static uint8_t filler(uint32_t number, size_t i)
{
    return (uint8_t)(number * 7u + i * 3u);
}

size_t message_make(uint8_t *payload, uint32_t number)
{
    const size_t len = length_of(number);
    for (size_t i = 0; i < len; i++) {
        payload[i] = (uint8_t)(i < 4 ? number >> (24 - 8 * i) : filler(number, i));
    }
    return len;
}

uint32_t message_check(const uint8_t *payload, size_t len)
{
    if (len < 4) {
        fail("a message of %zu bytes", len);
    }
    const uint32_t number =
        (uint32_t)payload[0] << 24 | (uint32_t)payload[1] << 16 | (uint32_t)payload[2] << 8 | payload[3];
    if (number >= NUMBERS || len != length_of(number)) {
        fail("message %u has %zu bytes", number, len);
    }
    for (size_t i = 4; i < len; i++) {
        if (payload[i] != filler(number, i)) {
            fail("message %u is not what was sent", number);
        }
    }
    return number;
}

void ledger_arrives(unsigned direction, unsigned qos, const uint8_t *payload, size_t len)
{
    const uint32_t number = message_check(payload, len);
    ledger_t *l = &ledgers[direction][qos - 1];
    if (number >= l->sent) {
        fail("message %u of QoS %u came, and was not sent", number, qos);
    }
    if (l->came[number] > 0) {
        l->duplicates++;
    } else {
        l->arrived++;
        l->disorder += number < l->next;
        l->next = number >= l->next ? number + 1 : l->next;
    }
    l->came[number] = (uint8_t)(l->came[number] < 255 ? l->came[number] + 1 : 255);
}
