/* Board files: from JSON to a board, with a message that says where for everything that is wrong. */
#include "sim/sim_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_LEN = 1 << 20 };

/* ---- JSON text ---- */

static void say_syntax(const char *name, const char *text, size_t len, const char *at, char *msg, size_t cap)
{
    unsigned line = 1, column = 1;
    const char *end = text + len;
    if (at == NULL || at < text || at > end)
        at = end;
    for (const char *c = text; c < at; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    char near[24];
    size_t n = 0;
    for (const char *c = at; c < end && n < sizeof near - 1 && *c != '\n' && *c != 0; c++)
        near[n++] = isprint((unsigned char)*c) ? *c : '?';
    near[n] = 0;
    if (at == end)
        sim_say(msg, cap, "%s:%u:%u: not valid JSON: it ends too early (a missing bracket or quote?)", name,
                line, column);
    else
        sim_say(msg, cap, "%s:%u:%u: not valid JSON near \"%s\"", name, line, column, near);
}

cJSON *sim_json_parse(const char *name, const char *text, size_t len, char *msg, size_t cap)
{
    const char *end = NULL;
    if (len > FILE_MAX_LEN) {
        sim_say(msg, cap, "%s: larger than 1 MB", name);
        return NULL;
    }
    /* cJSON wants the end marked when it must check for trailing text */
    char *copy = malloc(len + 1);
    if (copy == NULL) {
        sim_say(msg, cap, "%s: out of memory", name);
        return NULL;
    }
    memcpy(copy, text, len);
    copy[len] = 0;
    cJSON *json = NULL;
    const char *nul = memchr(copy, 0, len);
    if (nul != NULL)
        say_syntax(name, copy, len, nul, msg, cap);
    else if ((json = cJSON_ParseWithLengthOpts(copy, len + 1, &end, true)) == NULL)
        say_syntax(name, copy, len, end, msg, cap);
    free(copy);
    return json;
}

cJSON *sim_json_read(const char *path, char *msg, size_t cap)
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(FILE_MAX_LEN + 1);
    cJSON *json = NULL;
    if (f == NULL) {
        sim_say(msg, cap, "%s: %s", path, strerror(errno));
    } else if (text == NULL) {
        sim_say(msg, cap, "%s: out of memory", path);
    } else {
        const size_t n = fread(text, 1, FILE_MAX_LEN + 1, f);
        if (ferror(f))
            sim_say(msg, cap, "%s: %s", path, strerror(errno));
        else
            json = sim_json_parse(path, text, n, msg, cap);
    }
    if (f != NULL)
        fclose(f);
    free(text);
    return json;
}

/* ---- reading with a place in mind ---- */

typedef struct {
    sim_board_t *b;
    char *msg;
    size_t cap;
} reader_t;

#define FAIL(r, ...)                                                                                         \
    do {                                                                                                     \
        char text_[SIM_MSG_CAP];                                                                             \
        snprintf(text_, sizeof text_, __VA_ARGS__);                                                          \
        sim_say((r)->msg, (r)->cap, "%s: %s", (r)->b->name, text_);                                          \
        return false;                                                                                        \
    } while (0)

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool read_text(reader_t *r, const cJSON *object, const char *where, const char *key, const char **out)
{
    const cJSON *v = get(object, key);
    if (v == NULL)
        FAIL(r, "%s.%s is missing", where, key);
    if (!cJSON_IsString(v) || v->valuestring[0] == 0)
        FAIL(r, "%s.%s: a text is wanted", where, key);
    *out = v->valuestring;
    return true;
}

/* Absent keys leave *out alone. */
static bool read_number(reader_t *r, const cJSON *object, const char *where, const char *key, double min,
                        double max, double *out)
{
    const cJSON *v = get(object, key);
    if (v == NULL)
        return true;
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= min && v->valuedouble <= max))
        FAIL(r, "%s.%s: a number from %g to %g is wanted", where, key, min, max);
    *out = v->valuedouble;
    return true;
}

