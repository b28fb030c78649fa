"""MQTT over TLS, by adafruit_minimqtt and by adder.mqtt: mosquitto with certificates of an authority made here, with
and without asking for the client's; ALPN at a server that tells what was agreed; the TLS of the PyPortal's ESP32."""

import getpass
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from held_port import hold_port  # noqa: E402
from standins import make_certificates  # noqa: E402
from test_minimqtt import FEATHER, START  # noqa: E402
from test_mqtt import broker, run  # noqa: E402, F401

TLS = """
import ssl
def context(ca="ca.pem", cert=None):
    c = ssl.create_default_context()
    if ca:
        c.load_verify_locations(cadata=open(ca).read())
    if cert:
        c.load_cert_chain(cert + ".pem", cert + ".key")
    return c
"""
MINI = START.partition("import adafruit_connection_manager")[2]
MINI = "import adafruit_connection_manager" + MINI + TLS + """
def attempt_connection(host, port, context):
    m = client(host, port=port, is_ssl=True, ssl_context=context)
    m.on_connect = m.on_disconnect = m.on_publish = m.on_subscribe = None
    got = []
    m.on_message = lambda m, topic, text: got.append(len(text))
    try:
        m.connect()
        m.subscribe("t")
        m.publish("t", "x" * 3000, qos=1)
        until(m, lambda: got)
        print("- connected", m.is_connected(), got[0])
        m.disconnect()
    except Exception as error:
        cause = error.__cause__
        print("-", type(error).__name__, error, "|", cause)
"""
OURS = TLS + """
def attempt_connection(host, port, context):
    c = Client(radio, host, port, tls=context)
    try:
        c.connect(10)
        got = []
        c.subscribe("t", lambda m: got.append(len(m.payload)))
        c.publish("t", "x" * 3000, qos=1).wait(10)
        c.wait(lambda: got, 10)
        print("- connected", c.connected, got[0])
    except Exception as error:
        print("-", type(error).__name__, error)
    c.deinit()
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder, ["tls.test"])
    for name, authority in (("client", "ca"), ("stranger", "other")):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", "other.key",
                        "-out", "other.pem", "-subj", "/CN=Another authority"], cwd=folder, check=True, capture_output=True)
        subprocess.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                        "-subj", f"/CN={name}"], cwd=folder, check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
                        f"{authority}.key", "-CAcreateserial", "-days", "30", "-out", f"{name}.pem"], cwd=folder,
                       check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secure(certificates, tmp_path_factory):
    """mosquitto: (port, port that asks for a certificate)."""
    ports = hold_port(), hold_port()
    folder = tmp_path_factory.mktemp("secure")
    each = "\n".join(f"listener {port} 127.0.0.1\nallow_anonymous true\ncafile {certificates}/ca.pem\n"
                     f"certfile {certificates}/server.pem\nkeyfile {certificates}/server.key\n"
                     f"require_certificate {ask}\n" for port, ask in zip(ports, ("false", "true")))
    (folder / "conf").write_text(f"user {getpass.getuser()}\nper_listener_settings true\n{each}")
    process = subprocess.Popen(["mosquitto", "-c", folder / "conf"], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", ports[1])).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    yield ports
    process.terminate()
    process.wait(10)


@pytest.fixture
def attempts(run, secure, certificates):  # noqa: F811
    def attempts(library, calls, *options, board=FEATHER, **more):
        names = ("ca.pem", "other.pem", "client.pem", "client.key", "stranger.pem", "stranger.key")
        hosts = {f"{name}.test:{8883 + i}": port for name in ("tls", "wrong") for i, port in enumerate(secure)}
        return run(library + calls, *options, board=board, hosts=hosts,
                   files={name: (certificates / name).read_text() for name in names}, **more)

    return attempts


CALLS = """
attempt_connection("tls.test", 8883, context())
attempt_connection("tls.test", 8883, context("other.pem"))
attempt_connection("wrong.test", 8883, context())
attempt_connection("tls.test", 8884, context(cert="client"))
attempt_connection("tls.test", 8884, context())
attempt_connection("tls.test", 8884, context(cert="stranger"))
"""


def test_certificates_adder_mqtt(attempts):
    out = attempts(OURS, CALLS)
    assert out[0] == "connected True 3000" and out[3] == "connected True 3000"
    assert out[1] == "MQTTError tls.test: the certificate chain ends in a root that is not trusted"
    assert out[2] == "MQTTError wrong.test: the certificate is for another host name"
    assert out[4].startswith("MQTTError tls.test: refused by the other side") and "client certificate" in out[4]
    assert out[5] == "MQTTError tls.test: our certificate was refused by the other side: unknown CA"


def test_certificates_minimqtt(attempts):
    out = attempts(MINI, CALLS)
    assert out[0] == "connected True 3000" and out[3] == "connected True 3000"
    failed = "MMQTTException ('Connect failure', None) | [Errno "
    assert all(out[i].startswith(failed) for i in (1, 2, 4, 5))
    assert out[1].endswith("the certificate chain ends in a root that is not trusted")
    assert out[2].endswith("the certificate is for another host name")
    assert "refused by the other side" in out[4] and "client certificate" in out[4]
    assert out[5].endswith("our certificate was refused by the other side: unknown CA")


def alpn_server(folder, protocols, cuts=0):
    """(port, what was agreed on each connection): TLS, and as much of MQTT as CONNECT and CONNACK. The first `cuts`
    connections are closed in the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.set_alpn_protocols(protocols)
    listener = socket.create_server(("127.0.0.1", 0))
    agreed = []

    def serve():
        for _ in range(cuts):
            raw, _ = listener.accept()
            raw.recv(1)
            raw.close()
        while True:
            raw, _ = listener.accept()
            try:
                with context.wrap_socket(raw, server_side=True) as s:
                    agreed.append(s.selected_alpn_protocol())
                    if s.recv(1000)[:1] == b"\x10":
                        s.sendall(b"\x20\x02\x00\x00")
                    while s.recv(1000):
                        pass
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], agreed


