"""An MQTT client that stays connected, 3.1.1 and 5.0 (docs/mqtt.md).

    import wifi
    from adder.mqtt import Client

    with Client(wifi.radio, "broker.local") as client:
        client.subscribe("room/+/set", lambda message: print(message.topic, message.text))
        client.publish("room/state", "on", retain=True)
        while True:
            client.poll(1)

The connection lives beside the program: it is kept, and made again when it was lost; what was published meanwhile is
queued, subscriptions are asked for again. Callbacks run on the program's thread: from poll() and wait(), and in a
program with asyncio from a small task beside the others."""

import sys

from adder._mqtt import Client as _Client
from adder._mqtt import Message, matches
from adder._mqtt import properties as _encode
from adder._mqtt import reason as _reason
from adder._mqtt_turns import CONNECTED, FAILED, STOPPED
from adder._mqtt_turns import Turns as _Turns
from adder._mqtt_waits import Messages as _Messages
from adder._mqtt_waits import MQTTError, Publication
from adder._mqtt_waits import loop as _loop

_STATES = "stopped", "waiting to try again", "opening", "connecting", "connected", "stopping", "failed"
_FOR_MESSAGE, _FOR_WILL, _FOR_CONNECT = range(3)
_SERVER_REFERENCE, _REASON_STRING, _ASSIGNED_ID = 0x1C, 0x1F, 0x12
_LATE_MOST = 64


