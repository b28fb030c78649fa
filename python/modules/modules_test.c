/* The hardware modules on a fake microcontroller: what programs see (the Python in the tests) and what
 * reaches the pins and buses (the C around it). Scripts run as code.py does, through adder_vm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "python/layer/test_vm.h"

#define HEAD "import board, microcontroller\n" RAISES

/* ---- pins ---- */

static void pins(void **state)
{
    (void)state;
    fake.outside[2] = 1;
    expect(HEAD "import digitalio\n"
                "from digitalio import DigitalInOut, Direction, Pull, DriveMode\n"
                "assert board.D13 is board.LED and board.D13 is microcontroller.pin.P13\n"
                "assert repr(board.D0) == 'board.D0' and hash(board.D0) is not None\n"
                "raises(TypeError, 'instance', microcontroller.Pin)\n"
                "raises(TypeError, 'pin must be of type Pin, not int', DigitalInOut, 3)\n"
                "led = DigitalInOut(board.LED)\n"
                "raises(ValueError, 'LED in use', DigitalInOut, board.D13)\n"
                "assert led.direction is Direction.INPUT and led.pull is None and led.value is False\n"
                "raises(AttributeError, '', setattr, led, 'value', True)\n"
                "raises(AttributeError, '', lambda: led.drive_mode)\n"
                "led.switch_to_output(True)\n"
                "assert led.value is True and led.drive_mode is DriveMode.PUSH_PULL\n"
                "raises(AttributeError, '', lambda: led.pull)\n"
                "raises(AttributeError, '', setattr, led, 'pull', None)\n"
                "led.drive_mode = DriveMode.OPEN_DRAIN; assert led.drive_mode is DriveMode.OPEN_DRAIN\n"
                "led.direction = Direction.OUTPUT; assert led.value is False\n"
                "led.value = 1\n"
                "with DigitalInOut(board.D2) as b:\n"
                "    assert b.value\n"
                "    b.pull = Pull.UP; assert b.pull is Pull.UP\n"
                "raises(ValueError, 'deinit', lambda: b.value)\n"
                "b.deinit(); DigitalInOut(board.D2).deinit()\n"
                "assert repr(Pull.UP) == 'digitalio.Pull.UP'\n"
                "i = DigitalInOut(board.INPUT)\n"
                "raises(ValueError, 'input only', i.switch_to_output)\n"
                "raises(TypeError, 'pull must be of type Pull', i.switch_to_input, 3)\n"
                "keep = led\n");
    assert_true(fake.out[13]);
    assert_int_equal(fake.mode[13], ADDER_PIN_IN); /* the end of the VM gave it back */
    assert_int_equal(fake.released[13], 1);
    expect(HEAD "import digitalio\nled = digitalio.DigitalInOut(board.LED)\n");
}

static void analog_and_pwm(void **state)
{
    (void)state;
    fake.analog[17] = 40000;
    expect(HEAD "import analogio, pwmio\n"
                "a = analogio.AnalogIn(board.A1)\n"
                "assert a.value == 40000 and abs(a.reference_voltage - 3.3) < 1e-6\n"
                "raises(AttributeError, '', setattr, a, 'value', 1)\n"
                "raises(ValueError, 'Invalid pin', analogio.AnalogIn, board.D0)\n"
                "raises(ValueError, 'A1 in use', analogio.AnalogIn, board.A1)\n"
                "o = analogio.AnalogOut(board.A0); o.value = 65535\n"
                "raises(ValueError, '0-65535', setattr, o, 'value', 65536)\n"
                "raises(AttributeError, '', lambda: o.value)\n"
                "p = pwmio.PWMOut(board.D5, duty_cycle=100)\n"
                "assert p.frequency == 500 and p.duty_cycle == 100\n"
                "p.duty_cycle = 65535\n"
                "raises(ValueError, '', setattr, p, 'duty_cycle', -1)\n"
                "raises(AttributeError, '', setattr, p, 'frequency', 100)\n"
                "raises(ValueError, '', pwmio.PWMOut, board.D4, duty_cycle=65536)\n"
                "raises(ValueError, 'Invalid pin', pwmio.PWMOut, board.PLAIN)\n"
                "raises(TypeError, '', pwmio.PWMOut, board.D4, 5)\n"
                "q = pwmio.PWMOut(board.D4, frequency=1000, variable_frequency=True)\n"
                "q.frequency = 2000; assert q.frequency == 2000\n");
    assert_int_equal(fake.analog[16], 65535);
    assert_int_equal(fake.duty[5], 65535);
    assert_int_equal(fake.hz[4], 2000);
}

