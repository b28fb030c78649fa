/* The outside world: knobs, wires held by hand, events. Everything is checked before anything is
 * changed, with the same code for the page, a test and the timeline. */
#include "sim/sim_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- knobs ---- */

static bool knob_value_fits(const sim_knob_t *k, const cJSON *v, char *why, size_t cap)
{
    switch (k->kind) {
    case SIM_KNOB_NUMBER:
        if (!cJSON_IsNumber(v) || !(v->valuedouble >= k->min && v->valuedouble <= k->max)) {
            snprintf(why, cap, "a number from %g to %g%s%s is wanted", k->min, k->max,
                     k->unit != NULL ? " " : "", k->unit != NULL ? k->unit : "");
            return false;
        }
        return true;
    case SIM_KNOB_BOOL:
    case SIM_KNOB_PRESS:
        snprintf(why, cap, "true or false is wanted");
        return cJSON_IsBool(v);
    case SIM_KNOB_TEXT:
        snprintf(why, cap, "a text is wanted");
        return cJSON_IsString(v);
    case SIM_KNOB_TOUCH:
        break; /* the chip knows its size: it checks, below */
    }
    return true;
}

static const sim_knob_t *find_knob(const sim_chip_class_t *cls, const char *name)
{
    for (const sim_knob_t *k = cls->knobs; k != NULL && k->name != NULL; k++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

bool sim_knob_point(const cJSON *v, double *x, double *y)
{
    const cJSON *a = cJSON_IsArray(v) && cJSON_GetArraySize(v) == 2
                         ? cJSON_GetArrayItem(v, 0)
                         : cJSON_GetObjectItemCaseSensitive(v, "x");
    const cJSON *b = cJSON_IsArray(v) && cJSON_GetArraySize(v) == 2
                         ? cJSON_GetArrayItem(v, 1)
                         : cJSON_GetObjectItemCaseSensitive(v, "y");
    if (!cJSON_IsNumber(a) || !cJSON_IsNumber(b))
        return false;
    *x = a->valuedouble;
    *y = b->valuedouble;
    return true;
}

static bool touch_fits(const sim_chip_t *c, const cJSON *v, char *why, size_t cap)
{
    double x, y;
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(c->part->config, "size");
    const cJSON *w = cJSON_GetArrayItem(size, 0), *h = cJSON_GetArrayItem(size, 1);
    if (cJSON_IsNull(v) || cJSON_IsFalse(v))
        return true;
    if (!sim_knob_point(v, &x, &y)) {
        snprintf(why, cap, "[x, y] or null is wanted");
        return false;
    }
    if (cJSON_IsNumber(w) && !(x >= 0 && x < w->valuedouble)) {
        snprintf(why, cap, "x %g is outside 0..%g", x, w->valuedouble - 1);
        return false;
    }
    if (cJSON_IsNumber(h) && !(y >= 0 && y < h->valuedouble)) {
        snprintf(why, cap, "y %g is outside 0..%g", y, h->valuedouble - 1);
        return false;
    }
    return true;
}

static bool is_own_key(const char *key)
{
    return strcmp(key, "chip") == 0 || strcmp(key, "at") == 0 || key[0] == '_';
}

adder_err_t sim_knobs_check(const sim_chip_t *c, const cJSON *knobs, const char *where, char *msg, size_t cap)
{
    const cJSON *v;
    char why[SIM_MSG_CAP / 2] = "", names[200] = "";
    if (!cJSON_IsObject(knobs)) {
        sim_say(msg, cap, "%san object of knobs is wanted", where);
        return ADDER_ERR_ARG;
    }
    cJSON_ArrayForEach(v, knobs)
    {
        if (is_own_key(v->string))
            continue;
        if (strcmp(v->string, "fault") == 0) {
            if (sim_part_fault(NULL, NULL, v, why, sizeof why) == ADDER_OK)
                continue;
            sim_say(msg, cap, "%s%s", where, why);
            return ADDER_ERR_ARG;
        }
        const sim_knob_t *k = find_knob(c->cls, v->string);
        if (c->cls->knobs == NULL && c->cls->control != NULL)
            continue; /* it checks everything itself */
        if (k == NULL) {
            size_t at = 0;
            for (const sim_knob_t *n = c->cls->knobs; n != NULL && n->name != NULL && at < sizeof names - 40;
                 n++)
                at += (size_t)snprintf(names + at, sizeof names - at, "%.30s, ", n->name);
            sim_say(msg, cap, "%s%.64s: chip \"%s\" has no such knob (it has: %sfault)", where, v->string,
                    c->id, names);
            return ADDER_ERR_ARG;
        }
        const bool fits = k->kind == SIM_KNOB_TOUCH ? touch_fits(c, v, why, sizeof why)
                                                    : knob_value_fits(k, v, why, sizeof why);
        if (!fits) {
            sim_say(msg, cap, "%s%s: %s", where, v->string, why);
            return ADDER_ERR_ARG;
        }
    }
    return ADDER_OK;
}

adder_err_t sim_control(sim_board_t *b, part_t *p, const cJSON *knobs, char *msg, size_t cap)
{
    adder_err_t err = sim_knobs_check(p->chip, knobs, "", msg, cap);
    if (err != ADDER_OK)
        return err;
    cJSON *own = cJSON_CreateObject(); /* without what is the core's */
    const cJSON *v, *fault = NULL;
    cJSON_ArrayForEach(v, knobs)
    {
        if (strcmp(v->string, "fault") == 0)
            fault = v;
        else if (!is_own_key(v->string))
            cJSON_AddItemToObject(own, v->string, cJSON_Duplicate(v, true));
    }
    if (own != NULL && own->child != NULL && p->chip->cls->control != NULL) {
        err = p->chip->cls->control(p->chip, own, msg, cap);
        sim_part_after(b, p);
    }
    cJSON_Delete(own);
    if (err == ADDER_OK && fault != NULL)
        err = sim_part_fault(b, p, fault, msg, cap);
    return err;
}

static part_t *find_or_say(sim_board_t *b, const char *id, const char *where, char *msg, size_t cap)
{
    part_t *p = sim_part_find(b, id);
    char ids[200] = "";
    size_t at = 0;
    if (p != NULL)
        return p;
    for (size_t i = 0; i < b->part_count && at < sizeof ids - 32; i++)
        at += (size_t)snprintf(ids + at, sizeof ids - at, "%s%s", i > 0 ? ", " : "", b->parts[i].chip->id);
    sim_say(msg, cap, "%sno chip \"%.40s\" on this board (chips: %s)", where, id, ids);
    return NULL;
}

adder_err_t sim_board_control(sim_board_t *b, const char *chip_id, const cJSON *knobs, char *msg,
                              size_t msg_cap)
{
    sim_enter(b);
    part_t *p = find_or_say(b, chip_id, "", msg, msg_cap);
    const adder_err_t err = p == NULL ? ADDER_ERR_NOT_FOUND : sim_control(b, p, knobs, msg, msg_cap);
    sim_leave(b);
    return err;
}

/* ---- wires by hand ---- */

adder_err_t sim_board_drive_pin(sim_board_t *b, const char *pin, sim_level_t level, char *msg, size_t msg_cap)
{
    sim_enter(b);
    const uint16_t net = sim_pin_find(b, pin);
    if (net == NET_NONE) {
        sim_say(msg, msg_cap, "no such pin %.40s", pin);
    } else if (b->nets[net].outside != level) {
        b->nets[net].outside = level;
        sim_touch(b);
        b->nets[net].revision = b->revision;
        sim_net_resolve(b, &b->nets[net], NULL);
    }
    sim_leave(b);
    return net == NET_NONE ? ADDER_ERR_NOT_FOUND : ADDER_OK;
}

/* ---- events ---- */

static part_t *part_with_knob(sim_board_t *b, const char *knob)
{
    for (size_t i = 0; i < b->part_count; i++)
        if (find_knob(b->parts[i].chip->cls, knob) != NULL)
            return &b->parts[i];
    return NULL;
}

/* "touch" and "release" without "chip" mean the board's touch panel. */
static part_t *target(sim_board_t *b, const cJSON *event, const char *where, char *msg, size_t cap)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(event, "chip");
    if (id == NULL) {
        part_t *p = part_with_knob(b, "touch");
        if (p == NULL)
            sim_say(msg, cap, "%sthis board has no touch panel", where);
        return p;
    }
    if (!cJSON_IsString(id)) {
        sim_say(msg, cap, "%schip: the id of a chip is wanted", where);
        return NULL;
    }
    return find_or_say(b, id->valuestring, where, msg, cap);
}

typedef enum {
    EVENT_BAD,
    EVENT_CHIP,
    EVENT_PIN,
    EVENT_TOUCH,
    EVENT_RELEASE,
    EVENT_CONSOLE,
    EVENT_RESET,
    EVENT_UART
} event_t;

static event_t event_kind(const cJSON *e)
{
    static const struct {
        const char *key;
        event_t kind;
    } kinds[] = {{"console", EVENT_CONSOLE}, {"pin", EVENT_PIN},         {"reset", EVENT_RESET},
                 {"uart", EVENT_UART},       {"release", EVENT_RELEASE}, {"chip", EVENT_CHIP},
                 {"touch", EVENT_TOUCH}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (cJSON_GetObjectItemCaseSensitive(e, kinds[i].key) != NULL)
            return kinds[i].kind;
    return EVENT_BAD;
}

static adder_err_t only_keys(const cJSON *e, const char *a, const char *b, const char *where, char *msg,
                             size_t cap)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, e)
    {
        if (is_own_key(v->string) || strcmp(v->string, a) == 0 || strcmp(v->string, b) == 0)
            continue;
        sim_say(msg, cap, "%s%.64s: does not belong to a \"%s\" event", where, v->string, a);
        return ADDER_ERR_ARG;
    }
    return ADDER_OK;
}

