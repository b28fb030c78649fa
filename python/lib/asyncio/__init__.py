"""asyncio as CircuitPython programs know it (the library's names and semantics), and what the library
leaves out on boards: streams, servers and sockets that are awaited.

The loop waits in one place, select.poll, where the pump moves networks on; a task that is not waited for by
anything else does not keep the program from ending."""

from .core import (
    CancelledError,
    IOQueue,
    InvalidStateError,
    Loop,
    Task,
    TimeoutError,
    create_task,
    current_task,
    get_event_loop,
    get_running_loop,
    new_event_loop,
    run,
    run_until_complete,
    sleep,
    sleep_ms,
)
from .event import Event, ThreadSafeFlag
from .funcs import gather, wait_for, wait_for_ms
from .lock import Lock
from .stream import Server, Stream, StreamReader, StreamWriter, open_connection, start_server

__version__ = (3, 0, 0)
