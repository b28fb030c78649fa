/* The log of adder/store.h: two halves, entries with a CRC, the head of a half written last.
 *
 * Half in use: the one with a whole head and the higher sequence. An entry that is not whole, or bytes that
 * are not erased, end the log there; behind it nothing can be programmed any more, so the next write copies
 * to the other half first. */
#include <string.h>

#include "adder/store.h"
#include "crc32.h"

enum { HEAD = 12, ENTRY = 8, CHANGE = 8, CHUNK = 32 };
#define ERASE_MARK UINT32_MAX
#define END_MARK UINT32_MAX

static const adder_flash_t *flash_of(const adder_store_log_t *log)
{
    return log->priv.flash;
}

static uint32_t half_size(const adder_store_log_t *log)
{
    return flash_of(log)->size / 2;
}

/* Whole program units. */
static uint32_t padded(const adder_store_log_t *log, uint32_t len)
{
    const uint32_t unit = flash_of(log)->unit;
    return (len + unit - 1) / unit * unit;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static adder_err_t read_at(const adder_store_log_t *log, uint32_t pos, void *buf, size_t len)
{
    return flash_of(log)->ops->read(flash_of(log)->ctx, log->priv.half + pos, buf, len);
}

/* ---- looking through a half ---- */

/* A change in the log. */
typedef struct {
    uint32_t entry_end; /* behind the entry that is looked at; 0 = at its begin */
    uint32_t at;        /* next change, or entry */
    uint32_t key, len, value;
    bool erase;
} walk_t;

static walk_t walk_begin(const adder_store_log_t *log)
{
    return (walk_t){.at = padded(log, HEAD)};
}

/* The next change. ADDER_ERR_NOT_FOUND: there is no more. */
static adder_err_t walk_next(const adder_store_log_t *log, walk_t *w)
{
    uint8_t head[CHANGE];
    adder_err_t err;
    if (w->entry_end == 0 || w->at == w->entry_end) {
        w->at = w->entry_end == 0 ? w->at : padded(log, w->entry_end);
        if (w->at >= log->priv.end) {
            return ADDER_ERR_NOT_FOUND;
        }
        if ((err = read_at(log, w->at, head, ENTRY)) != ADDER_OK) {
            return err;
        }
        w->entry_end = w->at + ENTRY + get32(head);
        w->at += ENTRY;
    }
    if (w->entry_end - w->at < CHANGE) {
        return ADDER_ERR_FORMAT; /* scan() has seen to it, unless the device changes by itself */
    }
    if ((err = read_at(log, w->at, head, CHANGE)) != ADDER_OK) {
        return err;
    }
    w->key = get32(head);
    w->len = get32(head + 4);
    w->erase = w->len == ERASE_MARK;
    w->len = w->erase ? 0 : w->len;
    w->value = w->at + CHANGE;
    if (w->len > w->entry_end - w->value) {
        return ADDER_ERR_FORMAT;
    }
    w->at = w->value + w->len;
    return ADDER_OK;
}

/* Does a later change take the place of this one? */
static adder_err_t is_stale(const adder_store_log_t *log, const walk_t *w, bool *stale_out)
{
    walk_t later = *w;
    adder_err_t err;
    while ((err = walk_next(log, &later)) == ADDER_OK) {
        if (later.key == w->key) {
            *stale_out = true;
            return ADDER_OK;
        }
    }
    *stale_out = false;
    return err == ADDER_ERR_NOT_FOUND ? ADDER_OK : err;
}

/* The next value that counts. */
static adder_err_t walk_live(const adder_store_log_t *log, walk_t *w)
{
    adder_err_t err;
    while ((err = walk_next(log, w)) == ADDER_OK) {
        bool stale = true;
        if (!w->erase && (err = is_stale(log, w, &stale)) != ADDER_OK) {
            return err;
        }
        if (!stale) {
            return ADDER_OK;
        }
    }
    return err;
}

/* The changes of an entry fill it exactly. */
static adder_err_t check_changes(adder_store_log_t *log, uint32_t entry, uint32_t len, bool *good_out)
{
    const uint32_t end = log->priv.end;
    walk_t w = {.at = entry};
    adder_err_t err;
    log->priv.end = entry + 1; /* this entry alone */
    do {
        err = walk_next(log, &w);
    } while (err == ADDER_OK && w.at < entry + ENTRY + len);
    log->priv.end = end;
    *good_out = err == ADDER_OK && w.at == entry + ENTRY + len;
    return err == ADDER_ERR_FORMAT ? ADDER_OK : err;
}

/* Is everything from `pos` to the end of the half erased? A program that was cut may have left any byte of
 * its unit, and bytes behind it say that this is no log of ours. */
static adder_err_t is_erased(const adder_store_log_t *log, uint32_t pos, bool *erased_out)
{
    const uint32_t size = half_size(log);
    *erased_out = true;
    while (pos < size && *erased_out) {
        uint8_t chunk[CHUNK];
        const uint32_t n = size - pos < CHUNK ? size - pos : CHUNK;
        const adder_err_t err = read_at(log, pos, chunk, n);
        if (err != ADDER_OK) {
            return err;
        }
        for (uint32_t i = 0; i < n; i++) {
            *erased_out = *erased_out && chunk[i] == 0xff;
        }
        pos += n;
    }
    return ADDER_OK;
}

/* Find the end of the half in use. */
static adder_err_t scan(adder_store_log_t *log)
{
    const uint32_t size = half_size(log);
    uint32_t pos = padded(log, HEAD);
    adder_err_t err;
    log->priv.torn = false;
    while (size - pos >= ENTRY) {
        uint8_t head[ENTRY], chunk[CHUNK];
        if ((err = read_at(log, pos, head, ENTRY)) != ADDER_OK) {
            return err;
        }
        const uint32_t len = get32(head);
        if (len == END_MARK && get32(head + 4) == END_MARK) {
            break;
        }
        bool good = len >= CHANGE && len <= size - pos - ENTRY;
        uint32_t crc = base_crc32(0, head, 4);
        for (uint32_t at = 0; good && at < len;) {
            const uint32_t n = len - at < CHUNK ? len - at : CHUNK;
            if ((err = read_at(log, pos + ENTRY + at, chunk, n)) != ADDER_OK) {
                return err;
            }
            crc = base_crc32(crc, chunk, n);
            at += n;
        }
        good = good && crc == get32(head + 4);
        if (good && (err = check_changes(log, pos, len, &good)) != ADDER_OK) {
            return err;
        }
        if (!good) {
            log->priv.torn = true;
            break;
        }
        pos += padded(log, ENTRY + len);
    }
    log->priv.end = pos > size ? size : pos;
    if (!log->priv.torn) {
        bool erased;
        if ((err = is_erased(log, log->priv.end, &erased)) != ADDER_OK) {
            return err;
        }
        log->priv.torn = !erased;
    }
    return ADDER_OK;
}

/* ---- appending ---- */

static adder_err_t program_unit(adder_store_log_t *log)
{
    const adder_flash_t *f = flash_of(log);
    const adder_err_t err = f->ops->program(f->ctx, log->priv.pos, f->buf, f->unit);
    log->priv.pos += f->unit;
    log->priv.in_buf = 0;
    return err;
}

static adder_err_t put_bytes(adder_store_log_t *log, const void *bytes, size_t len)
{
    const adder_flash_t *f = flash_of(log);
    const uint8_t *p = bytes;
    while (len > 0) {
        size_t n = (size_t)(f->unit - log->priv.in_buf);
        n = n < len ? n : len;
        memcpy(f->buf + log->priv.in_buf, p, n);
        log->priv.in_buf = (uint16_t)(log->priv.in_buf + n);
        p += n;
        len -= n;
        if (log->priv.in_buf == f->unit) {
            const adder_err_t err = program_unit(log);
            if (err != ADDER_OK) {
                return err;
            }
        }
    }
    return ADDER_OK;
}

static adder_err_t put_end(adder_store_log_t *log)
{
    const adder_flash_t *f = flash_of(log);
    if (log->priv.in_buf == 0) {
        return ADDER_OK;
    }
    memset(f->buf + log->priv.in_buf, 0xff, (size_t)(f->unit - log->priv.in_buf));
    return program_unit(log);
}

static adder_err_t sync_flash(const adder_store_log_t *log)
{
    const adder_flash_t *f = flash_of(log);
    return f->ops->sync != NULL ? f->ops->sync(f->ctx) : ADDER_OK;
}

/* The bytes of an entry, one after the other, to the CRC or to the device. */
typedef adder_err_t (*sink_fn)(adder_store_log_t *log, const void *bytes, size_t len);

static adder_err_t to_crc(adder_store_log_t *log, const void *bytes, size_t len)
{
    log->priv.crc = base_crc32(log->priv.crc, bytes, len);
    return ADDER_OK;
}

static adder_err_t pour(adder_store_log_t *log, const void *bytes, size_t len, sink_fn sink)
{
    return len > 0 ? sink(log, bytes, len) : ADDER_OK;
}

static adder_err_t pour_changes(adder_store_log_t *log, const adder_store_change_t *changes, size_t n,
                                sink_fn sink)
{
    adder_err_t err = ADDER_OK;
    for (size_t i = 0; i < n && err == ADDER_OK; i++) {
        const adder_store_change_t *c = &changes[i];
        uint8_t head[CHANGE];
        put32(head, c->key);
        put32(head + 4, c->erase ? ERASE_MARK : (uint32_t)(c->len + c->more_len));
        err = sink(log, head, CHANGE);
        if (err == ADDER_OK && !c->erase) {
            err = pour(log, c->bytes, c->len, sink);
        }
        if (err == ADDER_OK && !c->erase) {
            err = pour(log, c->more, c->more_len, sink);
        }
    }
    return err;
}

/* A value of the half in use, as an entry of its own. */
static adder_err_t pour_value(adder_store_log_t *log, const walk_t *w, sink_fn sink)
{
    uint8_t chunk[CHUNK];
    put32(chunk, w->key);
    put32(chunk + 4, w->len);
    adder_err_t err = sink(log, chunk, CHANGE);
    for (uint32_t at = 0; err == ADDER_OK && at < w->len;) {
        const uint32_t n = w->len - at < CHUNK ? w->len - at : CHUNK;
        err = read_at(log, w->value + at, chunk, n);
        if (err == ADDER_OK) {
            err = sink(log, chunk, n);
        }
        at += n;
    }
    return err;
}

static adder_err_t put_entry_head(adder_store_log_t *log, uint32_t len)
{
    uint8_t head[ENTRY];
    put32(head, len);
    put32(head + 4, log->priv.crc);
    return put_bytes(log, head, ENTRY);
}

static void begin_crc(adder_store_log_t *log, uint32_t len)
{
    uint8_t bytes[4];
    put32(bytes, len);
    log->priv.crc = base_crc32(0, bytes, 4);
}

/* The changes as an entry of `len` bytes at priv.pos. */
static adder_err_t put_changes(adder_store_log_t *log, const adder_store_change_t *changes, size_t n,
                               uint32_t len)
{
    begin_crc(log, len);
    adder_err_t err = pour_changes(log, changes, n, to_crc);
    err = err == ADDER_OK ? put_entry_head(log, len) : err;
    err = err == ADDER_OK ? pour_changes(log, changes, n, put_bytes) : err;
    return err == ADDER_OK ? put_end(log) : err;
}

/* ---- copying to the other half ---- */

/* The next value that counts and is not among the changes. */
static adder_err_t walk_kept(const adder_store_log_t *log, walk_t *w, const adder_store_change_t *changes,
                             size_t n)
{
    adder_err_t err;
    bool changes_it;
    do {
        err = walk_live(log, w);
        changes_it = false;
        for (size_t i = 0; err == ADDER_OK && i < n; i++) {
            changes_it = changes_it || changes[i].key == w->key;
        }
    } while (changes_it);
    return err;
}

static adder_err_t kept_bytes(const adder_store_log_t *log, const adder_store_change_t *changes, size_t n,
                              uint32_t *out)
{
    walk_t w = walk_begin(log);
    adder_err_t err;
    *out = padded(log, HEAD);
    while ((err = walk_kept(log, &w, changes, n)) == ADDER_OK) {
        *out += padded(log, ENTRY + CHANGE + w.len);
    }
    return err == ADDER_ERR_NOT_FOUND ? ADDER_OK : err;
}

static adder_err_t copy_values(adder_store_log_t *log, const adder_store_change_t *changes, size_t n)
{
    walk_t w = walk_begin(log);
    adder_err_t err;
    while ((err = walk_kept(log, &w, changes, n)) == ADDER_OK) {
        begin_crc(log, CHANGE + w.len);
        err = pour_value(log, &w, to_crc);
        err = err == ADDER_OK ? put_entry_head(log, CHANGE + w.len) : err;
        err = err == ADDER_OK ? pour_value(log, &w, put_bytes) : err;
        err = err == ADDER_OK ? put_end(log) : err;
        if (err != ADDER_OK) {
            return err;
        }
    }
    return err == ADDER_ERR_NOT_FOUND ? ADDER_OK : err;
}

static adder_err_t write_half_head(adder_store_log_t *log, uint32_t half)
{
    uint8_t head[HEAD];
    memcpy(head, "ADLG", 4);
    put32(head + 4, log->priv.sequence + 1);
    put32(head + 8, base_crc32(0, head, 8));
    log->priv.pos = half;
    log->priv.in_buf = 0;
    const adder_err_t err = put_bytes(log, head, HEAD);
    return err == ADDER_OK ? put_end(log) : err;
}

/* What lives, with the changes made: nothing of it counts before the head is there. */
static adder_err_t copy_half(adder_store_log_t *log, const adder_store_change_t *changes, size_t n,
                             uint32_t len)
{
    const adder_flash_t *f = flash_of(log);
    const uint32_t other = log->priv.half == 0 ? half_size(log) : 0;
    adder_err_t err = f->ops->erase(f->ctx, other, half_size(log));
    log->priv.pos = other + padded(log, HEAD);
    log->priv.in_buf = 0;
    err = err == ADDER_OK ? copy_values(log, changes, n) : err;
    err = err == ADDER_OK && len > 0 ? put_changes(log, changes, n, len) : err;
    const uint32_t end = log->priv.pos - other;
    err = err == ADDER_OK ? sync_flash(log) : err;
    err = err == ADDER_OK ? write_half_head(log, other) : err;
    err = err == ADDER_OK ? sync_flash(log) : err;
    if (err == ADDER_OK) {
        log->priv.half = other;
        log->priv.sequence++;
        log->priv.end = end;
        log->priv.torn = false;
    }
    return err;
}

static adder_err_t append(adder_store_log_t *log, const adder_store_change_t *changes, size_t n, uint32_t len)
{
    log->priv.pos = log->priv.half + log->priv.end;
    log->priv.in_buf = 0;
    log->priv.torn = true; /* until it is whole */
    adder_err_t err = put_changes(log, changes, n, len);
    err = err == ADDER_OK ? sync_flash(log) : err;
    if (err == ADDER_OK) {
        log->priv.torn = false;
        log->priv.end += padded(log, ENTRY + len);
    }
    return err;
}

/* ---- the seam ---- */

static adder_err_t log_write(void *ctx, const adder_store_change_t *changes, size_t n)
{
    adder_store_log_t *log = ctx;
    const uint32_t size = half_size(log);
    uint32_t len = 0, kept;
    bool puts = false;
    for (size_t i = 0; i < n; i++) {
        const size_t value = changes[i].erase ? 0 : changes[i].len + changes[i].more_len;
        if (value > size || len > size) {
            return ADDER_ERR_NOSPACE;
        }
        len += CHANGE + (uint32_t)value;
        puts = puts || !changes[i].erase;
    }
    if (n == 0) {
        return ADDER_OK;
    }
    if (!log->priv.torn && padded(log, ENTRY + len) <= size - log->priv.end) {
        return append(log, changes, n, len);
    }
    const uint32_t need = puts ? padded(log, ENTRY + len) : 0; /* what is erased is just not copied */
    const adder_err_t err = kept_bytes(log, changes, n, &kept);
    if (err != ADDER_OK) {
        return err;
    }
    return kept > size || need > size - kept ? ADDER_ERR_NOSPACE : copy_half(log, changes, n, puts ? len : 0);
}

static adder_err_t log_read(void *ctx, uint32_t key, size_t offset, void *buf, size_t cap, size_t *len_out)
{
    const adder_store_log_t *log = ctx;
    walk_t w = walk_begin(log), found = {.erase = true};
    adder_err_t err;
    while ((err = walk_next(log, &w)) == ADDER_OK) {
        if (w.key == key) {
            found = w;
        }
    }
    if (err != ADDER_ERR_NOT_FOUND) {
        return err;
    }
    *len_out = found.len;
    if (found.erase) {
        return ADDER_ERR_NOT_FOUND;
    }
    const size_t left = offset < found.len ? found.len - offset : 0;
    const size_t n = cap < left ? cap : left;
    return n > 0 ? read_at(log, found.value + (uint32_t)offset, buf, n) : ADDER_OK;
}

static adder_err_t log_next(void *ctx, uint32_t *cursor, uint32_t *key_out, size_t *len_out)
{
    const adder_store_log_t *log = ctx;
    walk_t w = walk_begin(log);
    adder_err_t err;
    while ((err = walk_next(log, &w)) == ADDER_OK) {
        bool stale = true;
        if (w.at <= *cursor || w.erase) {
            continue;
        }
        if ((err = is_stale(log, &w, &stale)) != ADDER_OK) {
            return err;
        }
        if (!stale) {
            *cursor = w.at;
            *key_out = w.key;
            *len_out = w.len;
            return ADDER_OK;
        }
    }
    return err;
}

adder_store_t adder_store_log(adder_store_log_t *log)
{
    static const adder_store_ops_t ops = {log_write, log_read, log_next};
    return (adder_store_t){&ops, log};
}

adder_err_t adder_store_log_space(adder_store_log_t *log, uint32_t *free_out, uint32_t *live_out)
{
    *free_out = log->priv.torn ? 0 : half_size(log) - log->priv.end;
    return kept_bytes(log, NULL, 0, live_out);
}

adder_err_t adder_store_log_open(adder_store_log_t *log, const adder_flash_t *flash)
{
    memset(log, 0, sizeof *log);
    if (flash->unit == 0 || flash->unit > 256 || flash->block == 0 || flash->block % flash->unit != 0 ||
        flash->size == 0 || flash->size % 2 != 0 || flash->size / 2 % flash->block != 0 ||
        flash->size / 2 < 64 || flash->buf == NULL) {
        return ADDER_ERR_ARG;
    }
    log->priv.flash = flash;
    bool found = false;
    for (uint32_t half = 0; half < flash->size; half += flash->size / 2) {
        uint8_t head[HEAD];
        const adder_err_t err = flash->ops->read(flash->ctx, half, head, HEAD);
        if (err != ADDER_OK) {
            return err;
        }
        const uint32_t sequence = get32(head + 4);
        if (memcmp(head, "ADLG", 4) == 0 && get32(head + 8) == base_crc32(0, head, 8) &&
            (!found || (int32_t)(sequence - log->priv.sequence) > 0)) {
            log->priv.half = half;
            log->priv.sequence = sequence;
            found = true;
        }
    }
    if (found) {
        return scan(log);
    }
    log->priv.half = flash->size / 2; /* the first write copies nothing from it to the other */
    log->priv.torn = true;
    return ADDER_OK;
}
