/* Any bytes as an address: the invariants of adder/ip.h. */
#include <stdlib.h>
#include <string.h>

#include "adder/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

static void round_trip(const adder_ip_t *ip)
{
    char text[ADDER_IP_TEXT], again[ADDER_IP_TEXT], end[ADDER_ENDPOINT_TEXT];
    adder_ip_t back;
    size_t n = adder_ip_print(ip, text, sizeof text);
    check(n > 0 && n == strlen(text)); /* 2 */
    check(adder_ip_parse(text, n, &back) == ADDER_OK && adder_ip_equal(ip, &back));
    check(adder_ip_print(&back, again, sizeof again) == n && strcmp(text, again) == 0); /* 3 */
    adder_endpoint_t e = {*ip, 65535};
    check(adder_endpoint_print(&e, end, sizeof end) > n);
    for (size_t cap = 0; cap <= n; cap++)
        check(adder_ip_print(ip, again, cap) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size > 0 ? size : 1); /* an exact copy: the sanitizer sees a read past it (1) */
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    adder_ip_t ip, before;
    memset(&ip, 0xa5, sizeof ip);
    before = ip;
    if (adder_ip_parse(text, size, &ip) == ADDER_OK) {
        round_trip(&ip);
        adder_ip_t plain = adder_ip_unmap(&ip);
        round_trip(&plain);
    } else {
        check(memcmp(&ip, &before, sizeof ip) == 0); /* 4 */
    }
    free(text);
    if (size >= 16) {
        ip = adder_ip_v6(data);
        round_trip(&ip);
    }
    return 0;
}
