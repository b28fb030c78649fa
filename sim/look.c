/* What the page sees: the description, the changing state, the display's picture. */
#include "sim/sim_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_add_number(cJSON *into, const char *name, double value)
{
    cJSON_AddNumberToObject(into, name, value);
}

const char *sim_pin_label(const sim_board_t *b, uint16_t pin)
{
    for (size_t i = 0; i < b->mcu.alias_count; i++)
        if (b->aliases[i].pin == pin)
            return b->aliases[i].name;
    return b->pins[pin].name;
}

part_t *sim_first_display(sim_board_t *b)
{
    for (size_t i = 0; i < b->part_count; i++)
        if (b->parts[i].chip->cls->picture != NULL)
            return &b->parts[i];
    return NULL;
}

/* ---- description ---- */

/* A slider over the whole range of a sensor is useless: "range" of the board file narrows it for the
 * page (values beyond are still taken). */
static void knob_range(const cJSON *config, const sim_knob_t *k, double *min, double *max)
{
    const cJSON *range =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(config, "range"), k->name);
    const cJSON *low = cJSON_GetArrayItem(range, 0), *high = cJSON_GetArrayItem(range, 1);
    *min = cJSON_IsNumber(low) && low->valuedouble > k->min ? low->valuedouble : k->min;
    *max = cJSON_IsNumber(high) && high->valuedouble < k->max ? high->valuedouble : k->max;
}

static cJSON *describe_knobs(const sim_chip_class_t *cls, const cJSON *config, const cJSON *state)
{
    static const char *const kinds[] = {"number", "bool", "press", "touch", "text"};
    cJSON *list = cJSON_CreateArray();
    for (const sim_knob_t *k = cls->knobs; k != NULL && k->name != NULL; k++) {
        cJSON *knob = cJSON_CreateObject();
        cJSON_AddStringToObject(knob, "name", k->name);
        cJSON_AddStringToObject(knob, "kind", kinds[k->kind]);
        /* two sliders "Position" would not tell which: a part with one knob lends it its own title */
        const cJSON *title = cJSON_GetObjectItemCaseSensitive(config, "title");
        const bool alone = k->kind == SIM_KNOB_NUMBER && k == cls->knobs && k[1].name == NULL;
        cJSON_AddStringToObject(knob, "label",
                                alone && cJSON_IsString(title) ? title->valuestring
                                : k->label != NULL             ? k->label
                                                               : k->name);
        if (k->unit != NULL)
            cJSON_AddStringToObject(knob, "unit", k->unit);
        if (k->kind == SIM_KNOB_NUMBER) {
            double min, max;
            knob_range(config, k, &min, &max);
            sim_add_number(knob, "min", min);
            sim_add_number(knob, "max", max);
            sim_add_number(knob, "step", k->step);
        }
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(state, k->name);
        if (value != NULL)
            cJSON_AddItemToObject(knob, "value", cJSON_Duplicate(value, true));
        cJSON_AddItemToArray(list, knob);
    }
    return list;
}

static cJSON *describe_part(const part_t *p)
{
    const sim_chip_class_t *cls = p->chip->cls;
    cJSON *part = cJSON_CreateObject(), *state = cJSON_CreateObject();
    const cJSON *title = cJSON_GetObjectItemCaseSensitive(p->config, "title");
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(p->config, "size");
    cJSON_AddStringToObject(part, "id", p->chip->id);
    cJSON_AddStringToObject(part, "type", cls->type);
    cJSON_AddStringToObject(part, "title",
                            cJSON_IsString(title) ? title->valuestring
                            : cls->title != NULL  ? cls->title
                                                  : cls->type);
    if (size != NULL)
        cJSON_AddItemToObject(part, "size", cJSON_Duplicate(size, true));
    if (cls->describe != NULL)
        cls->describe(p->chip, state);
    cJSON_AddItemToObject(part, "knobs", describe_knobs(cls, p->config, state));
    cJSON_Delete(state);
    return part;
}

