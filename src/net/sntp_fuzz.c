/* Any datagrams as replies: the invariants of adder/sntp.h. Records of a head byte (bit 0: our number is put
 * in; the rest: time that passes) and up to 52 bytes. */
#include <stdlib.h>
#include <string.h>

#include "adder/sntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

static uint32_t next_number(void *ctx)
{
    return *(uint32_t *)ctx = *(uint32_t *)ctx * 1664525 + 1013904223;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t seed = 1, wait, now = 0xffff0000, last_ms[2] = {0};
    bool asked[2] = {false};
    const int64_t not_before_s = 1735689600;
    adder_sntp_config_t config = {.n_servers = 2, .poll_s = 1, .timeout_ms = 1};
    adder_sntp_t s;
    uint8_t request[ADDER_SNTP_PACKET] = {0}; /* the last one: its reply may come later */
    int64_t unix_ms;
    adder_sntp_init(&s, &config, next_number, &seed, now);
    while (size > 0) {
        uint8_t head = *data++;
        size_t len = --size < 52 ? size : 52;
        adder_err_t err = adder_sntp_tick(&s, now, &wait);
        check((err == ADDER_OK) == (adder_sntp_time(&s, now, &unix_ms) == ADDER_OK));
        bool sent = adder_sntp_out(&s, request, now) == ADDER_OK;
        check(sent == (wait == 0));
        if (sent) {
            unsigned server = adder_sntp_server(&s);
            check(server < 2 && (!asked[server] || now - last_ms[server] >= ADDER_SNTP_MIN_S * 1000)); /* 4 */
            asked[server] = true;
            last_ms[server] = now;
        }
        uint8_t *bytes = malloc(len > 0 ? len : 1); /* exactly its size (1) */
        if (bytes == NULL)
            return 0;
        if (len > 0)
            memcpy(bytes, data, len);
        if (sent && (head & 1) != 0 && len >= 32)
            memcpy(bytes + 24, request + 40, 8);
        adder_sntp_t before = s;
        bool ours = adder_sntp_in(&s, bytes, len, now);
        if (!ours)
            check(memcmp(&s, &before, sizeof s) == 0); /* 2 */
        if (ours)
            check(len >= 48 && memcmp(bytes + 24, request + 40, 8) == 0);
        if (s.info.replies > before.info.replies) { /* 3 */
            check(adder_sntp_time(&s, now, &unix_ms) == ADDER_OK);
            check(unix_ms >= not_before_s * 1000 && unix_ms < (not_before_s + 4294967296 + 1) * 1000);
        }
        free(bytes);
        data += len;
        size -= len;
        if (adder_sntp_tick(&s, now, &wait) != ADDER_ERR_REFUSED && wait != UINT32_MAX)
            now += (head >> 1) % 4 == 0 ? wait : wait / 2;
    }
    return 0;
}
