/* The microcontroller: pins, converters, timers, clock, memory (include/adder/mcu.h). */
#include "sim/sim_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static net_t *pin_net(sim_board_t *b, uint16_t pin)
{
    return pin < b->mcu.pin_count ? &b->nets[pin] : NULL;
}

static bool can(const sim_board_t *b, uint16_t pin, unsigned cap)
{
    return (b->pins[pin].caps & cap) != 0;
}

/* ---- GPIO ---- */

static adder_err_t gpio_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    adder_err_t err = ADDER_OK;
    const bool out = mode == ADDER_PIN_OUT || mode == ADDER_PIN_OUT_OPEN_DRAIN;
    if (n == NULL || !can(b, pin, ADDER_CAP_DIGITAL) || (out && can(b, pin, ADDER_CAP_INPUT_ONLY))) {
        err = ADDER_ERR_PIN;
    } else {
        n->use = NET_GPIO;
        sim_net_set_mcu(b, n, mode, level);
    }
    sim_leave(b);
    return err;
}

static adder_err_t gpio_write(void *ctx, uint16_t pin, bool level)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    adder_err_t err = n == NULL ? ADDER_ERR_PIN : ADDER_OK;
    if (n != NULL && n->level != level) {
        n->level = level;
        sim_net_resolve(b, n, NULL);
    }
    sim_leave(b);
    return err;
}

static adder_err_t gpio_read(void *ctx, uint16_t pin, bool *level_out)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    adder_err_t err = n == NULL ? ADDER_ERR_PIN : ADDER_OK;
    if (n != NULL) {
        sim_poll(b);
        *level_out = sim_net_high(b, n);
    }
    sim_leave(b);
    return err;
}

const adder_pin_ops_t sim_gpio_ops = {gpio_mode, gpio_write, gpio_read};

/* ---- analog, PWM, pulses ---- */

static adder_err_t adc_read(void *ctx, uint16_t pin, uint16_t *value_out)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    if (n == NULL || !can(b, pin, ADDER_CAP_ADC)) {
        sim_leave(b);
        return ADDER_ERR_PIN;
    }
    sim_poll(b);
    if (n->use != NET_ADC) {
        n->use = NET_ADC; /* the converter takes the pin: input buffer and driver off */
        sim_net_set_mcu(b, n, ADDER_PIN_IN, false);
    }
    /* quantised to the converter's width, then spread over 16 bits so that full scale is 65535 */
    const unsigned top = (1u << b->adc_bits) - 1;
    const unsigned raw = (unsigned)(sim_net_voltage(b, n) * top + 0.5);
    *value_out = (uint16_t)(((uint32_t)raw * 65535u + top / 2) / top);
    sim_leave(b);
    return ADDER_OK;
}

/* PWM and DAC: chips that listen to a duty get it, others see a level. */
static void tell_duty(sim_board_t *b, net_t *n, uint32_t hz, uint16_t duty)
{
    n->pwm_hz = hz;
    n->duty = duty;
    sim_touch(b);
    n->revision = b->revision;
    sim_net_set_mcu(b, n, ADDER_PIN_OUT, duty >= 0x8000);
    for (unsigned i = 0; i < n->chip_pin_count; i++)
        sim_part_pwm(b, n->chip_pins[i].part, n->chip_pins[i].pin, hz, duty);
}

static adder_err_t dac_write(void *ctx, uint16_t pin, uint16_t value)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    const bool ok = n != NULL && can(b, pin, ADDER_CAP_DAC);
    if (ok) {
        n->use = NET_DAC;
        tell_duty(b, n, 0, value);
    }
    sim_leave(b);
    return ok ? ADDER_OK : ADDER_ERR_PIN;
}

static adder_err_t pwm_start(void *ctx, uint16_t pin, uint32_t hz, uint16_t duty, uint32_t *hz_out)
{
    sim_board_t *b = ctx;
    if (hz == 0 || hz > 6000000)
        return ADDER_ERR_RANGE;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    const bool ok = n != NULL && can(b, pin, ADDER_CAP_PWM);
    if (ok) {
        n->use = NET_PWM;
        tell_duty(b, n, hz, duty);
        if (hz_out != NULL)
            *hz_out = hz;
    }
    sim_leave(b);
    return ok ? ADDER_OK : ADDER_ERR_PIN;
}

