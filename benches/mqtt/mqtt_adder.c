/* The MQTT rows' client on Adder's engine (adder/mqtt.h) over a socket; see client.h. With MQTT_LOOKS in its
 * environment it looks so often for something to come before it sleeps, and fills its window when half of it
 * is free: a process that is woken for each packet is woken late, and costs the broker the time to wake it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "adder/mqtt.h"
#include "client.h"

static job_t job;
static int fd;
static adder_mqtt_t m;
static adder_mqtt_slot_t slots[WINDOW + 1]; /* one more for the message behind those of QoS 0 */
static uint16_t ids[WINDOW];
static uint8_t rx[32768], tx[65535];
static adder_mqtt_msg_t messages[WINDOW], *unused[WINDOW];
static unsigned n_unused, n_done, n_received;
static bool on, subscribed;
static int looks;

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
    while (adder_mqtt_out(&m, &bytes, &len)) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            job_fail("send", errno);
        adder_mqtt_out_done(&m, (size_t)n);
    }
}

/* Send what waits, take what is there. `may_wait`: for something to come, a second at most. */
static void turn(bool may_wait)
{
    uint8_t *buf;
    size_t cap;
    send_all();
    adder_mqtt_wants_t wants;
    adder_mqtt_wants(&m, now_ms(), &wants);
    if (wants.out) { /* the socket is full: a recv that waits would not do */
        struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
        poll(&p, 1, 1000);
    }
    const bool wait = may_wait && !wants.out && wants.wait_ms > 0;
    if (adder_mqtt_in(&m, &buf, &cap)) {
        ssize_t n = -1;
        for (int i = 0; wait && n < 0 && i < looks; i++)
            n = recv(fd, buf, cap, MSG_DONTWAIT);
        if (n < 0)
            n = recv(fd, buf, cap, wait ? 0 : MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            job_fail("recv", errno);
        adder_mqtt_in_done(&m, n > 0 ? (size_t)n : 0);
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
        turn(false);
    }
    static adder_mqtt_msg_t last;
    last = messages[0];
    last.qos = 1;
    check("publish", adder_mqtt_publish(&m, &last, NULL));
    while (n_done == 0)
        turn(true);
}

static void publish_surely(void)
{
    unsigned sent = 0;
    const unsigned low = looks > 0 ? job.window / 2 : job.window - 1;
    while (n_done < job.count) {
        const unsigned until = sent - n_done <= low ? n_done + job.window : sent;
        for (; sent < until && sent < job.count; sent++)
            check("publish", adder_mqtt_publish(&m, unused[--n_unused], NULL));
        turn(true);
    }
}

int main(int argc, char **argv)
{
    job = job_read(argc, argv);
    looks = getenv("MQTT_LOOKS") != NULL ? atoi(getenv("MQTT_LOOKS")) : 0;
    const adder_mqtt_config_t config = {.message = on_message,
                                        .event = on_event,
                                        .rx = rx,
                                        .tx = tx,
                                        .rx_cap = sizeof rx,
                                        .tx_cap = sizeof tx,
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
        turn(true);
    if (job.receive) {
        const adder_mqtt_filter_t filter = {.filter = {BENCH_TOPIC, strlen(BENCH_TOPIC)},
                                            .qos = (uint8_t)job.qos};
        check("subscribe", adder_mqtt_subscribe(&m, &filter, 1, (adder_mqtt_props_t){0}, NULL));
        while (!subscribed)
            turn(true);
        job_ready();
        while (n_received < job.count)
            turn(true);
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
