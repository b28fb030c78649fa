"""asyncio of the firmware: the library's semantics, and streams over whatever has the methods of a socket."""

import textwrap

import pytest

# A pool of sockets that talk to each other inside of the program; every call says "wait" once before it gets on.
POOL = '''
class Sock:
    def __init__(self):
        self.data, self.peer, self.ended, self.waits, self.closed = b"", None, False, 0, False
        self.backlog = []
    def setblocking(self, flag): pass
    def setsockopt(self, *a): pass
    def bind(self, address): pool.listeners[address[1]] = self
    def listen(self, backlog): pass
    def _wait(self):
        self.waits += 1
        if self.waits % 2: raise OSError(11)
    def connect(self, address):
        if self.peer: raise OSError(127)
        listener = pool.listeners.get(address[1])
        if listener is None: raise OSError(111)
        other = Sock(); self.peer, other.peer = other, self
        listener.backlog.append(other)
        raise OSError(119)
    def accept(self):
        if not self.backlog: raise OSError(11)
        return self.backlog.pop(0), ("10.0.0.2", 1)
    def send(self, data):
        self._wait()
        n = min(len(data), 7); self.peer.data += bytes(data[:n]); return n
    def recv_into(self, buffer):
        self._wait()
        n = min(len(buffer), len(self.data), 5)
        if n == 0:
            if self.ended: return 0
            raise OSError(11)
        buffer[:n] = self.data[:n]; self.data = self.data[n:]; return n
    def close(self):
        self.closed = True
        if self.peer: self.peer.ended = True
    def poll_ready(self, events):
        return events & (4 | (1 if self.data or self.ended or self.backlog else 0))
class Pool:
    AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR = 2, 1, 4095, 4
    listeners = {}
    def getaddrinfo(self, host, port, *a): return [(2, 1, 0, "", ("10.0.0.1", port))]
    def socket(self, family, kind): return Sock()
pool = Pool()
'''


@pytest.fixture
def run(board):
    def go(body, expected, before=""):
        b = board("import asyncio\n" + before + textwrap.dedent(body) + "print('over')\n")
        assert b.expect("over\n").split("code.py output:\n")[-1] + "over\n" == textwrap.dedent(expected).lstrip() + "over\n"
    return go


def test_gather_in_order_and_side_by_side(run):
    run("""
        order = []
        async def work(n, ms, rounds):
            for _ in range(rounds):
                order.append(n)
                await asyncio.sleep_ms(ms)
            return n * 10
        async def main():
            print(await asyncio.gather(work(1, 0, 3), work(2, 0, 2)), order)
            return 'end'
        print(asyncio.run(main()))
        """, """
        [10, 20] [1, 2, 1, 2, 1]
        end
        """)


def test_the_first_error_ends_a_gather_at_once(run):
    run("""
        async def slow():
            await asyncio.sleep(60)
        async def bad():
            await asyncio.sleep_ms(1)
            raise ValueError('oops')
        async def main():
            try:
                await asyncio.gather(slow(), bad())
            except ValueError as e:
                print('error', e)
            print(await asyncio.gather(bad(), asyncio.sleep(0), return_exceptions=True))
        asyncio.run(main())
        """, """
        error oops
        [ValueError('oops'), None]
        """)


def test_wait_for_cancels_and_is_cancelled(run):
    run("""
        async def forever(name):
            try:
                while True:
                    await asyncio.sleep(1)
            except asyncio.CancelledError:
                print(name, 'cancelled')
                raise
        async def main():
            try:
                await asyncio.wait_for(forever('inner'), 0.01)
            except asyncio.TimeoutError:
                print('timeout')
            try:
                await asyncio.wait_for_ms(asyncio.sleep(60), 5)
            except asyncio.TimeoutError:
                print('timeout')
            task = asyncio.create_task(asyncio.wait_for(forever('outer'), 60))
            await asyncio.sleep_ms(1)
            print(task.cancel(), task.done())
            try:
                await task
            except asyncio.CancelledError:
                print('seen', task.done(), task.cancel())
            print(await asyncio.wait_for(asyncio.create_task(value()), None))
        async def value():
            return 5
        asyncio.run(main())
        print(issubclass(asyncio.CancelledError, Exception), issubclass(asyncio.TimeoutError, Exception))
        """, """
        inner cancelled
        timeout
        timeout
        True False
        outer cancelled
        seen True False
        5
        False True
        """)


def test_results_and_errors_of_tasks(run):
    run("""
        async def bad():
            raise KeyError('k')
        async def main():
            asyncio.get_event_loop().set_exception_handler(lambda loop, context: None)
            good, wrong = asyncio.create_task(asyncio.sleep_coro()), asyncio.create_task(bad())
            try:
                good.result()
            except asyncio.InvalidStateError:
                print('not yet')
            await asyncio.sleep_ms(2)
            print(good.done(), good.result(), good.exception(), repr(wrong.exception()))
            print(asyncio.current_task() is not good)
        async def coro():
            return 'r'
        asyncio.sleep_coro = coro
        asyncio.run(main())
        for call in (asyncio.current_task, asyncio.get_running_loop):
            try:
                call()
            except RuntimeError as e:
                print(e)
        """, """
        not yet
        True r None KeyError('k')
        True
        no task runs
        no running event loop
        """)


