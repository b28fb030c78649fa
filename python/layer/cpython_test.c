/* The CPython backend through a module of its own: classes, arguments, errors, life, requests. The
 * Python side of each test is beside it; a stand-in for adder_vm runs it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "python/layer/fake_mcu.h"
#include "python/layer/frozen.h"
#include "python/layer/py.h"
#include "python/layer/vm.h"

/* ---- the module under test ---- */

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

/* ---- a stand-in for adder_vm ---- */

static const char source[] = "import _adder_vm\n"
                             "def run(text):\n"
                             "    exec(compile(text, '<test>', 'exec'), {'__name__': '__main__'})\n"
                             "def number():\n"
                             "    return 42\n";
const adder_frozen_t adder_frozen[] = {{"adder_vm", false, (const unsigned char *)source, sizeof source - 1},
                                       {0}};

static char console[65536];
static size_t console_len;

static void console_write(void *ctx, const char *utf8, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len && console_len + 1 < sizeof console; i++)
        console[console_len++] = utf8[i];
    console[console_len] = '\0';
}

static const vm_config_t config = {.mcu = &fake_mcu, .native = true, .console_write = console_write};

static void start(void)
{
    char msg[200] = "";
    vm_stop(); /* of a test that failed */
    vm_clear();
    console_len = 0;
    console[0] = '\0';
    if (vm_start(&config, msg, sizeof msg) != ADDER_OK)
        fail_msg("%s", msg);
}

static vm_outcome_t run(const char *text)
{
    start();
    vm_outcome_t outcome = vm_call("run", text, NULL);
    vm_stop();
    return outcome;
}

static void expect(const char *text)
{
    vm_outcome_t outcome = run(text);
    if (outcome != VM_DONE)
        fail_msg("outcome %d: %s", (int)outcome, console);
}

#define RAISES                                                                                               \
    "import demo\n"                                                                                          \
    "def raises(cls, text, f, *a, **k):\n"                                                                   \
    "    try: f(*a, **k)\n"                                                                                  \
    "    except cls as e: assert text in str(e), repr(e)\n"                                                  \
    "    else: assert False, 'no ' + cls.__name__\n"

/* ---- tests ---- */

static void values_and_errors(void **state)
{
    (void)state;
    expect(RAISES "b = demo.Box(5)\n"
                  "assert b.value == 5 and b.fixed == 5 and demo.Box.LIMIT == 100\n"
                  "b.value = 9\n"
                  "assert b.add(1) == 11.5 and b.add(1, y=1) == 11 and b.add(x=1, negate=True) == -11.5\n"
                  "assert b.make() == 'static' == demo.Box.make()\n"
                  "raises(AttributeError, '', setattr, b, 'fixed', 1)\n"
                  "raises(AttributeError, '', getattr, b, 'hidden')\n"
                  "raises(AttributeError, '', setattr, b, 'nothing', 1)\n"
                  "raises(TypeError, 'argument', b.add)\n"
                  "raises(TypeError, 'takes 2', b.add, 1, 2, 3)\n"
                  "raises(TypeError, 'unexpected', b.add, 1, z=2)\n"
                  "raises(TypeError, 'multiple', b.add, 1, x=2)\n"
                  "raises(TypeError, 'x must be of type float, not str', b.add, 'a')\n"
                  "raises(ValueError, 'value must be 0-100', demo.Box, 101)\n"
                  "raises(ValueError, 'value', demo.Box, 1 << 80)\n"
                  "raises(TypeError, 'value must be of type int, not float', demo.Box, 1.0)\n"
                  "raises(ValueError, 'unlucky 13', demo.Box, 13)\n"
                  "raises(OSError, 'box: no such device', b.fail)\n"
                  "raises(demo.DemoError, 'demo 1', demo.raise_)\n"
                  "assert issubclass(demo.DemoError, OSError) and demo.Sealed.DemoError is demo.DemoError\n"
                  "raises(TypeError, 'box must be of type Box, not int', demo.unbox, 3)\n"
                  "raises(TypeError, 'shade', demo.unbox, b, 3)\n"
                  "assert b.rest(1, 2, 3, k=4, z=5) == (1, (2, 3), 4, {'z': 5})\n"
                  "assert b.apply(lambda v, s: (v, s is b)) == (9, True)\n"
                  "raises(ZeroDivisionError, '', b.apply, lambda v, s: 1 / 0)\n"
                  "assert b.temporaries() == 100999\n"
                  "assert demo.Box.add.__doc__ == 'Add.' and demo.Box.__doc__ == 'A box.'\n");
}

