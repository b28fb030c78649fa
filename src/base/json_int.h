/* What the files of the JSON reader and writer share. */
#ifndef ADDER_SRC_BASE_JSON_INT_H
#define ADDER_SRC_BASE_JSON_INT_H

#include "adder/json.h"

/* UTF-8 of a code point; 1..4 bytes. */
size_t adder_json_utf8(uint32_t c, char out[4]);

/* The longest double: "-1.7976931348623157e-308". */
#define ADDER_JSON_DOUBLE 26
/* The digits of a finite double, as adder_json_put_double writes them. */
size_t adder_json_print_double(double x, char out[ADDER_JSON_DOUBLE]);

#endif
