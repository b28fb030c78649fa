#include "adder/err.h"

#include <stddef.h>

const char *adder_err_str(adder_err_t err)
{
    static const char *const texts[] = {
#define ADDER_ERR_TEXT(code, text, exception, number) text,
        ADDER_ERRORS(ADDER_ERR_TEXT)
#undef ADDER_ERR_TEXT
    };
    _Static_assert(sizeof texts / sizeof texts[0] == ADDER_ERR_COUNT, "one text per code");
    return (size_t)err < ADDER_ERR_COUNT ? texts[err] : "unknown error";
}
