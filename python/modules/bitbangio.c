/* bitbangio: I2C and SPI on any pins. The same wires as busio's, found by their pins; the differences
 * are in what the constructors take and in the time-out. */
#include "python/modules/busio.h"

static const py_arg_t i2c_args[] = {PY_REQ_OBJ("scl"), PY_REQ_OBJ("sda"),
                                    PY_KW_INT("frequency", 400000, 1, PY_INT_MAX),
                                    PY_KW_INT("timeout", 255, 0, PY_INT_MAX), PY_END};

static bool i2c_init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    uint32_t hz = a[2].i > 1000000 ? 1000000 : (uint32_t)a[2].i;
    /* `timeout` is the clock stretch in microseconds; the bus counts milliseconds of a whole transfer. */
    return busio_i2c_open(s, a[0].obj, a[1].obj, hz, 1000);
}

static bool spi_init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    const py_val_t all[] = {a[0], a[1], a[2], {.given = false}};
    return busio_spi_open(s, all);
}

static const py_arg_t spi_args[] = {PY_REQ_OBJ("clock"), PY_OPT_OBJ("MOSI"), PY_OPT_OBJ("MISO"), PY_END};

const py_class_t bitbangio_i2c_class = {.module = "bitbangio",
                                        .name = "I2C",
                                        .size = sizeof(busio_i2c_obj_t),
                                        .context = true,
                                        .init_args = i2c_args,
                                        .init = i2c_init,
                                        .fini = busio_i2c_close,
                                        .live = busio_i2c_live,
                                        .methods = busio_i2c_methods};
const py_class_t bitbangio_spi_class = {.module = "bitbangio",
                                        .name = "SPI",
                                        .size = sizeof(busio_spi_obj_t),
                                        .context = true,
                                        .init_args = spi_args,
                                        .init = spi_init,
                                        .fini = busio_spi_close,
                                        .live = busio_spi_live,
                                        .methods = busio_spi_methods};

static const py_class_t *const classes[] = {&bitbangio_i2c_class, &bitbangio_spi_class, NULL};
const py_module_t bitbangio_module = {.name = "bitbangio", .classes = classes};
