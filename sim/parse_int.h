/* Reading a board file: values with their place in mind. Only sim/parse*.c. */
#ifndef SIM_PARSE_H
#define SIM_PARSE_H

#include <stdio.h>

#include "sim/sim_int.h"

typedef struct {
    sim_board_t *b;
    char *msg;
    size_t cap;
} reader_t;

/* Say "file: where: what" and return false. */
#define FAIL(r, ...)                                                                                         \
    do {                                                                                                     \
        char text_[SIM_MSG_CAP];                                                                             \
        snprintf(text_, sizeof text_, __VA_ARGS__);                                                          \
        sim_say((r)->msg, (r)->cap, "%s: %s", (r)->b->name, text_);                                          \
        return false;                                                                                        \
    } while (0)

const cJSON *parse_get(const cJSON *object, const char *key);
bool parse_text(reader_t *r, const cJSON *object, const char *where, const char *key, const char **out);
/* Absent keys leave *out alone. */
bool parse_number(reader_t *r, const cJSON *object, const char *where, const char *key, double min,
                  double max, double *out);
bool parse_known_keys(reader_t *r, const cJSON *object, const char *where, const char *const *keys);
bool parse_find_pin(reader_t *r, const cJSON *v, const char *where, uint16_t *out);
bool parse_pin(reader_t *r, const cJSON *object, const char *where, const char *key, bool must,
               uint16_t *out);

bool parse_display(reader_t *r, const cJSON *d);   /* parse_display.c */
bool parse_chips(reader_t *r, const cJSON *chips); /* parse_chips.c */

#endif
