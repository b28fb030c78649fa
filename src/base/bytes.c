#include "adder/bytes.h"

adder_cursor_t adder_cursor(const void *bytes, size_t len)
{
    return (adder_cursor_t){.at = bytes, .left = len};
}

const uint8_t *adder_cursor_take(adder_cursor_t *c, size_t len)
{
    if (c->failed || len > c->left) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += len;
    c->left -= len;
    return p;
}

void adder_cursor_skip(adder_cursor_t *c, size_t len)
{
    (void)adder_cursor_take(c, len);
}

uint8_t adder_cursor_u8(adder_cursor_t *c)
{
    const uint8_t *p = adder_cursor_take(c, 1);
    return p == NULL ? 0 : p[0];
}

uint16_t adder_cursor_le16(adder_cursor_t *c)
{
    const uint8_t *p = adder_cursor_take(c, 2);
    return p == NULL ? 0 : (uint16_t)(p[0] | (unsigned)p[1] << 8);
}

uint32_t adder_cursor_le32(adder_cursor_t *c)
{
    const uint8_t *p = adder_cursor_take(c, 4);
    return p == NULL ? 0 : p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint16_t adder_cursor_be16(adder_cursor_t *c)
{
    const uint8_t *p = adder_cursor_take(c, 2);
    return p == NULL ? 0 : (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

uint32_t adder_cursor_be32(adder_cursor_t *c)
{
    const uint8_t *p = adder_cursor_take(c, 4);
    return p == NULL ? 0 : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
