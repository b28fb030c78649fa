/* Arbitrary bytes as a network configuration. Invariants: refused with a message or accepted, and
 * what was accepted holds its limits and can be asked anything. */
#include <stdlib.h>
#include <string.h>

#include "sim/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(expr)                                                                                          \
    do {                                                                                                     \
        if (!(expr))                                                                                         \
            abort();                                                                                         \
    } while (0)

static void use(sim_network_t *net)
{
    CHECK(net->ap_count <= SIM_NETWORK_APS_MAX && net->host_count <= SIM_NETWORK_HOSTS_MAX);
    CHECK(net->speed >= 0.01 && net->speed <= 1000);
    for (size_t i = 0; i < net->ap_count; i++) {
        const size_t len = strlen(net->aps[i].ssid);
        CHECK(len >= 1 && len <= 32 && strlen(net->aps[i].password) <= 64);
        CHECK(net->aps[i].channel >= 1 && net->aps[i].channel <= 14);
        (void)sim_network_find_ap(net, net->aps[i].ssid, len);
    }
    for (size_t i = 0; i < net->host_count; i++) {
        uint8_t ip[4];
        sim_endpoint_t e;
        CHECK(sim_network_resolve(net, net->hosts[i].name, ip) == ADDER_OK);
        const uint16_t port = net->hosts[i].port != 0 ? net->hosts[i].port : 80;
        CHECK(sim_network_route(net, ip, port, &e) == ADDER_OK);
    }
    (void)sim_network_listen_port(net, 80);
    (void)sim_network_time(net, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char msg[64];
    memset(msg, 'x', sizeof msg);
    sim_network_t *net = sim_network_load((const char *)data, size, "network.json", msg, sizeof msg);
    if (net == NULL) {
        CHECK(memchr(msg, '\0', sizeof msg) != NULL && strncmp(msg, "network.json", 12) == 0);
        return 0;
    }
    use(net);
    sim_network_destroy(net);
    return 0;
}
