/* countio.Counter: edges on a pin, looked at each tick of the board (so up to about 500 Hz) */
#include "python/modules/digitalio.h"
#include "python/modules/pins.h"

enum { TICK_US = 977, RISE = 0, FALL, RISE_AND_FALL };

static const char *const edges[] = {"RISE", "FALL", "RISE_AND_FALL", NULL};
static const py_enum_t edge_enum = {"countio", "Edge", edges};

typedef struct {
    py_background_t background;
    uint16_t pin;
    int edge;
    int64_t count;
    bool last, open, claimed;
} counter_t;

static bool level_of(const counter_t *c)
{
    const adder_mcu_t *mcu = py_mcu();
    bool level = false;
    ADDER_IGNORE(mcu->gpio->read(mcu->ctx, c->pin, &level), "reads low");
    return level;
}

static uint64_t run(void *ctx, uint64_t now_us)
{
    counter_t *c = ctx;
    bool level = level_of(c);
    if (level != c->last && (c->edge == RISE_AND_FALL || (c->edge == RISE) == level))
        c->count++;
    c->last = level;
    return now_us + TICK_US;
}

static const py_arg_t init_args[] = {PY_REQ_OBJ("pin"), PY_KW_OBJ("edge"), PY_KW_OBJ("pull"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    counter_t *c = s;
    const adder_mcu_t *mcu = py_mcu();
    adder_pin_mode_t mode;
    c->edge = FALL;
    if (a[1].given && !py_enum_arg(a[1].obj, &edge_enum, "edge", &c->edge))
        return false;
    if (!digitalio_pull_arg(&a[2], "pull", &mode) || !pins_claim_arg(a[0].obj, "pin", &c->pin))
        return false;
    c->claimed = true;
    adder_err_t err = mcu->gpio->mode(mcu->ctx, c->pin, mode, false);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "Counter"));
    c->last = level_of(c);
    c->open = true;
    c->background = (py_background_t){.run = run, .ctx = c};
    py_background_add(&c->background);
    return true;
}

static void fini(void *s)
{
    counter_t *c = s;
    if (c->open)
        py_background_remove(&c->background);
    if (c->claimed)
        pins_release(c->pin);
    c->open = c->claimed = false;
}

static bool live(const void *s)
{
    return ((const counter_t *)s)->open;
}

static py_t reset(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    ((counter_t *)s)->count = 0;
    return py_none();
}

static py_t get_count(py_t self, void *s)
{
    (void)self;
    return py_int(((counter_t *)s)->count);
}

static bool set_count(py_t self, void *s, py_t value)
{
    (void)self;
    return py_to_int(value, &((counter_t *)s)->count);
}

static const py_method_t methods[] = {PY_DEINIT, {"reset", reset, NULL, 0, NULL}, PY_END};
static const py_prop_t props[] = {{"count", get_count, set_count, 0, NULL}, PY_END};
static const py_class_t counter_class = {.module = "countio",
                                         .name = "Counter",
                                         .size = sizeof(counter_t),
                                         .context = true,
                                         .init_args = init_args,
                                         .init = init,
                                         .fini = fini,
                                         .live = live,
                                         .methods = methods,
                                         .props = props};

static const py_class_t *const classes[] = {&counter_class, NULL};
static const py_enum_t *const enums[] = {&edge_enum, NULL};
const py_module_t countio_module = {.name = "countio", .classes = classes, .enums = enums};
