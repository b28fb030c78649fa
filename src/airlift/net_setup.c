/* The link's commands, and why it was not let in. */
#include <string.h>

#include "net_int.h"

enum { SCAN_MAX = 10 }; /* networks that 1.x lists */

enum { /* 802.11, and the chip's own */
       REASON_AUTH_EXPIRED = 2,
       REASON_HANDSHAKE = 15,
       REASON_802_1X = 23,
       REASON_NO_AP = 201,
       REASON_AUTH = 202,
       REASON_ASSOC = 203,
       REASON_HANDSHAKE_TIMEOUT = 204,
};

adder_err_t airnet_link_begin(net_t *n, net_job_t job)
{
    static const uint8_t zeros[4];
    adder_airlift_t *a = &n->priv.chip;
    const char *pass = n->priv.link.password;
    switch (job) {
    case JOB_LEAVE:
        return adder_airlift_begin_disconnect(a);
    case JOB_CERT:
        return adder_airlift_begin_set_client_cert(a, n->priv.link.cert, n->priv.link.cert_len);
    case JOB_KEY:
        return adder_airlift_begin_set_private_key(a, n->priv.link.key, n->priv.link.key_len);
    case JOB_HOSTNAME:
        return adder_airlift_begin_set_hostname(a, n->priv.link.hostname);
    case JOB_IP:
        return n->priv.link.has_ip
                   ? adder_airlift_begin_set_ip(a, n->priv.link.ip[0], n->priv.link.ip[1], n->priv.link.ip[2])
                   : adder_airlift_begin_set_ip(a, zeros, zeros, zeros);
    case JOB_IDENTITY:
        return adder_airlift_begin_enterprise_identity(a, n->priv.link.identity);
    case JOB_USER:
        return adder_airlift_begin_enterprise_user(a, n->priv.link.user);
    case JOB_ENT_PASSWORD:
        return adder_airlift_begin_enterprise_password(a, pass);
    case JOB_ENTERPRISE:
        return adder_airlift_begin_enterprise_enable(a);
    case JOB_JOIN:
        n->priv.link.attempts += n->priv.link.tries == 0;
        n->priv.link.dirty = true;
        if (n->priv.link.mode == MODE_ACCESS_POINT) {
            return adder_airlift_begin_access_point(a, n->priv.link.ssid, pass[0] != '\0' ? pass : NULL,
                                                    n->priv.link.channel);
        }
        if (n->priv.link.security == ADDER_AIRLIFT_SECURITY_WEP) {
            return adder_airlift_begin_join_wep(a, n->priv.link.ssid, pass);
        }
        if (n->priv.link.security == ADDER_AIRLIFT_SECURITY_WPA) {
            return adder_airlift_begin_join(a, n->priv.link.ssid, pass);
        }
        return adder_airlift_begin_join_open(a, n->priv.link.ssid);
    case JOB_STATUS:
        return adder_airlift_begin_status(a);
    case JOB_SSID:
        return adder_airlift_begin_ssid(a);
    case JOB_DNS:
        return adder_airlift_begin_set_dns(a, n->priv.link.dns[0], n->priv.link.dns[1]);
    case JOB_ASK_DNS:
        return adder_airlift_begin_dns(a);
    case JOB_REASON:
        return adder_airlift_begin_reason(a);
    case JOB_SCAN: /* into a receive buffer that nobody uses; nobody can take it before it has ended */
        for (uint8_t i = 0; i < n->priv.c.rx_count; i++) {
            if (n->priv.rx_owner[i] == NONE) {
                n->priv.job_sock = i;
                return adder_airlift_begin_scan(a, n->priv.c.rx + i * n->priv.c.rx_size, n->priv.c.rx_size);
            }
        }
        return ADDER_ERR_NOMEM;
    default:
        return adder_airlift_begin_ip(a);
    }
}

/* By the firmware's reason, or by its status if it has none. */
adder_err_t airnet_reason_cause(net_t *n, adder_err_t err)
{
    n->priv.link.reason = err == ADDER_OK ? (uint8_t)n->priv.chip.result.number : 0;
    switch (n->priv.link.reason) {
    case REASON_NO_AP:
        return ADDER_ERR_NOT_FOUND;
    case REASON_AUTH_EXPIRED:
    case REASON_HANDSHAKE:
    case REASON_AUTH:
    case REASON_ASSOC:
    case REASON_802_1X:
    case REASON_HANDSHAKE_TIMEOUT:
        return ADDER_ERR_REFUSED;
    default:
        return n->priv.link.status == ADDER_AIRLIFT_NO_SSID          ? ADDER_ERR_NOT_FOUND
               : n->priv.link.status == ADDER_AIRLIFT_CONNECT_FAILED ? ADDER_ERR_REFUSED
                                                                     : ADDER_ERR_TIMEOUT;
    }
}

/* 1.x tells no reason: is the network there? */
adder_err_t airnet_scan_cause(const net_t *n, adder_err_t err, const uint8_t *names)
{
    const adder_airlift_result_t *r = &n->priv.chip.result;
    const size_t len = strlen(n->priv.link.ssid);
    bool found = err != ADDER_OK || r->number >= SCAN_MAX; /* or it may be: not all are listed */
    for (size_t at = 0; err == ADDER_OK && at < r->len; at += 1u + names[at]) {
        found |=
            names[at] == len && at + 1 + len <= r->len && memcmp(names + at + 1, n->priv.link.ssid, len) == 0;
    }
    return found ? ADDER_ERR_REFUSED : ADDER_ERR_NOT_FOUND;
}
