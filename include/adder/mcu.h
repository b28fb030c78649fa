/* The microcontroller, as the Python modules (`board`, `digitalio`, `busio`, ...) see it.
 *
 * A port (the simulator, Linux, a real chip) fills one adder_mcu_t; everything above reaches the
 * hardware through it and through nothing else. Pins are numbered 0..pin_count-1; names are data.
 *
 * Ownership: the struct and its tables belong to the port and outlive every interpreter run.
 * Claiming of pins ("in use") is done once, in the Python layer (python/modules/microcontroller.c),
 * not by the port.
 * Threading: called from the interpreter's thread; a port that shares state with other threads
 * locks inside. */
#ifndef ADDER_MCU_H
#define ADDER_MCU_H

#include "adder/bus.h"
#include "adder/store.h"
#include "adder/wifi.h"

#define ADDER_PIN_NONE ((uint16_t)0xFFFF)

enum { /* what a pin can do: adder_mcu_pin_t.caps */
       ADDER_CAP_DIGITAL = 1u << 0,
       ADDER_CAP_ADC = 1u << 1,
       ADDER_CAP_DAC = 1u << 2,
       ADDER_CAP_PWM = 1u << 3,
       ADDER_CAP_INPUT_ONLY = 1u << 4,
};

/* A pin under its silicon name: microcontroller.pin.<name>. */
typedef struct {
    const char *name;
    uint16_t caps;
} adder_mcu_pin_t;

/* A name of the `board` module; several may stand for one pin. */
typedef struct {
    const char *name;
    uint16_t pin;
} adder_mcu_alias_t;

/* Default buses: board.I2C() and the like. Pins ADDER_PIN_NONE = the board has no such bus. */
typedef struct {
    const char *name; /* "I2C", "STEMMA_I2C", "SPI", "UART" */
    char kind;        /* 'i', 's', 'u' */
    uint16_t pins[3]; /* i: scl, sda; s: sck, mosi, miso; u: tx, rx */
} adder_mcu_bus_t;

/* The built-in display: what board.DISPLAY is made of before any program runs. */
typedef enum {
    ADDER_MCU_DISPLAY_NONE,
    ADDER_MCU_DISPLAY_PAR8,
    ADDER_MCU_DISPLAY_FOURWIRE
} adder_mcu_display_kind_t;

typedef struct {
    adder_mcu_display_kind_t kind;
    uint16_t data[8], write, read;        /* PAR8 */
    uint16_t sck, mosi, miso;             /* FOURWIRE */
    uint16_t command, chip_select, reset; /* both; reset may be ADDER_PIN_NONE */
    uint32_t hz;
    const uint8_t *init_sequence; /* busdisplay's record format */
    size_t init_sequence_len;
    uint16_t width, height; /* after rotation */
    int16_t colstart, rowstart;
    uint16_t rotation; /* 0, 90, 180, 270 */
    uint8_t color_depth;
    uint16_t backlight; /* ADDER_PIN_NONE = not adjustable */
    uint16_t frames_per_second;
} adder_mcu_display_t;

typedef enum {
    ADDER_RESET_POWER_ON,
    ADDER_RESET_BROWNOUT,
    ADDER_RESET_SOFTWARE,
    ADDER_RESET_DEEP_SLEEP_ALARM,
    ADDER_RESET_PIN,
    ADDER_RESET_WATCHDOG,
    ADDER_RESET_UNKNOWN,
    ADDER_RESET_RESCUE_DEBUG,
} adder_reset_reason_t;

typedef struct {
    /* 0..65535 whatever the converter's width. */
    adder_err_t (*adc_read)(void *ctx, uint16_t pin, uint16_t *value_out);
    adder_err_t (*dac_write)(void *ctx, uint16_t pin, uint16_t value);
    /* hz_out: the frequency obtained. Starting a pin that runs changes it. */
    adder_err_t (*pwm_start)(void *ctx, uint16_t pin, uint32_t hz, uint16_t duty, uint32_t *hz_out);
    adder_err_t (*pwm_duty)(void *ctx, uint16_t pin, uint16_t duty);
    void (*pin_release)(void *ctx, uint16_t pin); /* back to a plain input; stops ADC, DAC, PWM */
    /* WS2812 timing: the bytes of one frame, first byte first. Pin already an output. */
    adder_err_t (*neopixel_write)(void *ctx, uint16_t pin, const uint8_t *bytes, size_t len);
} adder_mcu_pin_ops_t;

