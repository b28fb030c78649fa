/* Files of this computer as the devices of a store's log. */
#include "sim/sim_int.h"

#include <stdlib.h>

#include "ports/posix/flash_file.h"

static adder_err_t open_flash(void *ctx, const char *path, uint32_t size, const adder_flash_t **flash_out)
{
    (void)ctx;
    adder_posix_flash_t *f = malloc(sizeof *f);
    if (f == NULL)
        return ADDER_ERR_NOMEM;
    const adder_err_t err = adder_posix_flash_open(f, path, size);
    if (err != ADDER_OK)
        free(f);
    else
        *flash_out = &f->flash;
    return err;
}

static void close_flash(void *ctx, const adder_flash_t *flash)
{
    (void)ctx;
    adder_posix_flash_t *f = flash->ctx; /* as adder_posix_flash_open() has it */
    adder_posix_flash_close(f);
    free(f);
}

const adder_mcu_file_ops_t sim_files = {open_flash, close_flash};
