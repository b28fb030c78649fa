"""How well this machine keeps a tick of 1 ms when nothing else is asked of it: idle.py SECONDS"""

import sys
import time

gaps, last = [], time.monotonic_ns()
end = last + int(sys.argv[1]) * 1000000000
while last < end:
    time.sleep(0.001)
    now = time.monotonic_ns()
    gaps.append(now - last)
    last = now
gaps.sort()
print(f"{100 * sum(gap < 2000000 for gap in gaps) / len(gaps):.2f} % of gaps under 2 ms, longest {gaps[-1] // 1000} us")
