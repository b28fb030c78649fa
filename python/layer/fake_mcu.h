/* A microcontroller for tests of the Python layer and the modules: pins are bools, buses are byte
 * arrays, the clock is the PC's. Included by one test file each; no other code includes it. */
#ifndef ADDER_FAKE_MCU_H
#define ADDER_FAKE_MCU_H

#include <string.h>
#include <time.h>

#include "adder/mcu.h"

enum { FAKE_PINS = 24, FAKE_NVM = 64, FAKE_BUS = 512 };

typedef struct {
    adder_pin_mode_t mode[FAKE_PINS];
    bool out[FAKE_PINS];       /* what the program drives */
    int outside[FAKE_PINS];    /* -1 floats, 0, 1: what the world drives */
    uint16_t wired[FAKE_PINS]; /* 1 + the pin whose output this one is tied to, 0 = none */
    uint16_t analog[FAKE_PINS], duty[FAKE_PINS];
    uint32_t hz[FAKE_PINS];
    unsigned released[FAKE_PINS];
    uint8_t pixels[64];
    size_t pixels_len;
    uint8_t nvm[FAKE_NVM];
    uint8_t sent[FAKE_BUS], answer[FAKE_BUS];
    size_t sent_len, answer_len;
    uint32_t spi_hz;
    uint8_t spi_mode, fill;
    unsigned opened, closed;
    bool no_pull_ups;
    adder_err_t fail; /* the next transfer */
    int64_t clock_set;
    uint32_t watchdog_ms;
    bool watchdog_resets;
    unsigned fed, resets;
} fake_mcu_t;

static fake_mcu_t fake;

static adder_err_t fake_mode(void *ctx, uint16_t pin, adder_pin_mode_t mode, bool level)
{
    (void)ctx;
    fake.mode[pin] = mode;
    if (mode >= ADDER_PIN_OUT)
        fake.out[pin] = level;
    return ADDER_OK;
}

static adder_err_t fake_write(void *ctx, uint16_t pin, bool level)
{
    (void)ctx;
    fake.out[pin] = level;
    return ADDER_OK;
}

static adder_err_t fake_read(void *ctx, uint16_t pin, bool *level_out)
{
    (void)ctx;
    if (fake.mode[pin] == ADDER_PIN_OUT || (fake.mode[pin] == ADDER_PIN_OUT_OPEN_DRAIN && !fake.out[pin]))
        *level_out = fake.out[pin];
    else if (fake.wired[pin] > 0 && fake.mode[fake.wired[pin] - 1] >= ADDER_PIN_OUT)
        *level_out = fake.out[fake.wired[pin] - 1];
    else if (fake.outside[pin] >= 0)
        *level_out = fake.outside[pin] != 0;
    else
        *level_out = fake.mode[pin] == ADDER_PIN_IN_PULL_UP;
    return ADDER_OK;
}

static const adder_pin_ops_t fake_gpio = {fake_mode, fake_write, fake_read};

static adder_err_t fake_adc(void *ctx, uint16_t pin, uint16_t *out)
{
    (void)ctx;
    *out = fake.analog[pin];
    return ADDER_OK;
}

static adder_err_t fake_dac(void *ctx, uint16_t pin, uint16_t value)
{
    (void)ctx;
    fake.analog[pin] = value;
    return ADDER_OK;
}

static adder_err_t fake_pwm(void *ctx, uint16_t pin, uint32_t hz, uint16_t duty, uint32_t *hz_out)
{
    (void)ctx;
    fake.hz[pin] = *hz_out = hz;
    fake.duty[pin] = duty;
    return ADDER_OK;
}

static adder_err_t fake_duty(void *ctx, uint16_t pin, uint16_t duty)
{
    (void)ctx;
    fake.duty[pin] = duty;
    return ADDER_OK;
}

static void fake_release(void *ctx, uint16_t pin)
{
    (void)ctx;
    fake.mode[pin] = ADDER_PIN_IN;
    fake.released[pin]++;
}

static adder_err_t fake_neopixel(void *ctx, uint16_t pin, const uint8_t *bytes, size_t len)
{
    (void)ctx, (void)pin;
    fake.pixels_len = len < sizeof fake.pixels ? len : sizeof fake.pixels;
    memcpy(fake.pixels, bytes, fake.pixels_len);
    return ADDER_OK;
}

static const adder_mcu_pin_ops_t fake_pin = {fake_adc,  fake_dac,     fake_pwm,
                                             fake_duty, fake_release, fake_neopixel};

static adder_err_t fake_failed(void)
{
    adder_err_t err = fake.fail;
    fake.fail = ADDER_OK;
    return err;
}