/* ---- buses ---- */

static void i2c(void **state)
{
    (void)state;
    memcpy(fake.answer, "\x12\x34\x56", fake.answer_len = 3);
    expect(HEAD "import busio\n"
                "i = board.I2C()\n"
                "assert board.I2C() is i is board.STEMMA_I2C()\n"
                "raises(ValueError, 'in use', busio.I2C, board.SCL, board.SDA)\n"
                "raises(RuntimeError, 'Function requires lock', i.scan)\n"
                "assert i.try_lock() and not i.try_lock()\n"
                "assert i.scan() == [0x48] and i.probe(0x48) and not i.probe(0x49)\n"
                "b = bytearray(4)\n"
                "i.readfrom_into(0x48, b, start=1, end=3); assert b == b'\\0\\x12\\x34\\0'\n"
                "i.writeto(0x48, b'abc', end=-1); i.writeto(0x48, b'')\n"
                "i.writeto_then_readfrom(0x48, b'Z', b, in_end=1); assert b[0] == 0x12\n"
                "raises(ValueError, '>= 1', i.readfrom_into, 0x48, bytearray(0))\n"
                "raises(ValueError, '>= 1', i.writeto_then_readfrom, 0x48, b'x', b, in_start=4)\n"
                "try: i.writeto(0x10, b'x')\n"
                "except OSError as e: assert e.errno == 19\n"
                "else: assert False\n"
                "i.unlock(); i.unlock(); i.deinit(); i.deinit()\n"
                "raises(ValueError, 'deinit', i.try_lock)\n"
                "raises(ValueError, 'deinit', i.unlock)\n"
                "assert board.I2C() is not i; board.I2C().deinit()\n"
                "with busio.I2C(board.SCL, board.SDA, frequency=400000) as j: pass\n"
                "raises(ValueError, 'Invalid pins', busio.I2C, board.D0, board.D1)\n"
                "raises(ValueError, 'frequency', busio.I2C, board.SCL, board.SDA, frequency=2000000)\n"
                "from adafruit_bus_device.i2c_device import I2CDevice\n"
                "i = board.I2C()\n"
                "raises(ValueError, '0x10', I2CDevice, i, 0x10)\n"
                "assert i.try_lock(); i.unlock()\n"
                "d = I2CDevice(i, 0x48)\n"
                "with d as bus:\n"
                "    assert bus is d and not i.try_lock()\n"
                "    d.write(b'12345', start=1, end=3)\n"
                "    r = bytearray(2); d.readinto(r); assert r == b'\\x12\\x34'\n"
                "    d.write_then_readinto(b'Q', r, in_end=1)\n"
                "try:\n"
                "    with I2CDevice(i, 0x11, probe=False) as x: x.write(b'1')\n"
                "    assert False\n"
                "except OSError as e: assert e.errno == 19\n"
                "assert i.try_lock()\n"
                "class Fake:\n"
                "    log = []\n"
                "    def try_lock(self): self.log.append('lock'); return len(self.log) > 2\n"
                "    def unlock(self): self.log.append('unlock')\n"
                "    def writeto(self, address, buffer, *, start=0, end=None): self.log.append((address, "
                "bytes(buffer), start))\n"
                "f = I2CDevice(Fake(), 5)\n"
                "with f: f.write(b'hi', start=1)\n"
                "assert Fake.log == ['lock', 'lock', 'lock', (5, b'', 0), 'unlock', 'lock', (5, b'hi', 1), "
                "'unlock'], Fake.log\n");
    assert_memory_equal(fake.sent, "abZ23Q", 6);
    assert_int_equal(fake.opened, fake.closed);
    fake.no_pull_ups = true;
    expect(HEAD "raises(RuntimeError, 'pull', board.I2C)\n"
                "import digitalio; digitalio.DigitalInOut(board.SCL)\n"); /* the failed one gave it back */
}

