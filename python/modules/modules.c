/* The table of all native modules. A module that others use stands before them: at the end of a VM the
 * resets run from the last to the first. */
#include "python/layer/py.h"

/* clang-format off */
#define MODULES(X)                                                                                           \
    X(microcontroller) X(microcontroller_pin) X(nvm) X(watchdog) X(board)                                    \
    X(digitalio) X(analogio) X(pwmio) X(neopixel_write) X(pixelbuf)                                          \
    X(neopixel) X(touchscreen)                                                                               \
    X(keypad) X(rotaryio) X(countio)                                                                         \
    X(busio) X(bitbangio) X(bus_device_i2c) X(bus_device_spi) X(adt7410)                                     \
    X(displayio) X(busdisplay) X(fourwire) X(paralleldisplaybus) X(i2cdisplaybus)                            \
    X(fontio) X(terminalio) X(vectorio) X(bitmaptools) X(tilepalettemapper)                                  \
    X(ipaddress) X(socketpool) X(ssl) X(wifi) X(wifi_start) X(mdns)                                          \
    X(esp32spi_package) X(esp32spi_control) X(esp32spi_pool) X(esp32spi_socketpool)                          \
    X(time) X(rtc) X(supervisor) X(storage) X(os_getenv)                                                     \
    X(display_shapes) X(display_text)                                                                        \
    X(connection_manager) X(ntp) X(requests) X(minimqtt) X(minimqtt_matcher) X(mqtt)
/* clang-format on */

#define DECLARE(name) extern const py_module_t name##_module;
MODULES(DECLARE)
#undef DECLARE

const py_module_t *const py_modules[] = {
#define ENTRY(name) &name##_module,
    MODULES(ENTRY)
#undef ENTRY
        NULL,
};