cJSON *sim_board_describe(sim_board_t *b)
{
    cJSON *out = cJSON_CreateObject(), *parts = cJSON_CreateArray(), *pins = cJSON_CreateArray();
    sim_enter(b);
    cJSON_AddStringToObject(out, "id", b->mcu.board_id);
    cJSON_AddStringToObject(out, "name", b->mcu.board_name);
    cJSON_AddStringToObject(out, "chip", b->mcu.chip_name);
    const cJSON *picture = cJSON_GetObjectItemCaseSensitive(b->json, "picture");
    cJSON_AddItemToObject(out, "picture",
                          picture != NULL ? cJSON_Duplicate(picture, true) : cJSON_CreateObject());
    for (size_t i = 0; i < b->part_count; i++)
        cJSON_AddItemToArray(parts, describe_part(&b->parts[i]));
    cJSON_AddItemToObject(out, "parts", parts);
    for (size_t i = 0; i < b->mcu.pin_count; i++) {
        cJSON *pin = cJSON_CreateObject(), *names = cJSON_CreateArray();
        cJSON_AddStringToObject(pin, "name", b->pins[i].name);
        for (size_t k = 0; k < b->mcu.alias_count; k++)
            if (b->aliases[k].pin == i)
                cJSON_AddItemToArray(names, cJSON_CreateString(b->aliases[k].name));
        cJSON_AddItemToObject(pin, "board", names);
        cJSON_AddItemToArray(pins, pin);
    }
    cJSON_AddItemToObject(out, "pins", pins);
    part_t *display = sim_first_display(b);
    if (display != NULL) {
        unsigned width = 0, height = 0;
        uint64_t revision;
        display->chip->cls->picture(display->chip, &width, &height, &revision);
        cJSON *d = cJSON_AddObjectToObject(out, "display");
        cJSON_AddStringToObject(d, "chip", display->chip->id);
        sim_add_number(d, "width", width);
        sim_add_number(d, "height", height);
    }
    sim_leave(b);
    return out;
}

/* ---- state ---- */

