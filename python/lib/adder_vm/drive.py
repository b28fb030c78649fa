"""The CIRCUITPY drive: a folder of the PC that is "/" to the program. Nothing of the PC outside that
folder can be named, neither by ".." nor through a symbolic link."""

import io
import os as host_os

import _adder_vm

from adder_vm import names

ROOT = host_os.path.realpath(_adder_vm.drive)
HIDDEN = ".adder"  # our caches, at the top of the drive; the program does not see them
LIBRARY_CACHE = host_os.path.join(ROOT, HIDDEN, "lib")

_cwd = "/"

# The texts of CircuitPython; every other number of the board is shown by its name.
ERROR_TEXTS = {number: name for name, number in names.ERRNO.items()} | {
    1: "Operation not permitted", 2: "No such file/directory", 5: "Input/output error", 13: "Permission denied",
    17: "File exists", 19: "No such device", 22: "Invalid argument", 28: "No space left on device",
    30: "Read-only filesystem",
}


def error(number: int, path: "str | None" = None) -> OSError:
    text = ERROR_TEXTS.get(number) or host_os.strerror(number)
    return OSError(number, text) if path is None else OSError(number, text, path)


def absolute(path: str) -> str:
    """The path from "/", without "." and ".."; ".." at the top stays there."""
    if not isinstance(path, str):
        raise TypeError(f"can't convert '{type(path).__name__}' object to str implicitly")
    if "\0" in path:
        raise ValueError("embedded null character")
    parts: "list[str]" = []
    for part in (path if path.startswith("/") else _cwd + "/" + path).split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part and part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


def _same_name(folder: str, name: str) -> str:
    """The drive is FAT: names match whatever their case."""
    if host_os.path.lexists(folder + "/" + name):
        return name
    try:
        wanted = name.casefold()
        return next((n for n in host_os.listdir(folder) if n.casefold() == wanted), name)
    except OSError:
        return name


def host_path(path: str) -> str:
    """The PC's path of a path of the drive. OSError 2 when it leads out of the drive."""
    wanted = absolute(path)
    if wanted == "/":
        return ROOT
    at = ROOT
    for part in wanted[1:].split("/"):
        at = at + "/" + _same_name(at, part)
    if at == ROOT + "/" + HIDDEN or at.startswith(ROOT + "/" + HIDDEN + "/"):
        raise error(2, path)
    if not is_inside(at):
        raise error(2, path)
    return at


def is_inside(host: str) -> bool:
    """False for what a symbolic link leads out of the drive to."""
    real = host_os.path.realpath(host)
    return real == ROOT or real.startswith(ROOT.rstrip("/") + "/")


def require_writable() -> None:
    if not _adder_vm.writable():
        raise error(30)


def open(path: "str | int", mode: str = "r", buffering: int = -1, encoding: "str | None" = None,
         **ignored: object) -> io.IOBase:
    """open() of the program: text is UTF-8 and its line ends are left alone, as on a board."""
    if isinstance(path, int):
        raise error(19)
    if any(c in mode for c in "wax+"):
        require_writable()
    host = host_path(path)
    try:
        if "b" in mode:
            return io.open(host, mode)
        return io.open(host, mode, encoding="utf-8", errors="surrogateescape", newline="\n")
    except OSError as e:
        raise error(e.errno, path) from None


# ---- the functions of `os` ----


def _call(function: object, *paths: str, write: bool = True) -> object:
    hosts = [host_path(p) for p in paths]
    if write:
        require_writable()
    try:
        return function(*hosts)
    except OSError as e:
        raise error(e.errno) from None


def chdir(path: str) -> None:
    global _cwd
    if not host_os.path.isdir(host_path(path)):
        raise error(2)
    _cwd = absolute(path)


def getcwd() -> str:
    return _cwd


def listdir(path: str = "") -> "list[str]":
    names = _call(host_os.listdir, path or _cwd, write=False)
    at_root = absolute(path or _cwd) == "/"
    return sorted(n for n in names if not (at_root and n == HIDDEN))


def mkdir(path: str) -> None:
    _call(host_os.mkdir, path)


def remove(path: str) -> None:
    if host_os.path.isdir(host_path(path)):
        raise error(21)
    _call(host_os.remove, path)


def rmdir(path: str) -> None:
    _call(host_os.rmdir, path)


def rename(old: str, new: str) -> None:
    if host_os.path.lexists(host_path(new)):
        raise error(17)
    _call(host_os.rename, old, new)


def _dos_time(seconds: float) -> int:
    return int(seconds) & ~1  # FAT keeps even seconds


def stat(path: str) -> tuple:
    real = _call(host_os.stat, path, write=False)
    folder = (real.st_mode & 0o170000) == 0o040000
    when = _dos_time(real.st_mtime)
    return (0x4000 if folder else 0x8000, 0, 0, 0, 0, 0, 0 if folder else real.st_size, when, when, when)


def statvfs(path: str) -> tuple:
    """As of a freshly formatted 8 MB flash drive with these files on it."""
    host_path(path)
    block, total, used = 512, 16000, 0
    for folder, folders, files in host_os.walk(ROOT):
        folders[:] = [f for f in folders if not (folder == ROOT and f == HIDDEN)]
        for name in files:
            try:
                used += (host_os.lstat(folder + "/" + name).st_size + block - 1) // block
            except OSError:
                pass
        if used >= total:
            break
    free = max(0, total - used)
    return (block, block, total, free, free, 0, 0, 0, 0, 255)


def sync() -> None:
    pass


def utime(path: str, times: tuple) -> None:
    _call(lambda host: host_os.utime(host, times), path)
