/* busdisplay.BusDisplay. The display itself is a slot of display_pool.c; the Python object stands for it. */
#include "python/modules/display_pool.h"

enum {
    ARG_BUS,
    ARG_INIT,
    ARG_WIDTH,
    ARG_HEIGHT,
    ARG_COLSTART,
    ARG_ROWSTART,
    ARG_ROTATION,
    ARG_DEPTH,
    ARG_GRAYSCALE,
    ARG_SHARE_ROW,
    ARG_CELL,
    ARG_REVERSE_PIXELS,
    ARG_REVERSE_BYTES,
    ARG_COLUMN,
    ARG_ROW,
    ARG_WRITE,
    ARG_BACKLIGHT,
    ARG_BRIGHTNESS_COMMAND,
    ARG_BRIGHTNESS,
    ARG_SINGLE_BYTE,
    ARG_DATA_COMMANDS,
    ARG_AUTO,
    ARG_FPS,
    ARG_ON_HIGH,
    ARG_SH1107,
    ARG_PWM_HZ
};

static const py_arg_t init_args[] = {[ARG_BUS] = PY_REQ_OBJ("display_bus"),
                                     [ARG_INIT] = PY_REQ_RBUF("init_sequence"),
                                     [ARG_WIDTH] = PY_KWREQ_INT("width", 1, 32767),
                                     [ARG_HEIGHT] = PY_KWREQ_INT("height", 1, 32767),
                                     [ARG_COLSTART] = PY_KW_INT("colstart", 0, INT16_MIN, INT16_MAX),
                                     [ARG_ROWSTART] = PY_KW_INT("rowstart", 0, INT16_MIN, INT16_MAX),
                                     [ARG_ROTATION] = PY_KW_INT("rotation", 0, INT32_MIN, INT32_MAX),
                                     [ARG_DEPTH] = PY_KW_INT("color_depth", 16, 1, 32),
                                     [ARG_GRAYSCALE] = PY_KW_BOOL("grayscale", false),
                                     [ARG_SHARE_ROW] = PY_KW_BOOL("pixels_in_byte_share_row", true),
                                     [ARG_CELL] = PY_KW_INT("bytes_per_cell", 1, 1, 255),
                                     [ARG_REVERSE_PIXELS] = PY_KW_BOOL("reverse_pixels_in_byte", false),
                                     [ARG_REVERSE_BYTES] = PY_KW_BOOL("reverse_bytes_in_word", true),
                                     [ARG_COLUMN] = PY_KW_INT("set_column_command", 0x2A, 0, 255),
                                     [ARG_ROW] = PY_KW_INT("set_row_command", 0x2B, 0, 255),
                                     [ARG_WRITE] = PY_KW_INT("write_ram_command", 0x2C, 0, 255),
                                     [ARG_BACKLIGHT] = PY_KW_OBJ("backlight_pin"),
                                     [ARG_BRIGHTNESS_COMMAND] =
                                         PY_KW_INT("brightness_command", 0x100, 0, 0x100),
                                     [ARG_BRIGHTNESS] = PY_KW_FLOAT("brightness", 1.0),
                                     [ARG_SINGLE_BYTE] = PY_KW_BOOL("single_byte_bounds", false),
                                     [ARG_DATA_COMMANDS] = PY_KW_BOOL("data_as_commands", false),
                                     [ARG_AUTO] = PY_KW_BOOL("auto_refresh", true),
                                     [ARG_FPS] = PY_KW_INT("native_frames_per_second", 60, 1, 1000),
                                     [ARG_ON_HIGH] = PY_KW_BOOL("backlight_on_high", true),
                                     [ARG_SH1107] = PY_KW_BOOL("SH1107_addressing", false),
                                     [ARG_PWM_HZ] = PY_KW_INT("backlight_pwm_frequency", 50000, 1, 50000000),
                                     PY_END};

static display_slot_t *slot_of(void *s)
{
    return ((display_obj_t *)s)->slot;
}

static adder_busdisplay_t *display_of(void *s)
{
    return &slot_of(s)->display;
}

static uint64_t now_us(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return mcu->sys->now_us(mcu->ctx);
}

static bool rotation_arg(int64_t degrees, uint16_t *out)
{
    if (degrees % 90 != 0)
        return py_fail(py_raise(PY_ValueError, "Display rotation must be in 90 degree increments"));
    *out = (uint16_t)((degrees % 360 + 360) % 360);
    return true;
}

static bool brightness_ok(double v)
{
    return (v >= 0 && v <= 1) || py_fail(py_raise(PY_ValueError, "brightness must be 0-1.0"));
}

