/* adafruit_adt7410: ADT7410 over adder/adt7410.h. The bus is whatever I2CDevice takes. */
#include <stdio.h>
#include <string.h>

#include "adder/adt7410.h"
#include "python/modules/bus_device.h"

enum { PER_DEGREE = 128, CELSIUS_MIN = -55, CELSIUS_MAX = 150, HYST_MAX = 15, CONVERSION_US = 240000 };

typedef struct {
    py_field_t device; /* I2CDevice */
    bus_device_i2c_t *bus;
    adder_adt7410_t chip;
} adt_t;

/* ---- transactions: under the bus's lock, errors as exceptions ---- */

static bool enter(const adt_t *o)
{
    return bus_device_i2c_lock(o->bus);
}

static bool leave(const adt_t *o, adder_err_t err)
{
    if (err != ADDER_OK && !py_error())
        py_raise_err(err, NULL);
    return bus_device_i2c_unlock(o->bus) && err == ADDER_OK;
}

/* ---- making ---- */

static const py_arg_t init_args[] = {PY_REQ_OBJ("i2c_bus"), PY_OPT_OBJ("address"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    adt_t *o = s;
    py_t address = py_null(a[1].obj) ? py_int(ADDER_ADT7410_ADDR7) : a[1].obj;
    py_t device = bus_device_i2c_make(a[0].obj, address, &o->bus);
    if (py_null(device))
        return false;
    const adder_i2c_t wires = bus_device_i2c_wires(o->bus);
    if (!enter(o))
        return false;
    const adder_err_t err = adder_adt7410_init(&o->chip, &wires, o->bus->address);
    if (err == ADDER_ERR_FORMAT)
        py_raise(PY_RuntimeError, "Failed to find ADT7410");
    else if (err != ADDER_OK)
        bus_device_i2c_nobody(o->bus);
    if (!leave(o, err))
        return false;
    py_field_set(self, &o->device, device); /* from now on it keeps `bus` */
    return true;
}

static bool live(const void *s)
{
    return ((const adt_t *)s)->device.word != NULL;
}

/* ---- readings ---- */

static py_t get_temperature(py_t self, void *s)
{
    (void)self;
    adt_t *o = s;
    int16_t c128;
    return enter(o) && leave(o, adder_adt7410_read_temperature(&o->chip, &c128))
               ? py_float((double)c128 / PER_DEGREE)
               : PY_NULL;
}

static const char *const alert_fields[] = {"high_alert", "low_alert", "critical_alert", NULL};
static const py_namedtuple_t alert_status = {"adafruit_adt7410", "AlertStatus", alert_fields, false};

static py_t get_alert_status(py_t self, void *s)
{
    (void)self;
    adt_t *o = s;
    uint8_t status;
    if (!enter(o) || !leave(o, adder_adt7410_read_status(&o->chip, &status)))
        return PY_NULL;
    const py_t values[] = {py_int((status & ADDER_ADT7410_STATUS_T_HIGH) != 0),
                           py_int((status & ADDER_ADT7410_STATUS_T_LOW) != 0),
                           py_int((status & ADDER_ADT7410_STATUS_T_CRIT) != 0)};
    return py_namedtuple(&alert_status, values);
}

/* ---- configuration: words or numbers ---- */

typedef struct {
    const char *name;
    uint8_t mask, shift;
    const char *const *words; /* position = number; NULL ends */
} setting_t;

static const char *const operation_words[] = {"CONTINUOUS", "ONE_SHOT", "SPS", "SHUTDOWN", NULL};
static const char *const resolution_words[] = {"LOW_RESOLUTION", "HIGH_RESOLUTION", NULL};
static const char *const comparator_words[] = {"COMP_DISABLED", "COMP_ENABLED", NULL};
static const setting_t operation = {"operation_mode", ADDER_ADT7410_OPERATION_MODE, 5, operation_words};
static const setting_t resolution = {"resolution_mode", ADDER_ADT7410_RESOLUTION, 7, resolution_words};
static const setting_t comparator = {"comparator_mode", ADDER_ADT7410_INT_CT_MODE, 4, comparator_words};

static bool get_setting(adt_t *o, const setting_t *f, unsigned *out)
{
    uint8_t config;
    if (!enter(o) || !leave(o, adder_adt7410_read_config(&o->chip, &config)))
        return false;
    *out = (unsigned)(config & f->mask) >> f->shift;
    return true;
}

static bool put_setting(adt_t *o, const setting_t *f, unsigned number)
{
    return enter(o) && leave(o, adder_adt7410_set_config(&o->chip, f->mask, (uint8_t)(number << f->shift)));
}

static py_t get_word(adt_t *o, const setting_t *f)
{
    unsigned number;
    return get_setting(o, f, &number) ? py_str(f->words[number]) : PY_NULL;
}

static bool set_word(adt_t *o, const setting_t *f, py_t value)
{
    const char *word = "";
    int64_t number = -1;
    if (py_is_int(value) ? !py_to_int(value, &number) : py_is_str(value) && !py_to_str(value, &word, NULL))
        py_error_clear(); /* no setting has such a number or word */
    for (unsigned i = 0; f->words[i] != NULL; i++) {
        if (number == i || strcmp(word, f->words[i]) == 0)
            return put_setting(o, f, i);
    }
    return py_fail(py_raise(PY_ValueError, "Value must be a valid %s setting", f->name));
}

static py_t get_operation_mode(py_t self, void *s)
{
    (void)self;
    return get_word(s, &operation);
}

static bool set_operation_mode(py_t self, void *s, py_t value)
{
    (void)self;
    return set_word(s, &operation, value) &&
           py_wait_us(CONVERSION_US); /* a result of the new mode is there */
}

static py_t get_resolution_mode(py_t self, void *s)
{
    (void)self;
    return get_word(s, &resolution);
}

static bool set_resolution_mode(py_t self, void *s, py_t value)
{
    (void)self;
    return set_word(s, &resolution, value);
}

static py_t get_comparator_mode(py_t self, void *s)
{
    (void)self;
    return get_word(s, &comparator);
}

static bool set_comparator_mode(py_t self, void *s, py_t value)
{
    (void)self;
    return set_word(s, &comparator, value);
}

static py_t get_high_resolution(py_t self, void *s)
{
    (void)self;
    unsigned high;
    return get_setting(s, &resolution, &high) ? py_bool(high != 0) : PY_NULL;
}

static bool set_high_resolution(py_t self, void *s, py_t value)
{
    (void)self;
    bool high;
    return py_to_bool(value, &high) && put_setting(s, &resolution, high);
}

/* ---- limits: whole degrees ---- */

static bool degrees(py_t value, int lo, int hi, int *out)
{
    double d = hi + 1.0;
    const bool number = py_is_int(value) || py_is_float(value);
    if (number && !py_to_float(value, &d))
        py_error_clear(); /* too big for a float: out of range, too */
    if (!(d >= lo && d <= hi) || d != (int)d)
        return py_fail(py_raise(PY_ValueError, "Temperature should be between %dC and %dC", lo, hi));
    *out = (int)d;
    return true;
}

static py_t get_setpoint(adt_t *o, uint8_t reg)
{
    int16_t c128;
    if (!enter(o) || !leave(o, adder_adt7410_read_setpoint(&o->chip, reg, &c128)))
        return PY_NULL;
    const int part = c128 & (PER_DEGREE - 1); /* rounded down, below zero too */
    return py_int((c128 - part) / PER_DEGREE);
}

static bool set_setpoint(adt_t *o, uint8_t reg, py_t value)
{
    int celsius;
    return degrees(value, CELSIUS_MIN, CELSIUS_MAX, &celsius) && enter(o) &&
           leave(o, adder_adt7410_write_setpoint(&o->chip, reg, (int16_t)(celsius * PER_DEGREE)));
}

static py_t get_high(py_t self, void *s)
{
    (void)self;
    return get_setpoint(s, ADDER_ADT7410_T_HIGH);
}

static bool set_high(py_t self, void *s, py_t value)
{
    (void)self;
    return set_setpoint(s, ADDER_ADT7410_T_HIGH, value);
}

static py_t get_low(py_t self, void *s)
{
    (void)self;
    return get_setpoint(s, ADDER_ADT7410_T_LOW);
}

static bool set_low(py_t self, void *s, py_t value)
{
    (void)self;
    return set_setpoint(s, ADDER_ADT7410_T_LOW, value);
}

static py_t get_critical(py_t self, void *s)
{
    (void)self;
    return get_setpoint(s, ADDER_ADT7410_T_CRIT);
}

static bool set_critical(py_t self, void *s, py_t value)
{
    (void)self;
    return set_setpoint(s, ADDER_ADT7410_T_CRIT, value);
}

static py_t get_hysteresis(py_t self, void *s)
{
    (void)self;
    adt_t *o = s;
    uint8_t celsius;
    return enter(o) && leave(o, adder_adt7410_read_hyst(&o->chip, &celsius)) ? py_int(celsius) : PY_NULL;
}

static bool set_hysteresis(py_t self, void *s, py_t value)
{
    (void)self;
    adt_t *o = s;
    int celsius;
    return degrees(value, 0, HYST_MAX, &celsius) && enter(o) &&
           leave(o, adder_adt7410_write_hyst(&o->chip, (uint8_t)celsius));
}

/* ---- the class, the module ---- */

static py_t get_device(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((adt_t *)s)->device);
}

