/* Any bytes as what the chip says, to any command, with READY that does not always move: every command
 * ends, nothing is written beyond the caller's buffer, results stay in their bounds. */
#include "src/airlift/airlift_fuzz.h"

static adder_err_t transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx, (void)wr, (void)fill;
    for (size_t i = 0; rd != NULL && i < len; i++) {
        rd[i] = next();
    }
    return ADDER_OK;
}

static adder_err_t begin(adder_airlift_t *a, uint8_t what, uint8_t *out, size_t cap)
{
    static adder_err_t (*const plain[])(adder_airlift_t *) = {
        adder_airlift_begin_temperature, adder_airlift_begin_dns,        adder_airlift_begin_reason,
        adder_airlift_begin_status,      adder_airlift_begin_ip,         adder_airlift_begin_mac,
        adder_airlift_begin_ssid,        adder_airlift_begin_encryption, adder_airlift_begin_version,
        adder_airlift_begin_time,        adder_airlift_begin_resolved,   adder_airlift_begin_socket,
        adder_airlift_begin_start};
    switch (what % 20) {
    case 13:
        return adder_airlift_begin_scan(a, out, cap);
    case 14:
        return adder_airlift_begin_recv(a, what % 3, out, cap);
    case 15:
        return adder_airlift_begin_remote(a, 0);
    case 16:
        return adder_airlift_begin_send(a, what % 3, out, cap);
    case 17:
        return adder_airlift_begin_scanned_encryption(a, 1);
    case 18:
        return adder_airlift_begin_stop(a, what % 3);
    case 19:
        return adder_airlift_begin_ping(a, (const uint8_t[]){1, 2, 3, 4}, 9);
    default:
        return plain[what % 20](a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const adder_spi_ops_t spi = {configure, transfer};
    fuzz_begin(NULL, 0);
    adder_airlift_t a;
    const adder_airlift_config_t c = {.spi = {&spi, NULL}, .cs = {&pins, NULL, 0}, .ready = {&pins, NULL, 1}};
    if (adder_airlift_init(&a, &c) != ADDER_OK || adder_airlift_begin_start(&a) != ADDER_OK) {
        abort();
    }
    in = data;
    left = size;
    uint64_t now = 0;
    for (unsigned commands = 0; commands < 64; commands++) {
        const size_t cap = commands == 0 ? 1 : (size_t)next() * 17;
        uint8_t *out = calloc(1, cap > 0 ? cap : 1);
        if (out == NULL) {
            return 0;
        }
        const uint8_t what = next();
        if (commands == 0 || begin(&a, what, out, cap) == ADDER_OK) {
            stuck = what >= 200 ? what % 8u : 0;
            adder_err_t err;
            unsigned ticks = 0;
            while ((err = adder_airlift_tick(&a, now)) == ADDER_ERR_AGAIN) {
                now = adder_airlift_due_us(&a) > now ? adder_airlift_due_us(&a) : now + 1;
                if (++ticks > 1000) {
                    abort();
                }
            }
            if (err == ADDER_OK && ((commands > 0 && what % 20 == 14 && a.result.len > cap) ||
                                    (a.result.text != NULL && a.result.len > 255))) {
                abort();
            }
        }
        free(out);
        if (left == 0) {
            break;
        }
        ready = false;
    }
    return 0;
}