static uint16_t duty(double v)
{
    return (uint16_t)(v * ADDER_BRIGHTNESS_FULL + 0.5);
}

/* A pin with PWM or a plain one; None = no backlight. */
static bool take_backlight(display_slot_t *slot, const py_val_t *a, adder_busdisplay_config_t *config)
{
    uint16_t pin = ADDER_PIN_NONE;
    if (a[ARG_BACKLIGHT].given && !display_claim_pin(a[ARG_BACKLIGHT].obj, "backlight_pin", &pin))
        return false;
    display_slot_backlight(slot, py_mcu(), pin, (uint32_t)a[ARG_PWM_HZ].i, a[ARG_ON_HIGH].b, config);
    return true;
}

static bool configure(const py_val_t *a, const display_bus_obj_t *bus, adder_busdisplay_config_t *c)
{
    uint16_t rotation;
    if (!rotation_arg(a[ARG_ROTATION].i, &rotation) || !brightness_ok(a[ARG_BRIGHTNESS].f))
        return false;
    *c = (adder_busdisplay_config_t){
        .bus = bus->bus,
        .init_sequence = a[ARG_INIT].buf.ptr,
        .init_sequence_len = a[ARG_INIT].buf.len,
        .width = (uint16_t)a[ARG_WIDTH].i,
        .height = (uint16_t)a[ARG_HEIGHT].i,
        .colstart = (int16_t)a[ARG_COLSTART].i,
        .rowstart = (int16_t)a[ARG_ROWSTART].i,
        .rotation = rotation,
        .format = {.depth = (uint8_t)a[ARG_DEPTH].i,
                   .bytes_per_cell = (uint8_t)a[ARG_CELL].i,
                   .grayscale = a[ARG_GRAYSCALE].b,
                   .pixels_in_byte_share_row = a[ARG_SHARE_ROW].b,
                   .reverse_pixels_in_byte = a[ARG_REVERSE_PIXELS].b,
                   .reverse_bytes_in_word = a[ARG_REVERSE_BYTES].b},
        .set_column_command = (uint8_t)a[ARG_COLUMN].i,
        .set_row_command = (uint8_t)a[ARG_ROW].i,
        .write_ram_command = (uint8_t)a[ARG_WRITE].i,
        .single_byte_bounds = a[ARG_SINGLE_BYTE].b,
        .data_as_commands = a[ARG_DATA_COMMANDS].b,
        .sh1107_addressing = a[ARG_SH1107].b,
        .auto_refresh = a[ARG_AUTO].b,
        .native_frames_per_second = (uint16_t)a[ARG_FPS].i,
        .brightness_command = (int16_t)(a[ARG_BRIGHTNESS_COMMAND].i > 255 ? -1 : a[ARG_BRIGHTNESS_COMMAND].i),
        .brightness = duty(a[ARG_BRIGHTNESS].f),
    };
    return true;
}

/* The init sequence with its delays; other background work goes on meanwhile. */
static bool start_up(adder_busdisplay_t *d)
{
    for (;;) {
        uint64_t now = now_us();
        uint64_t due = adder_busdisplay_tick(d, now);
        if (adder_busdisplay_state(d) != ADDER_BUSDISPLAY_STARTING)
            break;
        if (!py_wait_us(due > now && due != UINT64_MAX ? due - now : 1000))
            return false;
    }
    adder_err_t err = adder_busdisplay_take_error(d);
    return err == ADDER_OK || err == ADDER_ERR_AGAIN || py_fail(py_raise_err(err, "display"));
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    display_obj_t *o = s;
    adder_busdisplay_config_t config;
    display_bus_obj_t *bus = py_struct_arg(a[ARG_BUS].obj, &display_bus_class, "display_bus");
    if (bus == NULL || !configure(a, bus, &config))
        return false;
    /* The engine reads the sequence as it goes: from memory that cannot change. */
    py_t sequence = py_bytes(config.init_sequence, config.init_sequence_len);
    py_buf_t bytes;
    if (py_null(sequence) || !py_buffer_read(sequence, &bytes))
        return false;
    config.init_sequence = bytes.ptr;
    display_slot_t *slot = display_slot_take(&config);
    if (slot == NULL)
        return py_fail(py_raise(PY_RuntimeError, "Too many displays; forget displayio.release_displays() ?"));
    o->slot = slot;
    slot->owner = o;
    slot->brightness = a[ARG_BRIGHTNESS].f;
    py_field_set(self, &o->sequence, sequence);
    py_field_set(self, &o->bus, a[ARG_BUS].obj);
    if (!take_backlight(slot, a, &config))
        return false;
    adder_err_t err = adder_busdisplay_init(&slot->display, &config);
    if (err == ADDER_ERR_FORMAT)
        return py_fail(py_raise(PY_ValueError, "init_sequence: a record runs past its end"));
    if (err == ADDER_ERR_NOSPACE)
        return py_fail(py_raise(PY_ValueError, "Display too wide: a row takes more than %d bytes",
                                DISPLAY_BUFFER_BYTES));
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "BusDisplay"));
    slot->ready = true;
    if (!start_up(&slot->display))
        return false;
    terminal_show(slot);
    display_slot_run(slot);
    char key[] = "display0";
    key[7] = (char)('0' + (slot - display_slots));
    return display_keep(key, self);
}

