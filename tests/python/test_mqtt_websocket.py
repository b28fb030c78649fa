"""adder.mqtt in a WebSocket: mosquitto's listener, without and with TLS; what a server answers that is none."""

import getpass
import socket
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
from test_minimqtt import FEATHER  # noqa: E402
from test_mqtt import BOARDS, broker, run  # noqa: E402, F401


@pytest.fixture(scope="module")
def websockets(tmp_path_factory):
    """mosquitto: (port of ws, port of wss, the CA's file)."""
    folder = tmp_path_factory.mktemp("websockets")
    make_certificates(folder, ["ws.test"])
    plain, secure = hold_port(), hold_port()
    (folder / "conf").write_text(  # with WebSockets alone mosquitto 2.0.11 does not start
        f"user {getpass.getuser()}\nlistener {hold_port()} 127.0.0.1\nlistener {plain} 127.0.0.1\nprotocol websockets\nallow_anonymous true\n"
        f"listener {secure} 127.0.0.1\nprotocol websockets\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n")
    process = subprocess.Popen(["mosquitto", "-c", folder / "conf"], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", secure)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    else:
        raise AssertionError("mosquitto does not listen")
    yield plain, secure, str(folder / "ca.pem")
    process.terminate()
    process.wait(10)


PROGRAM = """
got = []
for version in 4, 5:
    with Client(radio, "ws.test", version=version, %s) as c:
        c.subscribe("w/#", got.append, qos=2)
        for n in 1, 3000, 15000:
            c.publish("w/%%d" %% n, "x" * n, qos=2).wait(20)
        c.wait(lambda: len(got) == 3, 20)
        print("-", c.port, c.connects, [len(m.payload) for m in got])
        got.clear()
"""


@BOARDS
def test_plain(run, websockets, board):  # noqa: F811
    out = run(PROGRAM % "websocket=True", hosts={"ws.test:80": websockets[0]}, board=board)
    assert out == ["80 1 [1, 3000, 15000]"] * 2


@pytest.mark.parametrize("board, tls", [(FEATHER, "ssl.create_default_context()"), ("pyportal", "True")])
def test_tls(run, websockets, board, tls):  # noqa: F811
    out = run("import ssl\n" + PROGRAM % f"tls={tls}, path='/mqtt'", hosts={"ws.test:443": websockets[1]},
              ca=websockets[2], board=board)
    assert out == ["443 1 [1, 3000, 15000]"] * 2


def test_awaited(run, websockets):  # noqa: F811
    out = run("""
async def main():
    async with Client(radio, "ws.test", 9001, websocket=True) as c:
        stream = c.messages("a")
        for i in range(100):
            await c.publish("a", i, qos=1)
        got = [(await stream.__anext__()).text for i in range(100)]
        print("-", got == [str(i) for i in range(100)])
asyncio.run(main())
""", hosts={"ws.test:9001": websockets[0]})
    assert out == ["True"]


def test_a_server_that_does_not_speak_it(run):  # noqa: F811
    requests = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            s, _ = listener.accept()
            requests.append(s.recv(2000).decode())
            s.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            s.close()

    threading.Thread(target=serve, daemon=True).start()
    out = run("""
c = Client(radio, "ws.test", 9001, path="/socket?x=1")
try:
    c.connect(1)
except TimeoutError as e:
    print("-", e)
""", hosts={"ws.test:9001": listener.getsockname()[1]})
    assert out == ["MQTT: waiting to try again, refused by the other side"]
    assert requests[0].startswith("GET /socket?x=1 HTTP/1.1\r\n")
    assert "\r\nHost: ws.test:9001\r\n" in requests[0] and "\r\nSec-WebSocket-Protocol: mqtt\r\n" in requests[0]
