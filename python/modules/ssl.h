/* ssl: what its files share.
 *
 *   ssl.c          SSLContext and the module
 *   ssl_config.c   a context's settings as a configuration of adder/tls.h
 *   ssl_socket.c   SSLSocket: its life and its methods
 *   ssl_io.c       moving bytes: over a native socket in the pump, over any object by its methods
 *
 * A session and the configuration it shares with others are touched with the pump's lock alone. */
#ifndef ADDER_PYTHON_SSL_H
#define ADDER_PYTHON_SSL_H

#include "adder/tls.h"
#include "python/layer/py.h"
#include "python/modules/net_socket.h"

/* ---- configurations ---- */

enum {
    SSL_ALPN_MAX = 8,
    SSL_KEPT = 4,
    SSL_PIECE = 4096,
    SSL_EOF = -0x7280,               /* Mbed TLS: the stream below has ended */
    SSL_CA_CHAIN_REQUIRED = -0x7680, /* and: there is nobody to trust */
};

/* Made when a context first wraps a socket, shared by its sockets, left to them when a setting changes. */
typedef struct {
    unsigned refs;
    const adder_mcu_t *mcu;
    adder_tls_config_t tls;
    adder_identity_software_t key;
    adder_identity_t identity;
    uint8_t *chain; /* py_alloc() */
    size_t chain_len;
    char alpn_text[SSL_ALPN_MAX][256];
    const char *alpn[SSL_ALPN_MAX + 1];
    /* Sessions to come back to; with the lock. */
    struct {
        char host[ADDER_NET_HOST_MAX + 1];
        size_t len; /* 0 = free */
        uint8_t bytes[ADDER_TLS_SAVED_MAX];
    } kept[SSL_KEPT];
    unsigned next;
} ssl_config_t;

/* What a program has set. */
typedef struct {
    py_field_t cadata;     /* bytes; empty field = the machine's own roots */
    py_field_t chain, key; /* bytes */
    py_field_t password;   /* str */
    py_field_t alpn;       /* tuple of str */
    bool no_verify;        /* cadata was empty */
    bool check_hostname;
    bool made;
    ssl_config_t *configs[2]; /* by adder_tls_role_t; NULL = not made since the last change */
} ssl_context_t;

extern const py_class_t ssl_context_class;

/* One more reference, or NULL with ValueError (certificates, keys), MemoryError, OSError. */
ssl_config_t *ssl_config_take(ssl_context_t *context, adder_tls_role_t role);
void ssl_config_drop(ssl_config_t *config); /* NULL is fine */
/* A setting has changed. */
void ssl_config_forget(ssl_context_t *context);

/* With the lock, around a client's handshake. */
void ssl_config_offer(ssl_config_t *config, adder_tls_t *t, const char *host);
void ssl_config_keep(ssl_config_t *config, adder_tls_t *t, const char *host);

/* ---- sockets ---- */

typedef struct {
    py_field_t socket; /* what is wrapped */
    py_field_t context;
    py_field_t piece; /* a bytearray, for an object's recv_into */
    ssl_config_t *config;
    net_socket_t *net; /* the native socket below; NULL: an object with methods */
    bool live;         /* not closed */
    bool server;
    bool named; /* server_hostname was given */
    bool busy;  /* within a method of the object below, which may call back */
    char host[ADDER_NET_HOST_MAX + 1];
    /* with the lock */
    adder_tls_t tls;
    bool begun; /* `tls` is initialized, the handshake under way or done */
    bool told;  /* the pump has told the end of the handshake */
    bool in_pump;
    py_pump_t item;
    /* An object's bytes on their way, between its methods and `tls`. */
    struct {
        uint8_t in[SSL_PIECE], out[SSL_PIECE];
        size_t in_at, in_end, out_end;
        bool ended;
    } * pipe;
} ssl_socket_t;

extern const py_class_t ssl_socket_class;

/* A new SSLSocket around `socket`. */
py_t ssl_socket_wrap(py_t context, ssl_context_t *c, py_t socket, bool server, const char *host);

/* ---- ssl_io.c ---- */

/* Begin the session, to `host` (NULL: no name). False with an exception. */
bool ssl_begin(ssl_socket_t *o, const char *host);
/* End it without a word; C alone. */
void ssl_end(ssl_socket_t *o);

/* Each waits by the native socket's timeout, or as the object's methods do. False with an exception from an
 * object's method, Ctrl-C and the like; else *err_out as adder/tls.h, TIMEOUT when the time is over. */
bool ssl_do_handshake(ssl_socket_t *o, uint64_t timeout_us, adder_err_t *err_out);
bool ssl_do_send(ssl_socket_t *o, const uint8_t *bytes, size_t len, size_t *n_out, adder_err_t *err_out);
bool ssl_do_recv(ssl_socket_t *o, uint8_t *buf, size_t cap, size_t *n_out, adder_err_t *err_out);
/* The goodbye, for which nobody waits long. */
bool ssl_do_close(ssl_socket_t *o);
/* Events of select.poll over a native socket. */
unsigned ssl_events(ssl_socket_t *o);

#endif
