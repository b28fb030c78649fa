/* The classes that chips.c lists, and the few helpers chips share for reading their configuration. */
#ifndef SIM_CHIPS_H
#define SIM_CHIPS_H

#include <stdio.h>

#include "sim/chip.h"

extern const sim_chip_class_t sim_chip_ili9341, sim_chip_st7789, sim_chip_ssd1306, sim_chip_resistive_touch,
    sim_chip_light_sensor, sim_chip_adt7410, sim_chip_neopixel, sim_chip_led, sim_chip_button,
    sim_chip_speaker, sim_chip_potentiometer, sim_chip_esp32_nina, sim_chip_native_wifi, sim_chip_max17048;

/* config.key as a number from min to max; absent leaves *out alone. */
static inline adder_err_t chip_number(const cJSON *config, const char *key, double min, double max,
                                      double *out, char *msg, size_t cap)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(config, key);
    if (v == NULL)
        return ADDER_OK;
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= min && v->valuedouble <= max)) {
        snprintf(msg, cap, "%s: a number from %g to %g is wanted", key, min, max);
        return ADDER_ERR_FORMAT;
    }
    *out = v->valuedouble;
    return ADDER_OK;
}

/* knobs.key, a number that the core has checked (sim_chip_class_t.knobs); absent leaves *out alone. */
static inline void chip_turn(const cJSON *knobs, const char *key, double *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(knobs, key);
    if (v != NULL)
        *out = v->valuedouble;
}

/* A pair of numbers, both from min to max. */
static inline adder_err_t chip_pair(const cJSON *v, const char *name, double min, double max, double out[2],
                                    char *msg, size_t cap)
{
    for (int i = 0; i < 2; i++) {
        const cJSON *item = cJSON_GetArrayItem(v, i);
        if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) != 2 || !cJSON_IsNumber(item) ||
            !(item->valuedouble >= min && item->valuedouble <= max)) {
            snprintf(msg, cap, "%s: [a, b] with numbers from %g to %g is wanted", name, min, max);
            return ADDER_ERR_FORMAT;
        }
        out[i] = item->valuedouble;
    }
    return ADDER_OK;
}

#endif