/* The program may forget the object; the display goes on. So only a failed __init__ or the end of the VM
 * comes here with a slot. */
static void fini(void *s)
{
    display_obj_t *o = s;
    if (o->slot != NULL && o->slot->owner == o) {
        if (display_board_is(o->slot)) {
            o->slot->owner = NULL;
            o->slot = NULL;
        } else {
            display_slot_release(o->slot);
        }
    }
}

static bool live(const void *s)
{
    return ((const display_obj_t *)s)->slot != NULL;
}

py_t busdisplay_wrap(display_slot_t *slot, py_t bus)
{
    void *s;
    py_t self = py_new(&busdisplay_class, &s);
    if (py_null(self))
        return PY_NULL;
    display_obj_t *o = s;
    o->slot = slot;
    slot->owner = o;
    py_field_set(self, &o->bus, bus);
    return self;
}

/* ---- refresh ---- */

static const py_arg_t refresh_args[] = {PY_KW_OBJ("target_frames_per_second"),
                                        PY_KW_INT("minimum_frames_per_second", 0, 0, 65535), PY_END};

/* Skipped without a word when the bus is in use, as on a board. */
static bool paint(adder_busdisplay_t *d)
{
    adder_err_t err = adder_busdisplay_refresh_now(d, now_us());
    return err == ADDER_OK || err == ADDER_ERR_AGAIN || py_fail(py_raise_err(err, "display"));
}

static py_t refresh(py_t self, void *s, const py_val_t *a)
{
    int64_t target = ADDER_REFRESH_NO_TARGET;
    uint64_t now = now_us(), at = now;
    (void)self;
    if (a[0].given && !display_int(a[0].obj, "target_frames_per_second", 1, 65535, &target))
        return PY_NULL;
    adder_err_t err =
        adder_busdisplay_refresh_when(display_of(s), now, (uint16_t)target, (uint16_t)a[1].i, &at);
    if (err == ADDER_ERR_AGAIN)
        return py_bool(false);
    if (err == ADDER_ERR_TIMEOUT)
        return py_raise(PY_RuntimeError, "Below minimum frame rate");
    if (err != ADDER_OK)
        return py_raise_err(err, "display");
    if (at > now && !py_wait_us(at - now))
        return PY_NULL;
    if (!paint(display_of(s)))
        return PY_NULL;
    /* A program that does nothing but refresh still lets the rest of the machine work. */
    return py_poll() ? py_bool(true) : PY_NULL;
}

static const py_arg_t fill_row_args[] = {PY_REQ_OBJ("y"), PY_REQ_WBUF("buffer"), PY_END};

static py_t fill_row(py_t self, void *s, const py_val_t *a)
{
    adder_busdisplay_t *d = display_of(s);
    int64_t y;
    (void)self;
    if (!display_int(a[0].obj, "y", 0, d->scene.height - 1, &y))
        return PY_NULL;
    switch (adder_busdisplay_fill_row(d, (uint16_t)y, a[1].buf.ptr, a[1].buf.len)) {
    case ADDER_OK:
        return a[1].obj;
    case ADDER_ERR_UNSUPPORTED:
        return py_raise(PY_ValueError, "Display must have a 16 bit colorspace.");
    case ADDER_ERR_NOSPACE:
        return py_raise(PY_ValueError, "Buffer too small");
    default:
        return py_raise(PY_ValueError, "y out of range");
    }
}

static const py_arg_t show_args[] = {PY_REQ_OBJ("group"), PY_END};

static py_t show(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_raise(PY_AttributeError, ".show(x) removed. Use .root_group = x");
}

/* ---- properties ---- */

static py_t get_auto_refresh(py_t self, void *s)
{
    (void)self;
    return py_bool(display_of(s)->config.auto_refresh);
}

static bool set_auto_refresh(py_t self, void *s, py_t value)
{
    bool on;
    (void)self;
    if (!py_to_bool(value, &on))
        return false;
    adder_busdisplay_set_auto_refresh(display_of(s), on);
    display_slot_run(slot_of(s));
    return true;
}

