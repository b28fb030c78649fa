/* A stack under the pump, waiting for it, and addresses: the first half of net_socket.h. Names: net_names.c.
 */
#include "python/modules/net_socket.h"

#include <string.h>

/* ---- the stack ---- */

static void run(void *ctx, uint64_t now_us, adder_net_wants_t *wants_out)
{
    net_stack_t *stack = ctx;
    stack->fault = stack->net.ops->tick(stack->net.ctx, now_us, wants_out);
}

void net_stack_start(net_stack_t *stack, const adder_net_t *net)
{
    if (stack->started)
        return;
    stack->net = *net;
    adder_net_status_t status;
    net->ops->status(net->ctx, &status); /* not in the pump yet: nobody else calls it */
    stack->direct = (status.features & ADDER_NET_IS_DIRECT) != 0;
    stack->started = true;
    stack->fault = ADDER_OK;
    stack->sockets = NULL;
    stack->item = (py_pump_t){.run = run, .ctx = stack, .heavy = !stack->direct};
    py_pump_add(&stack->item);
}

void net_stack_stop(net_stack_t *stack)
{
    if (!stack->started)
        return;
    while (stack->sockets != NULL)
        net_socket_close(stack->sockets);
    py_pump_remove(&stack->item);
    stack->started = false;
}

void net_stack_status(net_stack_t *stack, adder_net_status_t *out)
{
    py_pump_lock();
    stack->net.ops->status(stack->net.ctx, out);
    py_pump_unlock();
}

/* ---- waiting ---- */

typedef struct {
    net_attempt_fn attempt;
    void *ctx;
    adder_err_t err;
} try_t;

static bool tried(void *ctx)
{
    try_t *t = ctx;
    t->err = t->attempt(t->ctx);
    return t->err != ADDER_ERR_AGAIN;
}

bool net_attempt(const net_stack_t *stack, net_attempt_fn attempt, void *ctx, uint64_t timeout_us,
                 adder_err_t *err_out)
{
    try_t t = {.attempt = attempt, .ctx = ctx, .err = ADDER_ERR_AGAIN};
    bool late = false, ok = true;
    if (timeout_us > 0)
        ok = py_pump_wait(tried, &t, timeout_us, &late);
    else if (py_pump_try_lock()) {
        (void)tried(&t);
        py_pump_unlock();
    }
    if (stack == NULL || !stack->direct)
        py_pump_poke(); /* it may have been given something to do */
    *err_out = late ? ADDER_ERR_TIMEOUT : t.err;
    return ok;
}

bool net_timeout_arg(py_t value, uint64_t *timeout_us_out)
{
    double seconds;
    if (py_is_none(value)) {
        *timeout_us_out = NET_FOREVER;
        return true;
    }
    if (!py_to_float(value, &seconds))
        return false;
    if (!(seconds >= 0))
        return py_fail(py_raise(PY_ValueError, "Timeout value out of range"));
    /* Less than a microsecond is not "never wait". */
    *timeout_us_out = seconds > 1e12 ? NET_FOREVER : seconds > 0 ? (uint64_t)(seconds * 1e6) + 1 : 0;
    return true;
}

/* ---- addresses ---- */

bool net_address_arg(py_t address, net_address_t *out)
{
    size_t len;
    int64_t port;
    if (!py_is_tuple(address) && !py_is_list(address))
        return py_fail(py_raise(PY_TypeError, "address must be a tuple (host, port)"));
    if (!py_len(address, &len))
        return false;
    if (len != 2 && len != 4)
        return py_fail(py_raise(PY_ValueError, "requested length 2 but object has length %u", (unsigned)len));
    py_t host = py_item_at(address, 0), number = py_item_at(address, 1);
    adder_ip_t ip;
    if (py_null(host) || py_null(number))
        return false;
    if (ipaddress_of(host, &ip)) {
        char text[ADDER_IP_TEXT];
        (void)adder_ip_print(&ip, text, sizeof text);
        host = py_str(text);
    }
    if (py_null(host) || !py_to_str(host, &out->host, NULL) || !py_to_int(number, &port))
        return false;
    if (port < 0)
        return py_fail(py_raise(PY_ValueError, "port must be >= 0"));
    if (port > UINT16_MAX)
        return py_fail(py_raise(PY_ValueError, "port must be 0-65535"));
    out->port = (uint16_t)port;
    return true;
}

bool net_address_resolve(net_socket_t *s, const net_address_t *address, adder_endpoint_t *out,
                         py_t *result_out)
{
    size_t n;
    adder_err_t err = ADDER_OK;
    *out = (adder_endpoint_t){.port = address->port};
    *result_out = PY_NULL;
    if (address->host[0] == '\0')
        return true;
    if (strcmp(address->host, "<broadcast>") == 0) {
        out->ip = adder_ip_v4(255, 255, 255, 255);
        return true;
    }
    if (s->stack == NULL)
        err = ADDER_ERR_STATE;
    else if (!net_resolve(s->stack, address->host, s->family, NET_FOREVER, &out->ip, 1, &n, &err))
        return false;
    if (err != ADDER_OK)
        *result_out =
            s->flavour != NULL ? s->flavour->fail(s, NET_OP_RESOLVE, err) : net_fail(s, NET_OP_RESOLVE, err);
    return err == ADDER_OK;
}

py_t net_address(const adder_endpoint_t *e)
{
    char text[ADDER_IP_TEXT];
    adder_ip_t ip = e->ip;
    uint32_t zone = ip.zone;
    ip.zone = 0; /* a number of its own in the tuple */
    (void)adder_ip_print(&ip, text, sizeof text);
    py_t items[] = {py_str(ip.family == ADDER_IP_NONE ? "" : text), py_int(e->port), py_int(0), py_int(zone)};
    return py_tuple(items, ip.family == ADDER_IP_V6 ? 4 : 2);
}
