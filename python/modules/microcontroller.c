/* microcontroller: the chip itself, its pins, its reset */
#include "python/layer/py.h"
#include "python/layer/vm.h"
#include "python/modules/nvm.h"
#include "python/modules/pins.h"
#include "python/modules/watchdog.h"

/* ---- enums ---- */

static const char *const reset_reasons[] = {"POWER_ON",         "BROWNOUT",     "SOFTWARE",
                                            "DEEP_SLEEP_ALARM", "RESET_PIN",    "WATCHDOG",
                                            "UNKNOWN",          "RESCUE_DEBUG", NULL};
static const py_enum_t reset_reason_enum = {"microcontroller", "ResetReason", reset_reasons};
_Static_assert(sizeof reset_reasons / sizeof *reset_reasons == ADDER_RESET_RESCUE_DEBUG + 2,
               "a name for every adder_reset_reason_t");

enum { NORMAL, SAFE_MODE, UF2, BOOTLOADER };
static const char *const run_modes[] = {"NORMAL", "SAFE_MODE", "UF2", "BOOTLOADER", NULL};
static const py_enum_t run_mode_enum = {"microcontroller", "RunMode", run_modes};

/* ---- Processor ---- */

static py_t get_frequency(py_t self, void *s)
{
    (void)self, (void)s;
    return py_int(py_mcu()->cpu_hz);
}

static bool set_frequency(py_t self, void *s, py_t value)
{
    (void)self, (void)s, (void)value;
    return py_fail(py_raise(PY_NotImplementedError, "frequency is read-only for this board"));
}

static py_t get_temperature(py_t self, void *s)
{
    (void)self, (void)s;
    float celsius;
    const adder_mcu_t *mcu = py_mcu();
    return mcu->sys->temperature(mcu->ctx, &celsius) == ADDER_OK ? py_float((double)celsius) : py_none();
}

static py_t get_voltage(py_t self, void *s)
{
    (void)self, (void)s;
    return py_float((double)py_mcu()->adc_reference_v);
}

static py_t get_uid(py_t self, void *s)
{
    (void)self, (void)s;
    return py_bytearray(py_mcu()->uid, py_mcu()->uid_len);
}

static py_t get_reset_reason(py_t self, void *s)
{
    (void)self, (void)s;
    return py_enum_value(&reset_reason_enum, (int)py_mcu()->reset_reason);
}

static const py_prop_t processor_props[] = {{"frequency", get_frequency, set_frequency, 0, NULL},
                                            {"temperature", get_temperature, NULL, 0, NULL},
                                            {"voltage", get_voltage, NULL, 0, NULL},
                                            {"uid", get_uid, NULL, 0, NULL},
                                            {"reset_reason", get_reset_reason, NULL, 0, NULL},
                                            PY_END};
static const py_class_t processor_class = {.module = "microcontroller",
                                           .name = "Processor",
                                           .no_new = true,
                                           .final = true,
                                           .props = processor_props};

/* ---- functions ---- */

static const py_arg_t delay_args[] = {PY_REQ_INT("delay", 0, INT32_MAX), PY_END};

/* Busy, and no background work: as on the board. */
static py_t delay_us(const py_val_t *a)
{
    const adder_mcu_t *mcu = py_mcu();
    uint64_t start = mcu->sys->now_us(mcu->ctx);
    while (mcu->sys->now_us(mcu->ctx) - start < (uint64_t)a[0].i)
        ;
    return py_none();
}

static py_t interrupts(const py_val_t *a)
{
    (void)a; /* nothing interrupts a simulated program; nesting needs no count then */
    return py_none();
}

static const py_arg_t run_mode_args[] = {PY_REQ_OBJ("run_mode"), PY_END};

static py_t on_next_reset(const py_val_t *a)
{
    int mode;
    if (!py_enum_arg(a[0].obj, &run_mode_enum, "run_mode", &mode))
        return PY_NULL;
    if (mode == UF2 || mode == BOOTLOADER)
        return py_raise(PY_ValueError, "Cannot reset into bootloader because no bootloader is present");
    vm_state()->safe_mode_next = mode == SAFE_MODE;
    return py_none();
}

static py_t reset(const py_val_t *a)
{
    (void)a;
    const adder_mcu_t *mcu = py_mcu();
    mcu->sys->reset(mcu->ctx, ADDER_RESET_SOFTWARE);
    vm_request(VM_REQ_RESET);
    return py_poll() ? py_none() : PY_NULL;
}

static const py_function_t functions[] = {{"delay_us", delay_us, delay_args, NULL},
                                          {"disable_interrupts", interrupts, NULL, NULL},
                                          {"enable_interrupts", interrupts, NULL, NULL},
                                          {"on_next_reset", on_next_reset, run_mode_args, NULL},
                                          {"reset", reset, NULL, NULL},
                                          PY_END};

/* ---- the module ---- */

static bool init(py_t module)
{
    py_t cpu = py_new(&processor_class, NULL);
    py_t cpus = py_tuple(&cpu, 1), pin = py_import("microcontroller.pin"), nvm = nvm_object(),
         watchdog = watchdog_object();
    return !py_null(pin) && !py_null(nvm) && !py_null(watchdog) && py_attr_set(module, "cpu", cpu) &&
           py_attr_set(module, "cpus", cpus) && py_attr_set(module, "pin", pin) &&
           py_attr_set(module, "nvm", nvm) && py_attr_set(module, "watchdog", watchdog);
}

static bool pin_init(py_t module)
{
    const adder_mcu_t *mcu = py_mcu();
    for (uint16_t i = 0; i < mcu->pin_count; i++) {
        py_t pin = pins_object(i);
        if (py_null(pin) || !py_attr_set(module, mcu->pins[i].name, pin))
            return false;
    }
    return true;
}

static const py_class_t *const classes[] = {&pins_class, &processor_class, NULL};
static const py_enum_t *const enums[] = {&reset_reason_enum, &run_mode_enum, NULL};

const py_module_t microcontroller_module = {.name = "microcontroller",
                                            .doc =
                                                "The chip: its pins, clock, temperature, memory and reset.",
                                            .functions = functions,
                                            .classes = classes,
                                            .enums = enums,
                                            .init = init,
                                            .reset = pins_reset};
const py_module_t microcontroller_pin_module = {.name = "microcontroller.pin", .init = pin_init};