static adder_err_t fake_spi_configure(void *ctx, uint32_t hz, uint8_t polarity, uint8_t phase, uint8_t bits,
                                      uint32_t *hz_out)
{
    (void)ctx, (void)bits;
    fake.spi_hz = hz > 24000000 ? 24000000 : hz;
    fake.spi_mode = (uint8_t)(polarity * 2 + phase);
    if (hz_out != NULL)
        *hz_out = fake.spi_hz;
    return ADDER_OK;
}

static void fake_send(const uint8_t *wr, size_t len)
{
    for (size_t i = 0; i < len && fake.sent_len < FAKE_BUS; i++)
        fake.sent[fake.sent_len++] = wr[i];
}

static adder_err_t fake_spi_transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx;
    fake.fill = fill;
    if (wr != NULL)
        fake_send(wr, len);
    for (size_t i = 0; rd != NULL && i < len; i++)
        rd[i] = i < fake.answer_len ? fake.answer[i] : 0xFF;
    return fake_failed();
}

static const adder_spi_ops_t fake_spi_ops = {fake_spi_configure, fake_spi_transfer};

/* One device, at 0x48. */
static adder_err_t fake_i2c_xfer(void *ctx, uint8_t addr7, const uint8_t *wr, size_t wr_len, uint8_t *rd,
                                 size_t rd_len, uint32_t timeout_ms)
{
    (void)ctx, (void)timeout_ms;
    if (addr7 != 0x48)
        return ADDER_ERR_NOT_FOUND;
    fake_send(wr, wr_len);
    for (size_t i = 0; i < rd_len; i++)
        rd[i] = i < fake.answer_len ? fake.answer[i] : 0xFF;
    return fake_failed();
}

static const adder_i2c_ops_t fake_i2c_ops = {fake_i2c_xfer};

static adder_err_t fake_uart_write(void *ctx, const uint8_t *wr, size_t len)
{
    (void)ctx;
    fake_send(wr, len);
    return fake_failed();
}

static adder_err_t fake_uart_read(void *ctx, uint8_t *rd, size_t cap, size_t *n_out)
{
    (void)ctx;
    size_t n = cap < fake.answer_len ? cap : fake.answer_len;
    memcpy(rd, fake.answer, n);
    memmove(fake.answer, fake.answer + n, fake.answer_len - n);
    fake.answer_len -= n;
    *n_out = n;
    return ADDER_OK;
}

static adder_err_t fake_uart_available(void *ctx, size_t *n_out)
{
    (void)ctx;
    *n_out = fake.answer_len;
    return ADDER_OK;
}

static adder_err_t fake_uart_configure(void *ctx, uint32_t baud, uint8_t bits, char parity, uint8_t stop)
{
    (void)ctx, (void)bits, (void)parity, (void)stop;
    fake.spi_hz = baud;
    return ADDER_OK;
}

static const adder_uart_ops_t fake_uart_ops = {fake_uart_write, fake_uart_read, fake_uart_available,
                                               fake_uart_configure};

static adder_err_t fake_spi_open(void *ctx, uint16_t sck, uint16_t mosi, uint16_t miso, adder_spi_t *out)
{
    (void)mosi, (void)miso;
    if (sck != 10)
        return ADDER_ERR_PIN;
    fake.opened++;
    *out = (adder_spi_t){&fake_spi_ops, ctx};
    return ADDER_OK;
}

static adder_err_t fake_i2c_open(void *ctx, uint16_t scl, uint16_t sda, uint32_t hz, adder_i2c_t *out)
{
    (void)sda, (void)hz;
    if (scl != 8)
        return ADDER_ERR_PIN;
    if (fake.no_pull_ups)
        return ADDER_ERR_STATE;
    fake.opened++;
    *out = (adder_i2c_t){&fake_i2c_ops, ctx};
    return ADDER_OK;
}

static adder_err_t fake_uart_open(void *ctx, uint16_t tx, uint16_t rx, uint32_t baud, adder_uart_t *out)
{
    (void)tx, (void)rx, (void)baud;
    fake.opened++;
    *out = (adder_uart_t){&fake_uart_ops, ctx};
    return ADDER_OK;
}

static adder_err_t fake_par8_open(void *ctx, const uint16_t data[8], uint16_t write, uint16_t read,
                                  uint32_t hz, adder_par8_t *out)
{
    (void)ctx, (void)data, (void)write, (void)read, (void)hz, (void)out;
    return ADDER_ERR_UNSUPPORTED;
}

static void fake_close(void *ctx, void *bus_ctx)
{
    (void)ctx, (void)bus_ctx;
    fake.closed++;
}

static const adder_mcu_bus_ops_t fake_bus = {fake_spi_open, fake_i2c_open, fake_uart_open, fake_par8_open,
                                             fake_close};

