/* TLS client sessions of the chip, with Mbed TLS as on it. The certificates trusted are the system's
 * and those of the network's "ca"; the chip has a bundle in flash that no command can change.
 *
 * The firmware has heap for one session; a second one fails here too. */
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "sim/chips/esp32_nina.h"

struct nina_trust {
    mbedtls_x509_crt chain;
};

struct nina_tls {
    nina_t *n;
    nina_ref_t conn;
    bool connected;
    char host[256];
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
};

/* ---- trust ---- */

static struct nina_trust *trust_of(nina_t *n)
{
    static const char *const stores[] = {"/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    if (n->trust != NULL) {
        return n->trust;
    }
    n->trust = malloc(sizeof *n->trust);
    if (n->trust == NULL) {
        return NULL;
    }
    mbedtls_x509_crt_init(&n->trust->chain);
    bool system = false;
    for (size_t i = 0; !system && i < sizeof stores / sizeof stores[0]; i++) {
        system = mbedtls_x509_crt_parse_file(&n->trust->chain, stores[i]) >= 0; /* > 0: some not understood */
    }
    const sim_network_t *net = sim_chip_network(&n->chip);
    for (size_t i = 0; i < net->ca_count; i++) {
        if (mbedtls_x509_crt_parse_file(&n->trust->chain, net->cas[i]) != 0) {
            sim_chip_log(&n->chip, "network.ca: cannot read certificates from %s", net->cas[i]);
        }
    }
    if (!system && net->ca_count == 0) {
        sim_chip_log(&n->chip,
                     "no certificates to trust: install ca-certificates or set \"ca\" of the network");
    }
    return n->trust;
}

void nina_trust_free(nina_t *n)
{
    if (n->trust != NULL) {
        mbedtls_x509_crt_free(&n->trust->chain);
        free(n->trust);
        n->trust = NULL;
    }
}

/* ---- bytes ---- */

static int bio_send(void *ctx, const unsigned char *data, size_t len)
{
    nina_tls_t *t = ctx;
    nina_conn_t *c = nina_conn(t->n, t->conn);
    size_t sent = 0;
    if (c == NULL) {
        return MBEDTLS_ERR_NET_CONN_RESET;
    }
    if (nina_conn_write(t->n, c, data, len, &sent) != ADDER_OK || sent == 0) {
        return nina_conn_available(t->n, c) == 0 && c->gone ? MBEDTLS_ERR_NET_CONN_RESET
                                                            : MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    return (int)sent;
}

static int bio_recv(void *ctx, unsigned char *data, size_t len)
{
    nina_tls_t *t = ctx;
    nina_conn_t *c = nina_conn(t->n, t->conn);
    if (c == NULL) {
        return MBEDTLS_ERR_NET_CONN_RESET;
    }
    const size_t got = nina_conn_read(t->n, c, data, len, false);
    if (got > 0) {
        return (int)got;
    }
    return c->gone ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
}

/* ---- sessions ---- */

static bool another_open(const nina_t *n)
{
    for (unsigned i = 0; i < n->fw->slots; i++) {
        if (n->slots[i].tls != NULL) {
            return true;
        }
    }
    return false;
}

static int load_client_identity(nina_t *n, nina_tls_t *t)
{
    if (!n->cert_set || !n->key_set) {
        return 0;
    }
    int err =
        mbedtls_x509_crt_parse(&t->cert, (const unsigned char *)n->client_cert, strlen(n->client_cert) + 1);
    if (err == 0) {
        err = mbedtls_pk_parse_key(&t->key, (const unsigned char *)n->client_key, strlen(n->client_key) + 1,
                                   NULL, 0);
    }
    return err != 0 ? err : mbedtls_ssl_conf_own_cert(&t->conf, &t->cert, &t->key);
}

static void log_error(nina_t *n, const nina_tls_t *t, int err)
{
    char text[200] = "";
    const uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);
    if (err == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && flags != 0xFFFFFFFFu) {
        (void)mbedtls_x509_crt_verify_info(text, sizeof text, "", flags);
        for (char *p = text; *p != '\0'; p++) {
            *p = *p == '\n' ? (p[1] != '\0' ? ';' : '\0') : *p;
        }
    } else {
        mbedtls_strerror(err, text, sizeof text);
    }
    sim_chip_log(&n->chip, "TLS with %s: %s", t->host, text);
}