class Client(_Turns):
    """radio: wifi.radio, or an ESP_SPIcontrol. tls: an SSLContext; True = the co-processor's own. clean=False: the
    broker keeps the session while we are away. will: (topic, payload), (topic, payload, qos, retain, properties).
    queue: bytes for messages that are not acknowledged; inbox: bytes for messages that the program has not taken.
    store: a file of the drive that keeps queue and session over a reset, store_size bytes (a multiple of 8192).
    websocket, path: MQTT in a WebSocket. Of 5.0: session_expiry, user_properties, topic_aliases (how many topics may
    have a number in place of their name), auth: (method, function), where function(None or bytes) -> bytes."""

    def __init__(self, radio, broker, port=None, *, tls=None, client_id=None, username=None, password=None, keep_alive=60,
                 clean=True, version=4, session_expiry=0, will=None, queue=20480, inbox=20480, websocket=False, path=None,
                 user_properties=None, topic_aliases=0, auth=None, store=None, store_size=65536):
        if version < 5:
            _refuse(session_expiry=session_expiry, user_properties=user_properties, topic_aliases=topic_aliases, auth=auth)
        if client_id is None:
            import random
            client_id = f"adder{random.getrandbits(30):08x}"
        if websocket and path is None:
            path = "/mqtt"
        if port is None:
            port = (443 if tls else 80) if path else (8883 if tls else 1883)
        self.broker = broker
        self.port = port
        self._id, self._version = client_id, version
        props = _encode({"user_properties": user_properties}, _FOR_CONNECT, version) if user_properties else None
        method, self._auth = auth or (None, None)
        self._core = _Client(radio, broker, port, tls or None, client_id, username, password, keep_alive, clean, version,
                             session_expiry, _will(will, version), queue, inbox, props, topic_aliases, method, path, store,
                             store_size)
        self.on_connect = self.on_disconnect = self.on_message = None
        super().__init__(store is not None)

    # ---- connecting ----

    def start(self):
        """Connect in the background, and stay so."""
        self._core.start()
        if "asyncio" in sys.modules and _loop().cur_task is not None:
            self._hand_out()

    def connect(self, timeout=15):
        """Start, and wait until there is a connection: MQTTError if the broker or TLS refuses, TimeoutError."""
        self.start()
        self.wait(self._arrived, timeout)
        return self

    async def connect_async(self):
        """The same, awaited."""
        self.start()
        await self._until(self._arrived)
        return self

    def _arrived(self):
        state, cause, reason, *_, code, by_tls = self._core.status
        if state == CONNECTED:
            return True
        if by_tls:
            raise MQTTError(f"{self.broker}: {cause}")
        if state == FAILED:
            text = self.reason_string
            raise MQTTError(f"{self.broker} refuses: {reason or cause}" + (f", {text}" if text else ""), code)
        return False

    def stop(self):
        """Say goodbye in the background, and stay off; queue and session stay."""
        self._soon(self._core.stop)

    def _is_off(self):
        return self._core.state in (STOPPED, FAILED)

    def disconnect(self, timeout=3):
        """Say goodbye, and wait until it has left."""
        self.stop()
        self.wait(self._is_off, timeout)

    def deinit(self):
        """Say goodbye and give everything back."""
        try:
            self.disconnect()
        except (TimeoutError, ValueError):  # it did not leave in time; deinit() was called before
            pass
        self._end()

    def _end(self):
        self._core.deinit()
        for stream in self._streams:
            stream._end()
        self._streams.clear()
        self._late.clear()
        task, self._task = self._task, None
        if task is not None and task is not _loop().cur_task:
            task.cancel()

    def __enter__(self):
        return self.connect()

    def __exit__(self, *exc):
        self.deinit()

    async def __aenter__(self):
        return await self.connect_async()

    async def __aexit__(self, *exc):
        self.stop()
        await self._until(self._is_off)
        self._end()

    # ---- state ----

    @property
    def connected(self):
        return self._core.state == CONNECTED

    @property
    def state(self):
        """"connected", "connecting", "waiting to try again", "failed", ..."""
        return _STATES[self._core.state]

    @property
    def error(self):
        """Why the last connection ended or did not come to be, as text; "" = none has."""
        status = self._core.status
        cause, reason, by_tls = status[1], status[2], status[8]
        return cause if by_tls else reason or ("" if cause == "no error" else cause)

    @property
    def connects(self):
        """How many connections there have been."""
        return self._core.status[3]

    @property
    def dropped(self):
        """Messages that came and were longer than the inbox."""
        return self._core.status[4]

    @property
    def queued(self):
        """Messages that are not acknowledged."""
        return self._core.status[5]

    @property
    def session_present(self):
        return self._core.status[6]

    @property
    def client_id(self):
        """Ours, or the one that the broker has given us."""
        return self._core.told(_ASSIGNED_ID) or self._id

    @property
    def server_reference(self):
        """Where the broker sends us instead, or None."""
        return self._core.told(_SERVER_REFERENCE)

    @property
    def reason_string(self):
        """What the broker has said to its refusal or goodbye, or None."""
        return self._core.told(_REASON_STRING)

    # ---- messages out ----

    def publish(self, topic, payload="", qos=0, retain=False, **properties):
        """Queue a message: a str, bytes, or a number. Await the result, or wait() for it, to know that it has
        arrived; without a connection it is sent when there is one. With QoS 1 and 2 that is certain. Properties are of
        5.0: user_properties, content_type, response_topic, correlation_data, message_expiry, payload_is_text."""
        props = _encode(properties, _FOR_MESSAGE, self._version) if properties else None
        publication = Publication(self)
        if not self._late:
            packet_id = self._core.publish(topic, payload, qos, retain, props, self._task is None)
            if packet_id is not None:
                if packet_id > 0:
                    self._publications[packet_id] = publication
                elif packet_id == 0:
                    publication.done = True
                else:
                    self._put_off(lambda wait: self._queue_in(publication, (topic, payload, qos, retain, props), wait))
                return publication
        self._offer(publication, (topic, payload, qos, retain, props))
        return publication

    def _offer(self, publication, arguments):
        """Into the queue, or, where that has no room, kept by the publication until it is waited for."""
        publication._arguments = None
        if len(self._late) >= _LATE_MOST:
            publication._arguments = arguments
        else:
            self._soon(lambda wait: self._queue_in(publication, arguments, wait))

    def _queue_in(self, publication, arguments, may_wait):
        packet_id = self._core.publish(*arguments, may_wait)
        if packet_id is None and self._take_acks():
            packet_id = self._core.publish(*arguments, may_wait)
        if packet_id is None:
            publication._arguments = arguments
        elif packet_id > 0:
            self._publications[packet_id] = publication
        elif packet_id == 0:
            publication._over()
        else:
            return False
        return True

    # ---- messages in ----

    def subscribe(self, topic, callback=None, qos=1, **options):
        """Messages of a topic filter from now on, also after a reconnection: to callback(message), or to on_message.
        Options are of 5.0: no_local, retain_as_published, retain_handling."""
        self._ask(topic, qos, **options)
        if callback is not None:
            self._callbacks.append((topic, callback))

    def messages(self, topic, qos=1, **options):
        """async for message in client.messages("a/+/b"): subscribed while it is there."""
        stream = _Messages(self, topic)
        self._ask(topic, qos, **options)
        self._streams.append(stream)
        return stream

    def _ask(self, topic, qos, no_local=False, retain_as_published=False, retain_handling=0):
        if self._version < 5:
            _refuse(no_local=no_local, retain_as_published=retain_as_published, retain_handling=retain_handling)
        flags = (1 if no_local else 0) | (2 if retain_as_published else 0)

        def subscribe(may_wait):
            number = self._core.subscribe(topic, qos, flags, retain_handling, may_wait)
            if number is None:
                return False
            self._numbers[topic] = number
            self._routes.clear()
            return True

        self._soon(subscribe)

    def unsubscribe(self, topic):
        self._callbacks = [entry for entry in self._callbacks if entry[0] != topic]
        for stream in [stream for stream in self._streams if stream.topic == topic]:
            self._streams.remove(stream)
            stream._end()
        self._routes.clear()
        self._soon(lambda may_wait: self._core.unsubscribe(topic, may_wait))
        self._nudge()

    def granted(self, topic):
        """The QoS that the broker grants; None while there is no answer. MQTTError: it has refused."""
        code = self._core.granted(topic)
        if code is None or code == 0xFF:
            return None
        if code >= 0x80:
            raise MQTTError(f"no subscription to {topic}: {_reason(code)}", code)
        return code

    def _forget_stream(self, stream):
        topic = stream.topic
        if stream in self._streams:
            self._streams.remove(stream)
            self._routes.clear()
            if all(entry[0] != topic for entry in self._callbacks) and all(s.topic != topic for s in self._streams):
                self._soon(lambda may_wait: self._core.unsubscribe(topic, may_wait))
            self._nudge()

    # ---- authentication ----

    def reauthenticate(self):
        """Show the broker once more who we are, with the function of `auth`."""
        if self._auth is None:
            raise ValueError("reauthenticate() needs auth=(method, function)")
        self._answer()  # what the broker has said last
        self._core.answer(self._auth(None), True)



def _refuse(**arguments):
    for name, value in arguments.items():
        if value:
            raise ValueError(f"{name} needs version=5")


def _will(will, version):
    if will is None:
        return None
    topic, payload, qos, retain, properties = (*will, *("", "", 0, False, {})[len(will):])
    if isinstance(payload, (int, float)):
        payload = str(payload)
    if isinstance(payload, str):
        payload = payload.encode()
    return topic, payload, qos, retain, _encode(properties, _FOR_WILL, version)
