/* What passes the proxy, packet by packet: whether the device keeps to the protocol, and who has owned a
 * message when it was lost or came twice. Of what was cut off nothing is known, so nothing is held against
 * anybody that might have been in there. */
#include <stdio.h>
#include <string.h>

#include "chaos.h"

enum { HEAD = 48 }; /* bytes of a packet that are looked at */

watch_t watch;
uint8_t seen[DIRECTIONS][2][NUMBERS];

/* A direction of a connection. */
typedef struct {
    uint8_t bytes[HEAD];
    uint32_t have, left; /* bytes of the packet so far, to come; left = 0: its fixed header is not whole */
} stream_t;

static stream_t streams[PAIRS][DIRECTIONS];
static uint16_t ids[DIRECTIONS][2][NUMBERS]; /* in the present session, 0 = not published in it */
static struct {
    bool used;
    uint8_t qos;
    uint32_t number;
} by_id[DIRECTIONS][65536];
static uint8_t version;
static bool had_session;

static void breach(const char *why)
{
    if (watch.breaches++ == 0) {
        snprintf(watch.why, sizeof watch.why, "%s", why);
    }
}

static void forget_session(void)
{
    memset(ids, 0, sizeof ids);
    memset(by_id, 0, sizeof by_id);
    for (unsigned i = 0; i < NUMBERS; i++) {
        seen[UP][1][i] &= (uint8_t)~SEEN_RELEASED;
        seen[DOWN][1][i] &= (uint8_t)~SEEN_RELEASED;
    }
}

void watch_new_session(void)
{
    forget_session();
    had_session = false;
}

void watch_new_connection(unsigned pair)
{
    memset(streams[pair], 0, sizeof streams[pair]);
}

/* ---- packets ---- */

static void saw_publish(unsigned direction, const uint8_t *b, size_t len, uint8_t first)
{
    const unsigned qos = first >> 1 & 3;
    size_t at = 2u + (size_t)(b[0] << 8 | b[1]);
    if (qos == 0 || at + 6 > len) {
        return;
    }
    const uint16_t id = (uint16_t)(b[at] << 8 | b[at + 1]);
    at += 2;
    at += version == 5 ? 1u + b[at] : 0;
    if (at + 4 > len) {
        return;
    }
    const uint32_t number =
        (uint32_t)b[at] << 24 | (uint32_t)b[at + 1] << 16 | (uint32_t)b[at + 2] << 8 | b[at + 3];
    if (number >= NUMBERS) {
        fail("a PUBLISH with number %u", number);
    }
    uint8_t *s = &seen[direction][qos - 1][number];
    uint16_t *known = &ids[direction][qos - 1][number];
    const bool in_use = by_id[direction][id].used &&
                        (by_id[direction][id].number != number || by_id[direction][id].qos != qos);
    bool wrong = in_use;
    if (in_use) { /* the message before has lost it */
        seen[direction][by_id[direction][id].qos - 1][by_id[direction][id].number] |= SEEN_RELEASED;
    }
    if (in_use && direction == UP) {
        breach("an id that is in use");
    }
    if (*known != 0) {
        wrong = wrong || *known != id || (*s & SEEN_RELEASED) != 0;
        if (direction == UP && *known != id) {
            breach("PUBLISH again under another id");
        } else if (direction == UP && (*s & SEEN_RELEASED) != 0) {
            breach("PUBLISH again behind its PUBREL");
        } else if (direction == UP && (first & 8) == 0) {
            breach("PUBLISH again without DUP");
        }
    }
    *s = (uint8_t)(*s | SEEN_PUBLISH | (wrong ? SEEN_AGAIN : 0));
    *known = id;
    by_id[direction][id].used = true;
    by_id[direction][id].qos = (uint8_t)qos;
    by_id[direction][id].number = number;
}

/* `direction` is the message's. */
static void saw_ack(unsigned direction, unsigned type, const uint8_t *b, size_t len)
{
    const uint16_t id = (uint16_t)(b[0] << 8 | b[1]);
    const bool refused = version == 5 && len > 2 && b[2] >= 0x80;
    if (!by_id[direction][id].used) {
        return;
    }
    uint8_t *s = &seen[direction][by_id[direction][id].qos - 1][by_id[direction][id].number];
    if ((type == 4 || type == 5) && refused) {
        fail("a message was refused with %02x", b[2]);
    }
    *s = (uint8_t)(*s | (type == 6 ? SEEN_RELEASED : type == 7 ? 0 : SEEN_OWNED));
    if (type == 4 || type == 7) {
        by_id[direction][id].used = false;
    }
}

static void saw_packet(unsigned direction, const uint8_t *bytes, size_t len)
{
    size_t head = 2;
    while (bytes[head - 1] > 127) {
        head++;
    }
    const unsigned type = bytes[0] >> 4;
    const uint8_t *b = bytes + head;
    len -= head;
    switch (type) {
    case 1:
        version = b[6];
        break;
    case 2:
        if (b[1] == 0 && b[0] == 0) {
            watch.sessions_lost += had_session;
            forget_session();
        }
        had_session = had_session || b[1] == 0;
        break;
    case 3:
        saw_publish(direction, b, len, bytes[0]);
        break;
    case 4:
    case 5:
    case 7:
        saw_ack(1 - direction, type, b, len);
        break;
    case 6:
        saw_ack(direction, type, b, len);
        break;
    default:
        break;
    }
}

void watch_bytes(unsigned pair, unsigned direction, const uint8_t *bytes, size_t len)
{
    stream_t *s = &streams[pair][direction];
    for (size_t i = 0; i < len; i++) {
        if (s->have < HEAD) {
            s->bytes[s->have] = bytes[i];
        }
        s->have++;
        bool whole = s->left == 1;
        if (s->left > 0) {
            s->left--;
        } else if (s->have > 1 && bytes[i] < 128) { /* the fixed header ends */
            for (uint32_t k = 1; k < s->have; k++) {
                s->left |= (uint32_t)(s->bytes[k] & 127) << (7 * (k - 1));
            }
            whole = s->left == 0;
        }
        if (whole) {
            saw_packet(direction, s->bytes, s->have < HEAD ? s->have : HEAD);
            s->have = 0;
        }
    }
}
