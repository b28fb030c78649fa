/* terminalio: FONT, Terminal */
#include "python/modules/display_int.h"

typedef struct {
    adder_terminal_t terminal;
    bool made;
    py_field_t area, status, font;
} terminal_obj_t;

static const py_arg_t init_args[] = {PY_REQ_OBJ("scroll_area"), PY_REQ_OBJ("font"), PY_KW_OBJ("status_bar"),
                                     PY_END};

static adder_tilegrid_t *grid_arg(py_t v, const char *name)
{
    void *s = py_struct_arg(v, &tilegrid_class, name);
    return s ? (adder_tilegrid_t *)(void *)layer_of(s) : NULL;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    terminal_obj_t *t = s;
    adder_tilegrid_t *status = NULL, *area = grid_arg(a[0].obj, "scroll_area");
    if (area == NULL || py_struct_arg(a[1].obj, &builtinfont_class, "font") == NULL ||
        (a[2].given && (status = grid_arg(a[2].obj, "status_bar")) == NULL))
        return false;
    adder_terminal_init(&t->terminal, &adder_font_terminal, area, status);
    t->made = true;
    py_field_set(self, &t->area, a[0].obj);
    py_field_set(self, &t->font, a[1].obj);
    py_field_set(self, &t->status, a[2].given ? a[2].obj : PY_NULL);
    return true;
}

static bool live(const void *s)
{
    return ((const terminal_obj_t *)s)->made;
}

static const py_arg_t write_args[] = {PY_REQ_OBJ("buf"), PY_END};

/* The grids may have been made anew by their own __init__ since: with fewer cells, they are checked by
 * the engine at every character. */
static py_t write(py_t self, void *s, const py_val_t *a)
{
    adder_terminal_t *t = &((terminal_obj_t *)s)->terminal;
    const char *utf8;
    size_t len;
    py_buf_t buf;
    (void)self;
    if (py_is_str(a[0].obj)) {
        if (!py_to_str(a[0].obj, &utf8, &len))
            return PY_NULL;
    } else if (py_buffer_read(a[0].obj, &buf)) {
        utf8 = (const char *)buf.ptr;
        len = buf.len;
    } else {
        return PY_NULL;
    }
    adder_terminal_write(t, utf8, len);
    return py_int((int64_t)len);
}

static py_t get_cursor_x(py_t self, void *s)
{
    (void)self;
    return py_int(((terminal_obj_t *)s)->terminal.cursor_x);
}

static py_t get_cursor_y(py_t self, void *s)
{
    (void)self;
    return py_int(((terminal_obj_t *)s)->terminal.cursor_y);
}

static const py_method_t methods[] = {
    {"write", write, write_args, 0, "Text and control codes; returns how many bytes were taken."}, PY_END};

static const py_prop_t props[] = {
    {"cursor_x", get_cursor_x, NULL, 0, "column"}, {"cursor_y", get_cursor_y, NULL, 0, "row"}, PY_END};

static const uint16_t fields[] = {offsetof(terminal_obj_t, area), offsetof(terminal_obj_t, status),
                                  offsetof(terminal_obj_t, font), PY_FIELDS_END};

static const py_class_t terminal_class = {
    .module = "terminalio",
    .name = "Terminal",
    .doc = "Terminal(scroll_area, font, *, status_bar=None): text on tilegrids of the font's cells.",
    .size = sizeof(terminal_obj_t),
    .init_args = init_args,
    .init = init,
    .live = live,
    .fields = fields,
    .methods = methods,
    .props = props,
};

static bool module_init(py_t module)
{
    py_t font = font_object();
    return !py_null(font) && py_attr_set(module, "FONT", font);
}

static const py_class_t *const classes[] = {&terminal_class, NULL};

const py_module_t terminalio_module = {.name = "terminalio", .classes = classes, .init = module_init};
