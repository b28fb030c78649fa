/* One session: the handshake in steps, records both ways, the goodbye. */
#include "src/tls/tls_int.h"

#include <string.h>

#include <mbedtls/net_sockets.h>
#include <mbedtls/platform_util.h>

_Static_assert(sizeof(tls_impl_t) <= ADDER_TLS_SIZE,
               "ADDER_TLS_SIZE is too small for this build of Mbed TLS");
_Static_assert(_Alignof(tls_impl_t) <= _Alignof(adder_tls_t), "the storage is aligned");

/* What one call reads below at most: four records of the longest kind. Warnings and empty records would
 * otherwise keep Mbed TLS in its loop as long as a hostile side sends. */
#define QUOTA (4 * (16384 + 512))
/* Steps of a handshake that go on without waiting: there are 18 states. */
#define STEPS 64
#define BELOW_FAILED MBEDTLS_ERR_NET_CONN_RESET

/* ---- bytes to and from the stream below ---- */

static int bio_send(void *ctx, const unsigned char *bytes, size_t len)
{
    tls_impl_t *s = ctx;
    size_t n = 0;
    const adder_err_t err = s->below.ops->send(s->below.ctx, bytes, len, &n);
    if (err == ADDER_ERR_AGAIN || (err == ADDER_OK && n == 0)) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    if (err != ADDER_OK) {
        s->below_err = err;
        s->below_was_sending = true;
        return BELOW_FAILED;
    }
    return (int)(n < len ? n : len);
}

static int bio_recv(void *ctx, unsigned char *buf, size_t cap)
{
    tls_impl_t *s = ctx;
    size_t n = 0;
    if (s->quota == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    const adder_err_t err = s->below.ops->recv(s->below.ctx, buf, cap < s->quota ? cap : s->quota, &n);
    if (err == ADDER_ERR_AGAIN || (err == ADDER_OK && n == 0)) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    if (err == ADDER_ERR_END) {
        return 0;
    }
    if (err != ADDER_OK) {
        s->below_err = err;
        s->below_was_sending = false;
        return BELOW_FAILED;
    }
    n = n < cap ? n : cap;
    s->quota -= n;
    return (int)n;
}

/* Before anything that may call down. */
static void begin(tls_impl_t *s)
{
    s->quota = QUOTA;
    s->wants = 0;
    s->config->key.failure = ADDER_OK;
    s->config->random_failure = ADDER_OK;
}

/* Mbed TLS wants to wait: for what? */
static adder_err_t again(tls_impl_t *s, int code)
{
    s->wants = s->ssl.out_left != 0 ? ADDER_NET_WRITABLE : 0;
    if (code == MBEDTLS_ERR_SSL_WANT_READ && s->quota > 0) {
        s->wants |= ADDER_NET_READABLE;
    } else if (code == MBEDTLS_ERR_SSL_WANT_READ) {
        s->wants = 0; /* there may be more: the quota alone was used up */
    }
    return ADDER_ERR_AGAIN;
}

/* ---- failures ---- */

/* An end where something was to go out is as good as a reset. */
static adder_err_t below_failure(const tls_impl_t *s)
{
    return s->below_err == ADDER_OK        ? ADDER_ERR_IO
           : s->below_err == ADDER_ERR_END ? ADDER_ERR_CLOSED
                                           : s->below_err;
}

static bool in_handshake(const tls_impl_t *s)
{
    return s->ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER;
}

/* Who refuses us says so and closes; if we were sending just then, the stream below may report its being
 * gone before the alert was read. The alert of a handshake is not encrypted: take a look. */
static bool late_alert(tls_impl_t *s, uint8_t *alert_out)
{
    uint8_t record[7];
    size_t have = 0;
    if (!s->below_was_sending || !in_handshake(s) || s->ssl.session_in != NULL || s->ssl.in_left != 0) {
        return false;
    }
    while (have < sizeof record) {
        size_t n = 0;
        if (s->below.ops->recv(s->below.ctx, record + have, sizeof record - have, &n) != ADDER_OK || n == 0) {
            return false;
        }
        have += n < sizeof record - have ? n : sizeof record - have;
    }
    *alert_out = record[6];
    return record[0] == MBEDTLS_SSL_MSG_ALERT && record[1] == 3 && record[3] == 0 && record[4] == 2 &&
           record[5] == MBEDTLS_SSL_ALERT_LEVEL_FATAL;
}

static adder_tls_why_t why_of_usage(const tls_impl_t *s)
{
    const uint32_t flags = mbedtls_ssl_get_verify_result(&s->ssl);
    if (flags == UINT32_MAX) {
        return ADDER_TLS_WHY_NONE; /* there was none to look at */
    }
    if ((flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)) != 0) {
        return ADDER_TLS_WHY_USAGE;
    }
    return (flags & MBEDTLS_X509_BADCERT_BAD_KEY) != 0   ? ADDER_TLS_WHY_WEAK_KEY
           : (flags & MBEDTLS_X509_BADCERT_MISSING) != 0 ? ADDER_TLS_WHY_CERT_NONE
                                                         : ADDER_TLS_WHY_NONE;
}

