"""Native Wi-Fi: `wifi` and sockets on the Feather ESP32-S3 TFT. Access points and hosts are those of a
network.json; radio times run 20 times as fast."""

import hashlib
import json
import os
import socket
import threading
import time

import pytest

BOARD = ("--board", "adafruit_feather_esp32s3_tft")
NETWORK = {
    "access_points": [
        {"ssid": "home", "password": "correct horse", "rssi": -48, "channel": 6},
        {"ssid": "cafe", "security": "open", "rssi": -74, "channel": 1},
        {"ssid": "office", "security": "enterprise", "username": "ann", "password": "s3cret", "channel": 3},
    ],
    "outside": False,
    "speed": 20,
}
HEAD = """
import wifi, time, ipaddress
radio = wifi.radio
def raises(cls, text, f, *a, **k):
    try: f(*a, **k)
    except cls as e: assert text in str(e), repr(e)
    else: assert False, 'no ' + cls.__name__
"""


def network(**more):
    return json.dumps({**NETWORK, **more})


@pytest.fixture
def wifi(adder):
    def run(code, *options, files=None, net=None, seconds=20):
        result = adder(HEAD + code, *BOARD, *options, seconds=seconds,
                       files={"network.json": net or network(), **(files or {})})
        assert result.code == 0 and "Traceback" not in result.out, result.out + result.err
        return result.out

    return run


def timeline(tmp_path, events):
    path = tmp_path / "events.json"
    path.write_text(json.dumps(events))
    return "--input", str(path)


def report(tmp_path):
    return "--report", str(tmp_path / "report.json")


def counters(tmp_path):
    return json.loads((tmp_path / "report.json").read_text())["chips"]["wifi"]["counters"]


# ---- the module ----


def test_only_where_there_is_a_radio(adder):
    run = adder("for name in ('wifi', 'mdns'):\n    try: __import__(name)\n    except ImportError as e: print(e)")
    assert "no module named 'wifi'\nno module named 'mdns'\n" in run.out


def test_state_before_anything(wifi):
    wifi("""
assert radio.enabled and not radio.connected and not radio.ap_active
for name in 'ap_info', 'ipv4_address', 'ipv4_gateway', 'ipv4_subnet', 'ipv4_dns', 'ipv4_address_ap', 'stations_ap':
    assert getattr(radio, name) is None, name
assert radio.addresses == () and radio.addresses_ap == () and radio.dns == ()
assert len(radio.mac_address) == 6 and radio.mac_address != radio.mac_address_ap
assert radio.hostname == 'cpy-er_esp32s3_tft-' + radio.mac_address.hex()
assert radio.tx_power == 20.0 and radio.power_management is wifi.PowerManagement.MIN
raises(TypeError, '', wifi.Radio)
raises(TypeError, '', wifi.Network)
assert str(wifi.AuthMode.WPA2) == 'wifi.AuthMode.WPA2'
raises(AttributeError, '', lambda: setattr(radio, 'connected', True))
""")


def test_settings(wifi):
    wifi("""
radio.hostname = 'my-board'
assert radio.hostname == 'my-board'
raises(ValueError, 'hostname length must be 1-253', setattr, radio, 'hostname', '')
raises(ValueError, 'invalid hostname', setattr, radio, 'hostname', 'a_b')
radio.tx_power = 8.6
assert radio.tx_power == 8.5
radio.power_management = wifi.PowerManagement.NONE
assert radio.power_management is wifi.PowerManagement.NONE
raises(ValueError, 'Invalid power_management', setattr, radio, 'power_management', wifi.PowerManagement.UNKNOWN)
raises(TypeError, 'power_management must be of type PowerManagement', setattr, radio, 'power_management', 1)
radio.mac_address = b'\\x02\\0\\0\\0\\0\\x01'
assert radio.mac_address == b'\\x02\\0\\0\\0\\0\\x01'
raises(ValueError, 'Invalid MAC address', setattr, radio, 'mac_address', b'123')
raises(RuntimeError, 'Invalid multicast MAC address', setattr, radio, 'mac_address', b'\\x01\\0\\0\\0\\0\\x01')
radio.stop_station()
raises(RuntimeError, 'Interface must be started', setattr, radio, 'mac_address', b'\\x02\\0\\0\\0\\0\\x01')
radio.enabled = False
raises(RuntimeError, 'WiFi is not enabled', radio.connect, 'home', 'correct horse')
raises(RuntimeError, 'WiFi is not enabled', radio.start_scanning_networks)
radio.enabled = True
radio.connect('home', 'correct horse')
""")