static py_t get_brightness(py_t self, void *s)
{
    (void)self;
    return py_float(slot_of(s)->brightness);
}

static bool set_brightness(py_t self, void *s, py_t value)
{
    double v;
    (void)self;
    if (!py_is_float(value) && !py_is_int(value))
        return py_fail(
            py_raise(PY_TypeError, "brightness must be of type float, not %s", py_type_name(value)));
    if (!py_to_float(value, &v) || !brightness_ok(v))
        return false;
    adder_err_t err = adder_busdisplay_set_brightness(display_of(s), duty(v));
    if (err == ADDER_ERR_UNSUPPORTED)
        return py_fail(py_raise(PY_RuntimeError, "Brightness not adjustable"));
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "brightness"));
    slot_of(s)->brightness = v;
    return true;
}

static py_t get_width(py_t self, void *s)
{
    (void)self;
    return py_int(display_of(s)->scene.width);
}

static py_t get_height(py_t self, void *s)
{
    (void)self;
    return py_int(display_of(s)->scene.height);
}

static py_t get_rotation(py_t self, void *s)
{
    (void)self;
    return py_int(display_of(s)->scene.rotation);
}

static bool set_rotation(py_t self, void *s, py_t value)
{
    int64_t degrees;
    uint16_t rotation;
    adder_busdisplay_t *d = display_of(s);
    (void)self;
    if (!display_int(value, "rotation", INT32_MIN, INT32_MAX, &degrees) || !rotation_arg(degrees, &rotation))
        return false;
    adder_err_t err = adder_busdisplay_set_rotation(d, rotation);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "rotation"));
    if (d->scene.root == terminal_group())
        terminal_layout(d->scene.width, d->scene.height);
    display_slot_run(slot_of(s));
    return true;
}

static py_t get_bus(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((display_obj_t *)s)->bus);
}

static py_t get_root(py_t self, void *s)
{
    const adder_group_t *root = display_of(s)->scene.root;
    (void)self;
    if (root == NULL)
        return py_none();
    if (root == terminal_group())
        return terminal_group_object();
    return py_field_get(&((display_obj_t *)s)->root);
}

static bool set_root(py_t self, void *s, py_t value)
{
    display_obj_t *o = s;
    adder_group_t *group = NULL;
    if (!py_is_none(value)) {
        void *g = py_struct_arg(value, &group_class, "root_group");
        if (g == NULL)
            return false;
        group = (adder_group_t *)(void *)layer_of(g);
    }
    if (group != NULL && group == display_of(s)->scene.root)
        return true;
    adder_err_t err = adder_busdisplay_set_root(display_of(s), group);
    if (err == ADDER_ERR_IN_USE)
        return py_fail(py_raise(PY_ValueError, "Group already used"));
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "root_group"));
    py_field_set(self, &o->root, group != NULL ? value : PY_NULL);
    display_slot_run(o->slot);
    return true;
}

static const py_method_t methods[] = {
    {"refresh", refresh, refresh_args, 0, "Paint what changed, at a frame rate if one is given."},
    {"fill_row", fill_row, fill_row_args, 0, "One row of pixels, as the display gets it."},
    {"show", show, show_args, 0, "Gone: use root_group."},
    PY_END};

static const py_prop_t props[] = {{"auto_refresh", get_auto_refresh, set_auto_refresh, 0, "bool"},
                                  {"brightness", get_brightness, set_brightness, 0, "0.0 to 1.0"},
                                  {"width", get_width, NULL, 0, "after rotation"},
                                  {"height", get_height, NULL, 0, "after rotation"},
                                  {"rotation", get_rotation, set_rotation, 0, "0, 90, 180 or 270"},
                                  {"bus", get_bus, NULL, 0, "the display bus"},
                                  {"root_group", get_root, set_root, 0, "what is shown: a Group or None"},
                                  PY_END};

static const uint16_t fields[] = {offsetof(display_obj_t, bus), offsetof(display_obj_t, root),
                                  offsetof(display_obj_t, sequence), PY_FIELDS_END};

const py_class_t busdisplay_class = {
    .module = "busdisplay",
    .name = "BusDisplay",
    .doc = "BusDisplay(display_bus, init_sequence, *, width, height, ...): a display behind a bus.",
    .size = sizeof(display_obj_t),
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .fields = fields,
    .methods = methods,
    .props = props,
};

static const py_class_t *const classes[] = {&busdisplay_class, NULL};

const py_module_t busdisplay_module = {.name = "busdisplay", .classes = classes};
