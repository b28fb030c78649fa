/* JSON (RFC 8259): a reader that takes a text in pieces as they come, and a writer into the caller's buffer.
 *
 *     adder_json_reader_t r; adder_json_event_t ev; char token[64]; size_t used;
 *     adder_json_read_init(&r, token, sizeof token);
 *     for (;;) {                                                    // in[0..len) has just been received
 *         adder_err_t err = adder_json_feed(&r, in, len, &used, &ev);
 *         in += used, len -= used;
 *         if (err != ADDER_OK) return fail(adder_json_why_str(r.why), r.at);
 *         if (ev.kind == ADDER_JSON_MORE) ...receive more, or adder_json_eof() at the end
 *         if (ev.kind == ADDER_JSON_NAME) this_one = adder_json_is(&ev, "value");
 *         if (ev.kind == ADDER_JSON_INT && this_one) value = ev.number;
 *     }
 *
 *     adder_json_writer_t w; char buf[128]; size_t n;
 *     adder_json_write_init(&w, buf, sizeof buf);
 *     adder_json_put_begin(&w, ADDER_JSON_OBJECT);
 *     adder_json_put_name(&w, "value"), adder_json_put_double(&w, 21.5);
 *     adder_json_put_end(&w);
 *     err = adder_json_write_end(&w, &n);                           // {"value":21.5}
 *
 * Strict: no comments, trailing commas, leading zeros, NaN, lone surrogates, control bytes or invalid UTF-8;
 * one value, then only blanks. Equal names in an object are given as they come. Texts come out as UTF-8,
 * \u0000 included (so look at `len`). A text longer than the token buffer comes in pieces; a name or number
 * has to fit. Depth is at most ADDER_JSON_DEPTH, the time spent is linear.
 *
 * RAM on 32 bits: reader 44 bytes, writer 28, an event 24. Stack 200; doubles 600. Code: reader 2.7 KB,
 * writer 1.5, doubles 2.3. Threading: one thread for an object; two of anything work.
 *
 * Invariants under any input (fuzzed): 1. nothing outside in[0..len) is read, nothing outside the token
 * buffer written; 2. what comes out does not depend on how the input is cut; 3. every text is valid UTF-8,
 * pieces too;
 * 4. begins and ends pair up, names stand in objects only, END comes once; 5. an error stays; 6. each call
 * consumes input or changes the state: a loop until MORE ends; 7. what was read, written again and read again
 * is the same; 8. INT is exact; 9. a double written reads back to the same bits. */
#ifndef ADDER_JSON_H
#define ADDER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

/* Arrays and objects inside each other, 1..4096. RAM: a bit each in reader and writer. */
#ifndef ADDER_JSON_DEPTH
#define ADDER_JSON_DEPTH 32
#endif
_Static_assert(ADDER_JSON_DEPTH >= 1 && ADDER_JSON_DEPTH <= 4096, "1..4096");

/* The least token buffer: the longest escape's UTF-8 and the longest int64. */
#define ADDER_JSON_TOKEN_MIN 24

/* clang-format off */
#define ADDER_JSON_WHYS(X)                                                       \
    X(NONE,         "no error")                                                  \
    X(VALUE,        "not a JSON value")                                          \
    X(NAME,         "a name in quotes is expected")                              \
    X(COLON,        "a colon is expected")                                       \
    X(COMMA,        "a comma or the end of the object or array is expected")     \
    X(NUMBER,       "a malformed number")                                        \
    X(ESCAPE,       "an unknown escape in a text")                               \
    X(SURROGATE,    "half of a surrogate pair in a text")                        \
    X(CONTROL,      "a control byte in a text: it has to be escaped")            \
    X(UTF8,         "a text is not valid UTF-8")                                 \
    X(AFTER,        "more than one value")                                       \
    X(CUT,          "the text ends before the value does")                       \
    X(DEPTH,        "too many arrays and objects inside each other")             \
    X(LONG,         "a name or number is longer than the buffer")                \
    X(ORDER,        "written out of order: a name where none may be, or no name") \
    X(NOT_FINITE,   "a number that is not finite")
/* clang-format on */

typedef enum {
#define ADDER_JSON_WHY_ENUM(code, text) ADDER_JSON_WHY_##code,
    ADDER_JSON_WHYS(ADDER_JSON_WHY_ENUM)
#undef ADDER_JSON_WHY_ENUM
        ADDER_JSON_WHY_COUNT
} adder_json_why_t;

/* The English text, never NULL. */
const char *adder_json_why_str(adder_json_why_t why);

/* ---- reading ---- */

typedef enum {
    ADDER_JSON_MORE, /* all input is consumed; feed more */
    ADDER_JSON_OBJECT,
    ADDER_JSON_OBJECT_END,
    ADDER_JSON_ARRAY,
    ADDER_JSON_ARRAY_END,
    ADDER_JSON_NAME,   /* text, len */
    ADDER_JSON_TEXT,   /* text, len; `partial`: another TEXT with the next piece follows */
    ADDER_JSON_INT,    /* number; also text, len as written */
    ADDER_JSON_NUMBER, /* any other number: text, len as written; see adder_json_double */
    ADDER_JSON_BOOL,   /* number: 0 or 1 */
    ADDER_JSON_NULL,
    ADDER_JSON_END, /* the value is complete; comes from adder_json_eof */
} adder_json_kind_t;

