"""sdcardio.SDCard: looks for a card and finds an empty slot. A card that answers is not read yet."""

from adder_vm import importer


class SDCard:
    def __init__(self, bus: object, cs: object, baudrate: int = 8000000) -> None:
        digitalio = importer.load("digitalio")
        select = digitalio.DigitalInOut(cs)
        try:
            select.switch_to_output(True)
            if self._answers(bus, select):
                raise NotImplementedError("a card is there, but cards cannot be read yet")
        finally:
            select.deinit()
        raise OSError("no SD card")

    @staticmethod
    def _answers(bus: object, select: object) -> bool:
        """CMD0 (go idle) a few times, as the SD specification's SPI mode begins; R1 = 0x01 is a card."""
        while not bus.try_lock():
            pass
        try:
            bus.configure(baudrate=250000)
            bus.write(b"\xff" * 10)  # the card needs 74 clocks unselected
            reply = bytearray(8)
            for _ in range(5):
                select.value = False
                bus.write(b"\x40\0\0\0\0\x95")
                bus.readinto(reply, write_value=0xFF)
                select.value = True
                if 0x01 in reply:
                    return True
            return False
        finally:
            bus.unlock()
