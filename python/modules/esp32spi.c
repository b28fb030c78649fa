/* The modules of adafruit_esp32spi that are native. The package and `socketpool` are short names, as in
 * Adafruit's: the same classes under another module's name. */
#include "python/modules/esp32spi.h"

static const py_constant_t constants[] = {
    {"SOCKET_CLOSED", 0},
    {"SOCKET_LISTEN", 1},
    {"SOCKET_SYN_SENT", 2},
    {"SOCKET_SYN_RCVD", 3},
    {"SOCKET_ESTABLISHED", 4},
    {"SOCKET_FIN_WAIT_1", 5},
    {"SOCKET_FIN_WAIT_2", 6},
    {"SOCKET_CLOSE_WAIT", 7},
    {"SOCKET_CLOSING", 8},
    {"SOCKET_LAST_ACK", 9},
    {"SOCKET_TIME_WAIT", 10},
    {"WL_NO_SHIELD", 255},
    {"WL_NO_MODULE", 255},
    {"WL_STOPPED", ADDER_AIRLIFT_STOPPED},
    {"WL_IDLE_STATUS", ADDER_AIRLIFT_IDLE},
    {"WL_NO_SSID_AVAIL", ADDER_AIRLIFT_NO_SSID},
    {"WL_SCAN_COMPLETED", ADDER_AIRLIFT_SCAN_DONE},
    {"WL_CONNECTED", ADDER_AIRLIFT_CONNECTED},
    {"WL_CONNECT_FAILED", ADDER_AIRLIFT_CONNECT_FAILED},
    {"WL_CONNECTION_LOST", ADDER_AIRLIFT_CONNECTION_LOST},
    {"WL_DISCONNECTED", ADDER_AIRLIFT_DISCONNECTED},
    {"WL_AP_LISTENING", ADDER_AIRLIFT_AP_LISTENING},
    {"WL_AP_CONNECTED", ADDER_AIRLIFT_AP_CONNECTED},
    {"WL_AP_FAILED", ADDER_AIRLIFT_AP_FAILED},
    {"ADC_ATTEN_DB_0", 0},
    {"ADC_ATTEN_DB_2_5", 1},
    {"ADC_ATTEN_DB_6", 2},
    {"ADC_ATTEN_DB_11", 3},
    PY_END,
};

static const py_class_t *const control_classes[] = {&esp32spi_network_class, &esp32spi_control_class, NULL};
static const py_class_t *const pool_classes[] = {&esp32spi_pool_class, &esp32spi_socket_class, NULL};

/* A package knows its module of the same name from the start. */
static bool init_package(py_t module)
{
    (void)module;
    return !py_null(py_import("adafruit_esp32spi.adafruit_esp32spi"));
}

const py_module_t esp32spi_package_module = {
    .name = "adafruit_esp32spi", .classes = control_classes, .constants = constants, .init = init_package};
const py_module_t esp32spi_control_module = {.name = "adafruit_esp32spi.adafruit_esp32spi",
                                             .classes = control_classes,
                                             .constants = constants,
                                             .reset = esp32spi_reset_all};
const py_module_t esp32spi_pool_module = {.name = "adafruit_esp32spi.adafruit_esp32spi_socketpool",
                                          .classes = pool_classes};
const py_module_t esp32spi_socketpool_module = {.name = "adafruit_esp32spi.socketpool",
                                                .classes = pool_classes};
