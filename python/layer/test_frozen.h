/* A stand-in for adder_vm, with no board: for tests of the layer alone. The linker takes it instead of the
 * Python that is compiled into the program. */
#ifndef TEST_FROZEN_H
#define TEST_FROZEN_H

#include "python/layer/frozen.h"

static const char test_frozen[] =
    "import _adder_vm, time\n"
    "def until(f, seconds=60):\n"
    "    end = time.monotonic() + seconds\n"
    "    while not f():\n"
    "        assert time.monotonic() < end, 'it did not come'\n"
    "def run_code(text):\n"
    "    exec(compile(text, '<test>', 'exec'), {'__name__': '__main__', 'until': until, 'time': time})\n"
    "def number():\n"
    "    return 42\n";
const adder_frozen_t adder_frozen[] = {
    {"adder_vm", false, (const unsigned char *)test_frozen, sizeof test_frozen - 1}, {0}};

#endif
