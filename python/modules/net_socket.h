/* Sockets of Python over any stack of adder/net.h: what socketpool, adafruit_esp32spi and ssl are made of.
 *
 * A radio has one net_stack_t: its stack, driven by the pump. A socket object's struct starts with a
 * net_socket_t. All calls into a stack happen with the pump's lock (python/layer/py.h); the functions here
 * take it themselves unless they say otherwise.
 *
 *     static net_stack_t stack;                                         // in the radio's struct
 *     net_stack_start(&stack, &mcu->wifi->net);                         // reset(): net_stack_stop(&stack)
 *
 *     typedef struct { net_socket_t net; } my_socket_t;                 // net first
 *     static const net_flavour_t flavour = {.cls = &my_socket_class, .fail = net_fail};
 *     static const py_method_t methods[] = { NET_SOCKET_METHODS, {"recv", my_recv, recv_args, 0, NULL},
 * PY_END }; const py_class_t my_socket_class = {.module = "my_pool", .name = "Socket", .size =
 * sizeof(my_socket_t), .no_new = true, .context = true, .fini = net_socket_fini, .fields = net_socket_fields,
 *         .methods = methods, .props = net_socket_props};
 *     ... in the pool's socket():
 *     my_socket_t *o;
 *     py_t v = py_new(&my_socket_class, (void **)&o);
 *     if (py_null(v) || !net_socket_open(v, &o->net, radio, &stack, &flavour, ADDER_NET_TCP, ADDER_IP_V4))
 *         return PY_NULL;
 *
 * Blocking calls are net_attempt(): exact time-outs, Ctrl-C at once, display and pump go on. A buffer stays
 * pinned while the interpreter is released. Objects are closed by close(), their end, and net_stack_stop();
 * after that every method raises OSError(EBADF). */
#ifndef ADDER_PYTHON_NET_SOCKET_H
#define ADDER_PYTHON_NET_SOCKET_H

#include "adder/net.h"
#include "adder/stream.h"
#include "python/layer/py.h"

/* ---- errors of sockets, as boards number them ---- */

enum {
    NET_EIO = 5,
    NET_EBADF = 9,
    NET_EAGAIN = 11,
    NET_EINVAL = 22,
    NET_EOPNOTSUPP = 95,
    NET_ECONNRESET = 104,
    NET_EAFNOSUPPORT = 106,
    NET_ECONNREFUSED = 111,
    NET_EADDRINUSE = 112,
    NET_ETIMEDOUT = 116,
    NET_EHOSTUNREACH = 118,
    NET_EINPROGRESS = 119,
    NET_EISCONN = 127,
    NET_ENOTCONN = 128,
};

/* ---- a stack under the pump ---- */

typedef struct net_socket net_socket_t;

typedef struct {
    adder_net_t net;   /* calls into it: with the pump's lock */
    bool started;      /* the rest is private */
    bool direct;       /* ADDER_NET_IS_DIRECT: no round of the pump need follow a call */
    adder_err_t fault; /* what tick() said last */
    py_pump_t item;
    net_socket_t *sockets; /* open ones; interpreter's thread only */
} net_stack_t;

/* `net` is copied; what it refers to stays until the stop. Starting twice is harmless. */
void net_stack_start(net_stack_t *stack, const adder_net_t *net);
/* Close all sockets, leave the pump. In reset() and in the radio's fini; twice is harmless. */
void net_stack_stop(net_stack_t *stack);
/* As adder_net_ops_t.status, at any time. */
void net_stack_status(net_stack_t *stack, adder_net_status_t *out);

/* ---- waiting ---- */

#define NET_FOREVER UINT64_MAX

/* One try of something, with the pump's lock and without the interpreter; AGAIN = not yet. */
typedef adder_err_t (*net_attempt_fn)(void *ctx);
/* Try until it is something else than AGAIN. timeout_us 0: once, and not at all if an engine is busy.
 *   *err_out  what the try gave; ADDER_ERR_TIMEOUT when the time is over; ADDER_ERR_AGAIN with a timeout of 0
 * `stack`: whose calls are tried, NULL = several. False with the exception set on Ctrl-C, reload or a
 * watchdog. */
bool net_attempt(const net_stack_t *stack, net_attempt_fn attempt, void *ctx, uint64_t timeout_us,
                 adder_err_t *err_out);

/* None, seconds >= 0; ValueError, TypeError. */
bool net_timeout_arg(py_t value, uint64_t *timeout_us_out);

/* ---- names and addresses ---- */

/* The addresses of `name` (an address in text is its own): by the stack, or, where it has no resolver, by
 * adder/dns.h over a socket of it; then a `family` of NONE asks for IPv4 and, if there is none, for IPv6.
 * False with an exception only for what ends net_attempt(). *err_out ADDER_ERR_NOT_FOUND and others as the
 * stack or adder/dns.h says; STATE: not started; with a time-out of 0 AGAIN: call again with the same name.
 * adder/dns.h is waited for whatever the time-out. */
