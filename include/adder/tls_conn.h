/* Outgoing connections with TLS of adder/tls.h: what adder/conn.h and, above it, adder/http_client.h take as
 * their TLS layer.
 *
 *     static adder_tls_conn_session_t sessions[2];
 *     adder_tls_conn_t secured = {.config = &config, .sessions = sessions, .n_sessions = 2};
 *     adder_conn_tls_t tls = adder_tls_conn(&secured);
 *     adder_http_client_config_t h = {.net = &net, .tls = &tls, ...};
 *     ...
 *     if (err == ADDER_ERR_REFUSED) print(adder_tls_why_str(secured.failed.why));
 *     ...
 *     adder_http_client_close_idle(&client);           // sessions end before
 *     adder_tls_config_deinit(&config);
 *
 * A session is taken by a connection from the start of its handshake until it is closed, kept ones of an HTTP
 * client included: as many as connections with TLS at a time. Its goodbye (close_notify) goes out as far as
 * the socket takes it at once. With `saved` in the configuration's options, the next connection to the same
 * host comes back to the session of the last one.
 *
 * The handshake goes on until it has to wait for the other side: a call may take as long as three operations
 * with public keys (see adder/tls.h).
 *
 * Threading: that of the configuration. RAM on a Cortex-M: 28 bytes, and 728 a session, beside what
 * adder/tls.h tells of the heap. */
#ifndef ADDER_TLS_CONN_H
#define ADDER_TLS_CONN_H

#include "adder/conn.h"
#include "adder/tls.h"

/* Zeroed = free. Private but for reading `tls` (adder_tls_suite() and the like) while it is in use. */
typedef struct {
    adder_tls_t tls;
    struct {
        struct adder_tls_conn *owner; /* NULL = free */
    } priv;
} adder_tls_conn_session_t;

/* What it points at is borrowed until the last connection is closed. */
typedef struct adder_tls_conn {
    adder_tls_config_t *config; /* of clients */
    adder_tls_conn_session_t *sessions;
    size_t n_sessions;
    /* To be read: the session that failed last, zero before there was one. */
    adder_tls_info_t failed;
} adder_tls_conn_t;

/* The layer; it refers to c. Its open() gives ADDER_ERR_NOMEM where no session is free, else the causes of
 * adder_tls_init(); its handshake() those of adder_tls_handshake(). `failed` says more. */
adder_conn_tls_t adder_tls_conn(adder_tls_conn_t *c);

#endif
