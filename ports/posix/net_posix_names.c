/* Names: those of the device's network first, then this computer's resolver. */
#include "ports/posix/net_posix_int.h"

#include <string.h>
#include <sys/epoll.h>

/* AGAIN with *lookup set: to be asked again. */
adder_err_t posix_look_up(net_t *n, posix_lookup_t **lookup, const char *name, adder_ip_family_t family,
                          adder_ip_t *out, size_t cap, size_t *n_out)
{
    if (*lookup == NULL) {
        adder_ip_t literal;
        *n_out = 0;
        if (!posix_link_up(n) || cap == 0)
            return ADDER_ERR_NOT_FOUND;
        if (adder_ip_parse(name, strlen(name), &literal) == ADDER_OK) {
            if (family != ADDER_IP_NONE && literal.family != family)
                return ADDER_ERR_NOT_FOUND;
            out[(*n_out)++] = literal;
            return ADDER_OK;
        }
        adder_err_t err = ADDER_ERR_AGAIN;
        if (hooks_of(n)->resolve != NULL)
            err = hooks_of(n)->resolve(n->priv.c.hooks_ctx, name, family, out, cap, n_out);
        if (err != ADDER_ERR_AGAIN)
            return err;
        if (name[0] == '\0')
            return ADDER_ERR_NOT_FOUND;
        if ((*lookup = posix_lookup_start(name, family)) == NULL)
            return ADDER_ERR_NOMEM;
        posix_watch(n, posix_lookup_signal(*lookup), EPOLLIN);
    }
    adder_err_t err = posix_lookup_poll(*lookup, out, cap, n_out);
    if (err != ADDER_ERR_AGAIN) {
        posix_lookup_close(*lookup);
        *lookup = NULL;
    }
    return err;
}

adder_err_t posix_net_resolve(void *ctx, const char *name, adder_ip_family_t family, adder_ip_t *out,
                              size_t cap, size_t *n_out)
{
    net_t *n = ctx;
    size_t at = 0, len = strlen(name);
    *n_out = 0;
    if (len > ADDER_NET_HOST_MAX)
        return ADDER_ERR_NOT_FOUND;
    for (size_t i = 0; i < ADDER_POSIX_LOOKUPS; i++) { /* this one, else a free one, else the oldest */
        if (n->priv.lookups[i].lookup != NULL && n->priv.lookups[i].family == family &&
            strcmp(n->priv.lookups[i].name, name) == 0) {
            at = i;
            break;
        }
        if (n->priv.lookups[at].lookup != NULL &&
            (n->priv.lookups[i].lookup == NULL ||
             (int32_t)(n->priv.lookups[i].age - n->priv.lookups[at].age) < 0))
            at = i;
    }
    bool same = n->priv.lookups[at].lookup != NULL && n->priv.lookups[at].family == family &&
                strcmp(n->priv.lookups[at].name, name) == 0;
    if (!same) {
        posix_lookup_close(n->priv.lookups[at].lookup);
        n->priv.lookups[at].lookup = NULL;
        n->priv.lookups[at].family = family;
        n->priv.lookups[at].age = n->priv.ages++;
        memcpy(n->priv.lookups[at].name, name, len + 1);
    }
    return posix_look_up(n, &n->priv.lookups[at].lookup, name, family, out, cap, n_out);
}
