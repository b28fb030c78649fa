/* The chips a board file may name. */
#include "sim/chips/chips.h"

#include <string.h>

#include "sim/sim_int.h"

const sim_chip_class_t *const sim_chip_classes[] = {
    &sim_chip_ili9341,         &sim_chip_st7789,        &sim_chip_ssd1306,
    &sim_chip_resistive_touch, &sim_chip_light_sensor,  &sim_chip_adt7410,
    &sim_chip_neopixel,        &sim_chip_led,           &sim_chip_button,
    &sim_chip_speaker,         &sim_chip_potentiometer, &sim_chip_esp32_nina,
    &sim_chip_native_wifi,     &sim_chip_max17048,      NULL,
};

const sim_chip_class_t *sim_chip_class(const char *type)
{
    for (size_t i = 0; sim_chip_classes[i] != NULL; i++)
        if (strcmp(sim_chip_classes[i]->type, type) == 0)
            return sim_chip_classes[i];
    return NULL;
}
