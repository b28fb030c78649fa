/* Names and pings: the two questions whose answers come from elsewhere. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/chips/esp32_nina_handlers.h"

enum {
    DNS_US = 12000,        /* an answer from the access point's own server */
    DNS_FAIL_US = 45000,   /* no such name */
    DNS_GONE_US = 4000000, /* retries without an answer */
    PING_NEAR_US = 2600,
    PING_LIMIT_US = 5000000,
};

void nina_op_cancel(nina_t *n)
{
    sim_lookup_close(n->op.lookup);
    nina_conn_close(n, &n->op.conn);
    if (n->op.raw_fd >= 0) {
        (void)close(n->op.raw_fd);
    }
    n->op = (nina_op_t){.raw_fd = -1};
    n->step = NULL;
}

/* ---- names ---- */

void nina_lookup_begin(nina_t *n, uint64_t now_us)
{
    adder_err_t err = ADDER_ERR_NOT_FOUND;
    if (n->wifi.linked) { /* an access point of one's own has no name server */
        err = sim_network_resolve(sim_chip_network(&n->chip), n->op.host, n->op.ip);
    }
    n->op.raw_fd = -1;
    if (err == ADDER_ERR_AGAIN) {
        n->op.lookup = sim_lookup_start(n->op.host);
        n->op.give_up_us = now_us + nina_scaled(n, DNS_GONE_US * 3u);
        n->op.due_us = now_us + 1000;
        n->op.sent_us = n->op.lookup != NULL ? 0 : 1;
    } else {
        n->op.sent_us = err == ADDER_OK ? 0 : 1; /* 1: fails when due */
        n->op.due_us = now_us + nina_scaled(n, err == ADDER_OK ? DNS_US : DNS_FAIL_US);
    }
}

nina_lookup_t nina_lookup_poll(nina_t *n, uint64_t now_us)
{
    if (now_us < n->op.due_us) {
        return NINA_LOOKUP_WAIT;
    }
    bool found = n->op.sent_us == 0;
    if (n->op.lookup != NULL) {
        const adder_err_t err = sim_lookup_poll(n->op.lookup, n->op.ip);
        if (err == ADDER_ERR_AGAIN && now_us < n->op.give_up_us) {
            n->op.due_us = now_us + 1000;
            return NINA_LOOKUP_WAIT;
        }
        found = err == ADDER_OK;
        sim_lookup_close(n->op.lookup);
        n->op.lookup = NULL;
    }
    if (!found) {
        const sim_network_t *net = sim_chip_network(&n->chip);
        sim_chip_log(&n->chip, "no address for \"%s\"%s", n->op.host,
                     !n->wifi.linked ? ": not joined to a network"
                     : !net->outside ? ": not in \"hosts\", and the network has no outside"
                                     : "");
    }
    return found ? NINA_LOOKUP_FOUND : NINA_LOOKUP_FAILED;
}

static bool host_step(nina_t *n, uint64_t now_us)
{
    const nina_lookup_t found = nina_lookup_poll(n, now_us);
    if (found == NINA_LOOKUP_WAIT) {
        return false;
    }
    if (found == NINA_LOOKUP_FOUND) {
        memcpy(n->resolved, n->op.ip, 4);
    }
    nina_reply_u8(n, found == NINA_LOOKUP_FOUND);
    return true;
}

nina_result_t nina_req_host(nina_t *n, uint64_t now_us)
{
    nina_op_cancel(n);
    (void)nina_text(n, 3, n->op.host, 255); /* cannot fail: a length is one byte */
    if (n->fw->lookup_forgets) {
        memset(n->resolved, 0xFF, 4);
    }
    nina_lookup_begin(n, now_us);
    n->step = host_step;
    return NINA_WAIT;
}

nina_result_t nina_get_host(nina_t *n, uint64_t now_us)
{
    (void)now_us;
    return nina_reply_bytes(n, n->resolved, 4);
}

