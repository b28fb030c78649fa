"""adafruit_requests, native, over sockets made of Python. Where Adafruit's own library is right both must do the
same; where it is not, what is put right is said and tested here. Servers: test_requests_server.py."""

PRELUDE = '''
import adafruit_requests, adafruit_connection_manager as cm

def ok(body=b"hello", head=b""):
    return b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n%s\\r\\n" % (len(body), head) + body

def session(*scripts, **kw):
    global pool
    pool = Pool(*[s if isinstance(s, (dict, Exception)) else {"reply": s} for s in scripts])
    return adafruit_requests.Session(pool, **kw)

def messages(socket):
    """What was sent, the order of header lines and the cut between writes aside."""
    rest, out = socket.sent, []
    while rest:
        head, _, rest = rest.partition(b"\\r\\n\\r\\n")
        first, *lines = head.split(b"\\r\\n")
        length = sum(int(x.split(b": ")[1]) for x in lines if x.startswith(b"Content-Length"))
        out.append((first, sorted(lines), rest[:length]))
        rest = rest[length:]
    return out

def show(response):
    print(response.status_code, response.reason, response.headers, response.encoding)
'''


def test_response(both):
    out = both(PRELUDE + """
s = session(ok(b"hello", b"X-One: 1\\r\\nx-ONE: 2\\r\\nSet-Cookie: a=1\\r\\nSet-Cookie: b=2\\r\\nEmpty:\\r\\n"))
r = s.get("http://one.test/a b/c?d=|[]#e")
show(r)
print(r.text, r.text, r.socket, s._connection_manager.available_socket_count)
print(messages(pool.sockets[0]))
for line in shown(): print(line)
""")
    assert out[0] == ("200 bytearray(b'OK') {'content-length': '5', 'x-one': '2', 'set-cookie': 'a=1, b=2'} utf-8")
    assert out[1] == "hello hello None 1"
    assert "b'GET /a%20b/c?d=|[]#e HTTP/1.1'" in out[2]


def test_requests_sent(both):
    """Everything that goes out; the Host of another port and the length of nothing are ours to add."""
    out = both(PRELUDE + """
import io
def go(method, url, reply=ok(), **kw):
    s = session(reply)
    try:
        r = getattr(s, method)(url, **kw)
    except Exception as error:
        print(method, type(error).__name__, [str(x) for x in error.args])
        return
    print(method, r.status_code, messages(pool.sockets[0]))
go("get", "http://h.test")
go("get", "http://h.test/")
go("options", "http://h.test/x")
go("head", "http://h.test/x", b"HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\n")
go("delete", "http://h.test/x")
for method in ("post", "put", "patch"):
    go(method, "http://h.test/x", data="text \\xe9")
go("post", "http://h.test/x", data=b"bytes")
go("post", "http://h.test/x", data=bytearray(b"array"))
go("post", "http://h.test/x", data={"a": 1, "b": "x y", "c": None})
go("post", "http://h.test/x", data={"a": 1}, headers={"content-type": "mine"})
go("post", "http://h.test/x", json={"a": [1, 2.5, None, True, "\\xe9"]})
go("post", "http://h.test/x", json=[], headers={"X-Bytes": b"b", "X-Str": "s", "user-agent": "me", "Host": "other"})
go("post", "http://h.test/x", json=0)
go("post", "http://h.test/x", data=io.BytesIO(bytes(range(256)) * 5))
go("get", "http://h.test/x", headers={"User-Agent": None, "X": None})
go("post", "http://h.test/x", json=1, data="x")
go("post", "http://h.test/x", json=1, files={"a": (None, "x")})
go("post", "http://h.test/x", data={"a": 1}, files={"a": (None, "x")})
go("get", "http://h.test/x", headers=[("a", "b")])
go("get", "http://h.test/x", headers={"a": 1})
go("get", "http://h.test/x", headers={"a": ["b"]})
go("post", "http://h.test/x", data=io.StringIO("text"))
go("get", "ftp://h.test/x")
go("get", "HTTP://h.test/x")
go("get", "https://h.test/x")
""")
    assert "post AssertionError []" in out
    assert "get TypeError ['Headers must be in dict format']" in out
    assert "get TypeError [\"Header part (1) from a must be of type str or bytes, not <class 'int'>\"]" in out
    assert "post ValueError ['Files must be opened in binary mode']" in out
    assert "get ValueError ['Unsupported protocol: ftp:']" in out
    assert "get ValueError ['ssl_context must be provided if using ssl']" in out