@pytest.mark.parametrize("library", ["adder", "minimqtt"])
def test_alpn(run, certificates, library):  # noqa: F811
    """How a cloud takes MQTT through port 443."""
    port, agreed = alpn_server(certificates, ["x-amzn-mqtt-ca", "http/1.1"])
    out = run((OURS if library == "adder" else MINI) + """
c = context()
c.set_alpn_protocols(["x-amzn-mqtt-ca"])
""" + ("""
m = Client(radio, "tls.test", 443, tls=c).connect()
print("-", m.connected)
m.deinit()
""" if library == "adder" else """
m = client("tls.test", port=443, is_ssl=True, ssl_context=c)
m.on_connect = m.on_disconnect = None
m.connect()
print("-", m.is_connected())
m.disconnect()
"""), hosts={"tls.test:443": port}, files={"ca.pem": (certificates / "ca.pem").read_text()})
    assert out == ["True"] and agreed == ["x-amzn-mqtt-ca"]


def test_a_cut_handshake_is_tried_again(run, certificates):  # noqa: F811
    """A broker that restarts is no reason to give up, as a refused certificate is."""
    port, agreed = alpn_server(certificates, ["mqtt"], cuts=1)
    out = run(OURS + """
c = Client(radio, "tls.test", tls=context())
c.on_connect = lambda c: print("- on", c.connects)
c.connect()
c.deinit()
""", hosts={"tls.test:8883": port}, files={"ca.pem": (certificates / "ca.pem").read_text()})
    assert out == ["on 1"] and agreed == [None]


@pytest.mark.parametrize("firmware", ["2.0.0+adafruit", "3.3.0"])
def test_the_coprocessors_own_tls(attempts, certificates, firmware):
    """tls=True, and the context of the connection manager: the ESP32 checks, against the roots of its firmware."""
    options = {"board": "pyportal", "ca": str(certificates / "ca.pem")}
    out = attempts(OURS, """
attempt_connection("tls.test", 8883, True)
attempt_connection("wrong.test", 8883, True)
""", "--chip", f"wifi.firmware={firmware}", **options)
    assert out == ["connected True 3000", "TimeoutError MQTT: waiting to try again, refused by the other side"]
    out = attempts(MINI, """
own = adafruit_connection_manager.get_radio_ssl_context(radio)
attempt_connection("tls.test", 8883, own)
attempt_connection("wrong.test", 8883, own)
""", "--chip", f"wifi.firmware={firmware}", **options)
    assert out[0] == "connected True 3000" and out[1].startswith("MMQTTException ('Connect failure', None)")
