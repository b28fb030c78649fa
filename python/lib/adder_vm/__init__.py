"""What happens inside one run of a program: the CIRCUITPY drive, CircuitPython's import rules, its
tracebacks and its REPL. The program calls run_file(), run_repl() and run_boot() through vm_call();
python/layer/vm.h tells what the built-in module `_adder_vm` gives us.

User code never sees the interpreter's own sys.modules or builtins: it gets those of `importer`, so
that `import time` there is CircuitPython's while the standard library keeps CPython's."""

from adder_vm.console import Console
from adder_vm.drive import open
from adder_vm.runner import run_code, run_file, run_repl, run_to_first_line

__all__ = ["Console", "open", "run_code", "run_file", "run_repl", "run_to_first_line"]
