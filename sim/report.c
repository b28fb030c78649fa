/* --report: every counter of the run, in the order of the board file. */
#include "sim/sim_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Buses opened several times on the same pins are one line. */
static void report_buses(sim_board_t *b, cJSON *out)
{
    static const char *const kinds[] = {"spi", "i2c", "uart", "par8"};
    cJSON *list = cJSON_AddArrayToObject(out, "buses");
    for (const bus_t *bus = b->open_buses; bus != NULL; bus = bus->next) {
        cJSON *o = cJSON_CreateObject(), *pins = cJSON_CreateArray();
        cJSON_AddStringToObject(o, "kind", kinds[bus->kind]);
        for (unsigned i = 0; i < bus->pin_count; i++)
            cJSON_AddItemToArray(pins, bus->pins[i] == ADDER_PIN_NONE
                                           ? cJSON_CreateNull()
                                           : cJSON_CreateString(sim_pin_label(b, bus->pins[i])));
        cJSON_AddItemToObject(o, "pins", pins);
        sim_add_number(o, "hz", bus->hz);
        sim_add_number(o, "transactions", (double)bus->transactions);
        sim_add_number(o, "bytes_out", (double)bus->bytes_out);
        sim_add_number(o, "bytes_in", (double)bus->bytes_in);
        sim_add_number(o, "errors", (double)bus->errors);
        sim_add_number(o, "busy_us", (double)(uint64_t)(bus->busy_us + 0.5));
        cJSON_AddItemToArray(list, o);
    }
}

static void report_chips(sim_board_t *b, cJSON *out)
{
    cJSON *chips = cJSON_AddObjectToObject(out, "chips");
    for (size_t i = 0; i < b->part_count; i++) {
        part_t *p = &b->parts[i];
        cJSON *o = cJSON_AddObjectToObject(chips, p->chip->id);
        cJSON_AddStringToObject(o, "type", p->chip->cls->type);
        sim_add_counters(cJSON_AddObjectToObject(o, "counters"), p);
        cJSON *state = cJSON_AddObjectToObject(o, "state");
        if (p->chip->cls->describe != NULL)
            p->chip->cls->describe(p->chip, state);
        cJSON_AddStringToObject(o, "fault", sim_fault_name(p->chip->fault));
    }
}

static void report_pins(sim_board_t *b, cJSON *out)
{
    cJSON *pins = cJSON_AddObjectToObject(out, "pins");
    for (uint16_t i = 0; i < b->mcu.pin_count; i++)
        if (b->nets[i].toggles > 0)
            sim_add_number(cJSON_AddObjectToObject(pins, sim_pin_label(b, i)), "toggles",
                           (double)b->nets[i].toggles);
    sim_add_number(out, "wire_conflicts", (double)b->conflicts);
}

/* Charge = time in a state times that state's current: an estimate from the data sheets, good for
 * comparing programs, not for choosing a battery. */
static void report_energy(sim_board_t *b, cJSON *out)
{
    cJSON *energy = cJSON_AddObjectToObject(out, "energy");
    const double seconds = (double)sim_lived(b) / 1e6;
    double total_uc = seconds * b->mcu_current_ua;
    cJSON *mcu = cJSON_AddObjectToObject(energy, "mcu");
    sim_add_number(cJSON_AddObjectToObject(mcu, "seconds"), "run", seconds);
    sim_add_number(mcu, "charge_uc", total_uc);
    for (size_t i = 0; i < b->part_count; i++) {
        part_t *p = &b->parts[i];
        double uc = 0;
        sim_part_after(b, p);
        cJSON *o = cJSON_AddObjectToObject(energy, p->chip->id),
              *states = cJSON_AddObjectToObject(o, "seconds");
        for (unsigned k = 0; k < p->power_count; k++) {
            if (p->power[k].us > 0)
                sim_add_number(states, p->power[k].name, (double)p->power[k].us / 1e6);
            uc += (double)p->power[k].us / 1e6 * p->power[k].current_ua;
        }
        sim_add_number(o, "charge_uc", uc);
        total_uc += uc;
    }
    sim_add_number(energy, "total_uc", total_uc);
    sim_add_number(energy, "average_ma", seconds > 0 ? total_uc / seconds / 1000 : 0);
}

void sim_add_charge(sim_board_t *b, cJSON *into)
{
    double uc = (double)sim_lived(b) / 1e6 * b->mcu_current_ua;
    for (size_t i = 0; i < b->part_count; i++)
        for (unsigned k = 0; k < b->parts[i].power_count; k++)
            uc += (double)b->parts[i].power[k].us / 1e6 * b->parts[i].power[k].current_ua;
    sim_add_number(into, "charge_uc", uc);
}

static void report_display(sim_board_t *b, cJSON *out)
{
    part_t *p = sim_first_display(b);
    if (p == NULL)
        return;
    size_t count = 0;
    cJSON *o = cJSON_AddObjectToObject(out, "display");
    cJSON_AddStringToObject(o, "chip", p->chip->id);
    const sim_counter_t *own =
        p->chip->cls->counters != NULL ? p->chip->cls->counters(p->chip, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        sim_add_number(o, own[i].name, (double)own[i].value);
}

static void report_events(sim_board_t *b, cJSON *out)
{
    cJSON *list = cJSON_AddArrayToObject(out, "events");
    for (uint64_t n = b->log_n > LOG_LINES ? b->log_n - LOG_LINES : 0; n < b->log_n; n++) {
        const log_line_t *line = &b->log[n % LOG_LINES];
        cJSON *o = cJSON_CreateObject();
        sim_add_number(o, "t", (double)line->t_us / 1e6);
        cJSON_AddStringToObject(o, "from", line->from);
        cJSON_AddStringToObject(o, "text", line->text);
        cJSON_AddItemToArray(list, o);
    }
    sim_add_number(out, "events_dropped", b->log_n > LOG_LINES ? (double)(b->log_n - LOG_LINES) : 0);
}

cJSON *sim_board_report(sim_board_t *b)
{
    cJSON *out = cJSON_CreateObject();
    sim_enter(b);
    cJSON_AddStringToObject(out, "board", b->mcu.board_id);
    sim_add_number(out, "seconds", (double)sim_lived(b) / 1e6);
    report_buses(b, out);
    report_chips(b, out);
    report_display(b, out);
    report_pins(b, out);
    report_energy(b, out);
    report_events(b, out);
    cJSON *timeline = cJSON_AddObjectToObject(out, "timeline");
    sim_add_number(timeline, "played", (double)b->timeline_at);
    sim_add_number(timeline, "left", (double)(b->timeline_count - b->timeline_at));
    sim_leave(b);
    return out;
}

adder_err_t sim_board_report_write(sim_board_t *b, const char *path, char *msg, size_t msg_cap)
{
    cJSON *report = sim_board_report(b);
    char *text = cJSON_Print(report);
    cJSON_Delete(report);
    if (text == NULL)
        return ADDER_ERR_NOMEM;
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fprintf(f, "%s\n", text) > 0;
    const int why = errno;
    if (f != NULL && fclose(f) != 0)
        ok = false;
    free(text);
    if (!ok)
        sim_say(msg, msg_cap, "%s: cannot write the report: %s", path, strerror(f == NULL ? why : errno));
    return ok ? ADDER_OK : ADDER_ERR_IO;
}