bool net_resolve(net_stack_t *stack, const char *name, adder_ip_family_t family, uint64_t timeout_us,
                 adder_ip_t *out, size_t cap, size_t *n_out, adder_err_t *err_out);

/* A Python address: (host, port), for IPv6 also with flow and scope; host a str or an IPv4Address. */
typedef struct {
    const char *host; /* valid until the current call from Python returns */
    uint16_t port;
} net_address_t;
/* TypeError; ValueError "port must be >= 0". */
bool net_address_arg(py_t address, net_address_t *out);
/* The same resolved for a socket: "" = no address (every one), "<broadcast>" = 255.255.255.255. Waits.
 * *result_out is what the flavour makes of a failure; ADDER_OK leaves it alone. */
bool net_address_resolve(net_socket_t *s, const net_address_t *address, adder_endpoint_t *out,
                         py_t *result_out);
/* ("192.0.2.1", 80), or of four for IPv6. */
py_t net_address(const adder_endpoint_t *e);

/* ---- sockets ---- */

typedef enum {
    NET_OP_OPEN,
    NET_OP_RESOLVE,
    NET_OP_BIND,
    NET_OP_LISTEN,
    NET_OP_ACCEPT,
    NET_OP_CONNECT,
    NET_OP_SEND, /* and sendall */
    NET_OP_SENDTO,
    NET_OP_RECV,
    NET_OP_RECVFROM,
    NET_OP_OPTION,
} net_op_t;

/* How the sockets of one pool class behave where pools differ. */
typedef struct {
    const py_class_t *cls; /* of what accept() gives; its struct starts with a net_socket_t */
    /* A call came to nothing: set an exception and return null, or return the method's value instead.
     * `err`: of the stack; NET_OP_*: AGAIN = non-blocking and not now (CONNECT: under way), TIMEOUT = the
     * time is over, STATE = not open or not in this state. net_fail() is the native pool's. An end of the
     * stream does not come here: it reads as 0 bytes. */
    py_t (*fail)(net_socket_t *s, net_op_t op, adder_err_t err);
    /* The stack's socket is opened only by bind(), connect() or sendto(): `kind` may change until then. */
    bool late;
} net_flavour_t;

struct net_socket {
    py_field_t owner; /* keeps the radio (or pool) */
    net_stack_t *stack;
    const net_flavour_t *flavour;
    net_socket_t *next;  /* in the stack's list */
    uint64_t timeout_us; /* NET_FOREVER at first; 0 = non-blocking */
    adder_net_kind_t kind;
    adder_ip_family_t family;
    uint16_t handle;
    bool exists;    /* the object is open */
    bool open;      /* `handle` is valid */
    bool connected; /* streams: connect is done; UDP: has a peer */
    bool listening;
    bool connecting; /* begun without waiting, to these: a stack may want to be told again */
    char *host;      /* py_alloc'ed, NULL = `to` alone */
    adder_endpoint_t to;
};

py_t net_fail(net_socket_t *s, net_op_t op, adder_err_t err);

/* Fill in a new object's struct, zeroed. `owner` is kept alive by it. False with what flavour->fail made of
 * it: NOMEM, UNSUPPORTED. */
bool net_socket_open(py_t self, net_socket_t *s, py_t owner, net_stack_t *stack, const net_flavour_t *flavour,
                     adder_net_kind_t kind, adder_ip_family_t family);
void net_socket_close(net_socket_t *s); /* harmless when it is closed */

/* The socket of an object of any pool's class, NULL without an exception for anything else. It may be closed,
 * and a UDP one: look at `exists` and `kind`. */
net_socket_t *net_socket_of(py_t v);
/* Its bytes, for TLS and HTTP engines: valid as long as the struct is (keep the object in a field). Call it
 * with the pump's lock; after close() both directions give ADDER_ERR_CLOSED. While an engine uses it nobody
 * else should. */
adder_stream_t net_socket_stream(net_socket_t *s);

/* Calls that may wait, by the socket's timeout. Null: an exception is set. A failure is what flavour->fail()
 * makes of it. */
py_t net_socket_connect(net_socket_t *s, const char *host, const adder_endpoint_t *to); /* host: as net.h */
py_t net_socket_bind(net_socket_t *s, const adder_endpoint_t *local);
py_t net_socket_listen(net_socket_t *s, unsigned backlog);
py_t net_socket_accept(net_socket_t *s); /* (socket, address) */
py_t net_socket_send(net_socket_t *s, const uint8_t *bytes, size_t len);
py_t net_socket_send_all(net_socket_t *s, const uint8_t *bytes, size_t len); /* None */
py_t net_socket_send_to(net_socket_t *s, const adder_endpoint_t *to, const uint8_t *bytes, size_t len);
/* How many bytes; 0 = the other side has closed. from_out may be NULL. */
py_t net_socket_recv(net_socket_t *s, uint8_t *buf, size_t cap, adder_endpoint_t *from_out);

