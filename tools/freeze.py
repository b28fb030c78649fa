#!/usr/bin/python3
"""Write the C table of python/layer/frozen.h.

    freeze.py OUT.c ROOT [FILE.py...]

Each FILE lies under ROOT; its path gives the module's dotted name. A file that does not compile
stops the build here, with Python's own message, and not at the first run."""

import sys
from pathlib import Path


def dotted(path, root):
    parts = list(path.relative_to(root).with_suffix("").parts)
    is_package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package


def main():
    out, root = Path(sys.argv[1]), Path(sys.argv[2])
    modules = sorted((*dotted(Path(f), root), Path(f)) for f in sys.argv[3:])
    lines = ['#include "python/layer/frozen.h"', ""]
    table = []
    for i, (name, is_package, path) in enumerate(modules):
        source = path.read_bytes()
        compile(source, str(path), "exec", dont_inherit=True)
        lines.append(f"static const unsigned char source_{i}[] = {{ /* {path.relative_to(root)} */")
        data = source + b"\0"
        for at in range(0, len(data), 24):
            lines.append("    " + "".join(f"{b}," for b in data[at:at + 24]))
        lines.append("};")
        table.append(f'    {{"{name}", {str(is_package).lower()}, source_{i}, sizeof source_{i} - 1}},')
    lines += ["", "const adder_frozen_t adder_frozen[] = {", *table, "    {0},", "};"]
    out.write_text("\n".join(lines) + "\n")


try:
    main()
except SyntaxError as e:
    sys.exit(f"{e.filename}:{e.lineno}: {e.msg}")
