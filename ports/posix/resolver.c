/* Questions in a queue, and at most so many threads that ask them. getaddrinfo() cannot be called off: a
 * thread that is stuck in one is lost for others until it returns. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ports/posix/resolver.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports/posix/address.h"

int (*posix_lookup_ask)(const char *, const char *, const struct addrinfo *,
                        struct addrinfo **) = getaddrinfo;
void (*posix_lookup_free)(struct addrinfo *) = freeaddrinfo;

struct posix_lookup {
    posix_lookup_t *next; /* in the queue */
    int owners;           /* asker; queue or thread: the last one frees */
    bool done;
    adder_err_t result;
    int signal;
    adder_ip_family_t family;
    size_t n;
    adder_ip_t ips[POSIX_LOOKUP_ADDRESSES];
    char name[256];
};

static struct {
    pthread_mutex_t lock; /* of everything here and in the questions */
    posix_lookup_t *queue;
    unsigned threads;
} r = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void release_locked(posix_lookup_t *l)
{
    if (--l->owners > 0)
        return;
    if (l->signal >= 0)
        (void)close(l->signal);
    free(l);
}

static void take_answer(posix_lookup_t *l, const struct addrinfo *list)
{
    for (; list != NULL && l->n < POSIX_LOOKUP_ADDRESSES; list = list->ai_next) {
        adder_endpoint_t e;
        if (!posix_endpoint(list->ai_addr, list->ai_addrlen, &e) ||
            (l->family != ADDER_IP_NONE && e.ip.family != l->family))
            continue;
        bool known = false;
        for (size_t i = 0; i < l->n; i++)
            known = known || adder_ip_equal(&l->ips[i], &e.ip);
        if (!known)
            l->ips[l->n++] = e.ip;
    }
}

static void ask(posix_lookup_t *l)
{
    static const uint64_t one = 1;
    const struct addrinfo hints = {.ai_family = l->family == ADDER_IP_V4   ? AF_INET
                                                : l->family == ADDER_IP_V6 ? AF_INET6
                                                                           : AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int err = posix_lookup_ask(l->name, NULL, &hints, &list);
    take_answer(l, err == 0 ? list : NULL); /* nobody looks before `done` */
    if (list != NULL)
        posix_lookup_free(list);
    (void)pthread_mutex_lock(&r.lock);
    l->result = l->n > 0                                ? ADDER_OK
                : err == EAI_AGAIN || err == EAI_SYSTEM ? ADDER_ERR_IO
                                                        : ADDER_ERR_NOT_FOUND;
    l->done = true;
    if (l->signal >= 0 && write(l->signal, &one, sizeof one) < 0)
        l->result = ADDER_ERR_IO; /* cannot be: the counter is 0 */
    release_locked(l);
    (void)pthread_mutex_unlock(&r.lock);
}

static void *resolver_thread(void *unused)
{
    (void)pthread_mutex_lock(&r.lock);
    while (r.queue != NULL) {
        posix_lookup_t *l = r.queue;
        r.queue = l->next;
        if (l->owners == 1) { /* the asker has gone */
            release_locked(l);
            continue;
        }
        (void)pthread_mutex_unlock(&r.lock);
        ask(l);
        (void)pthread_mutex_lock(&r.lock);
    }
    r.threads--;
    (void)pthread_mutex_unlock(&r.lock);
    return unused;
}

static bool start_thread(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the other threads' business */
    bool ok = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &attr, resolver_thread, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return ok;
}

posix_lookup_t *posix_lookup_start(const char *name, adder_ip_family_t family)
{
    size_t len = strlen(name);
    posix_lookup_t *l = len < sizeof l->name ? calloc(1, sizeof *l) : NULL;
    if (l == NULL)
        return NULL;
    memcpy(l->name, name, len + 1);
    l->family = family;
    l->owners = 2;
    l->signal = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_lock(&r.lock);
    posix_lookup_t **at = &r.queue;
    while (*at != NULL)
        at = &(*at)->next;
    *at = l;
    if (r.threads < POSIX_LOOKUP_THREADS && start_thread())
        r.threads++;
    if (r.threads == 0) { /* nobody will ever ask */
        *at = NULL;
        l->owners = 1;
        release_locked(l);
        l = NULL;
    }
    (void)pthread_mutex_unlock(&r.lock);
    return l;
}

adder_err_t posix_lookup_poll(posix_lookup_t *l, adder_ip_t *out, size_t cap, size_t *n_out)
{
    (void)pthread_mutex_lock(&r.lock);
    adder_err_t result = l->done ? l->result : ADDER_ERR_AGAIN;
    *n_out = result != ADDER_OK ? 0 : l->n < cap ? l->n : cap;
    memcpy(out, l->ips, *n_out * sizeof *out);
    (void)pthread_mutex_unlock(&r.lock);
    return result;
}

int posix_lookup_signal(const posix_lookup_t *l)
{
    return l->signal;
}

void posix_lookup_close(posix_lookup_t *l)
{
    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&r.lock);
    release_locked(l);
    (void)pthread_mutex_unlock(&r.lock);
}