static const py_prop_t props[] = {{"i2c_device", get_device, NULL, 0, NULL},
                                  {"temperature", get_temperature, NULL, 0, NULL},
                                  {"alert_status", get_alert_status, NULL, 0, NULL},
                                  {"operation_mode", get_operation_mode, set_operation_mode, 0, NULL},
                                  {"resolution_mode", get_resolution_mode, set_resolution_mode, 0, NULL},
                                  {"high_resolution", get_high_resolution, set_high_resolution, 0, NULL},
                                  {"comparator_mode", get_comparator_mode, set_comparator_mode, 0, NULL},
                                  {"high_temperature", get_high, set_high, 0, NULL},
                                  {"low_temperature", get_low, set_low, 0, NULL},
                                  {"critical_temperature", get_critical, set_critical, 0, NULL},
                                  {"hysteresis_temperature", get_hysteresis, set_hysteresis, 0, NULL},
                                  PY_END};
static const uint16_t fields[] = {offsetof(adt_t, device), PY_FIELDS_END};
static const py_class_t adt_class = {.module = "adafruit_adt7410",
                                     .name = "ADT7410",
                                     .doc = "ADT7410(i2c_bus, address=0x48)",
                                     .size = sizeof(adt_t),
                                     .fields = fields,
                                     .attributes = true,
                                     .init_args = init_args,
                                     .init = init,
                                     .live = live,
                                     .props = props};