static void spi(void **state)
{
    (void)state;
    memcpy(fake.answer, "\x01\x02\x03\x04", fake.answer_len = 4);
    expect(HEAD "import busio\n"
                "s = board.SPI(); assert board.SPI() is s and s.frequency == 250000\n"
                "raises(RuntimeError, 'lock', s.write, b'1')\n"
                "raises(RuntimeError, 'lock', s.configure)\n"
                "s.try_lock()\n"
                "s.configure(baudrate=50000000, polarity=1, phase=1); assert s.frequency == 24000000\n"
                "raises(ValueError, 'polarity must be 0-1', s.configure, polarity=2)\n"
                "raises(ValueError, 'bits', s.configure, bits=7)\n"
                "s.write(b''); s.write(b'hello', start=1, end=-1)\n"
                "b = bytearray(3); s.readinto(b, write_value=0x55); assert b == b'\\1\\2\\3'\n"
                "s.write_readinto(b'AB', b, in_start=1); assert b == b'\\1\\1\\2'\n"
                "raises(ValueError, 'equal length', s.write_readinto, b'AB', b)\n"
                "import array\n"
                "s.write(array.array('H', [0x4342, 0x4544]), start=1)\n"
                "s.unlock(); s.deinit()\n"
                "raises(ValueError, '', busio.SPI, board.SCK)\n"
                "raises(ValueError, 'Invalid pins', busio.SPI, board.D0, board.D1)\n"
                "o = busio.SPI(board.SCK, MOSI=board.MOSI); o.try_lock()\n"
                "raises(ValueError, 'MISO', o.readinto, b)\n"
                "o.deinit()\n"
                "from adafruit_bus_device.spi_device import SPIDevice\n"
                "import digitalio\n"
                "cs = digitalio.DigitalInOut(board.CS)\n"
                "s = board.SPI(); d = SPIDevice(s, cs, baudrate=8000000, extra_clocks=9)\n"
                "assert cs.value and cs.direction is digitalio.Direction.OUTPUT\n"
                "with d as bus:\n"
                "    assert bus is s and not cs.value and s.frequency == 8000000 and not s.try_lock()\n"
                "    bus.write(b'!')\n"
                "assert cs.value and s.try_lock()\n");
    assert_memory_equal(fake.sent, "ellABDE!\xff\xff", 10);
    assert_int_equal(fake.sent_len, 10);
}

static void uart(void **state)
{
    (void)state;
    memcpy(fake.answer, "one\ntwo\nrest", fake.answer_len = 12);
    expect(HEAD
           "import busio, time\n"
           "u = busio.UART(board.TX, board.RX, baudrate=115200, timeout=0.02)\n"
           "assert u.baudrate == 115200 and u.in_waiting == 12\n"
           "assert u.readline() == b'one\\n' and u.read(3) == b'two'\n"
           "b = bytearray(2); assert u.readinto(b) == 2 and b == b'\\nr'\n"
           "assert u.read() == b'est'\n"
           "t = time.monotonic(); assert u.read(1) is None and u.read() is None and u.readline() is None\n"
           "assert 0.05 < time.monotonic() - t < 0.5\n"
           "assert u.write(b'hi') == 2\n"
           "raises(TypeError, '', u.write, 'text')\n"
           "raises(ValueError, 'timeout', setattr, u, 'timeout', 101)\n"
           "u.reset_input_buffer(); u.deinit()\n"
           "raises(ValueError, 'both', busio.UART)\n"
           "raises(ValueError, 'Invalid', busio.UART, board.TX, board.TX)\n"
           "raises(ValueError, 'bits must be 5-9', busio.UART, board.TX, bits=4)\n"
           "w = busio.UART(board.TX, parity=busio.UART.Parity.ODD)\n"
           "raises(ValueError, 'RX', w.read, 1)\n");
    assert_memory_equal(fake.sent, "hi", 2);
    expect(HEAD "import bitbangio\n"
                "i = bitbangio.I2C(board.D2, board.D3)\n" /* any pins; nobody pulls these up */
                "i.try_lock(); raises(TimeoutError, '', i.writeto, 0x48, b''); assert i.scan() == []\n"
                "s = bitbangio.SPI(board.D4, board.D5)\n"
                "assert not hasattr(s, 'frequency'); s.try_lock(); s.configure(); s.write(b'1')\n"
                "raises(ValueError, 'MISO', s.readinto, bytearray(1))\n"
                "raises(ValueError, 'D4 in use', bitbangio.SPI, board.D4, board.D1)\n");
}

