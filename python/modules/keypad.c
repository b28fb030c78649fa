/* keypad: Keys, KeyMatrix, ShiftRegisterKeys */
#include "python/modules/keypad_scan.h"

static bool check(adder_err_t err, const char *what)
{
    return err == ADDER_OK || py_fail(py_raise_err(err, what));
}

static bool read_pin(uint16_t pin)
{
    const adder_mcu_t *mcu = py_mcu();
    bool level = false;
    ADDER_IGNORE(mcu->gpio->read(mcu->ctx, pin, &level), "a pin that cannot be read is a key that is up");
    return level;
}

static void write_pin(uint16_t pin, bool level)
{
    const adder_mcu_t *mcu = py_mcu();
    ADDER_IGNORE(mcu->gpio->write(mcu->ctx, pin, level), "made an output before, which cannot fail later");
}

static bool set_mode(uint16_t pin, adder_pin_mode_t mode, bool level)
{
    const adder_mcu_t *mcu = py_mcu();
    return check(mcu->gpio->mode(mcu->ctx, pin, mode, level), "keypad");
}

/* ---- Keys ---- */

typedef struct {
    keypad_scanner_t k;
    bool value_when_pressed;
} keys_t;

static void scan_keys(keypad_scanner_t *k)
{
    bool when_pressed = ((keys_t *)k)->value_when_pressed;
    for (uint16_t i = 0; i < k->key_count; i++)
        keypad_scan_key(k, i, read_pin(k->pins[i]) == when_pressed);
}

static const py_arg_t keys_args[] = {
    PY_REQ_OBJ("pins"),
    {.name = "value_when_pressed", .kind = PY_ARG_BOOL, .flags = PY_A_KW_ONLY | PY_A_REQUIRED},
    PY_KW_BOOL("pull", true),
    KEYPAD_ARGS,
    PY_END};

static bool keys_init(py_t self, void *s, const py_val_t *a)
{
    keys_t *o = s;
    o->value_when_pressed = a[1].b;
    if (!keypad_claim(&o->k, a[0].obj, "pins"))
        return false;
    adder_pin_mode_t mode = !a[2].b ? ADDER_PIN_IN : a[1].b ? ADDER_PIN_IN_PULL_DOWN : ADDER_PIN_IN_PULL_UP;
    for (size_t i = 0; i < o->k.pin_count; i++) {
        if (!set_mode(o->k.pins[i], mode, false))
            return false;
    }
    return keypad_start(self, &o->k, o->k.pin_count, a + 3, scan_keys);
}

static const py_class_t keys_class = {.module = "keypad",
                                      .name = "Keys",
                                      .size = sizeof(keys_t),
                                      .context = true,
                                      .init_args = keys_args,
                                      .init = keys_init,
                                      .fini = keypad_fini,
                                      .live = keypad_live,
                                      .fields = keypad_fields,
                                      .methods = keypad_methods,
                                      .props = keypad_props};

/* ---- KeyMatrix: pins are the rows, then the columns ---- */

typedef struct {
    keypad_scanner_t k;
    uint16_t rows, columns;
    bool columns_to_anodes;
} matrix_t;

/* A row at a time drives its end of the diodes; the others float. */
static void scan_matrix(keypad_scanner_t *k)
{
    const adder_mcu_t *mcu = py_mcu();
    matrix_t *m = (matrix_t *)k;
    bool active = !m->columns_to_anodes;
    for (uint16_t row = 0; row < m->rows; row++) {
        ADDER_IGNORE(mcu->gpio->mode(mcu->ctx, k->pins[row], ADDER_PIN_OUT, active), "tried at the start");
        for (uint16_t column = 0; column < m->columns; column++)
            keypad_scan_key(k, (uint16_t)(row * m->columns + column),
                            read_pin(k->pins[m->rows + column]) == active);
        ADDER_IGNORE(mcu->gpio->mode(mcu->ctx, k->pins[row],
                                     active ? ADDER_PIN_IN_PULL_DOWN : ADDER_PIN_IN_PULL_UP, false),
                     "tried at the start");
    }
}

static const py_arg_t matrix_args[] = {PY_REQ_OBJ("row_pins"),
                                       PY_REQ_OBJ("column_pins"),
                                       PY_OPT_BOOL("columns_to_anodes", true),
                                       PY_OPT_FLOAT("interval", 0.020),
                                       PY_OPT_INT("max_events", 64, 1, 65535),
                                       PY_OPT_INT("debounce_threshold", 1, 1, 127),
                                       PY_END};

