/* What the C clients of the MQTT rows share: the command line, clocks, what is told at the end.
 *
 *     mqtt_NAME HOST PORT publish|receive QOS BYTES COUNT [ON_THEIR_WAY]
 *
 * publish: COUNT messages. With QoS 1 and 2 WINDOW of them are on their way at most, and a message counts
 * when its last acknowledgement is there; with QoS 0 the end is the acknowledgement of one message of QoS 1
 * behind them, for then the broker has read them all. receive: says "ready" when subscribed; from the first
 * to the last of COUNT messages. At the end: "ns TIME cpu_us CPU" (user and system time of the whole process,
 * in the same span). */
#ifndef BENCH_MQTT_CLIENT_H
#define BENCH_MQTT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_TOPIC "bench/room/temperature"

enum { WINDOW = 20 };

typedef struct {
    const char *host;
    int port;
    bool receive;
    int qos;
    size_t size;
    unsigned count, window;
    char *payload; /* `size` letters */
} job_t;

/* Ends the process with a line on standard error when the command line is not as above. */
job_t job_read(int argc, char **argv);
/* A connected socket without Nagle's delay, which waits a second at most for something to receive. */
int job_socket(const job_t *job);
void job_ready(void);
void job_begin(void);
void job_end(void);
/* A message of `len` bytes has come, the `n`th of them from 1 on: begins and ends. True: it was the last. */
bool job_received(const job_t *job, unsigned n, size_t len);
void job_fail(const char *what, int code) __attribute__((noreturn));

#endif
