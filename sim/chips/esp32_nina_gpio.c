/* The chip's own pins, which no wire of the board reaches but the RGB LED's: 26 red, 25 green, 27 blue.
 * Numbers beyond 39 have no pin register: 1.x and 2.x would write foreign memory, 3.x checks. It also
 * hands the mode on to a core that counts otherwise, where 1 is an input. */
#include "sim/chips/esp32_nina_handlers.h"

enum { ARDUINO_OUTPUT_BIT = 2, ARDUINO_PULLUP_BIT = 4, PULLUP = 2 };

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
        return n->fw->arduino_pins ? nina_reply_u8(n, 1) : NINA_CRASH;
    }
    n->pins[pin].mode = nina_u8(n, 6);
    n->pins[pin].pwm = false;
    n->pins[pin].gpio = true;
    n->chip.revision++;
    return nina_reply_u8(n, 1);
}

nina_result_t nina_digital_write(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t pin;
    if (pin_at(n, &pin) && (n->pins[pin].gpio || !n->fw->arduino_pins)) { /* the core's own checks */
        n->pins[pin].level = nina_u8(n, 6) != 0;
        n->chip.revision++;
    }
    return nina_reply_u8(n, 1);
}

/* PWM channels are pin modulo 7 in 1.x and 2.x: a later pin takes an earlier one's duty with it. */
nina_result_t nina_analog_write(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    uint8_t pin;
    if (pin_at(n, &pin)) {
        const uint8_t duty = nina_u8(n, 6);
        n->pins[pin].pwm = true;
        for (unsigned other = pin % 7u; other < NINA_PINS; other += 7) {
            if (n->pins[other].pwm && (other == pin || !n->fw->arduino_pins)) {
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
    const uint8_t mode = n->pins[pin].mode;
    return nina_reply_u8(n, n->fw->arduino_pins ? (mode & ARDUINO_PULLUP_BIT) != 0 : mode == PULLUP);
}

nina_result_t nina_analog_read(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const uint8_t pin = nina_u8(n, 4);
    const bool adc1 = pin >= 32 && pin < NINA_PINS;
    return nina_reply_u32le(n, adc1 || n->fw->arduino_pins ? 0u : 0xFFFFFFFFu); /* a bad pin: -1; 3.x: 0 */
}

/* What the LED on a pin shows. In 3.x a level reaches it only from an output. */
uint8_t nina_led(const nina_t *n, unsigned pin)
{
    if (n->pins[pin].pwm) {
        return n->pins[pin].duty;
    }
    const bool drives = !n->fw->arduino_pins || (n->pins[pin].mode & ARDUINO_OUTPUT_BIT) != 0;
    return drives && n->pins[pin].level ? 255 : 0;
}