static bool matrix_init(py_t self, void *s, const py_val_t *a)
{
    matrix_t *m = s;
    if (!keypad_claim(&m->k, a[0].obj, "row_pins"))
        return false;
    m->rows = (uint16_t)m->k.pin_count;
    if (!keypad_claim(&m->k, a[1].obj, "column_pins"))
        return false;
    m->columns = (uint16_t)(m->k.pin_count - m->rows);
    m->columns_to_anodes = a[2].b;
    adder_pin_mode_t mode = a[2].b ? ADDER_PIN_IN_PULL_UP : ADDER_PIN_IN_PULL_DOWN;
    for (size_t i = 0; i < m->k.pin_count; i++) {
        if (!set_mode(m->k.pins[i], mode, false))
            return false;
    }
    return keypad_start(self, &m->k, (size_t)m->rows * m->columns, a + 3, scan_matrix);
}

static const py_arg_t key_args[] = {PY_REQ_INT("key_number", 0, 65535), PY_END};

static py_t to_row_column(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    matrix_t *m = s;
    if (a[0].i >= m->k.key_count)
        return py_raise(PY_ValueError, "key_number must be 0-%u", m->k.key_count - 1u);
    const py_t pair[] = {py_int(a[0].i / m->columns), py_int(a[0].i % m->columns)};
    return py_tuple(pair, 2);
}

static const py_arg_t cell_args[] = {PY_REQ_INT("row", 0, 65535), PY_REQ_INT("column", 0, 65535), PY_END};

static py_t to_key_number(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    matrix_t *m = s;
    if (a[0].i >= m->rows)
        return py_raise(PY_ValueError, "row must be 0-%u", m->rows - 1u);
    if (a[1].i >= m->columns)
        return py_raise(PY_ValueError, "column must be 0-%u", m->columns - 1u);
    return py_int(a[0].i * m->columns + a[1].i);
}

static const py_method_t matrix_methods[] = {PY_DEINIT,
                                             {"reset", keypad_reset, NULL, 0, NULL},
                                             {"key_number_to_row_column", to_row_column, key_args, 0, NULL},
                                             {"row_column_to_key_number", to_key_number, cell_args, 0, NULL},
                                             PY_END};
static const py_class_t matrix_class = {.module = "keypad",
                                        .name = "KeyMatrix",
                                        .size = sizeof(matrix_t),
                                        .context = true,
                                        .init_args = matrix_args,
                                        .init = matrix_init,
                                        .fini = keypad_fini,
                                        .live = keypad_live,
                                        .fields = keypad_fields,
                                        .methods = matrix_methods,
                                        .props = keypad_props};

/* ---- ShiftRegisterKeys: pins are clock, latch, data ---- */

enum { CLOCK, LATCH, DATA };

typedef struct {
    keypad_scanner_t k;
    bool value_to_latch, value_when_pressed;
} shift_t;

static void scan_shift(keypad_scanner_t *k)
{
    shift_t *o = (shift_t *)k;
    write_pin(k->pins[LATCH], o->value_to_latch);
    for (uint16_t i = 0; i < k->key_count; i++) {
        keypad_scan_key(k, i, read_pin(k->pins[DATA]) == o->value_when_pressed);
        write_pin(k->pins[CLOCK], true);
        write_pin(k->pins[CLOCK], false);
    }
    write_pin(k->pins[LATCH], !o->value_to_latch);
}

static const py_arg_t shift_args[] = {
    PY_KWREQ_OBJ("clock"),
    PY_KWREQ_OBJ("data"),
    PY_KWREQ_OBJ("latch"),
    PY_KW_BOOL("value_to_latch", true),
    PY_KWREQ_INT("key_count", 1, 65535),
    {.name = "value_when_pressed", .kind = PY_ARG_BOOL, .flags = PY_A_KW_ONLY | PY_A_REQUIRED},
    KEYPAD_ARGS,
    PY_END};

static bool shift_init(py_t self, void *s, const py_val_t *a)
{
    shift_t *o = s;
    o->value_to_latch = a[3].b;
    o->value_when_pressed = a[5].b;
    return keypad_claim_one(&o->k, a[0].obj, "clock") && keypad_claim_one(&o->k, a[2].obj, "latch") &&
           keypad_claim_one(&o->k, a[1].obj, "data") && set_mode(o->k.pins[CLOCK], ADDER_PIN_OUT, false) &&
           set_mode(o->k.pins[LATCH], ADDER_PIN_OUT, !a[3].b) &&
           set_mode(o->k.pins[DATA], ADDER_PIN_IN, false) &&
           keypad_start(self, &o->k, (size_t)a[4].i, a + 6, scan_shift);
}

static const py_class_t shift_class = {.module = "keypad",
                                       .name = "ShiftRegisterKeys",
                                       .size = sizeof(shift_t),
                                       .context = true,
                                       .init_args = shift_args,
                                       .init = shift_init,
                                       .fini = keypad_fini,
                                       .live = keypad_live,
                                       .fields = keypad_fields,
                                       .methods = keypad_methods,
                                       .props = keypad_props};

static const py_class_t *const classes[] = {&keypad_event_class, &keypad_queue_class, &keys_class,
                                            &matrix_class,       &shift_class,        NULL};
const py_module_t keypad_module = {.name = "keypad", .classes = classes};
