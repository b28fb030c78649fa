/* What the two files of the BSD commands share: newlib's error numbers, descriptors, replies. */
#ifndef SIM_CHIPS_ESP32_NINA_BSD_H
#define SIM_CHIPS_ESP32_NINA_BSD_H

#include "sim/chips/esp32_nina_handlers.h"

enum {
    FD_FIRST = 64, /* FD_SETSIZE; descriptors end there */
    E_AGAIN = 11,
    E_BADF = 9,
    E_INVAL = 22,
    E_NFILE = 23,
    E_OPNOTSUPP = 95,
    E_CONNRESET = 104,
    E_NOPROTOOPT = 109,
    E_CONNREFUSED = 111,
    E_ADDRINUSE = 112,
    E_TIMEDOUT = 116,
    E_HOSTUNREACH = 118,
    E_INPROGRESS = 119,
    E_NOTCONN = 128,
    F_NBIO = 0x667E, /* low halves of the ioctl requests */
    F_NREAD = 0x667F,
    POLL_READ = 1,
    POLL_WRITE = 2,
    POLL_ERROR = 4,
    POLL_FAILED = 0x80,
    RECV_MAX = NINA_BUF - 16,
    OPTION_MAX = 16,
    IOCTL_MAX = 0x7F,
    SYN_US = 30000000,
};

/* The socket a command names, its errno cleared; NULL = EBADF. */
nina_conn_t *nina_bsd_at(nina_t *n, size_t offset);
/* 1 or 0; `error` unless one is set already. */
nina_result_t nina_bsd_reply_ok(nina_t *n, bool ok, uint8_t error);
/* A number and an address with a port, low byte first: ACCEPT and GETPEERNAME. */
void nina_bsd_reply_endpoint(nina_t *n, uint8_t first, const sim_endpoint_t *e);

#endif
