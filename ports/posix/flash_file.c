/* A file as a flash device: see the header. */
#include "ports/posix/flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096, UNIT = 16 };

static adder_err_t from_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return ADDER_ERR_NO_FILE;
    case EACCES:
    case EROFS:
        return ADDER_ERR_READ_ONLY;
    case EWOULDBLOCK:
        return ADDER_ERR_IN_USE;
    default:
        return ADDER_ERR_IO;
    }
}

static adder_err_t file_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    const adder_posix_flash_t *f = ctx;
    for (uint8_t *p = buf; len > 0;) {
        const ssize_t n = pread(f->priv.fd, p, len, (off_t)at);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return ADDER_ERR_IO;
        }
        const size_t got = n > 0 ? (size_t)n : 0;
        p += got;
        at += (uint32_t)got;
        len -= got;
    }
    return ADDER_OK;
}

static adder_err_t file_program(void *ctx, uint32_t at, const void *bytes, size_t len)
{
    const adder_posix_flash_t *f = ctx;
    for (const uint8_t *p = bytes; len > 0;) {
        const ssize_t n = pwrite(f->priv.fd, p, len, (off_t)at);
        if (n < 0 && errno != EINTR) {
            return ADDER_ERR_IO;
        }
        const size_t done = n > 0 ? (size_t)n : 0;
        p += done;
        at += (uint32_t)done;
        len -= done;
    }
    return ADDER_OK;
}

static adder_err_t file_erase(void *ctx, uint32_t at, uint32_t len)
{
    uint8_t block[BLOCK];
    memset(block, 0xff, sizeof block);
    adder_err_t err = ADDER_OK;
    for (uint32_t end = at + len; at < end && err == ADDER_OK; at += BLOCK) {
        err = file_program(ctx, at, block, BLOCK);
    }
    return err;
}

static adder_err_t file_sync(void *ctx)
{
    const adder_posix_flash_t *f = ctx;
    return fdatasync(f->priv.fd) == 0 ? ADDER_OK : ADDER_ERR_IO;
}

adder_err_t adder_posix_flash_open(adder_posix_flash_t *f, const char *path, uint32_t size)
{
    static const adder_flash_ops_t ops = {file_read, file_program, file_erase, file_sync};
    struct stat st;
    memset(f, 0, sizeof *f);
    f->priv.fd = -1;
    if (size == 0 || size % (2 * BLOCK) != 0) {
        return ADDER_ERR_ARG;
    }
    f->flash = (adder_flash_t){&ops, f, size, BLOCK, UNIT, f->priv.buf};
    f->priv.fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* it may hold what nobody else should read */
    if (f->priv.fd < 0) {
        return from_errno();
    }
    adder_err_t err = ADDER_OK;
    if (flock(f->priv.fd, LOCK_EX | LOCK_NB) != 0 || fstat(f->priv.fd, &st) != 0) {
        err = from_errno();
    } else if (st.st_size < (off_t)size) { /* new, or cut: what is missing is as if erased */
        const uint32_t whole = (uint32_t)st.st_size / BLOCK * BLOCK;
        err = file_erase(f, whole, size - whole);
    }
    if (err != ADDER_OK) {
        adder_posix_flash_close(f);
    }
    return err;
}

void adder_posix_flash_close(adder_posix_flash_t *f)
{
    if (f->priv.fd >= 0) {
        close(f->priv.fd);
        f->priv.fd = -1;
    }
}
