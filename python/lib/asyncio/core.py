"""The loop: tasks by the time they are due, tasks that wait for streams, and one place where it waits.

A coroutine suspends by a bare yield, after it has put its task where somebody will find it: into the queue
of due tasks, the table of streams, or the queue of an Event, a Lock or another task. `task.waits_in` names
that place, so that cancel() can take it out again."""

import select
import sys
from time import monotonic_ns

from supervisor import ticks_ms as ticks

_PERIOD = 1 << 29
_HALF = 1 << 28
_SLICE_NS = 300000
_NS_PER_MS = 1000000


def ticks_add(at, delta):
    """The library's own clock, for programs; the loop below keeps nanoseconds, so that a sleep of 1 ms is
    one from now and not from the last tick."""
    return (at + delta) % _PERIOD


def ticks_diff(end, start):
    """end - start, for times less than three days apart."""
    return ((end - start + _HALF) % _PERIOD) - _HALF


class CancelledError(BaseException):
    """Thrown into a task by Task.cancel()."""


class TimeoutError(Exception):
    """wait_for() and wait_for_ms() ran out of time."""


class InvalidStateError(Exception):
    """The result of a task that has none yet."""


# ---- waiting ----


class Suspend:
    """await it once the task stands in some queue."""

    def __await__(self):
        yield

    __iter__ = __await__


suspend = Suspend()


class Fair:
    """await it between two pieces of work that never wait, such as a download from a fast server: others get
    a turn once this one has lasted its slice."""

    def __await__(self):
        if monotonic_ns() - _turn_began > _SLICE_NS:
            _task_queue.push(cur_task)
            yield

    __iter__ = __await__


fair = Fair()


class TaskQueue:
    """Tasks by the time they are to run at; those of one time in the order they came."""

    def __init__(self):
        self._due = []  # (monotonic_ns, task), the soonest first

    def __len__(self):
        return len(self._due)

    def peek(self):
        return self._due[0][1] if self._due else None

    def wait_ms(self):
        """Until the first is due; None when there is none."""
        return max(0, (self._due[0][0] - monotonic_ns()) / _NS_PER_MS) if self._due else None

    def push(self, task, at=None):
        if at is None:
            at = monotonic_ns()
        due = self._due
        i = len(due)
        while i > 0 and at < due[i - 1][0]:
            i -= 1
        due.insert(i, (at, task))
        task.waits_in = self

    def pop(self):
        task = self._due.pop(0)[1]
        task.waits_in = None
        return task

    def remove(self, task):
        self._due[:] = [entry for entry in self._due if entry[1] is not task]
        task.waits_in = None

    def wake_all(self):
        while self._due:
            wake(self._due[0][1])


def wake(task):
    """Make a task due, out of wherever it waits."""
    task.waits_in.remove(task)
    _task_queue.push(task)


class AnyOf:
    """Where a task stands that waits until one of several tasks ends."""

    def __init__(self, tasks):
        self._tasks = tasks

    def __await__(self):
        for task in self._tasks:
            task.waiters().push(cur_task)
        cur_task.waits_in = self
        yield

    def remove(self, waiting):
        for task in self._tasks:
            task.waiters().remove(waiting)

    def cancel(self):
        return any([task.cancel() for task in self._tasks])


class IOQueue:
    """Tasks that wait for a stream to be readable or writable; one of each kind a stream."""

    def __init__(self):
        self._poller = select.poll()
        self.map = {}  # id(stream) -> [reader, writer, stream]

    def _enqueue(self, stream, side):
        entry = self.map.get(id(stream))
        if entry is None:
            entry = [None, None, stream]
            self._poller.register(stream, select.POLLIN if side == 0 else select.POLLOUT)
            self.map[id(stream)] = entry
        elif entry[side] is not None:
            raise RuntimeError("another task waits for this stream already")
        else:
            self._poller.modify(stream, select.POLLIN | select.POLLOUT)
        entry[side] = cur_task
        cur_task.waits_in = self
        return suspend

    def queue_read(self, stream):
        """Awaitable: until `stream` can be read without waiting."""
        return self._enqueue(stream, 0)

    def queue_write(self, stream):
        """Awaitable: until `stream` can be written without waiting."""
        return self._enqueue(stream, 1)

    def _settle(self, entry):
        """Ask for what is still waited for."""
        stream = entry[2]
        wanted = (select.POLLIN if entry[0] else 0) | (select.POLLOUT if entry[1] else 0)
        if wanted:
            self._poller.modify(stream, wanted)
        else:
            self._poller.unregister(stream)
            del self.map[id(stream)]

    def remove(self, task):
        for entry in list(self.map.values()):
            if entry[0] is task or entry[1] is task:
                entry[0] = None if entry[0] is task else entry[0]
                entry[1] = None if entry[1] is task else entry[1]
                self._settle(entry)
        task.waits_in = None

    def wait_io_event(self, ms):
        """Wait up to `ms` (negative: for ever) and make due whoever can go on."""
        for stream, events in self._poller.ipoll(ms):
            entry = self.map[id(stream)]
            for side, other in ((0, select.POLLOUT), (1, select.POLLIN)):
                # An error or the end wakes both.
                if entry[side] is not None and events & ~other:
                    _task_queue.push(entry[side])
                    entry[side] = None
            self._settle(entry)


