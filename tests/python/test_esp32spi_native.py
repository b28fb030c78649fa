"""The native adafruit_esp32spi beside Adafruit's own from PyPI: the same programs run on both, on the simulated
PyPortal, and print the same. Where Adafruit's has a defect that docs/compatibility.md lists, the native one is
held to what is right."""

import json
import shutil
import time

import pytest

from esp32spi_bench import (ACCESS_POINTS, SETTINGS, START, echo_server, libraries, native, pages, run, same,  # noqa: F401
                            v3)

# --- names ---


def test_names_and_numbers(same):
    lines = same("""
import adafruit_esp32spi as package, adafruit_esp32spi.socketpool as short
module = package.adafruit_esp32spi
for name in sorted(dir(module)):
    if name.isupper() and name[0] != "_":
        print(name, getattr(module, name), getattr(package, name))
print(package.ESP_SPIcontrol is module.ESP_SPIcontrol, package.Network is module.Network)
print(short.SocketPool is socketpool.SocketPool, short.Socket is socketpool.Socket)
for name in sorted(dir(socketpool.SocketPool)):
    if name.isupper():
        print(name, getattr(socketpool.SocketPool, name), getattr(pool, name))
E = module.ESP_SPIcontrol
print(E.TCP_MODE, E.UDP_MODE, E.TLS_MODE, E.__name__, module.Network.__name__)
for cls in E, module.Network, socketpool.SocketPool, socketpool.Socket:
    print(cls.__name__, cls.__module__)
for name in sorted(set(dir(E)) - set(dir(object))):
    if not name.startswith("_") and name not in ("set_crt", "set_psk"):      # of an object
        print(name)
for cls in socketpool.SocketPool, socketpool.Socket, module.Network:
    print(cls.__name__, [n for n in sorted(set(dir(cls)) - set(dir(object)))
                         if not n.startswith("_") and n not in ("deinit", "poll_ready", "connect_nowait", "getaddrinfo_nowait")])
print(socketpool.SocketPool(esp) is pool, esp.set_psk, esp.set_crt)
""")
    assert "WL_CONNECTED 3 3" in lines and "socket_write" in lines and lines[-1] == "True False False"


# --- joining ---


def test_before_and_after_joining(same):
    lines = same("""
print(esp.firmware_version, esp.MAC_address, esp.MAC_address_actual, esp.mac_address)
print(esp.status, esp.is_connected, esp.connected, esp.ap_listening, esp.ap_info, esp.network_data)
tries("time", esp.get_time)
tries("unresolved", esp.get_host_by_name, "web.test")
print(esp.connect_AP("home", "secret123"), esp.status, esp.is_connected, esp.connected, esp.ap_listening)
ap = esp.ap_info
print(ap.ssid, ap.bssid, ap.rssi, ap.channel, ap.country, ap.authmode)
print(esp.network_data, esp.ip_address, esp.ipv4_address)
print(esp.pretty_ip(bytearray(b"\\x01\\x02\\x03\\xff")), esp.unpretty_ip("10.0.255.1"))
print(esp.get_host_by_name("web.test"), esp.get_host_by_name(b"web.test"))
tries("unresolved", esp.get_host_by_name, "elsewhere.test")
print("ping", 0 <= esp.ping("192.168.1.1") < 1000, 0 <= esp.ping("web.test", ttl=999) < 1000)
while True:
    try:
        print("time", [type(t) for t in esp.get_time()], esp.get_time()[0] // 3600)
        break
    except OSError as error:
        assert error.args == ("_GET_TIME returned 0",), error
        time.sleep(0.1)
print(esp.connect("cafe", timeout=5), esp.ap_info.ssid, esp.ap_info.authmode, esp.ip_address)
esp.connect("home", "secret123")
print(esp.ap_info.ssid, esp.disconnect(), esp.status, esp.is_connected, esp.ap_info)
""", network={"hosts": {"web.test": "127.0.0.9"}, "time": 1750000000})
    assert lines[0] == r"1.7.7 bytearray(b'\x01\xde\xad\xc4\n$') bytearray(b'$\n\xc4\xad\xde\x01') b'$\n\xc4\xad\xde\x01'"
    assert "home None 6 False None" in lines


