/* A board's life: open, lock, hooks, close. */
#include "sim/sim_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/network.h"

/* ---- entering and leaving ---- */

void sim_enter(sim_board_t *b)
{
    pthread_mutex_lock(&b->lock);
    b->depth++;
}

void sim_leave(sim_board_t *b)
{
    if (b->depth > 1 || !(b->want_reset || b->want_watchdog || b->console != NULL)) {
        b->depth--;
        pthread_mutex_unlock(&b->lock);
        return;
    }
    const sim_hooks_t hooks = b->hooks;
    const bool reset = b->want_reset, fired = b->want_watchdog;
    const adder_reset_reason_t why = b->want_reset_why;
    char *text = b->console;
    const size_t len = b->console_len;
    b->want_reset = b->want_watchdog = false;
    b->console = NULL;
    b->console_len = 0;
    b->depth--;
    pthread_mutex_unlock(&b->lock);
    if (text != NULL && hooks.console != NULL)
        hooks.console(hooks.ctx, text, len);
    free(text);
    if (fired && hooks.watchdog_fired != NULL)
        hooks.watchdog_fired(hooks.ctx);
    if (reset && hooks.reset_requested != NULL)
        hooks.reset_requested(hooks.ctx, why);
}

void sim_board_lock(sim_board_t *b)
{
    sim_enter(b);
}

void sim_board_unlock(sim_board_t *b)
{
    sim_leave(b);
}

void sim_touch(sim_board_t *b)
{
    b->revision++;
}

void sim_board_set_hooks(sim_board_t *b, const sim_hooks_t *hooks)
{
    sim_enter(b);
    b->hooks = *hooks;
    sim_leave(b);
}

/* ---- opening ---- */

static adder_err_t read_run(sim_board_t *b, char *msg, size_t cap)
{
    const cJSON *clock = cJSON_GetObjectItemCaseSensitive(b->run, "clock");
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(b->run, "state");
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(b->run, "seed");
    if (clock != NULL && !(cJSON_IsString(clock) && (strcmp(clock->valuestring, "real") == 0 ||
                                                     strcmp(clock->valuestring, "virtual") == 0))) {
        sim_say(msg, cap, "run configuration: clock: \"real\" or \"virtual\" is wanted");
        return ADDER_ERR_FORMAT;
    }
    b->virtual_clock = clock != NULL && clock->valuestring[0] == 'v';
    if (seed != NULL && !(cJSON_IsNumber(seed) && seed->valuedouble >= 0 && seed->valuedouble < 9e15)) {
        sim_say(msg, cap, "run configuration: seed: a number, 0 or more, is wanted");
        return ADDER_ERR_FORMAT;
    }
    if (seed != NULL)
        b->random_state = (uint64_t)seed->valuedouble * 2 + 1; /* never 0, which means real randomness */
    if (state != NULL) {
        if (!cJSON_IsString(state) || strlen(state->valuestring) > 3000) {
            sim_say(msg, cap, "run configuration: state: the path of a folder is wanted");
            return ADDER_ERR_FORMAT;
        }
        const size_t n = strlen(state->valuestring) + sizeof "/nvm.bin";
        b->nvm_path = malloc(n);
        if (b->nvm_path != NULL)
            snprintf(b->nvm_path, n, "%s/nvm.bin", state->valuestring);
    }
    return ADDER_OK;
}

static void init_lock(sim_board_t *b)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&b->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static void start_clock(sim_board_t *b)
{
    struct timespec t;
    if (b->virtual_clock)
        return;
    clock_gettime(CLOCK_MONOTONIC, &t);
    b->clock_us = (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void first_power_on(sim_board_t *b)
{
    for (size_t i = 0; i < b->net_count; i++)
        sim_net_resolve(b, &b->nets[i], NULL);
    for (size_t i = 0; i < b->part_count; i++)
        sim_part_power_on(b, &b->parts[i]);
    b->mcu.reset_reason = ADDER_RESET_POWER_ON;
}

/* Takes `json`. */
static sim_board_t *open_json(const char *name, cJSON *json, const cJSON *run_config, char *msg, size_t cap)
{
    sim_board_t *b = calloc(1, sizeof *b);
    if (b == NULL) {
        cJSON_Delete(json);
        sim_say(msg, cap, "%s: out of memory", name);
        return NULL;
    }
    init_lock(b);
    b->json = json;
    b->run = run_config != NULL ? cJSON_Duplicate(run_config, true) : cJSON_CreateObject();
    b->name = strdup(name);
    b->mcu.ctx = b;
    b->mcu.gpio = &sim_gpio_ops;
    b->mcu.pin = &sim_pin_ops;
    b->mcu.bus = &sim_bus_ops;
    b->mcu.sys = &sim_sys_ops;
    b->mcu.roots = sim_roots;
    b->mcu.files = &sim_files;
    adder_err_t err = b->run != NULL && b->name != NULL ? read_run(b, msg, cap) : ADDER_ERR_NOMEM;
    if (err == ADDER_OK) {
        const cJSON *network = cJSON_GetObjectItemCaseSensitive(b->run, "network");
        b->network = sim_network_create(network, msg, cap);
        err = b->network == NULL ? ADDER_ERR_FORMAT : ADDER_OK;
    }
    start_clock(b);
    if (err == ADDER_OK)
        err = sim_board_parse(b, msg, cap);
    if (err != ADDER_OK) {
        if (err == ADDER_ERR_NOMEM)
            sim_say(msg, cap, "%s: out of memory", name);
        sim_board_close(b);
        return NULL;
    }
    first_power_on(b);
    return b;
}

sim_board_t *sim_board_open(const char *board_json_path, const cJSON *run_config, char *msg, size_t msg_cap)
{
    cJSON *json = sim_json_read(board_json_path, msg, msg_cap);
    return json == NULL ? NULL : open_json(board_json_path, json, run_config, msg, msg_cap);
}

sim_board_t *sim_board_open_text(const char *name, const char *json, size_t len, const cJSON *run_config,
                                 char *msg, size_t msg_cap)
{
    cJSON *parsed = sim_json_parse(name, json, len, msg, msg_cap);
    return parsed == NULL ? NULL : open_json(name, parsed, run_config, msg, msg_cap);
}

void sim_board_close(sim_board_t *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->part_count; i++)
        if (b->parts[i].chip->cls->destroy != NULL)
            b->parts[i].chip->cls->destroy(b->parts[i].chip);
    for (size_t i = 0; i < b->part_count; i++) {
        free(b->parts[i].chip);
        cJSON_Delete(b->parts[i].config);
    }
    sim_mcu_forget_buses(b);
    sim_timeline_free(b);
    sim_network_destroy(b->network);
    cJSON_Delete(b->json);
    cJSON_Delete(b->run);
    free(b->name);
    free(b->pins);
    free(b->aliases);
    free(b->buses);
    free(b->more_buses);
    free(b->init_sequence);
    free(b->nets);
    free(b->console);
    free(b->nvm);
    free(b->nvm_path);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

const adder_mcu_t *sim_board_mcu(sim_board_t *b)
{
    return &b->mcu;
}

part_t *sim_part_find(sim_board_t *b, const char *id)
{
    for (size_t i = 0; i < b->part_count; i++)
        if (strcmp(b->parts[i].chip->id, id) == 0)
            return &b->parts[i];
    return NULL;
}

sim_chip_t *sim_board_chip(sim_board_t *b, const char *id)
{
    part_t *p = sim_part_find(b, id);
    return p == NULL ? NULL : p->chip;
}

struct sim_network *sim_chip_network(sim_chip_t *c)
{
    return c->board->network;
}
