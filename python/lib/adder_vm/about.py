"""Who we say we are: the API level of CircuitPython that programs may rely on."""

import _adder_vm

VERSION = (10, 0, 0)
# "+adder" is semver build metadata: tools that compare versions see 10.0.0, people see the truth.
TAG = "10.0.0+adder"
DATE = "2025-10-09"
MACHINE = f"{_adder_vm.board_name} with {_adder_vm.chip_name}"
BANNER = f"Adafruit CircuitPython {TAG} on {DATE}; {MACHINE}"