def test_scanning(same):
    lines = same("""
for networks in esp.scan_networks(), (esp.start_scan_networks(), esp.get_scan_networks())[1]:
    for n in networks:
        print(n.ssid, n.bssid, n.rssi, n.channel, n.country, n.authmode)
N = adafruit_esp32spi.Network
n = N(raw_ssid=b"a", raw_bssid=b"123456", raw_rssi=b"\\xf6\\xff\\xff\\xff", raw_channel=b"\\x07", raw_authmode=b"\\x02")
print(n.ssid, n.bssid, n.rssi, n.channel, n.authmode)
""")
    assert [line.split()[0] for line in lines[:4]] == ["home", "office", "cafe", "old"] and lines[-1] == "a b'123456' -10 7 PSK"


def test_refusals(same):
    lines = same("""
tries("wrong password", esp.connect_AP, "home", "not-it-at-all", 3)
tries("secrets", esp.connect, {"ssid": "home", "password": "not-it-at-all"}, timeout=3)
tries("long", esp.create_AP, "x" * 33, None)
tries("short", esp.create_AP, "mine", "1234567")
tries("channel", esp.create_AP, "mine", None, 15)
tries("state", lambda: esp.is_connected)
""")
    assert lines[0] == "wrong password raised ConnectionError ('Failed to connect to ssid', b'home')"


def test_a_network_that_is_not_there(native):
    """Firmware 1.x says of both "failed": Adafruit's library takes an unknown name for a wrong password."""
    assert native("""
tries("nowhere", esp.connect_AP, "nowhere", "whatever1", 9)
""") == ["nowhere raised ConnectionError ('No such ssid', b'nowhere')"]


def test_a_refused_join_does_not_take_its_whole_time(native):
    assert native("""
start = time.monotonic()
tries("no", esp.connect_AP, "home", "not-it-at-all", 60)
print(time.monotonic() - start < 20)
""")[-1] == "True"


def test_joining_by_steps(same):
    code = """
def joined(what):
    end = time.monotonic() + 10
    while not esp.is_connected and time.monotonic() < end:
        time.sleep(0.05)
    print(what, esp.is_connected, esp.ap_info.ssid)
esp.wifi_set_network(b"cafe")
joined("open")
esp.reset()
print(esp.is_connected)
esp.wifi_set_passphrase(b"home", b"secret123")
joined("wpa2")
esp.reset()
esp.wifi_set_network(b"office")
esp.wifi_set_entidentity(b"anonymous")
esp.wifi_set_entusername(b"ann")
esp.wifi_set_entpassword(b"s3cret")
esp.wifi_set_entenable()
joined("enterprise")
"""
    assert same(code) == ["open True cafe", "False", "wpa2 True home", "enterprise True office"]


def test_own_address(same):
    lines = same("""
esp.set_hostname("room")
join()
print(esp.set_dns_config("192.168.1.1", "8.8.8.8"), esp.set_ip_config("192.168.1.111", "192.168.1.2"))
print(esp.ip_address, esp.network_data, esp.is_connected)
tries("mask", esp.set_ip_config, "192.168.1.112", "192.168.1.2", "255.255.0.0")
print(esp.ipv4_address, esp.network_data)
""")
    assert lines[0] == "None [bytearray(b'\\x00')]" and lines[3].startswith("192.168.1.112")


def test_access_point(native):
    """Adafruit's create_AP sends the channel as that many zero bytes."""
    assert native("""
print(esp.create_AP("mine", "longenough", channel=6), esp.ap_listening, esp.is_connected, esp.status)
tries("time", esp.get_time)
print(esp.create_AP("open", None), esp.ap_listening)
join()
print(esp.is_connected, esp.ap_listening)
""") == ["7 True False 7",
         "time raised OSError ('Cannot obtain NTP while in AP mode, must be connected to internet',)",
         "7 True", "True False"]


def test_the_channel_of_the_access_point(run):
    """Adafruit's sends N zero bytes for channel N. Firmware 3.3.0 heeds the channel."""
    code = 'print(esp.create_AP("mine", "longenough", channel=6))\n'
    lines, chip = run(code, True, "--chip", "wifi.firmware=3.3.0")
    assert lines == ["7"] and 'access point "mine" is on the air, channel 6' in chip["log"]
    assert chip["counters"]["malformed"] == 0


def test_the_link_comes_back_by_itself(native, tmp_path):
    (tmp_path / "radio.json").write_text(json.dumps([
        {"at": 4, "chip": "wifi", "wifi": False}, {"at": 7, "chip": "wifi", "wifi": True}]))
    assert native("""
join()
while esp.is_connected and time.monotonic() < 30:
    time.sleep(0.01)
print("gone", esp.is_connected, esp.ap_info)
x, end = 0, time.monotonic() + 20
while not esp.is_connected and time.monotonic() < end:
    x += 1          # computing, without a call into the driver that waits
print("back", esp.is_connected, esp.ap_info.ssid)
""", "--input", str(tmp_path / "radio.json")) == ["gone False None", "back True home"]