/* ---- the chip ---- */

static void chip(void **state)
{
    (void)state;
    memcpy(fake.nvm, "\x05\x06", 2);
    expect(HEAD "from microcontroller import cpu, nvm, watchdog, ResetReason\n"
                "assert cpu.frequency == 120000000 and cpu.temperature == 21.5 and cpu.uid[1] == 2\n"
                "assert cpu.reset_reason is ResetReason.POWER_ON and microcontroller.cpus[0] is cpu\n"
                "assert len(nvm) == 64 and nvm and nvm[0] == 5 and nvm[-64] == 5\n"
                "nvm[0:3] = b'abc'; assert nvm[1:3] == b'bc'\n"
                "nvm[63] = 9\n"
                "raises(IndexError, '', lambda: nvm[64])\n"
                "raises(ValueError, '', nvm.__setitem__, 0, 256)\n"
                "raises(ValueError, 'length', nvm.__setitem__, slice(0, 2), b'abc')\n"
                "raises(NotImplementedError, '', nvm.__setitem__, slice(0, 2), 'ab')\n"
                "raises(NotImplementedError, 'step', lambda: nvm[::2])\n"
                "from watchdog import WatchDogMode, WatchDogTimeout\n"
                "assert watchdog.mode is None and issubclass(WatchDogTimeout, Exception)\n"
                "watchdog.feed()\n"
                "raises(ValueError, '', setattr, watchdog, 'mode', WatchDogMode.RESET)\n"
                "watchdog.timeout = 2.5; watchdog.mode = WatchDogMode.RESET; watchdog.feed()\n"
                "assert watchdog.timeout == 2.5 and watchdog.mode is WatchDogMode.RESET\n"
                "microcontroller.delay_us(50)\n"
                "microcontroller.disable_interrupts(); microcontroller.enable_interrupts()\n"
                "microcontroller.on_next_reset(microcontroller.RunMode.SAFE_MODE)\n"
                "assert board.board_id == 'fake_board'\n");
    assert_memory_equal(fake.nvm, "abc", 3);
    assert_int_equal(fake.fed, 1);
    assert_int_equal(fake.watchdog_ms, 0); /* off again at the end of the VM */
    assert_true(vm_state()->safe_mode_next);
    assert_int_equal(run("import microcontroller\nmicrocontroller.reset()\n"), VM_RESET);
    assert_int_equal(fake.resets, 1);
}

static void times(void **state)
{
    (void)state;
    fake.clock_set = 1600000000;
    expect(HEAD
           "import time, rtc\n"
           "assert time.time() == 1600000000 and isinstance(time.time(), int)\n"
           "assert time.localtime() == (2020, 9, 13, 12, 26, 40, 6, 257, -1)\n"
           "assert time.localtime(951782400)[:3] == (2000, 2, 29)\n"
           "assert time.mktime((2000, 2, 29, 0, 0, 0, 0, 0, 0)) == 951782400\n"
           "assert time.mktime(time.localtime(1234567890)) == 1234567890\n"
           "raises(OverflowError, '', time.localtime, 946684799)\n"
           "raises(OverflowError, '', time.mktime, (1999, 1, 1, 0, 0, 0, 0, 0, 0))\n"
           "raises(TypeError, '', time.mktime, (2000, 1))\n"
           "raises(TypeError, '', time.struct_time, (1, 2))\n"
           "t = time.struct_time((2024, 5, 6, 7, 8, 9, 0, 0, -1)); assert t.tm_hour == 7 and len(t) == 9\n"
           "raises(ValueError, 'non-negative', time.sleep, -1)\n"
           "a = time.monotonic_ns(); m = time.monotonic(); time.sleep(0.03)\n"
           "assert 0.03 <= time.monotonic() - m < 0.2 and time.monotonic_ns() - a >= 30000000\n"
           "raises(AttributeError, '', lambda: time.ticks_ms)\n"
           "assert rtc.RTC() is rtc.RTC()\n"
           "rtc.RTC().datetime = t; assert time.localtime()[:6] == t[:6]\n"
           "class Source: datetime = time.struct_time((2030, 1, 1, 0, 0, 0, 0, 0, 0))\n"
           "rtc.set_time_source(Source()); assert time.localtime().tm_year == 2030\n");
    expect("import time\nassert time.localtime().tm_year == 2024\n");
}

