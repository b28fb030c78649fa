#include "src/net/dns_wire.h"

/* Each pointer has to lead before everything read so far, so the walk ends. */
bool dns_read_name(const uint8_t *msg, size_t len, size_t *pos, dns_name_t *out)
{
    size_t at = *pos, limit = *pos, n = 0;
    bool jumped = false;
    for (;;) {
        if (at >= len)
            return false;
        const size_t c = msg[at];
        if (c >= 0xC0) {
            if (len - at < 2)
                return false;
            const size_t target = (c & 0x3F) << 8 | msg[at + 1];
            if (!jumped)
                *pos = at + 2;
            jumped = true;
            if (target >= limit)
                return false;
            at = limit = target;
            continue;
        }
        if (c > 63 || len - at - 1 < c || n + 1 + c > sizeof out->bytes - (c > 0 ? 1u : 0u))
            return false;
        for (const size_t end = at + c; at <= end; at++)
            out->bytes[n++] = msg[at];
        if (c == 0)
            break;
    }
    if (!jumped)
        *pos = at;
    out->len = (uint8_t)n;
    return true;
}