def test_firmware_3(v3):
    """Adafruit's library turns the octets of mac_address round though 3.x sends them in order, shows the
    encryptions of a scan as UNKNOWN, takes 3.3.0 for older than 1.5.0, and waits for a status of the access point
    that 3.x never tells."""
    assert v3("""
print(esp.firmware_version, esp.mac_address.hex(), esp.MAC_address_actual.hex(), esp.MAC_address.hex(), esp.status)
print([(n.ssid, n.bssid.hex(), n.authmode) for n in esp.scan_networks()][:3])
print(esp.connect_AP("home", "secret123"), esp.ap_info.bssid.hex(), esp.ap_info.authmode)
while True:
    try:
        print(esp.get_time()[0] // 3600)
        break
    except OSError:
        time.sleep(0.1)
print(esp.set_digital_read(4), esp.set_analog_read(36))
tries("nowhere", esp.connect_AP, "nowhere", "whatever1")
print(esp.create_AP("mine", "longenough", channel=6), esp.ap_listening)
""", network={"time": 1750000000}) == [
        "3.3.0 240ac4adde01 240ac4adde01 01deadc40a24 254",
        "[('home', '021122334455', 'WPA2'), ('office', '02adde000004', 'UNKNOWN'), ('cafe', '02adde000002', 'OPEN')]",
        "3 021122334455 WPA2", "486111", "False 0", "nowhere raised ConnectionError ('No such ssid', b'nowhere')",
        "7 True"]


# --- the chip ---


def test_pins(same):
    lines = same("""
from adafruit_esp32spi.digitalio import DigitalInOut as EspIO, Direction, DriveMode, Pin
from adafruit_esp32spi.PWMOut import PWMOut
import digitalio
print(esp.set_pin_mode(26, 1), esp.set_digital_write(26, True), esp.set_digital_read(26), esp.set_digital_read(4))
print(esp.set_pin_mode(26, digitalio.Direction.OUTPUT), esp.set_analog_write(26, 0.5), esp.set_esp_debug(True))
tries("no adc", esp.set_analog_read, 2)
print(esp.set_analog_read(36), esp.set_analog_read(36, adafruit_esp32spi.ADC_ATTEN_DB_0))
with EspIO(esp, 25) as pin:
    print(pin.direction is Direction.INPUT)
    pin.direction = Direction.OUTPUT
    pin.value = True
tries("pin", EspIO, esp, 6)
with PWMOut(esp, 27) as pwm:
    pwm.duty_cycle = 65535
    print(pwm.frequency)
    tries("range", setattr, pwm, "duty_cycle", 65536)
    tries("type", setattr, pwm, "duty_cycle", "x")
    tries("hz", setattr, pwm, "frequency", 50)
tries("over", getattr, pwm, "duty_cycle")
tries("pin", PWMOut, esp, 6)
""")
    assert lines[0].startswith("None None ") and "pin raised AttributeError ('Pin 6 is not a valid ESP32 GPIO Pin.',)" in lines


def test_inputs_of_the_chip(native):
    assert native("""
from adafruit_esp32spi.digitalio import DigitalInOut as EspIO
import digitalio
pin = EspIO(esp, 25)
pin.switch_to_output(True)
print(pin.value, pin.drive_mode is not None)
pin.switch_to_input(digitalio.Pull.UP)
print(pin.value)
pin.switch_to_input()
print(pin.value)
""")[0] == "True True"


def test_credentials(native):
    """On CPython Adafruit's set_certificate() and set_private_key() raise TypeError whatever they get."""
    assert native("""
cert = "-----BEGIN CERTIFICATE-----\\n" + "A" * 60 + "\\n-----END CERTIFICATE-----\\n"
key = b"-----BEGIN RSA PRIVATE KEY-----\\n" + b"B" * 60 + b"\\n-----END RSA PRIVATE KEY-----\\n"
print(esp.set_certificate(cert), esp.set_crt, esp.set_private_key(key), esp.set_psk)
tries("what", esp.set_certificate, "something")
tries("what", esp.set_private_key, "-----BEGIN PRIVATE KEY-----")
tries("long", esp.set_certificate, cert + "x" * 1300)
join()
tries("late", esp.set_certificate, cert)
""") == ["bytearray(b'\\x01') True bytearray(b'\\x01') True",
         "what raised TypeError ('.PEM must start with -----BEGIN CERTIFICATE',)",
         "what raised TypeError ('.PEM must start with -----BEGIN RSA',)",
         "long raised AssertionError ('.PEM must be less than 1300 bytes.',)",
         "late raised ValueError ('set_certificate must be called BEFORE a connection is established.',)"]


