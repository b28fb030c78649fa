/* Commands 70h to 7Fh: lwIP's socket calls as they are, on its own descriptors. They see the sockets of
 * the slots as well, as any task of the chip would, and block unless FIONBIO or a time-out says otherwise:
 * READY stays high meanwhile, and nothing else is served.
 *
 * Error numbers are newlib's, which 72h tells in one byte. TCP and UDP over IPv4; raw sockets exist on
 * the chip and not here. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sim/chips/esp32_nina_bsd.h"

static uint8_t fd_of(const nina_t *n, const nina_conn_t *c)
{
    return (uint8_t)(FD_FIRST - n->fw->slots + (unsigned)(c - n->conns));
}

/* The socket a command names, its errno cleared; NULL = EBADF. */
nina_conn_t *nina_bsd_at(nina_t *n, size_t offset)
{
    const unsigned first = (unsigned)FD_FIRST - n->fw->slots, fd = nina_u8(n, offset);
    n->last_errno = 0;
    if (fd >= first && fd < FD_FIRST && n->conns[fd - first].fd >= 0) {
        return &n->conns[fd - first];
    }
    n->last_errno = E_BADF;
    return NULL;
}

static nina_ref_t ref_of(const nina_t *n, const nina_conn_t *c)
{
    return c->generation << 4 | (unsigned)(c - n->conns);
}

nina_result_t nina_bsd_reply_ok(nina_t *n, bool ok, uint8_t error)
{
    n->last_errno = ok ? n->last_errno : n->last_errno != 0 ? n->last_errno : error;
    return nina_reply_u8(n, ok);
}

/* A count of 44h's kind, but big-endian. */
static nina_result_t reply_count(nina_t *n, size_t count)
{
    const uint8_t be[2] = {(uint8_t)(count >> 8), (uint8_t)count};
    return nina_reply_bytes(n, be, 2);
}

void nina_bsd_reply_endpoint(nina_t *n, uint8_t first, const sim_endpoint_t *e)
{
    const uint8_t port[2] = {(uint8_t)e->port,
                             (uint8_t)(e->port >> 8)}; /* the two bytes swapped: their slip */
    nina_reply(n, 3);
    nina_reply_param(n, 1, &first, 1);
    nina_reply_param(n, 1, e->ip4, 4);
    nina_reply_param(n, 1, port, 2);
}

/* ---- making and closing ---- */

nina_result_t nina_bsd_socket(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    const uint8_t type = nina_u8(n, 4);
    n->last_errno = 0;
    if (type != 1 && type != 2) {
        sim_chip_log(&n->chip, "socket: type %u is not modelled; 1 is a stream, 2 datagrams", type);
        n->last_errno = E_INVAL;
        return nina_reply_u8(n, 255);
    }
    nina_conn_t *c = nina_conn(n, nina_conn_open(n, type == 1));
    n->last_errno = c != NULL ? 0 : E_NFILE;
    return nina_reply_u8(n, c != NULL ? fd_of(n, c) : 255);
}

nina_result_t nina_bsd_close(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 4);
    if (c != NULL) {
        nina_ref_t ref = ref_of(n, c);
        nina_conn_close(n, &ref);
    }
    return nina_reply_u8(n, c != NULL);
}

nina_result_t nina_bsd_errno(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_u8(n, n->last_errno);
}

nina_result_t nina_bsd_bind(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 4);
    return nina_bsd_reply_ok(n, c != NULL && nina_conn_bind(n, c, nina_u16be(n, 6), "socket") == ADDER_OK,
                             E_ADDRINUSE);
}

nina_result_t nina_bsd_listen(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 4);
    return nina_bsd_reply_ok(n, c != NULL && nina_conn_listen(n, c, nina_u8(n, 6)) == ADDER_OK, E_OPNOTSUPP);
}

/* ---- waiting ---- */

/* Does a call on this socket end now, with `error` if it found nothing? */
static bool ends(nina_t *n, const nina_conn_t *c, uint64_t now_us)
{
    n->last_errno = E_AGAIN;
    return !c->blocking || (n->op.give_up_us != 0 && now_us >= n->op.give_up_us);
}

static nina_result_t begin(nina_t *n, nina_conn_t *c, bool (*step)(nina_t *n, uint64_t now_us),
                           uint64_t now_us)
{
    nina_op_cancel(n);
    n->op.conn = ref_of(n, c);
    n->op.give_up_us = c->receive_ms != 0 ? now_us + nina_scaled(n, c->receive_ms * (uint64_t)1000) : 0;
    if (!step(n, now_us)) {
        n->step = step;
        return NINA_WAIT;
    }
    return n->op.overrun ? NINA_CRASH : NINA_DONE;
}

