/* Coming back to a session. What is saved is Mbed TLS's own form behind a head of ours:
 *
 *     "aTLS" | 1 version | 1 flags | 1 length of the host | host | session
 *
 * A resumed session is not checked again, so the head says for whom the first one was checked, and whether.
 */
#include "src/tls/tls_int.h"

#include <string.h>

#include <mbedtls/platform_util.h>

static const uint8_t magic[5] = {'a', 'T', 'L', 'S', 1};
#define HEAD (sizeof magic + 2)
#define FLAG_CHECKED 0x01u /* chain and name were verified */

static bool checks(const tls_impl_t *s)
{
    return s->config->conf.authmode == MBEDTLS_SSL_VERIFY_REQUIRED && !s->config->o.any_host;
}

adder_err_t adder_tls_session_save(adder_tls_t *t, uint8_t *buf, size_t cap, size_t *n_out)
{
    tls_impl_t *s = tls_of(t);
    const size_t host = strlen(s->host), head = HEAD + host;
    mbedtls_ssl_session session;
    *n_out = 0;
    if (!t->info.established || t->info.server) {
        return ADDER_ERR_STATE;
    }
    mbedtls_ssl_session_init(&session);
    adder_err_t err = ADDER_ERR_STATE;
    int code = mbedtls_ssl_get_session(&s->ssl, &session);
    if (code == 0 && (session.id_len > 0 || session.ticket_len > 0)) {
        size_t n = 0;
        code = mbedtls_ssl_session_save(&session, cap > head ? buf + head : buf, cap > head ? cap - head : 0,
                                        &n);
        *n_out = head + n;
        err = code == 0                                  ? ADDER_OK
              : code == MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL ? ADDER_ERR_NOSPACE
                                                         : ADDER_ERR_IO;
    } else if (code != 0) {
        err = tls_err_of_why(tls_why_of_code(code));
    }
    mbedtls_ssl_session_free(&session);
    if (err == ADDER_OK) {
        memcpy(buf, magic, sizeof magic);
        buf[sizeof magic] = (uint8_t)(checks(s) ? FLAG_CHECKED : 0);
        buf[sizeof magic + 1] = (uint8_t)host;
        memcpy(buf + HEAD, s->host, host);
    }
    return err;
}

/* The certificate that was good then may have expired since. */
static bool still_valid(const tls_impl_t *s, const mbedtls_ssl_session *session)
{
#if defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE)
    bool unchecked = false;
    return session->peer_cert == NULL || tls_dates(s->config, session->peer_cert, &unchecked) == 0;
#else
    (void)s;
    (void)session;
    return true;
#endif
}

adder_err_t adder_tls_session_load(adder_tls_t *t, const uint8_t *buf, size_t len)
{
    tls_impl_t *s = tls_of(t);
    if (s->live != TLS_LIVE || s->stepped || t->info.server) {
        return ADDER_ERR_STATE;
    }
    if (len < HEAD || memcmp(buf, magic, sizeof magic) != 0 || buf[sizeof magic + 1] > len - HEAD) {
        return ADDER_ERR_FORMAT;
    }
    const size_t host = buf[sizeof magic + 1];
    if (host != strlen(s->host) || memcmp(buf + HEAD, s->host, host) != 0 ||
        (checks(s) && (buf[sizeof magic] & FLAG_CHECKED) == 0)) {
        return ADDER_ERR_REFUSED;
    }
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    adder_err_t err = ADDER_ERR_FORMAT;
    int code = mbedtls_ssl_session_load(&session, buf + HEAD + host, len - HEAD - host);
    if (code == 0) {
        err = still_valid(s, &session) ? ADDER_OK : ADDER_ERR_REFUSED;
    } else if (tls_why_of_code(code) == ADDER_TLS_WHY_MEMORY) {
        err = ADDER_ERR_NOMEM;
    }
    if (err == ADDER_OK) {
        code = mbedtls_ssl_set_session(&s->ssl, &session);
        err = code == 0 ? ADDER_OK : tls_err_of_why(tls_why_of_code(code));
    }
    mbedtls_ssl_session_free(&session);
    s->offered |= err == ADDER_OK;
    return err;
}

/* ---- the configuration's one saved session ---- */

void tls_resume_offer(adder_tls_t *t)
{
    const adder_tls_saved_t *saved = tls_of(t)->config->o.saved;
    if (saved != NULL && saved->len > 0 && !t->info.server) {
        ADDER_IGNORE(adder_tls_session_load(t, saved->buf, saved->len), "a full handshake then");
    }
}

void tls_resume_keep(adder_tls_t *t)
{
    adder_tls_saved_t *saved = tls_of(t)->config->o.saved;
    size_t n = 0;
    if (saved == NULL || t->info.server) {
        return;
    }
    if (adder_tls_session_save(t, saved->buf, saved->cap, &n) == ADDER_OK) {
        saved->len = n;
    } else if (!t->info.resumed) {
        mbedtls_platform_zeroize(saved->buf, saved->cap);
        saved->len = 0;
    }
}
