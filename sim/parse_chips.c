/* The "chips" of a board file: parts, their wires and currents. */
#include "sim/parse_int.h"

#include <stdlib.h>
#include <string.h>

static int chip_pin(const sim_chip_class_t *cls, const char *name)
{
    for (int i = 0; cls->pins != NULL && cls->pins[i] != NULL; i++)
        if (strcmp(cls->pins[i], name) == 0)
            return i;
    return -1;
}

static bool read_wires(reader_t *r, part_t *p, const cJSON *wires, const char *where)
{
    sim_board_t *b = r->b;
    const sim_chip_class_t *cls = p->chip->cls;
    if (wires != NULL && !cJSON_IsObject(wires))
        FAIL(r, "%s.wires: an object {\"cs\": \"D9\"} is wanted", where);
    const cJSON *v;
    cJSON_ArrayForEach(v, wires)
    {
        char place[160], pins[300] = "";
        snprintf(place, sizeof place, "%s.wires.%.64s", where, v->string);
        const int pin = chip_pin(cls, v->string);
        if (pin < 0) {
            size_t at = 0;
            for (size_t i = 0; cls->pins != NULL && cls->pins[i] != NULL && at < sizeof pins - 40; i++)
                at +=
                    (size_t)snprintf(pins + at, sizeof pins - at, "%s%.30s", i > 0 ? ", " : "", cls->pins[i]);
            FAIL(r, "%s: a %s has no such pin (its pins: %s)", place, cls->type, pins);
        }
        uint16_t net;
        if (cJSON_IsNull(v))
            continue;
        if (cJSON_IsString(v) && strcmp(v->valuestring, "GND") == 0)
            net = (uint16_t)b->mcu.pin_count;
        else if (cJSON_IsString(v) && strcmp(v->valuestring, "3V3") == 0)
            net = (uint16_t)(b->mcu.pin_count + 1);
        else if (!parse_find_pin(r, v, place, &net))
            return false;
        net_t *n = &b->nets[net];
        p->nets[pin] = net;
        if (net >= b->mcu.pin_count)
            continue; /* a constant level has no one to tell */
        if (n->chip_pin_count == NET_CHIP_PINS_MAX)
            FAIL(r, "%s: more than %d chip pins on this wire", place, NET_CHIP_PINS_MAX);
        n->chip_pins[n->chip_pin_count++] = (net_chip_pin_t){p, (uint8_t)pin};
    }
    return true;
}

static bool read_currents(reader_t *r, part_t *p, const char *where)
{
    const cJSON *table = parse_get(p->config, "current_ua");
    if (table != NULL && !cJSON_IsObject(table))
        FAIL(r, "%s.current_ua: an object {\"on\": 1000, \"sleep\": 1} is wanted", where);
    p->power[p->power_count++] = (power_state_t){.name = "off"};
    const cJSON *v;
    cJSON_ArrayForEach(v, table)
    {
        if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 1e8))
            FAIL(r, "%s.current_ua.%.64s: microamperes, 0 or more", where, v->string);
        if (strcmp(v->string, "off") == 0) {
            p->power[0].current_ua = v->valuedouble;
            continue;
        }
        if (p->power_count == POWER_STATES_MAX)
            FAIL(r, "%s.current_ua: more than %d states", where, POWER_STATES_MAX - 1);
        p->power[p->power_count++] = (power_state_t){.name = v->string, .current_ua = v->valuedouble};
    }
    return true;
}

/* The chip's object of the board file, members of the run's configuration over it. */
static cJSON *merged_config(const sim_board_t *b, const cJSON *chip, const char *id)
{
    cJSON *config = cJSON_Duplicate(chip, true);
    const cJSON *extra = parse_get(parse_get(b->run, "chips"), id), *v;
    cJSON_ArrayForEach(v, extra)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(config, v->string);
        cJSON_AddItemToObject(config, v->string, cJSON_Duplicate(v, true));
    }
    return config;
}

