/* What we make of the other side's chain. Mbed TLS builds it and checks signatures, strength and usage; names
 * and dates are ours (its dates are the C library's clock, which a device may not have; its names know no
 * addresses), and so are roots out of a bundle. The callback sees the chain from its top to the other
 * side's own certificate; the verdict is given there, for all of them. */
#include "src/tls/tls_int.h"

#include <string.h>

#include <mbedtls/md.h>

#define NOT_TRUSTED MBEDTLS_X509_BADCERT_NOT_TRUSTED
#define DATES (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)
#define CLOCK MBEDTLS_X509_BADCERT_OTHER
#define USAGE                                                                                                \
    (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_NS_CERT_TYPE)
#define FLOOR_DEFAULT 1735689600 /* 2025-01-01 */

const mbedtls_x509_crt_profile tls_profile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    0xFFFFFFF, /* whatever kinds of key the library has */
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    2048,
};

/* ---- dates ---- */

/* Seconds since 1970 of a date of a certificate (days_from_civil of Howard Hinnant's "chrono" paper). */
static int64_t unix_of(const mbedtls_x509_time *t)
{
    const int y = t->mon <= 2 ? t->year - 1 : t->year;
    const int era = (y >= 0 ? y : y - 399) / 400;
    const int yoe = y - era * 400;
    const int doy = (153 * (t->mon + (t->mon > 2 ? -3 : 9)) + 2) / 5 + t->day - 1;
    const int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    const int64_t days = (int64_t)era * 146097 + doe - 719468;
    return days * 86400 + t->hour * 3600 + t->min * 60 + t->sec;
}

uint32_t tls_dates(const tls_config_impl_t *c, const mbedtls_x509_crt *crt, bool *unchecked_out)
{
    const int64_t floor_s = c->o.floor_s != 0 ? c->o.floor_s : FLOOR_DEFAULT;
    const int64_t now = c->o.now_s != NULL ? c->o.now_s(c->o.now_ctx) : INT64_MIN;
    if (now >= floor_s) {
        return now > unix_of(&crt->valid_to)     ? MBEDTLS_X509_BADCERT_EXPIRED
               : now < unix_of(&crt->valid_from) ? MBEDTLS_X509_BADCERT_FUTURE
                                                 : 0;
    }
    switch (c->o.clock) {
    case ADDER_TLS_CLOCK_FLOOR:
        *unchecked_out = true;
        return floor_s > unix_of(&crt->valid_to) ? MBEDTLS_X509_BADCERT_EXPIRED : 0;
    case ADDER_TLS_CLOCK_ACCEPT:
        *unchecked_out = true;
        return 0;
    case ADDER_TLS_CLOCK_REFUSE:
    default:
        return CLOCK;
    }
}

/* ---- roots out of a bundle ---- */

