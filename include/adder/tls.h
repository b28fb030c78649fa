/* TLS 1.2, client and server, over any stream and itself a stream; on Mbed TLS (2.28 and 3.x).
 *
 *     adder_tls_options_t o = {.random = random_bytes, .now_s = unix_time};
 *     adder_tls_config_t config;                        // what sessions share
 *     err = adder_tls_config_init(&config, &o);
 *     err = adder_tls_config_add_ca(&config, root_pem, root_len, NULL, NULL);
 *     adder_tls_t t;                                    // one session
 *     err = adder_tls_init(&t, &config, plain, "io.adafruit.com");
 *     while ((err = adder_tls_handshake(&t)) == ADDER_ERR_AGAIN)
 *         wait_for(adder_tls_wants(&t));                // 0 = do not wait, there is more to do
 *     if (err != ADDER_OK) print(adder_tls_why_str(t.info.why));
 *     adder_stream_t s = adder_tls_stream(&t);          // HTTP, MQTT ... run on this
 *     ...
 *     while (adder_tls_close(&t) == ADDER_ERR_AGAIN) wait_for(adder_tls_wants(&t));
 *     adder_tls_deinit(&t);                             // then close the stream below
 *
 * Safe unless told otherwise: a client checks chain, name, dates, usage and strength (RSA of 2048 bits,
 * P-256, P-384, P-521; SHA-2), offers TLS 1.2 with forward secrecy and AEAD suites first, and secp256r1
 * before other curves. There is no renegotiation and no revocation: neither lists nor stapled answers are
 * looked at.
 *
 * Names: dNSName entries without regard to case, '*' as the whole leftmost label; addresses against
 * iPAddress entries. Only a certificate with no subjectAltName at all is judged by its common name (many
 * home-made ones are so). SNI is sent for names, not for addresses.
 *
 * Every call is non-blocking; a step of the handshake computes for as long as its public-key operation
 * takes (P-256: below 3 ms on a PC; on a Cortex-M count on tenths of a second).
 *
 * Memory: the objects are the caller's and must not move after init. On 64 bits (Debian's 2.28) a
 * configuration is 3072 bytes and a session 1440, on a Cortex-M 1792 and 736. A thread that
 * steps a handshake uses some 10 KiB of stack. Mbed TLS takes the rest from its heap, measured on 64 bits
 * with its 16 KiB buffers:
 *
 *     a configuration with one root                     0.8 KB, with a certificate of its own and key 3.4 KB
 *     adder_tls_init(): the record buffers              36.8 KB
 *     at the peak of the handshake                      44 to 49 KB, signatures by P-256 to RSA-2048
 *     while connected                                   39 to 41 KB
 *
 * A library built with src/tls/device_config.h sends records of 4 KiB and so needs 12 KB less.
 *
 * Threading: a configuration and its sessions are one thing: one thread at a time. */
#ifndef ADDER_TLS_H
#define ADDER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/identity.h"
#include "adder/stream.h"
#include "adder/tls_why.h"

/* ---- configuration ---- */

#define ADDER_TLS_1_2 0x0303u
#define ADDER_TLS_1_3 0x0304u

typedef enum {
    ADDER_TLS_CLIENT,
    ADDER_TLS_SERVER,
} adder_tls_role_t;

typedef enum {
    ADDER_TLS_VERIFY_DEFAULT,  /* REQUIRED for a client, NONE for a server */
    ADDER_TLS_VERIFY_REQUIRED, /* no valid certificate, no session */
    ADDER_TLS_VERIFY_OPTIONAL, /* a session anyway; info.peer_why says what is wrong with the certificate */
    ADDER_TLS_VERIFY_NONE,     /* not looked at: anybody may listen in. A server asks for none */
} adder_tls_verify_t;

/* What becomes of certificates' dates while `now_s` does not know the time (it gives less than floor_s, or
 * is NULL). Everything else is checked in any case. With a clock that is set none of this has an effect. */