static adder_tls_why_t why_of(adder_tls_t *t, tls_impl_t *s, int code)
{
    const uint8_t first = s->ssl.in_hdr != NULL ? s->ssl.in_hdr[0] : 0;
    if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        t->info.alert = s->ssl.in_msg[1];
        return tls_why_of_alert(t->info.alert);
    }
    if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || code == TLS_BAD_CERTIFICATE) {
        if (t->info.peer_why == ADDER_TLS_WHY_NONE) {
            t->info.peer_why = why_of_usage(s);
        }
        if (t->info.peer_why != ADDER_TLS_WHY_NONE) {
            return t->info.peer_why;
        }
    }
    if (s->ssl.out_msgtype == MBEDTLS_SSL_MSG_ALERT && in_handshake(s) && s->ssl.out_msg != NULL &&
        s->ssl.out_msg[1] == MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL) {
        return ADDER_TLS_WHY_NO_ALPN;
    }
    /* The first record of all is no record. */
    if (!s->heard && first != MBEDTLS_SSL_MSG_HANDSHAKE && first != MBEDTLS_SSL_MSG_ALERT &&
        code != BELOW_FAILED && s->ssl.in_left > 0) {
        return ADDER_TLS_WHY_NOT_TLS;
    }
    return tls_why_of_code(code);
}

/* The session is over; what is to be said about it stays. */
static adder_err_t fail(adder_tls_t *t, tls_impl_t *s, int code)
{
    const tls_config_impl_t *c = s->config;
    const adder_tls_why_t cut = in_handshake(s) ? ADDER_TLS_WHY_CUT_HANDSHAKE : ADDER_TLS_WHY_CUT;
    uint8_t alert = 0;
    t->info.code = code;
    s->wants = 0;
    if (code == BELOW_FAILED && late_alert(s, &alert)) {
        t->info.alert = alert;
        t->info.code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
        t->info.why = tls_why_of_alert(alert);
        s->err = ADDER_ERR_REFUSED;
    } else if (code == BELOW_FAILED) {
        const bool gone = s->below_err == ADDER_ERR_CLOSED || s->below_err == ADDER_ERR_END;
        t->info.why = gone ? cut : ADDER_TLS_WHY_BELOW;
        s->err = gone ? ADDER_ERR_CLOSED : s->below_err;
    } else if (code == MBEDTLS_ERR_SSL_CONN_EOF || code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        t->info.why = cut;
        s->err = ADDER_ERR_CLOSED;
    } else if (c->key.failure != ADDER_OK) {
        t->info.why = ADDER_TLS_WHY_KEY_SIGN;
        s->err = c->key.failure;
    } else if (c->random_failure != ADDER_OK) {
        t->info.why = ADDER_TLS_WHY_RANDOM;
        s->err = c->random_failure;
    } else {
        t->info.why = why_of(t, s, code);
        s->err = tls_err_of_why(t->info.why);
    }
    if (t->info.why != t->info.peer_why) {
        t->info.depth = 0;
    }
    t->info.peer_why = ADDER_TLS_WHY_NONE;
    t->info.established = false;
    if (s->offered && c->o.saved != NULL) {
        c->o.saved->len = 0; /* whatever it was: next time from the beginning */
    }
    return s->err;
}

