/* The MQTT rows' client on Paho C's MQTTClient; see client.h. With callbacks, so with its thread: so it is
 * faster than without them, and publishes faster than MQTTAsync does. */
#define _GNU_SOURCE
#include <MQTTClient.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"

static job_t job;
static MQTTClient client;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static unsigned n_done, n_received;
static bool all_received;

/* The library's connect() goes through here: it has no option for Nagle's delay. */
int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return (int)syscall(SYS_connect, fd, to, len);
}

static void check(const char *what, int code)
{
    if (code != MQTTCLIENT_SUCCESS)
        job_fail(what, code);
}

static void on_delivered(void *ctx, MQTTClient_deliveryToken token)
{
    (void)ctx, (void)token;
    pthread_mutex_lock(&mutex);
    n_done++;
    pthread_cond_signal(&news);
    pthread_mutex_unlock(&mutex);
}

static int on_message(void *ctx, char *topic, int topic_len, MQTTClient_message *msg)
{
    (void)ctx, (void)topic_len;
    if (job_received(&job, ++n_received, (size_t)msg->payloadlen)) {
        pthread_mutex_lock(&mutex);
        all_received = true;
        pthread_cond_signal(&news);
        pthread_mutex_unlock(&mutex);
    }
    MQTTClient_freeMessage(&msg);
    MQTTClient_free(topic);
    return 1;
}

static void publish(int qos)
{
    MQTTClient_deliveryToken token;
    check("publish", MQTTClient_publish(client, BENCH_TOPIC, (int)job.size, job.payload, qos, 0, &token));
}

/* Until at most `most` of those sent are not done. */
static void wait_window(unsigned sent, unsigned most)
{
    pthread_mutex_lock(&mutex);
    while (sent - n_done > most)
        pthread_cond_wait(&news, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void publish_all(void)
{
    if (job.qos == 0) {
        for (unsigned i = 0; i < job.count; i++)
            publish(0);
        publish(1);
        wait_window(1, 0);
        return;
    }
    for (unsigned sent = 0; sent < job.count; sent++) {
        wait_window(sent, WINDOW - 1);
        publish(job.qos);
    }
    wait_window(job.count, 0);
}

static void receive_all(void)
{
    check("subscribe", MQTTClient_subscribe(client, BENCH_TOPIC, job.qos));
    job_ready();
    pthread_mutex_lock(&mutex);
    while (!all_received)
        pthread_cond_wait(&news, &mutex);
    pthread_mutex_unlock(&mutex);
}

int main(int argc, char **argv)
{
    char uri[64];
    job = job_read(argc, argv);
    snprintf(uri, sizeof uri, "tcp://%s:%d", job.host, job.port);
    check("create", MQTTClient_create(&client, uri, "paho", MQTTCLIENT_PERSISTENCE_NONE, NULL));
    check("callbacks", MQTTClient_setCallbacks(client, NULL, NULL, on_message, on_delivered));
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.keepAliveInterval = 60;
    options.maxInflightMessages = WINDOW;
    options.reliable = 0; /* more than one at a time */
    check("connect", MQTTClient_connect(client, &options));
    if (job.receive) {
        receive_all();
    } else {
        job_begin();
        publish_all();
        job_end();
    }
    MQTTClient_disconnect(client, 1000);
    MQTTClient_destroy(&client);
    return 0;
}
