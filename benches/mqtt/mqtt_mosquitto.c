/* The MQTT rows' client on libmosquitto; see client.h. Without its thread: publish() then writes to the
 * socket itself, which is faster. */
#include <mosquitto.h>
#include <string.h>

#include "client.h"

static job_t job;
static bool on, subscribed;
static unsigned n_done, n_received;

static void check(const char *what, int code)
{
    if (code != MOSQ_ERR_SUCCESS)
        job_fail(what, code);
}

static void on_connect(struct mosquitto *q, void *ctx, int code)
{
    (void)q, (void)ctx;
    check("connect", code);
    on = true;
}

static void on_subscribe(struct mosquitto *q, void *ctx, int id, int n, const int *granted)
{
    (void)q, (void)ctx, (void)id, (void)n, (void)granted;
    subscribed = true;
}

static void on_publish(struct mosquitto *q, void *ctx, int id)
{
    (void)q, (void)ctx, (void)id;
    n_done++;
}

static void on_message(struct mosquitto *q, void *ctx, const struct mosquitto_message *msg)
{
    (void)q, (void)ctx;
    job_received(&job, ++n_received, (size_t)msg->payloadlen);
}

static void publish(struct mosquitto *q, int qos)
{
    check("publish", mosquitto_publish(q, NULL, BENCH_TOPIC, (int)job.size, job.payload, qos, false));
}

static void turn(struct mosquitto *q, int wait_ms)
{
    check("loop", mosquitto_loop(q, wait_ms, 1));
}

static void publish_all(struct mosquitto *q)
{
    unsigned sent = 0, acknowledged;
    if (job.qos == 0) {
        for (; sent < job.count; sent++) {
            publish(q, 0);
            while (mosquitto_want_write(q)) /* what did not leave at once */
                turn(q, -1);
        }
        acknowledged = n_done; /* with QoS 0: they have left */
        publish(q, 1);
        while (n_done == acknowledged)
            turn(q, -1);
        return;
    }
    while (n_done < job.count) {
        for (; sent < job.count && sent - n_done < WINDOW; sent++)
            publish(q, job.qos);
        turn(q, -1);
    }
}

int main(int argc, char **argv)
{
    job = job_read(argc, argv);
    mosquitto_lib_init();
    struct mosquitto *q = mosquitto_new("mosquitto", true, NULL);
    if (q == NULL)
        job_fail("new", 0);
    check("option", mosquitto_int_option(q, MOSQ_OPT_SEND_MAXIMUM, WINDOW));
    check("option", mosquitto_int_option(q, MOSQ_OPT_RECEIVE_MAXIMUM, WINDOW));
    check("option", mosquitto_int_option(q, MOSQ_OPT_TCP_NODELAY, 1));
    mosquitto_connect_callback_set(q, on_connect);
    mosquitto_subscribe_callback_set(q, on_subscribe);
    mosquitto_publish_callback_set(q, on_publish);
    mosquitto_message_callback_set(q, on_message);
    check("connect", mosquitto_connect(q, job.host, job.port, 60));
    while (!on)
        turn(q, -1);
    if (job.receive) {
        check("subscribe", mosquitto_subscribe(q, NULL, BENCH_TOPIC, job.qos));
        while (!subscribed)
            turn(q, -1);
        job_ready();
        while (n_received < job.count)
            turn(q, -1);
    } else {
        job_begin();
        publish_all(q);
        job_end();
    }
    mosquitto_disconnect(q);
    mosquitto_destroy(q);
    return mosquitto_lib_cleanup();
}
