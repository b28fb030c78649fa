#include "client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static uint64_t begin_ns, begin_cpu_us;

void job_fail(const char *what, int code)
{
    fprintf(stderr, "%s: %d\n", what, code);
    exit(1);
}

job_t job_read(int argc, char **argv)
{
    if (argc != 7 && argc != 8)
        job_fail("HOST PORT publish|receive QOS BYTES COUNT [ON_THEIR_WAY]", argc);
    job_t job = {.host = argv[1],
                 .port = atoi(argv[2]),
                 .receive = strcmp(argv[3], "receive") == 0,
                 .qos = atoi(argv[4]),
                 .size = strtoul(argv[5], NULL, 10),
                 .count = (unsigned)strtoul(argv[6], NULL, 10),
                 .window = argc == 8 ? (unsigned)strtoul(argv[7], NULL, 10) : WINDOW};
    job.payload = malloc(job.size + 1);
    if (job.payload == NULL || job.count < 2 || job.window < 1 || job.window > WINDOW)
        job_fail("job", argc);
    memset(job.payload, 'x', job.size);
    return job;
}

int job_socket(const job_t *job)
{
    const int on = 1;
    const struct timeval second = {.tv_sec = 1};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)job->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || inet_pton(AF_INET, job->host, &to.sin_addr) != 1 ||
        connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        job_fail("connect", fd);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    return fd;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_us(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

void job_ready(void)
{
    puts("ready");
    fflush(stdout);
}

void job_begin(void)
{
    begin_cpu_us = cpu_us();
    begin_ns = now_ns();
}

void job_end(void)
{
    const uint64_t ns = now_ns() - begin_ns;
    printf("ns %llu cpu_us %llu\n", (unsigned long long)ns, (unsigned long long)(cpu_us() - begin_cpu_us));
    fflush(stdout);
}

bool job_received(const job_t *job, unsigned n, size_t len)
{
    if (len != job->size)
        job_fail("a message of another length", (int)len);
    if (n == 1)
        job_begin();
    if (n == job->count)
        job_end();
    return n == job->count;
}