# ---- scanning and joining ----


def test_scan(wifi):
    out = wifi("""
for n in radio.start_scanning_networks():
    print(n.ssid, n.rssi, n.channel, n.authmode, len(n.bssid), n.country == '')
raises(RuntimeError, 'Already scanning for wifi networks', radio.start_scanning_networks)
radio.stop_scanning_networks()
radio.stop_scanning_networks()
print([n.ssid for n in radio.start_scanning_networks(start_channel=3, stop_channel=2)])
radio.stop_scanning_networks()
half = radio.start_scanning_networks()
print(next(half).ssid)
radio.stop_scanning_networks()
print(list(half))
raises(ValueError, 'start_channel must be 1-165', radio.start_scanning_networks, start_channel=0)
""")
    assert ("home -48 6 [wifi.AuthMode.WPA2, wifi.AuthMode.PSK] 6 True\n"
            "cafe -74 1 [wifi.AuthMode.OPEN] 6 True\n"
            "office -52 3 [wifi.AuthMode.WPA2, wifi.AuthMode.ENTERPRISE] 6 True\n"
            "['office']\nhome\n[]\n") in out


def test_join(wifi, tmp_path):
    out = wifi("""
radio.connect('home', 'correct horse')
assert radio.connected and radio.ap_info.ssid == 'home' and radio.ap_info.rssi == -48
print(radio.ipv4_address, radio.ipv4_subnet, radio.ipv4_gateway, radio.ipv4_dns, radio.addresses, radio.dns)
assert radio.ipv4_address == ipaddress.IPv4Address('192.168.1.47')
radio.connect('home', 'whatever it is')          # joined already: nothing happens
radio.connect(b'cafe', timeout=5)
assert radio.ap_info.ssid == 'cafe'
radio.stop_station()
assert not radio.connected and radio.ipv4_address is None
""", *report(tmp_path))
    assert "192.168.1.47 255.255.255.0 192.168.1.1 192.168.1.1 ('192.168.1.47',) ('192.168.1.1',)\n" in out
    assert counters(tmp_path)["joins"] == 2


def test_refusals(wifi):
    wifi("""
raises(ConnectionError, 'Authentication failure', radio.connect, 'home', 'wrong horse')
raises(ConnectionError, 'Authentication failure', radio.connect, 'home')
raises(ConnectionError, 'No network with that ssid', radio.connect, 'nowhere', 'correct horse')
raises(ConnectionError, 'No network with that ssid', radio.connect, 'home', 'correct horse', bssid=b'123456')
raises(ValueError, 'ssid length must be 1-32', radio.connect, '')
raises(ValueError, 'password length must be 8-64', radio.connect, 'home', 'short')
raises(ValueError, 'Invalid hex password', radio.connect, 'home', 'x' * 64)
raises(ValueError, 'Invalid BSSID', radio.connect, 'home', 'correct horse', bssid=b'1')
raises(TypeError, '', radio.connect, 'home', 'correct horse', 6)
assert not radio.connected
radio.connect('home', 'correct horse', channel=6, bssid=None, timeout=None)
assert radio.connected
""")


def test_hex_key(wifi):
    # PBKDF2 of "correct horse" and "home": what wpa_passphrase prints
    wifi("""
radio.connect('home', 'KEY')
assert radio.connected
""".replace("KEY", hashlib.pbkdf2_hmac("sha1", b"correct horse", b"home", 4096, 32).hex()))


def test_ctrl_c_ends_connect(board):
    b = board("import wifi\nprint('go')\nwifi.radio.connect('home', 'correct horse')\n", *BOARD,
              files={"network.json": network(speed=0.01)})
    b.expect("go\n")
    b.quiet(0.3)
    b.send("\x03")
    b.expect("KeyboardInterrupt", timeout=5)


def test_link_lost_and_back(wifi, tmp_path):
    events = [{"at": 1.5, "chip": "wifi", "drop": "home"}, {"at": 3, "chip": "wifi", "restore": "home"}]
    out = wifi("""
radio.connect('home', 'correct horse')
def wait_for(what):
    end = time.monotonic() + 8
    while radio.connected is not what:
        assert time.monotonic() < end, what
        time.sleep(0.01)
    print(radio.connected, radio.ipv4_address)
wait_for(False)
raises(ConnectionError, 'No network with that ssid', radio.connect, 'elsewhere')
radio.connect('cafe')
radio.stop_station(); radio.start_station()
while True:
    try: radio.connect('home', 'correct horse'); break
    except ConnectionError: time.sleep(0.1)
wait_for(True)
""", *timeline(tmp_path, events))
    assert "False None\nTrue 192.168.1.47\n" in out


