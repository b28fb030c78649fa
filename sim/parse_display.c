/* The "display" of a board file: the built-in display and its start sequence. */
#include "sim/parse_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

bool parse_display(reader_t *r, const cJSON *d)
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
    if (!parse_known_keys(r, d, "display", keys) || !parse_text(r, d, "display", "bus", &bus))
        return false;
    out->write = out->read = out->sck = out->mosi = out->miso = ADDER_PIN_NONE;
    if (strcmp(bus, "par8") == 0) {
        const cJSON *data = parse_get(d, "data");
        out->kind = ADDER_MCU_DISPLAY_PAR8;
        if (!cJSON_IsArray(data) || cJSON_GetArraySize(data) != 8)
            FAIL(r, "display.data: a list of eight pins is wanted");
        for (int i = 0; i < 8; i++) {
            char where[32];
            snprintf(where, sizeof where, "display.data[%d]", i);
            if (!parse_find_pin(r, cJSON_GetArrayItem(data, i), where, &out->data[i]))
                return false;
        }
        if (!parse_pin(r, d, "display", "write", true, &out->write) ||
            !parse_pin(r, d, "display", "read", false, &out->read))
            return false;
    } else if (strcmp(bus, "fourwire") == 0) {
        out->kind = ADDER_MCU_DISPLAY_FOURWIRE;
        if (!parse_pin(r, d, "display", "sck", true, &out->sck) ||
            !parse_pin(r, d, "display", "mosi", true, &out->mosi) ||
            !parse_pin(r, d, "display", "miso", false, &out->miso))
            return false;
    } else {
        FAIL(r, "display.bus: \"par8\" or \"fourwire\" is wanted");
    }
    double hz = 0, width = 0, height = 0, colstart = 0, rowstart = 0, rotation = 0, depth = 16, fps = 60;
    if (!parse_pin(r, d, "display", "command", true, &out->command) ||
        !parse_pin(r, d, "display", "chip_select", false, &out->chip_select) ||
        !parse_pin(r, d, "display", "reset", false, &out->reset) ||
        !parse_pin(r, d, "display", "backlight", false, &out->backlight) ||
        !parse_number(r, d, "display", "hz", 0, 1e8, &hz) ||
        !parse_number(r, d, "display", "width", 1, 2048, &width) ||
        !parse_number(r, d, "display", "height", 1, 2048, &height) ||
        !parse_number(r, d, "display", "colstart", -2048, 2048, &colstart) ||
        !parse_number(r, d, "display", "rowstart", -2048, 2048, &rowstart) ||
        !parse_number(r, d, "display", "rotation", 0, 270, &rotation) ||
        !parse_number(r, d, "display", "color_depth", 1, 32, &depth) ||
        !parse_number(r, d, "display", "frames_per_second", 1, 1000, &fps))
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

    const cJSON *init = parse_get(d, "init");
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