typedef enum {
    ADDER_TLS_CLOCK_REFUSE, /* no session: CLOCK */
    ADDER_TLS_CLOCK_FLOOR,  /* what has expired before floor_s is refused, the rest accepted: an attacker
                             * can use a certificate that expired since the firmware was built */
    ADDER_TLS_CLOCK_ACCEPT, /* dates are not looked at. For the first contact that brings the time; connect
                             * again with it, and look at info.dates_unchecked until then */
} adder_tls_clock_t;

/* 0 = 16 KiB records. Else the length asked for (RFC 6066): saves the other side's long records where it
 * complies (info.fragment_max); many servers do not. */
typedef enum {
    ADDER_TLS_FRAGMENT_DEFAULT,
    ADDER_TLS_FRAGMENT_512,
    ADDER_TLS_FRAGMENT_1024,
    ADDER_TLS_FRAGMENT_2048,
    ADDER_TLS_FRAGMENT_4096,
} adder_tls_fragment_t;

/* Unix time; anything below floor_s means that it is not known. */
typedef int64_t (*adder_tls_now_fn)(void *ctx);

/* A root by the subject it bears (DER of the Name), for bundles in flash: `n`-th (from 0) certificate with
 * that subject, DER, which stays in place. ADDER_ERR_NOT_FOUND: no more. Costs no memory for roots that
 * are not used. Its dates and its being a CA are checked; that the bundle is right is the caller's. */
typedef adder_err_t (*adder_tls_find_root_fn)(void *ctx, const uint8_t *subject, size_t subject_len,
                                              unsigned n, const uint8_t **der_out, size_t *der_len_out);

/* One session to come back to, kept by the caller: a reset device may have it from its store. What is in
 * there are secrets and proofs: who can write it can pose as the server. */
typedef struct {
    uint8_t *buf; /* ADDER_TLS_SAVED_MAX does for usual chains */
    size_t cap;
    size_t len; /* 0 = nothing */
} adder_tls_saved_t;

/* Pointers are borrowed until adder_tls_config_deinit(). All zero but `random` is a client that trusts
 * nobody yet. */
typedef struct {
    adder_tls_role_t role;
    adder_tls_verify_t verify;
    bool any_host;                     /* the name is not checked (it still goes out as SNI) */
    const adder_identity_t *identity;  /* a client's certificate, or NULL; a server must have one */
    const char *const *alpn;           /* protocols, best first, NULL at the end; or NULL */
    uint16_t version_min, version_max; /* 0 = ADDER_TLS_1_2; 1.3 is ADDER_ERR_UNSUPPORTED here */
    const int *suites; /* IANA numbers, best first, 0 at the end; NULL = ours. Those that the library was
                        * not built with are left out */
    adder_tls_fragment_t fragment;
    bool no_tickets; /* neither asked for nor, as a server, given */

    adder_random_bytes_fn random; /* strong; seeds a generator, 48 to 96 bytes at a time */
    void *random_ctx;
    adder_tls_now_fn now_s; /* NULL = there is no clock */
    void *now_ctx;
    int64_t floor_s; /* surely past: build time or last known time. 0 = 2025-01-01 */
    adder_tls_clock_t clock;
    adder_tls_find_root_fn find_root; /* NULL = only what add_ca brought */
    void *find_root_ctx;
    adder_tls_saved_t *saved; /* client: every session tries to resume this one if it is for its host, and
                               * keeps itself here when its handshake is done; NULL = no */
} adder_tls_options_t;

/* Bytes of storage for Mbed TLS's objects and ours. A static assertion of src/tls holds them to be enough;
 * another build of Mbed TLS may want other numbers. */
#ifndef ADDER_TLS_CONFIG_SIZE
#define ADDER_TLS_CONFIG_SIZE (sizeof(void *) == 8 ? 3072 : 1792)
#endif
#ifndef ADDER_TLS_SIZE
#define ADDER_TLS_SIZE (sizeof(void *) == 8 ? 1408 : 704)
#endif
#define ADDER_TLS_SAVED_MAX 3072