def test_a_ping_without_an_answer(native):
    """Adafruit's reads -1 as 65535."""
    assert native('join()\nprint(esp.ping(b"\\xc0\\xa8\\x01\\x63"))\n') == ["-1"]


@pytest.mark.parametrize("kind", ["unplug", "stuck", "reset"])
def test_a_chip_that_fails_and_comes_back(native, tmp_path, kind):
    """Without a reset by the program: out of step, hung or restarted, the link is put right."""
    (tmp_path / "faults.json").write_text(json.dumps([
        {"at": 3, "chip": "wifi", "fault": {"kind": kind, "after": 3}},
        {"at": 5, "chip": "wifi", "fault": {"kind": "none"}}]))
    lines = native("""
join()
print("there", esp.status)
failed = 0
while time.monotonic() < 9:
    try:
        esp.firmware_version
    except (OSError, RuntimeError) as error:
        failed = 1
end = time.monotonic() + 20
while not esp.is_connected and time.monotonic() < end:
    time.sleep(0.05)
print("back", esp.is_connected, esp.firmware_version)
""", "--input", str(tmp_path / "faults.json"))
    assert lines == ["there 3", "back True 1.7.7"]


# --- life ---


def test_again_on_the_same_pins(native):
    port, _ = echo_server(count=2)
    assert native("""
join()
first_pool = pool
esp = adafruit_esp32spi.ESP_SPIcontrol(spi, *pins)
pool = socketpool.SocketPool(esp)
print(esp.is_connected, pool is first_pool)
join()
s = pool.socket()
s.connect(("echo.test", 7))
s.send(b"again")
print(s.recv(10))
esp.reset()
print(esp.is_connected)
tries("gone", s.recv, 10)
join()
s = pool.socket()
s.connect(("echo.test", 7))
s.send(b"reset")
print(s.recv(10))
""", network={"hosts": {"echo.test:7": f"127.0.0.1:{port}"}}) == [
        "False False", "b'niaga'", "False", "gone raised ConnectionResetError (104,)", "b'teser'"]


def test_pins_given_away(native):
    assert native("""
pins[0].deinit()
tries("cs", lambda: esp.status)
again = DigitalInOut(board.ESP_CS)
again.switch_to_output(True)
esp = adafruit_esp32spi.ESP_SPIcontrol(spi, again, *pins[1:])
print(esp.firmware_version)
""") == ["cs raised ValueError ('Object has been deinitialized and can no longer be used. Create a new object.',)", "1.7.7"]


def test_the_bus_is_shared(native):
    """The stack works on the wires whenever nobody else holds them."""
    assert native("""
join()
def busy(seconds):
    while not spi.try_lock():
        pass
    end = time.monotonic() + seconds
    spi.configure(baudrate=1000000)
    while time.monotonic() < end:
        spi.write(b"other")     # no chip of that kind is selected
    spi.unlock()
for _ in range(20):
    busy(0.05)
    assert esp.ap_info.ssid == "home"
end = time.monotonic() + 2
while time.monotonic() < end:
    spi.unlock()        # not held by the program: the stack's frames stay whole
    esp.is_connected
print(esp.is_connected, esp.ip_address, spi.try_lock())
tries("held", lambda: esp.firmware_version)
spi.unlock()
print(esp.firmware_version)
""", seconds=60) == ["True bytearray(b'\\xc0\\xa8\\x01/') True", "held raised TimeoutError ('ESP32 not responding',)", "1.7.7"]


def test_construction_waits_only_for_the_chip(native):
    lines = native("""
start = time.monotonic()
esp = adafruit_esp32spi.ESP_SPIcontrol(spi, *pins)
took = time.monotonic() - start
print(took < 0.9, esp.firmware_version)
""")
    assert lines == ["True 1.7.7"]


