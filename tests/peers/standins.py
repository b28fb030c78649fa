"""Local stand-ins for the services that Adafruit's examples talk to: HTTP and HTTPS (one server that
answers what wifitest.adafruit.com, httpbin.org, io.adafruit.com ... would, as far as the examples look),
an NTP answer over UDP, and mosquitto with and without TLS. Everything listens on loopback.

    with Standins(folder) as services:
        services.network   # the "network" section for `adder run --network`
"""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from held_port import hold_port  # noqa: E402

HTTPS_HOSTS = ["httpbin.org", "io.adafruit.com", "api.thingspeak.com", "time.now", "www.adafruit.com"]
HTTP_HOSTS = ["wifitest.adafruit.com", "adafruit.com", "google.com"]
TEXT_PAGE = "This is a test of Adafruit WiFi!\nIf you can read this, its working :)\n"


def make_certificates(folder: Path, hosts: list[str]) -> None:
    """A throw-away authority `ca.pem` and a server certificate for `hosts`, made with OpenSSL."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ",".join(f"DNS:{host}" for host in hosts)
    (folder / "server.ext").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "rsa:2048", "-nodes", "-sha256"]
    openssl("req", "-x509", *key, "-days", "30", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=Adder test authority")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={hosts[0]}")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-sha256", "-extfile", "server.ext", "-out", "server.pem")


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def reply(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, sent: bytes) -> None:
        path = self.path.split("?")[0]
        if path.endswith("index.html"):
            self.reply(TEXT_PAGE.encode(), "text/html")
            return
        try:
            sent_json: Any = json.loads(sent)
        except ValueError:
            sent_json = None
        now = time.time()
        self.reply(json.dumps({
            # httpbin.org
            "url": "https://" + self.headers.get("Host", "") + self.path,
            "headers": {name.title(): value for name, value in self.headers.items()},
            "data": sent.decode("utf-8", "replace"),
            "json": sent_json,
            "args": {},
            # time.now, thingspeak, io.adafruit.com
            "datetime": time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00", time.gmtime(now)),
            "utc_datetime": time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00", time.gmtime(now)),
            "unixtime": int(now), "raw_offset": 0, "dst": False, "dst_offset": 0, "day_of_year": time.gmtime(now).tm_yday,
            "day_of_week": 1, "feeds": [{"field2": "#ff8800", "field1": "orange"}],
            "created_at": "now", "value": "42",
        }).encode(), "application/json")

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    do_PUT = do_PATCH = do_DELETE = do_POST


class Standins:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http_port, self.https_port = hold_port(), hold_port()
        self._ntp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ntp.bind(("127.0.0.1", 0))
        self.ntp_port = self._ntp.getsockname()[1]
        self.mqtt_port, self.mqtts_port = hold_port(), hold_port()
        self._servers: list[http.server.ThreadingHTTPServer] = []
        self._broker: subprocess.Popen[bytes] | None = None

    @property
    def network(self) -> dict[str, Any]:
        hosts = {f"{host}:443": f"127.0.0.1:{self.https_port}" for host in HTTPS_HOSTS}
        hosts |= {f"{host}:80": f"127.0.0.1:{self.http_port}" for host in HTTP_HOSTS + HTTPS_HOSTS}
        hosts |= {
            "pool.ntp.org:123": f"127.0.0.1:{self.ntp_port}",
            "io.adafruit.com:8883": f"127.0.0.1:{self.mqtts_port}",
            "io.adafruit.com:1883": f"127.0.0.1:{self.mqtt_port}",
        }
        return {
            "access_points": [{"ssid": "Peers", "password": "peer-examples", "security": "wpa2", "rssi": -48}],
            "hosts": hosts,
            "ca": str(self.folder / "ca.pem"),
        }

    def __enter__(self) -> Standins:
        make_certificates(self.folder, HTTPS_HOSTS + HTTP_HOSTS)
        plain = http.server.ThreadingHTTPServer(("127.0.0.1", self.http_port), Pages)
        secure = http.server.ThreadingHTTPServer(("127.0.0.1", self.https_port), Pages)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
        self._servers = [plain, secure]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        threading.Thread(target=self._serve_ntp, daemon=True).start()
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.mqtt_port} 127.0.0.1\nallow_anonymous true\n"
            f"listener {self.mqtts_port} 127.0.0.1\nallow_anonymous true\n"
            f"certfile {self.folder}/server.pem\nkeyfile {self.folder}/server.key\nuser root\n"
        )
        self._broker = subprocess.Popen(["mosquitto", "-c", str(config)], stdout=subprocess.DEVNULL,
                                        stderr=(self.folder / "mosquitto.log").open("wb"))
        return self

    def _serve_ntp(self) -> None:
        while True:
            try:
                asked, peer = self._ntp.recvfrom(512)
            except OSError:
                return
            now = int((time.time() + 2_208_988_800) * 2**32)
            head = struct.pack("!BBBb3IQ", 0x24, 1, 4, -20, 0, 0, 0, now)
            self._ntp.sendto(head + asked[40:48] + struct.pack("!QQ", now, now), peer)

    def __exit__(self, *exc: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._ntp.close()
        if self._broker:
            self._broker.terminate()
            self._broker.wait(5)
