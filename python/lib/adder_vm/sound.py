"""audiocore and audioio of a board whose speaker is silent: samples are read and checked, playing them
takes as long as on a board, nothing is heard."""

from adder_vm import drive, importer


class _Sample:
    """What AudioOut plays: so many frames at that rate."""

    def __init__(self, sample_rate: int, frames: int, bits_per_sample: int, channel_count: int) -> None:
        self.sample_rate = sample_rate
        self.bits_per_sample = bits_per_sample
        self.channel_count = channel_count
        self._frames = frames
        self._open = True

    def deinit(self) -> None:
        self._open = False

    def __enter__(self) -> "_Sample":
        return self

    def __exit__(self, *exc: object) -> None:
        self.deinit()


class RawSample(_Sample):
    def __init__(self, buffer: object, *, channel_count: int = 1, sample_rate: int = 8000,
                 single_buffer: bool = True) -> None:
        view = memoryview(buffer)
        if view.format not in ("b", "B", "h", "H"):
            raise ValueError("sample_source buffer must be a bytearray or array of type 'h', 'H', 'b', or 'B'")
        super().__init__(sample_rate, len(view) // channel_count, view.itemsize * 8, channel_count)


class WaveFile(_Sample):
    def __init__(self, file: object, buffer: object = None) -> None:
        if isinstance(file, str):
            file = drive.open(file, "rb")
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise ValueError("Invalid wave file")
        form = None
        while True:
            chunk = file.read(8)
            if len(chunk) < 8:
                raise ValueError("Data chunk must follow fmt chunk")
            size = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                break
            body = file.read(size + (size & 1))
            if chunk[:4] == b"fmt ":
                form = body
        if form is None or len(form) < 16:
            raise ValueError("Invalid format chunk size")
        kind, channels, bits = (int.from_bytes(form[i:i + 2], "little") for i in (0, 2, 14))
        rate = int.from_bytes(form[4:8], "little")
        if kind not in (1, 0xFFFE) or bits not in (8, 16) or channels not in (1, 2) or rate == 0:
            raise ValueError("Unsupported format")
        super().__init__(rate, size // (channels * bits // 8), bits, channels)


class AudioOut:
    def __init__(self, left_channel: object, *, right_channel: object = None, quiescent_value: int = 0x8000) -> None:
        pin = importer.load("microcontroller").Pin
        for given, name in ((left_channel, "left_channel"), (right_channel, "right_channel")):
            if not isinstance(given, pin) and not (given is None and name == "right_channel"):
                raise TypeError(f"{name} must be of type Pin, not {type(given).__name__}")
        self._open, self._sample, self._loop = True, None, False
        self._end_s = self._left_s = 0.0
        self.paused = False

    def _now(self) -> float:
        if not self._open:
            raise ValueError("Object has been deinitialized and can no longer be used. Create a new object.")
        return importer.load("time").monotonic()

    def play(self, sample: _Sample, *, loop: bool = False) -> None:
        now = self._now()
        if not isinstance(sample, _Sample):
            raise TypeError(f"sample must be of type AudioSample, not {type(sample).__name__}")
        self._sample, self._loop, self.paused = sample, loop, False
        self._end_s = now + sample._frames / sample.sample_rate

    def stop(self) -> None:
        self._now()
        self._sample, self.paused = None, False

    def pause(self) -> None:
        if not self.playing or self.paused:
            raise RuntimeError("Not playing")
        self._left_s, self.paused = self._end_s - self._now(), True

    def resume(self) -> None:
        if self.paused:
            self._end_s, self.paused = self._now() + self._left_s, False

    @property
    def playing(self) -> bool:
        now = self._now()
        if self._sample is not None and not self._loop and not self.paused and now >= self._end_s:
            self._sample = None
        return self._sample is not None

    def deinit(self) -> None:
        self._open = False

    def __enter__(self) -> "AudioOut":
        return self

    def __exit__(self, *exc: object) -> None:
        self.deinit()