static void containers_and_buffers(void **state)
{
    (void)state;
    expect(RAISES
           "import array\n"
           "b = demo.Box(5)\n"
           "b[1] = 7\n"
           "assert len(b) == 4 and b[1] == 7 and list(b) == [0, 7, 0, 0] and 7 in b and b\n"
           "raises(IndexError, 'range', b.__getitem__, 4)\n"
           "assert bytes(b) == b'\\0\\7\\0\\0'\n"
           "memoryview(b)[0] = 3\n"
           "assert b[0] == 3\n"
           "assert b.sum(b'\\1\\2\\3') == 6 and b.sum(b'\\1\\2\\3', start=1) == 5\n"
           "assert b.sum(b'\\1\\2\\3', end=-1) == 3 and b.sum(b'\\1', start=9) == 0\n"
           "assert b.sum(array.array('H', [1, 2, 3]), start=1, end=2) == 2\n"
           "raises(TypeError, 'buffer', b.sum, 'text')\n"
           "x = bytearray(4); b.sum(x); x.extend(b'ok')\n" /* the export is back */
           "assert demo.Box(3) == demo.Box(3) != demo.Box(4) and hash(demo.Box(3)) == 3\n"
           "assert demo.Shade.DARK is demo.Box.Shade.DARK is not demo.Shade.LIGHT\n"
           "assert repr(demo.Shade.DARK) == 'demo.Shade.DARK'\n"
           "p = demo.unbox(b, demo.Shade.DARK)\n"
           "assert p == (5, demo.Shade.DARK) and p.x == 5 and repr(p) == 'Point(x=5, y=demo.Shade.DARK)'\n"
           "assert demo.Point(1, y=2) == (1, 2)\n"
           "raises(TypeError, '', demo.Point, 1)\n"
           "assert demo.Stamp([1, 2]).y == 2\n"
           "raises(TypeError, '2-sequence', demo.Stamp, (1, 2, 3))\n"
           "import pack.inner; from pack import inner as i\n"
           "assert i.Box is demo.Box\n");
}

static void life(void **state)
{
    (void)state;
    finis = resets = 0;
    expect(RAISES
           "import gc\n"
           "with demo.Box(5) as b: b.tag = b\n"
           "raises(ValueError, 'deinit', b.add, 1)\n"
           "raises(ValueError, 'deinit', lambda: b.value)\n"
           "raises(ValueError, 'deinit', demo.unbox, b)\n"
           "b.deinit(); assert b.fixed == 5\n"
           "class Sub(demo.Box):\n"
           "    def __init__(self): super().__init__(8, tag='t'); self.own = 1\n"
           "    def add(self, x): return super().add(x) + 100\n"
           "s = Sub()\n"
           "assert s.value == 8 and s.own == 1 and s.add(1) == 110.5 and demo.unbox(s).x == 8\n"
           "class Lazy(demo.Box):\n"
           "    def __init__(self): pass\n"
           "raises(ValueError, 'deinit', lambda: Lazy().value)\n"
           "s.__init__(); assert s.value == 8\n"
           "raises(TypeError, 'instances', demo.Sealed)\n"
           "raises(TypeError, 'instances', type('S', (demo.Sealed,), {}))\n"
           "raises(TypeError, '', object.__new__, type('S', (demo.Sealed,), {}))\n"
           "raises(TypeError, '', object.__new__, demo.Box)\n"
           "raises(TypeError, '', demo.Box.add, 3)\n"
           "raises(TypeError, '', setattr, demo.Box, 'new', 1)\n"
           "assert repr(demo.Box(1)) == '<Box>' and repr(s).startswith('<Sub object at '), repr(s)\n"
           "assert demo.Box.__module__ == 'demo' and demo.Box.__name__ == 'Box'\n"
           "raises(AttributeError, \"'Box' object has no attribute 'nope'\", getattr, demo.Box(1), 'nope')\n"
           "c = demo.Crate(4)\n"
           "assert isinstance(c, demo.Box) and c.extra == 7 and c.value == 4 and c.add(1) == 6.5\n"
           "try:\n"
           "    class No(demo.Crate): pass\n"
           "    assert False\n"
           "except TypeError: pass\n"
           "import _adder_vm\n"
           "before = _adder_vm.stats()\n"
           "for i in range(1000):\n" /* cycles through fields, in both directions */
           "    x, y = demo.Box(1), Sub(); x.tag = y; y.tag = [x]; y.me = x\n"
           "del x, y; gc.collect()\n"
           "assert _adder_vm.stats()[:2] == before[:2], (before, _adder_vm.stats())\n"
           "keep = [demo.Box(1)]; keep[0].tag = keep\n");
    assert_int_equal(resets, 1);
    assert_true(finis > 2000);
}