/* ---- supervisor, storage, settings ---- */

static void put_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", drive, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void settings(void **state)
{
    (void)state;
    expect("import os\nassert os.getenv('SSID') is None and os.getenv('SSID', 'x') == 'x'\n");
    put_file("settings.toml",
             "SSID = \"home \\u00e9\"\nN = 011\nF=2.5\nB = true\nBAD = hello # x\n[s]\nLATE = 1\n");
    expect(HEAD "import os, supervisor\n"
                "assert os.getenv('SSID') == 'home \\u00e9' and os.getenv('N') == '011' and os.getenv('BAD') "
                "== 'hello'\n"
                "assert os.getenv('LATE') is None and os.getenv('B') == 'true'\n"
                "g = supervisor.get_setting\n"
                "assert g('SSID') == 'home \\u00e9' and g('N') == 9 and g('F') == 2.5 and g('B') is True\n"
                "assert g('NONE') is None and g('NONE', 5) == 5\n"
                "raises(ValueError, 'line 5', g, 'BAD')\n");
}

static void supervisor(void **state)
{
    (void)state;
    put_file("other.py", "pass\n");
    vm_state()->serial_connected = true;
    vm_state()->previous_traceback = strdup("old\n");
    vm_state()->safe_mode_reason = "USER";
    expect(HEAD
           "import supervisor\n"
           "r = supervisor.runtime\n"
           "assert r.serial_connected is True and r.usb_connected is True and r.serial_bytes_available == 0\n"
           "assert r.run_reason is supervisor.RunReason.STARTUP\n"
           "assert r.safe_mode_reason is supervisor.SafeModeReason.USER\n"
           "assert r.autoreload is True; r.autoreload = False\n"
           "assert r.display is None\n"
           "assert supervisor.get_previous_traceback() == 'old\\n'\n"
           "assert 0 <= supervisor.ticks_ms() < 1 << 29\n"
           "supervisor.status_bar.console = False\n"
           "n = supervisor.set_next_code_file\n"
           "raises(ValueError, '', n, 'missing.py')\n"
           "raises(ValueError, '', n, 'other.py', working_directory='/nowhere')\n"
           "raises(TypeError, '', n, 5)\n"
           "n('other.py', reload_on_error=True, sticky_on_reload=True)\n");
    vm_state_t *s = vm_state();
    assert_string_equal(s->next_file, "other.py");
    assert_int_equal(s->next_flags, VM_NEXT_RELOAD_ON_ERROR | VM_NEXT_STICKY_ON_RELOAD);
    assert_false(s->autoreload || s->status_bar_console);
    expect("import supervisor\nsupervisor.set_next_code_file(None)\n");
    assert_string_equal(s->next_file, "");
    assert_int_equal(
        run("import supervisor\nwhile True:\n    try: supervisor.reload()\n    except Exception: pass\n"),
        VM_RELOAD);
    free(s->previous_traceback);
    s->previous_traceback = NULL;
}

static void storage(void **state)
{
    (void)state;
    expect(HEAD "import storage\n"
                "assert storage.getmount('/').readonly and storage.getmount('/').label == 'CIRCUITPY'\n"
                "raises(OSError, '22', storage.getmount, '/sd')\n"
                "raises(RuntimeError, '', storage.remount, '/', False)\n"
                "raises(RuntimeError, '', storage.disable_usb_drive)\n"
                "try: open('/x.txt', 'w')\n"
                "except OSError as e: assert e.errno == 30\n"
                "else: assert False\n");
    vm_state()->booting = true;
    expect("import storage\nstorage.remount('/', readonly=False)\n");
    vm_state()->booting = false;
    expect("with open('/x.txt', 'w') as f: f.write('1')\n"
           "import storage\nassert not storage.getmount('/').readonly\n");
}