static const py_constant_t constants[] = {{"CONTINUOUS", 0},    {"ONE_SHOT", 1},       {"SPS", 2},
                                          {"SHUTDOWN", 3},      {"LOW_RESOLUTION", 0}, {"HIGH_RESOLUTION", 1},
                                          {"COMP_DISABLED", 0}, {"COMP_ENABLED", 1},   PY_END};

/* operation_mode_values = (0, 1, 2, 3), operation_mode_strings = ("CONTINUOUS", ...) */
static bool add_tuples(py_t module, const setting_t *f)
{
    char name[32];
    py_t numbers[4], words[4];
    size_t n = 0;
    for (; f->words[n] != NULL; n++) {
        numbers[n] = py_int((int64_t)n);
        words[n] = py_str(f->words[n]);
    }
    snprintf(name, sizeof name, "%s_values", f->name);
    if (!py_attr_set(module, name, py_tuple(numbers, n)))
        return false;
    snprintf(name, sizeof name, "%s_strings", f->name);
    return py_attr_set(module, name, py_tuple(words, n));
}

static bool module_init(py_t module)
{
    return add_tuples(module, &operation) && add_tuples(module, &resolution) &&
           add_tuples(module, &comparator);
}

static const py_class_t *const classes[] = {&adt_class, NULL};
static const py_namedtuple_t *const namedtuples[] = {&alert_status, NULL};
const py_module_t adt7410_module = {.name = "adafruit_adt7410",
                                    .classes = classes,
                                    .namedtuples = namedtuples,
                                    .constants = constants,
                                    .init = module_init};