def test_no_chip(native):
    """Construction does not fail without a chip; what asks it does."""
    assert native("""
none = adafruit_esp32spi.ESP_SPIcontrol(spi, *[DigitalInOut(p) for p in (board.D3, board.D4, board.D13)])
tries("version", lambda: none.firmware_version)
print(none.is_connected)
""") == ["version raised TimeoutError ('ESP32 not responding',)", "False"]


def test_secrets_are_not_shown(native):
    start = START.replace("(spi, *pins)", "(spi, *pins, debug=True)")
    lines = native('join()\ntries("no", esp.connect_AP, "home", "not-it-at-all", 2)\n', start=start)
    assert "Reset ESP32" in lines and "secret123" not in "\n".join(lines) and "not-it-at-all" not in "\n".join(lines)
    assert "Connection status: 0" in native("esp._debug = True\nesp.status\nesp._debug = False\nesp.status\n")
    start = START.replace("(spi, *pins)", "(spi, *pins, debug=1, debug_show_secrets=True)")
    assert "secret123" in "\n".join(native("join()\n", start=start))


def test_ctrl_c_ends_a_wait(board, libraries, drive):
    shutil.copytree(libraries, drive / "lib")
    b = board(START + "join()\nprint('go')\ns = pool.socket()\ns.connect(('127.0.0.1', PORT))\ns.recv(10)\n".replace(
        "PORT", str(echo_server(lambda data: b"")[0])), files={
        "settings.toml": SETTINGS, "network.json": json.dumps({"access_points": ACCESS_POINTS, "speed": 10})})
    b.expect("go\n", timeout=30)
    b.quiet(0.5)
    start = time.monotonic()
    b.send("\x03")
    b.expect("KeyboardInterrupt")
    assert time.monotonic() - start < 2


def test_run_after_run(board):
    """Each ends with sockets open and bytes on their way; the next finds chip, pins and bus free."""
    port, heard = echo_server(count=8)
    b = board(START + """
join()
sockets = [pool.socket() for _ in range(3)]
sockets[0].connect(("127.0.0.1", PORT))
sockets[1].connect(("127.0.0.1", PORT))
sockets[0].send(b"x" * 2000)
ring = [esp, pool, sockets]
ring.append(ring)
print("run", esp.is_connected)
1 / 0
""".replace("PORT", str(port)), files={"network.json": json.dumps({"access_points": ACCESS_POINTS, "speed": 20})})
    for _ in range(4):
        b.expect("run True\n", timeout=40)
        b.expect("ZeroDivisionError")
        b.expect("Code done running.")
        b.quiet(0.3)
        b.send("\x04")
    assert b"".join(heard).count(b"x") >= 2000


# --- WiFiManager ---


def test_wifi_manager(same):
    lines = same("""
from adafruit_esp32spi.adafruit_esp32spi_wifimanager import WiFiManager, ESPSPI_WiFiManager
lights = []
class Light:
    def fill(self, value): lights.append(value)
wifi = WiFiManager(esp, ["home", "home"], ["wrong-one", "secret123"], status_pixel=Light(), attempts=1)
print(WiFiManager.NORMAL, WiFiManager.ENTERPRISE, wifi.attempts, wifi.ssid)
print(wifi.ip_address(), wifi.signal_strength(), 0 <= wifi.ping("192.168.1.1") < 1000)
with wifi.get("http://web.test/hi") as answer:
    print(answer.status_code, answer.text)
with wifi.post("http://web.test/", data="stressed") as answer:
    print(answer.text)
print(lights)
wifi.reset()
print(esp.is_connected)
tries("lists", WiFiManager(esp, ["home"], "secret123").connect)
tries("type", WiFiManager(esp, "home", "secret123", connection_type=3).connect)
old = ESPSPI_WiFiManager(esp, {"ssid": "home", "password": "secret123"}, Light())
old.connect()
print(old.ssid, esp.is_connected)
""", network={"hosts": {"web.test:80": f"127.0.0.1:{pages()}"}})
    assert "200 hi" in lines and "desserts" in lines


def test_wifi_manager_joins_open_and_enterprise_networks(native):
    """With Adafruit's an open network (no password) is a TypeError, and an enterprise one is never tried again."""
    assert native("""
from adafruit_esp32spi.wifimanager import WiFiManager
WiFiManager(esp, "cafe").connect()
print(esp.ap_info.ssid)
esp.disconnect()
WiFiManager(esp, "office", "s3cret", enterprise_user="ann", connection_type=WiFiManager.ENTERPRISE).connect()
print(esp.ap_info.ssid)
""") == ["cafe", "office"]