static void neopixels(void **state)
{
    (void)state;
    expect(HEAD "import digitalio, neopixel_write\n"
                "d = digitalio.DigitalInOut(board.NEOPIXEL)\n"
                "raises(ValueError, 'output', neopixel_write.neopixel_write, d, b'123')\n"
                "d.switch_to_output(); neopixel_write.neopixel_write(d, bytearray(b'\\1\\2\\3'))\n"
                "raises(TypeError, 'digitalinout', neopixel_write.neopixel_write, 3, b'123')\n");
    assert_int_equal(fake.pixels_len, 3);
    assert_memory_equal(fake.pixels, "\1\2\3", 3);
}

static void pixelbuf(void **state)
{
    (void)state;
    expect(HEAD
           "from adafruit_pixelbuf import PixelBuf\n"
           "class P(PixelBuf):\n"
           "    sent = []\n"
           "    def _transmit(self, buffer): self.sent.append(bytes(buffer))\n"
           "p = P(3, byteorder='GRB', header=b'<', trailer=b'>')\n"
           "assert len(p) == 3 and p.bpp == 3 and p.byteorder == 'GRB' and p.brightness == 1.0\n"
           "p[0] = 0x010203; p[1] = (4, 5, 6); p[-1] = (300, -1, 7.9)\n"
           "assert p[0] == (1, 2, 3) and p[2] == (255, 0, 7) and list(p)[1] == (4, 5, 6) and not P.sent\n"
           "p.show(); assert P.sent[-1] == b'<\\2\\1\\3\\5\\4\\6\\0\\xff\\7>', P.sent\n"
           "p.auto_write = True; p.brightness = 0.5\n"
           "assert p[2] == (255, 0, 7) and P.sent[-1] == b'<\\1\\0\\1\\2\\2\\3\\0\\x7f\\3>', P.sent[-1]\n"
           "p.brightness = 1; assert P.sent[-1][7:10] == b'\\0\\xff\\7'\n"
           "p[0:2] = [(9, 9, 9), 0x080808]; assert p[:2] == [(9, 9, 9), (8, 8, 8)]\n"
           "n = len(P.sent); p.fill((1, 1, 1)); assert len(P.sent) == n + 1 and p[2] == (1, 1, 1)\n"
           "raises(IndexError, '', p.__setitem__, 3, 0)\n"
           "raises(ValueError, '', p.__setitem__, slice(0, 2), [0])\n"
           "raises(ValueError, '', p.__setitem__, 0, (1, 2))\n"
           "raises(ValueError, '', p.__setitem__, 0, (1, 2, 3, 4))\n"
           "raises(ValueError, 'byteorder', PixelBuf, 3, byteorder='RGX')\n"
           "w = P(1, byteorder='GRBW'); w[0] = 0x404040; assert w[0] == (0, 0, 0, 0x40)\n"
           "w[0] = (1, 2, 3); assert w[0] == (1, 2, 3, 0)\n"
           "d = P(1, byteorder='PBGR'); d[0] = (1, 2, 3, 1.0); d.show()\n"
           "assert P.sent[-1] == b'\\xff\\3\\2\\1' and d[0] == (1, 2, 3, 1.0)\n"
           "raises(NotImplementedError, '', PixelBuf(1).show)\n");
}

