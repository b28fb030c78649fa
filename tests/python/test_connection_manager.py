"""adafruit_connection_manager, native, with pools and radios made of Python; where Adafruit's own library is
right, both must do the same, call by call."""

PRELUDE = "import adafruit_connection_manager as cm\n"


def test_which_module(native, adder, libraries, drive):
    code = PRELUDE + "print(hasattr(cm, '__file__'))"
    assert native(code) == ["False"]
    import shutil
    shutil.copytree(libraries, drive / "lib")
    assert "True" in adder(code, "--no-native").out


def test_reuse_free_close(both):
    out = both(PRELUDE + """
pool = Pool({}, {}, {}, {}, {})
m = cm.get_connection_manager(pool)
print(m is cm.get_connection_manager(pool), m is cm.get_connection_manager(Pool()))
a = m.get_socket("one.test", 80, "http:")
print(a.name, m.managed_socket_count, m.available_socket_count)
print(attempt(m.get_socket, "one.test", 80, "http:"))
m.free_socket(a)
m.free_socket(a)
print(m.managed_socket_count, m.available_socket_count)
print(m.get_socket("one.test", 80, "http:") is a, m.available_socket_count)
b = m.get_socket("one.test", 80, "http:", "other", timeout=7)
c = m.get_socket("one.test", 80, "http:", session_id=3, timeout=None)
d = m.get_socket("two.test", 443, "https:", ssl_context=Context())
e = m.get_socket("two.test", 8883, "mqtt:", is_ssl=True, ssl_context=Context())
print([s.name for s in (b, c, d, e)], m.managed_socket_count)
print(("one.test", 80, "http:", "3") in m._managed_socket_by_key, c in m._available_sockets)
print(attempt(m.get_socket, "one.test", 80, "http:", "3"))
m.close_socket(b)
print(attempt(m.close_socket, b), attempt(m.free_socket, b), attempt(m.free_socket, object()))
m.free_socket(c)
m._free_sockets()
print(m.managed_socket_count, m.available_socket_count)
m._free_sockets(force=True)
print(m.managed_socket_count, m.available_socket_count)
for line in shown(): print(line)
""")
    assert out[:3] == ["True False", "s1 1 0", "('RuntimeError', ['An existing socket is already connected to "
                       "http://one.test:80'])"]
    assert "('s4', 'wrap', 'two.test')" in out and "('s4', 'connect', ('two.test', 443))" in out
    assert "('s1', 'connect', ('10.0.0.1', 80))" in out


def test_failures(both):
    out = both(PRELUDE + """
for error in (OSError("os"), MemoryError("memory"), RuntimeError("run"), ValueError("value")):
    m = cm.ConnectionManager(Pool(error, error))
    print("socket", attempt(m.get_socket, "h", 1, "x:"), m.managed_socket_count)
for error in (OSError("os"), MemoryError("memory")):
    m = cm.ConnectionManager(Pool({"connect": error}, {}))
    print("connect", attempt(m.get_socket, "h", 1, "x:"), m.managed_socket_count)
for error in (OSError("os"), MemoryError("memory"), RuntimeError("run")):
    m = cm.ConnectionManager(Pool({}, {}, error, {}))
    m.free_socket(m.get_socket("a", 1, "x:"))
    kept = m.get_socket("b", 1, "x:")
    print("again", attempt(m.get_socket, "c", 1, "x:"), m.managed_socket_count, m.available_socket_count)
m = cm.ConnectionManager(Pool({}, OSError("one"), OSError("two"), {}))
m.free_socket(m.get_socket("a", 1, "x:"))
print("twice", attempt(m.get_socket, "b", 1, "x:"), m.managed_socket_count)
m = cm.ConnectionManager(Pool({}))
print("no context", attempt(m.get_socket, "a", 443, "https:"), attempt(m.get_socket, "a", 1, "x:", is_ssl=True))
for line in shown(): print(line)
for bad in ((), ("h",), ("h", 1), ("h", 1, "x:", None, 3)):
    print(attempt(m.get_socket, *bad)[0])
""")
    assert "twice ('OSError', ['two']) 0" in out
    assert "no context ('ValueError', ['ssl_context must be provided if using ssl']) " \
           "('ValueError', ['ssl_context must be provided if using ssl'])" in out
    assert out[-4:] == ["TypeError"] * 4


def test_close_all(both):
    out = both(PRELUDE + """
pools = [Pool({}, {}), Pool({}, {})]
managers = [cm.get_connection_manager(p) for p in pools]
def fill():
    for p, m in zip(pools, managers):
        p.scripts += [{}, {}]
        m.free_socket(m.get_socket("free", 1, "x:"))
        m.get_socket("used", 1, "x:")
def counts():
    print([(m.managed_socket_count, m.available_socket_count) for m in managers])
fill()
cm.connection_manager_close_all(pools[0])
counts()
cm.connection_manager_close_all()
counts()
print(attempt(cm.connection_manager_close_all, Pool()))
cm.connection_manager_close_all(socket_pool=pools[1], release_references=False)
print(cm.get_connection_manager(pools[1]) is managers[1])
for line in shown(): print(line)
""")
    assert out[0] == "[(0, 0), (2, 1)]" and out[1] == "[(0, 0), (0, 0)]"
    assert out[2] == "('RuntimeError', ['SocketPool not managed'])"


