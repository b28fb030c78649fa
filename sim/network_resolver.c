#include "sim/network_resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct sim_lookup {
    pthread_mutex_t lock;
    int owners; /* asker and thread; the last one frees */
    bool done;
    adder_err_t result;
    uint8_t ip4[4];
    char name[256];
};

static void release(sim_lookup_t *l)
{
    (void)pthread_mutex_lock(&l->lock);
    const int left = --l->owners;
    (void)pthread_mutex_unlock(&l->lock);
    if (left == 0) {
        (void)pthread_mutex_destroy(&l->lock);
        free(l);
    }
}

static void *ask(void *arg)
{
    sim_lookup_t *l = arg;
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    const int err = getaddrinfo(l->name, NULL, &hints, &list);
    (void)pthread_mutex_lock(&l->lock);
    if (err == 0 && list != NULL && list->ai_addrlen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in addr;
        memcpy(&addr, list->ai_addr, sizeof addr);
        memcpy(l->ip4, &addr.sin_addr, 4);
        l->result = ADDER_OK;
    } else {
        l->result = err == EAI_AGAIN || err == EAI_SYSTEM ? ADDER_ERR_IO : ADDER_ERR_NOT_FOUND;
    }
    l->done = true;
    (void)pthread_mutex_unlock(&l->lock);
    if (list != NULL) {
        freeaddrinfo(list);
    }
    release(l);
    return NULL;
}

sim_lookup_t *sim_lookup_start(const char *name)
{
    sim_lookup_t *l = calloc(1, sizeof *l);
    if (l == NULL || strlen(name) >= sizeof l->name || pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        return NULL;
    }
    strcpy(l->name, name);
    l->owners = 2;
    pthread_attr_t attr;
    pthread_t thread;
    bool started = false;
    if (pthread_attr_init(&attr) == 0) {
        started = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
                  pthread_create(&thread, &attr, ask, l) == 0;
        (void)pthread_attr_destroy(&attr);
    }
    if (!started) {
        (void)pthread_mutex_destroy(&l->lock);
        free(l);
        return NULL;
    }
    return l;
}

adder_err_t sim_lookup_poll(sim_lookup_t *l, uint8_t ip4_out[4])
{
    (void)pthread_mutex_lock(&l->lock);
    const adder_err_t result = l->done ? l->result : ADDER_ERR_AGAIN;
    memcpy(ip4_out, l->ip4, 4);
    (void)pthread_mutex_unlock(&l->lock);
    return result;
}

void sim_lookup_close(sim_lookup_t *l)
{
    if (l != NULL) {
        release(l);
    }
}