/* The socket stays open when the operation is cleared. */
static bool done(nina_t *n)
{
    n->op.conn = NINA_NO_CONN;
    return true;
}

static bool accept_step(nina_t *n, uint64_t now_us)
{
    nina_conn_t *c = nina_conn(n, n->op.conn);
    sim_endpoint_t e = {0};
    nina_conn_t *fresh = NULL;
    if (c != NULL && c->listening) {
        fresh = nina_conn(n, nina_conn_accept(n, c));
        if (fresh == NULL && !ends(n, c, now_us)) {
            return false;
        }
    } else {
        n->last_errno = c != NULL ? E_INVAL : E_BADF;
    }
    if (fresh != NULL) {
        n->last_errno = 0;
        e = fresh->peer;
    }
    nina_bsd_reply_endpoint(n, fresh != NULL ? fd_of(n, fresh) : 255, &e);
    return done(n);
}

nina_result_t nina_bsd_accept(nina_t *n, uint64_t now_us)
{
    nina_conn_t *c = nina_bsd_at(n, 4);
    if (c == NULL) {
        nina_bsd_reply_endpoint(n, 255, &(sim_endpoint_t){0});
        return NINA_DONE;
    }
    return begin(n, c, accept_step, now_us);
}

/* A datagram socket only remembers its peer. */
static bool connect_step(nina_t *n, uint64_t now_us)
{
    nina_conn_t *c = nina_conn(n, n->op.conn);
    adder_err_t err = c == NULL ? ADDER_ERR_CLOSED : ADDER_ERR_AGAIN;
    if (c != NULL && nina_online(n) && n->op.stage == 0) {
        err = nina_conn_connect_poll(n, c);
    }
    if (err == ADDER_ERR_AGAIN && now_us < n->op.sent_us) {
        return false;
    }
    n->last_errno = 0;
    (void)nina_bsd_reply_ok(n, err == ADDER_OK,
                            err == ADDER_ERR_REFUSED  ? E_CONNREFUSED
                            : err == ADDER_ERR_CLOSED ? E_CONNRESET
                                                      : E_HOSTUNREACH);
    return done(n);
}

nina_result_t nina_bsd_connect(nina_t *n, uint64_t now_us)
{
    nina_conn_t *c = nina_bsd_at(n, 4);
    uint8_t ip4[4];
    nina_bytes(n, 6, ip4, 4);
    const uint16_t port = nina_u16be(n, 11);
    if (c == NULL) {
        return nina_bsd_reply_ok(n, false, E_BADF);
    }
    if (!c->stream) {
        memcpy(c->peer.ip4, ip4, 4);
        c->peer.port = port;
        return nina_bsd_reply_ok(n, true, 0);
    }
    const adder_err_t err = nina_conn_connect(n, c, ip4, port);
    if (err != ADDER_OK && err != ADDER_ERR_TIMEOUT) {
        return nina_bsd_reply_ok(n, false, err == ADDER_ERR_REFUSED ? E_CONNREFUSED : E_HOSTUNREACH);
    }
    if (!c->blocking) {
        return nina_bsd_reply_ok(n, false, E_INPROGRESS);
    }
    nina_op_cancel(n);
    n->op.conn = ref_of(n, c);
    n->op.stage = err == ADDER_OK ? 0 : 1; /* 1: packets vanish */
    n->op.sent_us = now_us + nina_scaled(n, SYN_US);
    n->step = connect_step;
    return NINA_WAIT;
}

/* ---- data ---- */

static bool send_step(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_conn(n, n->op.conn);
    size_t len = nina_u16be(n, 6), written = 0;
    len = len < NINA_BUF - 8 ? len : NINA_BUF - 8;
    adder_err_t err = ADDER_ERR_CLOSED;
    if (c != NULL) {
        err = nina_conn_write(n, c, n->rx + 8 + n->op.done, len - n->op.done, &written);
        n->op.done += written;
    }
    if (err == ADDER_OK && n->op.done < len && c->blocking) {
        return false;
    }
    n->last_errno = err != ADDER_OK ? E_CONNRESET : n->op.done == 0 && len > 0 ? E_AGAIN : 0;
    (void)reply_count(n, n->op.done);
    return done(n);
}

static bool send_to(nina_t *n, nina_conn_t *c, const uint8_t *data, size_t len, const sim_endpoint_t *to)
{
    if (to->port != 0 && nina_conn_to(n, c, data, len, to)) {
        return true;
    }
    n->last_errno = to->port == 0 ? E_NOTCONN : E_HOSTUNREACH;
    return false;
}