static void keypad(void **state)
{
    (void)state;
    fake.wired[1] = 1 + 0;  /* D0 presses the key on D1 */
    fake.wired[23] = 1 + 0; /* and moves the encoder's pins with D2 */
    fake.wired[22] = 1 + 2;
    expect(
        HEAD
        "import keypad, digitalio, time\n"
        "drive = digitalio.DigitalInOut(board.D0); drive.switch_to_output(True)\n"
        "def until(done):\n" /* computing, not sleeping: what is scanned here is scanned behind the program */
        "    end = time.monotonic() + 10\n"
        "    while not done(): assert time.monotonic() < end\n"
        "raises(TypeError, '', keypad.Keys, (board.D1,))\n"
        "raises(TypeError, 'duplicate', keypad.Keys, (board.D1, board.D1), value_when_pressed=False)\n"
        "raises(ValueError, 'interval', keypad.Keys, (board.D1,), value_when_pressed=False, interval=-1)\n"
        "raises(ValueError, 'max_events', keypad.Keys, (board.D1,), value_when_pressed=False, max_events=0)\n"
        "k = keypad.Keys((board.D3, board.D1), value_when_pressed=False, interval=0.002, max_events=3)\n"
        "assert k.key_count == 2 and not k.events and len(k.events) == 0 and k.events.get() is None\n"
        "drive.value = False; until(lambda: k.events)\n"
        "assert k.events and len(k.events) == 1\n"
        "e = k.events.get()\n"
        "assert e == keypad.Event(1, True) and e.pressed and not e.released and e.key_number == 1\n"
        "assert e == keypad.Event(1, True, 5) and hash(e) == hash(keypad.Event(1, True)) and e != "
        "keypad.Event(1, False)\n"
        "drive.value = True; until(lambda: k.events)\n"
        "e = keypad.Event(); assert k.events.get_into(e) and e.released and not k.events.get_into(e)\n"
        "for i in range(3): drive.value = bool(i & 1); until(lambda: len(k.events) == i + 1)\n"
        "drive.value = True; until(lambda: k.events.overflowed)\n"
        "assert k.events.overflowed and len(k.events) == 3\n"
        "k.events.clear(); assert not k.events.overflowed and not k.events\n"
        "drive.value = False; until(lambda: k.events); k.events.clear(); k.reset(); until(lambda: k.events)\n"
        "assert k.events.get().pressed\n"
        "q = k.events; k.deinit(); assert len(q) == 0\n"
        "raises(ValueError, 'deinit', k.reset)\n"
        "drive.value = True\n"
        "m = keypad.KeyMatrix((board.D3, board.D4), (board.D5, board.D1), interval=0.002)\n"
        "assert m.key_count == 4 and m.key_number_to_row_column(3) == (1, 1) and "
        "m.row_column_to_key_number(1, 0) == 2\n"
        "raises(ValueError, '', m.key_number_to_row_column, 4)\n"
        "drive.value = False; until(lambda: len(m.events) == 2)\n"
        "assert {m.events.get().key_number, m.events.get().key_number} == {1, 3}\n"
        "m.deinit()\n"
        "s = keypad.ShiftRegisterKeys(clock=board.D3, data=board.D1, latch=board.D4, key_count=3,\n"
        "                             value_when_pressed=False, interval=0.002)\n"
        "until(lambda: len(s.events) == 3); s.deinit()\n"
        "import rotaryio, countio\n"
        "b = digitalio.DigitalInOut(board.D2); b.switch_to_output(False); drive.value = False\n"
        "n = rotaryio.IncrementalEncoder(microcontroller.pin.P23, microcontroller.pin.P22)\n"
        "assert n.position == 0 and n.divisor == 4\n"
        "def turn(a, c): drive.value = a; time.sleep(0.004); b.value = c; time.sleep(0.004)\n"
        "turn(True, True); turn(False, False); assert n.position == 1, n.position\n"
        "n.position = 10; turn(True, True); turn(False, False); assert n.position == 11\n"
        "n.deinit()\n"
        "c = countio.Counter(board.D1, edge=countio.Edge.RISE)\n"
        "turn(True, True); turn(False, False); turn(True, True); assert c.count == 2, c.count\n"
        "c.reset(); assert c.count == 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup(f, fresh)
        TEST(pins),      TEST(analog_and_pwm), TEST(i2c),      TEST(spi),        TEST(uart),
        TEST(chip),      TEST(times),          TEST(settings), TEST(supervisor), TEST(storage),
        TEST(neopixels), TEST(pixelbuf),       TEST(keypad),
    };
    return cmocka_run_group_tests(tests, drive_up, drive_down);
}
