/* Board files: from JSON to a board, with a message that says where for everything that is wrong. */
#include "sim/parse_int.h"

#include <stdlib.h>
#include <string.h>

const cJSON *parse_get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

bool parse_text(reader_t *r, const cJSON *object, const char *where, const char *key, const char **out)
{
    const cJSON *v = parse_get(object, key);
    if (v == NULL)
        FAIL(r, "%s.%s is missing", where, key);
    if (!cJSON_IsString(v) || v->valuestring[0] == 0)
        FAIL(r, "%s.%s: a text is wanted", where, key);
    *out = v->valuestring;
    return true;
}

bool parse_number(reader_t *r, const cJSON *object, const char *where, const char *key, double min,
                  double max, double *out)
{
    const cJSON *v = parse_get(object, key);
    if (v == NULL)
        return true;
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= min && v->valuedouble <= max))
        FAIL(r, "%s.%s: a number from %g to %g is wanted", where, key, min, max);
    *out = v->valuedouble;
    return true;
}

bool parse_known_keys(reader_t *r, const cJSON *object, const char *where, const char *const *keys)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        bool known = member->string[0] == '_'; /* remarks */
        for (size_t i = 0; keys[i] != NULL && !known; i++)
            known = strcmp(keys[i], member->string) == 0;
        if (!known)
            FAIL(r, "%s%s%s: unknown key", where, where[0] != 0 ? "." : "", member->string);
    }
    return true;
}

/* ---- pins ---- */

uint16_t sim_pin_find(const sim_board_t *b, const char *name)
{
    for (size_t i = 0; i < b->mcu.pin_count; i++)
        if (strcmp(b->pins[i].name, name) == 0)
            return (uint16_t)i;
    for (size_t i = 0; i < b->mcu.alias_count; i++)
        if (strcmp(b->aliases[i].name, name) == 0)
            return b->aliases[i].pin;
    return NET_NONE;
}

/* "pins of this board": the names a person would write. */
static void list_pins(const sim_board_t *b, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = 0;
    const size_t count = b->mcu.alias_count > 0 ? b->mcu.alias_count : b->mcu.pin_count;
    for (size_t i = 0; i < count; i++) {
        const char *name = b->mcu.alias_count > 0 ? b->aliases[i].name : b->pins[i].name;
        if (strlen(name) + 8 > cap - at) {
            at += (size_t)snprintf(out + at, cap - at, ", ...");
            return;
        }
        at += (size_t)snprintf(out + at, cap - at, "%s%s", i > 0 ? ", " : "", name);
    }
}

bool parse_find_pin(reader_t *r, const cJSON *v, const char *where, uint16_t *out)
{
    char pins[300];
    if (!cJSON_IsString(v))
        FAIL(r, "%s: a pin name is wanted", where);
    *out = sim_pin_find(r->b, v->valuestring);
    if (*out == NET_NONE) {
        list_pins(r->b, pins, sizeof pins);
        FAIL(r, "%s: no such pin %.40s (pins of this board: %s)", where, v->valuestring, pins);
    }
    return true;
}

bool parse_pin(reader_t *r, const cJSON *object, const char *where, const char *key, bool must, uint16_t *out)
{
    char place[160];
    const cJSON *v = parse_get(object, key);
    snprintf(place, sizeof place, "%s.%s", where, key);
    *out = ADDER_PIN_NONE;
    if (v == NULL || cJSON_IsNull(v)) {
        if (must)
            FAIL(r, "%s is missing", place);
        return true;
    }
    return parse_find_pin(r, v, place, out);
}

