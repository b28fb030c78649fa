/* Is a certificate for this host? RFC 6125 and 9525: the subjectAltName decides; the common name only where
 * a certificate has none at all, as many made at home. */
#include "src/tls/tls_int.h"

#include <string.h>

#include <mbedtls/oid.h>

#define TAG_DNS 0x82 /* [2] IA5String */
#define TAG_IP 0x87  /* [7] OCTET STRING */

static char lower(unsigned char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool same(const unsigned char *pattern, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(pattern[i]) != lower((unsigned char)text[i])) {
            return false;
        }
    }
    return true;
}

/* '*' stands for one whole label, the leftmost, with at least two labels behind it. */
static bool name_matches(const unsigned char *pattern, size_t len, const char *host, bool wildcards)
{
    const size_t host_len = strlen(host);
    if (len > 0 && pattern[len - 1] == '.') {
        len--;
    }
    if (memchr(pattern, '\0', len) != NULL) {
        return false; /* "good.example\0.evil.example" */
    }
    if (wildcards && len > 2 && pattern[0] == '*' && pattern[1] == '.') {
        const char *dot = strchr(host, '.');
        const unsigned char *rest = pattern + 1;
        return dot != NULL && dot != host && memchr(rest + 1, '.', len - 2) != NULL &&
               strlen(dot) == len - 1 && same(rest, dot, len - 1);
    }
    return len == host_len && same(pattern, host, len);
}

static bool common_name_matches(const mbedtls_x509_crt *crt, const char *host, bool wildcards)
{
    for (const mbedtls_x509_name *name = &crt->subject; name != NULL; name = name->next) {
        if (name->oid.p != NULL && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) == 0 &&
            name_matches(name->val.p, name->val.len, host, wildcards)) {
            return true;
        }
    }
    return false;
}

bool tls_host_matches(const mbedtls_x509_crt *crt, const char *host, const adder_ip_t *ip)
{
    if ((crt->ext_types & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) == 0) {
        return common_name_matches(crt, host, ip->family == ADDER_IP_NONE);
    }
    for (const mbedtls_x509_sequence *san = &crt->subject_alt_names; san != NULL; san = san->next) {
        if (san->buf.p == NULL) {
            continue;
        }
        if (ip->family == ADDER_IP_NONE) {
            if (san->buf.tag == TAG_DNS && name_matches(san->buf.p, san->buf.len, host, true)) {
                return true;
            }
        } else if (san->buf.tag == TAG_IP) {
            const size_t len = ip->family == ADDER_IP_V4 ? 4 : 16;
            if (san->buf.len == len && memcmp(san->buf.p, ip->bytes, len) == 0) {
                return true;
            }
        }
    }
    return false;
}
