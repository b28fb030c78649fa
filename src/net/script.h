/* A stack that plays a script: for tests of what stands on adder/net.h.
 *
 *     static const net_script_step_t steps[] = {
 *         {0, NET_SCRIPT_CONNECT, "example.org:80", 0, ADDER_OK},
 *         {0, NET_SCRIPT_TAKES, "GET / HTTP/1.1\r\n", 16, ADDER_OK},   // what has to be sent
 *         {0, NET_SCRIPT_GIVES, "HTTP/1.1 200 OK\r\n\r\n", 19, ADDER_OK},
 *         {0, NET_SCRIPT_FAILS, NULL, 0, ADDER_ERR_END},
 *     };
 *     net_script_init(&script, steps, 4);
 *     script.chunk = 1;                            // a byte a call
 *     adder_net_t net = net_script_net(&script);
 *     ...
 *     assert_string_equal(net_script_problem(&script), "");
 *
 * A socket plays the steps of its own number, in order; numbers count open() and accept() from 0. What is
 * called otherwise than the script says is remembered (the first time, in words) and gives
 * ADDER_ERR_INTERNAL; so does a script not played to its end when net_script_problem asks. GIVES and FAILS
 * wait behind the TAKES before them. Everything obeys the contract of the seam: chunks of any size, AGAIN
 * at will, and call number fail_at failing, for sweeps.
 *
 * The steps and their bytes stay the caller's. RAM: 1.2 KiB. */
#ifndef NET_SCRIPT_H
#define NET_SCRIPT_H

#include "adder/net.h"

#define NET_SCRIPT_SOCKETS 8

typedef enum {
    NET_SCRIPT_CONNECT, /* text "host:port", name or address as given; err = its result */
    NET_SCRIPT_ACCEPT,  /* (a listener) the next connection */
    NET_SCRIPT_TAKES,   /* send: these bytes; on UDP one datagram to the peer */
    NET_SCRIPT_GIVES,   /* recv: these bytes; on UDP one datagram from the peer */
    NET_SCRIPT_FAILS,   /* send and recv: err from here on */
} net_script_what_t;

typedef struct {
    uint16_t sock;
    net_script_what_t what;
    const char *bytes;
    size_t len; /* 0 for CONNECT: NUL-terminated */
    adder_err_t err;
} net_script_step_t;

typedef struct {
    size_t chunk;        /* bytes a stream call moves at most; 0 = all */
    unsigned again;      /* so many AGAIN before each stream, connect or accept call that gets on */
    size_t fail_at;      /* exchange number, from 0, that fails; SIZE_MAX = none */
    adder_err_t failure; /* with this */
    size_t calls;        /* exchanges so far: open, connect, accept, send, recv */
    adder_net_status_t status;
    struct {
        const net_script_step_t *steps;
        size_t n_steps;
        uint16_t n_socks;
        struct {
            bool open;
            adder_net_kind_t kind;
            size_t step, done; /* the step played, bytes of it */
            unsigned agains;
            adder_err_t failed;
            bool connected;
            adder_endpoint_t local, remote;
        } socks[NET_SCRIPT_SOCKETS];
        const char *problem;
    } priv;
} net_script_t;

void net_script_init(net_script_t *s, const net_script_step_t *steps, size_t n_steps);
adder_net_t net_script_net(net_script_t *s);
/* "" = the script was played to its end and no more; else the first thing that was not so. */
const char *net_script_problem(const net_script_t *s);
/* Sockets open now: none may leak. */
unsigned net_script_open_sockets(const net_script_t *s);

#endif
