/* What the files of the socket stack share.
 *
 *   net_pool.c    sockets' records, local ports, receive buffers
 *   net.c         life, tick: the command under way, and whose turn is next; claims
 *   net_link.c    joining, access point, what is set up again after a reset
 *   net_setup.c   the link's commands, and why it was not let in
 *   net_wish.c    the calls that say what the link is to be, and status()
 *   net_calls.c   the seam's calls on sockets
 *   net_stream.c  what connections and their slots need from the chip
 *   net_send.c    transmit buffers, and the pace of sending
 *   net_udp.c     what UDP sockets need
 *   net_server.c  what listeners need, and servers nobody has any more
 *   net_lookup.c  names
 *
 * Each part answers two questions: airnet_..._need(), which command it would give next and when; and
 * airnet_..._done(), what a command's outcome means to it. Only net.c starts commands. */
#ifndef ADDER_AIRLIFT_NET_INT_H
#define ADDER_AIRLIFT_NET_INT_H

#include "adder/airlift_net.h"
#include "airlift_int.h"

typedef adder_airlift_net_t net_t;
typedef adder_airlift_net_sock_t sock_t;

#define NEVER UINT64_MAX

enum { NONE = 255, SOCKETS = ADDER_AIRLIFT_NET_SOCKETS, TO_RESOLVE = 254 };
enum { MS = 1000, S = 1000000 };

typedef enum {
    JOB_NONE,
    JOB_START,
    /* link */
    JOB_LEAVE,
    JOB_CERT,
    JOB_KEY,
    JOB_HOSTNAME,
    JOB_IP,
    JOB_IDENTITY,
    JOB_USER,
    JOB_ENT_PASSWORD,
    JOB_ENTERPRISE,
    JOB_JOIN,
    JOB_STATUS,
    JOB_SSID,
    JOB_DNS,
    JOB_ADDRESS,
    JOB_ASK_DNS,
    JOB_REASON,
    JOB_SCAN,
    JOB_LINK_LAST = JOB_SCAN,
    /* sockets */
    JOB_SLOT,
    JOB_CONNECT,
    JOB_STATE,
    JOB_STOP,
    JOB_SEND,
    JOB_RECV,
    JOB_LISTEN,
    JOB_LISTENING,
    JOB_AVAILABLE,
    JOB_REMOTE,
    JOB_PEER,
    JOB_ADD,
    JOB_WHO,
    JOB_EMIT,
    /* nobody's */
    JOB_DEAD,
    JOB_DEAD_STOP,
    JOB_LOOKUP,
    JOB_LOOKED,
} net_job_t;

/* A socket's life. DONE: `failed` says what it answers, ADDER_ERR_END included. */
enum {
    PHASE_FREE,
    PHASE_IDLE,
    PHASE_CONNECTING,
    PHASE_UP,
    PHASE_BOUND,
    PHASE_LISTENING,
    PHASE_OFFERED,
    PHASE_DONE
};

/* Within the phases, in order. */
enum {
    STEP_NAME,
    STEP_SLOT,
    STEP_START, /* start_client, or start_server */
    STEP_CHECK, /* did it? */
    STEP_READY,
    STEP_STATE,   /* UP: ask whether it still is, nothing is waiting */
    STEP_GONE,    /* UP: it is not; the slot is to be freed */
    STEP_VERDICT, /* UP: an end, if the link is there still */
    STEP_FROM,    /* BOUND: a datagram waits: whose */
    STEP_RECV,    /* BOUND: read it */
};

enum { LOOKUP_FREE, LOOKUP_ASK, LOOKUP_GET, LOOKUP_DONE };

enum { TRIES = 3 }; /* of a command that may be repeated, while its replies are lost */

/* The chip said yes or no, so it knows what we know. */
static inline bool airnet_answered(adder_err_t err)
{
    return err == ADDER_OK || err == ADDER_ERR_REFUSED || err == ADDER_ERR_UNSUPPORTED;
}
static inline uint8_t airnet_index(const net_t *n, const sock_t *s)
{
    return (uint8_t)(s - n->priv.socks);
}
static inline uint64_t airnet_later(const net_t *n, uint32_t us)
{
    return n->priv.now_us + us;
}
static inline uint32_t airnet_double(uint32_t gap, uint32_t min, uint32_t max)
{
    return gap < min ? min : gap < max / 2 ? gap * 2 : max;
}
static inline uint32_t airnet_check_us(const net_t *n)
{
    return n->priv.c.check_ms * MS;
}
static inline bool airnet_wired(const net_t *n)
{
    return n->priv.c.chip.gpio0.ops != NULL;
}