def test_files(both):
    out = both(PRELUDE + """
import io
s = session(ok())
r = s.post("http://h.test/up", files={
    "plain": (None, "value"),
    "file": ("a.bin", io.BytesIO(bytes(range(256)) * 20), "application/x-a", {"X-More": "yes", "X-Two": 2}),
    "other": ("b.txt", io.BytesIO(b"short")),
})
first, lines, body = messages(pool.sockets[0])[0]
(kind,) = [x for x in lines if x.startswith(b"Content-Type")]
boundary = kind.partition(b"boundary=")[2]
print(first, len(boundary), boundary.hex() != "", len(body))
print(body.replace(boundary, b"BOUNDARY"))
print(attempt(session(ok()).post, "http://h.test/", files={"f": ("a", io.StringIO("x"))}))
""")
    assert out[0].startswith("b'POST /up HTTP/1.1' 32 True")
    assert out[1].startswith("b'--BOUNDARY\\r\\nContent-Disposition: form-data; name=\"plain\"\\r\\n\\r\\nvalue\\r\\n--B")
    assert out[1].endswith("short\\r\\n--BOUNDARY--\\r\\n'")


def test_bodies(both):
    both(PRELUDE + """
def read(reply, how, **more):
    s = session(dict(reply=reply, **more))
    r = s.get("http://h.test/")
    try:
        print(how(r), r.headers.get("late"), r.socket, s._connection_manager.available_socket_count)
    except Exception as error:
        print(type(error).__name__, [str(a) for a in error.args])
def all_of(n): return lambda r: b"".join(r.iter_content(n))
chunked = (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5;x=y\\r\\nhello\\r\\n1\\r\\n \\r\\nA\\r\\n0123456789\\r\\n"
           b"0\\r\\nLate: yes\\r\\n\\r\\n")
for most in (10**9, 1, 3, 50):
    for reply in (ok(), ok(b"x" * 1000), chunked, ok(b"")):
        for how in (lambda r: r.content, lambda r: r.text, all_of(1), all_of(7), all_of(5000)):
            read(reply, how, most=most)
for status in (b"204 No", b"304 Same"):
    read(b"HTTP/1.1 " + status + b"\\r\\n\\r\\n", lambda r: (r.status_code, r.content))
r = session(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1000\\r\\n\\r\\n").head("http://h.test/")
print(r.headers, r.content)
r = session(b"HTTP/1.1 304 Same\\r\\nContent-Length: 1000\\r\\n\\r\\n").get("http://h.test/")
print(r.headers, r.text)
for text in (b'{"a": [1, {"b": null}]}', b"[1.5, true]", b"[]", b'"x"'):
    print(session(ok(text)).get("http://h.test/").json())
read(ok(b"{"), lambda r: r.json())
read(ok(b"\\xff"), lambda r: r.text)
gzip = ok(b"\\x1f\\x8b", b"Content-Encoding: gzip\\r\\n")
read(gzip, lambda r: r.text)
read(gzip, lambda r: r.json())
read(gzip, lambda r: r.content)
read(ok(), lambda r: next(r.iter_content(2, True)))
read(ok(), lambda r: next(r.iter_content(2, decode_unicode=True)))
for first, second in (("content", "text"), ("text", "content")):
    read(ok(b"[1]"), lambda r: (getattr(r, first), getattr(r, second)))
read(ok(b"[1]"), lambda r: (r.text, r.json()))
read(ok(b"[1]"), lambda r: (r.content, r.json()))
read(ok(b"[1]"), lambda r: (r.content, next(r.iter_content())))
read(ok(b"[1]"), lambda r: (r.close(), r.content))
read(ok(b"[1]"), lambda r: (r.close(), r.close()))
def inside(r):
    with r as same:
        return same is r, same.content
read(ok(), inside)
""")


