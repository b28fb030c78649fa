/* settings.toml as CircuitPython reads it, for what adder itself wants of it before the program runs:
 * the Wi-Fi name, the broker, and whether the file is in order.
 *
 *     char ssid[64];
 *     if (settings_get(text, len, "CIRCUITPY_WIFI_SSID", ssid, sizeof ssid)) ...
 *
 * Accepted: `key = value` lines up to the first [section]; "text" with escapes, numbers, true, false;
 * `#` comments. Invariants (fuzzed): nothing outside text[0..len) is read, out is always terminated. */
#ifndef HOST_SETTINGS_H
#define HOST_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* The value of the first `key` as os.getenv() gives it. False: no such key, or longer than cap - 1. */
bool settings_get(const char *text, size_t len, const char *key, char *out, size_t cap);

/* Is every line understood? False: "3: the text has no closing quote" in msg (line first). */
bool settings_check(const char *text, size_t len, char *msg, size_t msg_cap);

#endif
