#!/usr/bin/python3
"""Code, data and stack bytes of each module of src/ on a Cortex-M build, and the rules that are read
off the objects: no writable data, no heap, no input or output.

    sizes.py BUILD_DIR...          (configured by a cortex-m preset)

The stack column is the deepest chain of calls that starts in the module, from the compiler's own call
graph; "+" = the chain holds a call through a pointer (a bus operation, a callback), whose own depth
comes on top; "r" = it holds a recursion, counted once. "deepest" is the function that starts it."""

import re
import subprocess
import sys
from pathlib import Path

FORBIDDEN = re.compile(r"^(_?(malloc|calloc|realloc|free|sbrk)(_r)?|f?printf|puts|putchar|fopen|fwrite|"
                       r"time|clock|gettimeofday|getenv|exit|abort|rand|srand)$")
NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^\\"]*)\\n[^"]*?(?:\\n(\d+) bytes \((\w+)[^"]*\))?"')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


class CallGraph:
    def __init__(self, folder):
        self.frame, self.label, self.calls, self.dynamic, self.home = {}, {}, {}, set(), {}
        for path in folder.rglob("*.ci"):
            for line in path.read_text().splitlines():
                if m := NODE.match(line):
                    title, label, size, kind = m.groups()
                    if size is not None:
                        self.frame[title] = int(size)
                        self.label[title] = label
                        self.home[title] = path
                        if kind.startswith("dynamic"):
                            self.dynamic.add(label)
                elif m := EDGE.match(line):
                    self.calls.setdefault(m[1], []).append(m[2])
        self.known = {}

    def depth(self, title, trail=()):
        """(bytes, marks) of the deepest chain from a function."""
        if title == "__indirect_call":
            return 0, "+"
        if title in trail:
            return 0, "r"
        if title in self.known:
            return self.known[title]
        deepest, marks = 0, ""
        for target in self.calls.get(title, ()):
            size, more = self.depth(target, (*trail, title))
            marks += more
            deepest = max(deepest, size)
        result = self.frame.get(title, 0) + deepest, "".join(sorted(set(marks)))
        if "r" not in marks:  # a chain cut at a recursion is only true for this trail
            self.known[title] = result
        return result


def module_of(path, folder):
    """src/font/x.c -> font; a generated file stands for itself."""
    parts = path.relative_to(folder).parts
    return parts[1] if parts[0] == "src" else parts[0].split(".")[0]


def measure(build):
    folder = build / "CMakeFiles/adder_core.dir"
    graph = CallGraph(folder)
    modules, breaches = {}, []
    for obj in sorted(folder.rglob("*.obj")):
        module = module_of(obj, folder)
        row = modules.setdefault(module, {"code": 0, "data": 0, "bss": 0})
        out = subprocess.run(["arm-none-eabi-size", obj], capture_output=True, text=True, check=True).stdout
        code, data, bss = map(int, out.splitlines()[1].split()[:3])
        row["code"] += code
        row["data"] += data
        row["bss"] += bss
        name = str(obj.relative_to(folder)).removesuffix(".obj")
        symbols = subprocess.run(["arm-none-eabi-nm", obj], capture_output=True, text=True, check=True).stdout
        for line in symbols.splitlines():
            kind, symbol = line.split()[-2:]
            if kind in "dDbBC":
                breaches.append(f"{name}: {symbol}: writable file-scope data in the core")
            if kind == "U" and FORBIDDEN.match(symbol):
                breaches.append(f"{name}: calls {symbol}(); the core has no heap, no console and no clock")
    breaches += [f"{f}: stack frame of a size known only at run time" for f in sorted(graph.dynamic)]
    for title in graph.frame:
        module = module_of(graph.home[title], folder)
        size, marks = graph.depth(title)
        if (size, marks) > modules[module].get("stack", (-1, "")):
            modules[module]["stack"] = (size, marks)
            modules[module]["deepest"] = graph.label[title]
    return modules, breaches


# What a part of the core may take: (goal, library, its objects), bytes of code at -Os on a Cortex-M4.
ENGINE = "connect engine packets publish receive subscribe text wire"
GOALS = {
    "mqtt, 3.1.1": (6144, "adder_mqtt_311", ENGINE),
    "mqtt, 3.1.1 and 5.0": (12288, "adder_core", ENGINE + " props"),
}
CONTEXT = 128


def measure_goals(build):
    """Lines to print, and breaches. Nothing where the objects were not built."""
    lines, breaches = [], []

    def hold(what, size, goal, unit):
        lines.append(f"  {what:22} {size:6} of {goal} bytes of {unit}")
        if size > goal:
            breaches.append(f"src/mqtt: {what}: {size} bytes of {unit}, the goal is {goal}")

    for what, (goal, library, names) in GOALS.items():
        objects = [build / f"CMakeFiles/{library}.dir/src/mqtt/{name}.c.obj" for name in names.split()]
        if not all(o.exists() for o in objects):
            return [], []
        out = subprocess.run(["arm-none-eabi-size", *objects], capture_output=True, text=True, check=True).stdout
        hold(what, sum(int(line.split()[0]) for line in out.splitlines()[1:]), goal, "code")
    context = build / "CMakeFiles/adder_mqtt_311.dir/tests/cortex-m/sizes.c.obj"
    out = subprocess.run(["arm-none-eabi-nm", "-S", context], capture_output=True, text=True, check=True).stdout
    hold("mqtt", int(re.search(r"(\w+) \w adder_mqtt_context", out)[1], 16), CONTEXT, "context")
    return lines, breaches


def main():
    failed = False
    for build in map(Path, sys.argv[1:]):
        modules, breaches = measure(build)
        print(f"{build.name:14} {'code':>8} {'data':>6} {'bss':>6} {'stack':>8}  deepest")
        for name, row in sorted(modules.items()):
            size, marks = row.get("stack", (0, ""))
            print(f"  {name:12} {row['code']:8} {row['data']:6} {row['bss']:6} {size:6}{marks:2}  {row.get('deepest', '')}")
        total = {k: sum(r[k] for r in modules.values()) for k in ("code", "data", "bss")}
        print(f"  {'all':12} {total['code']:8} {total['data']:6} {total['bss']:6}\n")
        if build.name == "cortex-m4":
            lines, more = measure_goals(build)
            print(*lines, "", sep="\n")
            breaches += more
        for text in breaches:
            print(text)
        failed |= bool(breaches)
    sys.exit(failed)


if __name__ == "__main__":
    main()