static bool known_keys(reader_t *r, const cJSON *object, const char *where, const char *const *keys)
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

static bool find_pin(reader_t *r, const cJSON *v, const char *where, uint16_t *out)
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

static bool read_pin(reader_t *r, const cJSON *object, const char *where, const char *key, bool must,
                     uint16_t *out)
{
    char place[160];
    const cJSON *v = get(object, key);
    snprintf(place, sizeof place, "%s.%s", where, key);
    *out = ADDER_PIN_NONE;
    if (v == NULL || cJSON_IsNull(v)) {
        if (must)
            FAIL(r, "%s is missing", place);
        return true;
    }
    return find_pin(r, v, place, out);
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
        if (!find_pin(r, v, where, &pin))
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
    if (!known_keys(r, v, where, keys) || !read_text(r, v, where, "kind", &kind) ||
        (named && !read_text(r, v, where, "name", &out->name)))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) != 0)
            continue;
        out->kind = kind[0];
        for (unsigned k = 0; k < 3; k++) {
            out->pins[k] = ADDER_PIN_NONE;
            if (kinds[i].pins[k] != NULL && !read_pin(r, v, where, kinds[i].pins[k], true, &out->pins[k]))
                return false;
        }
        return true;
    }
    FAIL(r, "%s.kind: \"i2c\", \"spi\" or \"uart\" is wanted", where);
}

