/* Fills the broker as fast as it takes it: for those who receive, and to see what it takes. HOST PORT publish
 * QOS BYTES COUNT. No client at all: packets that were made before, in writes of 64 KiB, to the answer to a
 * PINGREQ behind them. It is not woken for each acknowledgement: those who receive need the processor. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

static const char connect_packet[] = "\x10\x10\0\4MQTT\4\2\0\0\0\4fill";
enum { CONNECT_LEN = 18, ANSWERS = 2048 };

/* As one long text: CONNECT, messages, PINGREQ. */
static char *everything(const job_t *job, size_t *len_out)
{
    const size_t topic = strlen(BENCH_TOPIC), body = 2 + topic + (job->qos > 0 ? 2 : 0) + job->size;
    char *all = malloc(CONNECT_LEN + (5 + body) * job->count + 2), *p = all;
    if (all == NULL)
        job_fail("no memory", 0);
    p = (char *)memcpy(p, connect_packet, CONNECT_LEN) + CONNECT_LEN;
    for (unsigned i = 0; i < job->count; i++) {
        const unsigned id = i % 65535 + 1;
        size_t left = body;
        *p++ = (char)(0x30 | job->qos << 1);
        for (; left > 127; left >>= 7)
            *p++ = (char)(left | 128);
        *p++ = (char)left;
        *p++ = (char)(topic >> 8);
        *p++ = (char)topic;
        p = (char *)memcpy(p, BENCH_TOPIC, topic) + topic;
        if (job->qos > 0) {
            *p++ = (char)(id >> 8);
            *p++ = (char)id;
        }
        p = (char *)memcpy(p, job->payload, job->size) + job->size;
    }
    *p++ = (char)0xc0;
    *p++ = 0;
    *len_out = (size_t)(p - all);
    return all;
}

int main(int argc, char **argv)
{
    const job_t job = job_read(argc, argv);
    size_t len, sent = 0, answers = 4 + (job.qos > 0 ? 4u * job.count : 0) + 2, got = 0;
    char *all = everything(&job, &len), in[4096];
    const int fd = job_socket(&job);
    int least = 0;
    job_begin();
    while (sent < len || got < answers) {
        const int wanted = (int)(answers - got < ANSWERS ? answers - got : ANSWERS);
        if (wanted > 0 && wanted != least) {
            least = wanted;
            if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least) != 0)
                job_fail("SO_RCVLOWAT", errno);
        }
        struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (sent < len ? POLLOUT : 0))};
        poll(&p, 1, -1);
        if (p.revents & POLLOUT) {
            const size_t most = len - sent < 65536 ? len - sent : 65536;
            const ssize_t n = send(fd, all + sent, most, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && errno != EAGAIN)
                job_fail("send", errno);
            sent += n > 0 ? (size_t)n : 0;
        }
        if (p.revents & (POLLIN | POLLHUP)) {
            const ssize_t n = recv(fd, in, sizeof in, MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN))
                job_fail("recv", errno);
            got += n > 0 ? (size_t)n : 0;
        }
    }
    job_end();
    if (send(fd, "\xe0", 2, MSG_NOSIGNAL) != 2)
        job_fail("send", errno);
    close(fd);
    return 0;
}
