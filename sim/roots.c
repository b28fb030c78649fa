/* The certificates a simulated microcontroller trusts by itself: where firmware has a bundle, it has the
 * store of this computer and the "ca" files of its network. */
#include "sim/sim_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/network.h"

enum { STORE_BYTES_MAX = 8 << 20 };

static bool give(const char *path, adder_mcu_take_fn take, void *take_ctx)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    uint8_t *bytes = NULL;
    long size = -1;
    if (fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    rewind(file);
    bool ok = size > 0 && size <= STORE_BYTES_MAX && (bytes = malloc((size_t)size)) != NULL &&
              fread(bytes, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    if (ok)
        take(take_ctx, bytes, (size_t)size);
    free(bytes);
    return ok;
}

void sim_roots(void *ctx, adder_mcu_take_fn take, void *take_ctx)
{
    static const char *const stores[] = {"/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    sim_board_t *b = ctx;
    bool system = false;
    for (size_t i = 0; !system && i < sizeof stores / sizeof stores[0]; i++)
        system = give(stores[i], take, take_ctx);
    for (size_t i = 0; i < b->network->ca_count; i++) { /* fixed since the board was opened */
        if (!give(b->network->cas[i], take, take_ctx))
            sim_board_log(b, "mcu", "network.ca: cannot read %s", b->network->cas[i]);
    }
    if (!system && b->network->ca_count == 0)
        sim_board_log(b, "mcu",
                      "no certificates to trust: install ca-certificates or set \"ca\" of the network");
}