static bool read_level(const cJSON *v, sim_level_t *out)
{
    if (cJSON_IsNull(v))
        *out = SIM_FLOAT;
    else if (cJSON_IsBool(v))
        *out = cJSON_IsTrue(v) ? SIM_HIGH : SIM_LOW;
    else if (cJSON_IsNumber(v) && (v->valuedouble == 0 || v->valuedouble == 1))
        *out = v->valuedouble != 0 ? SIM_HIGH : SIM_LOW;
    else
        return false;
    return true;
}

/* `where` ends in "." for a member; this is about the whole event. */
static void say_of_event(const char *where, const char *text, char *msg, size_t cap)
{
    const size_t n = strlen(where);
    if (n == 0)
        sim_say(msg, cap, "%s", text);
    else
        sim_say(msg, cap, "%.*s: %s", (int)(n - 1), where, text);
}

adder_err_t sim_event_check(sim_board_t *b, const cJSON *e, const char *where, char *msg, size_t cap)
{
    const cJSON *v;
    part_t *p;
    sim_level_t level;
    if (!cJSON_IsObject(e)) {
        say_of_event(where, "an event {\"at\": seconds, ...} is wanted", msg, cap);
        return ADDER_ERR_ARG;
    }
    switch (event_kind(e)) {
    case EVENT_CHIP:
    case EVENT_TOUCH:
        p = target(b, e, where, msg, cap);
        return p == NULL ? ADDER_ERR_ARG : sim_knobs_check(p->chip, e, where, msg, cap);
    case EVENT_RELEASE:
        p = target(b, e, where, msg, cap);
        if (p != NULL && find_knob(p->chip->cls, "touch") == NULL) {
            sim_say(msg, cap, "%srelease: chip \"%s\" is no touch panel", where, p->chip->id);
            p = NULL;
        }
        return p == NULL ? ADDER_ERR_ARG : only_keys(e, "release", "", where, msg, cap);
    case EVENT_PIN:
        v = cJSON_GetObjectItemCaseSensitive(e, "pin");
        if (!cJSON_IsString(v) || sim_pin_find(b, v->valuestring) == NET_NONE) {
            sim_say(msg, cap, "%spin: no such pin %.40s", where, cJSON_IsString(v) ? v->valuestring : "");
            return ADDER_ERR_ARG;
        }
        if (!read_level(cJSON_GetObjectItemCaseSensitive(e, "level"), &level)) {
            sim_say(msg, cap, "%slevel: 0, 1 or null (let go) is wanted", where);
            return ADDER_ERR_ARG;
        }
        return only_keys(e, "pin", "level", where, msg, cap);
    case EVENT_CONSOLE:
    case EVENT_UART:
        v = cJSON_GetObjectItemCaseSensitive(e, event_kind(e) == EVENT_UART ? "uart" : "console");
        if (!cJSON_IsString(v)) {
            sim_say(msg, cap, "%s%s: a text is wanted", where, v->string);
            return ADDER_ERR_ARG;
        }
        return only_keys(e, v->string, "", where, msg, cap);
    case EVENT_RESET:
        v = cJSON_GetObjectItemCaseSensitive(e, "reset");
        if (!cJSON_IsTrue(v) && !(cJSON_IsString(v) && strcmp(v->valuestring, "button") == 0)) {
            sim_say(msg, cap, "%sreset: true or \"button\" is wanted", where);
            return ADDER_ERR_ARG;
        }
        return only_keys(e, "reset", "", where, msg, cap);
    default:
        break;
    }
    say_of_event(
        where,
        "nothing to do: one of \"chip\", \"pin\", \"touch\", \"release\", \"console\", \"uart\" or \"reset\" "
        "is wanted",
        msg, cap);
    return ADDER_ERR_ARG;
}

