/* adafruit_ntp.NTP: time from the network over any pool's UDP socket; the packet and what is asked of the
 * reply are adder/sntp.h's */
#include <string.h>

#include "adder/bytes.h"
#include "adder/sntp.h"
#include "python/modules/time_struct.h"

enum { ETIMEDOUT_BOARD = 116, EIO_BOARD = 5, POLL_MIN = 4, POLL_MAX = 17 /* RFC 5905: 16 s to 36 hours */ };
static const int64_t NS = 1000000000, YEAR_2000_S = 946684800, NTP_TO_UNIX_S = 2208988800;

typedef struct {
    py_field_t pool, port, timeout;
    py_field_t servers;   /* tuple of names */
    py_field_t addresses; /* list, the one to ask first in front; none before the first query */
    int64_t tz_s;
    double cache_s, resolve_s;
    int64_t resolved_ns;
    int64_t offset_ns; /* Unix time less the clock's */
    int64_t next_sync; /* of the clock */
    bool open;
} ntp_t;

static const uint16_t fields[] = {offsetof(ntp_t, pool),      offsetof(ntp_t, port),
                                  offsetof(ntp_t, timeout),   offsetof(ntp_t, servers),
                                  offsetof(ntp_t, addresses), PY_FIELDS_END};

static int64_t now_ns(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return (int64_t)(mcu->sys->now_us(mcu->ctx) * 1000u);
}

