/* A bench for one chip without a board: its wires, a virtual clock, its log. For unit tests and fuzz
 * targets only; one per program, since it defines what a chip may call (sim/chip.h). */
#ifndef SIM_CHIPS_CHIP_TEST_BENCH_H
#define SIM_CHIPS_CHIP_TEST_BENCH_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chip.h"
#include "sim/network.h"

enum { BENCH_PINS = 16 };

typedef struct {
    sim_chip_t *chip;
    sim_network_t *net;
    uint64_t now_us;
    sim_level_t host[BENCH_PINS], own[BENCH_PINS], pull[BENCH_PINS];
    char log[4096]; /* the newest lines */
    bool show_log;
} bench_t;

void sim_chip_drive(sim_chip_t *c, unsigned pin, sim_level_t level)
{
    bench_t *b = (bench_t *)(void *)c->board;
    b->own[pin % BENCH_PINS] = level;
}

static inline sim_level_t bench_level(const bench_t *b, unsigned pin)
{
    if (b->host[pin] != SIM_FLOAT) {
        return b->host[pin];
    }
    return b->own[pin] != SIM_FLOAT ? b->own[pin] : b->pull[pin];
}

sim_level_t sim_chip_level(sim_chip_t *c, unsigned pin)
{
    return bench_level((bench_t *)(void *)c->board, pin % BENCH_PINS);
}

void sim_chip_log(sim_chip_t *c, const char *format, ...)
{
    bench_t *b = (bench_t *)(void *)c->board;
    size_t used = strlen(b->log);
    if (used > sizeof b->log - 512) {
        memmove(b->log, b->log + 1024, used - 1024 + 1);
        used -= 1024;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(b->log + used, sizeof b->log - used - 1, format, args);
    va_end(args);
    if (b->show_log) {
        fprintf(stderr, "[%10.6f] %s\n", (double)b->now_us / 1e6, b->log + used);
    }
    strcat(b->log, "\n");
}

struct sim_network *sim_chip_network(sim_chip_t *c)
{
    return ((bench_t *)(void *)c->board)->net;
}

static inline void bench_drive(bench_t *b, unsigned pin, sim_level_t level)
{
    b->host[pin] = level;
    b->chip->cls->pin_changed(b->chip, pin, bench_level(b, pin), b->now_us);
}

/* Let time pass in steps the chip asks for. */
static inline void bench_wait(bench_t *b, uint64_t us)
{
    const uint64_t end = b->now_us + us;
    for (;;) {
        const uint64_t next = b->chip->cls->poll(b->chip, b->now_us);
        if (b->now_us >= end) {
            return;
        }
        b->now_us = next > b->now_us && next < end ? next : next <= b->now_us ? b->now_us + 1 : end;
    }
}

static inline uint64_t bench_counter(bench_t *b, const char *name)
{
    size_t count;
    const sim_counter_t *c = b->chip->cls->counters(b->chip, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(c[i].name, name) == 0) {
            return c[i].value;
        }
    }
    return 0;
}

/* False with a message on stderr when the configuration is bad. `config`: the chip's, JSON or NULL;
 * `pulls`: levels of undriven wires. */
static inline bool bench_open_with(bench_t *b, const sim_chip_class_t *cls, const char *config,
                                   const char *network, const sim_level_t *pulls, size_t pull_count)
{
    char msg[256] = "";
    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < pull_count; i++) {
        b->pull[i] = pulls[i];
    }
    b->net = sim_network_load(network, strlen(network), "network", msg, sizeof msg);
    b->chip = calloc(1, cls->size);
    if (b->net == NULL || b->chip == NULL) {
        fprintf(stderr, "%s\n", msg);
        return false;
    }
    b->chip->cls = cls;
    b->chip->board = (sim_board_t *)(void *)b;
    cJSON *json = config != NULL ? cJSON_Parse(config) : NULL;
    const adder_err_t err = cls->create(b->chip, json, msg, sizeof msg);
    cJSON_Delete(json);
    if (err != ADDER_OK) {
        fprintf(stderr, "%s\n", msg);
        return false;
    }
    cls->power_on(b->chip, 0);
    return true;
}

static inline bool bench_open(bench_t *b, const sim_chip_class_t *cls, const char *network,
                              const sim_level_t *pulls, size_t pull_count)
{
    return bench_open_with(b, cls, NULL, network, pulls, pull_count);
}

static inline void bench_close(bench_t *b)
{
    if (b->chip != NULL) {
        b->chip->cls->destroy(b->chip);
        free(b->chip);
    }
    sim_network_destroy(b->net);
}

#endif
