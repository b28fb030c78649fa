/* watchdog: WatchDogTimer, WatchDogMode, WatchDogTimeout. What happens when it runs out comes from the
 * port: a reset, or the request that raises WatchDogTimeout. */
#include "python/modules/watchdog.h"

static const char *const modes[] = {"RAISE", "RESET", NULL};
enum { RAISE, RESET, OFF };
static const py_enum_t mode_enum = {"watchdog", "WatchDogMode", modes};
static const py_exception_t timeout_exception = {.module = "watchdog",
                                                 .name = "WatchDogTimeout",
                                                 .base = PY_Exception,
                                                 .doc = "The watchdog was not fed in time."};

typedef struct {
    double timeout_s;
    int mode;
} dog_t;

enum { MAX_TIMEOUT_S = 86400 };

static bool is_running; /* one timer in the machine: its reset must know */

static bool apply(const dog_t *t)
{
    const adder_mcu_t *mcu = py_mcu();
    uint32_t ms = t->mode == OFF ? 0 : (uint32_t)(t->timeout_s * 1000.0);
    is_running = ms > 0;
    adder_err_t err = mcu->sys->watchdog(mcu->ctx, ms, t->mode == RESET);
    return err == ADDER_OK || py_fail(py_raise_err(err, "watchdog"));
}

static py_t feed(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    const adder_mcu_t *mcu = py_mcu();
    if (is_running)
        mcu->sys->watchdog_feed(mcu->ctx);
    return py_none();
}

static py_t deinit(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    dog_t *t = s;
    t->mode = OFF;
    return apply(t) ? py_none() : PY_NULL;
}

static py_t get_timeout(py_t self, void *s)
{
    (void)self;
    return ((dog_t *)s)->timeout_s > 0 ? py_float(((dog_t *)s)->timeout_s) : py_none();
}

static bool set_timeout(py_t self, void *s, py_t value)
{
    (void)self;
    dog_t *t = s;
    double v;
    if (!py_to_float(value, &v))
        return false;
    if (!(v > 0))
        return py_fail(py_raise(PY_ValueError, "watchdog timeout must be greater than 0"));
    if (v > MAX_TIMEOUT_S)
        return py_fail(py_raise(PY_ValueError, "timeout duration exceeded the maximum supported value"));
    t->timeout_s = v;
    return t->mode == OFF || apply(t);
}

static py_t get_mode(py_t self, void *s)
{
    (void)self;
    int mode = ((dog_t *)s)->mode;
    return mode == OFF ? py_none() : py_enum_value(&mode_enum, mode);
}

static bool set_mode(py_t self, void *s, py_t value)
{
    (void)self;
    dog_t *t = s;
    int mode = OFF;
    if (!py_is_none(value) && !py_enum_arg(value, &mode_enum, "mode", &mode))
        return false;
    if (mode != OFF && t->timeout_s <= 0)
        return py_fail(py_raise(PY_ValueError, "WatchDogTimer.timeout must be greater than 0"));
    t->mode = mode;
    return apply(t);
}

static const py_method_t methods[] = {
    {"feed", feed, NULL, 0, NULL}, {"deinit", deinit, NULL, 0, NULL}, PY_END};
static const py_prop_t props[] = {
    {"timeout", get_timeout, set_timeout, 0, NULL}, {"mode", get_mode, set_mode, 0, NULL}, PY_END};
static const py_class_t timer_class = {.module = "watchdog",
                                       .name = "WatchDogTimer",
                                       .size = sizeof(dog_t),
                                       .no_new = true,
                                       .final = true,
                                       .methods = methods,
                                       .props = props};

py_t watchdog_object(void)
{
    void *s;
    if (py_mcu()->sys->watchdog == NULL)
        return py_none();
    py_t timer = py_new(&timer_class, &s);
    if (!py_null(timer))
        ((dog_t *)s)->mode = OFF;
    return timer;
}

/* The next program has not asked for it. */
static void reset(void)
{
    const adder_mcu_t *mcu = py_mcu();
    if (is_running)
        ADDER_IGNORE(mcu->sys->watchdog(mcu->ctx, 0, false), "nothing to tell: the program is over");
    is_running = false;
}

static const py_class_t *const classes[] = {&timer_class, NULL};
static const py_enum_t *const enums[] = {&mode_enum, NULL};
static const py_exception_t *const exceptions[] = {&timeout_exception, NULL};
const py_module_t watchdog_module = {
    .name = "watchdog", .classes = classes, .enums = enums, .exceptions = exceptions, .reset = reset};