def test_put_right(native):
    """Releasing all pools at once, and pools that no radio brought, raise in Adafruit's; so does a socket whose
    connect() raises something unforeseen stay open there."""
    out = native(PRELUDE + """
pools = [Pool({}), Pool({})]
managers = [cm.get_connection_manager(p) for p in pools]
for m in managers: m.get_socket("h", 1, "x:")
cm.connection_manager_close_all(release_references=True)
print([m.managed_socket_count for m in managers], cm.get_connection_manager(pools[0]) is managers[0])
log.clear()
m = cm.ConnectionManager(Pool({"connect": KeyError("odd")}))
print(attempt(m.get_socket, "h", 1, "x:"), log[-1], m.managed_socket_count)
class Unhashable(Socket):
    __hash__ = None
    def __eq__(self, other): return True
class Odd(Pool):
    def socket(self, *kind): return Unhashable({})
m = cm.ConnectionManager(Odd())
a, b = m.get_socket("h", 1, "x:"), m.get_socket("h", 2, "x:")
m.free_socket(b)
print(m.get_socket("h", 2, "x:") is b, attempt(m.get_socket, "h", 1, "x:")[0])
""")
    assert out == ["[0, 0] False", "('KeyError', ['odd']) ('s3', 'close') 0", "True RuntimeError"]


RADIOS = PRELUDE + """
import sys
class Module:
    pass
class SocketPool:
    SOCK_STREAM = 1
    def __init__(self, radio):
        self.radio = radio
        if hasattr(radio, "kind"):
            self.SOCK_STREAM = radio.kind
def module(name, **names):
    m = type(sys)(name)
    m.__dict__.update(names)
    sys.modules[name] = m
    return m
class Default: pass
module("socketpool", SocketPool=SocketPool)
module("ssl", create_default_context=Default)
for package in ("adafruit_esp32spi", "adafruit_wiznet5k"):
    outer = module(package)
    outer.__path__ = "nowhere"
    setattr(outer, package + "_socketpool", module(package + "." + package + "_socketpool", SocketPool=SocketPool))
class Radio: pass
class ESP_SPIcontrol: TLS_MODE = 2
class WIZNET5K: kind = 1
class OldWiznet: kind = 0x21
OldWiznet.__name__ = "WIZNET5K"
class Other: pass
"""


def test_radios(both):
    out = both(RADIOS + """
for make in (Radio, ESP_SPIcontrol, WIZNET5K, OldWiznet):
    radio = make()
    pool, context = cm.get_radio_socketpool(radio), cm.get_radio_ssl_context(radio)
    print(make.__name__, type(pool).__name__, pool.radio is radio, type(context).__name__,
          cm.get_radio_socketpool(radio) is pool, cm.get_radio_ssl_context(radio) is context,
          cm.get_radio_socketpool(make()) is pool)
print(attempt(cm.get_radio_socketpool, Other()), attempt(cm.get_radio_ssl_context, Other()))
class Radio:
    __hash__ = None
    def __eq__(self, other): return False
a, b = Radio(), Radio()
print(cm.get_radio_socketpool(a) is cm.get_radio_socketpool(b))
esp = ESP_SPIcontrol()
pool = cm.get_radio_socketpool(esp)
cm.get_connection_manager(pool)
cm.connection_manager_close_all(pool, release_references=True)
print(cm.get_radio_socketpool(esp) is pool, type(cm.CPythonNetwork()).__name__)
print(sorted(n for n in dir(cm) if n.startswith("_global")))
""")
    assert out[0] == "Radio SocketPool True Default True True False"
    assert out[1] == "ESP_SPIcontrol SocketPool True _FakeSSLContext True True False"
    assert out[2].split()[3] == "Default" and out[3].split()[3] == "_FakeSSLContext"
    assert out[4].startswith("('ValueError', ['Unsupported radio class: Other'])")


def test_coprocessor_tls(both):
    out = both(RADIOS + """
class Legacy(Pool):
    def set_interface(self, iface): print("interface", iface is radio)
radio = ESP_SPIcontrol()
context = cm.create_fake_ssl_context(Legacy(), radio)
inner = Socket({"recv_too": True, "reply": b"abc"})
inner._interface = "iface"
socket = context.wrap_socket(inner, server_hostname="h.test")
print(type(socket).__name__, socket._interface, socket._socket_pool, socket is inner)
socket.settimeout(4)
print(socket.connect(("h.test", 443)), socket.send(b"x"), socket.recv(2))
buf = bytearray(4)
print(socket.recv_into(buf), buf, socket.close())
inner.connect_error = RuntimeError("no room")
try:
    socket.connect(("h.test", 443))
except OSError as error:
    print(error.args, type(error.__cause__).__name__)
inner.connect_error = OSError(7)
print(attempt(socket.connect, ("h.test", 443)))
print(attempt(cm.create_fake_ssl_context(Pool(), Other()).wrap_socket, inner))
m = cm.ConnectionManager(Pool({"recv_too": True}))
s = m.get_socket("h.test", 443, "https:", ssl_context=context)
m.free_socket(s)
print(m.get_socket("h.test", 443, "https:", ssl_context=context) is s)
for line in shown(): print(line)
""")
    assert "(12, 'no room') RuntimeError" in out
    assert "('ValueError', ['This radio does not support TLS/HTTPS'])" in out
    assert "('s2', 'connect', ('h.test', 443), 2)" in out