static bool read_caps(reader_t *r, const cJSON *v, uint16_t *out)
{
    static const struct {
        const char *name;
        uint16_t cap;
    } caps[] = {{"digital", ADDER_CAP_DIGITAL},
                {"adc", ADDER_CAP_ADC},
                {"dac", ADDER_CAP_DAC},
                {"pwm", ADDER_CAP_PWM},
                {"input_only", ADDER_CAP_INPUT_ONLY}};
    *out = 0;
    if (!cJSON_IsString(v))
        FAIL(r, "mcu.pins.%s: a text such as \"digital adc\" is wanted", v->string);
    for (const char *at = v->valuestring; *at != 0;) {
        const size_t n = strcspn(at, " ");
        bool known = n == 0;
        for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
            if (n == strlen(caps[i].name) && memcmp(at, caps[i].name, n) == 0) {
                *out = (uint16_t)(*out | caps[i].cap);
                known = true;
            }
        if (!known)
            FAIL(r, "mcu.pins.%s: unknown ability \"%.*s\" (digital, adc, dac, pwm, input_only)", v->string,
                 (int)(n < 40 ? n : 40), at);
        at += n + (at[n] == ' ');
    }
    return true;
}

static bool read_pins(reader_t *r, const cJSON *pins)
{
    sim_board_t *b = r->b;
    if (!cJSON_IsObject(pins) || cJSON_GetArraySize(pins) == 0)
        FAIL(r, "mcu.pins: an object {\"PA00\": \"digital adc\", ...} is wanted");
    if (cJSON_GetArraySize(pins) > PINS_MAX)
        FAIL(r, "mcu.pins: more than %d pins", PINS_MAX);
    b->pins = calloc((size_t)cJSON_GetArraySize(pins), sizeof b->pins[0]);
    if (b->pins == NULL)
        FAIL(r, "out of memory");
    b->mcu.pins = b->pins;
    const cJSON *v;
    cJSON_ArrayForEach(v, pins)
    {
        if (sim_pin_find(b, v->string) != NET_NONE)
            FAIL(r, "mcu.pins.%s: listed twice", v->string);
        b->pins[b->mcu.pin_count].name = v->string;
        if (!read_caps(r, v, &b->pins[b->mcu.pin_count].caps))
            return false;
        b->mcu.pin_count++;
    }
    return true;
}

static bool read_names(reader_t *r, const cJSON *names)
{
    sim_board_t *b = r->b;
    if (names == NULL)
        return true;
    if (!cJSON_IsObject(names) || cJSON_GetArraySize(names) > PINS_MAX)
        FAIL(r, "names: an object {\"D13\": \"PA17\", ...} of at most %d is wanted", PINS_MAX);
    b->aliases = calloc((size_t)cJSON_GetArraySize(names) + 1, sizeof b->aliases[0]);
    if (b->aliases == NULL)
        FAIL(r, "out of memory");
    b->mcu.aliases = b->aliases;
    const cJSON *v;
    cJSON_ArrayForEach(v, names)
    {
        char where[96];
        uint16_t pin;
        snprintf(where, sizeof where, "names.%.64s", v->string);
        if (sim_pin_find(b, v->string) != NET_NONE)
            FAIL(r, "%s: already the name of a pin", where);
        if (!parse_find_pin(r, v, where, &pin))
            return false;
        b->aliases[b->mcu.alias_count++] = (adder_mcu_alias_t){v->string, pin};
    }
    return true;
}

/* ---- buses, pulls, display ---- */

static bool read_bus(reader_t *r, const cJSON *v, const char *where, bool named, adder_mcu_bus_t *out)
{
    static const char *const keys[] = {"name", "kind", "scl", "sda", "sck", "mosi", "miso", "tx", "rx", NULL};
    static const struct {
        const char *kind, *pins[3];
    } kinds[] = {
        {"i2c", {"scl", "sda", NULL}}, {"spi", {"sck", "mosi", "miso"}}, {"uart", {"tx", "rx", NULL}}};
    const char *kind;
    if (!cJSON_IsObject(v))
        FAIL(r, "%s: an object is wanted", where);
    if (!parse_known_keys(r, v, where, keys) || !parse_text(r, v, where, "kind", &kind) ||
        (named && !parse_text(r, v, where, "name", &out->name)))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) != 0)
            continue;
        out->kind = kind[0];
        for (unsigned k = 0; k < 3; k++) {
            out->pins[k] = ADDER_PIN_NONE;
            if (kinds[i].pins[k] != NULL && !parse_pin(r, v, where, kinds[i].pins[k], true, &out->pins[k]))
                return false;
        }
        return true;
    }
    FAIL(r, "%s.kind: \"i2c\", \"spi\" or \"uart\" is wanted", where);
}

