/* A module `demo` for tests of the layer, which uses all that py.h offers to classes, arguments and errors;
 * `pack.inner` shares its classes. */
#ifndef TEST_DEMO_H
#define TEST_DEMO_H

#include "python/layer/py.h"

typedef struct {
    py_field_t tag;
    int64_t value;
    bool open;
    uint8_t bytes[4];
} box_t;

static int finis;

static const py_arg_t box_args[] = {PY_REQ_INT("value", 0, 100), PY_KW_OBJ("tag"), PY_END};

static bool box_init(py_t self, void *s, const py_val_t *a)
{
    box_t *box = s;
    box->value = a[0].i;
    box->open = true;
    if (a[1].given)
        py_field_set(self, &box->tag, a[1].obj);
    return box->value != 13 || py_fail(py_raise(PY_ValueError, "unlucky %d", 13));
}

static void box_fini(void *s)
{
    (void)s;
    finis++;
}

static bool box_live(const void *s)
{
    return ((const box_t *)s)->open;
}

static py_t box_deinit(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    ((box_t *)s)->open = false;
    return py_none();
}

static const py_arg_t add_args[] = {PY_REQ_FLOAT("x"), PY_OPT_FLOAT("y", 1.5), PY_KW_BOOL("negate", false),
                                    PY_END};

static py_t box_add(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    double sum = (double)((box_t *)s)->value + a[0].f + a[1].f;
    return py_float(a[2].b ? -sum : sum);
}

static const py_arg_t call_args[] = {PY_REQ_OBJ("fn"), PY_END};

static py_t box_apply(py_t self, void *s, const py_val_t *a)
{
    py_t args[] = {py_int(((box_t *)s)->value), self};
    return py_call(a[0].obj, args, 2);
}

static py_t box_fail(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_raise_err(ADDER_ERR_NOT_FOUND, "box");
}

static py_t box_make(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_str("static");
}

static const py_arg_t sum_args[] = {PY_REQ_RBUF("buffer"), PY_KW_START_END, PY_END};

static py_t box_sum(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    uint8_t *p;
    size_t n;
    int64_t sum = 0;
    py_buf_slice(&a[0].buf, a[1].i, a[2].i, &p, &n);
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return py_int(sum);
}

static const py_arg_t rest_args[] = {PY_REQ_OBJ("first"), PY_REST("rest"), PY_KW_INT("k", 3, 0, 9),
                                     PY_KWREST("more"), PY_END};

static py_t box_rest(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    return py_tuple((const py_t[]){a[0].obj, a[1].obj, py_int(a[2].i), a[3].obj}, 4);
}

static py_t box_temporaries(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    py_t keep = PY_NULL;
    for (int i = 0; i < 100000; i++) {
        py_scope_t scope = py_scope_open();
        py_t n = py_int(i + 1000);
        keep = i == 99999 ? py_scope_close_keep(scope, n) : (py_scope_close(scope), PY_NULL);
    }
    return keep;
}

static py_t box_get_value(py_t self, void *s)
{
    (void)self;
    return py_int(((box_t *)s)->value);
}

static bool box_set_value(py_t self, void *s, py_t value)
{
    (void)self;
    return py_to_int(value, &((box_t *)s)->value);
}

static py_t box_get_tag(py_t self, void *s)
{
    (void)self;
    py_t tag = py_field_get(&((box_t *)s)->tag);
    return py_null(tag) ? py_none() : tag;
}

static bool box_set_tag(py_t self, void *s, py_t value)
{
    py_field_set(self, &((box_t *)s)->tag, value);
    return true;
}

static bool box_len(py_t self, void *s, size_t *out)
{
    (void)self, (void)s;
    *out = 4;
    return true;
}

static py_t box_getitem(py_t self, void *s, py_t key)
{
    (void)self;
    int64_t i;
    if (!py_to_int(key, &i))
        return PY_NULL;
    if (i < 0 || i >= 4)
        return py_raise(PY_IndexError, "box index out of range");
    return py_int(((box_t *)s)->bytes[i]);
}

static bool box_setitem(py_t self, void *s, py_t key, py_t value)
{
    (void)self;
    int64_t i, v;
    if (py_null(value))
        return py_fail(py_raise(PY_TypeError, "cannot delete"));
    if (!py_to_int(key, &i) || !py_to_int(value, &v))
        return false;
    ((box_t *)s)->bytes[i & 3] = (uint8_t)v;
    return true;
}

static bool box_equal(py_t self, void *s, py_t other, bool *out);

static int64_t box_hash(void *s)
{
    return ((box_t *)s)->value;
}

static bool box_buffer(py_t self, void *s, bool write, py_buf_t *out)
{
    (void)self, (void)write;
    *out = (py_buf_t){.ptr = ((box_t *)s)->bytes, .len = 4, .item_size = 1, .typecode = 'B'};
    return true;
}

static const uint16_t box_fields[] = {offsetof(box_t, tag), PY_FIELDS_END};
static const char *const shade_values[] = {"DARK", "LIGHT", NULL};
static const py_enum_t shade_enum = {"demo", "Shade", shade_values};
static const py_enum_t *const box_enums[] = {&shade_enum, NULL};
static const py_constant_t box_constants[] = {{"LIMIT", 100}, PY_END};
static const py_method_t box_methods[] = {{"deinit", box_deinit, NULL, PY_M_ANYTIME, NULL},
                                          {"add", box_add, add_args, 0, "Add."},
                                          {"apply", box_apply, call_args, 0, NULL},
                                          {"fail", box_fail, NULL, 0, NULL},
                                          {"make", box_make, NULL, PY_M_STATIC, NULL},
                                          {"sum", box_sum, sum_args, 0, NULL},
                                          {"rest", box_rest, rest_args, 0, NULL},
                                          {"temporaries", box_temporaries, NULL, 0, NULL},
                                          PY_END};
