#include "src/net/script.h"

#include <string.h>

static adder_err_t wrong(net_script_t *s, const char *problem)
{
    if (s->priv.problem == NULL)
        s->priv.problem = problem;
    return ADDER_ERR_INTERNAL;
}

/* The step that a socket is at, NULL behind its last. */
static const net_script_step_t *step_of(const net_script_t *s, uint16_t sock)
{
    size_t i = s->priv.socks[sock].step;
    while (i < s->priv.n_steps && s->priv.steps[i].sock != sock)
        i++;
    return i < s->priv.n_steps ? &s->priv.steps[i] : NULL;
}

static void step_done(net_script_t *s, uint16_t sock, const net_script_step_t *step)
{
    s->priv.socks[sock].step = (size_t)(step - s->priv.steps) + 1;
    s->priv.socks[sock].done = 0;
}

static bool is_open(const net_script_t *s, uint16_t sock)
{
    return sock < s->priv.n_socks && s->priv.socks[sock].open;
}

/* The start of every exchange: handle, injected failure, a failure that sticks, AGAIN. */
static adder_err_t enter(net_script_t *s, uint16_t sock)
{
    if (!is_open(s, sock))
        return ADDER_ERR_STATE;
    if (s->priv.socks[sock].failed != ADDER_OK)
        return s->priv.socks[sock].failed;
    if (s->calls++ == s->fail_at) {
        s->priv.socks[sock].failed = s->failure;
        return s->failure;
    }
    if (s->priv.socks[sock].agains < s->again) {
        s->priv.socks[sock].agains++;
        return ADDER_ERR_AGAIN;
    }
    s->priv.socks[sock].agains = 0;
    return ADDER_OK;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static adder_err_t do_tick(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    (void)ctx;
    (void)now_us;
    *wants_out = (adder_net_wants_t){.wait_us = 0, .signal = -1};
    return ADDER_OK;
}

static void do_status(void *ctx, adder_net_status_t *out)
{
    *out = ((net_script_t *)ctx)->status;
}

static adder_err_t add_socket(net_script_t *s, adder_net_kind_t kind, uint16_t *sock_out)
{
    if (s->priv.n_socks == NET_SCRIPT_SOCKETS)
        return ADDER_ERR_NOMEM;
    s->priv.socks[s->priv.n_socks].open = true;
    s->priv.socks[s->priv.n_socks].kind = kind;
    *sock_out = s->priv.n_socks++;
    return ADDER_OK;
}

static adder_err_t do_open(void *ctx, adder_net_kind_t kind, adder_ip_family_t family, uint16_t *sock_out)
{
    net_script_t *s = ctx;
    (void)family;
    return s->calls++ == s->fail_at ? s->failure : add_socket(s, kind, sock_out);
}

static adder_err_t do_bind(void *ctx, uint16_t sock, const adder_endpoint_t *local)
{
    net_script_t *s = ctx;
    if (!is_open(s, sock))
        return ADDER_ERR_STATE;
    s->priv.socks[sock].local = *local;
    return ADDER_OK;
}

static bool is_peer(const char *want, const char *host, const adder_endpoint_t *to)
{
    char text[ADDER_NET_HOST_MAX + 8];
    adder_endpoint_t port_only = {.port = to->port};
    size_t host_len = host == NULL ? 0 : strlen(host);
    if (host == NULL) {
        (void)adder_endpoint_print(to, text, sizeof text);
        return strcmp(want, text) == 0;
    }
    (void)adder_endpoint_print(&port_only, text, sizeof text); /* "none:80" */
    return strncmp(want, host, host_len) == 0 && strcmp(want + host_len, text + strlen("none")) == 0;
}

static adder_err_t do_connect(void *ctx, uint16_t sock, const char *host, const adder_endpoint_t *to)
{
    net_script_t *s = ctx;
    if (is_open(s, sock) && s->priv.socks[sock].connected)
        return ADDER_OK;
    adder_err_t err = enter(s, sock);
    if (err != ADDER_OK)
        return err;
    const net_script_step_t *step = step_of(s, sock);
    if (step == NULL || step->what != NET_SCRIPT_CONNECT)
        return wrong(s, "connect() comes out of turn");
    if (!is_peer(step->bytes, host, to))
        return wrong(s, "connect() goes to another host or port");
    step_done(s, sock, step);
    s->priv.socks[sock].remote = *to;
    s->priv.socks[sock].connected = step->err == ADDER_OK;
    s->priv.socks[sock].failed = step->err;
    return step->err;
}

static adder_err_t do_listen(void *ctx, uint16_t sock, unsigned backlog)
{
    (void)backlog;
    return is_open(ctx, sock) ? ADDER_OK : ADDER_ERR_STATE;
}

static adder_err_t do_accept(void *ctx, uint16_t sock, uint16_t *sock_out, adder_endpoint_t *remote_out)
{
    net_script_t *s = ctx;
    adder_err_t err = enter(s, sock);
    if (err != ADDER_OK)
        return err;
    const net_script_step_t *step = step_of(s, sock);
    if (step == NULL || step->what != NET_SCRIPT_ACCEPT)
        return ADDER_ERR_AGAIN;
    err = add_socket(s, s->priv.socks[sock].kind, sock_out);
    if (err != ADDER_OK)
        return err;
    step_done(s, sock, step);
    s->priv.socks[*sock_out].connected = true;
    s->priv.socks[*sock_out].remote = (adder_endpoint_t){adder_ip_v4(192, 0, 2, 99), 50000};
    if (remote_out != NULL)
        *remote_out = s->priv.socks[*sock_out].remote;
    return ADDER_OK;
}

static adder_err_t do_send(void *ctx, uint16_t sock, const adder_endpoint_t *to, const uint8_t *bytes,
                           size_t len, size_t *n_out)
{
    net_script_t *s = ctx;
    *n_out = 0;
    adder_err_t err = enter(s, sock);
    if (err != ADDER_OK)
        return err;
    bool is_stream = s->priv.socks[sock].kind != ADDER_NET_UDP;
    if (is_stream && !s->priv.socks[sock].connected)
        return ADDER_ERR_STATE;
    if (!is_stream && to != NULL)
        s->priv.socks[sock].remote = *to;
    const net_script_step_t *step = step_of(s, sock);
    if (step != NULL && step->what == NET_SCRIPT_FAILS)
        return s->priv.socks[sock].failed = step->err == ADDER_ERR_END ? ADDER_ERR_CLOSED : step->err;
    if (is_stream && len == 0)
        return ADDER_OK;
    if (step == NULL || step->what != NET_SCRIPT_TAKES)
        return wrong(s, "send() where nothing is to be sent");
    size_t done = s->priv.socks[sock].done;
    size_t n = smaller(len, step->len - done);
    if (is_stream && s->chunk > 0)
        n = smaller(n, s->chunk);
    if (memcmp(bytes, step->bytes + done, n) != 0 || (!is_stream && len != step->len))
        return wrong(s, "send() with other bytes than the script's");
    s->priv.socks[sock].done = done + n;
    if (done + n == step->len)
        step_done(s, sock, step);
    *n_out = n;
    return ADDER_OK;
}

static adder_err_t do_recv(void *ctx, uint16_t sock, uint8_t *buf, size_t cap, size_t *n_out,
                           adder_endpoint_t *from_out)
{
    net_script_t *s = ctx;
    *n_out = 0;
    adder_err_t err = enter(s, sock);
    if (err != ADDER_OK)
        return err;
    bool is_stream = s->priv.socks[sock].kind != ADDER_NET_UDP;
    if (is_stream && !s->priv.socks[sock].connected)
        return ADDER_ERR_STATE;
    if (from_out != NULL)
        *from_out = s->priv.socks[sock].remote;
    if (is_stream && cap == 0)
        return ADDER_OK;
    const net_script_step_t *step = step_of(s, sock);
    if (step != NULL && step->what == NET_SCRIPT_FAILS) {
        step_done(s, sock, step);
        return s->priv.socks[sock].failed = step->err;
    }
    if (step == NULL || step->what != NET_SCRIPT_GIVES)
        return ADDER_ERR_AGAIN;
    size_t done = s->priv.socks[sock].done;
    size_t n = smaller(cap, step->len - done);
    if (is_stream && s->chunk > 0)
        n = smaller(n, s->chunk);
    memcpy(buf, step->bytes + done, n);
    s->priv.socks[sock].done = done + n;
    if (!is_stream || done + n == step->len)
        step_done(s, sock, step);
    *n_out = is_stream ? n : step->len;
    return ADDER_OK;
}

static adder_err_t do_close(void *ctx, uint16_t sock, bool abort)
{
    net_script_t *s = ctx;
    (void)abort;
    if (!is_open(s, sock))
        return ADDER_ERR_STATE;
    s->priv.socks[sock].open = false;
    return ADDER_OK;
}

static adder_err_t do_ready(void *ctx, uint16_t sock, unsigned *flags_out)
{
    net_script_t *s = ctx;
    *flags_out = 0;
    if (!is_open(s, sock))
        return ADDER_ERR_STATE;
    const net_script_step_t *step = step_of(s, sock);
    if (s->priv.socks[sock].failed != ADDER_OK)
        *flags_out = ADDER_NET_FAILED | ADDER_NET_READABLE;
    else if (step != NULL && step->what == NET_SCRIPT_TAKES)
        *flags_out = ADDER_NET_WRITABLE;
    else if (step != NULL && step->what != NET_SCRIPT_CONNECT)
        *flags_out = ADDER_NET_READABLE;
    return ADDER_OK;
}

static adder_err_t do_endpoints(void *ctx, uint16_t sock, adder_endpoint_t *local_out,
                                adder_endpoint_t *remote_out)
{
    net_script_t *s = ctx;
    if (!is_open(s, sock))
        return ADDER_ERR_STATE;
    if (local_out != NULL)
        *local_out = s->priv.socks[sock].local;
    if (remote_out != NULL)
        *remote_out = s->priv.socks[sock].remote;
    return ADDER_OK;
}

void net_script_init(net_script_t *s, const net_script_step_t *steps, size_t n_steps)
{
    memset(s, 0, sizeof *s);
    s->fail_at = SIZE_MAX;
    s->failure = ADDER_ERR_IO;
    s->status = (adder_net_status_t){
        .link = ADDER_NET_LINK_UP,
        .features = ADDER_NET_HAS_TLS | ADDER_NET_HAS_V6 | ADDER_NET_HAS_SERVERS,
        .sockets = NET_SCRIPT_SOCKETS,
        .datagram_max = 1472,
        .n_ips = 1,
        .ips = {adder_ip_v4(192, 0, 2, 10)},
    };
    s->priv.steps = steps;
    s->priv.n_steps = n_steps;
}

adder_net_t net_script_net(net_script_t *s)
{
    static const adder_net_ops_t ops = {
        .tick = do_tick,
        .status = do_status,
        .open = do_open,
        .bind = do_bind,
        .connect = do_connect,
        .listen = do_listen,
        .accept = do_accept,
        .send = do_send,
        .recv = do_recv,
        .close = do_close,
        .ready = do_ready,
        .endpoints = do_endpoints,
    };
    return (adder_net_t){&ops, s};
}

const char *net_script_problem(const net_script_t *s)
{
    if (s->priv.problem != NULL)
        return s->priv.problem;
    for (uint16_t i = 0; i < NET_SCRIPT_SOCKETS; i++) {
        if (step_of(s, i) != NULL)
            return "the script was not played to its end";
    }
    return "";
}

unsigned net_script_open_sockets(const net_script_t *s)
{
    unsigned n = 0;
    for (uint16_t i = 0; i < s->priv.n_socks; i++)
        n += s->priv.socks[i].open;
    return n;
}
