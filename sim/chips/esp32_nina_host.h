/* A small SPI host for tests of the ESP32 model: what a driver does, and nothing it does for itself. */
#ifndef SIM_CHIPS_ESP32_NINA_HOST_H
#define SIM_CHIPS_ESP32_NINA_HOST_H

#include <time.h>

#include "sim/chips/chip_test_bench.h"
#include "sim/chips/esp32_nina.h"

static const sim_level_t host_pulls[] = {SIM_HIGH, SIM_LOW,  SIM_FLOAT, SIM_FLOAT,
                                         SIM_HIGH, SIM_HIGH, SIM_HIGH};

/* One reply: parameters as found. params -1 = error frame, -2 = READY did not come, -3 = garbage. */
typedef struct {
    int params;
    size_t len[16];
    uint8_t data[16][NINA_BUF];
} reply_t;

static inline bool host_ready_low(bench_t *b, uint64_t limit_us)
{
    const uint64_t end = b->now_us + limit_us;
    for (unsigned n = 0; bench_level(b, NINA_PIN_READY) != SIM_LOW; n++) {
        if (b->now_us >= end) {
            return false;
        }
        bench_wait(b, b->now_us + 100 < end ? 100 : end - b->now_us);
        if (n % 64 == 63) { /* sockets live in real time */
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    }
    return true;
}

static inline bool host_select(bench_t *b, uint64_t limit_us)
{
    if (!host_ready_low(b, limit_us)) {
        return false;
    }
    bench_drive(b, NINA_PIN_CS, SIM_LOW);
    bench_wait(b, 10);
    return bench_level(b, NINA_PIN_READY) == SIM_HIGH;
}

static inline void host_deselect(bench_t *b)
{
    bench_drive(b, NINA_PIN_CS, SIM_HIGH);
}

static inline void host_bytes(bench_t *b, const uint8_t *out, uint8_t *in, size_t len)
{
    uint8_t fill[NINA_BUF + 8], back[NINA_BUF + 8];
    memset(fill, 0, sizeof fill);
    memset(back, 0xFF, sizeof back);
    b->chip->cls->spi_transfer(b->chip, out != NULL ? out : fill, back, len, b->now_us);
    b->now_us += len; /* 8 MHz */
    if (in != NULL) {
        memcpy(in, back, len);
    }
}

static inline bool host_send(bench_t *b, const uint8_t *frame, size_t len)
{
    if (!host_select(b, 10000000)) {
        return false;
    }
    host_bytes(b, frame, NULL, len);
    host_deselect(b);
    return true;
}

static inline void host_receive(bench_t *b, uint8_t op, unsigned width, reply_t *r)
{
    uint8_t in[NINA_BUF];
    r->params = -2;
    if (!host_select(b, 200000000)) {
        return;
    }
    host_bytes(b, NULL, in, sizeof in);
    host_deselect(b);
    r->params = in[0] == 0xEF && in[1] == 0 && in[2] == 0xEE ? -1 : -3;
    if (in[0] != 0xE0 || in[1] != (op | 0x80) || in[2] > 16) {
        return;
    }
    size_t at = 3;
    for (unsigned i = 0; i < in[2]; i++) {
        size_t len = in[at++];
        if (width == 2) {
            len = len << 8 | in[at++];
        }
        if (len > sizeof in - 1 - at) {
            return;
        }
        r->len[i] = len;
        memcpy(r->data[i], in + at, len);
        at += len;
    }
    r->params = in[at] == 0xEE ? in[2] : -3;
}

typedef struct {
    const void *data;
    size_t len;
} param_t;

#define P(...)                                                                                               \
    (param_t)                                                                                                \
    {                                                                                                        \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                               \
    }
#define S(text) ((param_t){text, strlen(text)})
#define CALL(b, op, r, ...)                                                                                  \
    host_call(b, op, 1, 1, (const param_t[]){__VA_ARGS__},                                                   \
              sizeof((const param_t[]){__VA_ARGS__}) / sizeof(param_t), r)
#define CALL0(b, op, r) host_call(b, op, 1, 1, NULL, 0, r)
#define CALL_WIDE(b, op, out_width, r, ...)                                                                  \
    host_call(b, op, 2, out_width, (const param_t[]){__VA_ARGS__},                                           \
              sizeof((const param_t[]){__VA_ARGS__}) / sizeof(param_t), r)

static inline bool host_command(bench_t *b, uint8_t op, unsigned width, const param_t *p, size_t count)
{
    uint8_t frame[NINA_BUF + 8] = {0xE0, op, (uint8_t)count};
    size_t at = 3;
    for (size_t i = 0; i < count; i++) {
        if (width == 2) {
            frame[at++] = (uint8_t)(p[i].len >> 8);
        }
        frame[at++] = (uint8_t)p[i].len;
        memcpy(frame + at, p[i].data, p[i].len);
        at += p[i].len;
    }
    frame[at++] = 0xEE;
    while (at % 4 != 0) {
        frame[at++] = 0x00; /* 2Bh of 2.x and 3.x reads a parameter from its padding */
    }
    return host_send(b, frame, at);
}

static inline int host_call(bench_t *b, uint8_t op, unsigned in_width, unsigned out_width, const param_t *p,
                            size_t count, reply_t *r)
{
    r->params = -2;
    if (host_command(b, op, in_width, p, count)) {
        host_receive(b, op, out_width, r);
    }
    return r->params;
}

static inline void host_reset(bench_t *b)
{
    bench_drive(b, NINA_PIN_GPIO0, SIM_HIGH);
    bench_drive(b, NINA_PIN_CS, SIM_HIGH);
    bench_drive(b, NINA_PIN_RESET, SIM_LOW);
    bench_wait(b, 10000);
    bench_drive(b, NINA_PIN_RESET, SIM_HIGH);
    bench_wait(b, 750000);
    bench_drive(b, NINA_PIN_GPIO0, SIM_FLOAT);
}

/* Join and wait for the verdict; the last status. */
static inline int host_join(bench_t *b, const char *ssid, const char *password, reply_t *r)
{
    if (password[0] != '\0') {
        (void)CALL(b, 0x11, r, S(ssid), S(password));
    } else {
        (void)CALL(b, 0x10, r, S(ssid));
    }
    int status = -1;
    /* 6 ends a join, and in 3.x it is there from the start */
    for (int i = 0; i < 100 && status != 3 && status != 4 && (status != 6 || i < 60); i++) {
        bench_wait(b, 50000);
        status = CALL0(b, 0x20, r) == 1 ? r->data[0][0] : -1;
    }
    return status;
}

#endif
