"""The HTTP engines against Python's own server and client, over loopback."""

import http.client
import http.server
import json
import subprocess
import threading

import pytest


@pytest.fixture(scope="module")
def peer(program):
    tool = program.parent / "http_peer"
    if not tool.exists():
        pytest.fail(f"{tool} is not built")
    return tool


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def log_message(self, *args):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                assert self.rfile.readline() == b"\r\n"
            assert self.rfile.readline() == b"\r\n"
            return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, data, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_GET(self):
        self.seen.append((self.command, self.path, self.client_address[1]))
        if self.path.startswith("/big/"):
            self.answer(200, pattern(int(self.path[5:])))
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for size in (1, 10, 5000, 3):
                self.wfile.write(b"%x\r\n%s\r\n" % (size, pattern(size)))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/close":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(pattern(3000))
            self.close_connection = True
        elif self.path == "/drop":  # answers, then closes without having said so
            self.answer(200, b"dropped")
            self.close_connection = True
        elif self.path.startswith("/to/"):
            self.answer(302, b"elsewhere", Location="/big/" + self.path[4:])
        else:
            self.answer(404, b"none")

    do_HEAD = do_GET

    def do_PUT(self):
        self.answer(200, self.body())

    do_POST = do_PUT


def pattern(n):
    return (b"0123456789abcdefghijklmnopqrstuvwxyz\n" * (n // 37 + 1))[:n]


def checksum(data):
    total = 0
    for b in data:
        total = (total * 31 + b) & 0xFFFFFFFF
    return total


@pytest.fixture
def server():
    Handler.seen = []
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{s.server_address[1]}"
    s.shutdown()
    s.server_close()


def fetch(peer, method, *urls, body=b""):
    run = subprocess.run([peer, "fetch", method, *urls], input=body, capture_output=True, timeout=60)
    assert run.returncode == 0, run
    return [json.loads(line) for line in run.stdout.splitlines()]


def expect(result, data, status=200, **more):
    want = {"result": "no error", "status": status, "length": len(data), "sum": checksum(data), **more}
    assert {k: result[k] for k in want} == want


def test_one_connection_for_all(peer, server):
    paths = ["/big/0", "/big/1", "/chunks", "/big/100000", "/none"]
    r = fetch(peer, "GET", *(server + p for p in paths))
    expect(r[0], b"", reused=False)
    expect(r[1], pattern(1), reused=True)
    expect(r[2], pattern(1) + pattern(10) + pattern(5000) + pattern(3), reused=True)
    expect(r[3], pattern(100000), reused=True)
    expect(r[4], b"none", status=404, reused=True)
    assert len({port for _, _, port in Handler.seen}) == 1


def test_until_close_and_dropped(peer, server):
    r = fetch(peer, "GET", *(server + p for p in ["/close", "/big/5", "/drop", "/big/6", "/big/7"]))
    expect(r[0], pattern(3000))
    expect(r[1], pattern(5), reused=False)
    expect(r[2], b"dropped", reused=True)
    expect(r[3], pattern(6), reused=False)
    expect(r[4], pattern(7), reused=True)


def test_head_and_redirects(peer, server):
    expect(fetch(peer, "HEAD", server + "/big/500")[0], b"")
    r = fetch(peer, "GET", server + "/to/1234", server + "/to/5")
    expect(r[0], pattern(1234), followed=1)
    expect(r[1], pattern(5), followed=1)


@pytest.mark.parametrize("size", [0, 1, 991, 992, 993, 1 << 20])
def test_bodies_in_chunks(peer, server, size):
    expect(fetch(peer, "PUT", server + "/echo", server + "/echo", body=pattern(size))[1], pattern(size), reused=True)


def test_nobody_there(peer):
    assert fetch(peer, "GET", "http://127.0.0.1:1/")[0]["result"] == "refused by the other side"


@pytest.fixture
def ours(peer):
    p = subprocess.Popen([peer, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield int(p.stdout.readline())
    p.stdin.close()
    assert p.wait(timeout=20) == 0
    p.stdout.close()


def test_our_server_with_pythons_client(ours):
    c = http.client.HTTPConnection("127.0.0.1", ours, timeout=20)
    c.request("GET", "/hello")
    sock = c.sock
    assert c.getresponse().read() == b"hello"
    for size in (0, 1, 5000, 1 << 20):
        c.request("POST", "/echo", pattern(size))
        assert c.getresponse().read() == pattern(size)
    c.request("POST", "/echo", iter([b"in ", b"chunks"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert c.getresponse().read() == b"in chunks"
    c.request("GET", "/stream/300000")
    assert c.getresponse().read() == b"s" * 300000
    c.request("HEAD", "/hello")
    r = c.getresponse()
    assert r.read() == b"" and r.headers["Content-Length"] == "5"
    c.request("GET", "/nothing")
    r = c.getresponse()
    assert (r.status, r.read()) == (404, b"Not Found")
    c.request("PUT", "/echo", b"x")
    r = c.getresponse()
    assert (r.status, r.headers["Allow"], r.read()) == (405, "POST", b"Method Not Allowed")
    assert c.sock is sock  # all of it on one connection
    c.close()


def test_our_server_refuses(ours):
    c = http.client.HTTPConnection("127.0.0.1", ours, timeout=20)
    c.putrequest("POST", "/echo")  # by its length alone: to who goes on with so long a body it stops listening
    c.putheader("Content-Length", (1 << 20) + 1)
    c.endheaders()
    assert c.getresponse().status == 413
    c.close()
    c = http.client.HTTPConnection("127.0.0.1", ours, timeout=20)
    c.request("GET", "/" + "a" * 3000)
    assert c.getresponse().status == 414
    c.close()


def test_our_server_with_our_client(peer, ours):
    r = fetch(peer, "POST", *[f"http://127.0.0.1:{ours}/echo"] * 2, body=pattern(70000))
    expect(r[1], pattern(70000), reused=True)
