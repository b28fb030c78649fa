/* Messages from a page: JSON text in, a checked struct out. Pure: no I/O, no board.
 *
 *     web_message_t m;
 *     char why[WEB_REASON_CAP];
 *     if (web_message_parse(bytes, len, &m, why) != ADDER_OK) close_with(why);
 *     ...
 *     web_message_free(&m);
 *
 * Invariants, asserted by web_message_fuzz.c:
 *   1. Any bytes: returns, in bounds; on error `why` is a short printable ASCII text and nothing is owned.
 *   2. On ADDER_OK every string is valid UTF-8 and every number is in its documented range.
 *   3. At most WEB_MESSAGE_MAX bytes are looked at; longer input is an error. */
#ifndef HOST_WEB_MESSAGE_H
#define HOST_WEB_MESSAGE_H

#include <cjson/cJSON.h>

#include "host/web.h"

#define WEB_REASON_CAP 120 /* a close frame carries at most 123 bytes */

typedef enum {
    WEB_MESSAGE_CONTROL, /* part, knobs */
    WEB_MESSAGE_INPUT,   /* text */
    WEB_MESSAGE_ACTION,  /* action */
    WEB_MESSAGE_ACK,     /* revision */
} web_message_kind_t;

typedef struct {
    web_message_kind_t kind;
    const char *part;    /* CONTROL: 1..31 characters [a-z0-9_.-] */
    const cJSON *knobs;  /* CONTROL: an object, not empty */
    const char *text;    /* INPUT: 1..WEB_MESSAGE_MAX bytes of UTF-8 */
    web_action_t action; /* ACTION */
    uint32_t revision;   /* ACK */
    cJSON *root;         /* what all of these point into */
} web_message_t;

/* ADDER_ERR_FORMAT with the reason in `why`; ADDER_ERR_NOMEM. */
adder_err_t web_message_parse(const char *bytes, size_t len, web_message_t *out,
                              char why[WEB_REASON_CAP]) ADDER_MUST_USE;
void web_message_free(web_message_t *m);

#endif