/* ---- the handshake ---- */

static adder_err_t established(adder_tls_t *t, tls_impl_t *s)
{
    t->info.established = true;
    t->info.resumed = !s->certified;
    t->info.version = ADDER_TLS_1_2;
    if (t->info.peer_why == ADDER_TLS_WHY_NONE && s->certified &&
        s->ssl.conf->authmode == MBEDTLS_SSL_VERIFY_OPTIONAL) {
        t->info.peer_why = why_of_usage(s);
    }
    const int max = mbedtls_ssl_get_max_out_record_payload(&s->ssl);
    t->info.fragment_max = (uint16_t)(max > 0 ? max : MBEDTLS_SSL_OUT_CONTENT_LEN);
    tls_resume_keep(t);
    return ADDER_OK;
}

adder_err_t adder_tls_handshake(adder_tls_t *t)
{
    tls_impl_t *s = tls_of(t);
    if (s->live != TLS_LIVE) {
        return ADDER_ERR_STATE;
    }
    if (s->err != ADDER_OK || t->info.established) {
        return s->err;
    }
    if (s->closing) {
        return ADDER_ERR_STATE;
    }
    begin(s);
    s->stepped = true;
    const int before = s->ssl.state;
    const int code = mbedtls_ssl_handshake_step(&s->ssl);
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return again(s, code);
    }
    if (code != 0) {
        return fail(t, s, code);
    }
    /* Past the first message of the other side: a hello. */
    s->heard |= before >= (t->info.server ? MBEDTLS_SSL_CLIENT_HELLO : MBEDTLS_SSL_SERVER_HELLO);
    s->certified |= s->ssl.state == MBEDTLS_SSL_SERVER_CERTIFICATE;
    return in_handshake(s) ? ADDER_ERR_AGAIN : established(t, s);
}

/* As far as it goes without waiting: a stream's user waits after an AGAIN. */
static adder_err_t handshake_on(adder_tls_t *t, const tls_impl_t *s)
{
    adder_err_t err = adder_tls_handshake(t);
    for (unsigned i = 0; i < STEPS && err == ADDER_ERR_AGAIN && s->wants == 0; i++) {
        err = adder_tls_handshake(t);
    }
    return err;
}

/* ---- data ---- */

adder_err_t adder_tls_send(adder_tls_t *t, const uint8_t *bytes, size_t len, size_t *n_out)
{
    tls_impl_t *s = tls_of(t);
    *n_out = 0;
    adder_err_t err = handshake_on(t, s);
    if (err != ADDER_OK || s->send_err != ADDER_OK) {
        return err != ADDER_OK ? err : s->send_err;
    }
    if (s->closing) {
        return ADDER_ERR_STATE;
    }
    begin(s);
    /* A record that waits goes first: Mbed TLS would take our call for its repetition, and our bytes for
     * those of that record. */
    int code = tls_compat_flush(&s->ssl);
    if (code == 0 && len > 0) {
        const size_t n = len < t->info.fragment_max ? len : t->info.fragment_max;
        code = mbedtls_ssl_write(&s->ssl, bytes, n);
        if (code > 0 || (code == MBEDTLS_ERR_SSL_WANT_WRITE && s->ssl.out_left != 0)) {
            /* Sealed in a record. If it waits, it does so here, and the bytes are the caller's again. */
            *n_out = code > 0 ? (size_t)code : n;
            s->wants = s->ssl.out_left != 0 ? ADDER_NET_WRITABLE : 0;
            return ADDER_OK;
        }
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return again(s, code);
    }
    if (code == BELOW_FAILED) { /* what has come can still be read, and recv() says how it ended */
        s->send_err = below_failure(s);
        return s->send_err;
    }
    return code == 0 ? ADDER_OK : fail(t, s, code);
}

