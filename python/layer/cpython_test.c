/* The CPython backend through a module of its own: classes, arguments, errors, life. The Python side of each
 * test is beside it; a stand-in for adder_vm runs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "python/layer/test_demo.h"
#include "python/layer/test_frozen.h"
#include "python/layer/test_vm.h"

#define HEAD "import demo\n" RAISES

static void values_and_errors(void **state)
{
    (void)state;
    expect(HEAD "b = demo.Box(5)\n"
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
    expect(HEAD
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
    expect(HEAD
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
        cmocka_unit_test(names),
        cmocka_unit_test(call_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
