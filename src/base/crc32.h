/* CRC-32 (IEEE 802.3; zlib's). */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, which is 0 at first. */
uint32_t base_crc32(uint32_t crc, const void *bytes, size_t len);

#endif
