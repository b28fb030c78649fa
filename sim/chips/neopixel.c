/* A chain of WS2812 pixels: each takes its bytes from the front of the frame. */
#include <string.h>

#include "sim/chips/chips.h"

enum { PIXELS_MAX = 1024 };
enum { PIN_IN, PIN_POWER };
static const char *const neopixel_pins[] = {"in", "power", NULL}; /* power: a switch in front of the chain */

typedef struct {
    sim_chip_t chip;
    unsigned count, bytes_per_pixel;
    char order[5];
    uint8_t color[PIXELS_MAX][4]; /* red, green, blue, white */
    bool off;                     /* the switch is open */
    uint64_t frames, bytes;
    sim_counter_t counters[2];
} neopixel_t;

static adder_err_t neopixel_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    neopixel_t *n = (neopixel_t *)c;
    double count = 1;
    const cJSON *order = cJSON_GetObjectItemCaseSensitive(config, "order");
    const char *text = order == NULL ? "GRB" : cJSON_IsString(order) ? order->valuestring : "";
    const adder_err_t err = chip_number(config, "count", 1, PIXELS_MAX, &count, msg, cap);
    n->count = (unsigned)count;
    n->bytes_per_pixel = (unsigned)strlen(text);
    if (err == ADDER_OK &&
        (n->bytes_per_pixel < 3 || n->bytes_per_pixel > 4 || strspn(text, "RGBW") != n->bytes_per_pixel)) {
        snprintf(msg, cap, "order: \"GRB\", \"RGB\", \"GRBW\" or the like is wanted");
        return ADDER_ERR_FORMAT;
    }
    memcpy(n->order, text, n->bytes_per_pixel);
    return err;
}

static void neopixel_power_on(sim_chip_t *c, uint64_t now_us)
{
    neopixel_t *n = (neopixel_t *)c;
    (void)now_us;
    memset(n->color, 0, sizeof n->color);
    sim_chip_changed(c);
}

static void neopixel_pin(sim_chip_t *c, unsigned pin, sim_level_t level, uint64_t now_us)
{
    neopixel_t *n = (neopixel_t *)c;
    if (pin != PIN_POWER || n->off == (level == SIM_LOW))
        return;
    n->off = level == SIM_LOW;
    neopixel_power_on(c, now_us); /* dark now, and dark when the current comes back */
}

static void neopixel_frame(sim_chip_t *c, unsigned pin, const uint8_t *bytes, size_t len, uint64_t now_us)
{
    neopixel_t *n = (neopixel_t *)c;
    (void)pin, (void)now_us;
    if (n->off)
        return;
    n->frames++;
    n->bytes += len;
    for (unsigned i = 0; i < n->count && (i + 1) * n->bytes_per_pixel <= len; i++)
        for (unsigned k = 0; k < n->bytes_per_pixel; k++) {
            static const char channels[] = "RGBW";
            const char *at = strchr(channels, n->order[k]);
            n->color[i][at - channels] = bytes[i * n->bytes_per_pixel + k];
        }
    sim_chip_changed(c);
}

static void neopixel_describe(sim_chip_t *c, cJSON *into)
{
    const neopixel_t *n = (const neopixel_t *)c;
    cJSON *pixels = cJSON_AddArrayToObject(into, "pixels");
    for (unsigned i = 0; i < n->count; i++) {
        char text[12];
        const uint8_t *v = n->color[i];
        unsigned rgb[3];
        for (int k = 0; k < 3; k++) /* white light adds to all three on a screen */
            rgb[k] = v[k] + v[3] > 255 ? 255u : (unsigned)(v[k] + v[3]);
        snprintf(text, sizeof text, "#%02x%02x%02x", rgb[0] & 0xFF, rgb[1] & 0xFF, rgb[2] & 0xFF);
        cJSON_AddItemToArray(pixels, cJSON_CreateString(text));
    }
}

static const sim_counter_t *neopixel_counters(sim_chip_t *c, size_t *n_out)
{
    neopixel_t *n = (neopixel_t *)c;
    n->counters[0] = (sim_counter_t){"frames", n->frames};
    n->counters[1] = (sim_counter_t){"bytes", n->bytes};
    *n_out = 2;
    return n->counters;
}

static const char *neopixel_power_state(sim_chip_t *c)
{
    const neopixel_t *n = (const neopixel_t *)c;
    for (unsigned i = 0; i < n->count; i++)
        if ((n->color[i][0] | n->color[i][1] | n->color[i][2] | n->color[i][3]) != 0)
            return "lit";
    return "dark";
}

const sim_chip_class_t sim_chip_neopixel = {
    .type = "neopixel",
    .title = "NeoPixel",
    .pins = neopixel_pins,
    .size = sizeof(neopixel_t),
    .create = neopixel_create,
    .power_on = neopixel_power_on,
    .pin_changed = neopixel_pin,
    .pulse_frame = neopixel_frame,
    .describe = neopixel_describe,
    .counters = neopixel_counters,
    .power_state = neopixel_power_state,
};
