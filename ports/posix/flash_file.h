/* A file as the device of a store's log (adder/store.h).
 *
 *     adder_posix_flash_t f;
 *     err = adder_posix_flash_open(&f, "session.log", 64 * 1024);
 *     err = adder_store_log_open(&log, &f.flash);
 *     ...
 *     adder_posix_flash_close(&f);
 *
 * The file is made if it is not there, and has that size from then on. What is written is synced to the disk
 * before a write is reported done. One process at a time: the file is locked.
 *
 * Threading: one thread at a time. RAM: 80 bytes; 1 descriptor. */
#ifndef ADDER_POSIX_FLASH_FILE_H
#define ADDER_POSIX_FLASH_FILE_H

#include "adder/store.h"

typedef struct {
    adder_flash_t flash; /* for adder_store_log_open(); borrowed by the log */
    struct {
        int fd;
        uint8_t buf[16];
    } priv;
} adder_posix_flash_t;

/* `size`: a multiple of 8192. The struct must not move while it is open.
 * ADDER_ERR_ARG: size; IN_USE: another process has it; NO_FILE, READ_ONLY, IO: as the system says. */
adder_err_t adder_posix_flash_open(adder_posix_flash_t *f, const char *path, uint32_t size) ADDER_MUST_USE;
void adder_posix_flash_close(adder_posix_flash_t *f);

#endif
