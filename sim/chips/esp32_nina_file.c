/* Commands 60h to 67h: a small SPIFFS volume under /fs, with the firmware's irregular replies. A reply is
 * what the handler's return value makes of it: 0 is the error frame, -1 a frame of no bytes, anything else
 * the place of END. The volume is kept while the board is there: flash outlives a reset.
 *
 * Names are paths: "/fs/a". Parameters: offset, length, name, data. */
#include <string.h>

#include "sim/chips/esp32_nina_handlers.h"

enum { E_NOENT = 2 };

static nina_file_t *find(nina_t *n, const char *name)
{
    for (int i = 0; i < NINA_FILES; i++) {
        if (n->files[i].name[0] != '\0' && strcmp(n->files[i].name, name) == 0) {
            return &n->files[i];
        }
    }
    return NULL;
}

static nina_file_t *create(nina_t *n, const char *name)
{
    nina_file_t *f = find(n, name);
    for (int i = 0; f == NULL && i < NINA_FILES && strncmp(name, "/fs/", 4) == 0; i++) {
        if (n->files[i].name[0] == '\0') {
            f = &n->files[i];
            f->size = 0;
            strcpy(f->name, name);
        }
    }
    return f;
}

typedef struct {
    uint32_t offset, length;
    char name[33];
    size_t data; /* where in the command */
} request_t;

/* Two numbers into four bytes each, a name into 33: longer ones overrun the stack. */
static bool read_request(nina_t *n, request_t *r)
{
    const size_t first = nina_u8(n, 3), second = nina_u8(n, 4u + first), at = 5u + first + second;
    if (first > 4 || second > 4) {
        sim_chip_log(&n->chip, "%s: a number of more than 4 bytes overruns the firmware's stack",
                     n->command->name);
        return false;
    }
    r->offset = first == 4 ? nina_u32le(n, 4) : nina_u8(n, 4);
    r->length = second == 4 ? nina_u32le(n, 5u + first) : nina_u8(n, 5u + first);
    r->data = at + 2u + nina_u8(n, at);
    return nina_text(n, at, r->name, 32);
}

/* Returning -1: END goes two bytes before the buffer, and nothing is sent. */
static nina_result_t reply_nothing(nina_t *n)
{
    sim_chip_log(&n->chip, "%s: no such file: the firmware's reply has no bytes", n->command->name);
    n->tx_len = 0;
    return NINA_RAW;
}

/* Returning a length: END is its last byte, over whatever is there. */
static nina_result_t reply_length(nina_t *n, size_t length)
{
    n->tx_len = length;
    return length == 0 ? NINA_ERROR : NINA_RAW;
}

/* Opened to append: the offset has no effect. The reply's length is the count of bytes written. */
nina_result_t nina_write_file(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    request_t r;
    if (!read_request(n, &r)) {
        return NINA_CRASH;
    }
    nina_file_t *f = create(n, r.name);
    if (f == NULL) {
        return reply_nothing(n);
    }
    const size_t room = (size_t)(NINA_FILE_MAX - f->size);
    const size_t take = r.length < room ? r.length : room;
    nina_bytes(n, r.data, f->bytes + f->size, take);
    f->size = (uint16_t)(f->size + take);
    if (take > NINA_BUF) {
        return NINA_CRASH;
    }
    nina_reply(n, 0);
    return reply_length(n, take);
}

nina_result_t nina_read_file(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    request_t r;
    if (!read_request(n, &r)) {
        return NINA_CRASH;
    }
    const nina_file_t *f = find(n, r.name);
    if (f == NULL) {
        return reply_nothing(n);
    }
    if (r.length > NINA_BUF - 5) {
        sim_chip_log(&n->chip, "read_file: %u bytes overrun the reply buffer", r.length);
        return NINA_CRASH;
    }
    nina_reply(n, 1);
    n->tx[3] = (uint8_t)r.length; /* its low byte */
    for (uint32_t i = 0; i < r.length && r.offset < f->size && i < f->size - r.offset; i++) {
        n->tx[4 + i] = f->bytes[r.offset + i];
    }
    return reply_length(n, r.length + 5);
}

/* An error frame whether it was deleted or not. */
nina_result_t nina_delete_file(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    request_t r;
    if (!read_request(n, &r)) {
        return NINA_CRASH;
    }
    nina_file_t *f = find(n, r.name);
    if (f != NULL) {
        f->name[0] = '\0';
    }
    return NINA_ERROR;
}

/* END comes one byte late. */
nina_result_t nina_exists_file(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    request_t r;
    if (!read_request(n, &r)) {
        return NINA_CRASH;
    }
    const nina_file_t *f = find(n, r.name);
    const uint32_t size = f != NULL ? f->size : 0xFFFFFFFFu;
    nina_reply(n, 1);
    n->tx[3] = 4;
    for (unsigned i = 0; i < 4; i++) {
        n->tx[4 + i] = (uint8_t)(size >> (8 * i));
    }
    return reply_length(n, 10);
}

/* Creates the file and answers the error frame. Nothing is fetched here. */
nina_result_t nina_download_file(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    char url[65], name[65], path[69] = "/fs/";
    if (!nina_text(n, 3, url, 64) || !nina_text(n, 4u + nina_u8(n, 3), name, 60)) {
        return NINA_CRASH;
    }
    strcpy(path + 4, name);
    nina_file_t *f = create(n, path);
    if (f != NULL) {
        f->size = 0;
    }
    sim_chip_log(&n->chip, "download_file: downloads are not modelled: \"%s\" is left empty", path);
    return NINA_ERROR;
}

nina_result_t nina_rename_file(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    char from[65], to[65];
    if (!nina_text(n, 3, from, 64) || !nina_text(n, 4u + nina_u8(n, 3), to, 64)) {
        return NINA_CRASH;
    }
    nina_file_t *f = find(n, from), *old = find(n, to);
    if (f == NULL || strncmp(to, "/fs/", 4) != 0) {
        return nina_reply_u8(n, E_NOENT);
    }
    if (old != NULL && old != f) {
        old->name[0] = '\0';
    }
    strcpy(f->name, to);
    return nina_reply_u8(n, 0);
}