static adder_err_t pwm_duty(void *ctx, uint16_t pin, uint16_t duty)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    adder_err_t err = n == NULL ? ADDER_ERR_PIN : n->use != NET_PWM ? ADDER_ERR_STATE : ADDER_OK;
    if (err == ADDER_OK)
        tell_duty(b, n, n->pwm_hz, duty);
    sim_leave(b);
    return err;
}

static void release(sim_board_t *b, net_t *n)
{
    const bool ran = n->use == NET_PWM || n->use == NET_DAC;
    n->use = NET_GPIO;
    n->pwm_hz = 0;
    n->duty = 0;
    sim_net_set_mcu(b, n, ADDER_PIN_IN, false);
    for (unsigned i = 0; ran && i < n->chip_pin_count; i++)
        sim_part_pwm(b, n->chip_pins[i].part, n->chip_pins[i].pin, 0, 0);
}

static void pin_release(void *ctx, uint16_t pin)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    if (n != NULL)
        release(b, n);
    sim_leave(b);
}

static adder_err_t neopixel_write(void *ctx, uint16_t pin, const uint8_t *bytes, size_t len)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    net_t *n = pin_net(b, pin);
    adder_err_t err = n == NULL ? ADDER_ERR_PIN : n->mode != ADDER_PIN_OUT ? ADDER_ERR_STATE : ADDER_OK;
    if (err == ADDER_OK) {
        sim_poll(b);
        for (unsigned i = 0; i < n->chip_pin_count; i++)
            sim_part_pulse(b, n->chip_pins[i].part, n->chip_pins[i].pin, bytes, len);
    }
    sim_leave(b);
    return err;
}

const adder_mcu_pin_ops_t sim_pin_ops = {adc_read, dac_write,   pwm_start,
                                         pwm_duty, pin_release, neopixel_write};

/* ---- system ---- */

/* What falls due on a real clock is done by the pins and buses that are used, and by the board's owner. */
static uint64_t now_us(void *ctx)
{
    sim_board_t *b = ctx;
    if (b->virtual_clock) {
        sim_enter(b);
        sim_poll(b);
        sim_leave(b);
    }
    return sim_board_now_us(b);
}

enum { VIRTUAL_EPOCH = 1704067200 }; /* 2024-01-01: with a virtual clock the date must repeat too */

static int64_t host_seconds(sim_board_t *b)
{
    if (b->virtual_clock)
        return VIRTUAL_EPOCH + (int64_t)(sim_lived(b) / 1000000u);
    return (int64_t)time(NULL);
}

static int64_t rtc_get(void *ctx)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    const int64_t now = host_seconds(b) + b->rtc_offset_s;
    sim_leave(b);
    return now;
}

static void rtc_set(void *ctx, int64_t seconds)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    b->rtc_offset_s = seconds - host_seconds(b);
    sim_leave(b);
}

static adder_err_t temperature(void *ctx, float *celsius_out)
{
    sim_board_t *b = ctx;
    *celsius_out = (float)b->mcu_celsius;
    return ADDER_OK;
}

/* The file is read once and written whole, by a rename, so that a crash leaves the old or the new. */
static void nvm_load(sim_board_t *b)
{
    if (b->nvm_loaded)
        return;
    b->nvm_loaded = true;
    FILE *f = b->nvm_path != NULL ? fopen(b->nvm_path, "rb") : NULL;
    if (f == NULL)
        return;
    const size_t n = fread(b->nvm, 1, b->mcu.nvm_size, f);
    if (n < b->mcu.nvm_size)
        sim_board_log(b, "mcu", "nvm: %s is short; the rest reads as erased", b->nvm_path);
    fclose(f);
}