/* Events of select.poll (POLLIN 1, POLLOUT 4, POLLERR 8, POLLHUP 16) that `s` has now. */
enum { NET_POLLIN = 1, NET_POLLOUT = 4, NET_POLLERR = 8, NET_POLLHUP = 16 };
unsigned net_socket_events(net_socket_t *s);

/* ---- for class tables ---- */

void net_socket_fini(void *s);
extern const uint16_t net_socket_fields[];
extern const py_prop_t net_socket_props[]; /* type */

/* The methods on their own, to be listed in a class's table. */
py_t net_m_accept(py_t self, void *s, const py_val_t *a);
py_t net_m_bind(py_t self, void *s, const py_val_t *a);
py_t net_m_close(py_t self, void *s, const py_val_t *a);
py_t net_m_connect(py_t self, void *s, const py_val_t *a);
py_t net_m_listen(py_t self, void *s, const py_val_t *a);
py_t net_m_poll_ready(py_t self, void *s, const py_val_t *a);
py_t net_m_recv_into(py_t self, void *s, const py_val_t *a);
py_t net_m_recvfrom_into(py_t self, void *s, const py_val_t *a);
py_t net_m_send(py_t self, void *s, const py_val_t *a);
py_t net_m_sendall(py_t self, void *s, const py_val_t *a);
py_t net_m_sendto(py_t self, void *s, const py_val_t *a);
py_t net_m_setblocking(py_t self, void *s, const py_val_t *a);
py_t net_m_setsockopt(py_t self, void *s, const py_val_t *a);
py_t net_m_settimeout(py_t self, void *s, const py_val_t *a);
extern const py_arg_t net_args_address[], net_args_backlog[], net_args_events[], net_args_recv_into[],
    net_args_recvfrom_into[], net_args_send[], net_args_sendto[], net_args_flag[], net_args_option[],
    net_args_timeout[];

/* clang-format off */
#define NET_SOCKET_METHODS                                                                                   \
    {"accept", net_m_accept, NULL, 0, "Wait for the next connection: (socket, address)."},                   \
    {"bind", net_m_bind, net_args_address, 0, "Take a local address."},                                      \
    {"close", net_m_close, NULL, 0, "Close; does nothing a second time."},                                   \
    {"deinit", net_m_close, NULL, 0, NULL}, /* what a `with` block calls */                                  \
    {"connect", net_m_connect, net_args_address, 0, "Connect to (host, port)."},                             \
    {"listen", net_m_listen, net_args_backlog, 0, "Take connections from now on."},                          \
    {"poll_ready", net_m_poll_ready, net_args_events, 0, NULL}, /* for select.poll */                        \
    {"recv_into", net_m_recv_into, net_args_recv_into, 0, "Read into a buffer: how many bytes, 0 = the end."}, \
    {"recvfrom_into", net_m_recvfrom_into, net_args_recvfrom_into, 0, "Read a datagram: (count, address)."}, \
    {"send", net_m_send, net_args_send, 0, "Send some of the bytes: how many."},                             \
    {"sendall", net_m_sendall, net_args_send, 0, "Send all of the bytes."},                                  \
    {"sendto", net_m_sendto, net_args_sendto, 0, "Send a datagram to (host, port)."},                        \
    {"setblocking", net_m_setblocking, net_args_flag, 0, "False: calls never wait."},                        \
    {"setsockopt", net_m_setsockopt, net_args_option, 0, "Set an option."},                                  \
    {"settimeout", net_m_settimeout, net_args_timeout, 0, "Seconds that calls wait; None = for ever, 0 = not."}
/* clang-format on */

/* ---- the native radio (socketpool.c) ---- */

/* What SocketPool(radio) takes from now on, until the end of the VM: `wifi`'s module says so in its init. The
 * stack is one that was started, or is by the time a pool is made. */
void socketpool_native(const py_class_t *radio_class, net_stack_t *stack);
/* socketpool.Socket, the class; the flavour of its sockets. */
extern const py_class_t socketpool_socket_class;
extern const net_flavour_t socketpool_flavour;

/* ---- ipaddress.c ---- */

py_t ipaddress_v4(const adder_ip_t *ip); /* ipaddress.IPv4Address; None for anything but IPv4 */
/* Of an IPv4Address; false without an exception for anything else. */
bool ipaddress_of(py_t v, adder_ip_t *out);

#endif