static void outcomes(void **state)
{
    (void)state;
    assert_int_equal(run("raise SystemExit"), VM_EXIT);
    assert_int_equal(run("raise KeyboardInterrupt"), VM_INTERRUPTED);
    assert_int_equal(run("import _adder_vm; raise _adder_vm.Reload"), VM_RELOAD);
    assert_int_equal(run("1/0"), VM_EXCEPTION);
    assert_non_null(strstr(console, "ZeroDivisionError"));
    assert_int_equal(run("e = ValueError(1); e.adder_printed = True; raise e"), VM_EXCEPTION);
    assert_string_equal(console, "");
    assert_int_equal(run("print('h\\u00e9', '\\ud800')"), VM_DONE);
    assert_string_equal(console, "h\xc3\xa9 ?\n");
    start();
    int value = 0;
    assert_int_equal(vm_call("number", NULL, &value), VM_DONE);
    assert_int_equal(value, 42);
    assert_int_equal(vm_call("missing", NULL, &value), VM_EXCEPTION);
    vm_stop();
    vm_stop(); /* harmless */
}

static struct {
    vm_request_t what;
    useconds_t after_us;
} plan;

static void *requester(void *unused)
{
    (void)unused;
    usleep(plan.after_us);
    vm_request(plan.what);
    return NULL;
}

static void broken_by(vm_request_t what, const char *text, vm_outcome_t outcome)
{
    pthread_t thread;
    start();
    plan.what = what;
    plan.after_us = 30000;
    pthread_create(&thread, NULL, requester, NULL);
    uint64_t before = fake_now(NULL);
    assert_int_equal(vm_call("run", text, NULL), outcome);
    assert_true(fake_now(NULL) - before < 900000);
    pthread_join(thread, NULL);
    vm_stop();
}

static void requests(void **state)
{
    (void)state;
    broken_by(VM_REQ_INTERRUPT, "while True: pass", VM_INTERRUPTED);
    broken_by(VM_REQ_INTERRUPT, "import demo\ndemo.wait(1000000)", VM_INTERRUPTED);
    broken_by(VM_REQ_STOP, "while True: pass", VM_STOPPED);
    broken_by(VM_REQ_STOP, "import demo\ndemo.wait(1000000)", VM_STOPPED);
    broken_by(VM_REQ_RELOAD, "while True:\n try:\n  while True: pass\n except Exception: pass", VM_RELOAD);
    /* a program that catches everything, five times over */
    broken_by(VM_REQ_RESET, "for i in range(5):\n try:\n  while True: pass\n except: pass", VM_RESET);
    broken_by(VM_REQ_INTERRUPT, "try:\n x = 0\n while True: pass\nexcept KeyboardInterrupt: print('caught')",
              VM_DONE);
    assert_string_equal(console, "caught\n");
    /* pending from before the run */
    start();
    vm_request(VM_REQ_STOP);
    assert_int_equal(vm_call("run", "while True: pass", NULL), VM_STOPPED);
    assert_int_equal(vm_call("run", "pass", NULL), VM_DONE);
    vm_request(VM_REQ_INTERRUPT);
    vm_clear();
    assert_int_equal(vm_call("run", "for i in range(1000): pass", NULL), VM_DONE);
    /* one that comes when the run is over bothers nobody */
    for (vm_request_t what = VM_REQ_INTERRUPT; what <= VM_REQ_STOP; what++) {
        if (what > VM_REQ_INTERRUPT)
            start();
        vm_request(what);
        vm_stop();
        assert_string_equal(console, "");
    }
    vm_clear();
}

static atomic_bool hammering;

static void *hammer(void *unused)
{
    (void)unused;
    for (unsigned n = 0; hammering; n++) {
        vm_request((vm_request_t)(n % 5));
        vm_wake();
        py_background_post();
        usleep(300);
    }
    return NULL;
}

/* Requests at any moment of a start, a run and a stop. */
static void requests_at_any_time(void **state)
{
    (void)state;
    pthread_t thread;
    hammering = true;
    pthread_create(&thread, NULL, hammer, NULL);
    for (int i = 0; i < 40; i++) {
        start();
        vm_call("run", "import demo\ndemo.tick(True)\nfor i in range(20000): demo.Box(3)\ndemo.wait(5)",
                NULL);
        vm_stop();
    }
    hammering = false;
    pthread_join(thread, NULL);
    vm_clear();
    expect("pass\n");
}

