/* A thousand connections on each of several stacks at once: no socket, descriptor or byte is left behind. */
#include "tests/net/scenarios.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>

enum { ROUNDS = 125, EACH = 8 }; /* connections: ROUNDS * EACH */

static int echo_fd;
static uint16_t echo_port;
static pthread_t echo_thread;

/* Echoes what comes on any number of connections, each to its end. */
static void *echo(void *arg)
{
    struct pollfd p[64] = {{.fd = echo_fd, .events = POLLIN}};
    nfds_t n = 1;
    (void)arg;
    while (poll(p, n, -1) > 0 && !(p[0].revents & (POLLHUP | POLLERR))) {
        for (nfds_t i = n; i-- > 1;) {
            uint8_t buf[512];
            const ssize_t got = p[i].revents != 0 ? recv(p[i].fd, buf, sizeof buf, MSG_DONTWAIT) : -1;
            if (got > 0) {
                (void)send(p[i].fd, buf, (size_t)got, MSG_NOSIGNAL);
            } else if (p[i].revents != 0) {
                (void)close(p[i].fd);
                p[i] = p[--n];
            }
        }
        if ((p[0].revents & POLLIN) && n < 64) {
            p[n].fd = accept(echo_fd, NULL, NULL);
            p[n].events = POLLIN;
            p[n].revents = 0;
            n += p[n].fd >= 0;
        }
    }
    while (n-- > 1) {
        (void)close(p[n].fd);
    }
    return NULL;
}

static int start(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    (void)state;
    echo_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(echo_fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(echo_fd, 64) != 0 ||
        getsockname(echo_fd, (struct sockaddr *)&a, &len) != 0) {
        return -1;
    }
    echo_port = ntohs(a.sin_port);
    return pthread_create(&echo_thread, NULL, echo, NULL);
}

static int stop(void **state)
{
    (void)state;
    (void)shutdown(echo_fd, SHUT_RDWR);
    (void)pthread_join(echo_thread, NULL);
    return close(echo_fd);
}

static unsigned descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL) {
        n++;
    }
    (void)closedir(d);
    return n;
}

/* The other end's last descriptors go as soon as its thread has seen the ends. */
static void await_descriptors(unsigned wanted)
{
    for (unsigned i = 0; i < 5000 && descriptors() > wanted; i++) {
        world_nap(1000);
    }
    assert_int_equal(descriptors(), wanted);
}

/* ---- connections of one world, each at its own point of its life ---- */

typedef struct {
    uint16_t sock;
    uint8_t stage, sent, got;
} one_t;

enum { CONNECT, SEND, RECV, DONE };

/* A word and its echo; every third is closed with the echo on its way, every other by abort. */
static bool get_on(world_t *w, one_t *c, unsigned number)
{
    uint8_t word[16], back[16];
    size_t n;
    adder_err_t err = ADDER_OK;
    const adder_endpoint_t to = {adder_ip_v4(127, 0, 0, 1), echo_port};
    for (size_t i = 0; i < sizeof word; i++) {
        word[i] = (uint8_t)(number + i);
    }
    switch (c->stage) {
    case CONNECT:
        err = w->net.ops->connect(w->net.ctx, c->sock, NULL, &to);
        c->stage = err == ADDER_OK ? SEND : CONNECT;
        break;
    case SEND:
        err = w->net.ops->send(w->net.ctx, c->sock, NULL, word + c->sent, sizeof word - c->sent, &n);
        c->sent = (uint8_t)(c->sent + n);
        c->stage = c->sent < sizeof word ? SEND : number % 3 == 2 ? DONE : RECV;
        break;
    case RECV:
        err = w->net.ops->recv(w->net.ctx, c->sock, back, sizeof back, &n, NULL);
        assert_true(c->got + n <= sizeof word);
        assert_memory_equal(back, word + c->got, n);
        c->got = (uint8_t)(c->got + n);
        c->stage = c->got < sizeof word ? RECV : DONE;
        break;
    default:
        return true;
    }
    if (err != ADDER_OK && err != ADDER_ERR_AGAIN) {
        fail_msg("connection %u, stage %u: %s", number, c->stage, adder_err_str(err));
    }
    return c->stage == DONE;
}

/* Opens `count` sockets, or as many as there are at least `least`. */
static unsigned open_some(world_t *w, one_t *c, unsigned count, unsigned least)
{
    unsigned n = 0;
    while (n < count) {
        c[n] = (one_t){0};
        const adder_err_t err = w->net.ops->open(w->net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &c[n].sock);
        if (err == ADDER_ERR_NOMEM && n >= least) {
            break;
        }
        assert_int_equal(err, ADDER_OK);
        n++;
    }
    return n;
}