# ---- tasks ----


class Task:
    """A coroutine that runs beside others. Made by create_task()."""

    def __init__(self, coro, globals=None):
        self.coro = coro
        self.waits_in = None  # what has it: a TaskQueue, the IOQueue, an AnyOf; None while it runs
        self._waiters = None  # tasks that await this one
        self._throw = None  # at its next turn
        self._done = False
        self._error = None
        self._value = None
        self._told = False  # somebody has seen the error

    def __await__(self):
        if not self._done:
            if self is cur_task:
                raise RuntimeError("a task can't wait for itself")
            yield from AnyOf((self,)).__await__()
        return self._outcome()

    __iter__ = __await__

    def waiters(self):
        if self._waiters is None:
            self._waiters = TaskQueue()
        return self._waiters

    def _outcome(self):
        if self._error is not None:
            self._told = True
            raise self._error
        return self._value

    def _end(self, value, error):
        self._done, self._value, self._error = True, value, error
        if self._waiters:
            self._told = True
            self._waiters.wake_all()
        elif error is not None and not isinstance(error, CancelledError):
            _unheard.append(self)

    def done(self):
        return self._done

    def cancel(self):
        """Throw CancelledError into the task at its next turn; False when it is done already. A task that
        waits for another one cancels that."""
        if self._done:
            return False
        if self is cur_task:
            raise RuntimeError("can't cancel self")
        if isinstance(self.waits_in, AnyOf):
            return self.waits_in.cancel()
        if self.waits_in is not None:
            self.waits_in.remove(self)
        self._throw = CancelledError()
        _task_queue.push(self)
        return True

    def result(self):
        if not self._done:
            raise InvalidStateError()
        return self._outcome()

    def exception(self):
        """The error the task ended with, None when it ended well."""
        if not self._done:
            raise InvalidStateError()
        if isinstance(self._error, CancelledError):
            raise self._error
        self._told = True
        return self._error

    def _turn(self):
        """Run to its next wait."""
        global cur_task, _turn_began
        cur_task = self
        _turn_began = monotonic_ns()
        error, self._throw = self._throw, None
        try:
            if error is None:
                self.coro.send(None)
            else:
                self.coro.throw(error)
        except StopIteration as e:
            self._end(e.value, None)
        except (CancelledError, Exception) as e:
            self._end(None, e)
        finally:
            cur_task = None


def _is_coroutine(coro):
    return hasattr(coro, "send") and hasattr(coro, "throw")


def create_task(coro):
    """Run a coroutine beside the others; its Task."""
    if not _is_coroutine(coro):
        raise TypeError("coroutine expected")
    task = Task(coro)
    _task_queue.push(task)
    return task


async def _await(awaitable):
    return await awaitable


def ensure_task(awaitable):
    if isinstance(awaitable, Task):
        return awaitable
    return create_task(awaitable if _is_coroutine(awaitable) else _await(awaitable))


# ---- time ----


class _Sleep:
    """Started by the call, as the library has it: `await` only waits for what is left."""

    def __init__(self, ms):
        self._at = monotonic_ns() + ms * _NS_PER_MS

    def __await__(self):
        if cur_task is not None:  # else another scheduler runs this, and asks again when it likes
            _task_queue.push(cur_task, self._at)
        yield

    __iter__ = __await__


def sleep_ms(ms):
    """Awaitable: let others run for `ms`; 0 lets each of them have one turn."""
    return _Sleep(max(0, int(ms)))


def sleep(seconds):
    """Awaitable: as sleep_ms."""
    return sleep_ms(int(seconds * 1000))


# ---- the loop ----


def _tell_unheard():
    """Errors of tasks that nobody awaited, one turn later: who wants them has had the time."""
    while _unheard:
        task = _unheard.pop(0)
        if not task._told:
            Loop.call_exception_handler({"message": "Task exception wasn't retrieved", "exception": task._error,
                                         "future": task})


