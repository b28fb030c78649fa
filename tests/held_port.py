"""A port of this computer for a server of a test."""

from __future__ import annotations

import socket

_held: list[socket.socket] = []


def hold_port() -> int:
    """A TCP port of 127.0.0.1 that no other program draws while this one runs, also where the server on it comes and
    goes. The server must set SO_REUSEADDR, as nearly all do.

    A socket is bound to it and stays so without listening: the kernel gives such a port to nobody who asks for any,
    but lets in who names it and has the option set."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # behind bind(), or the port might be another such one's
    _held.append(s)
    return int(s.getsockname()[1])