static bool read_buses(reader_t *r, const char *key, bool named, adder_mcu_bus_t **out, size_t *count_out)
{
    const cJSON *list = parse_get(r->b->json, key);
    if (list == NULL)
        return true;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > 64)
        FAIL(r, "%s: a list of at most 64 is wanted", key);
    *out = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof **out);
    if (*out == NULL)
        FAIL(r, "out of memory");
    const cJSON *v;
    cJSON_ArrayForEach(v, list)
    {
        char where[48];
        snprintf(where, sizeof where, "%s[%zu]", key, *count_out);
        if (!read_bus(r, v, where, named, &(*out)[*count_out]))
            return false;
        (*count_out)++;
    }
    return true;
}

static bool read_pulls(reader_t *r, const cJSON *pulls)
{
    if (pulls == NULL)
        return true;
    if (!cJSON_IsObject(pulls))
        FAIL(r, "pulls: an object {\"SDA\": \"up\"} is wanted");
    const cJSON *v;
    cJSON_ArrayForEach(v, pulls)
    {
        const uint16_t pin = sim_pin_find(r->b, v->string);
        if (pin == NET_NONE)
            FAIL(r, "pulls.%.64s: no such pin", v->string);
        if (!cJSON_IsString(v) || (strcmp(v->valuestring, "up") != 0 && strcmp(v->valuestring, "down") != 0))
            FAIL(r, "pulls.%.64s: \"up\" or \"down\" is wanted", v->string);
        r->b->nets[pin].board_pull = v->valuestring[0] == 'u' ? SIM_WIRE_PULL_HIGH : SIM_WIRE_PULL_LOW;
    }
    return true;
}

/* ---- the processor ---- */

