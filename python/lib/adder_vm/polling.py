"""select.poll over the board's own streams: the console, UARTs, sockets.

A stream takes part by a method poll_ready(events) -> events ready now. While nothing is ready the
wait drives the pump, which ends it when anything has moved on a socket; other streams are looked at
every STEP_S, unless they say (`poll_wakes`) that the pump tells of all that happens to them."""

import _adder_vm

POLLIN, POLLOUT, POLLERR, POLLHUP = 1, 4, 8, 16
STEP_S = 0.005
LONG_STEP_S = 60


def _ask(stream: object, events: int) -> int:
    ready = getattr(stream, "poll_ready", None)
    if ready is None:
        raise OSError(22, "Invalid argument")
    return ready(events | POLLERR | POLLHUP)


class poll:
    def __init__(self) -> None:
        self._streams: "dict[int, list]" = {}

    def register(self, stream: object, eventmask: int = POLLIN | POLLOUT) -> None:
        _ask(stream, 0)  # refuses what is no stream, here and not later
        self._streams[id(stream)] = [stream, eventmask, getattr(stream, "poll_wakes", 0)]

    def unregister(self, stream: object) -> None:
        self._streams.pop(id(stream), None)

    def modify(self, stream: object, eventmask: int) -> None:
        entry = self._streams.get(id(stream))
        if entry is None:
            raise OSError(2, "No such file/directory")
        entry[1] = eventmask

    def _ready(self) -> "list[tuple]":
        found = []
        for stream, mask, _ in list(self._streams.values()):
            ready = _ask(stream, mask) & (mask | POLLERR | POLLHUP)
            if ready:
                found.append((stream, ready))
        return found

    def poll(self, timeout: int = -1) -> "list[tuple]":
        """Ready streams; waits up to `timeout` ms (negative: for ever)."""
        import time

        end = None if timeout is None or timeout < 0 else time.monotonic() + timeout / 1000
        step = LONG_STEP_S if all(entry[2] for entry in self._streams.values()) else STEP_S
        while True:
            progress = _adder_vm.progress()  # before the looking: what comes in between ends the wait
            found = self._ready()
            if found:
                return found
            left = step if end is None else min(step, end - time.monotonic())
            if left <= 0:
                _adder_vm.poll()
                return []
            _adder_vm.wait_news(left, progress)

    def ipoll(self, timeout: int = -1, flags: int = 0) -> object:
        for stream, ready in self.poll(timeout):
            if flags & 1 and id(stream) in self._streams:
                self._streams[id(stream)][1] = 0
            yield stream, ready


def select(rlist: list, wlist: list, xlist: list, timeout: "float | None" = None) -> tuple:
    watch = poll()
    for stream in [*rlist, *wlist, *xlist]:
        mask = (POLLIN if any(s is stream for s in rlist) else 0) | (POLLOUT if any(s is stream for s in wlist) else 0)
        watch.register(stream, mask)
    ready = watch.poll(-1 if timeout is None else int(timeout * 1000))

    def pick(wanted: list, bits: int) -> list:
        return [s for s in wanted if any(s is r and e & bits for r, e in ready)]

    return pick(rlist, POLLIN | POLLHUP), pick(wlist, POLLOUT), pick(xlist, POLLERR)