def test_socket_kinds(native):
    """Only recv(), only recv_into(), both; sockets that take little at a time, or say None."""
    out = native(PRELUDE + """
for kind in ({"only_recv": True}, {}, {"recv_too": True}, {"most": 3}, {"only_recv": True, "most": 1}):
    s = session(dict(reply=ok(b"body"), **kind))
    print(s.post("http://h.test/", data=b"0123456789").content, messages(pool.sockets[0])[0][2])
class Silent(Socket):
    def send(self, data):
        super().send(data)
class Pool2(Pool):
    def socket(self, *kind): return Silent({"reply": ok(b"n")})
print(adafruit_requests.Session(Pool2()).get("http://h.test/").text)
class Busy(Socket):
    calls = 0
    def send(self, data):
        Busy.calls += 1
        if Busy.calls % 2: raise OSError(11)
        return super().send(data[:7])
class Pool3(Pool):
    def socket(self, *kind):
        self.sockets.append(Busy({"reply": ok(b"b")}))
        return self.sockets[-1]
p = Pool3()
print(adafruit_requests.Session(p).post("http://h.test/", data=b"x" * 50).text, len(messages(p.sockets[0])[0][2]))
""")
    assert out == ["b'body' b'0123456789'"] * 5 + ["n", "b 50"]


def test_retries(both):
    out = both(PRELUDE + """
def go(*scripts):
    s = session(*scripts)
    try:
        r = s.get("http://h.test/")
        print("answer", r.text)
    except Exception as error:
        print(type(error).__name__, error, "|", type(error.__cause__).__name__, error.__cause__)
    print(s._connection_manager.managed_socket_count, s._connection_manager.available_socket_count)
go({"send": OSError(104)}, ok())
go({"send": RuntimeError("Failed to send")}, ok())
go({"send": OSError(104)}, {"send": RuntimeError("Failed to send")}, ok())
go(b"", ok())
go(b"SSH-2.0\\r\\n", ok())
go({"recv": OSError(116)}, ok())
go({"recv": OSError(116)}, {"recv": RuntimeError("odd")})
go(b"", b"", ok())
go(OSError("no socket"), ok())
go({"connect": OSError("no route")}, ok())
# a kept connection that the other side has given up
s = session({"reply": ok(b"one")}, {"reply": ok(b"two")})
print(s.get("http://h.test/1").text)
print(s.get("http://h.test/2").text, len(pool.sockets), s._connection_manager.managed_socket_count)
print(messages(pool.sockets[0])[1][0], messages(pool.sockets[1])[0][0])
""")
    assert "OutOfRetries Repeated socket failures | RuntimeError no data from socket" in out
    assert "OutOfRetries Repeated socket failures | OSError [Errno 5] Input/output error" in out
    assert out[-3:] == ["one", "two 2 1", "b'GET /2 HTTP/1.1' b'GET /2 HTTP/1.1'"]


def test_a_new_request_closes_the_last_response(both):
    out = both(PRELUDE + """
s = session(ok(b"one"), ok(b"two"))
first = s.get("http://a.test/")
second = s.get("http://b.test/")
print(attempt(lambda: first.content), attempt(lambda: first.text), first.socket, second.text)
print(isinstance(first, adafruit_requests.Response), adafruit_requests.OutOfRetries.__mro__[1].__name__)
for bad in ((), ("http://a.test/", None)):
    print(attempt(s.get, *bad)[0])
print(attempt(s.request, "GET")[0], attempt(s.get, "http://a.test/", nonsense=1)[0])
""")
    assert out[0] == ("('RuntimeError', ['Newer Response closed this one. Use Responses immediately.']) "
                      "('RuntimeError', ['Newer Response closed this one. Use Responses immediately.']) None two")
    assert out[1] == "True Exception"


