"""An MQTT client that stays connected, 3.1.1 and 5.0 (docs/mqtt.md).

    import wifi
    from adder.mqtt import Client

    with Client(wifi.radio, "broker.local") as client:
        client.subscribe("room/+/set", lambda message: print(message.topic, message.text))
        client.publish("room/state", "on", retain=True)
        while True:
            client.poll(1)

The connection lives beside the program: it is kept, and made again when it was lost; what was published meanwhile is
queued, subscriptions are asked for again. Callbacks come from poll() and wait(), or while something of the client is
awaited, on the program's thread."""

import time

from adder._mqtt import Client as _Client
from adder._mqtt import matches
from adder._mqtt import reason as _reason

STOPPED, PAUSE, OPENING, CONNECTING, CONNECTED, STOPPING, FAILED = range(7)
_STATES = "stopped", "waiting to try again", "opening", "connecting", "connected", "stopping", "failed"


class MQTTError(Exception):
    """The broker has refused something; `reason` is its code (MQTT 5.0, section 2.4), or None."""

    def __init__(self, text, reason=None):
        super().__init__(text)
        self.reason = reason


class Message:
    """What came: topic, payload (bytes), qos, retain, duplicate; text is the payload as str."""

    def __init__(self, topic, payload, qos, retain, duplicate):
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.duplicate = duplicate

    @property
    def text(self):
        return self.payload.decode()

    def __repr__(self):
        return f"Message({self.topic!r}, {self.payload!r})"


class Publication:
    """A message on its way. Await it, or wait(), for its acknowledgement: with QoS 0 there is none to wait for."""

    def __init__(self, client, packet_id):
        self._client = client
        self._id = packet_id
        self.done = packet_id == 0
        self.reason = 0

    def _over(self, reason):
        self.done = True
        self.reason = reason

    def _result(self):
        if self.reason >= 0x80:
            raise MQTTError(f"not taken: {_reason(self.reason)}", self.reason)
        return self

    def wait(self, timeout=None):
        """Until the broker has it; TimeoutError, MQTTError."""
        self._client.wait(lambda: self.done, timeout)
        return self._result()

    def __await__(self):
        return self._until_done().__await__()

    async def _until_done(self):
        await self._client._until(lambda: self.done)
        return self._result()


class _Refusing(Publication):
    """A message that has no room in the queue yet: it goes there as soon as it is waited for."""

    def __init__(self, client, arguments):
        super().__init__(client, None)
        self._arguments = arguments

    def _offer(self):
        if self._id is None:
            self._client._take()
            self._id = self._client._core.publish(*self._arguments)
            if self._id:
                self._client._publications[self._id] = self
            elif self._id == 0:
                self.done = True
        return self.done

    def wait(self, timeout=None):
        self._client.wait(self._offer, timeout)
        return self._result()

    async def _until_done(self):
        await self._client._until(self._offer)
        return self._result()


class _Messages:
    """async for message in client.messages(...)"""

    def __init__(self, client, topic):
        self._client = client
        self.topic = topic
        self._waiting = []

    def __aiter__(self):
        return self

    async def __anext__(self):
        await self._client._until(lambda: self._waiting or self not in self._client._streams)
        if not self._waiting:
            raise StopAsyncIteration
        return self._waiting.pop(0)

    def close(self):
        """No more of them: the loop ends behind those that have come."""
        if self in self._client._streams:
            self._client._streams.remove(self)
            self._client._drop(self.topic)


