"""Locks."""

from . import core


class Lock:
    """Held by one task; others wait in the order they came."""

    def __init__(self):
        self._holder = False
        self._waiting = core.TaskQueue()

    def locked(self):
        return bool(self._holder)

    def release(self):
        if not self._holder:
            raise RuntimeError("Lock not acquired")
        if len(self._waiting):
            # Handed over, so that nobody who asks now gets in between.
            self._holder = self._waiting.pop()
            core._task_queue.push(self._holder)
        else:
            self._holder = False

    async def acquire(self):
        if not self._holder:
            self._holder = core.cur_task
            return True
        me = core.cur_task
        self._waiting.push(me)
        try:
            await core.suspend
        except core.CancelledError:
            if self._holder is me:  # given and cancelled at once
                self.release()
            raise
        return True

    async def __aenter__(self):
        return await self.acquire()

    async def __aexit__(self, *exception):
        self.release()