static bool read_buses(reader_t *r, const char *key, bool named, adder_mcu_bus_t **out, size_t *count_out)
{
    const cJSON *list = get(r->b->json, key);
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

/* One record of the start sequence: "36 A8 +120ms ; remark" -> command, length (0x80 with a delay),
 * parameters, delay: busdisplay's format. */
static bool read_record(reader_t *r, const cJSON *v, unsigned index, uint8_t *out, size_t *len)
{
    uint8_t bytes[128];
    size_t n = 0;
    long delay_ms = 0;
    if (!cJSON_IsString(v))
        FAIL(r, "display.init[%u]: a text such as \"36 A8 +10ms\" is wanted", index);
    for (const char *at = v->valuestring; *at != 0 && *at != ';';) {
        char *end;
        if (*at == ' ') {
            at++;
            continue;
        }
        const bool delay = *at == '+';
        const long value = strtol(at + delay, &end, delay ? 10 : 16);
        const bool sound =
            end != at + delay && isxdigit((unsigned char)at[delay]) &&
            (delay ? strncmp(end, "ms", 2) == 0 && value >= 0 && value <= 500
                   : value <= 255 && (*end == ' ' || *end == 0 || *end == ';') && n < sizeof bytes);
        if (!sound)
            FAIL(r, "display.init[%u]: \"%.20s\": hex bytes, then +MILLISECONDSms (at most 500)", index, at);
        if (delay)
            delay_ms = value;
        else
            bytes[n++] = (uint8_t)value;
        at = end + (delay ? 2 : 0);
    }
    if (n == 0)
        FAIL(r, "display.init[%u]: no command", index);
    out[(*len)++] = bytes[0];
    out[(*len)++] = (uint8_t)((n - 1) | (delay_ms > 0 ? 0x80u : 0));
    memcpy(out + *len, bytes + 1, n - 1);
    *len += n - 1;
    if (delay_ms > 0)
        out[(*len)++] = delay_ms > 254 ? 255 : (uint8_t)delay_ms;
    return true;
}

static bool read_display(reader_t *r, const cJSON *d)
{
    static const char *const keys[] = {"bus",         "data",        "write",     "read",
                                       "sck",         "mosi",        "miso",      "command",
                                       "chip_select", "reset",       "hz",        "init",
                                       "width",       "height",      "colstart",  "rowstart",
                                       "rotation",    "color_depth", "backlight", "frames_per_second",
                                       NULL};
    adder_mcu_display_t *out = &r->b->mcu.display;
    const char *bus;
    if (d == NULL || cJSON_IsNull(d))
        return true;
    if (!cJSON_IsObject(d))
        FAIL(r, "display: an object is wanted");
    if (!known_keys(r, d, "display", keys) || !read_text(r, d, "display", "bus", &bus))
        return false;
    out->write = out->read = out->sck = out->mosi = out->miso = ADDER_PIN_NONE;
    if (strcmp(bus, "par8") == 0) {
        const cJSON *data = get(d, "data");
        out->kind = ADDER_MCU_DISPLAY_PAR8;
        if (!cJSON_IsArray(data) || cJSON_GetArraySize(data) != 8)
            FAIL(r, "display.data: a list of eight pins is wanted");
        for (int i = 0; i < 8; i++) {
            char where[32];
            snprintf(where, sizeof where, "display.data[%d]", i);
            if (!find_pin(r, cJSON_GetArrayItem(data, i), where, &out->data[i]))
                return false;
        }
        if (!read_pin(r, d, "display", "write", true, &out->write) ||
            !read_pin(r, d, "display", "read", false, &out->read))
            return false;
    } else if (strcmp(bus, "fourwire") == 0) {
        out->kind = ADDER_MCU_DISPLAY_FOURWIRE;
        if (!read_pin(r, d, "display", "sck", true, &out->sck) ||
            !read_pin(r, d, "display", "mosi", true, &out->mosi) ||
            !read_pin(r, d, "display", "miso", false, &out->miso))
            return false;
    } else {
        FAIL(r, "display.bus: \"par8\" or \"fourwire\" is wanted");
    }
    double hz = 0, width = 0, height = 0, colstart = 0, rowstart = 0, rotation = 0, depth = 16, fps = 60;
    if (!read_pin(r, d, "display", "command", true, &out->command) ||
        !read_pin(r, d, "display", "chip_select", false, &out->chip_select) ||
        !read_pin(r, d, "display", "reset", false, &out->reset) ||
        !read_pin(r, d, "display", "backlight", false, &out->backlight) ||
        !read_number(r, d, "display", "hz", 0, 1e8, &hz) ||
        !read_number(r, d, "display", "width", 1, 2048, &width) ||
        !read_number(r, d, "display", "height", 1, 2048, &height) ||
        !read_number(r, d, "display", "colstart", -2048, 2048, &colstart) ||
        !read_number(r, d, "display", "rowstart", -2048, 2048, &rowstart) ||
        !read_number(r, d, "display", "rotation", 0, 270, &rotation) ||
        !read_number(r, d, "display", "color_depth", 1, 32, &depth) ||
        !read_number(r, d, "display", "frames_per_second", 1, 1000, &fps))
        return false;
    if (width < 1 || height < 1)
        FAIL(r, "display.%s is missing", width < 1 ? "width" : "height");
    if (rotation != 0 && rotation != 90 && rotation != 180 && rotation != 270)
        FAIL(r, "display.rotation: 0, 90, 180 or 270 is wanted");
    out->hz = (uint32_t)hz;
    out->width = (uint16_t)width;
    out->height = (uint16_t)height;
    out->colstart = (int16_t)colstart;
    out->rowstart = (int16_t)rowstart;
    out->rotation = (uint16_t)rotation;
    out->color_depth = (uint8_t)depth;
    out->frames_per_second = (uint16_t)fps;

    const cJSON *init = get(d, "init");
    if (!cJSON_IsArray(init) || cJSON_GetArraySize(init) > 256)
        FAIL(r, "display.init: a list of at most 256 records is wanted");
    r->b->init_sequence = malloc((size_t)cJSON_GetArraySize(init) * 131 + 1);
    if (r->b->init_sequence == NULL)
        FAIL(r, "out of memory");
    unsigned index = 0;
    const cJSON *v;
    cJSON_ArrayForEach(
        v, init) if (!read_record(r, v, index++, r->b->init_sequence, &out->init_sequence_len)) return false;
    out->init_sequence = r->b->init_sequence;
    return true;
}

/* ---- the processor ---- */

static bool read_uid(reader_t *r, const cJSON *mcu)
{
    const cJSON *v = get(mcu, "uid");
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
    if (!known_keys(r, mcu, "mcu", keys) || !read_text(r, mcu, "mcu", "chip", &b->mcu.chip_name) ||
        !read_number(r, mcu, "mcu", "cpu_hz", 1e5, 4e9, &cpu_hz) ||
        !read_number(r, mcu, "mcu", "adc_bits", 8, 16, &bits) ||
        !read_number(r, mcu, "mcu", "adc_reference_v", 0.5, 5.5, &reference) ||
        !read_number(r, mcu, "mcu", "nvm_size", 0, 1 << 20, &nvm) ||
        !read_number(r, mcu, "mcu", "celsius", -60, 150, &b->mcu_celsius) ||
        !read_number(r, mcu, "mcu", "current_ua", 0, 1e7, &b->mcu_current_ua) || !read_uid(r, mcu))
        return false;
    b->mcu.cpu_hz = (uint32_t)cpu_hz;
    b->adc_bits = (unsigned)bits;
    b->mcu.adc_reference_v = (float)reference;
    b->mcu.nvm_size = (size_t)nvm;
    b->nvm = malloc(b->mcu.nvm_size + 1);
    if (b->nvm == NULL)
        FAIL(r, "out of memory");
    memset(b->nvm, 0xFF, b->mcu.nvm_size);
    return read_pins(r, get(mcu, "pins"));
}

/* ---- chips ---- */

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
        else if (!find_pin(r, v, place, &net))
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
    const cJSON *table = get(p->config, "current_ua");
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
    const cJSON *extra = get(get(b->run, "chips"), id), *v;
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
    if (!read_text(r, v, where, "id", &id) || !read_text(r, v, where, "type", &type))
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
    return read_wires(r, p, get(p->config, "wires"), where) && read_currents(r, p, where);
}