typedef struct {
    struct {
        union {
            uint64_t align;
            void *align_ptr;
            uint8_t bytes[ADDER_TLS_CONFIG_SIZE];
        } store;
    } priv;
} adder_tls_config_t;

/* Copies the options. On an error nothing is held.
 *   why_out               may be NULL
 *   ADDER_ERR_ARG         no `random`, a server without identity
 *   ADDER_ERR_UNSUPPORTED a version; an identity's key (KEY_KIND)
 *   ADDER_ERR_FORMAT      the identity's chain: PEM, PEM_NONE, CERT_PARSE
 *   ADDER_ERR_REFUSED     KEY_MISMATCH
 *   ADDER_ERR_NOMEM, or the random source's own cause (RANDOM) */
adder_err_t adder_tls_config_init(adder_tls_config_t *c, const adder_tls_options_t *options,
                                  adder_tls_why_t *why_out) ADDER_MUST_USE;

/* Trust these certificates, one DER or any number of PEM with text between, copied; for a client usually
 * roots, but a server's own certificate may be named alone (pinned). Before the first session.
 *   n_out       certificates taken, skipped_out: PEM blocks that are well-formed and hold a certificate
 *               that the library does not understand (stores of systems have such); each may be NULL
 *   why_out     may be NULL
 *   ADDER_ERR_FORMAT    PEM: BEGIN without END or not base64; PEM_NONE; CERT_PARSE: not one understood.
 *                       Those before the bad one stay
 *   ADDER_ERR_NOMEM */
adder_err_t adder_tls_config_add_ca(adder_tls_config_t *c, const uint8_t *bytes, size_t len, size_t *n_out,
                                    size_t *skipped_out, adder_tls_why_t *why_out) ADDER_MUST_USE;

/* Certificates added so far. */
size_t adder_tls_config_cas(const adder_tls_config_t *c);

/* After its last session. Also after a failed init, also twice. */
void adder_tls_config_deinit(adder_tls_config_t *c);

/* ---- a session ---- */

typedef struct {
    adder_tls_why_t why;      /* of the first error */
    adder_tls_why_t peer_why; /* VERIFY_OPTIONAL: what is wrong with the certificate; else NONE */
    uint8_t depth;            /* the certificate `why` or `peer_why` is about: 0 the other side's own */
    uint8_t alert;            /* number of the fatal alert that came */
    int32_t code;             /* Mbed TLS's own code, negative; 0 = none */
    bool server;              /* the configuration's role */
    bool established;         /* the handshake is done, and nothing has failed since */
    bool resumed;             /* without certificates, from a saved session */
    bool dates_unchecked;     /* the clock policy let dates pass that could not be checked */
    uint16_t version;         /* ADDER_TLS_1_2 when established */
    uint16_t fragment_max;    /* bytes of the longest record that we send */
} adder_tls_info_t;

typedef struct {
    adder_tls_info_t info; /* for reading */
    struct {
        union {
            uint64_t align;
            void *align_ptr;
            uint8_t bytes[ADDER_TLS_SIZE];
        } store;
    } priv;
} adder_tls_t;

/* Nothing is sent yet. `host` as a name or an address without brackets, copied, a dot at the end left out;
 * NULL for a server, or a client with `any_host` or VERIFY_NONE. `below` is borrowed: it is connected (or
 * says AGAIN while it is not), and stays the caller's to close.
 *   ADDER_ERR_ARG     HOST_MISSING, HOST_BAD (info.why)
 *   ADDER_ERR_STATE   a client that checks, without trusted certificates (TRUST_NONE)
 *   ADDER_ERR_NOMEM   some 33 KiB at once for the record buffers */
adder_err_t adder_tls_init(adder_tls_t *t, adder_tls_config_t *c, adder_stream_t below,
                           const char *host) ADDER_MUST_USE;

