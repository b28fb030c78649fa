/* Error values of the whole library.
 *
 *     adder_err_t err = adder_spi_write(&spi, frame, sizeof frame);
 *     if (err != ADDER_OK) return err;          // the cause passes through unchanged
 *
 * One list makes the codes, their texts and the Python exceptions (python/layer maps the third
 * column to an exception class). "Try again" (AGAIN) is not "gone" (IO, CLOSED): a caller may loop
 * on the first and must not on the others. */
#ifndef ADDER_ERR_H
#define ADDER_ERR_H

#if defined(__GNUC__)
#define ADDER_MUST_USE __attribute__((warn_unused_result))
#else
#define ADDER_MUST_USE
#endif

/* clang-format off */
/*          code          text                                             Python exception (errno) */
#define ADDER_ERRORS(X)                                                                              \
    X(OK,          "no error",                                             NONE,               0)    \
    X(AGAIN,       "not ready yet, try again",                             OSError,            11)   \
    X(ARG,         "invalid argument",                                     ValueError,         0)    \
    X(RANGE,       "value out of range",                                   ValueError,         0)    \
    X(STATE,       "not possible in this state",                           RuntimeError,       0)    \
    X(IN_USE,      "in use",                                               ValueError,         0)    \
    X(PIN,         "pin cannot do this",                                   ValueError,         0)    \
    X(NOT_FOUND,   "no such device",                                       OSError,            19)   \
    X(REFUSED,     "refused by the other side",                            OSError,            111)  \
    X(IO,          "input/output error",                                   OSError,            5)    \
    X(TIMEOUT,     "timed out",                                            OSError,            116)  \
    X(CLOSED,      "closed by the other side",                             OSError,            104)  \
    X(NOSPACE,     "buffer too small",                                     ValueError,         0)    \
    X(NOMEM,       "out of memory",                                        MemoryError,        0)    \
    X(FORMAT,      "malformed data",                                       ValueError,         0)    \
    X(UNSUPPORTED, "not supported here",                                   NotImplementedError,0)    \
    X(READ_ONLY,   "read-only",                                            OSError,            30)   \
    X(NO_FILE,     "no such file or directory",                            OSError,            2)    \
    X(END,         "unexpected end of data",                               EOFError,           0)    \
    X(INTERNAL,    "internal error",                                       RuntimeError,       0)
/* clang-format on */

typedef enum {
#define ADDER_ERR_ENUM(code, text, exception, number) ADDER_ERR_##code,
    ADDER_ERRORS(ADDER_ERR_ENUM)
#undef ADDER_ERR_ENUM
        ADDER_ERR_COUNT
} adder_err_t;

#define ADDER_OK ADDER_ERR_OK

/* The English text of a code, never NULL; "unknown error" for a value outside the list. */
const char *adder_err_str(adder_err_t err);

/* Drop a must-use result; `why` is for the reader. (gcc does not honour a void cast.) */
#define ADDER_IGNORE(expr, why)                                                                              \
    do {                                                                                                     \
        if ((expr) != ADDER_OK) { /* why */                                                                  \
        }                                                                                                    \
    } while (0)

/* A broken precondition of ours. Off in release builds, where the call must still stay in bounds. */
#ifndef ADDER_ASSERT
#ifdef NDEBUG
#define ADDER_ASSERT(expr) ((void)0)
#else
#include <assert.h>
#define ADDER_ASSERT(expr) assert(expr)
#endif
#endif

#endif