def test_comes_back_by_itself(wifi, tmp_path):
    events = [{"at": 1.5, "chip": "wifi", "wifi": False}, {"at": 3, "chip": "wifi", "wifi": True}]
    out = wifi("""
radio.connect('home', 'correct horse')
for what in (False, True):
    end = time.monotonic() + 8
    while radio.connected is not what and time.monotonic() < end:
        time.sleep(0.01)
    print(radio.connected)
""", *timeline(tmp_path, events), *report(tmp_path))
    assert "False\nTrue\n" in out
    assert counters(tmp_path)["links_lost"] == 1 and counters(tmp_path)["joins"] == 2


def test_radio_that_does_not_answer(wifi, tmp_path):
    wifi("""
radio.connect('cafe')
while radio.connected: time.sleep(0.01)
raises(OSError, '', radio.connect, 'home', 'correct horse')
""", *timeline(tmp_path, [{"at": 1.5, "chip": "wifi", "fault": {"kind": "unplug"}}]))


# ---- addresses, access point, ping ----


def test_fixed_address(wifi):
    wifi("""
a = ipaddress.IPv4Address
radio.set_ipv4_address(ipv4=a('10.0.0.5'), netmask=a('255.0.0.0'), gateway=a('10.0.0.1'))
radio.connect('cafe')
assert str(radio.ipv4_address) == '10.0.0.5' and str(radio.ipv4_dns) == '192.168.1.1' or radio.ipv4_dns is None
radio.ipv4_dns = a('9.9.9.9')
assert radio.dns == ('9.9.9.9',)
radio.dns = ['1.1.1.1']
assert str(radio.ipv4_dns) == '1.1.1.1'
raises(ValueError, 'dns length must be <= 1', setattr, radio, 'dns', ['1.1.1.1', '2.2.2.2'])
raises(ValueError, 'Only IPv4 addresses supported', radio.set_ipv4_address, ipv4='1', netmask='2', gateway='3')
radio.dns = []
radio.start_dhcp()
assert str(radio.ipv4_address) == '192.168.1.47' and str(radio.ipv4_dns) == '192.168.1.1'
radio.stop_dhcp()
assert str(radio.ipv4_address) == '10.0.0.5'
raises(NotImplementedError, 'ipv6', radio.start_dhcp, ipv6=True)
raises(TypeError, '', radio.set_ipv4_address, a('10.0.0.5'))
""")


def test_access_point(wifi):
    wifi("""
radio.start_ap('board', 'abcdefgh', channel=3, authmode=[wifi.AuthMode.WPA2, wifi.AuthMode.PSK], max_connections=2)
assert radio.ap_active and radio.stations_ap == [] and radio.addresses_ap == ('192.168.4.1',)
assert [str(v) for v in (radio.ipv4_address_ap, radio.ipv4_subnet_ap, radio.ipv4_gateway_ap)] == [
    '192.168.4.1', '255.255.255.0', '192.168.4.1']
a = ipaddress.IPv4Address
radio.set_ipv4_address_ap(ipv4=a('10.1.0.1'), netmask=a('255.255.0.0'), gateway=a('10.1.0.1'))
assert str(radio.ipv4_address_ap) == '10.1.0.1'
radio.connect('cafe')                    # both at once
assert radio.connected and radio.ap_active
radio.stop_ap()
assert not radio.ap_active and radio.ipv4_address_ap is None and radio.connected
radio.start_ap('open one')
radio.stop_ap()
raises(ValueError, 'password length must be 8-64', radio.start_ap, 'board', 'short')
raises(ValueError, 'AuthMode.OPEN is not used with password', radio.start_ap, 'board', 'abcdefgh',
       authmode=[wifi.AuthMode.OPEN])
raises(ValueError, 'Invalid authmode', radio.start_ap, 'board', 'abcdefgh', authmode=(wifi.AuthMode.WPA3,))
raises(ValueError, 'channel must be 1-13', radio.start_ap, 'board', channel=14)
raises(ValueError, 'max_connections must be 0-10', radio.start_ap, 'board', max_connections=11)
""")


def test_ping(wifi):
    wifi("""
assert radio.ping(ipaddress.IPv4Address('192.168.1.1')) is None      # no link yet
radio.connect('cafe')
t = radio.ping(radio.ipv4_gateway)
assert 0 < t < 0.5, t
start = time.monotonic()
assert radio.ping(ipaddress.IPv4Address('203.0.113.1'), timeout=0.3) is None
assert 0.25 < time.monotonic() - start
""")


