"""Streams: connections with read and write that are awaited; servers. And the waits of single sockets.

On which network? `pool=` of open_connection and start_server says so: any pool whose sockets take part in
select.poll. Without it: the board's own Wi-Fi."""

from . import core

# What a socket says when it has to wait (the board's numbers).
_AGAIN = (11, 119, 120)  # EAGAIN, EINPROGRESS, EALREADY
_READABLE = 1 | 8 | 16  # POLLIN, POLLERR, POLLHUP
_IS_CONNECTED = 127
_CHUNK = 1024


# ---- sockets ----


async def _wait(sock, error, writing=False):
    if not error.args or error.args[0] not in _AGAIN:
        raise error
    if writing:
        await core._io_queue.queue_write(sock)
    else:
        await core._io_queue.queue_read(sock)


async def sock_connect(sock, address):
    """A co-processor's sockets always wait in connect(), as programs know it; they have another for here."""
    sock.setblocking(False)
    connect = getattr(sock, "connect_nowait", None) or sock.connect
    while True:
        try:
            return connect(address)
        except OSError as e:
            if e.args and e.args[0] == _IS_CONNECTED:
                return None
            await _wait(sock, e, True)


async def sock_accept(sock):
    sock.setblocking(False)
    while True:
        try:
            found = sock.accept()
            found[0].setblocking(False)
            return found
        except OSError as e:
            await _wait(sock, e)


async def sock_recv_into(sock, buffer):
    """Asked before it is read: some sockets give 0 bytes both for "nothing yet" and for the end."""
    await core.fair
    while True:
        if not sock.poll_ready(_READABLE):
            await core._io_queue.queue_read(sock)
        try:
            return sock.recv_into(buffer)
        except OSError as e:
            await _wait(sock, e)


async def sock_recvfrom_into(sock, buffer):
    await core.fair
    while True:
        try:
            return sock.recvfrom_into(buffer)
        except OSError as e:
            await _wait(sock, e)


async def sock_sendall(sock, data):
    left = memoryview(data)
    while len(left):
        await core.fair
        try:
            left = left[sock.send(left):]
        except OSError as e:
            await _wait(sock, e, True)


# ---- streams ----


class Stream:
    """Both ends of a connection; reader and writer are the same object."""

    def __init__(self, s, e=None):
        self.s = s
        self.e = e or {}
        self._out = b""
        self._rest = b""  # received and not read yet
        self._ended = False

    def get_extra_info(self, name, default=None):
        return self.e.get(name, default)

    def close(self):
        pass

    async def wait_closed(self):
        self.s.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        if exception[0] is None:
            await self.drain()
        self.s.close()

    async def _more(self, n=_CHUNK):
        """Receive something; False at the end."""
        if not self._ended:
            buffer = bytearray(n)
            got = await sock_recv_into(self.s, buffer)
            if got:
                self._rest += memoryview(buffer)[:got]
                return True
            self._ended = True
        return False

    def _take(self, n):
        taken, self._rest = bytes(self._rest[:n]), self._rest[n:]
        return taken

    async def read(self, n=-1):
        """Up to n bytes, at least one before the end; n < 0: all until the end."""
        if n < 0:
            while await self._more():
                pass
            return self._take(len(self._rest))
        if not self._rest and n:
            await self._more(min(n, 16384))
        return self._take(n)

    async def readinto(self, buf):
        """Bytes put into buf, 0 = the end."""
        if self._rest:
            n = min(len(buf), len(self._rest))
            buf[:n] = self._take(n)
            return n
        return 0 if self._ended else await sock_recv_into(self.s, buf)

    async def readexactly(self, n):
        """Exactly n bytes; EOFError when the end comes before."""
        while len(self._rest) < n:
            if not await self._more(min(max(n - len(self._rest), 1), 16384)):
                raise EOFError
        return self._take(n)

    async def readline(self):
        """Up to and with a newline; less at the end."""
        seen = 0
        while True:
            at = self._rest.find(b"\n", seen)
            if at >= 0:
                return self._take(at + 1)
            seen = len(self._rest)
            if not await self._more():
                return self._take(len(self._rest))

    def write(self, buf):
        """Queue it; drain() sends. What can go out at once does where nothing waits before it."""
        if not self._out:
            try:
                buf = memoryview(buf)[self.s.send(buf):]
            except OSError as e:
                if not e.args or e.args[0] not in _AGAIN:
                    raise
        self._out += bytes(buf)

    async def awrite(self, buf):
        self.write(buf)
        await self.drain()

    async def drain(self):
        out, self._out = self._out, b""
        if out:
            await sock_sendall(self.s, out)
        else:
            await core.sleep_ms(0)


StreamReader = Stream
StreamWriter = Stream


def _default_pool():
    try:
        import wifi
    except ImportError:
        raise RuntimeError("which network? give pool=, a socket pool of the radio")
    import socketpool

    return socketpool.SocketPool(wifi.radio)


async def _addresses(pool, host, port):
    """What getaddrinfo() gives, without waiting where the pool can."""
    look = getattr(pool, "getaddrinfo_nowait", pool.getaddrinfo)
    while True:
        try:
            return look(host, port, 0, pool.SOCK_STREAM)
        except OSError as e:
            if not e.args or e.args[0] not in _AGAIN:
                raise
        await core.sleep_ms(2)


async def open_connection(host, port, ssl=None, *, server_hostname=None, pool=None):
    """(reader, writer) of a connection. ssl: a context, or True for the default one."""
    if pool is None:
        pool = _default_pool()
    family, _, _, _, address = (await _addresses(pool, host, port))[0]
    sock = pool.socket(family, pool.SOCK_STREAM)
    if ssl:
        if ssl is True:
            import ssl as ssl_module

            ssl = ssl_module.create_default_context()
        sock = ssl.wrap_socket(sock, server_hostname=server_hostname or host)
    try:
        await sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    stream = Stream(sock, {"peername": address})
    return stream, stream


class Server:
    """Made by start_server()."""

    def __init__(self, sock):
        self.s = sock
        self.task = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        self.close()
        await self.wait_closed()

    def close(self):
        self.task.cancel()

    async def wait_closed(self):
        try:
            await self.task
        except core.CancelledError:
            pass

    async def _serve(self, callback, ssl):
        try:
            while True:
                sock, address = await sock_accept(self.s)
                if ssl is not None:
                    sock = ssl.wrap_socket(sock, server_side=True)
                    sock.setblocking(False)
                stream = Stream(sock, {"peername": address})
                core.create_task(callback(stream, stream))
        finally:
            self.s.close()


async def start_server(callback, host, port, backlog=5, ssl=None, *, pool=None):
    """Call callback(reader, writer), a coroutine, as a task for each connection."""
    if pool is None:
        pool = _default_pool()
    sock = pool.socket(pool.AF_INET, pool.SOCK_STREAM)
    sock.setsockopt(pool.SOL_SOCKET, pool.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(backlog)
    server = Server(sock)
    server.task = core.create_task(server._serve(callback, ssl))
    return server
