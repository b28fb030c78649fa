"""Joining and HTTP in one object, with a status light: Adafruit's WiFiManager by name and behaviour.

Red: not joined; green: joined; blue: a transfer is under way; off: done. Every call that needs the network joins
first and keeps trying. An access point that refuses `attempts` times makes the next one of a list take its turn,
after a reset of the co-processor."""

import time
import warnings

import adafruit_connection_manager
import adafruit_requests
from micropython import const

from adafruit_esp32spi import adafruit_esp32spi

_RED = (100, 0, 0)
_GREEN = (0, 100, 0)
_BLUE = (0, 0, 100)
_OFF = 0
_ENTERPRISE_WAIT = 10  # seconds for one attempt, as connect_AP takes


def _utf8(text):
    return text.encode() if isinstance(text, str) else text


class WiFiManager:
    """WiFiManager(esp, ssid, password=None, *, enterprise_ident=None, enterprise_user=None, status_pixel=None,
    attempts=2, connection_type=NORMAL, debug=False)"""

    NORMAL = const(1)
    ENTERPRISE = const(2)

    def __init__(self, esp, ssid, password=None, *, enterprise_ident=None, enterprise_user=None, status_pixel=None,
                 attempts=2, connection_type=NORMAL, debug=False):
        self.esp = esp
        self.debug = debug
        self.ssid = self.ent_ssid = ssid
        self.password = self.ent_password = password
        self.ent_ident = enterprise_ident
        self.ent_user = enterprise_user
        self.attempts = attempts
        self.statuspix = status_pixel
        self._connection_type = connection_type
        self._turn = 0  # whose turn it is in a list of access points
        self.pixel_status(_OFF)
        pool = adafruit_connection_manager.get_radio_socketpool(esp)
        self._requests = adafruit_requests.Session(pool, adafruit_connection_manager.get_radio_ssl_context(esp))

    # --- joining ---

    def reset(self):
        """Reset the co-processor."""
        if self.debug:
            print("Resetting ESP32")
        self.esp.reset()

    def connect(self):
        """Join, the way `connection_type` says."""
        if self.debug:
            self._tell_surroundings()
        if self._connection_type == self.NORMAL:
            self.connect_normal()
        elif self._connection_type == self.ENTERPRISE:
            self.connect_enterprise()
        else:
            raise TypeError("Invalid WiFi connection type specified")

    def connect_normal(self):
        """Join a home network, or the first of a list that lets us."""
        ssid, password = self._next_access_point()
        failures = 0
        while not self.esp.is_connected:
            if self.debug:
                print("Connecting to AP...")
            self.pixel_status(_RED)
            try:
                self.esp.connect_AP(_utf8(ssid), _utf8(password))
                self.pixel_status(_GREEN)
            except OSError as error:
                failures += 1
                if self._failed("Failed to connect, retrying\n", error, failures):
                    failures = 0
                    ssid, password = self._next_access_point()

    def connect_enterprise(self):
        """Join a network of WPA2 Enterprise."""
        failures = 0
        while not self.esp.is_connected:
            if self.debug:
                print("Waiting for the ESP32 to connect to the WPA2 Enterprise AP...")
            self.pixel_status(_RED)
            try:
                self._join_enterprise()
                self.pixel_status(_GREEN)
            except OSError as error:
                failures += 1
                if self._failed("Failed to connect, retrying\n", error, failures):
                    failures = 0

    def create_ap(self):
        """Be an access point, with the settings' name and password."""
        failures = 0
        while not self.esp.ap_listening:
            if self.debug:
                print("Waiting for AP to be initialized...")
            self.pixel_status(_RED)
            try:
                self.esp.create_AP(_utf8(self.ssid), _utf8(self.password) if self.password else None)
                self.pixel_status(_GREEN)
            except OSError as error:
                failures += 1
                if self._failed("Failed to create access point\n", error, failures):
                    failures = 0
        print(f"Access Point created! Connect to ssid:\n {self.ssid}")

    def _failed(self, what, error, failures):
        """Say so; True: it was once too often, and the co-processor has been reset."""
        print(what, error)
        if failures < self.attempts:
            return False
        self.reset()
        return True

    def _join_enterprise(self):
        # The settings are sent for every attempt: a reset has wiped them.
        self.esp.wifi_set_network(_utf8(self.ent_ssid))
        self.esp.wifi_set_entidentity(_utf8(self.ent_ident or ""))
        self.esp.wifi_set_entusername(_utf8(self.ent_user))
        self.esp.wifi_set_entpassword(_utf8(self.ent_password))
        self.esp.wifi_set_entenable()
        end = time.monotonic() + _ENTERPRISE_WAIT
        while not self.esp.is_connected:
            if time.monotonic() >= end:
                raise ConnectionError("Failed to connect to ssid", self.ent_ssid)
            time.sleep(0.05)

    def _next_access_point(self):
        lists = [isinstance(value, (list, tuple)) for value in (self.ssid, self.password)]
        if not any(lists):
            return self.ssid, self.password
        if not all(lists):
            raise NotImplementedError("If using multiple passwords, both SSID and Password should be lists or tuples")
        if not self.ssid or not self.password:
            raise ValueError("SSID and Password should contain at least 1 value")
        if len(self.ssid) != len(self.password):
            raise ValueError("The length of SSIDs and Passwords should match")
        turn = self._turn % len(self.ssid)
        self._turn = turn + 1
        return self.ssid[turn], self.password[turn]

    def _tell_surroundings(self):
        if self.esp.status == adafruit_esp32spi.WL_IDLE_STATUS:
            print("ESP32 found and in idle mode")
        print("Firmware vers.", self.esp.firmware_version)
        print("MAC addr:", [hex(octet) for octet in self.esp.MAC_address])
        for network in self.esp.scan_networks() or ():
            print(f"\t{network.ssid}\t\tRSSI: {network.rssi}")

    # --- the network ---

    def _busy(self, call, *args, **keywords):
        """Joined, and blue while it lasts."""
        if not self.esp.is_connected:
            self.connect()
        self.pixel_status(_BLUE)
        result = call(*args, **keywords)
        self.pixel_status(_OFF)
        return result

    def get(self, url, **kw):
        return self._busy(self._requests.get, url, **kw)

    def post(self, url, **kw):
        return self._busy(self._requests.post, url, **kw)

    def put(self, url, **kw):
        return self._busy(self._requests.put, url, **kw)

    def patch(self, url, **kw):
        return self._busy(self._requests.patch, url, **kw)

    def delete(self, url, **kw):
        return self._busy(self._requests.delete, url, **kw)

    def ping(self, host, ttl=250):
        """Milliseconds to a host and back."""
        return self._busy(self.esp.ping, host, ttl=ttl)

    def ip_address(self):
        """Our address as text."""
        return self._busy(lambda: self.esp.ipv4_address)

    def signal_strength(self):
        """dBm of the access point."""
        if not self.esp.is_connected:
            self.connect()
        return self.esp.ap_info.rssi

    # --- the light ---

    def pixel_status(self, value):
        """Colour of the status light, if there is one: a NeoPixel, DotStar or RGB LED."""
        light = self.statuspix
        if not light:
            return
        if hasattr(light, "color"):
            light.color = value
        else:
            light.fill(value)


class ESPSPI_WiFiManager(WiFiManager):
    """The older form, with a dict of settings: ssid, password, ent_ident, ent_user."""

    def __init__(self, esp, secrets, status_pixel=None, attempts=2, connection_type=WiFiManager.NORMAL, debug=False):
        warnings.warn("ESP32WiFiManager, which uses `secrets`, is deprecated. Use WifiManager instead and "
                      "fetch values from settings.toml with `os.getenv()`.")
        super().__init__(esp, secrets.get("ssid"), secrets.get("password"),
                         enterprise_ident=secrets.get("ent_ident", ""), enterprise_user=secrets.get("ent_user"),
                         status_pixel=status_pixel, attempts=attempts, connection_type=connection_type, debug=debug)