class Client:
    """radio: wifi.radio, or an ESP_SPIcontrol. tls: an SSLContext; True = the co-processor's own. clean=False: the
    broker keeps the session while we are away. will: (topic, payload), (topic, payload, qos, retain). queue: bytes for
    messages that are not acknowledged; inbox: bytes for messages that the program has not taken."""

    def __init__(self, radio, broker, port=None, *, tls=None, client_id=None, username=None, password=None, keep_alive=60,
                 clean=True, version=4, session_expiry=0, will=None, queue=8192, inbox=16384):
        if client_id is None:
            import random
            client_id = f"adder{random.getrandbits(30):08x}"
        if will is not None:
            topic, payload, qos, retain = (tuple(will) + (0, False))[:4] if len(will) < 4 else will
            will = topic, _bytes(payload), qos, retain
        self.broker = broker
        self.port = port or (8883 if tls else 1883)
        self._core = _Client(radio, broker, self.port, tls or None, client_id, username, password, keep_alive, clean,
                             version, session_expiry, will, queue, inbox)
        self.on_connect = self.on_disconnect = self.on_message = None
        self._callbacks = []  # (filter, function)
        self._streams = []
        self._publications = {}
        self._numbers = {}  # of subscriptions, by filter
        self._connects, self._was_on = 0, False

    # ---- connecting ----

    def start(self):
        """Connect in the background, and stay so."""
        self._core.start()

    def connect(self, timeout=15):
        """Start, and wait until there is a connection: MQTTError if the broker refuses, TimeoutError."""
        self.start()
        self.wait(self._arrived, timeout)
        return self

    async def connect_async(self):
        """The same, awaited."""
        self.start()
        await self._until(self._arrived)
        return self

    def _arrived(self):
        state, cause, reason, code = self._status(1, 2, 3, 8)
        if state == FAILED:
            raise MQTTError(f"{self.broker} refuses: {reason or cause}", code)
        return state == CONNECTED

    def stop(self):
        """Say goodbye in the background, and stay off; queue and session stay."""
        self._core.stop()

    def disconnect(self, timeout=3):
        """Say goodbye, and wait until it has left."""
        self.stop()
        self.wait(lambda: self._status(1)[0] in (STOPPED, FAILED), timeout)

    def deinit(self):
        """Say goodbye and give everything back."""
        try:
            self.disconnect()
        except (TimeoutError, ValueError):  # it did not leave in time; deinit() was called before
            pass
        self._core.deinit()
        self._streams.clear()

    def __enter__(self):
        return self.connect()

    def __exit__(self, *exc):
        self.deinit()

    async def __aenter__(self):
        return await self.connect_async()

    async def __aexit__(self, *exc):
        self.stop()
        await self._until(lambda: self._status(1)[0] in (STOPPED, FAILED))
        self._core.deinit()
        self._streams.clear()

    # ---- state ----

    def _status(self, *which):
        status = self._core.status
        return [status[i] for i in which]

    @property
    def connected(self):
        return self._core.status[1] == CONNECTED

    @property
    def state(self):
        """"connected", "connecting", "waiting to try again", "failed", ..."""
        return _STATES[self._core.status[1]]

    @property
    def error(self):
        """Why the last connection ended or did not come to be, as text; "" = none has."""
        cause, reason = self._status(2, 3)
        return reason or ("" if cause == "no error" else cause)

    @property
    def connects(self):
        """How many connections there have been."""
        return self._core.status[4]

    @property
    def dropped(self):
        """Messages that came and were longer than the inbox."""
        return self._core.status[5]

    @property
    def queued(self):
        """Messages that are not acknowledged."""
        return self._core.status[6]

    @property
    def session_present(self):
        return self._core.status[7]

    # ---- messages out ----

    def publish(self, topic, payload="", qos=0, retain=False):
        """Queue a message: a str, bytes, or a number. Await the result, or wait() for it, to know that it has
        arrived; without a connection it is sent when there is one. With QoS 1 and 2 that is certain."""
        arguments = topic, _bytes(payload), qos, retain
        self._take_acks()
        packet_id = self._core.publish(*arguments)
        if packet_id is None:
            return _Refusing(self, arguments)
        publication = Publication(self, packet_id)
        if packet_id:
            self._publications[packet_id] = publication
        return publication

    # ---- messages in ----

    def subscribe(self, topic, callback=None, qos=1):
        """Messages of a topic filter from now on, also after a reconnection: to callback(message), or to
        on_message."""
        self._numbers[topic] = self._core.subscribe(topic, qos)
        if callback is not None:
            self._callbacks.append((topic, callback))

    def unsubscribe(self, topic):
        self._callbacks = [entry for entry in self._callbacks if entry[0] != topic]
        self._streams = [stream for stream in self._streams if stream.topic != topic]
        self._core.unsubscribe(topic)

    def granted(self, topic):
        """The QoS that the broker grants; None while there is no answer. MQTTError: it has refused."""
        code = self._core.granted(topic)
        if code is None or code == 0xFF:
            return None
        if code >= 0x80:
            raise MQTTError(f"no subscription to {topic}: {_reason(code)}", code)
        return code

    def messages(self, topic, qos=1):
        """async for message in client.messages("a/+/b"): subscribed while it is there."""
        stream = _Messages(self, topic)
        self._numbers[topic] = self._core.subscribe(topic, qos)
        self._streams.append(stream)
        return stream

    def _drop(self, topic):
        if all(entry[0] != topic for entry in self._callbacks) and all(s.topic != topic for s in self._streams):
            self._core.unsubscribe(topic)

    # ---- the program's turn ----

    def _take_acks(self):
        for packet_id, reason in self._core.acks():
            publication = self._publications.pop(packet_id, None)
            if publication is not None:
                publication._over(reason)

    def _tell_state(self):
        state, connects = self._status(1, 4)
        if self._was_on and (state != CONNECTED or connects != self._connects):
            self._was_on = False
            if self.on_disconnect is not None:
                self.on_disconnect(self)
        if state == CONNECTED and not self._was_on:
            self._was_on, self._connects = True, connects
            if self.on_connect is not None:
                self.on_connect(self)

    def _is_for(self, message, topic, numbers):
        """With MQTT 5.0 a broker may send a message once for each subscription, and says for which."""
        if numbers:
            return self._numbers.get(topic) in numbers
        return matches(topic, message.topic)

    def _tell(self, message, numbers):
        taken = False
        for topic, callback in list(self._callbacks):
            if self._is_for(message, topic, numbers):
                taken = True
                callback(message)
        for stream in self._streams:
            if self._is_for(message, stream.topic, numbers):
                taken = True
                stream._waiting.append(message)
        if not taken and self.on_message is not None:
            self.on_message(message)

    def _take(self):
        """Tell what has come; how many messages."""
        self._take_acks()
        self._tell_state()
        for count in range(64):
            taken = self._core.take()
            if taken is None:
                return count
            self._tell(Message(*taken[:5]), taken[5])
        return 64

    def poll(self, timeout=0):
        """Call the callbacks of what has come; wait so many seconds for something if nothing has."""
        news = self._core.status[0]
        count = self._take()
        if count == 0 and timeout > 0 and self._core.wait(news, timeout):
            count = self._take()
        return count

    def wait(self, condition, timeout=None):
        """poll() until condition() is true: its value. TimeoutError."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            news = self._core.status[0]
            count = self._take()
            result = condition()
            if result:
                return result
            left = 60 if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"MQTT: {self.state}" + (f", {self.error}" if self.error else ""))
            if count == 0:
                self._core.wait(news, min(left, 60))

    async def _until(self, condition):
        import asyncio
        while True:
            count = self._take()
            result = condition()
            if result:
                return result
            await asyncio.sleep_ms(0 if count else 5)


def _bytes(payload):
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, (int, float)):
        return str(payload).encode()
    return payload
