/* The scripted outside: --input EVENTS.json, described in docs/simulation.md. */
#include "sim/sim_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 10000 };

void sim_timeline_free(sim_board_t *b)
{
    for (size_t i = 0; i < b->timeline_count; i++)
        cJSON_Delete(b->timeline[i].event);
    free(b->timeline);
    free(b->timeline_name);
    b->timeline = NULL;
    b->timeline_name = NULL;
    b->timeline_count = b->timeline_at = 0;
}

uint64_t sim_timeline_due(const sim_board_t *b)
{
    if (!b->timeline_started || b->timeline_at == b->timeline_count)
        return UINT64_MAX;
    const uint64_t due = b->timeline_origin_us + b->timeline[b->timeline_at].at_us;
    return due > b->lived_us ? due - b->lived_us : 0;
}

void sim_timeline_play(sim_board_t *b)
{
    char msg[SIM_MSG_CAP];
    while (sim_timeline_due(b) <= sim_now(b)) {
        const cJSON *event = b->timeline[b->timeline_at++].event;
        if (sim_event_play(b, event, msg, sizeof msg) != ADDER_OK)
            sim_board_log(b, "timeline", "event %zu: %s", b->timeline_at - 1, msg);
    }
}

static int by_time(const void *x, const void *y)
{
    const timeline_event_t *a = x, *b = y;
    return a->at_us < b->at_us ? -1 : a->at_us > b->at_us;
}

/* A stable order for equal times: qsort promises none, so insertion by merging is done here. The
 * list is nearly always sorted already. */
static void sort(timeline_event_t *events, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const timeline_event_t e = events[i];
        size_t k = i;
        for (; k > 0 && by_time(&events[k - 1], &e) > 0; k--)
            events[k] = events[k - 1];
        events[k] = e;
    }
}

static adder_err_t read_event(sim_board_t *b, const char *name, const cJSON *e, size_t index,
                              timeline_event_t *out, char *msg, size_t cap)
{
    char where[300];
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(e, "at");
    snprintf(where, sizeof where, "%.256s: [%zu].", name, index);
    if (cJSON_IsObject(e) && !(cJSON_IsNumber(at) && at->valuedouble >= 0 && at->valuedouble <= 1e6)) {
        sim_say(msg, cap, "%sat: seconds since the first line of code.py, 0 or more, are wanted", where);
        return ADDER_ERR_FORMAT;
    }
    if (sim_event_check(b, e, where, msg, cap) != ADDER_OK)
        return ADDER_ERR_FORMAT;
    out->at_us = (uint64_t)(at->valuedouble * 1e6 + 0.5);
    out->event = cJSON_Duplicate(e, true);
    return out->event == NULL ? ADDER_ERR_NOMEM : ADDER_OK;
}

static adder_err_t load(sim_board_t *b, const char *name, const cJSON *list, char *msg, size_t cap)
{
    if (!cJSON_IsArray(list)) {
        sim_say(msg, cap, "%s: a list of events [{\"at\": 1.5, ...}, ...] is wanted", name);
        return ADDER_ERR_FORMAT;
    }
    if (cJSON_GetArraySize(list) > EVENTS_MAX) {
        sim_say(msg, cap, "%s: more than %d events", name, EVENTS_MAX);
        return ADDER_ERR_FORMAT;
    }
    timeline_event_t *events = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof events[0]);
    adder_err_t err = events == NULL ? ADDER_ERR_NOMEM : ADDER_OK;
    size_t count = 0;
    const cJSON *e;
    cJSON_ArrayForEach(e, list)
    {
        if (err == ADDER_OK)
            err = read_event(b, name, e, count, &events[count], msg, cap);
        if (err == ADDER_OK)
            count++;
    }
    if (err != ADDER_OK) {
        for (size_t i = 0; i < count; i++)
            cJSON_Delete(events[i].event);
        free(events);
        return err;
    }
    sort(events, count);
    sim_timeline_free(b);
    b->timeline = events;
    b->timeline_count = count;
    b->timeline_name = strdup(name);
    return ADDER_OK;
}

static adder_err_t load_json(sim_board_t *b, const char *name, cJSON *json, char *msg, size_t cap)
{
    if (json == NULL)
        return ADDER_ERR_FORMAT;
    sim_enter(b);
    const adder_err_t err = load(b, name, json, msg, cap);
    sim_leave(b);
    cJSON_Delete(json);
    return err;
}

adder_err_t sim_board_timeline_load(sim_board_t *b, const char *path, char *msg, size_t msg_cap)
{
    return load_json(b, path, sim_json_read(path, msg, msg_cap), msg, msg_cap);
}

adder_err_t sim_board_timeline_text(sim_board_t *b, const char *name, const char *json, size_t len, char *msg,
                                    size_t msg_cap)
{
    return load_json(b, name, sim_json_parse(name, json, len, msg, msg_cap), msg, msg_cap);
}

void sim_board_timeline_start(sim_board_t *b)
{
    sim_enter(b);
    if (!b->timeline_started) {
        b->timeline_started = true;
        b->timeline_origin_us = sim_lived(b);
    }
    sim_leave(b);
}

size_t sim_board_timeline_left(sim_board_t *b)
{
    sim_enter(b);
    const size_t left = b->timeline_count - b->timeline_at;
    sim_leave(b);
    return left;
}