static bool read_uid(reader_t *r, const cJSON *mcu)
{
    const cJSON *v = parse_get(mcu, "uid");
    if (v == NULL)
        return true;
    const char *hex = cJSON_IsString(v) ? v->valuestring : "";
    const size_t n = strlen(hex);
    if (n == 0 || n % 2 != 0 || n / 2 > sizeof r->b->mcu.uid || strspn(hex, "0123456789abcdefABCDEF") != n)
        FAIL(r, "mcu.uid: up to %zu bytes in hex are wanted", sizeof r->b->mcu.uid);
    for (size_t i = 0; i < n / 2; i++) {
        const char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        r->b->mcu.uid[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    r->b->mcu.uid_len = n / 2;
    return true;
}

static bool read_mcu(reader_t *r, const cJSON *mcu)
{
    static const char *const keys[] = {"chip",     "cpu_hz", "adc_bits", "adc_reference_v",
                                       "nvm_size", "uid",    "celsius",  "current_ua",
                                       "pins",     NULL};
    sim_board_t *b = r->b;
    double cpu_hz = 48e6, bits = 12, reference = 3.3, nvm = 0;
    if (!cJSON_IsObject(mcu))
        FAIL(r, "mcu: an object is wanted");
    b->mcu_celsius = 25;
    if (!parse_known_keys(r, mcu, "mcu", keys) || !parse_text(r, mcu, "mcu", "chip", &b->mcu.chip_name) ||
        !parse_number(r, mcu, "mcu", "cpu_hz", 1e5, 4e9, &cpu_hz) ||
        !parse_number(r, mcu, "mcu", "adc_bits", 8, 16, &bits) ||
        !parse_number(r, mcu, "mcu", "adc_reference_v", 0.5, 5.5, &reference) ||
        !parse_number(r, mcu, "mcu", "nvm_size", 0, 1 << 20, &nvm) ||
        !parse_number(r, mcu, "mcu", "celsius", -60, 150, &b->mcu_celsius) ||
        !parse_number(r, mcu, "mcu", "current_ua", 0, 1e7, &b->mcu_current_ua) || !read_uid(r, mcu))
        return false;
    b->mcu.cpu_hz = (uint32_t)cpu_hz;
    b->adc_bits = (unsigned)bits;
    b->mcu.adc_reference_v = (float)reference;
    b->mcu.nvm_size = (size_t)nvm;
    b->nvm = malloc(b->mcu.nvm_size + 1);
    if (b->nvm == NULL)
        FAIL(r, "out of memory");
    memset(b->nvm, 0xFF, b->mcu.nvm_size);
    return read_pins(r, parse_get(mcu, "pins"));
}

/* Pairs of wires on which chips listen for I2C. */
static void collect_i2c(sim_board_t *b)
{
    for (size_t i = 0; i < b->part_count; i++) {
        const part_t *p = &b->parts[i];
        if (p->chip->cls->i2c_xfer == NULL || p->scl < 0 || p->sda < 0 ||
            p->nets[p->scl] >= b->mcu.pin_count || p->nets[p->sda] >= b->mcu.pin_count)
            continue;
        bool known = false;
        for (unsigned k = 0; k < b->bit_i2c_count; k++)
            known |= b->bit_i2c[k].scl == p->nets[p->scl] && b->bit_i2c[k].sda == p->nets[p->sda];
        if (!known && b->bit_i2c_count < sizeof b->bit_i2c / sizeof b->bit_i2c[0])
            b->bit_i2c[b->bit_i2c_count++] = (bit_i2c_t){.scl = p->nets[p->scl], .sda = p->nets[p->sda]};
    }
    sim_bits_reset(b);
}

static bool read_board(reader_t *r)
{
    static const char *const keys[] = {"id",    "name",    "mcu",   "names",   "buses", "more_buses",
                                       "pulls", "display", "chips", "picture", NULL};
    sim_board_t *b = r->b;
    if (!cJSON_IsObject(b->json))
        FAIL(r, "an object {\"id\": ...} is wanted");
    if (!parse_known_keys(r, b->json, "", keys) || !parse_text(r, b->json, "board", "id", &b->mcu.board_id) ||
        !parse_text(r, b->json, "board", "name", &b->mcu.board_name) ||
        !read_mcu(r, parse_get(b->json, "mcu")) || !read_names(r, parse_get(b->json, "names")))
        return false;
    b->net_count = b->mcu.pin_count + 2;
    b->nets = calloc(b->net_count, sizeof b->nets[0]);
    if (b->nets == NULL)
        FAIL(r, "out of memory");
    for (size_t i = 0; i < b->mcu.pin_count; i++)
        b->nets[i].name = b->pins[i].name;
    b->nets[b->mcu.pin_count] = (net_t){.name = "GND", .outside = SIM_LOW, .wire = SIM_WIRE_LOW};
    b->nets[b->mcu.pin_count + 1] = (net_t){.name = "3V3", .outside = SIM_HIGH, .wire = SIM_WIRE_HIGH};
    if (!read_buses(r, "buses", true, &b->buses, &b->mcu.bus_count) ||
        !read_buses(r, "more_buses", false, &b->more_buses, &b->more_bus_count) ||
        !read_pulls(r, parse_get(b->json, "pulls")) || !parse_display(r, parse_get(b->json, "display")) ||
        !parse_chips(r, parse_get(b->json, "chips")))
        return false;
    b->mcu.buses = b->buses;
    collect_i2c(b);
    const cJSON *picture = parse_get(b->json, "picture");
    if (picture != NULL && !cJSON_IsObject(picture))
        FAIL(r, "picture: an object is wanted");
    return true;
}

adder_err_t sim_board_parse(sim_board_t *b, char *msg, size_t cap)
{
    reader_t r = {b, msg, cap};
    return read_board(&r) ? ADDER_OK : ADDER_ERR_FORMAT;
}
