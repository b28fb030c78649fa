/* This computer's sockets fail under a whole stack: system call 0, 1, 2, ... of ports/posix in each way in
 * turn. Never a hang (time jumps where nothing comes, each wait has its end), never a wrong byte; the cause
 * is told or it has truly recovered; and all works afterwards.
 *
 * EAGAIN and EINTR out of nowhere are not among the ways: the system gives neither to these calls while there
 * is something, and its events tell of each change once.
 *
 * The calls are these below, which stand before the C library's; they fail only inside of the stack's calls.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/net/scenarios.h"

#include <dlfcn.h>
#include <sys/epoll.h>

/* LOST: from then on nothing gets out and nothing comes, as with a cable pulled. */
typedef enum { RESET, NO_MEMORY, SHORT, UNREACHABLE, LOST, WAYS } way_t;
static const char *const way_names[] = {"reset", "no memory", "short", "unreachable", "lost"};
static const int way_errnos[] = {ECONNRESET, ENOBUFS, 0, ENETUNREACH, 0};

static struct {
    bool inside, armed, fired;
    way_t way;
    unsigned at, calls;
    world_t *world; /* whose time jumps once nothing will come any more */
} fault;

/* True: this call fails, with errno set. SHORT and LOST are the caller's to do. */
static bool hit(bool *now)
{
    *now = false;
    if (!fault.inside) {
        return false;
    }
    *now = fault.armed && fault.calls == fault.at;
    fault.fired |= *now;
    fault.calls++;
    if (*now && fault.way == LOST) {
        fault.world->jumps = true;
    }
    if (*now && way_errnos[fault.way] != 0) {
        errno = way_errnos[fault.way];
        return true;
    }
    return false;
}

static bool is_lost(void)
{
    return fault.inside && fault.armed && fault.fired && fault.way == LOST;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    bool now;
    if (hit(&now)) {
        return -1;
    }
    if (is_lost()) {
        return (ssize_t)len;
    }
    return NEXT(send)(fd, buf, now && fault.way == SHORT && len > 1 ? 1 : len, flags);
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    bool now;
    if (hit(&now)) {
        return -1;
    }
    if (is_lost()) {
        errno = EAGAIN;
        return -1;
    }
    return NEXT(recv)(fd, buf, now && fault.way == SHORT && len > 1 ? 1 : len, flags);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    bool now;
    if (hit(&now)) {
        return -1;
    }
    return is_lost() ? (ssize_t)len : NEXT(sendto)(fd, buf, len, flags, to, to_len);
}

ssize_t recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *from, socklen_t *from_len)
{
    bool now;
    if (hit(&now)) {
        return -1;
    }
    if (is_lost()) {
        errno = EAGAIN;
        return -1;
    }
    return NEXT(recvfrom)(fd, buf, len, flags, from, from_len);
}

int socket(int domain, int type, int protocol)
{
    bool now;
    return hit(&now) ? -1 : NEXT(socket)(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    bool now;
    if (hit(&now)) {
        return -1;
    }
    if (is_lost()) {
        errno = EINPROGRESS;
        return -1;
    }
    return NEXT(connect)(fd, to, len);
}

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
    bool now;
    if (hit(&now)) {
        return -1;
    }
    if (is_lost()) {
        errno = EAGAIN;
        return -1;
    }
    return NEXT(accept4)(fd, from, len, flags);
}

int bind(int fd, const struct sockaddr *a, socklen_t len)
{
    bool now;
    return hit(&now) ? -1 : NEXT(bind)(fd, a, len);
}

int listen(int fd, int backlog)
{
    bool now;
    return hit(&now) ? -1 : NEXT(listen)(fd, backlog);
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *e)
{
    bool now;
    if (hit(&now)) { /* nothing tells of this socket any more: only deadlines are left */
        fault.world->jumps = true;
        return -1;
    }
    return NEXT(epoll_ctl)(epoll, op, fd, e);
}

/* ---- the stack, each call of it inside ---- */

static adder_net_t inner;

#define INSIDE(call)                                                                                         \
    do {                                                                                                     \
        fault.inside = true;                                                                                 \
        const adder_err_t err_ = (call);                                                                     \
        fault.inside = false;                                                                                \
        return err_;                                                                                         \
    } while (0)

