/* rotaryio.IncrementalEncoder: two pins looked at each tick of the board */
#include "python/modules/pins.h"

enum { TICK_US = 977 };

typedef struct {
    py_background_t background;
    uint16_t a, b;
    int64_t quarters; /* since position was set, times the divisor's fraction */
    int64_t position;
    int64_t divisor;
    uint8_t last;
    bool open;
} encoder_t;

static uint8_t state_of(const encoder_t *e)
{
    const adder_mcu_t *mcu = py_mcu();
    bool a = false, b = false;
    ADDER_IGNORE(mcu->gpio->read(mcu->ctx, e->a, &a), "reads low");
    ADDER_IGNORE(mcu->gpio->read(mcu->ctx, e->b, &b), "reads low");
    return (uint8_t)(a << 1 | b);
}

/* Grey code: +1 and -1 for neighbours, 0 for the same and for a jump that tells no direction. */
static uint64_t run(void *ctx, uint64_t now_us)
{
    static const int8_t steps[16] = {0, -1, 1, 0, 1, 0, 0, -1, -1, 0, 0, 1, 0, 1, -1, 0};
    encoder_t *e = ctx;
    uint8_t state = state_of(e);
    e->quarters += steps[e->last << 2 | state];
    e->last = state;
    while (e->quarters >= e->divisor) {
        e->position++;
        e->quarters -= e->divisor;
    }
    while (e->quarters <= -e->divisor) {
        e->position--;
        e->quarters += e->divisor;
    }
    return now_us + TICK_US;
}

static bool check_divisor(int64_t divisor)
{
    return divisor == 1 || divisor == 2 || divisor == 4 ||
           py_fail(py_raise(PY_ValueError, "divisor must be 1, 2 or 4"));
}

static const py_arg_t init_args[] = {PY_REQ_OBJ("pin_a"), PY_REQ_OBJ("pin_b"), PY_OPT_INT("divisor", 4, 1, 4),
                                     PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    encoder_t *e = s;
    const adder_mcu_t *mcu = py_mcu();
    e->a = e->b = ADDER_PIN_NONE;
    if (!check_divisor(a[2].i) || !pins_claim_arg(a[0].obj, "pin_a", &e->a) ||
        !pins_claim_arg(a[1].obj, "pin_b", &e->b))
        return false;
    e->divisor = a[2].i;
    adder_err_t err = mcu->gpio->mode(mcu->ctx, e->a, ADDER_PIN_IN_PULL_UP, false);
    if (err == ADDER_OK)
        err = mcu->gpio->mode(mcu->ctx, e->b, ADDER_PIN_IN_PULL_UP, false);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "IncrementalEncoder"));
    e->last = state_of(e);
    e->open = true;
    e->background = (py_background_t){.run = run, .ctx = e};
    py_background_add(&e->background);
    return true;
}

static void fini(void *s)
{
    encoder_t *e = s;
    if (e->open)
        py_background_remove(&e->background);
    if (e->a != e->b) {
        pins_release(e->a);
        pins_release(e->b);
    }
    e->a = e->b = ADDER_PIN_NONE;
    e->open = false;
}

static bool live(const void *s)
{
    return ((const encoder_t *)s)->open;
}

static py_t get_position(py_t self, void *s)
{
    (void)self;
    return py_int(((encoder_t *)s)->position);
}

static bool set_position(py_t self, void *s, py_t value)
{
    (void)self;
    encoder_t *e = s;
    e->quarters = 0;
    return py_to_int(value, &e->position);
}

static py_t get_divisor(py_t self, void *s)
{
    (void)self;
    return py_int(((encoder_t *)s)->divisor);
}

static bool set_divisor(py_t self, void *s, py_t value)
{
    (void)self;
    int64_t divisor;
    if (!py_to_int(value, &divisor) || !check_divisor(divisor))
        return false;
    ((encoder_t *)s)->divisor = divisor;
    return true;
}

static const py_method_t methods[] = {PY_DEINIT, PY_END};
static const py_prop_t props[] = {{"position", get_position, set_position, 0, NULL},
                                  {"divisor", get_divisor, set_divisor, 0, NULL},
                                  PY_END};
static const py_class_t encoder_class = {.module = "rotaryio",
                                         .name = "IncrementalEncoder",
                                         .size = sizeof(encoder_t),
                                         .context = true,
                                         .init_args = init_args,
                                         .init = init,
                                         .fini = fini,
                                         .live = live,
                                         .methods = methods,
                                         .props = props};

static const py_class_t *const classes[] = {&encoder_class, NULL};
const py_module_t rotaryio_module = {.name = "rotaryio", .classes = classes};