# ---- settings.toml ----

SETTINGS = 'CIRCUITPY_WIFI_SSID = "home"\nCIRCUITPY_WIFI_PASSWORD = "correct horse"\n'


def test_joined_before_the_program(wifi, tmp_path):
    out = wifi("print(radio.connected, radio.ap_info.ssid, radio.hostname)", *report(tmp_path),
               files={"settings.toml": SETTINGS + 'CIRCUITPY_WIFI_HOSTNAME = "kitchen"\n'})
    assert "True home kitchen\n" in out
    assert counters(tmp_path)["joins"] == 1


def test_wrong_settings_do_not_stop_the_program(wifi):
    out = wifi("""
print(radio.enabled, radio.connected)
radio.connect('cafe')
""", files={"settings.toml": SETTINGS.replace("correct", "wrong")})
    assert "True False\n" in out


CONNECTED = "import wifi\nprint('connected', wifi.radio.connected)\n"


def test_link_of_the_settings_lives_on(board, tmp_path):
    b = board(CONNECTED, *BOARD, *report(tmp_path), files={"network.json": network(), "settings.toml": SETTINGS})
    for _ in range(3):
        b.expect("connected True\n")
        b.expect("Code done running.")
        b.quiet(0.2)
        b.send("\x04")
    b.expect("connected True\n")
    b.close()
    assert counters(tmp_path)["joins"] == 1


def test_link_of_a_program_ends_with_it(board):
    b = board(CONNECTED + "wifi.radio.connect('cafe')\nprint('now', wifi.radio.connected)\n", *BOARD,
              files={"network.json": network()})
    for _ in range(2):
        b.expect("connected False\nnow True\n")
        b.expect("Code done running.")
        b.quiet(0.2)
        b.send("\x04")


# ---- sockets ----


@pytest.fixture
def server():
    """A TCP server of this computer: greets, echoes in upper case."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.sendall(b"hello\n")
                while data := peer.recv(1000):
                    peer.sendall(data.upper())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    stop.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_client(wifi, server, tmp_path):
    out = wifi("""
import socketpool
radio.connect('home', 'correct horse')
pool = socketpool.SocketPool(radio)
s = pool.socket()
s.settimeout(5)
address = pool.getaddrinfo('api.test', 80)[0][4]
s.connect(address)
buf = bytearray(20)
print(bytes(buf[:s.recv_into(buf)]))
s.send(b'abc')
print(bytes(buf[:s.recv_into(buf)]))
s.close()
raises(OSError, '', pool.getaddrinfo, 'example.com', 80)
raises(ValueError, '', socketpool.SocketPool, 5)
""", *report(tmp_path), net=network(hosts={"api.test:80": f"127.0.0.1:{server}"}))
    assert "b'hello\\n'\nb'ABC'\n" in out
    assert counters(tmp_path)["net_in"] == 9 and counters(tmp_path)["net_out"] == 3


def test_connection_ends_with_the_link(wifi, server, tmp_path):
    out = wifi("""
import socketpool
radio.connect('home', 'correct horse')
pool = socketpool.SocketPool(radio)
s = pool.socket()
s.settimeout(10)
s.connect(('127.0.0.1', %d))
buf = bytearray(20)
s.recv_into(buf)
try: print(s.recv_into(buf), 'bytes')
except OSError as e: print('lost', e.errno)
""" % server, *timeline(tmp_path, [{"at": 2, "chip": "wifi", "wifi": False}]))
    assert "lost 104\n" in out


def test_board_as_a_server(board):
    b = board(HEAD + """
import socketpool
radio.start_ap('board')
pool = socketpool.SocketPool(radio)
s = pool.socket()
s.bind(('', 0))
s.listen(1)
s.settimeout(10)
print('listening')
c, where = s.accept()
c.send(b'from the board')
c.close()
print('done', where[0])
""", *BOARD, files={"network.json": network()})
    b.expect("listening\n")
    # the log of events says which port of this computer it is; here the system tells
    port = listening_port(b.process.pid)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        assert client.recv(100) == b"from the board"
    b.expect("done 127.0.0.1\n")


def listening_port(pid):
    """The port on which a process listens at 127.0.0.1."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for line in open("/proc/net/tcp").read().splitlines()[1:]:
        parts = line.split()
        if parts[3] == "0A" and parts[9] in inodes:
            return int(parts[1].rpartition(":")[2], 16)
    raise AssertionError("it does not listen")