static void background(void **state)
{
    (void)state;
    ticks = 0;
    expect("import demo, time\n"
           "demo.tick(True)\n"
           "end = time.monotonic() + 0.1\n"
           "while time.monotonic() < end: pass\n"
           "a = demo.tick(True)\n"
           "assert 0 < a < 60, a\n"
           "demo.wait(100)\n"
           "b = demo.tick(False)\n"
           "assert 0 < b - a < 60, b - a\n"
           "demo.wait(20)\n"
           "assert demo.tick(False) == b\n"
           "demo.tick(True)\n"); /* left on: the end of the VM takes it away */
    int n = ticks;
    expect("import time\ntime.sleep(0.02)\nfor i in range(1000): pass\n");
    assert_int_equal(ticks, n);
}

static long resident_kb(void)
{
    long pages = 0, unused;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f != NULL && fscanf(f, "%ld %ld", &unused, &pages) != 2)
        pages = 0;
    if (f != NULL)
        fclose(f);
    return pages * 4;
}

static void many_lives(void **state)
{
    (void)state;
    static const char text[] = "import demo, json, re, collections\n"
                               "class Sub(demo.Box): pass\n"
                               "x = [Sub(i) for i in range(10)]\n"
                               "x[0].tag = x\n";
    for (int i = 0; i < 10; i++)
        expect(text);
    long before = resident_kb();
    uint64_t start_us = fake_now(NULL);
    for (int i = 0; i < 100; i++)
        expect(text);
    long grown = resident_kb() - before;
    print_message("100 lives: %ld KB more, %.1f ms each\n", grown,
                  (double)(fake_now(NULL) - start_us) / 100000.0);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(grown < 100 * 100);
#endif
}

/* A name is found again by its address: another one in the same memory is another one, in this life and in
 * the next, and a thousand of them are told apart. */
static void names(void **state)
{
    (void)state;
    static char all[1000][8];
    char name[8];
    for (int life = 0; life < 2; life++) {
        start();
        py_t types = py_import("types"), space = py_call_method(types, "SimpleNamespace", NULL, 0), value;
        int64_t n = -1;
        strcpy(name, "one");
        assert_true(py_attr_set(space, name, py_int(1)));
        strcpy(name, "two");
        assert_false(py_attr_try(space, name, &value));
        assert_true(py_attr_set(space, name, py_int(2)));
        strcpy(name, "one");
        assert_true(py_to_int(py_attr(space, name), &n) && n == 1);
        for (int i = 0; i < 1000; i++) {
            (void)snprintf(all[i], sizeof all[i], "n%d", i);
            assert_true(py_attr_set(space, all[i], py_int(i)));
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 1000; i++)
                assert_true(py_to_int(py_attr(space, all[i]), &n) && n == i);
        }
        assert_true(py_null(py_attr(space, "\xff")) && py_error());
        py_error_clear();
        vm_stop();
    }
}

static void start_time(void **state)
{
    (void)state;
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t t = fake_now(NULL);
        start();
        assert_int_equal(vm_call("number", NULL, NULL), VM_DONE);
        t = fake_now(NULL) - t;
        best = t < best ? t : best;
        vm_stop();
    }
    print_message("start and first call: %.1f ms\n", (double)best / 1000.0);
    assert_true(best < 80000);
}

static void call_cost(void **state)
{
    (void)state;
    expect("import demo, time\n"
           "b = demo.Box(5); n = 300000\n"
           "def loop(f):\n"
           "    t = time.perf_counter(); f(range(n)); return (time.perf_counter() - t) / n * 1e9\n"
           "def empty(r):\n"
           "    for i in r: pass\n"
           "def prop(r):\n"
           "    for i in r: b.value\n"
           "def method(r):\n"
           "    for i in r: b.add(1.0)\n"
           "def native(r):\n"
           "    s = 'abc'\n"
           "    for i in r: s.find('c')\n"
           "base = loop(empty)\n"
           "print('ns: property', int(loop(prop) - base), 'method', int(loop(method) - base),\n"
           "      'str.find', int(loop(native) - base))\n");
    print_message("%s", console);
}

int main(void)
{
    fake_power_on();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_errors),
        cmocka_unit_test(containers_and_buffers),
        cmocka_unit_test(life),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(requests),
        cmocka_unit_test(requests_at_any_time),
        cmocka_unit_test(background),
        cmocka_unit_test(names),
        cmocka_unit_test(start_time),
        cmocka_unit_test(many_lives),
        cmocka_unit_test(call_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