/* The bytes that wait below go out while we read; that they cannot is no reason not to read. */
static void move_on(tls_impl_t *s)
{
    if (s->ssl.out_left == 0 || s->send_err != ADDER_OK) {
        return;
    }
    const int code = tls_compat_flush(&s->ssl);
    if (code != 0 && code != MBEDTLS_ERR_SSL_WANT_WRITE) {
        s->send_err = below_failure(s);
    }
}

/* cap 0: a record is taken in and kept. */
static adder_err_t read_on(adder_tls_t *t, tls_impl_t *s, uint8_t *buf, size_t cap, size_t *n_out)
{
    const int code = mbedtls_ssl_read(&s->ssl, buf, cap);
    if (code > 0) {
        *n_out = (size_t)code;
        return ADDER_OK;
    }
    if (code == 0 && cap == 0 && mbedtls_ssl_get_bytes_avail(&s->ssl) > 0) {
        return ADDER_OK;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE || TLS_IS_TICKET(code)) {
        return again(s, code);
    }
    if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        s->ended = true;
        return ADDER_ERR_END;
    }
    return fail(t, s, code == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : code);
}

adder_err_t adder_tls_recv(adder_tls_t *t, uint8_t *buf, size_t cap, size_t *n_out)
{
    tls_impl_t *s = tls_of(t);
    *n_out = 0;
    const adder_err_t err = s->ended ? ADDER_ERR_END : handshake_on(t, s);
    if (err != ADDER_OK) {
        return err;
    }
    begin(s);
    move_on(s);
    return cap == 0 ? ADDER_OK : read_on(t, s, buf, cap, n_out);
}

adder_err_t adder_tls_fetch(adder_tls_t *t)
{
    tls_impl_t *s = tls_of(t);
    size_t n = 0;
    const adder_err_t err = s->ended ? ADDER_ERR_END : handshake_on(t, s);
    if (err != ADDER_OK || adder_tls_available(t) > 0) {
        return err;
    }
    begin(s);
    move_on(s);
    return read_on(t, s, NULL, 0, &n);
}

static adder_err_t stream_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    return adder_tls_send(ctx, bytes, len, n_out);
}

static adder_err_t stream_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    return adder_tls_recv(ctx, buf, cap, n_out);
}

adder_stream_t adder_tls_stream(adder_tls_t *t)
{
    static const adder_stream_ops_t ops = {stream_send, stream_recv};
    return (adder_stream_t){&ops, t};
}

unsigned adder_tls_wants(const adder_tls_t *t)
{
    return tls_of_const(t)->wants;
}

size_t adder_tls_available(const adder_tls_t *t)
{
    const tls_impl_t *s = tls_of_const(t);
    return s->live == TLS_LIVE && t->info.established ? mbedtls_ssl_get_bytes_avail(&s->ssl) : 0;
}

/* ---- beginning and end ---- */

static adder_err_t take_host(adder_tls_t *t, tls_impl_t *s, const char *host)
{
    const bool needed = s->config->conf.endpoint == MBEDTLS_SSL_IS_CLIENT && !s->config->o.any_host &&
                        s->config->conf.authmode != MBEDTLS_SSL_VERIFY_NONE;
    size_t len = host != NULL ? strlen(host) : 0;
    if (len > 0 && host[len - 1] == '.') {
        len--;
    }
    t->info.why = len == 0 && needed      ? ADDER_TLS_WHY_HOST_MISSING
                  : len >= sizeof s->host ? ADDER_TLS_WHY_HOST_BAD
                                          : ADDER_TLS_WHY_NONE;
    for (size_t i = 0; i < len && t->info.why == ADDER_TLS_WHY_NONE; i++) {
        if ((unsigned char)host[i] <= ' ' || (unsigned char)host[i] >= 0x7F) {
            t->info.why = ADDER_TLS_WHY_HOST_BAD;
        }
    }
    if (t->info.why != ADDER_TLS_WHY_NONE) {
        return ADDER_ERR_ARG;
    }
    if (len > 0) {
        memcpy(s->host, host, len);
        ADDER_IGNORE(adder_ip_parse(host, len, &s->ip), "then it is a name");
    }
    return ADDER_OK;
}