/* One step, with at most one message read or written. AGAIN: call again, after waiting for wants().
 *   ADDER_OK            done; also at each further call
 *   ADDER_ERR_REFUSED   a certificate, ours or theirs, or what we offer was refused
 *   ADDER_ERR_FORMAT    the other side does not keep to the protocol
 *   ADDER_ERR_CLOSED    CUT_HANDSHAKE
 *   ADDER_ERR_NOMEM
 *   anything else       the cause of the stream below, of the key or of the random source
 * info.why has the reason. An error stays, for every call, until deinit. */
adder_err_t adder_tls_handshake(adder_tls_t *t) ADDER_MUST_USE;

/* What to wait for below before the next call: ADDER_NET_READABLE, ADDER_NET_WRITABLE or both; 0 = nothing,
 * call at once. After an AGAIN of recv it is READABLE, and WRITABLE too while something sent waits. */
unsigned adder_tls_wants(const adder_tls_t *t);

/* Bytes that recv() gives without reading below. A poll must look here first. */
size_t adder_tls_available(const adder_tls_t *t);

/* Take in what waits below, at most one record: OK = recv() has bytes to give, else as recv(). So a poll can
 * tell data from what TLS says to itself. */
adder_err_t adder_tls_fetch(adder_tls_t *t) ADDER_MUST_USE;

/* As adder/stream.h has them; the handshake is made first if it is not done. What send() took may still
 * wait here for the stream below: any later call of send (len 0 is enough), recv or close moves it on.
 *   ADDER_ERR_END      the other side has said goodbye (close_notify) and all is read
 *   ADDER_ERR_CLOSED   CUT: it is gone without one, what came may not be all
 *   ADDER_ERR_STATE    send after close()
 *   others             as adder_tls_handshake() */
adder_err_t adder_tls_send(adder_tls_t *t, const uint8_t *bytes, size_t len, size_t *n_out) ADDER_MUST_USE;
adder_err_t adder_tls_recv(adder_tls_t *t, uint8_t *buf, size_t cap, size_t *n_out) ADDER_MUST_USE;
adder_stream_t adder_tls_stream(adder_tls_t *t);

/* Say goodbye (close_notify) behind what was sent; AGAIN until all of it is out. recv() still gives what
 * comes. Before the handshake is done there is nothing to say, after an error only what the other side is to
 * be told of it (an alert) that has not got out. Any other result is the cause of the stream below. */
adder_err_t adder_tls_close(adder_tls_t *t) ADDER_MUST_USE;

/* Free and wipe. Sends nothing. Also after a failed init, also twice. */
void adder_tls_deinit(adder_tls_t *t);

/* What was agreed, NULL when nothing was; valid until deinit. */
const char *adder_tls_alpn(const adder_tls_t *t);
const char *adder_tls_suite(const adder_tls_t *t);
/* The other side's certificate as DER. ADDER_ERR_NOT_FOUND: it sent none, or the library keeps none. */
adder_err_t adder_tls_peer_certificate(const adder_tls_t *t, const uint8_t **der_out,
                                       size_t *len_out) ADDER_MUST_USE;

/* ---- coming back to a session ---- */

/* A client's session, after the handshake, into the caller's buffer. A server may refuse it later; then a
 * full handshake is made. It holds secrets.
 *   ADDER_ERR_NOSPACE   *n_out is what is needed
 *   ADDER_ERR_STATE     not established, or a server's; or the server gave neither an id nor a ticket */
adder_err_t adder_tls_session_save(adder_tls_t *t, uint8_t *buf, size_t cap, size_t *n_out) ADDER_MUST_USE;

/* Between adder_tls_init() and the first step. An error is no harm: a full handshake is made.
 *   ADDER_ERR_STATE     too late, or a server
 *   ADDER_ERR_REFUSED   it is of another host, was made without the checks that this one wants, or its
 *                       certificate has expired
 *   ADDER_ERR_FORMAT    not a session, or one of another build of Mbed TLS */
adder_err_t adder_tls_session_load(adder_tls_t *t, const uint8_t *buf, size_t len) ADDER_MUST_USE;

#endif
