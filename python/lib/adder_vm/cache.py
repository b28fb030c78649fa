"""Compiled user code, kept under .adder/cache of the drive so that a warm start compiles nothing.

A file is named by a hash of source, shown name and Python's version, and carries a hash of its own
bytes: one that was cut short or changed is thrown away. Failing to write is no error: the drive may
be read-only."""

import _imp
import io
import marshal
import os as host_os
import sys as host_sys

from adder_vm import drive

FOLDER = host_os.path.join(drive.ROOT, drive.HIDDEN, "cache")
# Bump when compile flags change; the version keeps another Python's byte code apart.
KEY = int.from_bytes(b"adder02", "little") ^ host_sys.hexversion
FILES_MAX = 512


def _name(source: bytes, shown: str) -> str:
    digest = _imp.source_hash(KEY, source + b"\0" + shown.encode())
    return host_os.path.join(FOLDER, f"{digest.hex()}-{len(source):x}.bin")


def load(source: bytes, shown: str) -> object:
    """The code object, or None."""
    try:
        with io.open(_name(source, shown), "rb") as f:
            data = f.read()
        if len(data) > 8 and _imp.source_hash(KEY, data[8:]) == data[:8]:
            return marshal.loads(data[8:])
    except (OSError, ValueError, EOFError, TypeError):
        pass
    return None


def store(source: bytes, shown: str, code: object) -> None:
    body = marshal.dumps(code)
    name = _name(source, shown)
    part = f"{name}.{host_os.getpid()}"
    try:
        host_os.makedirs(FOLDER, exist_ok=True)
        _make_room()
        with io.open(part, "wb") as f:
            f.write(_imp.source_hash(KEY, body) + body)
        host_os.replace(part, name)
    except OSError:
        pass


def _make_room() -> None:
    """Old versions of edited files pile up: drop the least recently written half."""
    names = [host_os.path.join(FOLDER, n) for n in host_os.listdir(FOLDER)]
    if len(names) < FILES_MAX:
        return
    names.sort(key=host_os.path.getmtime)
    for name in names[: len(names) // 2]:
        host_os.remove(name)