nina_tls_t *nina_tls_open(nina_t *n, nina_ref_t conn, const char *host, bool verify_name)
{
    if (another_open(n)) {
        sim_chip_log(&n->chip, "TLS with %s: the chip has memory for one session, and one is open", host);
        return NULL;
    }
    struct nina_trust *trust = trust_of(n);
    nina_tls_t *t = trust != NULL ? calloc(1, sizeof *t) : NULL;
    if (t == NULL) {
        return NULL;
    }
    t->n = n;
    t->conn = conn;
    memcpy(t->host, host, strlen(host) + 1);
    mbedtls_ssl_init(&t->ssl);
    mbedtls_ssl_config_init(&t->conf);
    mbedtls_entropy_init(&t->entropy);
    mbedtls_ctr_drbg_init(&t->drbg);
    mbedtls_x509_crt_init(&t->cert);
    mbedtls_pk_init(&t->key);
    static const unsigned char personal[] = "esp32_nina";
    int err =
        mbedtls_ctr_drbg_seed(&t->drbg, mbedtls_entropy_func, &t->entropy, personal, sizeof personal - 1);
    if (err == 0) {
        err = mbedtls_ssl_config_defaults(&t->conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT);
    }
    if (err == 0) {
        mbedtls_ssl_conf_authmode(&t->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
        mbedtls_ssl_conf_ca_chain(&t->conf, &trust->chain, NULL);
        mbedtls_ssl_conf_rng(&t->conf, mbedtls_ctr_drbg_random, &t->drbg);
        err = load_client_identity(n, t);
    }
    if (err == 0) {
        err = mbedtls_ssl_setup(&t->ssl, &t->conf);
    }
    if (err == 0 && verify_name) {
        err = mbedtls_ssl_set_hostname(&t->ssl, host);
    }
    if (err != 0) {
        log_error(n, t, err);
        t->conn = NINA_NO_CONN; /* the caller's still */
        nina_tls_close(n, &t);
        return NULL;
    }
    mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_recv, NULL);
    return t;
}

adder_err_t nina_tls_handshake(nina_t *n, nina_tls_t *t)
{
    const int err = mbedtls_ssl_handshake(&t->ssl);
    if (err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return ADDER_ERR_AGAIN;
    }
    if (err != 0) {
        log_error(n, t, err);
        return ADDER_ERR_IO;
    }
    t->connected = true;
    sim_chip_log(&n->chip, "TLS with %s: %s, %s", t->host, mbedtls_ssl_get_version(&t->ssl),
                 mbedtls_ssl_get_ciphersuite(&t->ssl));
    return ADDER_OK;
}

/* The peer or the line ended the session: the socket is closed, the slot keeps its kind. */
static void stop(nina_t *n, nina_tls_t *t)
{
    t->connected = false;
    nina_conn_close(n, &t->conn);
}

uint16_t nina_tls_available(nina_t *n, nina_tls_t *t)
{
    if (t == NULL || !t->connected) {
        return 0;
    }
    const int err = mbedtls_ssl_read(&t->ssl, NULL, 0);
    const size_t waiting = mbedtls_ssl_get_bytes_avail(&t->ssl);
    if (waiting == 0 && err != 0 && err != MBEDTLS_ERR_SSL_WANT_READ && err != MBEDTLS_ERR_SSL_WANT_WRITE) {
        stop(n, t);
    }
    return (uint16_t)(waiting < 0xFFFF ? waiting : 0xFFFF);
}

bool nina_tls_connected(nina_t *n, nina_tls_t *t)
{
    (void)nina_tls_available(n, t);
    return t != NULL && t->connected;
}

size_t nina_tls_read(nina_t *n, nina_tls_t *t, uint8_t *out, size_t cap)
{
    if (nina_tls_available(n, t) == 0 || cap == 0) {
        return 0;
    }
    const int got = mbedtls_ssl_read(&t->ssl, out, cap);
    if (got < 0 && got != MBEDTLS_ERR_SSL_WANT_READ && got != MBEDTLS_ERR_SSL_WANT_WRITE) {
        stop(n, t);
    }
    return got > 0 ? (size_t)got : 0;
}

adder_err_t nina_tls_write(nina_t *n, nina_tls_t *t, const uint8_t *data, size_t len, size_t *n_out)
{
    (void)n;
    *n_out = 0;
    if (t == NULL || !t->connected) {
        return ADDER_ERR_CLOSED;
    }
    if (len == 0) {
        return ADDER_OK;
    }
    const int sent = mbedtls_ssl_write(&t->ssl, data, len);
    *n_out = sent > 0 ? (size_t)sent : 0;
    return sent >= 0 || sent == MBEDTLS_ERR_SSL_WANT_READ || sent == MBEDTLS_ERR_SSL_WANT_WRITE
               ? ADDER_OK
               : ADDER_ERR_IO;
}

nina_conn_t *nina_tls_conn(nina_t *n, nina_tls_t *t)
{
    return t != NULL ? nina_conn(n, t->conn) : NULL;
}

void nina_tls_close(nina_t *n, nina_tls_t **tp)
{
    nina_tls_t *t = *tp;
    *tp = NULL;
    if (t == NULL) {
        return;
    }
    nina_conn_close(n, &t->conn);
    mbedtls_ssl_free(&t->ssl);
    mbedtls_ssl_config_free(&t->conf);
    mbedtls_ctr_drbg_free(&t->drbg);
    mbedtls_entropy_free(&t->entropy);
    mbedtls_x509_crt_free(&t->cert);
    mbedtls_pk_free(&t->key);
    memset(t, 0, sizeof *t);
    free(t);
}
