"""CircuitPython libraries from PyPI into a project: the work behind `adder lib` and requirements.txt.

Runs in the system's Python, apart from the board's interpreter:

    python3 -I -c <this file> add DRIVE [--upgrade] NAME...
    python3 -I -c <this file> ensure DRIVE [MODULE...]
                                      requirements.txt -> .adder/lib, silent when all is there; but for the
                                      modules named: the firmware has them
    python3 -I -c <this file> list DRIVE
    python3 -I -c <this file> remove DRIVE NAME...

pip fetches and checks each package (--no-deps); which packages are needed is decided here, because
what Adafruit's metadata asks for on a PC (Blinka and the like) is what the board itself provides.
Exit codes as in host/cli.h."""

import difflib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OK, FAILED, USAGE, OFFLINE = 0, 1, 2, 4
PREFIX = "adafruit-circuitpython-"
RECORD = ".adder.json"  # what we put into a lib folder: {"package": {"version", "files"}}

# Packages whose name does not follow from the module's.
SPECIAL = {
    "button": "display-button", "connection-manager": "connectionmanager", "io": "adafruitio",
    "adafruit-io": "adafruitio", "aws-iot": "aws-iot", "gc-iot-core": "gc-iot-core", "bus-device": "busdevice",
    "pixel-buf": "pixelbuf", "circuitplayground": "circuitplayground", "fake-requests": "fakerequests",
}

# The board's firmware has these, or CircuitPython does without them.
NOT_NEEDED = re.compile(
    r"adafruit-(blinka|platformdetect|pureio|blinka-displayio|blinka-bleio)\b.*|"
    r"adafruit-circuitpython-(busdevice|pixelbuf|pypixelbuf|typing)|"
    r"pyserial|typing-extensions|typing|sysv-ipc|rpi-ws281x|pyftdi|libusb.*|toml|pillow|requests|numpy|binho.*|"
    r"importlib-metadata|setuptools|wheel|pyusb|smbus2?")


# Module names that users know, for "did you mean".
COMMON_LIBRARIES = """
    adafruit_adt7410 adafruit_ahtx0 adafruit_apds9960 adafruit_atecc adafruit_aws_iot adafruit_azureiot
    adafruit_binascii adafruit_bitmap_font adafruit_bme280 adafruit_bme680 adafruit_bmp280 adafruit_button
    adafruit_bus_device adafruit_connection_manager adafruit_datetime adafruit_debouncer adafruit_dht
    adafruit_display_button adafruit_display_shapes adafruit_display_text adafruit_displayio_layout
    adafruit_ds18x20 adafruit_ds3231 adafruit_esp32spi adafruit_fakerequests adafruit_fancyled
    adafruit_focaltouch adafruit_fruitjam adafruit_gc_iot_core adafruit_gps adafruit_hashlib
    adafruit_hid adafruit_httpserver adafruit_ili9341 adafruit_imageload adafruit_io adafruit_itertools
    adafruit_jwt adafruit_led_animation adafruit_lis3dh adafruit_logging adafruit_lsm6ds adafruit_max31865
    adafruit_mcp9808 adafruit_minimqtt adafruit_motor adafruit_mpu6050 adafruit_ntp adafruit_oauth2
    adafruit_pcf8523 adafruit_pixel_framebuf adafruit_portalbase adafruit_progressbar adafruit_pypixelbuf
    adafruit_pyportal adafruit_register adafruit_requests adafruit_rfm9x adafruit_rgb_display adafruit_rsa
    adafruit_rtttl adafruit_scd30 adafruit_scd4x adafruit_sdcard adafruit_seesaw adafruit_sgp30
    adafruit_sht31d adafruit_shtc3 adafruit_si7021 adafruit_simple_text_display adafruit_slideshow
    adafruit_ssd1306 adafruit_st7735r adafruit_st7789 adafruit_stmpe610 adafruit_ticks adafruit_tinylora
    adafruit_touchscreen adafruit_tsc2007 adafruit_tsl2591 adafruit_veml7700 adafruit_vl53l0x
    adafruit_wiznet5k asyncio neopixel simpleio
""".split()