/* text lies in the token buffer: valid until the next call. Not terminated. */
typedef struct {
    adder_json_kind_t kind;
    bool partial;
    const char *text;
    size_t len;
    int64_t number;
} adder_json_event_t;

typedef struct {
    adder_json_why_t why; /* of the error that stopped it */
    uint16_t depth;       /* arrays and objects open now */
    bool complete;        /* the value is whole (a bare number only at eof); blanks may follow */
    size_t at;            /* bytes consumed of all input; after an error the place of it */
    struct {
        char *buf;
        size_t cap, len;
        uint32_t in_object[(ADDER_JSON_DEPTH + 31) / 32];
        uint32_t code; /* of an escape or UTF-8 sequence under way */
        adder_err_t err;
        uint16_t high; /* surrogate that waits for its other half */
        uint8_t state, need, low, top;
        bool is_name, cut_names;
    } priv;
} adder_json_reader_t;

/* Begin to read one value. `token` is borrowed; cap is ADDER_JSON_TOKEN_MIN at least (else every feed says
 * ADDER_ERR_NOSPACE). */
void adder_json_read_init(adder_json_reader_t *r, char *token, size_t cap);

/* Consume input up to the next event.
 *   used_out   bytes consumed; not defined after an error
 *   ADDER_ERR_FORMAT    malformed: `why`
 *   ADDER_ERR_NOSPACE   LONG or DEPTH
 * An error stays. */
adder_err_t adder_json_feed(adder_json_reader_t *r, const void *in, size_t len, size_t *used_out,
                            adder_json_event_t *ev_out) ADDER_MUST_USE;

/* There is no more input. A bare number comes out here first; call again until END.
 *   ADDER_ERR_FORMAT   with CUT (or NUMBER) */
adder_err_t adder_json_eof(adder_json_reader_t *r, adder_json_event_t *ev_out) ADDER_MUST_USE;

/* Whether a NAME or a TEXT that is not partial is `text`. */
bool adder_json_is(const adder_json_event_t *ev, const char *text);

/* A JSON number's text as a double. At most one unit in the last place away from the nearest one, and the
 * nearest for what adder_json_put_double or any printer of up to 17 digits wrote (normal numbers). Too large:
 * an infinity; too small: 0. ADDER_ERR_FORMAT   not a JSON number */
adder_err_t adder_json_double(const char *text, size_t len, double *out) ADDER_MUST_USE;

/* ---- writing ---- */

/* Errors stay: write everything, look at the result of write_end. */
typedef struct {
    adder_json_why_t why; /* of the first error */
    struct {
        char *buf;
        size_t cap, len; /* len counts on past cap, to say what would be needed */
        uint32_t in_object[(ADDER_JSON_DEPTH + 31) / 32];
        adder_err_t err;
        uint16_t depth;
        uint8_t state;
    } priv;
} adder_json_writer_t;

/* Begin one value. `buf` is borrowed. */
void adder_json_write_init(adder_json_writer_t *w, char *buf, size_t cap);

/* Commas and colons come by themselves. Refused (ADDER_ERR_ARG, `why`): a value where a name belongs and the
 * other way round, a second value, text that is not UTF-8, a double that is not finite, too much depth. */
void adder_json_put_begin(adder_json_writer_t *w, adder_json_kind_t object_or_array);
void adder_json_put_end(adder_json_writer_t *w); /* of the innermost that is open */
void adder_json_put_name(adder_json_writer_t *w, const char *name);
void adder_json_put_name_str(adder_json_writer_t *w, const char *name, size_t len);
void adder_json_put_text(adder_json_writer_t *w, const char *text);
void adder_json_put_text_str(adder_json_writer_t *w, const char *text, size_t len);
void adder_json_put_int(adder_json_writer_t *w, int64_t n);
void adder_json_put_uint(adder_json_writer_t *w, uint64_t n);
/* The fewest digits (up to 17) that read back to the same bits; whole numbers below 1e17 as such, with ".0".
 */
void adder_json_put_double(adder_json_writer_t *w, double x);
void adder_json_put_bool(adder_json_writer_t *w, bool b);
void adder_json_put_null(adder_json_writer_t *w);
/* A value that is JSON already (a number as text); only looked at for being valid, its numbers of at most 64
 * characters. */
void adder_json_put_raw(adder_json_writer_t *w, const char *json, size_t len);

/* The end. NUL-terminated where there is room; the NUL is not counted.
 *   len_out   bytes written; after ADDER_ERR_NOSPACE the bytes needed
 *   ADDER_ERR_ARG       something was refused: `why`
 *   ADDER_ERR_STATE     not complete: something is still open, or there is no value
 *   ADDER_ERR_NOSPACE   buf is too small */
adder_err_t adder_json_write_end(adder_json_writer_t *w, size_t *len_out) ADDER_MUST_USE;

#endif