/* ---- ping ---- */

static uint16_t checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t) ~((sum & 0xFFFF) + (sum >> 16));
}

/* An unprivileged ICMP socket where the system allows it, a raw one for root. */
static bool send_echo(nina_t *n, uint8_t ttl)
{
    uint8_t packet[40] = {ICMP_ECHO, 0, 0, 0, 0xAF, 0xAF};
    packet[6] = (uint8_t)(n->op.seq >> 8);
    packet[7] = (uint8_t)n->op.seq;
    const uint16_t sum = checksum(packet, sizeof packet);
    packet[2] = (uint8_t)(sum >> 8);
    packet[3] = (uint8_t)sum;
    struct sockaddr_in a = {.sin_family = AF_INET};
    memcpy(&a.sin_addr, n->op.ip, 4);
    n->op.raw_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (n->op.raw_fd < 0) {
        n->op.raw_fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    }
    if (n->op.raw_fd < 0) {
        sim_chip_log(&n->chip, "ping: this computer does not let programs ping (%s)", strerror(errno));
        return false;
    }
    const int hops = ttl;
    (void)setsockopt(n->op.raw_fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
    return sendto(n->op.raw_fd, packet, sizeof packet, 0, (struct sockaddr *)&a, sizeof a) ==
           (ssize_t)sizeof packet;
}

static bool echo_answered(const nina_t *n)
{
    uint8_t buf[128];
    for (int i = 0; i < 8; i++) {
        const ssize_t got = recv(n->op.raw_fd, buf, sizeof buf, MSG_DONTWAIT);
        if (got <= 0) {
            return false;
        }
        const size_t header = buf[0] >> 4 == 4 ? (size_t)(buf[0] & 15) * 4u : 0; /* raw: IP header first */
        if (header + 8 <= (size_t)got && buf[header] == ICMP_ECHOREPLY &&
            (buf[header + 6] << 8 | buf[header + 7]) == n->op.seq) {
            return true;
        }
    }
    return false;
}

static bool ping_step(nina_t *n, uint64_t now_us)
{
    const bool modelled = n->op.raw_fd < 0 && n->op.stage == 1;
    if (now_us < n->op.due_us) {
        return false;
    }
    if (modelled || (n->op.raw_fd >= 0 && echo_answered(n))) {
        nina_reply_u16le(n, (uint16_t)((now_us - n->op.sent_us + 999) / 1000));
        return true;
    }
    if (now_us < n->op.give_up_us) {
        return false;
    }
    nina_reply_u16le(n, 0xFFFF); /* -1 */
    return true;
}

nina_result_t nina_ping(nina_t *n, uint64_t now_us)
{
    const sim_network_t *net = sim_chip_network(&n->chip);
    nina_op_cancel(n);
    nina_bytes(n, 4, n->op.ip, 4);
    n->op.sent_us = now_us;
    n->op.give_up_us = now_us + nina_scaled(n, PING_LIMIT_US);
    n->op.seq = (uint16_t)(n->count.frames & 0xFFFF);
    n->step = ping_step;
    sim_endpoint_t to;
    const bool near = memcmp(n->op.ip, n->wifi.gateway, 4) == 0 || memcmp(n->op.ip, n->wifi.ip, 4) == 0 ||
                      memcmp(n->op.ip, net->dns, 4) == 0 || n->op.ip[0] == 127 ||
                      (n->op.ip[0] == 198 && n->op.ip[1] == 18);
    const bool known = nina_route(n, n->op.ip, 7, &to) == ADDER_OK;
    if (nina_online(n) && (near || (known && !net->outside))) {
        n->op.stage = 1; /* answers by itself: the access point, this computer, a host of the network */
        n->op.due_us = now_us + PING_NEAR_US;
    } else if (!nina_online(n) || !known || !send_echo(n, nina_u8(n, 9))) {
        n->op.due_us = n->op.give_up_us;
    }
    return NINA_WAIT;
}