void sim_add_counters(cJSON *into, part_t *p)
{
    if (p->sck >= 0 && p->nets[p->sck] != NET_NONE)
        sim_add_number(into, "spi_bytes", (double)p->spi_bytes);
    if (p->wr >= 0 && p->nets[p->wr] != NET_NONE)
        sim_add_number(into, "par8_bytes", (double)p->par8_bytes);
    if (p->scl >= 0) {
        sim_add_number(into, "i2c_transfers", (double)p->i2c_transfers);
        sim_add_number(into, "i2c_bytes", (double)p->i2c_bytes);
    }
    if (p->cs >= 0)
        sim_add_number(into, "selects", (double)p->selects);
    if (p->faults_hit > 0)
        sim_add_number(into, "faults", (double)p->faults_hit);
    size_t count = 0;
    const sim_counter_t *own =
        p->chip->cls->counters != NULL ? p->chip->cls->counters(p->chip, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        sim_add_number(into, own[i].name, (double)own[i].value);
}

static const char *mode_name(const net_t *n)
{
    static const char *const modes[] = {"in", "in_pull_up", "in_pull_down", "out", "open_drain"};
    switch (n->use) {
    case NET_BUS:
        return "bus";
    case NET_ADC:
        return "adc";
    case NET_DAC:
        return "dac";
    case NET_PWM:
        return "pwm";
    default:
        return modes[n->mode];
    }
}

static void add_pins(sim_board_t *b, cJSON *out, uint64_t since)
{
    cJSON *pins = cJSON_AddObjectToObject(out, "pins");
    for (uint16_t i = 0; i < b->mcu.pin_count; i++) {
        const net_t *n = &b->nets[i];
        if (n->revision <= since && !(since == 0 && n->revision == 0))
            continue;
        cJSON *pin = cJSON_AddObjectToObject(pins, sim_pin_label(b, i));
        cJSON_AddStringToObject(pin, "mode", mode_name(n));
        if (n->wire == SIM_WIRE_FLOAT)
            cJSON_AddNullToObject(pin, "level");
        else
            sim_add_number(pin, "level", n->wire == SIM_WIRE_HIGH || n->wire == SIM_WIRE_PULL_HIGH);
        if (n->use == NET_PWM || n->use == NET_DAC)
            sim_add_number(pin, "duty", n->duty);
        if (n->outside != SIM_FLOAT)
            sim_add_number(pin, "held", n->outside == SIM_HIGH);
    }
}

static void add_parts(sim_board_t *b, cJSON *out, uint64_t since)
{
    cJSON *parts = cJSON_AddObjectToObject(out, "parts");
    for (size_t i = 0; i < b->part_count; i++) {
        part_t *p = &b->parts[i];
        if (p->changed_at <= since && since != 0)
            continue;
        cJSON *part = cJSON_AddObjectToObject(parts, p->chip->id);
        sim_add_counters(cJSON_AddObjectToObject(part, "counters"), p);
        cJSON *state = cJSON_AddObjectToObject(part, "state");
        if (p->chip->cls->describe != NULL)
            p->chip->cls->describe(p->chip, state);
        cJSON_AddStringToObject(part, "power", p->power[p->power_now].name);
        cJSON_AddStringToObject(part, "fault", sim_fault_name(p->chip->fault));
    }
}

static void add_buses(sim_board_t *b, cJSON *out)
{
    static const char *const kinds[] = {"spi", "i2c", "uart", "par8"};
    cJSON *list = cJSON_AddArrayToObject(out, "buses");
    for (const bus_t *bus = b->open_buses; bus != NULL; bus = bus->next) {
        cJSON *o = cJSON_CreateObject();
        const uint16_t first = bus->kind == BUS_PAR8 ? bus->pins[8] : bus->pins[0];
        cJSON_AddStringToObject(o, "kind", kinds[bus->kind]);
        cJSON_AddStringToObject(o, "pin", first == ADDER_PIN_NONE ? "" : sim_pin_label(b, first));
        cJSON_AddBoolToObject(o, "open", bus->open);
        sim_add_number(o, "hz", bus->hz);
        sim_add_number(o, "transactions", (double)bus->transactions);
        sim_add_number(o, "bytes_out", (double)bus->bytes_out);
        sim_add_number(o, "bytes_in", (double)bus->bytes_in);
        sim_add_number(o, "busy_us", (double)(uint64_t)bus->busy_us);
        cJSON_AddItemToArray(list, o);
    }
}

static void add_events(sim_board_t *b, cJSON *out, uint64_t after)
{
    cJSON *list = cJSON_AddArrayToObject(out, "events");
    uint64_t n = b->log_n > LOG_LINES ? b->log_n - LOG_LINES : 0;
    for (n = n < after ? after : n; n < b->log_n; n++) {
        const log_line_t *line = &b->log[n % LOG_LINES];
        cJSON *o = cJSON_CreateObject();
        sim_add_number(o, "n", (double)line->n);
        sim_add_number(o, "t", (double)line->t_us / 1e6);
        cJSON_AddStringToObject(o, "from", line->from);
        cJSON_AddStringToObject(o, "text", line->text);
        cJSON_AddItemToArray(list, o);
    }
}

/* The lines written after board revision `since`. */
static uint64_t first_new_line(const sim_board_t *b, uint64_t since)
{
    uint64_t n = b->log_n > LOG_LINES ? b->log_n - LOG_LINES : 0;
    while (n < b->log_n && b->log[n % LOG_LINES].revision <= since)
        n++;
    return n;
}

cJSON *sim_board_state(sim_board_t *b, uint64_t since)
{
    cJSON *out = cJSON_CreateObject();
    sim_enter(b);
    for (size_t i = 0; i < b->part_count; i++) {
        const uint64_t due = b->parts[i].due_us;
        sim_part_after(b, &b->parts[i]); /* changes a helper thread of a chip made */
        b->parts[i].due_us = due;
    }
    sim_add_number(out, "revision", (double)b->revision);
    sim_add_number(out, "time", (double)sim_now(b) / 1e6);
    sim_add_charge(b, out);
    add_parts(b, out, since);
    add_events(b, out, first_new_line(b, since));
    add_buses(b, out);
    add_pins(b, out, since);
    sim_leave(b);
    return out;
}

uint64_t sim_board_revision(sim_board_t *b)
{
    sim_enter(b);
    const uint64_t revision = b->revision;
    sim_leave(b);
    return revision;
}

/* ---- picture ---- */

adder_err_t sim_board_picture(sim_board_t *b, const char *chip_id, sim_picture_t *p)
{
    adder_err_t err = ADDER_ERR_NOT_FOUND;
    sim_enter(b);
    part_t *display = chip_id == NULL ? sim_first_display(b) : sim_part_find(b, chip_id);
    if (display != NULL && display->chip->cls->picture != NULL) {
        unsigned width, height;
        uint64_t revision;
        const uint32_t *pixels = display->chip->cls->picture(display->chip, &width, &height, &revision);
        const size_t n = (size_t)width * height;
        err = p->pixels != NULL && p->revision == revision ? ADDER_ERR_AGAIN : ADDER_OK;
        if (err == ADDER_OK && n > p->cap) {
            uint32_t *more = realloc(p->pixels, n * sizeof *more);
            if (more == NULL) {
                err = ADDER_ERR_NOMEM;
            } else {
                p->pixels = more;
                p->cap = n;
            }
        }
        if (err == ADDER_OK) {
            memcpy(p->pixels, pixels, n * sizeof *pixels);
            p->width = width;
            p->height = height;
            p->revision = revision;
        }
    }
    sim_leave(b);
    return err;
}

void sim_picture_free(sim_picture_t *p)
{
    free(p->pixels);
    memset(p, 0, sizeof *p);
}
