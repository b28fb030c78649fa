/* The chip's own pins, which no wire of the board reaches but the RGB LED's: 26 red, 25 green, 27 blue.
 * Numbers beyond 39 have no pin register: the firmware would write foreign memory. */
#include "sim/chips/esp32_nina.h"

static bool pin_at(nina_t *n, uint8_t *pin)
{
    *pin = nina_u8(n, 4);
    if (*pin < NINA_PINS) {
        return true;
    }
    sim_chip_log(&n->chip, "%s: there is no pin %u", n->command->name, *pin);
    n->count.errors++;
    return false;
}

nina_result_t nina_pin_mode(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t pin;
    if (!pin_at(n, &pin)) {
        return NINA_CRASH;
    }
    n->pins[pin].mode = nina_u8(n, 6);
    n->pins[pin].pwm = false;
    n->chip.revision++;
    return nina_reply_u8(n, 1);
}

nina_result_t nina_digital_write(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t pin;
    if (pin_at(n, &pin)) { /* the driver's own check refuses others */
        n->pins[pin].level = nina_u8(n, 6) != 0;
        n->chip.revision++;
    }
    return nina_reply_u8(n, 1);
}

/* PWM channels are pin modulo 7: a later pin takes an earlier one's duty with it. */
nina_result_t nina_analog_write(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t pin;
    if (pin_at(n, &pin)) {
        const uint8_t duty = nina_u8(n, 6);
        n->pins[pin].pwm = true;
        for (unsigned other = pin % 7u; other < NINA_PINS; other += 7) {
            if (n->pins[other].pwm) {
                n->pins[other].duty = duty;
            }
        }
        n->chip.revision++;
    }
    return nina_reply_u8(n, 1);
}

nina_result_t nina_digital_read(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t pin;
    if (!pin_at(n, &pin)) {
        return nina_reply_u8(n, 0);
    }
    /* An output reads 0: its input buffer is off. Nothing is wired: only a pull-up gives 1. */
    return nina_reply_u8(n, n->pins[pin].mode == 2);
}

nina_result_t nina_analog_read(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const uint8_t pin = nina_u8(n, 4);
    return nina_reply_u32le(n, pin >= 32 && pin < NINA_PINS ? 0u : 0xFFFFFFFFu); /* ADC1 only */
}