static void round_of(world_t **w, unsigned worlds, const unsigned *each, unsigned round)
{
    one_t c[3][EACH];
    unsigned n[3], left = 0;
    uint64_t end[3];
    for (unsigned i = 0; i < worlds; i++) {
        n[i] = open_some(w[i], c[i], each[i], each[i]);
        left += n[i];
        end[i] = world_now_us(w[i]) + LIMIT_S * (uint64_t)1000000;
    }
    while (left > 0) {
        for (unsigned i = 0; i < worlds; i++) {
            for (unsigned k = 0; k < n[i]; k++) {
                const bool over = c[i][k].stage == DONE;
                if (!over && get_on(w[i], &c[i][k], round * EACH + k)) {
                    left--;
                }
            }
            (void)world_pump(w[i], w[i]->sim != NULL ? 1000000 : 0);
            world_must_go_on(w[i], end[i]);
        }
    }
    for (unsigned i = 0; i < worlds; i++) {
        for (unsigned k = 0; k < n[i]; k++) {
            assert_int_equal(w[i]->net.ops->close(w[i]->net.ctx, c[i][k].sock, k % 2 == 0), ADDER_OK);
        }
        world_pump_for(w[i], w[i]->sim != NULL ? 50000 : 1);
        assert_int_equal(world_sockets(w[i]), 0);
    }
}

/* Every slot of the chip is free again. */
static void chip_has_all_slots(world_t *w)
{
    adder_airlift_t *a;
    adder_err_t err;
    world_pump_for(w, 1000000);
    for (unsigned i = 0; i < ADDER_AIRLIFT_NET_SOCKETS; i++) {
        assert_int_equal(w->airlift.priv.socks[i].phase, 0);
    }
    for (unsigned i = 0; i < w->airlift.priv.c.rx_count; i++) {
        assert_int_equal(w->airlift.priv.rx_owner[i], 255);
    }
    WORLD_UNTIL(w, adder_airlift_net_claim(&w->airlift, &a));
    assert_int_equal(adder_airlift_begin_socket(a), ADDER_OK);
    WORLD_UNTIL(w, adder_airlift_tick(a, world_now_us(w)));
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(a->result.number, 0);
    adder_airlift_net_release(&w->airlift);
    assert_int_equal(a->stats.resets, 1);
}

static void leaves_nothing(void **state)
{
    (void)state;
    const unsigned none = descriptors();
    /* This computer's sockets and two boards, side by side; 1.7.7 has ten slots, 3.3.0 six. */
    static const unsigned each[3] = {EACH, EACH, 6};
    world_t *w[] = {world_posix(), world_board("1.7.7", NULL), world_board("3.3.0", NULL)};
    for (unsigned i = 0; i < 3; i++) {
        w[i]->nap_us = 100;
        assert_int_equal(world_join(w[i]), ADDER_OK);
    }
    const unsigned before = descriptors();
    size_t heap = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        round_of(w, 3, each, round);
        if (round == 9 || round == ROUNDS - 1) {
            await_descriptors(before);
            if (round == 9) {
                heap = mallinfo2().uordblks;
            }
        }
    }
    /* Nothing allocates for a connection; the allocator under the sanitizer counts nothing here, which looks
     * for leaks itself. */
    assert_true(mallinfo2().uordblks <= heap + 4096);
    chip_has_all_slots(w[1]);
    chip_has_all_slots(w[2]);
    for (unsigned i = 0; i < 3; i++) {
        world_close(w[i]);
    }
    await_descriptors(none);
}

/* A stack goes with sockets open in every state, and leaves nothing either. */
static void goes_with_all_open(void **state)
{
    (void)state;
    const uint16_t port = hold_port();
    const unsigned none = descriptors();
    for (unsigned round = 0; round < 6; round++) {
        world_t *w = round % 3 == 0 ? world_posix() : world_board(round % 3 == 1 ? "1.7.7" : "3.3.0", NULL);
        one_t c[EACH];
        uint16_t sock;
        assert_int_equal(world_join(w), ADDER_OK);
        assert_int_equal(w->net.ops->open(w->net.ctx, ADDER_NET_TCP, ADDER_IP_V4, &sock), ADDER_OK);
        assert_int_equal(w->net.ops->bind(w->net.ctx, sock, &(adder_endpoint_t){.port = port}), ADDER_OK);
        assert_int_equal(w->net.ops->listen(w->net.ctx, sock, 2), ADDER_OK);
        assert_int_equal(w->net.ops->open(w->net.ctx, ADDER_NET_UDP, ADDER_IP_V4, &sock), ADDER_OK);
        assert_int_equal(w->net.ops->bind(w->net.ctx, sock, &(adder_endpoint_t){.port = 0}), ADDER_OK);
        const unsigned n = open_some(w, c, EACH, 1);
        for (unsigned turn = 0; turn < 10 * round; turn++) {
            for (unsigned k = 0; k < n; k++) {
                const adder_endpoint_t to = {adder_ip_v4(127, 0, 0, 1), echo_port};
                const adder_err_t err = w->net.ops->connect(w->net.ctx, c[k].sock, NULL, &to);
                assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN || err == ADDER_ERR_NOMEM);
            }
            (void)world_pump(w, w->sim != NULL ? 20000 : 100);
        }
        assert_true(world_sockets(w) >= 3);
        world_close(w);
        await_descriptors(none);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_nothing),
        cmocka_unit_test(goes_with_all_open),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