def test_an_error_nobody_awaits_is_told_and_the_loop_goes_on(run):
    run("""
        async def bad():
            raise ValueError('unheard')
        async def main():
            asyncio.get_event_loop().set_exception_handler(lambda loop, c: print(c['message'], repr(c['exception'])))
            asyncio.create_task(bad())
            await asyncio.sleep_ms(2)
            print('on')
        asyncio.run(main())
        """, """
        Task exception wasn't retrieved ValueError('unheard')
        on
        """)


def test_event_lock_flag(run):
    run("""
        async def main():
            e, l, f = asyncio.Event(), asyncio.Lock(), asyncio.ThreadSafeFlag()
            async def waiter(n):
                await e.wait()
                print('event', n)
            tasks = [asyncio.create_task(waiter(n)) for n in (1, 2)]
            await asyncio.sleep(0)
            print(e.is_set()); e.set()
            await asyncio.gather(*tasks)
            await e.wait(); e.clear(); print(e.is_set())
            async def locker(n):
                async with l:
                    print('lock', n, l.locked())
                    await asyncio.sleep(0)
            tasks = [asyncio.create_task(locker(n)) for n in (1, 2, 3)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await asyncio.gather(tasks[0], tasks[2])
            print(l.locked())
            try:
                l.release()
            except RuntimeError as error:
                print(error)
            async def setter():
                f.set()
            asyncio.create_task(setter())
            await f.wait()
            print('flag')
        asyncio.run(main())
        """, """
        False
        event 1
        event 2
        False
        lock 1 True
        lock 3 True
        False
        Lock not acquired
        flag
        """)


def test_run_does_not_nest_and_a_main_that_can_never_end_is_told(run):
    run("""
        async def inner(): pass
        async def main():
            for call in (lambda: asyncio.run(inner()), lambda: asyncio.create_task(5)):
                try:
                    call()
                except (RuntimeError, TypeError) as e:
                    print(e)
        asyncio.run(main())
        async def stuck():
            await asyncio.Event().wait()
        try:
            asyncio.run(stuck())
        except RuntimeError as e:
            print(e)
        """, """
        run() can't be called from a task
        coroutine expected
        the main task waits for something that no task will do
        """)


def test_run_forever_until_stopped(run):
    run("""
        loop = asyncio.new_event_loop()
        async def stopper():
            await asyncio.sleep_ms(3)
            print('stop')
            loop.stop()
        loop.create_task(stopper())
        loop.run_forever()
        """, "stop\n")


def test_ctrl_c_ends_a_loop_that_only_waits(board):
    b = board("import asyncio\nasync def main():\n    try:\n        print('in')\n        await asyncio.sleep(1000)\n"
              "    finally:\n        print('cleaned')\nasyncio.run(main())\n")
    b.expect("in\n")
    b.send("\x03")
    b.expect("cleaned\n")
    b.expect("KeyboardInterrupt")


def test_streams_and_a_server(run):
    run("""
        async def answer(reader, writer):
            while True:
                line = await reader.readline()
                if not line:
                    break
                writer.write(b'<' + line.strip() + b'>\\n')
                await writer.drain()
            writer.close()
            await writer.wait_closed()
            print('server: end')
        async def client(name):
            reader, writer = await asyncio.open_connection('there', 80, pool=pool)
            for i in range(2):
                writer.write(b'%s says a long line %d\\n' % (name, i))
                await writer.drain()
                print(await reader.readline())
            writer.write(b'rest'); await writer.drain()
            await writer.wait_closed()
        async def main():
            try:
                await asyncio.open_connection('there', 80, pool=pool)
            except OSError as e:
                print('refused', e.errno)
            async with await asyncio.start_server(answer, '0.0.0.0', 80, pool=pool):
                await client(b'a')
                await asyncio.sleep_ms(5)
            print(pool.listeners[80].closed)
        asyncio.run(main())
        """, """
        refused 111
        b'<a says a long line 0>\\n'
        b'<a says a long line 1>\\n'
        server: end
        True
        """, POOL)


def test_reading_exactly_and_to_the_end(run):
    run("""
        async def give(reader, writer):
            writer.write(b'0123456789abcdef')
            await writer.drain()
            await writer.wait_closed()
        async def main():
            await asyncio.start_server(give, '', 1, pool=pool)
            reader, _ = await asyncio.open_connection('x', 1, pool=pool)
            print(await reader.readexactly(8), await reader.read(2), await reader.read())
            reader, _ = await asyncio.open_connection('x', 1, pool=pool)
            buffer = bytearray(4)
            print(await reader.readexactly(1), await reader.readinto(buffer), bytes(buffer))
            try:
                await reader.readexactly(100)
            except EOFError:
                print('short', await reader.read())
        asyncio.run(main())
        """, """
        b'01234567' b'89' b'abcdef'
        b'0' 4 b'1234'
        short b'56789abcdef'
        """, POOL)


def test_two_readers_of_one_stream_are_refused_and_a_cancelled_one_is_forgotten(run):
    run("""
        async def main():
            s = Sock()
            async def read():
                await asyncio.core._io_queue.queue_read(s)
                print('read')
            first = asyncio.create_task(read())
            await asyncio.sleep(0)
            try:
                await read()
            except RuntimeError as e:
                print(e)
            first.cancel()
            await asyncio.sleep(0)
            s.data = b'x'
            await read()
        asyncio.run(main())
        """, """
        another task waits for this stream already
        read
        """, POOL)
