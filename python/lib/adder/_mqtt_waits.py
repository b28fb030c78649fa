"""What of adder.mqtt one waits for: publications, messages of a topic, and the tasks that stand there."""

from adder._mqtt import reason as _reason

# A loop over messages holds this many; then the client takes no more until the loop has made room.
STREAM_MOST = 64

_loop = None


def loop():
    """asyncio's own insides, once something of it is wanted: programs without it need not have it."""
    global _loop
    if _loop is None:
        import asyncio
        _loop = asyncio.core
    return _loop


class MQTTError(Exception):
    """The broker has refused something; `reason` is its code (MQTT 5.0, section 2.4), or None."""

    def __init__(self, text, reason=None):
        super().__init__(text)
        self.reason = reason


class Gate:
    """Where tasks stand until something has happened."""

    __slots__ = ("_tasks",)

    def __init__(self):
        self._tasks = None

    def wait(self):
        """Awaitable: until the next open()."""
        asyncio = loop()
        if self._tasks is None:
            self._tasks = asyncio.TaskQueue()
        self._tasks.push(asyncio.cur_task)
        return asyncio.suspend

    def open(self):
        if self._tasks:
            self._tasks.wake_all()


class Publication:
    """A message on its way. Await it, or wait(), for its acknowledgement: with QoS 0 there is none to wait for.

    One that has no room in the queue yet (`_arguments`) goes there as soon as it is waited for."""

    __slots__ = ("_client", "_arguments", "_gate", "done", "reason")

    def __init__(self, client):
        self._client = client
        self._arguments = self._gate = None
        self.done = False
        self.reason = 0

    def _over(self):
        self.done = True
        if self._gate is not None:
            self._gate.open()

    def _is_done(self):
        if self._arguments is not None:
            self._client._offer(self, self._arguments)
        return self.done

    def _result(self):
        if self.reason >= 0x80:
            raise MQTTError(f"not taken: {_reason(self.reason)}", self.reason)
        return self

    def wait(self, timeout=None):
        """Until the broker has it; TimeoutError, MQTTError."""
        if not self.done:
            self._client.wait(self._is_done, timeout)
        return self._result()

    def __await__(self):
        return self._until_done().__await__()

    async def _until_done(self):
        if self._arguments is not None:
            await self._client._until(self._is_queued)
        if not self.done:
            self._client._hand_out()
            self._gate = self._gate or Gate()
            while not self.done:
                await self._gate.wait()
        return self._result()

    def _is_queued(self):
        return self._is_done() or self._arguments is None


class Messages:
    """async for message in client.messages(...)"""

    def __init__(self, client, topic):
        self._client = client
        self.topic = topic
        self._messages = []
        self._most = 1 if client._stored else STREAM_MOST
        self._gate = Gate()
        self._open = True

    def __aiter__(self):
        return self

    async def __anext__(self):
        while not self._messages:
            if not self._open:
                raise StopAsyncIteration
            self._client._hand_out()
            await self._gate.wait()
        message = self._messages.pop(0)
        if len(self._messages) == self._most // 2:
            self._client._told()
            self._client._nudge()
        return message

    def _take(self, message):
        self._messages.append(message)
        self._gate.open()

    def _is_full(self):
        return len(self._messages) >= self._most

    def _end(self):
        self._open = False
        self._gate.open()

    def close(self):
        """No more of them: the loop ends behind those that have come."""
        if self._open:
            self._client._forget_stream(self)
            self._end()
