/* Sessions of adder/tls.h as the TLS layer of outgoing connections. */
#include "adder/tls_conn.h"

/* A handshake has 18 states; a step more for each record of a long chain of certificates. */
#define STEPS 64

static void give_back(adder_tls_conn_session_t *s)
{
    adder_tls_deinit(&s->tls);
    s->priv.owner = NULL;
}

static adder_err_t open(void *ctx, adder_stream_t below, const char *host, void **session_out)
{
    adder_tls_conn_t *c = ctx;
    adder_tls_conn_session_t *s = NULL;
    for (size_t i = 0; s == NULL && i < c->n_sessions; i++) {
        if (c->sessions[i].priv.owner == NULL)
            s = &c->sessions[i];
    }
    if (s == NULL)
        return ADDER_ERR_NOMEM;
    adder_err_t err = adder_tls_init(&s->tls, c->config, below, host);
    if (err != ADDER_OK) {
        c->failed = s->tls.info;
        give_back(s);
        return err;
    }
    s->priv.owner = c;
    *session_out = s;
    return ADDER_OK;
}

/* Whoever gets AGAIN waits for the stack: not while there is more to do without it. */
static adder_err_t handshake(void *session)
{
    adder_tls_conn_session_t *s = session;
    adder_err_t err = adder_tls_handshake(&s->tls);
    for (unsigned i = 0; i < STEPS && err == ADDER_ERR_AGAIN && adder_tls_wants(&s->tls) == 0; i++)
        err = adder_tls_handshake(&s->tls);
    if (err != ADDER_OK && err != ADDER_ERR_AGAIN)
        s->priv.owner->failed = s->tls.info;
    return err;
}

static adder_stream_t stream(void *session)
{
    adder_tls_conn_session_t *s = session;
    return adder_tls_stream(&s->tls);
}

static void close(void *session)
{
    adder_tls_conn_session_t *s = session;
    if (s->tls.info.why != ADDER_TLS_WHY_NONE) /* it may have failed after the handshake */
        s->priv.owner->failed = s->tls.info;
    ADDER_IGNORE(adder_tls_close(&s->tls), "what has to wait is not waited for");
    give_back(s);
}

adder_conn_tls_t adder_tls_conn(adder_tls_conn_t *c)
{
    static const adder_conn_tls_ops_t ops = {open, handshake, stream, close};
    return (adder_conn_tls_t){&ops, c};
}