REDIRECTS = PRELUDE + """
def to(where, status=302, body=b""):
    return (b"HTTP/1.1 %d Go\\r\\nLocation: %s\\r\\nContent-Length: %d\\r\\n\\r\\n" % (status, where, len(body))) + body
def go(*scripts, url="http://a.test/x/y/z?q", method="get", **kw):
    s = session(*scripts, ssl_context=Context())
    print(attempt(lambda: (lambda r: (r.status_code, r.text))(getattr(s, method)(url, **kw))))
    for n, sock in enumerate(pool.sockets): print("  ", n, messages(sock))
def same(first, *later): return {"reply": first, "later": later}
"""


def test_redirects(both):
    out = both(REDIRECTS + """
go(to(b"http://b.test/new"), ok(b"there"))
go(to(b"https://b.test/tls"), ok(b"tls"))
go(to(b"http://b.test/new"), ok(b"posted"), method="post", data=b"again")
go(to(b"http://b.test/new", 307), ok(b"posted"), method="put", json={"a": 1}, headers={"X": "y"})
go(to(b"http://b.test/new"), allow_redirects=False)
go(b"HTTP/1.1 300 Many\\r\\nContent-Length: 2\\r\\n\\r\\nno")
go(same(to(b"/abs?a=b", 301), ok(b"abs")))
go(same(to(b"rel", 307), ok(b"rel")))
go(same(to(b"../up", 308), ok(b"up")))
go(same(to(b"/1"), to(b"/2"), to(b"/3"), ok(b"far")))
""")
    assert "(200, 'there')" in out and "(302, '')" in out and "(200, 'far')" in out
    assert out[-1].count("HTTP/1.1") == 4


def test_redirects_put_right(native):
    """No end of them; credentials for others; a body again, from its start; 303; the rest of an answer."""
    out = native(REDIRECTS + """
import io
secret = {"Authorization": "x", "cookie": "y", "X-AIO-Key": "z", "Host": "a.test", "Keep": "k"}
go(to(b"http://b.test/"), to(b"http://a.test/"), ok(b"1"), headers=secret)
go(to(b"https://a.test/"), ok(b"2"), headers=secret)
go(to(b"http://a.test:81/"), ok(b"3"), headers=secret)
go(to(b"//b.test/p%20q r\\xc3\\xa9#gone"), ok(b"4"))
go(same(to(b"?only", body=b"ignored" * 99), ok(b"5")))
go(same(to(b"./a/../b", 301), ok(b"6")))
go(to(b"http://b.test/"), ok(b"7"), method="post", data=io.BytesIO(b"from a file"))
go(to(b"http://b.test/"), ok(b"8"), method="post", files={"f": (None, "v")})
go(same(to(b"/see", 303), ok(b"9")), method="post", data=b"form", headers={"Content-Type": "text/x"})
go(to(b"ftp://b.test/"))
class Loop(Pool):
    def socket(self, *kind):
        self.sockets.append(Socket({"reply": to(b"http://%d.test/" % len(self.sockets))}))
        return self.sockets[-1]
p = Loop()
s = adafruit_requests.Session(p)
print(attempt(s.get, "http://a.test/"), len(p.sockets), s._connection_manager.available_socket_count)
""")
    text = "\n".join(out)
    assert "Authorization" not in "".join(x for x in out[2:4]) and "Keep" in out[2]
    assert all(name in out[1] for name in ("Authorization", "cookie", "X-AIO-Key"))
    assert out[4] == "(200, '2')" and "Authorization" in out[6] and "Authorization" not in out[9]
    assert "b'GET /p%20q%20r%C3%A9 HTTP/1.1'" in text and "b'GET /x/y/z?only HTTP/1.1'" in text
    assert "b'GET /x/y/b HTTP/1.1'" in text
    assert text.count("b'from a file')") == 2 and text.count("name=\"f\"") == 2
    assert "(b'GET /see HTTP/1.1', [b'Host: a.test', b'User-Agent: Adafruit CircuitPython'], b'')" in text
    assert out[-2].startswith("   0") and out[-1] == "('RuntimeError', ['Too many redirects']) 21 21"


