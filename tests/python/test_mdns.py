"""The `mdns` module against a stand-in device and a stand-in asker of this computer, by multicast on loopback."""

import socket
import struct
import threading
import time

import pytest

from test_wifi import BOARD, HEAD, network, wifi  # noqa: F401 (wifi is a fixture)

GROUP, MDNS = "224.0.0.251", 5353


def name(*labels):
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def multicast_socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind((GROUP, MDNS))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton(GROUP) + struct.pack("@II", 0, socket.if_nametoindex("lo")))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                     struct.pack("@III", 0, 0, socket.if_nametoindex("lo")))
        s.sendto(b"", (GROUP, MDNS))
    except OSError:
        s.close()
        pytest.skip("no multicast on this machine's loopback")
    return s


@pytest.fixture
def responder():
    """A device "printer" with a web page, as other implementations answer: compressed, all in one message."""
    s = multicast_socket()
    s.settimeout(0.1)
    stop = threading.Event()

    def answer():
        head = struct.pack(">6H", 0, 0x8400, 0, 1, 0, 3)
        ptr = name("_http", "_tcp", "local") + struct.pack(">HHIH", 12, 1, 4500, 10) + b"\7Printer\xc0\x0c"
        instance = 0xC000 | (len(head) + len(ptr) - 10)
        host_at = len(head) + len(ptr) + 12 + 6
        srv = struct.pack(">HHHIH", instance, 33, 0x8001, 120, 6 + 10) + struct.pack(">HHH", 0, 0, 8123)
        srv += b"\7printer\xc0\x17"  # .local of the question's name
        a = struct.pack(">HHHIH", 0xC000 | host_at, 1, 0x8001, 120, 4) + socket.inet_aton("10.9.8.7")
        txt = struct.pack(">HHHIH", instance, 16, 0x8001, 4500, 4) + b"\3a=b"
        return head + ptr + srv + a + txt

    def serve():
        while not stop.is_set():
            try:
                question = s.recv(1500)
            except TimeoutError:
                continue
            if name("_http", "_tcp", "local") in question and not question[2] & 0x80:
                s.sendto(answer(), (GROUP, MDNS))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(5)
    s.close()


def test_mdns_find(wifi, responder):
    out = wifi("""
import mdns
radio.connect('cafe')
server = mdns.Server(radio)
start = time.monotonic()
found = server.find(service_type='_http', protocol='_tcp', timeout=0.6)
assert 0.5 < time.monotonic() - start
for s in found:
    print(s.instance_name, s.hostname, s.port, s.ipv4_address, s.service_type, s.protocol)
print(server.find(service_type='_none', protocol='_tcp', timeout=0.2))
raises(TypeError, '', server.find, '_http', '_tcp')
raises(RuntimeError, 'Unable to start mDNS query', server.find, service_type='http', protocol='_tcp')
""")
    assert "Printer printer 8123 10.9.8.7 _http _tcp\n()\n" in out


def test_mdns_server(wifi):
    wifi("""
import mdns
raises(ValueError, 'mDNS only works with built-in WiFi', mdns.Server, 1)
server = mdns.Server(radio)
assert server.hostname == 'cpy-' + radio.mac_address[3:].hex() and server.instance_name == server.hostname
raises(RuntimeError, 'mDNS already initialized', mdns.Server, radio)
server.hostname = 'kitchen'
server.instance_name = 'Kitchen lamp'
assert (server.hostname, server.instance_name) == ('kitchen', 'Kitchen lamp')
raises(ValueError, '', setattr, server, 'hostname', 'a.b')
server.advertise_service(service_type='_http', protocol='_tcp', port=80)
server.advertise_service(service_type='_http', protocol='_tcp', port=81, txt_records=['path=/', b'x'])
raises(ValueError, 'non-string or bytes', server.advertise_service, service_type='_http', protocol='_tcp', port=1,
       txt_records=[1])
raises(ValueError, 'port must be 0-65535', server.advertise_service, service_type='_a', protocol='_tcp', port=-1)
server.deinit()
server.deinit()
raises(ValueError, '', lambda: server.hostname)
radio.enabled = False
radio.enabled = True
second = mdns.Server(radio)
radio.enabled = False        # ends it
raises(ValueError, '', lambda: second.hostname)
""")


def test_mdns_answers(board):
    s = multicast_socket()
    b = board(HEAD + """
import mdns
radio.connect('cafe')
server = mdns.Server(radio)
server.hostname = 'kitchen'
server.instance_name = 'Kitchen lamp'
server.advertise_service(service_type='_adder', protocol='_tcp', port=4711, txt_records=['v=1'])
print('ready')
while True: pass             # it answers while the program computes
""", *BOARD, files={"network.json": network()})
    b.expect("ready\n")

    def ask(question, wanted):
        end = time.monotonic() + 8
        s.settimeout(0.5)
        while time.monotonic() < end:
            s.sendto(struct.pack(">6H", 0, 0, 1, 0, 0, 0) + question, (GROUP, MDNS))
            try:
                while True:
                    message = s.recv(1500)
                    if len(message) > 12 and message[2] & 0x80 and wanted in message:
                        return message
            except TimeoutError:
                continue
        raise AssertionError("no answer")

    ask(name("KITCHEN", "local") + struct.pack(">HH", 1, 1), socket.inet_aton("192.168.1.47"))
    message = ask(name("_adder", "_tcp", "local") + struct.pack(">HH", 12, 1), name("Kitchen lamp", "_adder", "_tcp", "local"))
    assert struct.pack(">HHH", 0, 0, 4711) + name("kitchen", "local") in message and b"\3v=1" in message
    s.close()