static adder_err_t in_open(void *ctx, adder_net_kind_t kind, adder_ip_family_t family, uint16_t *out)
{
    INSIDE(inner.ops->open(ctx, kind, family, out));
}
static adder_err_t in_bind(void *ctx, uint16_t s, const adder_endpoint_t *local)
{
    INSIDE(inner.ops->bind(ctx, s, local));
}
static adder_err_t in_connect(void *ctx, uint16_t s, const char *host, const adder_endpoint_t *to)
{
    INSIDE(inner.ops->connect(ctx, s, host, to));
}
static adder_err_t in_listen(void *ctx, uint16_t s, unsigned backlog)
{
    INSIDE(inner.ops->listen(ctx, s, backlog));
}
static adder_err_t in_accept(void *ctx, uint16_t s, uint16_t *out, adder_endpoint_t *remote)
{
    INSIDE(inner.ops->accept(ctx, s, out, remote));
}
static adder_err_t in_send(void *ctx, uint16_t s, const adder_endpoint_t *to, const uint8_t *bytes,
                           size_t len, size_t *n)
{
    INSIDE(inner.ops->send(ctx, s, to, bytes, len, n));
}
static adder_err_t in_recv(void *ctx, uint16_t s, uint8_t *buf, size_t cap, size_t *n, adder_endpoint_t *from)
{
    INSIDE(inner.ops->recv(ctx, s, buf, cap, n, from));
}

static world_t *open_world(void)
{
    static adder_net_ops_t ops;
    world_t *w = world_posix();
    inner = w->net;
    ops = *inner.ops;
    ops.open = in_open;
    ops.bind = in_bind;
    ops.connect = in_connect;
    ops.listen = in_listen;
    ops.accept = in_accept;
    ops.send = in_send;
    ops.recv = in_recv;
    w->net.ops = &ops;
    return w;
}

static void sweep(scenario_t scenario)
{
    for (way_t way = 0; way < WAYS; way++) {
        unsigned hits = 0, recovered = 0, at = 0;
        for (bool fired = true; fired; at++) {
            assert_true(at < 500);
            memset(&fault, 0, sizeof fault);
            fault.way = way;
            fault.at = at;
            fault.armed = true;
            world_t *w = open_world();
            fault.world = w;
            w->wire.at = at;
            const adder_err_t first = scenario(w);
            fired = fault.fired;
            assert_true(first != ADDER_ERR_AGAIN && (fired || first == ADDER_OK));
            hits += fired;
            recovered += fired && first == ADDER_OK;
            fault.armed = false;
            w->jumps = false;
            if (fired) {
                const adder_err_t again = scenario(w);
                if (again != ADDER_OK) {
                    fail_msg("%s at call %u: %s, then %s", way_names[way], at, adder_err_str(first),
                             adder_err_str(again));
                }
            }
            world_close(w);
        }
        print_message("%s: %u calls hit, %u healed unseen, %u reported\n", way_names[way], hits, recovered,
                      hits - recovered);
        assert_true(hits > 5);
    }
}

static void survives_with_https(void **state)
{
    (void)state;
    sweep(do_https);
}

static void survives_with_datagrams(void **state)
{
    (void)state;
    sweep(do_udp);
}

static void a_caller_that_died_hides_no_other(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof fault);
    world_t *w = open_world();
    fault.world = w;
    fault.way = UNREACHABLE;
    const adder_net_t *net = &w->net;
    adder_endpoint_t local = {.ip = adder_ip_v4(127, 0, 0, 1)};
    uint16_t s, got;
    assert_int_equal(net->ops->open(net->ctx, ADDER_NET_TCP, ADDER_IP_V4, &s), ADDER_OK);
    assert_int_equal(net->ops->bind(net->ctx, s, &local), ADDER_OK);
    assert_int_equal(net->ops->listen(net->ctx, s, 4), ADDER_OK);
    assert_int_equal(net->ops->endpoints(net->ctx, s, &local, NULL), ADDER_OK);
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(local.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int caller = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(caller, (const struct sockaddr *)&to, sizeof to), 0);
    fault.at = fault.calls;
    fault.armed = true;
    assert_int_equal(net->ops->accept(net->ctx, s, &got, NULL), ADDER_OK);
    assert_true(fault.fired);
    close(caller);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_with_https),
        cmocka_unit_test(survives_with_datagrams),
        cmocka_unit_test(a_caller_that_died_hides_no_other),
    };
    return cmocka_run_group_tests(tests, scenarios_start, scenarios_stop);
}
