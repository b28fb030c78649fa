/* The proxy between the device and the broker. It cuts connections at any byte, holds them up, or takes them
 * and stays silent. */
#define _GNU_SOURCE /* accept4() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chaos.h"

enum { BUFFER = 2048, CUT_WAIT_MS = 300 };

/* Bytes of a direction, from the one end to the other. */
typedef struct {
    uint8_t bytes[BUFFER];
    size_t len;
    bool ended;
} flow_t;

typedef struct {
    int fds[2]; /* the device's, the broker's */
    bool silent, connecting;
    flow_t flows[DIRECTIONS];
} pair_t;

static struct {
    int listener;
    uint16_t broker_port;
    pair_t pairs[PAIRS];
    int latest; /* pair; what is cut */
    uint32_t stall_since, stall_ms, silent_since, silent_ms;
    bool cuts;
    cut_t how;
    unsigned direction;
    uint32_t after, cut_since;
} x;

static void end_pair(pair_t *pair, bool reset)
{
    for (unsigned i = 0; i < 2; i++) {
        if (pair->fds[i] >= 0) {
            const struct linger now = {1, 0};
            if (reset) {
                setsockopt(pair->fds[i], SOL_SOCKET, SO_LINGER, &now, sizeof now);
            }
            close(pair->fds[i]);
        }
        pair->fds[i] = -1;
    }
    if (x.latest == pair - x.pairs) {
        x.latest = -1;
    }
}

void proxy_init(uint16_t port, uint16_t broker_port)
{
    memset(&x, 0, sizeof x);
    x.listener = listen_on(port);
    x.broker_port = broker_port;
    x.latest = -1;
    for (unsigned i = 0; i < PAIRS; i++) {
        x.pairs[i].fds[0] = x.pairs[i].fds[1] = -1;
    }
}

void proxy_close(void)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        end_pair(&x.pairs[i], true);
    }
    close(x.listener);
}

void proxy_cut(cut_t how, unsigned direction, uint32_t after)
{
    x.cuts = true;
    x.how = how;
    x.direction = direction;
    x.after = after;
    x.cut_since = now_ms();
}

void proxy_stall(uint32_t ms)
{
    x.stall_since = now_ms();
    x.stall_ms = ms;
}

void proxy_half_open(uint32_t ms)
{
    x.silent_since = now_ms();
    x.silent_ms = ms;
    for (unsigned i = 0; i < PAIRS; i++) {
        end_pair(&x.pairs[i], true);
    }
}

static bool is_over(uint32_t since, uint32_t *ms)
{
    if (*ms > 0 && now_ms() - since >= *ms) {
        *ms = 0;
    }
    return *ms == 0;
}

bool proxy_is_busy(void)
{
    return x.cuts || !is_over(x.stall_since, &x.stall_ms) || !is_over(x.silent_since, &x.silent_ms);
}

