/* What survives power: small records under a number. And a log that keeps them on any flash or in a file.
 *
 *     adder_store_log_t log;
 *     err = adder_store_log_open(&log, &flash);               // finds what is there
 *     adder_store_t store = adder_store_log(&log);
 *     adder_store_change_t c[2] = {{.key = 7, .bytes = value, .len = n}, {.key = 8, .erase = true}};
 *     err = store.ops->write(store.ctx, c, 2);                // both, or neither
 *
 * The seam: sessions of MQTT, keys, counters stand on `adder_store_t`, whatever keeps the records.
 *
 * The log: two halves of the device are written in turn. A change is appended with its CRC; a full half is
 * copied, what lives of it and the change, to the other one, whose head is written last. Power may go at any
 * program or erase: what was written before is there, what was under way is wholly there or not at all. A
 * value that is replaced costs its bytes again, and each copy an erase of half the device: count on that for
 * its life. It keeps no index: a read looks through the half, a walk takes the square of the records' number.
 *
 *     half:   "ADLG" sequence crc  | entry | entry | ... | erased (0xff)
 *     entry:  length(4) crc(4)  { key(4) length|erased(4) bytes }...  padding to the program unit
 *
 * Threading: one thread at a time. RAM on 32 bits: 28 bytes and the caller's buffer of one program unit.
 *
 * Invariants for any content of the device (fuzzed): 1. no access outside of the device; 2. open ends, with
 * OK or an error; 3. after OK, what a write reports as written is read back until it is changed; 4. records
 * delivered have a right CRC. */
#ifndef ADDER_STORE_H
#define ADDER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

typedef struct {
    uint32_t key;
    bool erase; /* else the key gets this value, whether it had one or not */
    const void *bytes;
    size_t len;
    const void *more; /* goes behind `bytes`, so that a head need not be copied in front of a body */
    size_t more_len;
} adder_store_change_t;

typedef struct {
    /* All changes or none, in this order; safe from power cuts when it returns OK. Erasing what is not
     * there is no error. ADDER_ERR_NOSPACE: nothing has changed. Others: the device's cause; what was there
     * before is still there, and the changes are there or not, all alike. */
    adder_err_t (*write)(void *ctx, const adder_store_change_t *changes, size_t n);
    /* Bytes of a value from `offset` on, at most `cap`; *len_out is its whole length.
     * ADDER_ERR_NOT_FOUND. */
    adder_err_t (*read)(void *ctx, uint32_t key, size_t offset, void *buf, size_t cap, size_t *len_out);
    /* Walk: the oldest first, by the time a key got its present value. *cursor starts at 0; a write in
     * between ends the walk (start again). ADDER_ERR_NOT_FOUND: no more. */
    adder_err_t (*next)(void *ctx, uint32_t *cursor, uint32_t *key_out, size_t *len_out);
} adder_store_ops_t;

typedef struct {
    const adder_store_ops_t *ops;
    void *ctx;
} adder_store_t;

/* ---- a log on a flash-like device ---- */

/* Erased bytes are 0xff; a byte is programmed once between two erases, in units, each half from its start
 * on. A file fits: erase fills with 0xff. Results pass through. */
typedef struct {
    adder_err_t (*read)(void *ctx, uint32_t at, void *buf, size_t len);
    adder_err_t (*program)(void *ctx, uint32_t at, const void *bytes, size_t len); /* whole units */
    adder_err_t (*erase)(void *ctx, uint32_t at, uint32_t len);                    /* whole blocks */
    /* What was programmed and erased is safe from here on; NULL = it is at once. */
    adder_err_t (*sync)(void *ctx);
} adder_flash_ops_t;

typedef struct {
    const adder_flash_ops_t *ops;
    void *ctx;
    uint32_t size;  /* two halves of whole blocks */
    uint32_t block; /* bytes erased at once */
    uint16_t unit;  /* bytes programmed at once, 1..256 */
    uint8_t *buf;   /* of `unit` bytes */
} adder_flash_t;

/* Private but for its size. */
typedef struct {
    struct {
        const adder_flash_t *flash;
        uint32_t half;     /* where the half in use begins */
        uint32_t end;      /* behind its last entry, from its begin */
        uint32_t sequence; /* of the half */
        uint32_t pos, crc; /* of the entry being written */
        uint16_t in_buf;
        bool torn; /* behind `end` is something that was not finished: copy before the next write */
    } priv;
} adder_store_log_t;

/* `flash` is borrowed. A device with no log on it (erased, or anything else) becomes an empty one at the
 * first write. ADDER_ERR_ARG: a geometry that cannot be; else the device's cause. */
adder_err_t adder_store_log_open(adder_store_log_t *log, const adder_flash_t *flash) ADDER_MUST_USE;
adder_store_t adder_store_log(adder_store_log_t *log);
/* Bytes that a write may still append before a copy, and that live records take of a half. */
adder_err_t adder_store_log_space(adder_store_log_t *log, uint32_t *free_out,
                                  uint32_t *live_out) ADDER_MUST_USE;

#endif
