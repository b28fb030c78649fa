"""CircuitPython's import rules over the drive.

Order for a top-level name: what is built into the board's firmware (our overlays, the native
modules, the parts of CPython's library that CircuitPython has too), then sys.path, then the
libraries brought for requirements.txt. Adder's native drop-ins for library modules
(adafruit_minimqtt, ...) count as firmware, with --no-native as a last resort."""

import builtins as host_builtins
import importlib
import io
import sys as host_sys

import _adder_vm

from adder_vm import cache, dialect, drive, errors
from adder_vm.names import CORE, SHARED_STDLIB

ModuleType = type(host_sys)

# The program's sys.modules and sys.path.
modules: "dict[str, ModuleType]" = {}
path: "list[str]" = ["", "/", ".frozen", "/lib"]

# name -> function that fills the module; see overlays.py
overlays: "dict[str, object]" = {}

_native_names = frozenset(n for n in host_sys.builtin_module_names)
_natives_first = _adder_vm.native

builtins: "dict[str, object]" = {}


def setup() -> None:
    """Make the builtins of user code."""
    builtins.update(vars(host_builtins))
    for name in ("copyright", "credits", "license", "exit", "quit", "breakpoint", "aiter", "anext"):
        builtins.pop(name, None)
    builtins["__import__"] = user_import
    builtins["open"] = drive.open
    builtins[dialect.STR_OF] = dialect.str_of
    errors.user_builtins = builtins


