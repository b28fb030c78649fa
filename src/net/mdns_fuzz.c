/* Any datagrams to a device that searches and answers: the invariants of adder/mdns.h.
 *
 * Datagrams, each behind three bytes: the length in two, then time (milliseconds * 8) with the top bit for a
 * sender's port that is not multicast DNS's. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adder/mdns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FOUND = 3, CANARY = 0x5A };

static void check(bool kept)
{
    if (!kept)
        abort();
}

static uint32_t next_random(void *ctx)
{
    return (*(uint32_t *)ctx)++;
}

static void check_found(const adder_mdns_t *m, const adder_mdns_found_t *found)
{
    check(m->n_found <= FOUND); /* 2 */
    for (size_t i = 0; i < m->n_found; i++) {
        check(memchr(found[i].instance, 0, sizeof found[i].instance) != NULL && found[i].instance[0] != '\0');
        check(memchr(found[i].host, 0, sizeof found[i].host) != NULL);
        for (size_t k = 0; k < i; k++)
            check(strcasecmp(found[i].instance, found[k].instance) != 0);
    }
    check(found[FOUND].port == CANARY);
}

static void drain(adder_mdns_t *m, adder_mdns_t *reader, const adder_endpoint_t *self, uint32_t now_ms)
{
    for (unsigned n = 0; n < 64; n++) {
        uint8_t *out = malloc(ADDER_MDNS_MESSAGE); /* 3: the sanitizer sees a byte too many */
        size_t len;
        adder_endpoint_t to;
        const adder_err_t err =
            out == NULL ? ADDER_ERR_AGAIN : adder_mdns_out(m, out, ADDER_MDNS_MESSAGE, &len, &to, now_ms);
        if (err == ADDER_OK && reader != NULL)
            adder_mdns_in(reader, self, out, len, now_ms);
        free(out);
        if (err == ADDER_ERR_AGAIN)
            return;
        check(err == ADDER_OK);
    }
    check(false); /* it never ends */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char txt[] = "\3a=b";
    adder_mdns_service_t services[2];
    adder_mdns_found_t found[FOUND + 1] = {0};
    adder_mdns_t m, reader;
    uint32_t seed = 1, now_ms = 4294960000u; /* the clock wraps on the way */
    const adder_endpoint_t self = {.ip = adder_ip_v4(10, 0, 0, 1), .port = ADDER_MDNS_PORT};
    found[FOUND].port = CANARY;
    adder_mdns_init(&m, services, 2, next_random, &seed);
    adder_mdns_init(&reader, NULL, 0, next_random, &seed);
    check(adder_mdns_set_host(&m, "board", &self.ip, now_ms) == ADDER_OK);
    check(adder_mdns_advertise(&m, "_http", "_tcp", 80, (const uint8_t *)txt, sizeof txt - 1, now_ms) ==
          ADDER_OK);
    check(adder_mdns_find(&m, "_http", "_tcp", found, FOUND, 5000, now_ms) == ADDER_OK);
    while (size >= 3) {
        size_t len = (size_t)data[0] << 8 | data[1];
        now_ms += (data[2] & 0x7Fu) * 8;
        const adder_endpoint_t from = {.ip = adder_ip_v4(10, 0, 0, 2),
                                       .port = (uint16_t)((data[2] & 0x80) != 0 ? 1024 : ADDER_MDNS_PORT)};
        data += 3;
        size -= 3;
        len = len < size ? len : size;
        uint8_t *bytes = malloc(len > 0 ? len : 1); /* 1: exactly its size */
        if (bytes == NULL)
            break;
        if (len > 0)
            memcpy(bytes, data, len);
        adder_mdns_in(&m, &from, bytes, len, now_ms);
        free(bytes);
        data += len;
        size -= len;
        check_found(&m, found);
        uint32_t wait_ms;
        const adder_err_t err = adder_mdns_tick(&m, now_ms, &wait_ms);
        check(err == ADDER_OK || err == ADDER_ERR_AGAIN);
        drain(&m, &reader, &self, now_ms);
    }
    drain(&m, &reader, &self, now_ms + 1000);
    return 0;
}