adder_err_t adder_tls_init(adder_tls_t *t, adder_tls_config_t *config, adder_stream_t below, const char *host)
{
    tls_impl_t *s = tls_of(t);
    memset(t, 0, sizeof *t);
    s->config = tls_config_of(config);
    ADDER_ASSERT(s->config->live == TLS_LIVE);
    const tls_config_impl_t *c = s->config;
    t->info.server = c->conf.endpoint == MBEDTLS_SSL_IS_SERVER;
    adder_err_t err = take_host(t, s, host);
    if (err == ADDER_OK && c->n_cas == 0 && c->o.find_root == NULL &&
        c->conf.authmode == MBEDTLS_SSL_VERIFY_REQUIRED) {
        t->info.why = ADDER_TLS_WHY_TRUST_NONE;
        err = ADDER_ERR_STATE;
    }
    if (err != ADDER_OK) {
        return err;
    }
    s->live = TLS_LIVE;
    s->below = below;
    s->wants = 0;
    mbedtls_ssl_init(&s->ssl);
    int code = mbedtls_ssl_setup(&s->ssl, &c->conf);
    if (code == 0) { /* SNI is for names (RFC 6066 section 3) */
        code = mbedtls_ssl_set_hostname(&s->ssl,
                                        s->host[0] != '\0' && s->ip.family == ADDER_IP_NONE ? s->host : NULL);
    }
    if (code != 0) {
        t->info.why = tls_why_of_code(code);
        t->info.code = code;
        err = tls_err_of_why(t->info.why);
        mbedtls_ssl_free(&s->ssl);
        s->live = 0;
        return err;
    }
    mbedtls_ssl_set_verify(&s->ssl, tls_verify, t);
    mbedtls_ssl_set_bio(&s->ssl, s, bio_send, bio_recv, NULL);
    tls_resume_offer(t);
    return ADDER_OK;
}

adder_err_t adder_tls_close(adder_tls_t *t)
{
    tls_impl_t *s = tls_of(t);
    if (s->live != TLS_LIVE) {
        return ADDER_OK;
    }
    s->closing = true;
    s->wants = 0;
    if (s->send_err != ADDER_OK || s->below_err != ADDER_OK) {
        return ADDER_OK;
    }
    int code = s->ssl.out_left != 0 ? tls_compat_flush(&s->ssl) : 0;
    if (code == 0 && !s->said && t->info.established) {
        code = mbedtls_ssl_close_notify(&s->ssl);
        s->said = code == 0 || s->ssl.out_left != 0;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        s->wants = ADDER_NET_WRITABLE;
        return ADDER_ERR_AGAIN;
    }
    if (code != 0) {
        s->send_err = below_failure(s);
    }
    return s->send_err;
}

void adder_tls_deinit(adder_tls_t *t)
{
    tls_impl_t *s = tls_of(t);
    if (s->live == TLS_LIVE) {
        mbedtls_ssl_free(&s->ssl);
        mbedtls_platform_zeroize(s, sizeof *s);
    }
}

/* ---- what was agreed ---- */

const char *adder_tls_alpn(const adder_tls_t *t)
{
    return t->info.established ? mbedtls_ssl_get_alpn_protocol(&tls_of_const(t)->ssl) : NULL;
}

const char *adder_tls_suite(const adder_tls_t *t)
{
    return t->info.established ? mbedtls_ssl_get_ciphersuite(&tls_of_const(t)->ssl) : NULL;
}

adder_err_t adder_tls_peer_certificate(const adder_tls_t *t, const uint8_t **der_out, size_t *len_out)
{
    const mbedtls_x509_crt *crt =
        t->info.established ? mbedtls_ssl_get_peer_cert(&tls_of_const(t)->ssl) : NULL;
    if (crt == NULL) {
        return ADDER_ERR_NOT_FOUND;
    }
    *der_out = crt->raw.p;
    *len_out = crt->raw.len;
    return ADDER_OK;
}