def test_put_right(native):
    """Sockets do not stay behind after a failure; what is left of a body does not reach the next answer."""
    out = native(PRELUDE + """
def counts(s): return s._connection_manager.managed_socket_count, s._connection_manager.available_socket_count
s = session(ok())
print(attempt(s.get, "http://h.test/", headers={"a": 1})[0], counts(s), attempt(lambda: s.get("http://h.test/").text))
s = session({"send": ValueError("odd")}, ok())
print(attempt(s.get, "http://h.test/"), counts(s), attempt(lambda: s.get("http://h.test/").text))
s = session(b"HTTP/1.1 two\\r\\n\\r\\n", ok())
print(attempt(s.get, "http://h.test/"), counts(s), attempt(lambda: s.get("http://h.test/").text))
s = session({"reply": ok(b"x" * 100)[:-50], "recv": OSError(116)}, ok(b"next"))
r = s.get("http://h.test/")
print(attempt(lambda: r.content), counts(s), s.get("http://h.test/").text)
s = session(ok(b"H" * 100)[:-50], ok(b"next"))
with s.get("http://h.test/") as r: print(r.status_code, counts(s))
print(counts(s), s.get("http://h.test/").text)
s = session({"reply": ok(b"unread"), "later": [ok(b"next")]})
with s.get("http://h.test/") as r: pass
print(counts(s), s.get("http://h.test/").text, len(pool.sockets))
s = session(ok(b"once", b"Connection: close\\r\\n"), ok(b"next"))
print(s.get("http://h.test/").text, counts(s), s.get("http://h.test/").text)
s = session(b"HTTP/1.1 200 OK\\r\\n\\r\\nuntil the end")
print(s.get("http://h.test/").text, counts(s))
s = session(ok(b"cut short")[:-4])
print(attempt(lambda: s.get("http://h.test/").content), counts(s))
s = session(ok(b"cut short")[:-4])
it = s.get("http://h.test/").iter_content(100)
print(next(it), attempt(next, it), attempt(next, it)[0])
r = session(ok(b"[1]")).get("http://h.test/")
print(r.json(), r.json() is r.json(), attempt(lambda: r.text)[1], attempt(lambda: r.content)[1])
s = session(ok(b"{"), ok(b"0"))
r = s.get("http://h.test/")
print(attempt(r.json)[0], r.text)
r = s.get("http://h.test/")
print(r.json(), r.json())
cm.connection_manager_close_all(pool)
s = session(ok(), ok())
r = s.get("http://a.test/", timeout=5)
cm.connection_manager_close_all(pool)
print(s.get("http://b.test/").text, r.close())
s = session({"reply": ok(), "later": [ok()]})
s.get("http://a.test/", timeout=5).text
log.clear()
s.get("http://a.test/", timeout=None)
print(len(log), log[0][1:])
for bad in ("http://h.test/\\r\\nX: y", "http://u:p@h.test/", "http://", "http:/h.test", "nothing", "http://h.test:0/",
            "http://h.test:x/", "http://h.test:99999/"):
    print(bad.encode(), attempt(session(ok()).get, bad)[0])
for bad in ({"a b": "c"}, {"a": "b\\r\\nc: d"}, {"Transfer-Encoding": "chunked"}, {"": "x"}, {1: "x"}):
    print(attempt(session(ok()).get, "http://h.test/", headers=bad)[0])
s = session(ok(), ok(), ok())
s.get("http://[2001:db8::1]:8080/x")
s.post("http://h.test:8080", headers={"Content-Length": "77"}, data=b"four").text
for sock in pool.sockets: print(messages(sock), log[-1])
s.get("http://g.test?x=1")
print(messages(pool.sockets[-1])[0][0], log[1][:3])
class Mine(adafruit_requests.Session):
    def request(self, method, url, **kw):
        print("mine", method, url, kw)
        return super().request(method, url, **kw)
pool = Pool({"reply": ok()})
print(Mine(pool).post("http://h.test/", data="x", timeout=3).text)
""")
    assert out[:16] == [
        "TypeError (0, 0) hello",
        "('ValueError', ['odd']) (0, 0) hello",
        "('RuntimeError', ['Unable to read HTTP response.']) (0, 0) hello",
        "('OSError', ['116']) (0, 0) next",
        "200 (1, 0)",
        "(0, 0) next",
        "(1, 1) next 1",
        "once (0, 0) next",
        "until the end (0, 0)",
        "('ConnectionResetError', ['104', 'the connection closed before the message was complete']) (0, 0)",
        "b'cut s' ('ConnectionResetError', ['104', 'the connection closed before the message was complete']) StopIteration",
        "[1] True ['Cannot access text after getting content or json'] ['Cannot access content after getting text or json']",
        "JSONDecodeError {",
        "0 0",
        "hello None",
        "1 ('settimeout', None)",
    ]
    assert [line.rsplit(" ", 1)[1] for line in out[16:24]] == ["ValueError"] * 8
    assert out[24:29] == ["ValueError"] * 4 + ["TypeError"]
    assert "b'Host: [2001:db8::1]:8080'" in out[29]
    assert "b'Content-Length: 4', b'Host: h.test:8080'" in out[30]
    assert out[31].startswith("b'GET /?x=1 HTTP/1.1'")
    assert out[32:] == ["mine POST http://h.test/ {'data': 'x', 'timeout': 3}", "hello"]