nina_result_t nina_bsd_send(nina_t *n, uint64_t now_us)
{
    nina_conn_t *c = nina_bsd_at(n, 5);
    if (c == NULL) {
        return reply_count(n, 0);
    }
    if (c->stream) {
        return begin(n, c, send_step, now_us);
    }
    size_t len = nina_u16be(n, 6);
    len = len < NINA_BUF - 8 ? len : NINA_BUF - 8;
    const sim_endpoint_t to = c->peer;
    return reply_count(n, send_to(n, c, n->rx + 8, len, &to) ? len : 0);
}

nina_result_t nina_bsd_sendto(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    nina_conn_t *c = nina_bsd_at(n, 5);
    sim_endpoint_t to = {.port = nina_u16be(n, 14)};
    nina_bytes(n, 8, to.ip4, 4);
    size_t len = nina_u16be(n, 16), written = 0;
    len = len < NINA_BUF - 18 ? len : NINA_BUF - 18;
    if (c != NULL && c->stream) {
        n->last_errno = nina_conn_write(n, c, n->rx + 18, len, &written) == ADDER_OK ? 0 : E_CONNRESET;
    } else if (c != NULL && send_to(n, c, n->rx + 18, len, &to)) {
        written = len;
    }
    return reply_count(n, written);
}

/* Bytes into the reply at `at`; false = wait. A closed or unconnected stream ends with nothing. */
static bool receive(nina_t *n, size_t at, size_t size, size_t *len_out, sim_endpoint_t *from, uint64_t now_us)
{
    nina_conn_t *c = nina_conn(n, n->op.conn);
    *len_out = 0;
    if (c == NULL) {
        n->last_errno = E_CONNRESET;
        return true;
    }
    if (!c->stream) {
        if (!nina_conn_from(n, c, n->tx + at, size, len_out, from)) {
            return ends(n, c, now_us);
        }
        n->last_errno = 0;
        return true;
    }
    *from = c->peer;
    *len_out = nina_conn_read(n, c, n->tx + at, size, false);
    n->last_errno = 0;
    if (*len_out > 0 || size == 0) {
        return true;
    }
    if (c->listening || nina_conn_gone(n, c)) {
        n->last_errno = E_NOTCONN;
        return true;
    }
    return ends(n, c, now_us);
}

static bool recv_step(nina_t *n, uint64_t now_us)
{
    const size_t size = nina_u16le(n, 6) < RECV_MAX ? nina_u16le(n, 6) : RECV_MAX;
    size_t len;
    sim_endpoint_t from;
    nina_reply(n, 1);
    if (!receive(n, 5, size, &len, &from, now_us)) {
        return false;
    }
    n->tx[3] = (uint8_t)(len >> 8);
    n->tx[4] = (uint8_t)len;
    n->tx_len = 5 + len;
    return done(n);
}

static nina_result_t begin_receive(nina_t *n, bool (*step)(nina_t *n, uint64_t now_us), uint64_t now_us)
{
    nina_conn_t *c = nina_bsd_at(n, 4);
    if (c != NULL) {
        return begin(n, c, step, now_us);
    }
    nina_op_cancel(n); /* no socket: the step ends at once with nothing */
    (void)step(n, now_us);
    n->last_errno = E_BADF;
    return NINA_DONE;
}

nina_result_t nina_bsd_recv(nina_t *n, uint64_t now_us)
{
    return begin_receive(n, recv_step, now_us);
}

/* The size asked for is not limited to the reply's buffer: is more there than fits? */
static bool overruns(nina_t *n)
{
    const nina_conn_t *c = nina_conn(n, n->op.conn);
    int waiting = 0;
    return nina_u16le(n, 6) > RECV_MAX && c != NULL && ioctl(c->fd, FIONREAD, &waiting) == 0 &&
           waiting > RECV_MAX;
}

static bool recvfrom_step(nina_t *n, uint64_t now_us)
{
    if (overruns(n)) {
        sim_chip_log(&n->chip, "recvfrom: %u bytes overrun the reply buffer; ask for at most %d",
                     nina_u16le(n, 6), RECV_MAX);
        n->op.overrun = true;
        return done(n);
    }
    const size_t size = nina_u16le(n, 6) < RECV_MAX ? nina_u16le(n, 6) : RECV_MAX;
    size_t len;
    sim_endpoint_t from = {0};
    nina_reply(n, 3);
    if (!receive(n, 15, size, &len, &from, now_us)) {
        return false;
    }
    n->tx[4] = 4;
    memcpy(n->tx + 5, from.ip4, 4);
    n->tx[10] = 2;
    n->tx[11] = (uint8_t)from.port;
    n->tx[12] = (uint8_t)(from.port >> 8);
    n->tx[13] = (uint8_t)(len >> 8);
    n->tx[14] = (uint8_t)len;
    n->tx_len = 15 + len;
    return done(n);
}

nina_result_t nina_bsd_recvfrom(nina_t *n, uint64_t now_us)
{
    return begin_receive(n, recvfrom_step, now_us);
}
