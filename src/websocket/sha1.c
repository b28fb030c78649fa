/* SHA-1 (FIPS 180-4) of short texts, and base64: what the handshake's key and its answer are made with. */
#include <string.h>

#include "websocket_int.h"

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void add_block(uint32_t h[5], const uint8_t block[64])
{
    uint32_t w[16], v[5];
    for (unsigned i = 0; i < 16; i++) {
        const uint8_t *p = block + 4 * i;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    memcpy(v, h, sizeof v);
    for (unsigned i = 0; i < 80; i++) {
        if (i >= 16) {
            w[i & 15] = rotate(w[(i + 13) & 15] ^ w[(i + 8) & 15] ^ w[(i + 2) & 15] ^ w[i & 15], 1);
        }
        static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
        const uint32_t f = i < 20              ? (v[1] & v[2]) | (~v[1] & v[3])
                           : i < 40 || i >= 60 ? v[1] ^ v[2] ^ v[3]
                                               : (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3]);
        const uint32_t t = rotate(v[0], 5) + f + v[4] + k[i / 20] + w[i & 15];
        v[4] = v[3];
        v[3] = v[2];
        v[2] = rotate(v[1], 30);
        v[1] = v[0];
        v[0] = t;
    }
    for (unsigned i = 0; i < 5; i++) {
        h[i] += v[i];
    }
}

void websocket_sha1(const void *bytes, size_t len, uint8_t out[20])
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *p = bytes;
    uint8_t block[64];
    size_t left = len;
    for (; left >= 64; left -= 64, p += 64) {
        add_block(h, p);
    }
    memset(block, 0, sizeof block);
    memcpy(block, p, left);
    block[left] = 0x80;
    if (left >= 56) {
        add_block(h, block);
        memset(block, 0, sizeof block);
    }
    for (unsigned i = 0; i < 4; i++) {
        block[60 + i] = (uint8_t)((uint32_t)len * 8 >> (24 - 8 * i));
    }
    add_block(h, block);
    for (unsigned i = 0; i < 20; i++) {
        out[i] = (uint8_t)(h[i / 4] >> (24 - i % 4 * 8));
    }
}

void websocket_base64(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        const uint32_t v = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
                           (i + 2 < len ? bytes[i + 2] : 0u);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[v & 63] : '=';
    }
}
