/* settings.toml, the small part of TOML that CircuitPython reads.
 *
 *     adder_setting_t ssid;
 *     char text[64]; size_t len;
 *     if (adder_settings_find(file, n, "CIRCUITPY_WIFI_SSID", &ssid) &&
 *         adder_settings_text(&ssid, text, sizeof text, &len) == ADDER_OK) ...
 *
 * One `key = value` a line, up to the first [section]; `#` comments; bare keys (letters, digits, _ -).
 * Values: "text" with escapes b r n t v f uXXXX UXXXXXXXX, any other escaped character standing for
 * itself; integers as C writes them (0x10, 011 is 9); floats, inf, nan; true, false. The first line with
 * the key counts; there are no arrays, tables, dates or triple quotes.
 *
 * Nothing is allocated or kept; results point into the caller's bytes. Invariants under any input
 * (fuzzed): 1. nothing outside bytes[0..len) is read; 2. results lie inside it; 3. text written is NUL
 * terminated and at most raw_len + 1 bytes. */
#ifndef ADDER_SETTINGS_H
#define ADDER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

typedef enum {
    ADDER_SETTING_BAD, /* the key is there, its value is not understood: see `problem` */
    ADDER_SETTING_TEXT,
    ADDER_SETTING_INT,
    ADDER_SETTING_FLOAT,
    ADDER_SETTING_BOOL,
} adder_setting_kind_t;

typedef struct {
    adder_setting_kind_t kind;
    unsigned line;   /* from 1 */
    const char *raw; /* between the quotes, or the bare value without blanks around it */
    size_t raw_len;
    int64_t i;           /* INT */
    double f;            /* FLOAT */
    bool b;              /* BOOL */
    const char *problem; /* BAD: what is wrong, a constant text; else NULL */
} adder_setting_t;

/* The first line of `key`. False: there is none. */
bool adder_settings_find(const char *bytes, size_t len, const char *key, adder_setting_t *out);

/* The value as os.getenv gives it: TEXT with its escapes resolved, every other kind as written.
 *   ADDER_ERR_NOSPACE   cap is too small; raw_len + 1 always suffices */
adder_err_t adder_settings_text(const adder_setting_t *s, char *out, size_t cap,
                                size_t *len_out) ADDER_MUST_USE;

typedef struct {
    unsigned line;
    const char *what; /* "the text has no closing quote" */
} adder_settings_problem_t;

/* The lines that are not understood: at most `cap` of them, in order. Returns how many. */
size_t adder_settings_check(const char *bytes, size_t len, adder_settings_problem_t *out, size_t cap);

#endif
