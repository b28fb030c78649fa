/* Parts of one idea each: light sensor, potentiometer, LED, button, speaker. */
#include <math.h>

#include "sim/chips/chips.h"

/* ---- light sensor: a phototransistor with a load resistor, read as a voltage ---- */

typedef struct {
    sim_chip_t chip;
    double lux, load_ohm, ua_per_lux, supply_v;
} light_t;

static const char *const light_pins[] = {"out", NULL};

static adder_err_t light_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    light_t *l = (light_t *)c;
    l->lux = 300;
    l->load_ohm = 10000;
    l->ua_per_lux = 0.2;
    l->supply_v = 3.3;
    adder_err_t err = chip_number(config, "lux", 0, 100000, &l->lux, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "load_ohm", 10, 1e7, &l->load_ohm, msg, cap);
    if (err == ADDER_OK)
        err = chip_number(config, "ua_per_lux", 0.001, 100, &l->ua_per_lux, msg, cap);
    return err;
}

static bool light_analog(sim_chip_t *c, unsigned pin, float *fraction_out)
{
    const light_t *l = (const light_t *)c;
    const double volts = l->lux * l->ua_per_lux * 1e-6 * l->load_ohm;
    (void)pin;
    *fraction_out = (float)fmin(volts / l->supply_v, 0.97); /* the transistor keeps a little */
    return true;
}

static adder_err_t light_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap)
{
    (void)msg, (void)cap;
    chip_turn(knobs, "lux", &((light_t *)c)->lux);
    sim_chip_changed(c);
    return ADDER_OK;
}

static void light_describe(sim_chip_t *c, cJSON *into)
{
    cJSON_AddNumberToObject(into, "lux", ((const light_t *)c)->lux);
}

static const sim_knob_t light_knobs[] = {{.name = "lux",
                                          .kind = SIM_KNOB_NUMBER,
                                          .label = "Light",
                                          .unit = "lx",
                                          .min = 0,
                                          .max = 2000,
                                          .step = 1},
                                         {0}};

const sim_chip_class_t sim_chip_light_sensor = {
    .type = "light_sensor",
    .title = "Light sensor",
    .pins = light_pins,
    .size = sizeof(light_t),
    .create = light_create,
    .analog = light_analog,
    .control = light_control,
    .describe = light_describe,
    .knobs = light_knobs,
};

/* ---- potentiometer ---- */

typedef struct {
    sim_chip_t chip;
    double position;
} pot_t;

static const char *const pot_pins[] = {"wiper", NULL};

static adder_err_t pot_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    pot_t *p = (pot_t *)c;
    p->position = 50;
    return chip_number(config, "position", 0, 100, &p->position, msg, cap);
}

static bool pot_analog(sim_chip_t *c, unsigned pin, float *fraction_out)
{
    (void)pin;
    *fraction_out = (float)(((const pot_t *)c)->position / 100);
    return true;
}

static adder_err_t pot_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap)
{
    (void)msg, (void)cap;
    chip_turn(knobs, "position", &((pot_t *)c)->position);
    sim_chip_changed(c);
    return ADDER_OK;
}

static void pot_describe(sim_chip_t *c, cJSON *into)
{
    cJSON_AddNumberToObject(into, "position", ((const pot_t *)c)->position);
}

static const sim_knob_t pot_knobs[] = {{.name = "position",
                                        .kind = SIM_KNOB_NUMBER,
                                        .label = "Position",
                                        .unit = "%",
                                        .min = 0,
                                        .max = 100,
                                        .step = 1},
                                       {0}};

const sim_chip_class_t sim_chip_potentiometer = {
    .type = "potentiometer",
    .title = "Potentiometer",
    .pins = pot_pins,
    .size = sizeof(pot_t),
    .create = pot_create,
    .analog = pot_analog,
    .control = pot_control,
    .describe = pot_describe,
    .knobs = pot_knobs,
};

/* ---- LED ---- */

typedef struct {
    sim_chip_t chip;
    double brightness; /* 0..1 */
    bool active_low;
    uint64_t changes;
    sim_counter_t counters[1];
} led_t;

static const char *const led_pins[] = {"in", NULL};

static adder_err_t led_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    (void)msg, (void)cap;
    ((led_t *)c)->active_low = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(config, "active_low"));
    return ADDER_OK;
}

static void led_set(led_t *l, double brightness)
{
    if (l->brightness == brightness)
        return;
    l->brightness = brightness;
    l->changes++;
    sim_chip_changed(&l->chip);
}

static void led_power_on(sim_chip_t *c, uint64_t now_us)
{
    (void)now_us;
    ((led_t *)c)->brightness = 0;
}

static void led_pin(sim_chip_t *c, unsigned pin, sim_level_t level, uint64_t now_us)
{
    led_t *l = (led_t *)c;
    (void)pin, (void)now_us;
    led_set(l, level != SIM_FLOAT && (level == SIM_HIGH) != l->active_low ? 1 : 0);
}

static void led_pwm(sim_chip_t *c, unsigned pin, uint32_t hz, uint16_t duty)
{
    led_t *l = (led_t *)c;
    (void)pin, (void)hz;
    const double d = duty / 65535.0;
    led_set(l, sim_chip_level(c, 0) == SIM_FLOAT ? 0 : l->active_low ? 1 - d : d);
}