class Problem(Exception):
    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


def say(text: str) -> None:
    print(f"adder: {text}", file=sys.stderr, flush=True)


# ---- names ----


def normal(name: str) -> str:
    """PyPI's own form of a name (PEP 503)."""
    return re.sub(r"[-_.\s]+", "-", name).strip("-").lower()


def split_requirement(line: str) -> "tuple[str, str]":
    """("Adafruit CircuitPython MiniMQTT", ">=7") of a requirement."""
    m = re.match(r"\s*([A-Za-z0-9][\w .-]*?)\s*(\[[^]]*\])?\s*([<>=!~].*)?$", line.partition(";")[0])
    if not m:
        raise Problem(f'"{line.strip()}" is not the name of a library', USAGE)
    return m.group(1), (m.group(3) or "").replace(" ", "")


def package_of(name: str) -> str:
    """The package that a library is published as, from any spelling of its name."""
    short = normal(name)
    for prefix in (PREFIX, "circuitpython-adafruit-", "adafruit-"):
        if short.startswith(prefix):
            short = short[len(prefix):]
            break
    else:
        if short.startswith("circuitpython-"):
            return short  # a library of the community bundle
    return PREFIX + SPECIAL.get(short, short)


def other_spellings(package: str) -> "list[str]":
    """What else to try when PyPI does not know the package: words joined."""
    short = package[len(PREFIX):] if package.startswith(PREFIX) else package
    return [PREFIX + short.replace("-", "")] if "-" in short else []


# ---- records of a lib folder ----


def read_record(lib: Path) -> dict:
    try:
        record = json.loads((lib / RECORD).read_text())
        return record if isinstance(record, dict) else {}
    except (OSError, ValueError):
        return {}


def write_record(lib: Path, record: dict) -> None:
    part = lib / (RECORD + ".part")
    part.write_text(json.dumps(dict(sorted(record.items())), indent=1) + "\n")
    part.replace(lib / RECORD)


def module_guesses(package: str) -> "list[str]":
    short = package[len(PREFIX):] if package.startswith(PREFIX) else package
    stem = short.replace("-", "_")
    joined = short.replace("-", "")
    special = [k.replace("-", "_") for k, v in SPECIAL.items() if v == short]
    return [f"adafruit_{s}" for s in (stem, joined, *special)] + [stem, joined]


def is_there(lib: Path, package: str) -> bool:
    """In a lib folder, by our record or by its file (a copy made by hand)."""
    if package in read_record(lib):
        return all((lib / f).exists() for f in read_record(lib)[package].get("files", []))
    return any((lib / f"{m}.py").is_file() or (lib / m).is_dir() for m in module_guesses(package))


# ---- pip ----


def pip_install(requirements: "list[str]", target: Path, upgrade: bool) -> "tuple[int, str]":
    command = [sys.executable or "/usr/bin/python3", "-I", "-m", "pip", "install", "--no-deps", "--no-compile", "--no-input",
               "--disable-pip-version-check", "--retries", "1", "--timeout", "10", "--progress-bar", "off",
               "--target", str(target), *requirements]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace")
    except OSError as e:
        raise Problem(f"cannot start Python's installer: {e}") from None
    return run.returncode, run.stdout


def is_offline(output: str) -> bool:
    return bool(re.search(r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Max retries exceeded|"
                          r"Temporary failure in name resolution|Network is unreachable|ProxyError|Connection refused",
                          output))


def explain(package: str, output: str) -> Problem:
    if "No module named pip" in output:
        return Problem("Python's installer is missing: apt-get install python3-pip")
    if is_offline(output):
        return Problem(f"PyPI cannot be reached, so {package} cannot be brought; it is needed once only", OFFLINE)
    if re.search(r"No matching distribution|Could not find a version|HTTP error 404|404 Client Error", output):
        if re.search(r"from versions: (?!none)", output):
            return Problem(f"PyPI has no such version of {package}")
        near = did_you_mean(package)
        return Problem(f"PyPI has no library {package}" + (f"; did you mean {near}?" if near else ""))
    lines = [l for l in output.splitlines() if l.strip()]
    return Problem(f"{package} could not be installed: {lines[-1] if lines else 'pip failed'}")