static uint64_t fake_now(void *ctx)
{
    (void)ctx;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static int64_t fake_rtc_get(void *ctx)
{
    (void)ctx;
    return fake.clock_set;
}

static void fake_rtc_set(void *ctx, int64_t seconds)
{
    (void)ctx;
    fake.clock_set = seconds;
}

static adder_err_t fake_temperature(void *ctx, float *out)
{
    (void)ctx;
    *out = 21.5f;
    return ADDER_OK;
}

static adder_err_t fake_nvm_read(void *ctx, size_t at, uint8_t *out, size_t len)
{
    (void)ctx;
    memcpy(out, fake.nvm + at, len);
    return ADDER_OK;
}

static adder_err_t fake_nvm_write(void *ctx, size_t at, const uint8_t *bytes, size_t len)
{
    (void)ctx;
    if (fake.fail != ADDER_OK)
        return fake_failed();
    memcpy(fake.nvm + at, bytes, len);
    return ADDER_OK;
}

static adder_err_t fake_watchdog(void *ctx, uint32_t timeout_ms, bool reset)
{
    (void)ctx;
    fake.watchdog_ms = timeout_ms;
    fake.watchdog_resets = reset;
    return ADDER_OK;
}

static void fake_feed(void *ctx)
{
    (void)ctx;
    fake.fed++;
}

static void fake_reset(void *ctx, adder_reset_reason_t why)
{
    (void)ctx, (void)why;
    fake.resets++;
}

static adder_err_t fake_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 4, len);
    return ADDER_OK;
}

static const adder_mcu_sys_ops_t fake_sys = {fake_now,      fake_rtc_get,   fake_rtc_set,  fake_temperature,
                                             fake_nvm_read, fake_nvm_write, fake_watchdog, fake_feed,
                                             fake_reset,    fake_random};

/* clang-format off */
#define FAKE_D (ADDER_CAP_DIGITAL | ADDER_CAP_PWM)
static const adder_mcu_pin_t fake_pins[FAKE_PINS] = {
    {"P0", FAKE_D}, {"P1", FAKE_D}, {"P2", FAKE_D}, {"P3", FAKE_D}, {"P4", FAKE_D}, {"P5", FAKE_D},
    {"P6", ADDER_CAP_DIGITAL | ADDER_CAP_INPUT_ONLY}, {"P7", ADDER_CAP_DIGITAL},
    {"P8", FAKE_D}, {"P9", FAKE_D}, {"P10", FAKE_D}, {"P11", FAKE_D}, {"P12", FAKE_D}, {"P13", FAKE_D},
    {"P14", FAKE_D}, {"P15", FAKE_D},
    {"P16", FAKE_D | ADDER_CAP_ADC | ADDER_CAP_DAC}, {"P17", FAKE_D | ADDER_CAP_ADC},
    {"P18", FAKE_D}, {"P19", FAKE_D}, {"P20", FAKE_D}, {"P21", FAKE_D}, {"P22", FAKE_D}, {"P23", FAKE_D},
};
static const adder_mcu_alias_t fake_aliases[] = {
    {"D0", 0}, {"D1", 1}, {"D2", 2}, {"D3", 3}, {"D4", 4}, {"D5", 5}, {"INPUT", 6}, {"PLAIN", 7},
    {"SCL", 8}, {"SDA", 9}, {"SCK", 10}, {"MOSI", 11}, {"MISO", 12}, {"LED", 13}, {"D13", 13},
    {"TX", 14}, {"RX", 15}, {"A0", 16}, {"A1", 17}, {"NEOPIXEL", 18}, {"CS", 19},
};
static const adder_mcu_bus_t fake_buses[] = {
    {"I2C", 'i', {8, 9, ADDER_PIN_NONE}}, {"STEMMA_I2C", 'i', {8, 9, ADDER_PIN_NONE}},
    {"SPI", 's', {10, 11, 12}}, {"UART", 'u', {14, 15, ADDER_PIN_NONE}},
};
static const adder_mcu_t fake_mcu = {
    .ctx = &fake, .gpio = &fake_gpio, .pin = &fake_pin, .bus = &fake_bus, .sys = &fake_sys,
    .board_id = "fake_board", .board_name = "Fake Board", .chip_name = "fake51", .cpu_hz = 120000000,
    .adc_reference_v = 3.3f, .nvm_size = FAKE_NVM, .uid = {1, 2, 3, 4}, .uid_len = 4,
    .reset_reason = ADDER_RESET_POWER_ON,
    .pins = fake_pins, .pin_count = FAKE_PINS,
    .aliases = fake_aliases, .alias_count = sizeof fake_aliases / sizeof *fake_aliases,
    .buses = fake_buses, .bus_count = sizeof fake_buses / sizeof *fake_buses,
};
/* clang-format on */

static inline void fake_power_on(void)
{
    fake = (fake_mcu_t){.clock_set = 1577836800};
    for (int i = 0; i < FAKE_PINS; i++)
        fake.outside[i] = -1;
}

#endif
