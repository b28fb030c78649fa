"""Runs the test_* functions of a file on the board and says how each went, one line each.

The pytest files beside this folder put a test file on a simulated drive and read these lines; on a
real board the same files run from the REPL: `import check, displayio_bitmap; check.run(displayio_bitmap)`.
"""


def raises(kind, text, function, *args, **kwargs):
    """The call must raise exactly `kind`, with `text` somewhere in the message."""
    try:
        function(*args, **kwargs)
    except BaseException as error:
        if type(error) is not kind:
            raise AssertionError("%s: %s instead of %s" % (type(error).__name__, error, kind.__name__))
        if text not in str(error):
            raise AssertionError("message %r lacks %r" % (str(error), text))
        return
    raise AssertionError("no %s" % kind.__name__)


def same(got, wanted):
    if got != wanted:
        raise AssertionError("got %r, wanted %r" % (got, wanted))


def setter(thing, name, value):
    """For raises(): an assignment as a call."""
    setattr(thing, name, value)


def put(thing, key, value):
    thing[key] = value


def get(thing, key):
    return thing[key]


def pixels(display, y):
    """Row y of what the display shows, as RGB565 numbers."""
    buffer = bytearray((display.width * 2 + 3) // 4 * 4)
    display.fill_row(y, buffer)
    return [buffer[2 * x] << 8 | buffer[2 * x + 1] for x in range(display.width)]


def run(module):
    failed = 0
    for name in sorted(dir(module)):
        if not name.startswith("test_"):
            continue
        try:
            getattr(module, name)()
            print("PASS", name)
        except Exception as error:
            failed += 1
            print("FAIL", name, type(error).__name__, error)
    print("DONE", failed)
