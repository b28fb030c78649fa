/* What the link asks of the commands, and the other way round. */
#ifndef ADDER_AIRLIFT_INT_H
#define ADDER_AIRLIFT_INT_H

#include "adder/airlift.h"

/* What a reply must look like. */
typedef enum {
    AIRLIFT_OK,         /* one byte, 1 = done */
    AIRLIFT_DONE,       /* one byte that says nothing */
    AIRLIFT_U8,         /* one byte */
    AIRLIFT_SLOT,       /* a socket's number, 255 = none */
    AIRLIFT_U16,        /* little-endian */
    AIRLIFT_I16,        /* little-endian */
    AIRLIFT_I32,        /* little-endian */
    AIRLIFT_TIME,       /* 4 or 8 bytes */
    AIRLIFT_FLOAT,      /* little-endian */
    AIRLIFT_IP4,        /* one */
    AIRLIFT_IP4_TWO,    /* two */
    AIRLIFT_IP4_THREE,  /* three */
    AIRLIFT_MAC,        /* order by firmware */
    AIRLIFT_TEXT,       /* may end in NUL */
    AIRLIFT_VERSION,    /* text, read as such */
    AIRLIFT_ENCRYPTION, /* one byte, of a scan: code by firmware */
    AIRLIFT_ENDPOINT,   /* address, port big-endian */
    AIRLIFT_DATA,       /* one with a 2-byte length, to the sink */
    AIRLIFT_SCAN,       /* any number, to the sink */
} airlift_shape_t;

/* Number of parameters and the length of each, 0 = any. */
typedef struct {
    uint8_t params, len[3];
} airlift_form_t;
extern const airlift_form_t airlift_forms[];

typedef struct {
    uint8_t op;
    uint8_t width; /* of the request's lengths */
    uint8_t shape;
    uint8_t since; /* major version */
    uint8_t limit_s;
} airlift_command_t;
const airlift_command_t *airlift_command(uint8_t op); /* NULL = not ours */

/* The reply is in priv.reply and fits its form: make the result of it. */
adder_err_t airlift_take_result(adder_airlift_t *a);
/* The frame is complete: off it goes. */
void airlift_launch(adder_airlift_t *a);
/* The command ended: keep the books on the sockets. */
void airlift_settle(adder_airlift_t *a, adder_err_t outcome);
void airlift_forget_sockets(adder_airlift_t *a);

/* In the middle of whatever: CS up, the bus to others. */
void airlift_let_go(adder_airlift_t *a);

#endif
