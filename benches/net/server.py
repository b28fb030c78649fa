"""The other end of the network benchmarks, a process of its own: what every contender talks to.

    server.py CERT.pem KEY.pem       prints its ports as JSON, then serves until its input ends

http   keep-alive; /small (200 bytes), /mega (1 MB), /ten (10 MB)
https  the same over TLS
sink   takes "<n>\\n" and n bytes, answers "k"
flood  takes "<n>\\n", sends n bytes
brief  takes a line, answers it, closes: who wants more has to connect again; briefs is the same over TLS
dead   takes connections and never says a word"""

import json
import socket
import ssl
import sys
import threading

BODIES = {b"/small": b"x" * 200, b"/mega": bytes(range(256)) * 4096, b"/ten": bytes(range(256)) * 40960}
ANSWERS = {path: b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
           + body for path, body in BODIES.items()}


def http(s):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        s.sendall(ANSWERS[head.split(b" ", 2)[1]])


def line(s):
    data = b""
    while not data.endswith(b"\n"):
        byte = s.recv(1)
        if not byte:
            raise OSError("closed")
        data += byte
    return data


def sink(s):
    while True:
        left = int(line(s))
        while left:
            left -= len(s.recv(min(left, 65536)))
        s.sendall(b"k")


def flood(s):
    while True:
        s.sendall(bytes(int(line(s))))


def brief(s):
    s.sendall(line(s))


def dead(s):
    while s.recv(65536):
        pass


def serve(listener, talk, context):
    def connection(s):
        try:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                s = context.wrap_socket(s, server_side=True)
            talk(s)
            if context:
                s.unwrap()
        except (OSError, ValueError, KeyError):
            pass
        finally:
            s.close()

    while True:
        s, _ = listener.accept()
        threading.Thread(target=connection, args=(s,), daemon=True).start()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    ports = {}
    for name, talk, tls in (("http", http, None), ("https", http, context), ("sink", sink, None), ("flood", flood, None),
                            ("brief", brief, None), ("briefs", brief, context), ("dead", dead, None)):
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        ports[name] = listener.getsockname()[1]
        threading.Thread(target=serve, args=(listener, talk, tls), daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


main()