static void accept_pair(void)
{
    unsigned i = 0;
    while (i < PAIRS && x.pairs[i].fds[0] >= 0) {
        i++;
    }
    if (i == PAIRS) {
        return;
    }
    pair_t *pair = &x.pairs[i];
    const int fd = accept4(x.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;
    if (fd < 0) {
        return;
    }
    memset(pair, 0, sizeof *pair);
    pair->fds[0] = fd;
    pair->fds[1] = -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pair->silent = !is_over(x.silent_since, &x.silent_ms);
    if (pair->silent) {
        return;
    }
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(x.broker_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    pair->fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (pair->fds[1] < 0 ||
        (connect(pair->fds[1], (const struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS)) {
        end_pair(pair, true);
        return;
    }
    setsockopt(pair->fds[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pair->connecting = true;
    x.latest = (int)i;
    watch_new_connection(i);
}

static short events_of(const waits_t *ready, int fd)
{
    short events = 0;
    for (unsigned i = 0; fd >= 0 && i < ready->n; i++) {
        events = (short)(events | (ready->fds[i].fd == fd ? ready->fds[i].revents : 0));
    }
    return events;
}

/* False: the pair is gone. */
static bool take(pair_t *pair, unsigned direction)
{
    flow_t *f = &pair->flows[direction];
    const ssize_t n = recv(pair->fds[direction], f->bytes + f->len, sizeof f->bytes - f->len, 0);
    if (n > 0) {
        f->len += (size_t)n;
    } else if (n == 0) {
        f->ended = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        end_pair(pair, true);
        return false;
    }
    return true;
}

/* What goes on is looked at, up to a cut. False: the pair is gone. */
static bool give(pair_t *pair, unsigned direction)
{
    flow_t *f = &pair->flows[direction];
    const bool cut = x.cuts && x.latest == pair - x.pairs && x.direction == direction;
    size_t len = cut && x.after < f->len ? x.after : f->len;
    if (len > 0) {
        const ssize_t n = send(pair->fds[1 - direction], f->bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            end_pair(pair, true);
            return false;
        }
        len = n > 0 ? (size_t)n : 0;
        watch_bytes((unsigned)(pair - x.pairs), direction, f->bytes, len);
        memmove(f->bytes, f->bytes + len, f->len - len);
        f->len -= len;
        x.after -= cut ? (uint32_t)len : 0;
    }
    if (cut && x.after == 0) {
        x.cuts = false;
        end_pair(pair, x.how == CUT_RST);
        return false;
    }
    if (f->ended && f->len == 0) { /* nobody here says half a goodbye */
        end_pair(pair, false);
        return false;
    }
    return true;
}

static void pair_turn(pair_t *pair, waits_t *w, const waits_t *ready)
{
    const short device = events_of(ready, pair->fds[0]), broker = events_of(ready, pair->fds[1]);
    if (pair->silent) {
        uint8_t nothing[256];
        ssize_t n = 1;
        if ((device & (POLLIN | POLLHUP | POLLERR)) != 0) {
            n = recv(pair->fds[0], nothing, sizeof nothing, 0);
        }
        if (n == 0 || is_over(x.silent_since, &x.silent_ms)) {
            end_pair(pair, true);
            return;
        }
        wait_for_fd(w, pair->fds[0], true, false);
        return;
    }
    if (pair->connecting && (broker & (POLLOUT | POLLERR | POLLHUP)) != 0) {
        int err = 0;
        socklen_t len = sizeof err;
        getsockopt(pair->fds[1], SOL_SOCKET, SO_ERROR, &err, &len);
        if (err != 0) {
            end_pair(pair, true);
            return;
        }
        pair->connecting = false;
    }
    const bool held = !is_over(x.stall_since, &x.stall_ms) || pair->connecting;
    for (unsigned direction = 0; direction < DIRECTIONS; direction++) {
        flow_t *f = &pair->flows[direction];
        const short events = direction == UP ? device : broker;
        if (!held && !f->ended && f->len < sizeof f->bytes && (events & (POLLIN | POLLHUP | POLLERR)) != 0 &&
            !take(pair, direction)) {
            return;
        }
        if (!held && !give(pair, direction)) {
            return;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        const flow_t *in = &pair->flows[i], *out = &pair->flows[1 - i];
        wait_for_fd(w, pair->fds[i], !held && !in->ended && in->len < sizeof in->bytes,
                    (!held && out->len > 0) || (i == 1 && pair->connecting));
    }
}

void proxy_turn(waits_t *w, const waits_t *ready)
{
    if (events_of(ready, x.listener) != 0) {
        accept_pair();
    }
    if (x.cuts && now_ms() - x.cut_since >= CUT_WAIT_MS) { /* there is nothing to cut */
        x.cuts = false;
        if (x.latest >= 0) {
            end_pair(&x.pairs[x.latest], x.how == CUT_RST);
        }
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        if (x.pairs[i].fds[0] >= 0) {
            pair_turn(&x.pairs[i], w, ready);
        }
    }
    wait_for_fd(w, x.listener, true, false);
}