def new_module(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__builtins__ = builtins
    return module


def run_source(module: ModuleType, host: str, shown: str) -> None:
    """Execute a file of the drive in a module; `shown` is its name in tracebacks."""
    with io.open(host, "rb") as f:
        source = f.read()
    code = cache.load(source, shown)
    if code is None:
        code = dialect.compile_user(source, shown)
        cache.store(source, shown, code)
    exec(code, module.__dict__)


# ---- finding ----


class _Found:
    """A file or folder that provides a module."""

    def __init__(self, kind: str, host: str, shown: str) -> None:
        self.kind, self.host, self.shown = kind, host, shown


def _look(host_folder: str, shown_folder: str, name: str) -> "_Found | None":
    is_folder, is_file = drive.host_os.path.isdir, drive.host_os.path.isfile
    base = host_folder + "/" + name
    for kind, ending, there in (("package", "", is_folder), ("source", ".py", is_file), ("mpy", ".mpy", is_file)):
        if there(base + ending) and drive.is_inside(base + ending):
            return _Found(kind, base + ending, shown_folder + name + ending)
    return None


def _folders(search: "list[str]") -> "list[tuple[str, str]]":
    """(folder on the PC, how the program calls it) for every usable entry of a search path."""
    out = []
    for entry in search:
        if entry == ".frozen" or not isinstance(entry, str):
            continue
        try:
            host = drive.host_path(entry or drive.getcwd())
        except (OSError, ValueError):
            continue
        out.append((host, entry if not entry or entry.endswith("/") else entry + "/"))
    return out


def _find(name: str, search: "list[str]", cached: "str | None") -> "_Found | None":
    """The first hit; source further on is preferred to an .mpy that cannot run here. `cached` is the
    folder to end the search with."""
    places = _folders(search)
    if cached is not None:
        places.append((cached, "/lib/"))
    refused = None
    for host, shown in places:
        found = _look(host, shown, name)
        if found is None:
            continue
        if found.kind != "mpy":
            return found
        refused = refused or found
    return refused


def _package_paths(package: ModuleType) -> "list[str]":
    where = getattr(package, "__path__", None)
    return [where] if isinstance(where, str) else list(where or ())


# ---- loading ----


def _no_module(name: str) -> ImportError:
    e = ImportError(f"no module named '{name}'", name=name)
    top = name.partition(".")[0]
    if top in host_sys.stdlib_module_names:
        e.adder_hint = f"'{top}' is part of Python on a PC, but not of CircuitPython."
    elif top.startswith(("adafruit_", "neopixel", "asyncio")):
        e.adder_hint = f"./adder lib add {top}   brings the library to the drive's lib folder."
    return e


def _load_overlay(name: str) -> ModuleType:
    module = new_module(name)
    modules[name] = module  # before filling: overlays import each other
    try:
        module.__dict__.update(overlays[name]())
    except BaseException:
        del modules[name]
        raise
    return module


def _load_found(name: str, found: _Found, parent: "ModuleType | None" = None) -> ModuleType:
    if found.kind == "mpy":
        e = ImportError(f"'{found.shown}' is compiled for a board; Adder runs .py files", name=name)
        e.adder_hint = f"./adder lib add {name.partition('.')[0]}   brings the library as source."
        raise e
    module = new_module(name)
    host, shown = found.host, found.shown
    if found.kind == "package":
        module.__path__ = shown
        module.__package__ = name
        host, shown = host + "/__init__.py", shown + "/__init__.py"
    else:
        module.__package__ = name.rpartition(".")[0]
    module.__file__ = shown
    module.__adder_host__ = found.host
    modules[name] = module
    leaf = name.rpartition(".")[2]
    if parent is not None:
        setattr(parent, leaf, module)  # before it runs: modules of a package that import each other need it
    try:
        if found.kind != "package" or drive.host_os.path.isfile(host):
            run_source(module, host, shown)
    except BaseException:
        modules.pop(name, None)
        if parent is not None:
            vars(parent).pop(leaf, None)
        raise
    return modules.get(name, module)  # a module may replace itself


def _is_native(name: str) -> bool:
    """A native module of ours; CPython's own C modules are not the program's business."""
    return name in _adder_vm.libraries or (name in _native_names and name not in host_sys.stdlib_module_names
                                           and not name.startswith("_adder"))


def _load_native(name: str) -> ModuleType:
    """What is compiled in. A library of the firmware that is written in Python runs as one on the drive
    would, by the program's own rules of import."""
    if name not in _adder_vm.libraries:
        return importlib.import_module(name)
    module = new_module(name)
    module.__file__ = name.replace(".", "/") + ".py"
    module.__package__ = name.rpartition(".")[0]
    if any(other.startswith(name + ".") for other in _native_names):
        module.__file__ = module.__file__.removesuffix(".py") + "/__init__.py"
        module.__path__ = name.replace(".", "/")
        module.__package__ = name
    modules[name] = module
    try:
        _adder_vm.exec_module(module)
    except BaseException:
        del modules[name]
        raise
    return module


def _load_top(name: str) -> ModuleType:
    if name in overlays:
        return _load_overlay(name)
    if "_adder_" + name in _native_names:  # a native module whose name CPython's library has too
        return importlib.import_module("_adder_" + name)
    if name in SHARED_STDLIB:
        return importlib.import_module(name)
    native = _is_native(name)
    if native and (_natives_first or name in CORE):
        return _load_native(name)
    found = _find(name, path, drive.LIBRARY_CACHE)
    if found is not None and not (found.kind == "mpy" and native):
        return _load_found(name, found)
    if native:
        return _load_native(name)
    raise _no_module(name)


def _load_sub(name: str, parent: ModuleType) -> ModuleType:
    if name in overlays:
        return _load_overlay(name)
    host = getattr(parent, "__adder_host__", None)
    if _is_native(name) and (host is None or _natives_first):
        return _load_native(name)
    leaf = name.rpartition(".")[2]
    found = None
    if host is not None and drive.host_os.path.isdir(host):
        where = _package_paths(parent)
        found = _look(host, (where[0] if where else "") + "/", leaf)
    elif host is None and name.count(".") == 1:  # what the firmware's package lacks may be in a copy of the library
        package = _find(parent.__name__, path, drive.LIBRARY_CACHE)
        if package is not None and package.kind == "package":
            found = _look(package.host, package.shown + "/", leaf)
    if found is None:
        raise _no_module(name)
    return _load_found(name, found, parent)


def load(name: str) -> ModuleType:
    """The module of a dotted name, its parents loaded first."""
    module = modules.get(name)
    if module is not None:
        return module
    head, _, leaf = name.rpartition(".")
    parent = load(head) if head else None
    if parent is not None and not hasattr(parent, "__path__"):
        raise _no_module(name)
    module = modules.get(name)
    if module is None:
        module = _load_top(name) if parent is None else _load_sub(name, parent)
        modules.setdefault(name, module)
    if parent is not None:
        setattr(parent, leaf, module)
    return module


def _absolute_name(name: str, scope: "dict | None", level: int) -> str:
    package = (scope or {}).get("__package__")
    if package is None:
        package = (scope or {}).get("__name__", "")
        if "__path__" not in (scope or {}):
            package = package.rpartition(".")[0]
    for _ in range(level - 1):
        package = package.rpartition(".")[0]
    if not package:
        raise ImportError("can't perform relative import")
    return f"{package}.{name}" if name else package


def user_import(name: str, globals: "dict | None" = None, locals: object = None, fromlist: tuple = (),
                level: int = 0) -> ModuleType:
    """__import__ of user code."""
    full = _absolute_name(name, globals, level) if level else name
    if not full:
        raise ValueError("Empty module name")
    module = load(full)
    if not fromlist:
        return module if level else load(full.partition(".")[0])
    if hasattr(module, "__path__"):
        for item in fromlist:
            if item != "*" and not hasattr(module, item):
                try:
                    load(f"{full}.{item}")
                except ImportError as e:
                    if e.name != f"{full}.{item}":
                        raise
    return module


def native_names() -> "list[str]":
    return [n for n in _native_names if _is_native(n)]