static void led_describe(sim_chip_t *c, cJSON *into)
{
    cJSON_AddNumberToObject(into, "brightness", round(((const led_t *)c)->brightness * 1000) / 1000);
}

static const sim_counter_t *led_counters(sim_chip_t *c, size_t *n_out)
{
    led_t *l = (led_t *)c;
    l->counters[0] = (sim_counter_t){"changes", l->changes};
    *n_out = 1;
    return l->counters;
}

static const char *led_power_state(sim_chip_t *c)
{
    return ((const led_t *)c)->brightness > 0 ? "lit" : "dark";
}

const sim_chip_class_t sim_chip_led = {
    .type = "led",
    .title = "LED",
    .pins = led_pins,
    .size = sizeof(led_t),
    .create = led_create,
    .power_on = led_power_on,
    .pin_changed = led_pin,
    .pwm = led_pwm,
    .describe = led_describe,
    .counters = led_counters,
    .power_state = led_power_state,
};

/* ---- button: connects its wire to ground (or to the supply) while pressed ---- */

typedef struct {
    sim_chip_t chip;
    bool pressed, active_high;
    uint64_t presses;
    sim_counter_t counters[1];
} button_t;

static const char *const button_pins[] = {"out", NULL};

static adder_err_t button_create(sim_chip_t *c, const cJSON *config, char *msg, size_t cap)
{
    (void)msg, (void)cap;
    ((button_t *)c)->active_high = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(config, "active_high"));
    return ADDER_OK;
}

static void button_apply(button_t *b)
{
    sim_chip_drive(&b->chip, 0, !b->pressed ? SIM_FLOAT : b->active_high ? SIM_HIGH : SIM_LOW);
}

static void button_power_on(sim_chip_t *c, uint64_t now_us)
{
    (void)now_us;
    button_apply((button_t *)c);
}

static adder_err_t button_control(sim_chip_t *c, const cJSON *knobs, char *msg, size_t cap)
{
    button_t *b = (button_t *)c;
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(knobs, "pressed");
    (void)msg, (void)cap;
    if (v != NULL && b->pressed != (bool)cJSON_IsTrue(v)) {
        b->pressed = cJSON_IsTrue(v);
        b->presses += b->pressed;
        button_apply(b);
        sim_chip_changed(c);
    }
    return ADDER_OK;
}

static void button_describe(sim_chip_t *c, cJSON *into)
{
    cJSON_AddBoolToObject(into, "pressed", ((const button_t *)c)->pressed);
}

static const sim_counter_t *button_counters(sim_chip_t *c, size_t *n_out)
{
    button_t *b = (button_t *)c;
    b->counters[0] = (sim_counter_t){"presses", b->presses};
    *n_out = 1;
    return b->counters;
}

static const sim_knob_t button_knobs[] = {{.name = "pressed", .kind = SIM_KNOB_PRESS, .label = "Press"}, {0}};

const sim_chip_class_t sim_chip_button = {
    .type = "button",
    .title = "Button",
    .pins = button_pins,
    .size = sizeof(button_t),
    .create = button_create,
    .power_on = button_power_on,
    .control = button_control,
    .describe = button_describe,
    .counters = button_counters,
    .knobs = button_knobs,
};

/* ---- speaker: an amplifier with an enable pin; what it would play is shown, not heard ---- */

typedef struct {
    sim_chip_t chip;
    bool enabled;
    uint32_t hz;
    double level; /* 0..1, of the input */
} speaker_t;

enum { SPEAKER_ENABLE, SPEAKER_IN };
static const char *const speaker_pins[] = {"enable", "in", NULL};

static void speaker_power_on(sim_chip_t *c, uint64_t now_us)
{
    speaker_t *s = (speaker_t *)c;
    (void)now_us;
    s->enabled = false;
    s->hz = 0;
    s->level = 0;
}

static void speaker_pin(sim_chip_t *c, unsigned pin, sim_level_t level, uint64_t now_us)
{
    speaker_t *s = (speaker_t *)c;
    (void)now_us;
    if (pin == SPEAKER_ENABLE && s->enabled != (level == SIM_HIGH)) {
        s->enabled = level == SIM_HIGH;
        sim_chip_changed(c);
    }
}

static void speaker_pwm(sim_chip_t *c, unsigned pin, uint32_t hz, uint16_t duty)
{
    speaker_t *s = (speaker_t *)c;
    if (pin != SPEAKER_IN)
        return;
    s->hz = hz;
    s->level = duty / 65535.0;
    sim_chip_changed(c);
}

static void speaker_describe(sim_chip_t *c, cJSON *into)
{
    const speaker_t *s = (const speaker_t *)c;
    cJSON_AddBoolToObject(into, "enabled", s->enabled);
    cJSON_AddNumberToObject(into, "hz", s->hz);
    cJSON_AddNumberToObject(into, "level", round(s->level * 1000) / 1000);
}

static const char *speaker_power_state(sim_chip_t *c)
{
    return ((const speaker_t *)c)->enabled ? "on" : "sleep";
}

const sim_chip_class_t sim_chip_speaker = {
    .type = "speaker",
    .title = "Speaker",
    .pins = speaker_pins,
    .size = sizeof(speaker_t),
    .power_on = speaker_power_on,
    .pin_changed = speaker_pin,
    .pwm = speaker_pwm,
    .describe = speaker_describe,
    .power_state = speaker_power_state,
};