def did_you_mean(package: str) -> "str | None":
    short = {package_of(n): n for n in COMMON_LIBRARIES}
    near = difflib.get_close_matches(package, short, 1, 0.75)
    return short[near[0]] if near else None


def fetch(package: str, spec: str, folder: Path, upgrade: bool) -> Path:
    """Install one package alone into a folder of its own; the folder."""
    output = ""
    for number, name in enumerate([package, *other_spellings(package)]):
        target = folder / f"{package}-{number}"
        code, out = pip_install([name + spec], target, upgrade)
        if code == 0:
            return target
        output = output or out
        if is_offline(out):
            break
    raise explain(package, output)


# ---- installing ----


def metadata(target: Path) -> "tuple[str, str, list[str]]":
    """(package, version, needed packages) of what pip put there."""
    for info in target.glob("*.dist-info"):
        name, version, needs = "", "", []
        for line in (info / "METADATA").read_text(errors="replace").splitlines():
            if not line:
                break  # the description follows
            key, _, value = line.partition(":")
            if key == "Name":
                name = normal(value)
            elif key == "Version":
                version = value.strip()
            elif key == "Requires-Dist" and "extra ==" not in value.replace("'", '"'):
                needs.append(normal(re.match(r"\s*([\w.-]+)", value).group(1)))
        return name, version, needs
    raise Problem("pip left no metadata")


def move_in(target: Path, lib: Path) -> "list[str]":
    """Its modules into the lib folder; their names."""
    files = []
    for item in sorted(target.iterdir()):
        if item.name.endswith(".dist-info") or item.name in ("bin", "__pycache__", "examples", "tests", "docs"):
            continue
        if not (item.is_dir() or item.suffix == ".py"):
            continue
        place = lib / item.name
        if place.is_dir():
            shutil.rmtree(place)
        elif place.exists():
            place.unlink()
        for old in (lib / f"{item.stem}.mpy",):  # the compiled twin would only confuse
            if old.exists():
                old.unlink()
        shutil.move(str(item), place)
        files.append(item.name)
    return files


def install(wanted: "dict[str, str]", lib: Path, have: "list[Path]", upgrade: bool,
            native: "set[str]" = frozenset()) -> "list[str]":
    """The wanted packages ({package: version spec}) and all they need, but for the native ones. Returns "name version" of what
    came."""
    from concurrent.futures import ThreadPoolExecutor

    lib.mkdir(parents=True, exist_ok=True)
    came: "list[str]" = []
    seen: "set[str]" = set()
    level = dict(wanted)
    with tempfile.TemporaryDirectory(prefix="adder-lib-") as scratch, ThreadPoolExecutor(4) as pool:
        while level:
            seen |= set(level)
            todo = {p: s for p, s in level.items()
                    if (upgrade and p in wanted) or not any(is_there(place, p) for place in have)}
            jobs = {p: pool.submit(fetch, p, s, Path(scratch), upgrade) for p, s in todo.items()}
            level = {}
            for package, job in jobs.items():
                try:
                    target = job.result()
                except Problem:
                    pool.shutdown(wait=False, cancel_futures=True)  # without a network each would wait anew
                    raise
                name, version, needs = metadata(target)
                files = move_in(target, lib)
                record = read_record(lib)
                record[name] = {"version": version, "files": files}
                write_record(lib, record)
                say(f"  {name} {version}: {', '.join(files)}")
                came.append(f"{name} {version}")
                seen.add(name)
                for need in needs:
                    if need in seen or need in native or NOT_NEEDED.fullmatch(need):
                        continue
                    if need.startswith((PREFIX, "circuitpython-")):
                        level[need] = ""
    return came


# ---- commands ----


