/* bitbangio: I2C and SPI on any pins, by single pin writes. Lock and transfers are busio's. */
#include "python/modules/busio.h"
#include "python/modules/pins.h"

static adder_pin_t wire(uint16_t pin)
{
    const adder_mcu_t *mcu = py_mcu();
    return pin == ADDER_PIN_NONE ? (adder_pin_t){0} : (adder_pin_t){mcu->gpio, mcu->ctx, pin};
}

static const py_arg_t i2c_args[] = {PY_REQ_OBJ("scl"), PY_REQ_OBJ("sda"),
                                    PY_KW_INT("frequency", 400000, 1, PY_INT_MAX),
                                    PY_KW_INT("timeout", 255, 0, PY_INT_MAX), PY_END};

static bool i2c_init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_i2c_obj_t *o = s;
    if (!busio_i2c_claim(o, a[0].obj, a[1].obj))
        return false;
    /* The pins of a PC are slow enough; each look at a stretched clock stands for a microsecond. */
    o->soft = (adder_bitbang_i2c_t){.scl = wire(o->scl),
                                    .sda = wire(o->sda),
                                    .stretch_polls = a[3].i > UINT32_MAX ? UINT32_MAX : (uint32_t)a[3].i};
    adder_err_t err = adder_bitbang_i2c_init(&o->soft, &o->bus);
    o->open = o->bitbang = err == ADDER_OK;
    return o->open || py_fail(py_raise_err(err, "I2C"));
}

static bool spi_init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    busio_spi_obj_t *o = s;
    if (!busio_spi_claim(o, a))
        return false;
    o->soft = (adder_bitbang_spi_t){.clock = wire(o->clock), .mosi = wire(o->mosi), .miso = wire(o->miso)};
    adder_err_t err = adder_bitbang_spi_init(&o->soft, &o->bus);
    o->open = o->bitbang = err == ADDER_OK;
    return o->open || py_fail(py_raise_err(err, "SPI"));
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
