/* rtc: the clock of the chip, and what time.time() asks */
#include "python/modules/time_struct.h"

static py_t get_datetime(py_t self, void *s)
{
    (void)self, (void)s;
    const adder_mcu_t *mcu = py_mcu();
    return time_from_seconds(mcu->sys->rtc_get(mcu->ctx));
}

static bool set_datetime(py_t self, void *s, py_t value)
{
    (void)self, (void)s;
    const adder_mcu_t *mcu = py_mcu();
    int64_t seconds;
    if (!time_to_seconds(value, &seconds))
        return false;
    mcu->sys->rtc_set(mcu->ctx, seconds);
    return true;
}

static py_t get_calibration(py_t self, void *s)
{
    (void)self, (void)s;
    return py_raise(PY_NotImplementedError, "RTC calibration is not supported on this board");
}

static bool set_calibration(py_t self, void *s, py_t value)
{
    (void)value;
    return py_fail(get_calibration(self, s));
}

static py_t make_rtc(const py_val_t *a);

static const py_prop_t props[] = {{"datetime", get_datetime, set_datetime, 0, NULL},
                                  {"calibration", get_calibration, set_calibration, 0, NULL},
                                  PY_END};
static const py_class_t rtc_class = {
    .module = "rtc", .name = "RTC", .final = true, .make = make_rtc, .props = props};

/* A singleton. */
static py_t make_rtc(const py_val_t *a)
{
    (void)a;
    py_t rtc = py_root(PY_ROOT_RTC);
    if (py_null(rtc)) {
        rtc = py_new(&rtc_class, NULL);
        py_root_set(PY_ROOT_RTC, rtc);
    }
    return rtc;
}

static const py_arg_t source_args[] = {PY_REQ_OBJ("rtc"), PY_END};

static py_t set_time_source(const py_val_t *a)
{
    py_root_set(PY_ROOT_RTC_SOURCE, py_is_none(a[0].obj) ? PY_NULL : a[0].obj);
    return py_none();
}

static const py_function_t functions[] = {{"set_time_source", set_time_source, source_args, NULL}, PY_END};
static const py_class_t *const classes[] = {&rtc_class, NULL};
const py_module_t rtc_module = {.name = "rtc", .functions = functions, .classes = classes};