static const py_prop_t box_props[] = {{"value", box_get_value, box_set_value, 0, NULL},
                                      {"tag", box_get_tag, box_set_tag, 0, NULL},
                                      {"fixed", box_get_value, NULL, PY_M_ANYTIME, NULL},
                                      {"hidden", NULL, box_set_value, 0, NULL},
                                      PY_END};
static const py_class_t box_class = {.module = "demo",
                                     .name = "Box",
                                     .doc = "A box.",
                                     .size = sizeof(box_t),
                                     .context = true,
                                     .init_args = box_args,
                                     .init = box_init,
                                     .fini = box_fini,
                                     .live = box_live,
                                     .fields = box_fields,
                                     .methods = box_methods,
                                     .props = box_props,
                                     .constants = box_constants,
                                     .enums = box_enums,
                                     .len = box_len,
                                     .getitem = box_getitem,
                                     .setitem = box_setitem,
                                     .equal = box_equal,
                                     .hash = box_hash,
                                     .buffer = box_buffer};

static bool box_equal(py_t self, void *s, py_t other, bool *out)
{
    (void)self;
    const box_t *b = py_struct(other, &box_class);
    *out = b != NULL && b->value == ((box_t *)s)->value;
    return true;
}

typedef struct {
    box_t box;
    int64_t extra;
} crate_t;

static py_t crate_extra(py_t self, void *s)
{
    (void)self;
    return py_int(((crate_t *)s)->extra);
}

static bool crate_init(py_t self, void *s, const py_val_t *a)
{
    ((crate_t *)s)->extra = 7;
    return box_init(self, s, a);
}

static const py_prop_t crate_props[] = {{"extra", crate_extra, NULL, 0, NULL}, PY_END};
static const py_class_t crate_class = {.module = "demo",
                                       .name = "Crate",
                                       .size = sizeof(crate_t),
                                       .base = &box_class,
                                       .final = true,
                                       .init_args = box_args,
                                       .init = crate_init,
                                       .props = crate_props};

static const char *const point_fields[] = {"x", "y", NULL};
static const py_namedtuple_t point_tuple = {"demo", "Point", point_fields, false};
static const py_namedtuple_t stamp_tuple = {"demo", "Stamp", point_fields, true};
static const py_exception_t demo_error = {.module = "demo", .name = "DemoError", .base = PY_OSError};

static const py_arg_t unbox_args[] = {PY_REQ_OBJ("box"), PY_OPT_OBJ("shade"), PY_END};

static py_t demo_unbox(const py_val_t *a)
{
    box_t *box = py_struct_arg(a[0].obj, &box_class, "box");
    int shade = 1;
    if (box == NULL || (a[1].given && !py_enum_arg(a[1].obj, &shade_enum, "shade", &shade)))
        return PY_NULL;
    py_t pair[] = {py_int(box->value), py_enum_value(&shade_enum, shade)};
    return py_namedtuple(&point_tuple, pair);
}

static py_t demo_raise(const py_val_t *a)
{
    (void)a;
    return py_raise_class(py_exception_class(&demo_error), "demo %d", 1);
}

static const py_arg_t wait_args[] = {PY_REQ_INT("ms", 0, INT32_MAX), PY_END};

static py_t demo_wait(const py_val_t *a)
{
    return py_wait_us((uint64_t)a[0].i * 1000) ? py_none() : PY_NULL;
}

static int ticks;

static uint64_t tick(void *ctx, uint64_t now_us)
{
    (void)ctx;
    ticks++;
    return now_us + 2000;
}

static py_background_t ticking = {.run = tick};

static py_t demo_tick(const py_val_t *a)
{
    if (a[0].b)
        py_background_add(&ticking);
    else
        py_background_remove(&ticking);
    return py_int(ticks);
}

static const py_arg_t on_args[] = {PY_REQ_BOOL("on"), PY_END};
static const py_function_t demo_functions[] = {{"unbox", demo_unbox, unbox_args, NULL},
                                               {"raise_", demo_raise, NULL, NULL},
                                               {"wait", demo_wait, wait_args, NULL},
                                               {"tick", demo_tick, on_args, NULL},
                                               PY_END};
static const py_exception_t *const sealed_exceptions[] = {&demo_error, NULL};
static const py_class_t sealed_class = {
    .module = "demo", .name = "Sealed", .size = 1, .no_new = true, .exceptions = sealed_exceptions};
static const py_class_t *const demo_classes[] = {&box_class, &crate_class, &sealed_class, NULL};
static const py_enum_t *const demo_enums[] = {&shade_enum, NULL};
static const py_namedtuple_t *const demo_tuples[] = {&point_tuple, &stamp_tuple, NULL};
static const py_exception_t *const demo_exceptions[] = {&demo_error, NULL};
static int resets;

static void demo_reset(void)
{
    resets++;
}

static const py_module_t demo = {.name = "demo",
                                 .functions = demo_functions,
                                 .classes = demo_classes,
                                 .enums = demo_enums,
                                 .namedtuples = demo_tuples,
                                 .exceptions = demo_exceptions,
                                 .reset = demo_reset};
static const py_module_t inner = {.name = "pack.inner", .classes = demo_classes};
const py_module_t *const py_modules[] = {&demo, &inner, NULL};

#endif
