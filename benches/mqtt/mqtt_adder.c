/* The MQTT rows' client on Adder's engine (adder/mqtt.h) over a socket; see client.h.
 *
 * A process that is woken for each acknowledgement is woken late, and costs the broker the time to wake it.
 * So this one fills its window when half of it or more is free and wants to hear of nothing before
 * (SO_RCVLOWAT), and looks LOOKS times before it sleeps, giving way to who has work in between; MQTT_LOOKS in
 * its environment is another number. Short messages leave together, a long one at once: the broker reads it
 * while the next one is made. Acknowledgements leave together, too. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "adder/mqtt.h"
#include "client.h"

enum { LOOKS = 300, LONG = 4096, ACK = 4, TOGETHER = 5 };

static job_t job;
static int fd;
static adder_mqtt_t m;
static adder_mqtt_slot_t slots[WINDOW + 1]; /* one more for the message behind those of QoS 0 */
static uint16_t ids[WINDOW];
static uint8_t rx[32768], tx[65535];
static adder_mqtt_msg_t messages[WINDOW], *unused[WINDOW];
static unsigned n_unused, n_done, n_received, n_answered;
static bool on, subscribed;
static int looks, least = 1;

static uint32_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)t.tv_sec * 1000u + (uint32_t)(t.tv_nsec / 1000000);
}

static adder_err_t on_message(void *ctx, const adder_mqtt_piece_t *piece)
{
    (void)ctx;
    if (piece->offset + piece->len == piece->total)
        job_received(&job, ++n_received, piece->total);
    return ADDER_OK;
}

static adder_err_t on_event(void *ctx, const adder_mqtt_event_t *e)
{
    (void)ctx;
    on = on || e->kind == ADDER_MQTT_CONNECTED;
    subscribed = subscribed || e->kind == ADDER_MQTT_SUBSCRIBED;
    if (e->kind == ADDER_MQTT_DONE) {
        n_done++;
        for (unsigned i = 0; i < WINDOW; i++) {
            if (e->msg == &messages[i])
                unused[n_unused++] = &messages[i];
        }
    }
    return ADDER_OK;
}

static void check(const char *what, adder_err_t err)
{
    if (err != ADDER_OK)
        job_fail(what, (int)err);
}

static void send_all(void)
{
    const uint8_t *bytes;
    size_t len;
    n_answered = n_received;
    while (adder_mqtt_out(&m, &bytes, &len)) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            job_fail("send", errno);
        adder_mqtt_out_done(&m, (size_t)n);
    }
}

/* Until `bytes` have come, or the socket takes something again if that is waited for; a second at most. */
static void wait_for(int bytes, bool room)
{
    struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (room ? POLLOUT : 0))};
    if (bytes != least) {
        least = bytes;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least) != 0)
            job_fail("SO_RCVLOWAT", errno);
    }
    for (int i = 0; i < looks && !room; i++) { /* room comes in large pieces: a wake-up for each is cheap */
        if (poll(&p, 1, 0) != 0)
            return;
        sched_yield();
    }
    send_all();
    poll(&p, 1, 1000);
}

/* Is there more to be acknowledged, now or in a few microseconds? Then that leaves in one packet. */
static bool comes_soon(void)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (int i = 0; job.receive && job.qos > 0 && job.size < LONG && i < 10 && i < looks; i++) {
        if (poll(&p, 1, 0) != 0)
            return true;
        sched_yield();
    }
    return false;
}

/* Are the acknowledgements of long messages kept back? Half a window of them leaves in one packet, or what
 * there is before it sleeps. */
static bool keeps_acks(void)
{
    return job.receive && job.qos > 0 && job.size >= LONG && n_received - n_answered < WINDOW / 2;
}

