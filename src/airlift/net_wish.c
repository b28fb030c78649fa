/* What the link is to be: the calls that say so, and what status() says of it. Secrets are wiped when
 * they are replaced. */
#include <string.h>

#include "net_int.h"

enum { ATTEMPTS = 2 };

static void wipe(void *at, size_t len)
{
    volatile uint8_t *p = at;
    while (len-- > 0) {
        *p++ = 0;
    }
}

/* Length of a text of at most `max` bytes; NULL is empty. max + 1 = longer. */
static size_t length(const char *text, size_t max)
{
    size_t len = 0;
    while (text != NULL && len <= max && text[len] != '\0') {
        len++;
    }
    return len;
}

static void keep(char *out, size_t cap, const char *text)
{
    const size_t len = length(text, cap - 1);
    wipe(out, cap);
    if (len > 0) {
        memcpy(out, text, len);
    }
}

static void forget_secrets(net_t *n)
{
    wipe(n->priv.link.ssid, sizeof n->priv.link.ssid);
    wipe(n->priv.link.password, sizeof n->priv.link.password);
    wipe(n->priv.link.identity, sizeof n->priv.link.identity);
    wipe(n->priv.link.user, sizeof n->priv.link.user);
}

adder_err_t adder_airlift_net_join(adder_airlift_net_t *n, const adder_airlift_wifi_t *wifi)
{
    uint8_t security = (uint8_t)wifi->security;
    if (security == ADDER_AIRLIFT_SECURITY_AUTO) {
        security = length(wifi->password, 1) > 0 ? ADDER_AIRLIFT_SECURITY_WPA : ADDER_AIRLIFT_SECURITY_OPEN;
    }
    const size_t ssid = length(wifi->ssid, 32);
    const size_t max = security == ADDER_AIRLIFT_SECURITY_WEP          ? 26
                       : security == ADDER_AIRLIFT_SECURITY_ENTERPRISE ? 32
                                                                       : 64;
    if (security > ADDER_AIRLIFT_SECURITY_ENTERPRISE || ssid < 1 || ssid > 32 ||
        length(wifi->password, max) > max || length(wifi->identity, 32) > 32 || length(wifi->user, 32) > 32) {
        return ADDER_ERR_RANGE;
    }
    keep(n->priv.link.ssid, sizeof n->priv.link.ssid, wifi->ssid);
    keep(n->priv.link.password, sizeof n->priv.link.password, wifi->password);
    keep(n->priv.link.identity, sizeof n->priv.link.identity, wifi->identity);
    keep(n->priv.link.user, sizeof n->priv.link.user, wifi->user);
    n->priv.link.security = security;
    n->priv.link.attempts_max = wifi->attempts != 0 ? wifi->attempts : ATTEMPTS;
    n->priv.link.mode = MODE_STATION;
    airnet_link_changed(n);
    return ADDER_OK;
}

adder_err_t adder_airlift_net_access_point(adder_airlift_net_t *n, const char *ssid, const char *pass,
                                           uint8_t channel)
{
    const size_t len = length(ssid, 32), pass_len = length(pass, 63);
    if (len < 1 || len > 32 || (pass != NULL && (pass_len < 8 || pass_len > 63)) || channel < 1 ||
        channel > 14) {
        return ADDER_ERR_RANGE;
    }
    forget_secrets(n);
    keep(n->priv.link.ssid, sizeof n->priv.link.ssid, ssid);
    keep(n->priv.link.password, sizeof n->priv.link.password, pass);
    n->priv.link.channel = channel;
    n->priv.link.attempts_max = 1;
    n->priv.link.mode = MODE_ACCESS_POINT;
    airnet_link_changed(n);
    return ADDER_OK;
}

void adder_airlift_net_disconnect(adder_airlift_net_t *n)
{
    forget_secrets(n);
    n->priv.link.mode = MODE_OFF;
    airnet_link_changed(n);
}

void adder_airlift_net_deinit(adder_airlift_net_t *n)
{
    airlift_let_go(&n->priv.chip);
    wipe(n, sizeof *n);
}

