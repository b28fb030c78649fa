"""adder.mqtt's turns: what has come is handed to the program, by its own poll() and wait() or by a task of asyncio."""

import time

from adder._mqtt import matches
from adder._mqtt_waits import Gate, loop

STOPPED, PAUSE, OPENING, CONNECTING, CONNECTED, STOPPING, FAILED = range(7)
_TELLS_LAST = 3  # what core.challenge() says
_BATCH = 32
_SLICE_NS = 300000  # of messages, before the other tasks have their turn
_ROUTES_MOST = 64


class Turns:
    """The part of a Client that runs callbacks and wakes tasks. The core is the client's."""

    def __init__(self, stored):
        self._callbacks = []  # (filter, function)
        self._streams = []
        self._routes = {}  # who takes messages of a topic, as found out before
        self._numbers = {}  # of subscriptions, by filter
        self._publications = {}
        self._waiting = []  # messages that are taken and not handed out
        self._stored = stored
        self._batch = 1 if stored else _BATCH
        self._late = []  # what found the pump busy: functions of _soon()
        self._gate = Gate()
        self._awaited = 0
        self._task = self._queue = None  # hands out; and asyncio's queue where it stands
        self._connects, self._was_on = 0, False

    # ---- the program's turn ----

    def _soon(self, function):
        """function(may it wait for the pump?) -> was it done? Now; or, beside other tasks that are not to be held up, in
        a moment, in its order."""
        if (self._late and not self._do_late()) or not function(self._task is None):
            self._put_off(function)

    def _put_off(self, function):
        self._late.append(function)
        self._nudge()

    def _do_late(self):
        """True: nothing of that is left."""
        while self._late:
            function = self._late.pop(0)
            if not function(False):
                self._late.insert(0, function)
                return False
        return True

    def _take_acks(self, acks=None):
        """What is done is told to its publications; was there any?"""
        if acks is None:
            acks = self._core.acks()
        for packet_id, reason in acks:
            publication = self._publications.pop(packet_id, None)
            if publication is not None:
                publication.done = True
                publication.reason = reason
                if publication._gate is not None:
                    publication._gate.open()
        return bool(acks)

    def _tell_state(self):
        status = self._core.status
        state, connects = status[0], status[3]
        if self._was_on and (state != CONNECTED or connects != self._connects):
            self._was_on = False
            if self.on_disconnect is not None:
                self.on_disconnect(self)
        if state == CONNECTED and not self._was_on:
            self._was_on, self._connects = True, connects
            if self.on_connect is not None:
                self.on_connect(self)

    def _find_takers(self, topic, numbers):
        """With MQTT 5.0 a broker may send a message once for each subscription, and says for which: unless it is of
        a session of before, when subscriptions had other numbers."""
        all_of_them = [*self._callbacks, *((stream.topic, stream._take) for stream in self._streams)]
        takers = [entry for entry in all_of_them if matches(entry[0], topic)]
        named = [entry for entry in takers if numbers and self._numbers.get(entry[0]) in numbers]
        return [entry[1] for entry in named or takers]

    def _tell(self, message):
        numbers = message._numbers if self._version == 5 else None
        key = message.topic if numbers is None else (message.topic, numbers)
        takers = self._routes.get(key)
        if takers is None:
            takers = self._find_takers(message.topic, numbers)
            if len(self._routes) >= _ROUTES_MOST:
                self._routes.clear()
            self._routes[key] = takers
        for taker in takers:
            taker(message)
        if not takers and self.on_message is not None:
            self.on_message(message)

    def _told(self):
        """What came need not be stored any more, unless a loop has not asked for it yet."""
        if self._stored and not self._waiting and not any([stream._messages for stream in self._streams]):
            self._core.forget()

    def _take(self, most=None, until_ns=None):
        """Tell what has come; how many messages. After an exception of a callback the others wait for the next time."""
        waiting = self._waiting
        if not waiting:
            taken = self._core.take(self._batch if most is None else most)
            if taken is None:
                return 0
            acks, messages, changed = taken
            if messages is not None:
                waiting.extend(messages)
            if acks is not None:
                self._take_acks(acks)
            try:
                if changed:
                    self._tell_state()
                    if self._auth is not None:
                        self._answer()
            finally:
                self._gate.open()
        count = 0
        while waiting:
            count += 1
            self._tell(waiting.pop(0))
            self._told()
            if until_ns is not None and time.monotonic_ns() > until_ns:
                break
        return count

    def poll(self, timeout=0):
        """Call the callbacks of what has come; wait so many seconds for something if nothing has."""
        count = self._take()
        if count == 0 and timeout > 0 and self._core.wait(timeout):
            count = self._take()
        return count

    def wait(self, condition, timeout=None):
        """poll() until condition() is true: its value. TimeoutError."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._late:
                self._do_late()
            count = self._take()
            result = condition()
            if result:
                return result
            left = 60 if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"MQTT: {self.state}" + (f", {self.error}" if self.error else ""))
            if count == 0:
                self._core.wait(min(left, 0.001 if self._late else 60))

    def _answer(self):
        challenge = self._core.challenge()
        if challenge is not None:
            asks, data = challenge
            word = self._auth(data)
            if asks != _TELLS_LAST:
                self._core.answer(word)

    # ---- asyncio's turn ----

    async def _until(self, condition):
        self._hand_out()
        self._awaited += 1
        try:
            while True:
                result = condition()
                if result:
                    return result
                await self._gate.wait()
        finally:
            self._awaited -= 1

    def _hand_out(self):
        """See to it that there is a task that hands out what comes."""
        asyncio = loop()
        if self._task is None or self._task.done() or self._queue is not asyncio._io_queue:
            self._queue = asyncio._io_queue
            self._task = asyncio.create_task(self._keep_handing_out())

    def _nudge(self):
        """There is something to do for the task, of which the client's core does not tell."""
        if self._task is not None and self._task.waits_in is self._queue:
            loop().wake(self._task)

    def _has_ended(self):
        return self._task is not loop().cur_task or (self._is_off() and not self._awaited and not self._publications)

    async def _keep_handing_out(self):
        asyncio = loop()
        while True:
            most = 0 if any([stream._is_full() for stream in self._streams]) else None
            try:
                if not self._do_late():
                    await asyncio.sleep_ms(1)
                self._take(most, time.monotonic_ns() + _SLICE_NS)
            except Exception as e:
                asyncio.Loop.call_exception_handler({"message": "MQTT: a callback has failed", "exception": e,
                                                     "future": asyncio.cur_task})
            if self._has_ended():
                return
            if self._waiting or self._late or self._core.poll_ready(1):
                asyncio._task_queue.push(asyncio.cur_task)
                await asyncio.suspend
            else:
                await asyncio._io_queue.queue_read(self._core)
