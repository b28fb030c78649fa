/* adafruit_connection_manager for the other native modules: sockets of a pool, kept by what they are
 * connected to. All handles; pools, sockets and TLS contexts may be any Python objects.
 *
 *     py_t manager = connection_manager_of(pool);
 *     connection_want_t want = {.host = host, .port = port, .proto = proto, .session_id = py_none(), ...};
 *     py_t socket = connection_manager_get(manager, &want, &reused);
 *     ... connection_manager_free(manager, socket) or connection_manager_close(manager, socket) ... */
#ifndef ADDER_PYTHON_CONNECTION_MANAGER_H
#define ADDER_PYTHON_CONNECTION_MANAGER_H

#include "python/layer/py.h"

typedef struct {
    py_t host, port, proto;
    py_t session_id;  /* None = none */
    py_t timeout;     /* seconds, as settimeout() takes it */
    py_t ssl_context; /* None or a null handle = none */
    bool tls;         /* also set by proto "https:" */
    /* Not NULL: a new socket of the native radio's pool, where its stack knows names, need not be connected
     * yet. It is put here then, for its connect() to be called without waiting; under TLS it is the one that
     * is wrapped, and the handshake follows at the first byte. Else what is here stays. */
    py_t *unconnected;
} connection_want_t;

/* The one manager of the pool; null with the exception of a pool that cannot be hashed. */
py_t connection_manager_of(py_t pool);

/* A connected socket. `reused`: one that was freed, as it was. Exceptions as of get_socket(). */
py_t connection_manager_get(py_t manager, const connection_want_t *want, bool *reused);

/* Whether get() fails because the connection is there and in use. */
bool connection_manager_in_use(py_t manager, const connection_want_t *want);

/* RuntimeError "Socket not managed"; what the socket's close() raises. */
bool connection_manager_free(py_t manager, py_t socket);
bool connection_manager_close(py_t manager, py_t socket);

/* The socket below one that asks a coprocessor for TLS (create_fake_ssl_context); any other as it is. */
py_t connection_fake_tls_inner(py_t socket);

/* ---- between the files of the module ---- */

extern const py_class_t connection_manager_class, connection_fake_socket_class, connection_fake_context_class;

py_t connection_manager_new(py_t pool);
/* All its sockets, also those in use. */
bool connection_manager_close_all(py_t manager);

/* What a failed attempt gives back: close() of the socket, the exception that is pending kept. */
void connection_close_quietly(py_t socket);
/* A dictionary of the module by its name, "_global_socketpools". */
py_t connection_global(const char *name);

py_t connection_radio_pool(const py_val_t *a);
py_t connection_radio_context(const py_val_t *a);
py_t connection_fake_context(const py_val_t *a);

#endif