void adder_airlift_net_set_ip(adder_airlift_net_t *n, const uint8_t ip4[4], const uint8_t gateway[4],
                              const uint8_t mask[4])
{
    n->priv.link.has_ip = ip4 != NULL;
    if (ip4 != NULL) {
        memcpy(n->priv.link.ip[0], ip4, 4);
        memcpy(n->priv.link.ip[1], gateway, 4);
        memcpy(n->priv.link.ip[2], mask, 4);
    }
}

void adder_airlift_net_set_dns(adder_airlift_net_t *n, const uint8_t first[4], const uint8_t second[4])
{
    n->priv.link.has_dns = first != NULL;
    memset(n->priv.link.dns, 0, sizeof n->priv.link.dns);
    if (first != NULL) {
        memcpy(n->priv.link.dns[0], first, 4);
    }
    if (first != NULL && second != NULL) {
        memcpy(n->priv.link.dns[1], second, 4);
    }
}

adder_err_t adder_airlift_net_set_hostname(adder_airlift_net_t *n, const char *name)
{
    const size_t max = sizeof n->priv.link.hostname - 1, len = length(name, max);
    if (len > max || (name != NULL && len == 0)) {
        return ADDER_ERR_RANGE;
    }
    keep(n->priv.link.hostname, sizeof n->priv.link.hostname, name);
    return ADDER_OK;
}

adder_err_t adder_airlift_net_set_client_cert(adder_airlift_net_t *n, const char *cert, size_t cert_len,
                                              const char *key, size_t key_len)
{
    if ((cert == NULL) != (key == NULL)) {
        return ADDER_ERR_RANGE;
    }
    if (cert != NULL && (cert_len < 1 || cert_len > ADDER_AIRLIFT_CERT_MAX || key_len < 1 ||
                         key_len > ADDER_AIRLIFT_KEY_MAX)) {
        return ADDER_ERR_RANGE;
    }
    n->priv.link.cert = cert;
    n->priv.link.cert_len = cert_len;
    n->priv.link.key = key;
    n->priv.link.key_len = key_len;
    n->priv.link.cert_sent = false;
    return ADDER_OK;
}

void adder_airlift_net_link(const adder_airlift_net_t *n, adder_airlift_link_t *out)
{
    *out = (adder_airlift_link_t){
        .started = n->priv.chip.priv.started,
        .access_point = n->priv.link.mode == MODE_ACCESS_POINT,
        .status = n->priv.link.status,
        .reason = n->priv.link.reason,
        .attempts = n->priv.link.attempts,
        .ssid = n->priv.link.ssid,
    };
}

static adder_ip_t ip_of(const uint8_t b[4])
{
    return adder_ip_v4(b[0], b[1], b[2], b[3]);
}

void airnet_status(void *ctx, adder_net_status_t *out)
{
    const net_t *n = ctx;
    memset(out, 0, sizeof *out);
    out->link = n->priv.link.state;
    out->cause = n->priv.link.state == ADDER_NET_LINK_FAILED ? n->priv.link.cause : ADDER_OK;
    out->changes = n->priv.link.changes;
    out->features = ADDER_NET_HAS_TLS | ADDER_NET_HAS_SERVERS | ADDER_NET_HAS_RESOLVE;
    out->sockets = SOCKETS;
    out->datagram_max = ADDER_AIRLIFT_NET_TX_MIN;
    if (n->priv.link.state != ADDER_NET_LINK_UP) {
        return;
    }
    out->n_ips = 1;
    out->ips[0] = ip_of(n->priv.link.now_ip[0]);
    out->gateway = ip_of(n->priv.link.now_ip[2]);
    if (adder_ip_is_any(&out->gateway)) {
        out->gateway = (adder_ip_t){0};
    }
    out->n_dns = n->priv.link.n_dns;
    for (unsigned i = 0; i < out->n_dns; i++) {
        out->dns[i] = ip_of(n->priv.link.now_dns[i]);
    }
}
