/* adafruit_requests: an exchange moved along, by this thread or by the pump */
#include "python/modules/requests_int.h"

enum { LOOK_US = 1000 };

adder_err_t requests_move_head(requests_exchange_t *e)
{
    return adder_http_exchange_step(&e->x);
}

adder_err_t requests_move_some(requests_exchange_t *e)
{
    size_t n;
    adder_err_t err = adder_http_exchange_read(&e->x, e->read_to, e->read_cap, &n);
    e->read_len = n;
    return err;
}

adder_err_t requests_move_all(requests_exchange_t *e)
{
    adder_err_t err = ADDER_OK;
    while (err == ADDER_OK && e->read_len < e->read_cap) {
        size_t n = 0;
        err = adder_http_exchange_read(&e->x, e->read_to + e->read_len, e->read_cap - e->read_len, &n);
        e->read_len += n;
    }
    return err;
}

static bool starved(const requests_exchange_t *e)
{
    return e->body != NULL && requests_body_starved(e->body);
}

static void feed(const requests_exchange_t *e)
{
    if (e->body != NULL)
        (void)requests_body_feed(py_owner(e->body_owner), e->body); /* the engine sees what it came to */
}

void requests_move_once(response_t *r, requests_move_fn move)
{
    requests_exchange_t *e = r->e;
    feed(e);
    if (r->socket.native)
        py_pump_lock();
    e->err = move(e);
    if (r->socket.native) {
        py_pump_unlock();
        py_pump_poke();
    }
}

typedef struct {
    requests_exchange_t *e;
    requests_move_fn move;
} moving_t;

static bool native_done(void *ctx)
{
    const moving_t *m = ctx;
    m->e->err = m->move(m->e);
    return m->e->err != ADDER_ERR_AGAIN || starved(m->e);
}

static uint64_t now_us(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return mcu->sys->now_us(mcu->ctx);
}

static bool wait_native(response_t *r, requests_move_fn move)
{
    moving_t m = {r->e, move};
    for (;;) {
        uint64_t moved = m.e->x.moved;
        bool timed_out;
        feed(m.e);
        if (!py_pump_wait(native_done, &m, r->idle_us, &timed_out))
            return false;
        if (m.e->err != ADDER_ERR_AGAIN)
            return true;
        if (timed_out && m.e->x.moved == moved) {
            m.e->err = ADDER_ERR_TIMEOUT;
            return true;
        }
    }
}

bool requests_wait(response_t *r, requests_move_fn move)
{
    if (r->socket.native)
        return wait_native(r, move);
    requests_exchange_t *e = r->e;
    uint64_t moved = e->x.moved, since = now_us();
    for (;;) {
        requests_move_once(r, move);
        if (e->err != ADDER_ERR_AGAIN)
            return true;
        if (starved(e))
            continue;
        if (e->x.moved != moved) {
            moved = e->x.moved;
            since = now_us();
            continue;
        }
        if (now_us() - since > r->idle_us) {
            e->err = ADDER_ERR_TIMEOUT;
            return true;
        }
        if (!py_wait_us(LOOK_US))
            return false;
    }
}
