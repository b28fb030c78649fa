"""An HTTP/1.1 server for the tests of this folder: https_peer.py [NAME], with NAME.pem and NAME.key of the working
folder over TLS. Prints "port N"; ends when its input does.

GET /bytes/N  a pattern          POST /echo  its body         GET /me  "session SESSION, connection N"
GET /hello    in chunks          GET /close/N  as /bytes, then the connection ends
GET /drop/N   the same without having said so"""

import http.server
import itertools
import socketserver
import ssl
import sys
import threading


def pattern(n):
    return (b"0123456789abcdefghijklmnopqrstuvwxyz\n" * (n // 37 + 1))[:n]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    connections = itertools.count(1)

    def setup(self):
        self.request.settimeout(60)
        self.number = next(self.connections)
        if context is not None:
            self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        if context is not None:
            try:
                self.request.settimeout(1)
                self.request.unwrap()
            except OSError:
                pass

    def log_message(self, *args):
        pass

    def answer(self, data, kind="application/octet-stream"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        _, what, *rest = self.path.split("/")
        if what == "bytes":
            self.answer(pattern(int(rest[0])))
        elif what == "close":
            self.close_connection = True
            self.answer(pattern(int(rest[0])))
        elif what == "drop":
            self.answer(pattern(int(rest[0])))
            self.close_connection = True
        elif what == "me":
            reused = context is not None and self.request.session_reused
            self.answer(b"session %s, connection %d" % (b"reused" if reused else b"new", self.number))
        elif what == "hello":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
        else:
            self.send_error(404)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        error = sys.exc_info()[1]  # a handshake that was refused, a connection that was cut
        print(f"trouble: {type(error).__name__}: {error}", flush=True)


context = None
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(sys.argv[1] + ".pem", sys.argv[1] + ".key")
with Server(("127.0.0.1", 0), Handler) as server:
    print("port", server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