def add(drive: Path, names: "list[str]", upgrade: bool) -> int:
    wanted = {}
    for given in names:
        name, spec = split_requirement(given)
        package = package_of(name)
        if NOT_NEEDED.fullmatch(package) or NOT_NEEDED.fullmatch(normal(name)) and not normal(name) == "requests":
            say(f"{given}: nothing to do, the board has it built in (or CircuitPython does without)")
            continue
        wanted[package] = spec
    if not wanted:
        return OK
    lib = drive / "lib"
    say(f"bringing {', '.join(wanted)} from PyPI into {lib}")
    came = install(wanted, lib, [lib], upgrade)
    if not came:
        say("already there (--upgrade brings the newest)")
    return OK


def requirements(drive: Path) -> "dict[str, str]":
    wanted = {}
    for number, line in enumerate((drive / "requirements.txt").read_text(errors="replace").splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        if line.startswith("-") or "://" in line or "@" in line:
            say(f"requirements.txt:{number}: only names of libraries are understood, not \"{line}\"")
            continue
        try:
            name, spec = split_requirement(line)
        except Problem as e:
            raise Problem(f"requirements.txt:{number}: {e}", USAGE) from None
        package = package_of(name)
        if not NOT_NEEDED.fullmatch(package) and not NOT_NEEDED.fullmatch(normal(name)):
            wanted[package] = spec
    return wanted


def ensure(drive: Path, modules: "list[str]") -> int:
    text = (drive / "requirements.txt").read_bytes()
    wanted = requirements(drive)
    native = {package_of(name.partition(".")[0]) for name in modules}
    cache = drive / ".adder" / "lib"
    have = [drive / "lib", cache]
    missing = [p for p in wanted if p not in native and not any(is_there(place, p) for place in have)]
    if missing:
        say(f"requirements.txt names {len(missing)} {'library' if len(missing) == 1 else 'libraries'} not here yet; "
            "bringing them from PyPI, once")
        install({p: wanted[p] for p in missing}, cache, have, False, native)
    cache.mkdir(parents=True, exist_ok=True)
    (drive / ".adder" / f"requirements.{'seen' if modules else 'all.seen'}").write_bytes(text)
    return OK


def show(drive: Path) -> int:
    lib = drive / "lib"
    record = read_record(lib)
    known = {f for entry in record.values() for f in entry.get("files", [])}
    for package, entry in sorted(record.items()):
        print(f"{package} {entry.get('version', '?')}: {', '.join(entry.get('files', []))}")
    for item in sorted(lib.iterdir()) if lib.is_dir() else []:
        if not item.name.startswith(".") and item.name not in known and item.name != "__pycache__":
            print(f"{item.name} (copied by hand)")
    return OK


def remove(drive: Path, names: "list[str]") -> int:
    lib = drive / "lib"
    record = read_record(lib)
    code = OK
    for given in names:
        package = package_of(given)
        entry = record.pop(package, None)
        files = entry["files"] if entry else [n for n in (given, given + ".py", given + ".mpy") if (lib / n).exists()]
        if not files or any("/" in f or f.startswith(".") for f in files):
            near = difflib.get_close_matches(package, record, 1, 0.6)
            say(f"{given} is not in {lib}" + (f"; did you mean {near[0]}?" if near else ""))
            code = FAILED
            continue
        for f in files:
            place = lib / f
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        say(f"removed {', '.join(files)}")
    if record or (lib / RECORD).exists():
        write_record(lib, record)
    return code


def main(args: "list[str]") -> int:
    command, drive, *rest = args
    upgrade = "--upgrade" in rest
    names = [a for a in rest if a != "--upgrade"]
    folder = Path(drive)
    if command == "ensure":
        return ensure(folder, names)
    if command == "list":
        return show(folder)
    if command == "add":
        return add(folder, names, upgrade)
    if command == "remove":
        return remove(folder, names)
    raise Problem(f"unknown command {command}", USAGE)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        say(str(problem))
        sys.exit(problem.code)
    except OSError as problem:
        say(f"{problem.filename or ''}: {problem.strerror or problem}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(FAILED)