static bool read_chips(reader_t *r, const cJSON *chips)
{
    sim_board_t *b = r->b;
    if (!cJSON_IsArray(chips) || cJSON_GetArraySize(chips) > PARTS_MAX)
        FAIL(r, "chips: a list of at most %d is wanted", PARTS_MAX);
    size_t index = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, chips) if (!read_chip(r, v, index++)) return false;
    cJSON_ArrayForEach(v, get(b->run, "chips"))
    {
        if (sim_part_find(b, v->string) == NULL)
            FAIL(r, "run configuration: chips.%.64s: this board has no such chip", v->string);
        if (!cJSON_IsObject(v))
            FAIL(r, "run configuration: chips.%.64s: an object is wanted", v->string);
    }
    return true;
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
    if (!known_keys(r, b->json, "", keys) || !read_text(r, b->json, "board", "id", &b->mcu.board_id) ||
        !read_text(r, b->json, "board", "name", &b->mcu.board_name) || !read_mcu(r, get(b->json, "mcu")) ||
        !read_names(r, get(b->json, "names")))
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
        !read_pulls(r, get(b->json, "pulls")) || !read_display(r, get(b->json, "display")) ||
        !read_chips(r, get(b->json, "chips")))
        return false;
    b->mcu.buses = b->buses;
    collect_i2c(b);
    const cJSON *picture = get(b->json, "picture");
    if (picture != NULL && !cJSON_IsObject(picture))
        FAIL(r, "picture: an object is wanted");
    return true;
}

adder_err_t sim_board_parse(sim_board_t *b, char *msg, size_t cap)
{
    reader_t r = {b, msg, cap};
    return read_board(&r) ? ADDER_OK : ADDER_ERR_FORMAT;
}