static adder_err_t nvm_store(sim_board_t *b)
{
    if (b->nvm_path == NULL)
        return ADDER_OK;
    char folder[4096], temporary[4096];
    snprintf(folder, sizeof folder, "%s", b->nvm_path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = 0;
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            sim_board_log(b, "mcu", "nvm: cannot make folder %s: %s", folder, strerror(errno));
            return ADDER_ERR_IO;
        }
    }
    const int n = snprintf(temporary, sizeof temporary, "%s.new", b->nvm_path);
    FILE *f = n > 0 && (size_t)n < sizeof temporary ? fopen(temporary, "wb") : NULL;
    bool ok = f != NULL && fwrite(b->nvm, 1, b->mcu.nvm_size, f) == b->mcu.nvm_size && fflush(f) == 0 &&
              fsync(fileno(f)) == 0;
    if (f != NULL && fclose(f) != 0)
        ok = false;
    if (!ok || rename(temporary, b->nvm_path) != 0) {
        sim_board_log(b, "mcu", "nvm: cannot write %s: %s", b->nvm_path, strerror(errno));
        return ADDER_ERR_IO;
    }
    return ADDER_OK;
}

static adder_err_t nvm_read(void *ctx, size_t at, uint8_t *out, size_t len)
{
    sim_board_t *b = ctx;
    if (at > b->mcu.nvm_size || len > b->mcu.nvm_size - at)
        return ADDER_ERR_RANGE;
    sim_enter(b);
    nvm_load(b);
    memcpy(out, b->nvm + at, len);
    sim_leave(b);
    return ADDER_OK;
}

static adder_err_t nvm_write(void *ctx, size_t at, const uint8_t *bytes, size_t len)
{
    sim_board_t *b = ctx;
    if (at > b->mcu.nvm_size || len > b->mcu.nvm_size - at)
        return ADDER_ERR_RANGE;
    sim_enter(b);
    nvm_load(b);
    adder_err_t err = ADDER_OK;
    if (len > 0 && memcmp(b->nvm + at, bytes, len) != 0) {
        memcpy(b->nvm + at, bytes, len);
        err = nvm_store(b);
    }
    sim_leave(b);
    return err;
}

static adder_err_t watchdog(void *ctx, uint32_t timeout_ms, bool reset_on_timeout)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    b->watchdog_ms = timeout_ms;
    b->watchdog_resets = reset_on_timeout;
    b->watchdog_due_us = sim_now(b) + (uint64_t)timeout_ms * 1000u;
    sim_leave(b);
    return ADDER_OK;
}

static void watchdog_feed(void *ctx)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    b->watchdog_due_us = sim_now(b) + (uint64_t)b->watchdog_ms * 1000u;
    sim_leave(b);
}

static void reset(void *ctx, adder_reset_reason_t why)
{
    sim_board_t *b = ctx;
    sim_enter(b);
    b->want_reset = true;
    b->want_reset_why = why;
    sim_leave(b);
}

static adder_err_t random_bytes(void *ctx, uint8_t *out, size_t len)
{
    sim_board_t *b = ctx;
    if (b->random_state == 0) {
        for (size_t at = 0; at < len;) {
            const ssize_t n = getrandom(out + at, len - at, 0);
            if (n <= 0)
                return ADDER_ERR_IO;
            at += (size_t)n;
        }
        return ADDER_OK;
    }
    sim_enter(b);
    for (size_t i = 0; i < len; i++) { /* splitmix64 */
        uint64_t z = b->random_state += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        out[i] = (uint8_t)(z >> 56);
    }
    sim_leave(b);
    return ADDER_OK;
}

const adder_mcu_sys_ops_t sim_sys_ops = {
    .now_us = now_us,
    .rtc_get = rtc_get,
    .rtc_set = rtc_set,
    .temperature = temperature,
    .nvm_read = nvm_read,
    .nvm_write = nvm_write,
    .watchdog = watchdog,
    .watchdog_feed = watchdog_feed,
    .reset = reset,
    .random = random_bytes,
};

void sim_mcu_reset(sim_board_t *b)
{
    for (bus_t *bus = b->open_buses; bus != NULL; bus = bus->next)
        bus->open = false;
    for (size_t i = 0; i < b->mcu.pin_count; i++)
        release(b, &b->nets[i]);
    b->watchdog_ms = 0;
    b->want_watchdog = false;
    sim_bits_reset(b);
    sim_radio_reset(b);
}

void sim_board_reset(sim_board_t *b, adder_reset_reason_t why)
{
    sim_enter(b);
    sim_mcu_reset(b);
    b->mcu.reset_reason = why;
    sim_board_log(b, "mcu", "reset");
    sim_leave(b);
}