/* net_pool.c */
/* The socket ends, with what it answers from now on. Bytes that were received stay. */
void airnet_fail(net_t *n, sock_t *s, adder_err_t why);
/* Free the record once nothing refers to it. */
void airnet_reap(net_t *n, sock_t *s);
/* The chip has restarted: nothing is left of what was set up. */
void airnet_chip_restarted(net_t *n);
/* The link is gone: connections with it. */
void airnet_streams_lost(net_t *n, adder_err_t why);
sock_t *airnet_by_slot(net_t *n, uint8_t slot); /* NULL = not ours */
sock_t *airnet_unused(net_t *n);                /* NULL = none */
uint16_t airnet_port(net_t *n, adder_net_kind_t kind);
bool airnet_port_used(const net_t *n, adder_net_kind_t kind, uint16_t port);

/* receive buffers */
uint8_t *airnet_rx(net_t *n, const sock_t *s);
uint8_t airnet_rx_free(const net_t *n);
bool airnet_rx_take(net_t *n, sock_t *s);
void airnet_rx_give(net_t *n, sock_t *s);

/* net_link.c */
enum { MODE_OFF, MODE_STATION, MODE_ACCESS_POINT };
/* The wish has changed: what was there goes. */
void airnet_link_changed(net_t *n);
net_job_t airnet_link_need(net_t *n, uint64_t *due_us);
adder_err_t airnet_link_begin(net_t *n, net_job_t job);
void airnet_link_done(net_t *n, net_job_t job, adder_err_t err);
void airnet_link_restarted(net_t *n);
void airnet_link_absent(net_t *n);
/* net_setup.c */
adder_err_t airnet_reason_cause(net_t *n, adder_err_t err);
adder_err_t airnet_scan_cause(const net_t *n, adder_err_t err, const uint8_t *names);
/* A socket wants to know whether the link is there. */
void airnet_link_ask(net_t *n);

/* net_stream.c */
net_job_t airnet_stream_need(net_t *n, sock_t *s, uint64_t *due_us);
adder_err_t airnet_sock_begin(net_t *n, sock_t *s, net_job_t job);
void airnet_sock_done(net_t *n, sock_t *s, net_job_t job, adder_err_t err);
net_job_t airnet_sock_need(net_t *n, sock_t *s, uint64_t *due_us);
/* When it is worth asking for what has come; NEVER = not now. */
uint64_t airnet_recv_due(net_t *n, const sock_t *s);
void airnet_poll_reset(net_t *n, sock_t *s);
void airnet_poll_later(net_t *n, sock_t *s);
void airnet_connected(net_t *n, sock_t *s);

/* net_send.c */
adder_airlift_net_tx_t *airnet_tx_of(net_t *n, const sock_t *s); /* NULL = nothing waits */
uint8_t *airnet_tx_bytes(net_t *n, const adder_airlift_net_tx_t *t);
adder_err_t airnet_tx_take(net_t *n, sock_t *s, adder_airlift_net_tx_t **out);
void airnet_tx_give(net_t *n, const sock_t *s);
bool airnet_tx_others_wait(const net_t *n, const sock_t *s);
uint64_t airnet_send_due(net_t *n, sock_t *s);
adder_err_t airnet_send_begin(net_t *n, sock_t *s);
void airnet_send_done(net_t *n, sock_t *s, adder_err_t err);

/* net_udp.c */
net_job_t airnet_udp_need(net_t *n, sock_t *s, uint64_t *due_us);
adder_err_t airnet_udp_begin(net_t *n, sock_t *s, net_job_t job);
void airnet_udp_done(net_t *n, sock_t *s, net_job_t job, adder_err_t err);

/* net_server.c */
net_job_t airnet_server_need(net_t *n, sock_t *s, uint64_t *due_us);
adder_err_t airnet_server_begin(net_t *n, sock_t *s, net_job_t job);
void airnet_server_done(net_t *n, sock_t *s, net_job_t job, adder_err_t err);
void airnet_server_bury(net_t *n, sock_t *s);
bool airnet_server_revive(net_t *n, sock_t *s, bool any);
net_job_t airnet_dead_need(net_t *n, uint64_t *due_us);
adder_err_t airnet_dead_begin(net_t *n, net_job_t job);
void airnet_dead_done(net_t *n, net_job_t job, adder_err_t err);

/* net_lookup.c */
net_job_t airnet_lookup_need(net_t *n, uint64_t *due_us);
adder_err_t airnet_lookup_begin(net_t *n, net_job_t job);
void airnet_lookup_done(net_t *n, net_job_t job, adder_err_t err);
/* AGAIN = another name is being looked up. The owner is a socket or TO_RESOLVE. */
adder_err_t airnet_lookup_ask(net_t *n, uint8_t owner, const char *name);
void airnet_lookup_give(net_t *n, uint8_t owner);
adder_err_t airnet_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out, size_t cap,
                           size_t *n_out);

/* net_calls.c */
extern const adder_net_ops_t airnet_ops;
adder_err_t airnet_tick(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out);
void airnet_status(void *ctx, adder_net_status_t *out);

#endif