/* Send what waits, take what is there. `bytes`: wait for so many to come. */
static void turn(int bytes)
{
    uint8_t *buf;
    size_t cap;
    const bool keeps = keeps_acks();
    if (!keeps)
        send_all();
    adder_mqtt_wants_t wants;
    adder_mqtt_wants(&m, now_ms(), &wants);
    wants.out = wants.out && !keeps;
    if (wants.out || (bytes > 0 && wants.wait_ms > 0))
        wait_for(bytes > 0 ? bytes : 1, wants.out);
    for (int i = 0; i < TOGETHER && adder_mqtt_in(&m, &buf, &cap); i++) {
        const ssize_t n = recv(fd, buf, cap, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            job_fail("recv", errno);
        adder_mqtt_in_done(&m, n > 0 ? (size_t)n : 0);
        if (!comes_soon())
            break;
    }
    check("tick", adder_mqtt_tick(&m, now_ms()));
}

static void publish_once(void)
{
    unsigned sent = 0;
    while (sent < job.count) {
        const adder_err_t err = adder_mqtt_publish(&m, &messages[0], NULL);
        if (err == ADDER_OK) {
            sent++;
            continue;
        }
        if (err != ADDER_ERR_AGAIN)
            job_fail("publish", (int)err);
        turn(0);
    }
    static adder_mqtt_msg_t last;
    last = messages[0];
    last.qos = 1;
    check("publish", adder_mqtt_publish(&m, &last, NULL));
    while (n_done == 0)
        turn(1);
}

static void publish_surely(void)
{
    unsigned sent = 0;
    /* Long ones of QoS 1 in longer bursts: the broker wakes less often. */
    const unsigned refill =
        job.qos == 1 && job.size >= LONG ? job.window - job.window / 4 : (job.window + 1) / 2;
    while (n_done < job.count) {
        if (sent - n_done <= job.window - refill) {
            for (; sent < job.count && sent - n_done < job.window; sent++) {
                check("publish", adder_mqtt_publish(&m, unused[--n_unused], NULL));
                if (job.size >= LONG)
                    send_all();
            }
        }
        const unsigned awaited =
            sent - n_done < refill ? sent - n_done : refill; /* each waits for one packet */
        turn((int)awaited * ACK);
    }
}

int main(int argc, char **argv)
{
    job = job_read(argc, argv);
    looks = getenv("MQTT_LOOKS") != NULL ? atoi(getenv("MQTT_LOOKS")) : LOOKS;
    /* Where every message is acknowledged it leaves at once, and less memory to go through is faster. */
    const uint16_t tx_cap = job.qos > 0 ? sizeof tx / 2 : sizeof tx;
    const adder_mqtt_config_t config = {.message = on_message,
                                        .event = on_event,
                                        .rx = rx,
                                        .tx = tx,
                                        .rx_cap = sizeof rx,
                                        .tx_cap = tx_cap,
                                        .slots = slots,
                                        .ids = ids,
                                        .n_slots = WINDOW + 1,
                                        .n_ids = WINDOW};
    const adder_mqtt_connect_t options = {.client_id = {"adder", 5}, .keep_alive_s = 60, .clean = true};
    for (unsigned i = 0; i < WINDOW; i++) {
        messages[i] = (adder_mqtt_msg_t){.topic = {BENCH_TOPIC, strlen(BENCH_TOPIC)},
                                         .payload = (const uint8_t *)job.payload,
                                         .payload_len = (uint32_t)job.size,
                                         .qos = (uint8_t)job.qos};
        unused[n_unused++] = &messages[i];
    }
    fd = job_socket(&job);
    check("init", adder_mqtt_init(&m, &config));
    check("connect", adder_mqtt_connect(&m, &options, now_ms()));
    while (!on)
        turn(1);
    if (job.receive) {
        const adder_mqtt_filter_t filter = {.filter = {BENCH_TOPIC, strlen(BENCH_TOPIC)},
                                            .qos = (uint8_t)job.qos};
        check("subscribe", adder_mqtt_subscribe(&m, &filter, 1, (adder_mqtt_props_t){0}, NULL));
        while (!subscribed)
            turn(1);
        job_ready();
        while (n_received < job.count)
            turn(1);
    } else {
        job_begin();
        if (job.qos == 0)
            publish_once();
        else
            publish_surely();
        job_end();
    }
    check("disconnect", adder_mqtt_disconnect(&m, 0, (adder_mqtt_props_t){0}));
    send_all();
    close(fd);
    return 0;
}