static void type_on_console(sim_board_t *b, const char *text)
{
    const size_t n = strlen(text);
    char *more = realloc(b->console, b->console_len + n + 1);
    if (more == NULL)
        return;
    memcpy(more + b->console_len, text, n + 1);
    b->console = more;
    b->console_len += n;
}

static void feed_uarts(sim_board_t *b, const char *text)
{
    for (bus_t *bus = b->open_buses; bus != NULL; bus = bus->next)
        for (const char *c = text;
             bus->kind == BUS_UART && bus->open && *c != 0 && bus->rx_len < sizeof bus->rx; c++)
            bus->rx[(bus->rx_head + bus->rx_len++) % sizeof bus->rx] = (uint8_t)*c;
}

adder_err_t sim_event_play(sim_board_t *b, const cJSON *e, char *msg, size_t cap)
{
    adder_err_t err = sim_event_check(b, e, "", msg, cap);
    if (err != ADDER_OK)
        return err;
    part_t *p;
    sim_level_t level = SIM_FLOAT;
    cJSON *up;
    switch (event_kind(e)) {
    case EVENT_CHIP:
    case EVENT_TOUCH:
        p = target(b, e, "", msg, cap);
        return sim_control(b, p, e, msg, cap);
    case EVENT_RELEASE:
        p = target(b, e, "", msg, cap);
        up = cJSON_Parse("{\"touch\": null}");
        err = up == NULL ? ADDER_ERR_NOMEM : sim_control(b, p, up, msg, cap);
        cJSON_Delete(up);
        return err;
    case EVENT_PIN:
        read_level(cJSON_GetObjectItemCaseSensitive(e, "level"), &level);
        return sim_board_drive_pin(b, cJSON_GetObjectItemCaseSensitive(e, "pin")->valuestring, level, msg,
                                   cap);
    case EVENT_CONSOLE:
        type_on_console(b, cJSON_GetObjectItemCaseSensitive(e, "console")->valuestring);
        return ADDER_OK;
    case EVENT_UART:
        feed_uarts(b, cJSON_GetObjectItemCaseSensitive(e, "uart")->valuestring);
        return ADDER_OK;
    default:
        sim_board_log(b, "board", "reset button");
        b->want_reset = true;
        b->want_reset_why = ADDER_RESET_PIN;
        return ADDER_OK;
    }
}

adder_err_t sim_board_event(sim_board_t *b, const cJSON *event, char *msg, size_t msg_cap)
{
    sim_enter(b);
    const adder_err_t err = sim_event_play(b, event, msg, msg_cap);
    sim_leave(b);
    return err;
}
