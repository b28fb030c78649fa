/* Cursors over bytes: reading a file or a frame without ever leaving it.
 *
 *     adder_cursor_t c = adder_cursor(bytes, len);
 *     uint16_t magic = adder_cursor_le16(&c);
 *     adder_cursor_skip(&c, 4);
 *     uint32_t size = adder_cursor_le32(&c);
 *     if (c.failed)
 *         return ADDER_ERR_END;          // checked once, after everything was read
 *
 * A read past the end gives 0, sets `failed` and keeps failing. RAM: 12 bytes. */
#ifndef ADDER_BYTES_H
#define ADDER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at;
    size_t left;
    bool failed;
} adder_cursor_t;

adder_cursor_t adder_cursor(const void *bytes, size_t len);
/* `len` bytes in place, NULL (and failed) when there are fewer. */
const uint8_t *adder_cursor_take(adder_cursor_t *c, size_t len);
void adder_cursor_skip(adder_cursor_t *c, size_t len);
uint8_t adder_cursor_u8(adder_cursor_t *c);
uint16_t adder_cursor_le16(adder_cursor_t *c);
uint32_t adder_cursor_le32(adder_cursor_t *c);
uint16_t adder_cursor_be16(adder_cursor_t *c);
uint32_t adder_cursor_be32(adder_cursor_t *c);

#endif