static bool read_chip(reader_t *r, const cJSON *v, size_t index)
{
    sim_board_t *b = r->b;
    char where[64], inner[SIM_MSG_CAP - 64] = "";
    const char *id, *type;
    snprintf(where, sizeof where, "chips[%zu]", index);
    if (!cJSON_IsObject(v))
        FAIL(r, "%s: an object is wanted", where);
    if (!parse_text(r, v, where, "id", &id) || !parse_text(r, v, where, "type", &type))
        return false;
    if (strlen(id) >= sizeof((sim_chip_t *)0)->id)
        FAIL(r, "%s.id: longer than %zu letters", where, sizeof((sim_chip_t *)0)->id - 1);
    if (sim_part_find(b, id) != NULL || strcmp(id, "board") == 0 || strcmp(id, "mcu") == 0)
        FAIL(r, "%s.id: \"%s\" is taken", where, id);
    const sim_chip_class_t *cls = sim_chip_class(type);
    if (cls == NULL) {
        size_t at = 0;
        for (size_t i = 0; sim_chip_classes[i] != NULL && at < sizeof inner - 40; i++)
            at += (size_t)snprintf(inner + at, sizeof inner - at, "%s%.30s", i > 0 ? ", " : "",
                                   sim_chip_classes[i]->type);
        FAIL(r, "%s.type: unknown chip \"%.40s\" (known: %s)", where, type, inner);
    }
    part_t *p = &b->parts[b->part_count];
    memset(p->nets, 0xFF, sizeof p->nets);
    p->chip = calloc(1, cls->size);
    p->config = merged_config(b, v, id);
    if (p->chip == NULL || p->config == NULL) {
        free(p->chip);
        cJSON_Delete(p->config);
        p->chip = NULL;
        p->config = NULL;
        FAIL(r, "out of memory");
    }
    p->chip->cls = cls;
    p->chip->board = b;
    p->chip->part = p;
    snprintf(p->chip->id, sizeof p->chip->id, "%s", id);
    for (p->pin_count = 0; cls->pins != NULL && cls->pins[p->pin_count] != NULL;)
        p->pin_count++;
    ADDER_ASSERT(p->pin_count <= PART_PINS_MAX);
    p->cs = chip_pin(cls, "cs");
    p->sck = chip_pin(cls, "sck");
    p->mosi = chip_pin(cls, "mosi");
    p->miso = chip_pin(cls, "miso");
    p->scl = chip_pin(cls, "scl");
    p->sda = chip_pin(cls, "sda");
    p->wr = chip_pin(cls, "wr");
    p->d0 = chip_pin(cls, "d0");
    const adder_err_t err =
        cls->create != NULL ? cls->create(p->chip, p->config, inner, sizeof inner) : ADDER_OK;
    if (err != ADDER_OK) {
        free(p->chip);
        cJSON_Delete(p->config);
        p->chip = NULL;
        p->config = NULL;
        FAIL(r, "%s (%s): %s", where, id, inner[0] != 0 ? inner : adder_err_str(err));
    }
    b->part_count++;
    return read_wires(r, p, parse_get(p->config, "wires"), where) && read_currents(r, p, where);
}

bool parse_chips(reader_t *r, const cJSON *chips)
{
    sim_board_t *b = r->b;
    if (!cJSON_IsArray(chips) || cJSON_GetArraySize(chips) > PARTS_MAX)
        FAIL(r, "chips: a list of at most %d is wanted", PARTS_MAX);
    size_t index = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, chips) if (!read_chip(r, v, index++)) return false;
    cJSON_ArrayForEach(v, parse_get(b->run, "chips"))
    {
        if (sim_part_find(b, v->string) == NULL)
            FAIL(r, "run configuration: chips.%.64s: this board has no such chip", v->string);
        if (!cJSON_IsObject(v))
            FAIL(r, "run configuration: chips.%.64s: an object is wanted", v->string);
    }
    return true;
}