static uint32_t random32(void *ctx)
{
    (void)ctx;
    const adder_mcu_t *mcu = py_mcu();
    uint8_t b[4] = {0};
    if (mcu->sys->random(mcu->ctx, b, sizeof b) != ADDER_OK) /* without one: the clock's last digits */
        return (uint32_t)now_ns();
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static const py_arg_t init_args[] = {PY_REQ_OBJ("socketpool"),
                                     PY_KW_OBJ("server"),
                                     PY_KW_OBJ("port"),
                                     PY_KW_FLOAT("tz_offset", 0),
                                     {.name = "socket_timeout", .kind = PY_ARG_OBJ, .flags = PY_A_KW_ONLY},
                                     PY_KW_FLOAT("cache_seconds", 0),
                                     PY_KW_FLOAT("reresolve_interval", 3600),
                                     PY_END};

static py_t default_servers(void)
{
    const py_t names[] = {py_str("0.adafruit.pool.ntp.org"), py_str("1.adafruit.pool.ntp.org"),
                          py_str("2.adafruit.pool.ntp.org"), py_str("3.adafruit.pool.ntp.org")};
    return py_tuple(names, 4);
}

/* One name, or a sequence of them. */
static py_t servers_arg(const py_val_t *a)
{
    if (!a->given)
        return default_servers();
    if (py_is_str(a->obj))
        return py_tuple(&a->obj, 1);
    py_t list = py_list(NULL, 0), iter = py_iter(a->obj), item;
    bool done;
    if (py_null(list) || py_null(iter))
        return PY_NULL;
    while (py_next(iter, &item, &done)) {
        if (!py_list_append(list, item))
            return PY_NULL;
    }
    return done ? list : PY_NULL;
}

static double seconds_of(double v)
{
    return v > 0 && v < 1e9 ? v : v >= 1e9 ? 1e9 : 0;
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    ntp_t *o = s;
    py_t servers = servers_arg(&a[1]);
    if (py_null(servers))
        return false;
    py_field_set(self, &o->pool, a[0].obj);
    py_field_set(self, &o->servers, servers);
    py_field_set(self, &o->port, a[2].given ? a[2].obj : py_int(ADDER_SNTP_PORT));
    py_field_set(self, &o->timeout, a[4].given ? a[4].obj : py_float(1.0));
    py_field_set(self, &o->addresses, PY_NULL);
    if (!(a[3].f > -1e6 && a[3].f < 1e6))
        return py_fail(py_raise(PY_ValueError, "tz_offset out of range"));
    o->tz_s = (int64_t)(a[3].f * 3600);
    o->cache_s = seconds_of(a[5].f);
    o->resolve_s = seconds_of(a[6].f);
    o->offset_ns = o->next_sync = 0;
    o->open = true;
    return true;
}

static bool live(const void *s)
{
    return ((const ntp_t *)s)->open;
}

/* ---- names ---- */

static bool contains(py_t list, py_t value, bool *out)
{
    size_t n;
    *out = false;
    if (!py_len(list, &n))
        return false;
    for (size_t i = 0; i < n && !*out; i++) {
        if (!py_equal(py_item_at(list, i), value, out))
            return false;
    }
    return true;
}

/* The address of each server that has one. */
static py_t look_up(const ntp_t *o)
{
    py_t addresses = py_list(NULL, 0), iter = py_iter(py_field_get(&o->servers)), name;
    bool done, known;
    if (py_null(addresses) || py_null(iter))
        return PY_NULL;
    while (py_next(iter, &name, &done)) {
        const py_t args[] = {name, py_field_get(&o->port)};
        py_t found = py_call_method(py_field_get(&o->pool), "getaddrinfo", args, 2);
        py_t first = py_null(found) ? PY_NULL : py_item_at(found, 0);
        py_t address = py_null(first) ? PY_NULL : py_item_at(first, 4);
        if (py_null(address)) {
            if (!py_error_is(PY_OSError))
                return PY_NULL;
            py_error_clear();
        } else if (!contains(addresses, address, &known) || (!known && !py_list_append(addresses, address))) {
            return PY_NULL;
        }
    }
    return done ? addresses : PY_NULL;
}

/* Again from time to time: the members of a server pool change. When no name can be looked up the addresses
 * of before stay. */
static bool resolve(py_t self, ntp_t *o)
{
    int64_t now = now_ns();
    bool known = !py_null(py_field_get(&o->addresses));
    size_t n;
    if (known && (double)(now - o->resolved_ns) < o->resolve_s * 1e9)
        return true;
    py_t addresses = look_up(o);
    if (py_null(addresses) || !py_len(addresses, &n))
        return false;
    if (n == 0 && !known) {
        py_t text = py_str("NTP: could not resolve any server");
        py_t error = py_call(py_exc_class(PY_OSError), &text, 1);
        if (!py_null(error))
            py_raise_again(error);
        return false;
    }
    if (n > 0)
        py_field_set(self, &o->addresses, addresses);
    o->resolved_ns = now;
    return true;
}

/* ---- a query ---- */

/* Nanoseconds of a stamp at `b`; `near_s`: the Unix time, right within an era, that says which. */
static int64_t stamp_ns(const uint8_t *b, int64_t near_s)
{
    adder_cursor_t c = adder_cursor(b, 8);
    uint32_t seconds = adder_cursor_be32(&c), fraction = adder_cursor_be32(&c);
    int32_t apart = (int32_t)(seconds - (uint32_t)(near_s + NTP_TO_UNIX_S));
    return (near_s + apart) * NS + (int64_t)(((uint64_t)fraction * (uint64_t)NS) >> 32);
}

static bool receive(py_t sock, py_t packet)
{
    py_t fn;
    if (py_attr_try(sock, "recv_into", &fn))
        return !py_null(py_call(fn, &packet, 1));
    py_t size = py_int(ADDER_SNTP_PACKET), got = py_call_method(sock, "recv", &size, 1);
    py_buf_t from, to;
    if (py_null(got) || !py_buffer_read(got, &from) || !py_buffer_write(packet, &to))
        return false;
    memcpy(to.ptr, from.ptr, from.len < to.len ? from.len : to.len);
    return true;
}

typedef struct {
    int64_t sent_ns, received_ns;
    uint8_t packet[ADDER_SNTP_PACKET];
    int64_t unix_s; /* about */
} reply_t;

static bool refused(const adder_sntp_info_t *info)
{
    if (info->refused_why == ADDER_ERR_REFUSED)
        return py_fail(py_raise_errno(EIO_BOARD, "NTP server sends us away"));
    if (info->refused_why == ADDER_ERR_STATE)
        return py_fail(py_raise_errno(EIO_BOARD, "NTP server is not synchronized"));
    return py_fail(py_raise(PY_ArithmeticError, "NTP response is not plausible"));
}

/* Replies to somebody else, late ones and forged ones are passed over until the time is up. */
static bool await_reply(ntp_t *o, py_t sock, py_t packet, adder_sntp_t *sntp, reply_t *r)
{
    py_t timeout = py_field_get(&o->timeout);
    double seconds = 0;
    if (!py_is_none(timeout) && !py_to_float(timeout, &seconds))
        return false;
    for (;;) {
        py_scope_t scope = py_scope_open();
        bool ok = receive(sock, packet);
        py_buf_t buf;
        r->received_ns = now_ns();
        if (ok && py_buffer_read(packet, &buf) && buf.len >= sizeof r->packet)
            memcpy(r->packet, buf.ptr, sizeof r->packet);
        py_scope_close(scope);
        if (!ok || py_error())
            return false;
        int64_t unix_ms;
        uint32_t now_ms = (uint32_t)(r->received_ns / 1000000);
        if (adder_sntp_in(sntp, r->packet, sizeof r->packet, now_ms)) {
            if (adder_sntp_time(sntp, now_ms, &unix_ms) == ADDER_OK) {
                r->unix_s = unix_ms / 1000;
                return true;
            }
            return refused(&sntp->info);
        }
        if (!py_is_none(timeout) && (double)(r->received_ns - r->sent_ns) > seconds * 1e9)
            return py_fail(py_raise_errno(ETIMEDOUT_BOARD, NULL));
        if (!py_poll())
            return false;
    }
}

static bool exchange(ntp_t *o, py_t sock, py_t address, reply_t *r)
{
    py_t timeout = py_field_get(&o->timeout);
    if (py_null(py_call_method(sock, "settimeout", &timeout, 1)))
        return false;
    /* The engine makes the request and judges the reply; when to ask is not its business here. */
    adder_sntp_t sntp;
    const adder_sntp_config_t config = {.n_servers = 1, .timeout_ms = INT32_MAX, .not_before_s = YEAR_2000_S};
    int64_t start = now_ns();
    uint32_t wait_ms, now_ms = (uint32_t)(start / 1000000);
    adder_sntp_init(&sntp, &config, random32, NULL, now_ms);
    ADDER_IGNORE(adder_sntp_tick(&sntp, now_ms, &wait_ms), "the first request is due at once");
    r->sent_ns = start;
    if (adder_sntp_out(&sntp, r->packet, now_ms) != ADDER_OK)
        return py_fail(py_raise_err(ADDER_ERR_INTERNAL, "NTP"));
    py_t packet = py_bytearray(r->packet, sizeof r->packet);
    const py_t args[] = {packet, address};
    r->sent_ns = now_ns();
    if (py_null(packet) || py_null(py_call_method(sock, "sendto", args, 2)))
        return false;
    return await_reply(o, sock, packet, &sntp, r);
}

/* Leave the with-statement that entering began; sockets that are no context managers are closed. */
static bool leave(py_t sock, bool entered)
{
    py_t cause = py_error_take();
    const py_t none[] = {py_none(), py_none(), py_none()};
    py_t r = entered ? py_call_method(sock, "__exit__", none, 3) : py_call_method(sock, "close", NULL, 0);
    if (py_null(cause))
        return !py_null(r);
    py_error_clear();
    py_raise_again(cause);
    return false;
}

static bool query(ntp_t *o, py_t address)
{
    py_t pool = py_field_get(&o->pool), enter;
    const py_t kind[] = {py_attr(pool, "AF_INET"), py_attr(pool, "SOCK_DGRAM")};
    py_t sock = py_null(kind[0]) || py_null(kind[1]) ? PY_NULL : py_call_method(pool, "socket", kind, 2);
    if (py_null(sock))
        return false;
    py_t used = sock;
    bool entered = py_attr_try(sock, "__enter__", &enter);
    if (entered && py_null(used = py_call(enter, NULL, 0)))
        return false;
    reply_t r;
    bool ok = exchange(o, used, address, &r);
    if (!leave(sock, entered) || !ok)
        return false;
    int64_t received = stamp_ns(r.packet + 32, r.unix_s), sent = stamp_ns(r.packet + 40, r.unix_s);
    o->offset_ns = ((received - r.sent_ns) + (sent - r.received_ns)) / 2;
    uint8_t poll = r.packet[2] > POLL_MAX ? POLL_MAX : r.packet[2] < POLL_MIN ? POLL_MIN : r.packet[2];
    double pause_s = (double)(1u << poll) > o->cache_s ? (double)(1u << poll) : o->cache_s;
    o->next_sync = r.received_ns + (int64_t)(pause_s * 1e9);
    return true;
}

/* Each server once, the only one twice; who failed goes to the end of the queue. What is raised is the last
 * OSError, or else what was wrong with a reply. */
static bool sync(py_t self, ntp_t *o)
{
    if (!resolve(self, o))
        return false;
    py_t addresses = py_field_get(&o->addresses), silence = PY_NULL, nonsense = PY_NULL;
    size_t n;
    if (!py_len(addresses, &n))
        return false;
    for (size_t server = 0; server < n; server++) {
        py_t address = py_item_at(addresses, 0);
        for (int left = n == 1 ? 2 : 1; left > 0; left--) {
            if (query(o, address))
                return true;
            if (py_error_is(PY_OSError)) {
                silence = py_error_take();
            } else if (py_error_is(PY_ArithmeticError)) {
                nonsense = py_error_take();
                break;
            } else {
                return false;
            }
        }
        if (!py_list_delete(addresses, 0) || !py_list_append(addresses, address))
            return false;
    }
    py_raise_again(py_null(silence) ? nonsense : silence);
    return false;
}

static bool current(py_t self, ntp_t *o, int64_t *unix_ns)
{
    if (now_ns() > o->next_sync && !sync(self, o))
        return false;
    *unix_ns = now_ns() + o->offset_ns;
    return true;
}

/* ---- the class ---- */

static py_t get_utc_ns(py_t self, void *s)
{
    int64_t ns;
    return current(self, s, &ns) ? py_int(ns) : PY_NULL;
}

static py_t get_datetime(py_t self, void *s)
{
    ntp_t *o = s;
    int64_t ns;
    if (!current(self, o, &ns))
        return PY_NULL;
    int64_t seconds = ns / NS + o->tz_s;
    return time_in_range(seconds) ? time_from_seconds(seconds) : PY_NULL;
}

static py_t get_next_sync(py_t self, void *s)
{
    (void)self;
    return py_int(((ntp_t *)s)->next_sync);
}

static bool set_next_sync(py_t self, void *s, py_t value)
{
    (void)self;
    double number;
    if (!py_is_float(value))
        return py_to_int(value, &((ntp_t *)s)->next_sync);
    if (!py_to_float(value, &number))
        return false;
    if (!(number > -9e18 && number < 9e18))
        return py_fail(py_raise(PY_ValueError, "next_sync out of range"));
    ((ntp_t *)s)->next_sync = (int64_t)number;
    return true;
}

static const py_prop_t props[] = {{"datetime", get_datetime, NULL, 0, NULL},
                                  {"utc_ns", get_utc_ns, NULL, 0, NULL},
                                  {"next_sync", get_next_sync, set_next_sync, 0, NULL},
                                  PY_END};
static const py_class_t ntp_class = {.module = "adafruit_ntp",
                                     .name = "NTP",
                                     .size = sizeof(ntp_t),
                                     .fields = fields,
                                     .init_args = init_args,
                                     .init = init,
                                     .live = live,
                                     .props = props};

static const py_class_t *const classes[] = {&ntp_class, NULL};
static const py_constant_t constants[] = {{"NTP_TO_UNIX_EPOCH", 2208988800},
                                          {"PACKET_SIZE", ADDER_SNTP_PACKET},
                                          {"NTP_MINPOLL", POLL_MIN},
                                          {"NTP_MAXPOLL", POLL_MAX},
                                          PY_END};
const py_module_t ntp_module = {.name = "adafruit_ntp", .classes = classes, .constants = constants};
