/* What lies in the opaque storage of adder/tls.h, and what the files of src/tls ask of each other. */
#ifndef TLS_INT_H
#define TLS_INT_H

#include "adder/ip.h"
#include "adder/tls.h"
#include "src/tls/compat.h"

#define TLS_CHAIN_MAX (MBEDTLS_X509_MAX_INTERMEDIATE_CA + 2)
#define TLS_LIVE 0x746C7331u /* the object has been initialized and not freed */

typedef struct {
    uint32_t live;
    adder_tls_options_t o;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt cas; /* a list without version is an empty one */
    size_t n_cas;
    mbedtls_x509_crt own;
    mbedtls_pk_context pk;
    tls_key_t key;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_ssl_ticket_context ticket;
    adder_err_t random_failure;
} tls_config_impl_t;

typedef struct {
    uint32_t live;
    tls_config_impl_t *config;
    adder_stream_t below;
    adder_tls_t *self;
    mbedtls_ssl_context ssl;
    adder_err_t err;        /* the first error; stays */
    adder_err_t below_err;  /* what the stream below said when it failed */
    adder_err_t send_err;   /* it takes nothing any more, but may have bytes for us */
    uint8_t wants;          /* ADDER_NET_READABLE, WRITABLE */
    bool stepped;           /* the first message has been worked on */
    bool heard;             /* the other side's hello was understood */
    bool certified;         /* certificates went over the wire: not resumed */
    bool ended;             /* close_notify came */
    bool closing, said;     /* close() was called; the goodbye is in the buffer or out */
    bool below_was_sending; /* the failure below came from its send */
    bool offered;           /* a session to resume was set */
    size_t quota;           /* bytes that one call may still read: a flood ends in AGAIN */
    /* The other side's chain while it is being checked. */
    bool checking;
    uint8_t chain_top;
    bool anchored; /* find_root() vouches for the certificate at `anchor` */
    uint8_t anchor;
    struct {
        const mbedtls_x509_crt *crt;
        uint32_t flags;
    } chain[TLS_CHAIN_MAX];
    adder_ip_t ip; /* the host when it is an address; else family NONE */
    char host[ADDER_NET_HOST_MAX + 1];
} tls_impl_t;

/* Storage of bytes, made for these: aligned by its union. */
static inline tls_config_impl_t *tls_config_of(adder_tls_config_t *c)
{
    return (tls_config_impl_t *)(void *)&c->priv.store;
}
static inline tls_impl_t *tls_of(adder_tls_t *t)
{
    return (tls_impl_t *)(void *)&t->priv.store;
}
static inline const tls_impl_t *tls_of_const(const adder_tls_t *t)
{
    return (const tls_impl_t *)(const void *)&t->priv.store;
}

/* why.c: Mbed TLS's code as a reason, and as an error of ours. */
adder_tls_why_t tls_why_of_code(int code);
adder_tls_why_t tls_why_of_alert(uint8_t alert);
adder_err_t tls_err_of_why(adder_tls_why_t why);
bool tls_is_out_of_memory(int code);

/* pem.c: certificates out of PEM or DER text to the end of `list`. `borrow`: DER is not copied and stays.
 * skipped_out NULL: one that is not understood is an error. */
adder_err_t tls_parse_certificates(mbedtls_x509_crt *list, const uint8_t *bytes, size_t len, bool borrow,
                                   size_t *n_out, size_t *skipped_out, adder_tls_why_t *why_out);
bool tls_is_pem(const uint8_t *bytes, size_t len);

/* key.c: the configuration's key and chain out of the identity. */
adder_err_t tls_key_load(tls_config_impl_t *c, adder_tls_why_t *why_out);
void tls_key_free(tls_config_impl_t *c);

/* verify.c */
int tls_verify(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags);
/* The dates of one certificate by the configuration's clock and policy: 0, BADCERT_EXPIRED, BADCERT_FUTURE,
 * or BADCERT_OTHER for a clock that is not set. *unchecked_out: they were let pass. */
uint32_t tls_dates(const tls_config_impl_t *c, const mbedtls_x509_crt *crt, bool *unchecked_out);
extern const mbedtls_x509_crt_profile tls_profile;

/* name.c */
bool tls_host_matches(const mbedtls_x509_crt *crt, const char *host, const adder_ip_t *ip);

/* resume.c */
void tls_resume_offer(adder_tls_t *t);
void tls_resume_keep(adder_tls_t *t);

#endif
