/* The displays of the machine: slots in static storage, refreshed as background work. */
#include "python/modules/display_pool.h"
#include "python/modules/pins.h"

display_slot_t display_slots[DISPLAY_SLOTS];

display_slot_t *display_slot_take(adder_busdisplay_config_t *config)
{
    for (size_t i = 0; i < DISPLAY_SLOTS; i++) {
        display_slot_t *slot = &display_slots[i];
        if (slot->used)
            continue;
        *slot = (display_slot_t){.used = true, .backlight_pin = ADDER_PIN_NONE, .brightness = 1};
        config->buffer = slot->buffer;
        config->buffer_len = sizeof slot->buffer;
        config->slice_bytes = DISPLAY_SLICE_BYTES;
        return slot;
    }
    return NULL;
}

/* ---- backlight ---- */

static adder_err_t set_backlight(void *ctx, uint16_t duty)
{
    display_slot_t *slot = ctx;
    const adder_mcu_t *mcu = slot->mcu;
    uint32_t hz;
    if (!slot->backlight_on_high)
        duty = (uint16_t)(65535u - duty);
    if (slot->backlight_started)
        return mcu->pin->pwm_duty(mcu->ctx, slot->backlight_pin, duty);
    adder_err_t err = mcu->pin->pwm_start(mcu->ctx, slot->backlight_pin, slot->backlight_hz, duty, &hz);
    slot->backlight_started = err == ADDER_OK;
    return err;
}

void display_slot_backlight(display_slot_t *slot, const adder_mcu_t *mcu, uint16_t pin, uint32_t hz,
                            bool on_high, adder_busdisplay_config_t *config)
{
    slot->mcu = mcu;
    config->backlight_on_high = on_high;
    if (pin == ADDER_PIN_NONE)
        return;
    slot->backlight_pin = pin;
    if (pin < mcu->pin_count && (mcu->pins[pin].caps & ADDER_CAP_PWM)) {
        slot->backlight_hz = hz;
        slot->backlight_on_high = on_high;
        config->backlight = (adder_backlight_pwm_t){set_backlight, slot};
    } else {
        config->backlight_pin = (adder_pin_t){mcu->gpio, mcu->ctx, pin};
    }
}

/* ---- refresh ---- */

static uint64_t refresh(void *ctx, uint64_t now_us)
{
    display_slot_t *slot = ctx;
    return adder_busdisplay_tick(&slot->display, now_us);
}

void display_slot_run(display_slot_t *slot)
{
    slot->background.run = refresh;
    slot->background.ctx = slot;
    slot->background.due_us = 0;
    py_background_add(&slot->background);
    py_background_post(); /* it may be in the list already, with a time far away */
}

/* ---- letting go ---- */

void display_slot_release(display_slot_t *slot)
{
    if (!slot->used)
        return;
    py_background_remove(&slot->background);
    if (slot->ready)
        ADDER_IGNORE(adder_busdisplay_set_root(&slot->display, NULL), "no root is always allowed");
    if (slot->backlight_pin != ADDER_PIN_NONE && slot->mcu != NULL) {
        slot->mcu->pin->pin_release(slot->mcu->ctx, slot->backlight_pin);
        pins_release(slot->backlight_pin);
    }
    if (slot->owner != NULL)
        slot->owner->slot = NULL;
    slot->owner = NULL;
    slot->used = slot->ready = false;
}

void display_forget_group(adder_group_t *group)
{
    for (size_t i = 0; i < DISPLAY_SLOTS; i++) {
        display_slot_t *slot = &display_slots[i];
        if (slot->ready && slot->display.scene.root == group)
            ADDER_IGNORE(adder_busdisplay_set_root(&slot->display, NULL), "no root is always allowed");
    }
}

bool display_release_all(void)
{
    for (size_t i = 0; i < DISPLAY_SLOTS; i++) {
        if (display_board_is(&display_slots[i]))
            display_board_release();
        else
            display_slot_release(&display_slots[i]);
    }
    display_bus_close_all();
    return true;
}