static bool is_ca(const mbedtls_x509_crt *crt)
{
    return crt->version >= 3 && crt->ca_istrue != 0 &&
           mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

static bool strong(mbedtls_pk_context *key)
{
    const mbedtls_pk_type_t type = mbedtls_pk_get_type(key);
    if (type == MBEDTLS_PK_RSA) {
        return mbedtls_pk_get_bitlen(key) >= tls_profile.rsa_min_bitlen;
    }
    return (type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECDSA) &&
           (tls_profile.allowed_curves & MBEDTLS_X509_ID_FLAG(mbedtls_pk_ec(*key)->grp.id)) != 0;
}

static bool signed_by(const mbedtls_x509_crt *child, mbedtls_x509_crt *issuer)
{
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(child->sig_md);
    return md != NULL && mbedtls_md(md, child->tbs.p, child->tbs.len, hash) == 0 &&
           mbedtls_pk_verify_ext(child->sig_pk, child->sig_opts, &issuer->pk, child->sig_md, hash,
                                 mbedtls_md_get_size(md), child->sig.p, child->sig.len) == 0;
}

static bool root_vouches(const tls_impl_t *s, adder_tls_t *t, const mbedtls_x509_crt *child)
{
    const tls_config_impl_t *c = s->config;
    for (unsigned n = 0; n < 8; n++) { /* more of one name no bundle has */
        const uint8_t *der = NULL;
        size_t len = 0;
        if (c->o.find_root(c->o.find_root_ctx, child->issuer_raw.p, child->issuer_raw.len, n, &der, &len) !=
            ADDER_OK) {
            return false;
        }
        mbedtls_x509_crt root;
        mbedtls_x509_crt_init(&root);
        bool unchecked = false;
        /* One that is damaged or out of date is passed over: there may be its successor. */
        const bool good = mbedtls_x509_crt_parse_der_nocopy(&root, der, len) == 0 &&
                          (is_ca(&root) || root.version < 3) && strong(&root.pk) &&
                          tls_dates(c, &root, &unchecked) == 0 && signed_by(child, &root);
        mbedtls_x509_crt_free(&root);
        if (good) {
            t->info.dates_unchecked |= unchecked;
            return true;
        }
    }
    return false;
}

/* ---- which of the ways to be untrusted ---- */

static bool same(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

/* The certificate at the top found no issuer. */
static adder_tls_why_t why_untrusted(const tls_impl_t *s)
{
    const mbedtls_x509_crt *top = s->chain[s->chain_top].crt, *own = s->chain[0].crt;
    if (same(&top->issuer_raw, &top->subject_raw)) {
        return s->chain_top == 0 ? ADDER_TLS_WHY_SELF_SIGNED : ADDER_TLS_WHY_UNKNOWN_ROOT;
    }
    /* Sent with it, though the chain has no use for them. Some servers send their own certificate twice. */
    bool others = false;
    for (const mbedtls_x509_crt *crt = own; crt != NULL; crt = crt->next) {
        others |= !same(&crt->raw, &own->raw);
        if (crt != top && same(&crt->subject_raw, &top->issuer_raw)) {
            return is_ca(crt) ? ADDER_TLS_WHY_CHAIN_BROKEN : ADDER_TLS_WHY_NOT_A_CA;
        }
    }
    for (const mbedtls_x509_crt *crt = &s->config->cas; crt != NULL && crt->version != 0; crt = crt->next) {
        if (same(&crt->subject_raw, &top->issuer_raw)) {
            return crt->version >= 3 && !is_ca(crt) ? ADDER_TLS_WHY_NOT_A_CA : ADDER_TLS_WHY_SIGNATURE;
        }
    }
    return s->chain_top == 0 && others ? ADDER_TLS_WHY_CHAIN_BROKEN : ADDER_TLS_WHY_UNKNOWN_ISSUER;
}

/* The gravest first: a certificate that nobody vouches for says nothing about names and dates. */
static adder_tls_why_t why_of_flags(const tls_impl_t *s, unsigned depth, uint32_t flags)
{
    static const struct {
        uint32_t flags;
        adder_tls_why_t why;
    } table[] = {
        {MBEDTLS_X509_BADCERT_BAD_MD, ADDER_TLS_WHY_WEAK_HASH},
        {MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY, ADDER_TLS_WHY_WEAK_KEY},
        {USAGE, ADDER_TLS_WHY_USAGE},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, ADDER_TLS_WHY_HOST},
        {MBEDTLS_X509_BADCERT_EXPIRED, ADDER_TLS_WHY_EXPIRED},
        {MBEDTLS_X509_BADCERT_FUTURE, ADDER_TLS_WHY_NOT_YET},
        {CLOCK, ADDER_TLS_WHY_CLOCK},
    };
    if ((flags & NOT_TRUSTED) != 0) {
        return depth == s->chain_top ? why_untrusted(s) : ADDER_TLS_WHY_SIGNATURE;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((flags & table[i].flags) != 0) {
            return table[i].why;
        }
    }
    return ADDER_TLS_WHY_OTHER;
}

static unsigned rank(adder_tls_why_t why)
{
    switch (why) {
    case ADDER_TLS_WHY_NONE:
        return 0;
    case ADDER_TLS_WHY_CLOCK:
        return 1;
    case ADDER_TLS_WHY_EXPIRED:
    case ADDER_TLS_WHY_NOT_YET:
        return 2;
    case ADDER_TLS_WHY_HOST:
        return 3;
    case ADDER_TLS_WHY_WEAK_HASH:
    case ADDER_TLS_WHY_WEAK_KEY:
    case ADDER_TLS_WHY_USAGE:
    case ADDER_TLS_WHY_OTHER:
        return 4;
    default:
        return 5;
    }
}

/* Over all certificates that count: those above a root out of the bundle do not. */
static uint32_t judge(tls_impl_t *s, adder_tls_t *t)
{
    const unsigned top = s->anchored ? s->anchor : s->chain_top;
    uint32_t all = 0;
    t->info.peer_why = ADDER_TLS_WHY_NONE;
    for (unsigned depth = 0; depth <= top; depth++) {
        const uint32_t flags = s->chain[depth].flags;
        if (flags == 0) {
            continue;
        }
        const adder_tls_why_t why = why_of_flags(s, depth, flags);
        if (rank(why) > rank(t->info.peer_why)) {
            t->info.peer_why = why;
            t->info.depth = (uint8_t)depth;
        }
        all |= flags;
    }
    return all;
}

int tls_verify(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    adder_tls_t *t = ctx;
    tls_impl_t *s = tls_of(t);
    const tls_config_impl_t *c = s->config;
    if (depth < 0 || depth >= TLS_CHAIN_MAX) {
        return MBEDTLS_ERR_X509_FATAL_ERROR;
    }
    if (!s->checking) {
        s->checking = true;
        s->anchored = false;
        s->chain_top = (uint8_t)depth;
    }
    bool unchecked = false;
    uint32_t f = *flags & ~(uint32_t)(DATES | MBEDTLS_X509_BADCERT_CN_MISMATCH);
    if ((f & NOT_TRUSTED) != 0 && !s->anchored && c->o.find_root != NULL && root_vouches(s, t, crt)) {
        s->anchored = true;
        s->anchor = (uint8_t)depth;
        f &= ~(uint32_t)NOT_TRUSTED;
    }
    f |= tls_dates(c, crt, &unchecked);
    t->info.dates_unchecked |= unchecked;
    if (depth == 0 && s->host[0] != '\0' && !c->o.any_host && !tls_host_matches(crt, s->host, &s->ip)) {
        f |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    s->chain[depth].crt = crt;
    s->chain[depth].flags = f;
    *flags = 0;
    if (depth == 0) {
        *flags = judge(s, t);
        s->checking = false;
        memset(s->chain, 0, sizeof s->chain); /* the certificates are Mbed TLS's and may go */
    }
    return 0;
}
