/* Names: one at a time, as on the chip. Its answer waits for whoever asked, for a while. */
#include <string.h>

#include "net_int.h"

enum {
    UNCLAIMED_US = 2 * S, /* an answer nobody comes for */
    SILENT_US = 4 * S,    /* a failure after so long: no server answered */
};

void airnet_lookup_give(net_t *n, uint8_t owner)
{
    if (n->priv.lookup.state != LOOKUP_FREE && n->priv.lookup.owner == owner) {
        n->priv.lookup.owner = NONE; /* the chip may still be at it */
        if (n->priv.job != JOB_LOOKUP && n->priv.job != JOB_LOOKED) {
            n->priv.lookup.state = LOOKUP_FREE;
        }
    }
}

adder_err_t airnet_lookup_ask(net_t *n, uint8_t owner, const char *name)
{
    const size_t len = strlen(name);
    const bool stale = n->priv.lookup.state == LOOKUP_DONE && n->priv.lookup.owner == TO_RESOLVE &&
                       n->priv.now_us - n->priv.lookup.since_us > UNCLAIMED_US;
    if (n->priv.lookup.state != LOOKUP_FREE && !stale) {
        return ADDER_ERR_AGAIN;
    }
    if (len < 1 || len > ADDER_NET_HOST_MAX) {
        return ADDER_ERR_ARG;
    }
    memcpy(n->priv.lookup.name, name, len + 1);
    n->priv.lookup.owner = owner;
    n->priv.lookup.state = LOOKUP_ASK;
    n->priv.lookup.tries = 0;
    n->priv.lookup.failed = ADDER_OK;
    return ADDER_OK;
}

net_job_t airnet_lookup_need(net_t *n, uint64_t *due_us)
{
    *due_us = 0;
    if (n->priv.link.state != ADDER_NET_LINK_UP) {
        return JOB_NONE;
    }
    return n->priv.lookup.state == LOOKUP_ASK   ? JOB_LOOKUP
           : n->priv.lookup.state == LOOKUP_GET ? JOB_LOOKED
                                                : JOB_NONE;
}

adder_err_t airnet_lookup_begin(net_t *n, net_job_t job)
{
    return job == JOB_LOOKUP ? adder_airlift_begin_resolve(&n->priv.chip, n->priv.lookup.name)
                             : adder_airlift_begin_resolved(&n->priv.chip);
}

static void decided(net_t *n, adder_err_t err)
{
    const uint8_t owner = n->priv.lookup.owner;
    n->priv.lookup.failed = err;
    n->priv.lookup.since_us = n->priv.now_us;
    n->priv.lookup.state = owner == NONE ? LOOKUP_FREE : LOOKUP_DONE;
    if (owner >= SOCKETS) {
        return;
    }
    sock_t *s = &n->priv.socks[owner];
    if (err != ADDER_OK) {
        airnet_fail(n, s, err);
        airnet_reap(n, s);
        return;
    }
    memcpy(s->ip, n->priv.lookup.ip, 4);
    s->step = STEP_SLOT;
    if (s->kind != ADDER_NET_TLS) { /* to which the name is the certificate's */
        airnet_lookup_give(n, owner);
    }
}

void airnet_lookup_done(net_t *n, net_job_t job, adder_err_t err)
{
    const uint64_t took = n->priv.now_us - n->priv.began_us;
    if (n->priv.lookup.owner == NONE) {
        n->priv.lookup.state = LOOKUP_FREE;
        return;
    }
    if (err == ADDER_OK && job == JOB_LOOKUP) {
        n->priv.lookup.state = LOOKUP_GET;
    } else if (err == ADDER_OK) {
        memcpy(n->priv.lookup.ip, n->priv.chip.result.ip4[0], 4);
        decided(n, ADDER_OK);
    } else if (airnet_answered(err)) {
        decided(n, job == JOB_LOOKUP && took >= SILENT_US ? ADDER_ERR_TIMEOUT : ADDER_ERR_NOT_FOUND);
    } else if (++n->priv.lookup.tries < TRIES && err != ADDER_ERR_CLOSED && err != ADDER_ERR_TIMEOUT) {
        n->priv.lookup.state = LOOKUP_ASK; /* both again: the result belongs to the question */
    } else {
        decided(n, err);
    }
}

adder_err_t airnet_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out, size_t cap,
                           size_t *n_out)
{
    net_t *n = ctx;
    *n_out = 0;
    adder_ip_t ip;
    const size_t len = strlen(name);
    if (len < 1 || len > ADDER_NET_HOST_MAX || family == ADDER_IP_V6) {
        return ADDER_ERR_NOT_FOUND;
    }
    adder_err_t err = ADDER_OK;
    if (adder_ip_parse(name, len, &ip) == ADDER_OK) {
        err = ip.family == ADDER_IP_V4 ? ADDER_OK : ADDER_ERR_NOT_FOUND;
    } else if (n->priv.lookup.state != LOOKUP_FREE && n->priv.lookup.owner == TO_RESOLVE &&
               strcmp(n->priv.lookup.name, name) == 0) {
        if (n->priv.lookup.state != LOOKUP_DONE) {
            if (n->priv.link.state == ADDER_NET_LINK_OFF || n->priv.link.state == ADDER_NET_LINK_FAILED) {
                airnet_lookup_give(n, TO_RESOLVE);
                return ADDER_ERR_NOT_FOUND;
            }
            return ADDER_ERR_AGAIN;
        }
        const uint8_t *b = n->priv.lookup.ip;
        ip = adder_ip_v4(b[0], b[1], b[2], b[3]);
        err = n->priv.lookup.failed;
        airnet_lookup_give(n, TO_RESOLVE);
    } else {
        if (n->priv.link.state == ADDER_NET_LINK_OFF || n->priv.link.state == ADDER_NET_LINK_FAILED) {
            return ADDER_ERR_NOT_FOUND;
        }
        ADDER_IGNORE(airnet_lookup_ask(n, TO_RESOLVE, name), "busy or not, the caller comes again");
        return ADDER_ERR_AGAIN;
    }
    if (err == ADDER_OK && cap > 0) {
        out[0] = ip;
        *n_out = 1;
    }
    return err;
}