def test_stream_from_the_socket(both):
    """With stream=True at most 31 bytes behind the head are taken from whoever reads the socket himself."""
    out = both(PRELUDE + """
body = bytes(range(256)) * 4
r = session(ok(body, b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\\r\\n")).get("http://h.test/", stream=True)
buf, got = bytearray(100), b""
while n := r.socket.recv_into(buf):
    got += bytes(buf[:n])
print(body.endswith(got), len(body) - len(got) < 32, r.headers["content-length"])
r = session(ok(body)).get("http://h.test/", stream=True)
print([len(x) for x in r.iter_content(500)][-1] > 0, r.socket)
""")
    assert out == ["True True 1024", "True None"]


def test_fault_sweep(native):
    """Every call of a socket fails once with each kind of exception: the cause comes out, or the request came
    to its end; no connection stays in use, and the next request is answered."""
    out = native(PRELUDE + """
import io
class Odd(BaseException): pass
def flaky(method):
    def call(*args):
        global left, fired
        left -= 1
        if left == -1:
            fired = True
            raise error
        return method(*args)
    return call
class Flaky(Socket):
    def __init__(self, script):
        super().__init__(script)
        self.recv_into = flaky(self._recv_into)
    settimeout, connect, send = flaky(Socket.settimeout), flaky(Socket.connect), flaky(Socket.send)
class FlakyPool(Pool):
    def socket(self, *kind):
        s = Flaky({"reply": ok(b"x" * 3000), "later": [ok(b"y" * 10)] * 3, "most": 700})
        self.sockets.append(s)
        return s
def scenario(s):
    r = s.post("http://h.test/", data=io.BytesIO(b"z" * 5000))
    first = r.content
    with s.get("http://h.test/2") as r: pass
    return len(first), b"".join(s.get("http://h.test/3").iter_content(7))
total = 0
for error in (OSError(104), OSError(116), OSError(11), RuntimeError("run"), ValueError("value"), MemoryError(),
              KeyboardInterrupt(), Odd()):
    at = 0
    while True:
        left, fired = at, False
        pool = FlakyPool()
        s = adafruit_requests.Session(pool)
        try:
            result = scenario(s)
        except BaseException as raised:
            assert raised is error or raised.__cause__ is error or isinstance(raised.__cause__, OSError), repr(raised)
            result = None
        left = 10**9
        assert fired or result in ((3000, b"y" * 10), (3000, b"x" * 3000)), result
        m = s._connection_manager
        last = s._last_response
        in_use = m.managed_socket_count - m.available_socket_count
        assert in_use == (1 if last is not None and last.socket is not None else 0), (error, at, in_use)
        assert s.get("http://h.test/4").status_code == 200
        s._last_response.close()
        assert m.managed_socket_count == m.available_socket_count
        if not fired: break
        at += 1
        total += 1
print(total > 100)
""")
    assert out == ["True"]