def run_until_complete(main_task=None):
    """Run tasks until `main_task` is done (its result), or without one until none is left."""
    if cur_task is not None:
        raise RuntimeError("the loop runs already")
    while not (main_task is not None and main_task.done()):
        told = bool(_unheard)
        wait = 0 if told else _task_queue.wait_ms()
        if wait is None:
            if not _io_queue.map:
                if main_task is None:
                    return None
                raise RuntimeError("the main task waits for something that no task will do")
            wait = -1
        if wait != 0 or _io_queue.map:
            _io_queue.wait_io_event(wait)
        else:
            _pause()
        # Those that are due now have a turn each before the streams are looked at again.
        for _ in range(len(_task_queue)):
            if _task_queue.wait_ms() != 0:
                break
            _task_queue.pop()._turn()
            if main_task is not None and main_task.done():
                break
        if told:
            _tell_unheard()
    return main_task.result() if main_task is not None else None


def _pause():
    """Background work and Ctrl-C between turns, where nothing waits for a stream."""
    _nothing.poll(0)


def run(coro):
    """Run a coroutine and what it starts, until it is done; its result."""
    if cur_task is not None:
        if _is_coroutine(coro):
            coro.close()
        raise RuntimeError("run() can't be called from a task")
    task = create_task(coro)
    try:
        return run_until_complete(task)
    except BaseException:
        if not task.done():  # Ctrl-C: what is under way ends in order
            _task_queue.remove(task)
            task.coro.close()
        raise


class Loop:
    """The one loop there is."""

    _exc_handler = None

    @staticmethod
    def create_task(coro):
        return create_task(coro)

    @staticmethod
    def run_forever():
        global _stop_task
        _stop_task = Task(_until_stopped())
        _task_queue.push(_stop_task)
        run_until_complete(_stop_task)
        _stop_task = None

    @staticmethod
    def run_until_complete(awaitable):
        return run_until_complete(ensure_task(awaitable))

    @staticmethod
    def stop():
        """run_forever() returns after the turn that is under way."""
        if _stop_task is not None and not _stop_task.done():
            _stop_event.wake_all()

    @staticmethod
    def close():
        pass

    @staticmethod
    def is_running():
        return cur_task is not None

    @staticmethod
    def set_exception_handler(handler):
        """handler(loop, context) in place of printing the error of a task that nobody awaits."""
        Loop._exc_handler = handler

    @staticmethod
    def get_exception_handler():
        return Loop._exc_handler

    @staticmethod
    def default_exception_handler(loop, context):
        print(context["message"], "future:", context["future"], "coro=", context["future"].coro)
        sys.print_exception(context["exception"])

    @staticmethod
    def call_exception_handler(context):
        (Loop._exc_handler or Loop.default_exception_handler)(Loop, context)

    # The names that CPython has for it.

    @staticmethod
    async def sock_connect(sock, address):
        """Connect a socket without keeping others from running. TLS: the handshake included."""
        from . import stream

        await stream.sock_connect(sock, address)

    @staticmethod
    async def sock_accept(sock):
        """(socket, address) of the next connection."""
        from . import stream

        return await stream.sock_accept(sock)

    @staticmethod
    async def sock_recv_into(sock, buffer):
        """Bytes received, 0 = the end."""
        from . import stream

        return await stream.sock_recv_into(sock, buffer)

    @staticmethod
    async def sock_recvfrom_into(sock, buffer):
        """(bytes, address) of one datagram."""
        from . import stream

        return await stream.sock_recvfrom_into(sock, buffer)

    @staticmethod
    async def sock_sendall(sock, data):
        """Send all of it."""
        from . import stream

        await stream.sock_sendall(sock, data)


async def _until_stopped():
    _stop_event.push(cur_task)
    await suspend


def get_event_loop(runq_len=0, waitq_len=0):
    return Loop


def get_running_loop():
    if cur_task is None:
        raise RuntimeError("no running event loop")
    return Loop


def current_task():
    if cur_task is None:
        raise RuntimeError("no task runs")
    return cur_task


def new_event_loop():
    """Forget every task; the loop as at the start of the program."""
    global _task_queue, _io_queue, _unheard, _stop_event, _stop_task, _nothing, cur_task, _turn_began
    _task_queue = TaskQueue()
    _io_queue = IOQueue()
    _unheard = []
    _stop_event = TaskQueue()
    _stop_task = None
    _nothing = select.poll()
    cur_task = None
    _turn_began = 0
    Loop._exc_handler = None
    return Loop


new_event_loop()
