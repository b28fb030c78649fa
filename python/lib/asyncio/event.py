"""Events."""

from . import core


class Event:
    """Something that has happened or not; tasks wait for it."""

    def __init__(self):
        self._set = False
        self._waiting = core.TaskQueue()

    def is_set(self):
        return self._set

    def set(self):
        """From a task, or from a callback on the program's thread."""
        self._set = True
        self._waiting.wake_all()

    def clear(self):
        self._set = False

    async def wait(self):
        if not self._set:
            self._waiting.push(core.cur_task)
            await core.suspend
        return True


class ThreadSafeFlag:
    """A flag that something outside of the loop sets (a callback, background work); one task waits for it,
    and takes it down by that."""

    def __init__(self):
        self._set = False

    def poll_ready(self, events):
        """For select.poll."""
        return events & 1 if self._set else 0

    def set(self):
        self._set = True

    def clear(self):
        self._set = False

    async def wait(self):
        if not self._set:
            await core._io_queue.queue_read(self)
        self._set = False