typedef struct {
    /* Open a hardware bus on these pins. ADDER_ERR_PIN: no such bus on those pins;
     * ADDER_ERR_STATE: (I2C) no pull-up found. *out stays valid until close(). */
    adder_err_t (*spi_open)(void *ctx, uint16_t sck, uint16_t mosi, uint16_t miso, adder_spi_t *out);
    adder_err_t (*i2c_open)(void *ctx, uint16_t scl, uint16_t sda, uint32_t hz, adder_i2c_t *out);
    adder_err_t (*uart_open)(void *ctx, uint16_t tx, uint16_t rx, uint32_t baud, adder_uart_t *out);
    /* data[8]: D0 first. */
    adder_err_t (*par8_open)(void *ctx, const uint16_t data[8], uint16_t write, uint16_t read, uint32_t hz,
                             adder_par8_t *out);
    void (*close)(void *ctx, void *bus_ctx); /* any of the four, by its .ctx */
} adder_mcu_bus_ops_t;

typedef struct {
    uint64_t (*now_us)(void *ctx); /* monotonic since power-on */
    int64_t (*rtc_get)(void *ctx); /* seconds since 1970, local to the board */
    void (*rtc_set)(void *ctx, int64_t seconds);
    adder_err_t (*temperature)(void *ctx, float *celsius_out);
    adder_err_t (*nvm_read)(void *ctx, size_t at, uint8_t *out, size_t len);
    adder_err_t (*nvm_write)(void *ctx, size_t at, const uint8_t *bytes, size_t len);
    /* timeout_ms 0 stops it. When it runs out the port calls back what the host installed. */
    adder_err_t (*watchdog)(void *ctx, uint32_t timeout_ms, bool reset_on_timeout);
    void (*watchdog_feed)(void *ctx);
    void (*reset)(void *ctx, adder_reset_reason_t why); /* asks for it; the run loop carries it out */
    adder_err_t (*random)(void *ctx, uint8_t *out, size_t len);
} adder_mcu_sys_ops_t;

/* The certificates that the machine trusts by itself, for TLS: each file of them, PEM or DER, is given to
 * `take` once and is gone when that returns. From the program's thread. */
typedef void (*adder_mcu_take_fn)(void *take_ctx, const uint8_t *bytes, size_t len);
typedef void (*adder_mcu_roots_fn)(void *ctx, adder_mcu_take_fn take, void *take_ctx);

/* Files as devices for the log of adder/store.h. From the program's thread; the device then from any, one at
 * a time. A file that is not there is made; it has `size` bytes, a multiple of 8192, from then on. path as
 * the port's file system names it flash_out borrowed until close() ADDER_ERR_ARG      size ADDER_ERR_IN_USE
 * it is open already ADDER_ERR_NO_FILE  there is no such folder others             as the file system says */
typedef struct {
    adder_err_t (*open_flash)(void *ctx, const char *path, uint32_t size, const adder_flash_t **flash_out);
    void (*close_flash)(void *ctx, const adder_flash_t *flash);
} adder_mcu_file_ops_t;

typedef struct adder_mcu {
    void *ctx;
    const adder_pin_ops_t *gpio; /* with ctx above */
    const adder_mcu_pin_ops_t *pin;
    const adder_mcu_bus_ops_t *bus;
    const adder_mcu_sys_ops_t *sys;

    const char *board_id;   /* "pyportal" */
    const char *board_name; /* "Adafruit PyPortal" */
    const char *chip_name;  /* "samd51j20" */
    uint32_t cpu_hz;
    float adc_reference_v;
    size_t nvm_size;
    uint8_t uid[16];
    size_t uid_len;
    adder_reset_reason_t reset_reason;

    const adder_mcu_pin_t *pins;
    size_t pin_count;
    const adder_mcu_alias_t *aliases;
    size_t alias_count;
    const adder_mcu_bus_t *buses;
    size_t bus_count;
    adder_mcu_display_t display;

    const adder_wifi_t *wifi;          /* NULL: no Wi-Fi of its own */
    const adder_mcu_file_ops_t *files; /* with ctx above; NULL: none */
    adder_mcu_roots_fn roots;          /* with ctx above; NULL: trusts nobody by itself */
} adder_mcu_t;

#endif
