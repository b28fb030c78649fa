/* A server of this computer for the tests on a simulated board, and real time, which sockets live in. It
 * echoes every connection; what starts with 'S' is sunk, with 'F' answered by a flood of pattern(), with 'E'
 * by two words and an end. */
#ifndef TESTS_AIRLIFT_PEER_H
#define TESTS_AIRLIFT_PEER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint16_t port; /* the server's, of 127.0.0.1 */

static inline void nap(unsigned us)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = us * 1000L}, NULL);
}

static inline uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 17 + (i >> 16));
}

static struct {
    int listener;
    pthread_t thread;
} peer;

static atomic_size_t sunk;  /* of all connections */
static atomic_uint flooded; /* connections that were flooded, and are closed */

/* This computer's acknowledgements take real time, which is not the board's. */
static inline void await_sunk(size_t total)
{
    for (unsigned i = 0; atomic_load(&sunk) < total && i < 20000; i++) {
        nap(100);
    }
}

/* Nor is its end at once there when its last byte is. */
static inline void await_flooded(unsigned total)
{
    for (unsigned i = 0; atomic_load(&flooded) < total && i < 20000; i++) {
        nap(100);
    }
}

static inline bool send_all(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        const ssize_t sent = send(fd, (const uint8_t *)data + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += (size_t)sent;
    }
    return true;
}

static inline void *serve_one(void *arg)
{
    const int fd = (int)(intptr_t)arg;
    char buf[16384];
    ssize_t got = recv(fd, buf, sizeof buf, 0);
    const char what = got > 0 ? buf[0] : 0;
    if (what == 'F') {
        static uint8_t flood[1 << 20];
        for (size_t i = 0; i < sizeof flood; i++) {
            flood[i] = pattern(i);
        }
        (void)send_all(fd, flood, sizeof flood);
        got = 0;
    } else if (what == 'E') {
        (void)send_all(fd, "so long", 7);
        got = 0;
    }
    while (got > 0) {
        if (what != 'S' && !send_all(fd, buf, (size_t)got)) {
            break;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
        atomic_fetch_add(&sunk, what == 'S' ? (size_t)got : 0);
        got = recv(fd, buf, sizeof buf, 0);
    }
    (void)close(fd);
    atomic_fetch_add(&flooded, what == 'F');
    return NULL;
}

static inline void *serve(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(peer.listener, NULL, NULL)) >= 0;) {
        pthread_t t;
        if (pthread_create(&t, NULL, serve_one, (void *)(intptr_t)fd) == 0) {
            (void)pthread_detach(t);
        }
    }
    return NULL;
}

static inline int start_peer(void **state)
{
    (void)state;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    peer.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(peer.listener, (struct sockaddr *)&to, sizeof to) != 0 || listen(peer.listener, 16) != 0 ||
        getsockname(peer.listener, (struct sockaddr *)&to, &len) != 0) {
        return -1;
    }
    port = ntohs(to.sin_port);
    return pthread_create(&peer.thread, NULL, serve, NULL);
}

static inline int stop_peer(void **state)
{
    (void)state;
    (void)shutdown(peer.listener, SHUT_RDWR);
    (void)pthread_join(peer.thread, NULL);
    return close(peer.listener);
}

#endif
