/* One ICMP echo. The gateway, this computer and mapped hosts are answered by the model; others are asked
 * by this computer, where it lets programs ping. */
#include "sim/radio.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NEAR_US = 2600 };

void radio_ping_cancel(sim_radio_t *r)
{
    if (r->ping.fd >= 0)
        close(r->ping.fd);
    r->ping.fd = -1;
    r->ping.active = false;
}

static uint16_t checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t) ~((sum & 0xFFFF) + (sum >> 16));
}

/* An unprivileged ICMP socket where the system allows it, a raw one for root. */
static void send_echo(sim_radio_t *r)
{
    uint8_t packet[40] = {ICMP_ECHO, 0, 0, 0, 0xAD, 0xAD, (uint8_t)(r->ping.seq >> 8), (uint8_t)r->ping.seq};
    const uint16_t sum = checksum(packet, sizeof packet);
    packet[2] = (uint8_t)(sum >> 8);
    packet[3] = (uint8_t)sum;
    struct sockaddr_in a = {.sin_family = AF_INET};
    memcpy(&a.sin_addr, r->ping.ip4, 4);
    r->ping.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (r->ping.fd < 0)
        r->ping.fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (r->ping.fd < 0)
        sim_chip_log(&r->chip, "ping: this computer does not let programs ping (%s)", strerror(errno));
    else if (sendto(r->ping.fd, packet, sizeof packet, 0, (struct sockaddr *)&a, sizeof a) < 0)
        sim_chip_log(&r->chip, "ping: %s", strerror(errno)); /* no answer, then */
}

static bool echo_answered(const sim_radio_t *r)
{
    uint8_t buf[128];
    for (int i = 0; i < 8 && r->ping.fd >= 0; i++) {
        const ssize_t got = recv(r->ping.fd, buf, sizeof buf, MSG_DONTWAIT);
        if (got <= 0)
            return false;
        const size_t header = buf[0] >> 4 == 4 ? (size_t)(buf[0] & 15) * 4u : 0; /* raw: IP header first */
        if (header + 8 <= (size_t)got && buf[header] == ICMP_ECHOREPLY &&
            (buf[header + 6] << 8 | buf[header + 7]) == r->ping.seq)
            return true;
    }
    return false;
}

static bool is(const adder_ip_t *ip, const uint8_t ip4[4])
{
    return ip->family == ADDER_IP_V4 && memcmp(ip->bytes, ip4, 4) == 0;
}

static void start(sim_radio_t *r, const adder_ip_t *to, uint64_t now_us)
{
    const sim_network_t *net = sim_chip_network(&r->chip);
    sim_endpoint_t there;
    radio_ping_cancel(r);
    r->ping.active = true;
    r->ping.sent_us = now_us;
    r->ping.due_us = now_us + NEAR_US;
    r->ping.seq++;
    r->count.pings++;
    memcpy(r->ping.ip4, to->bytes, 4);
    const uint8_t *ip4 = r->ping.ip4;
    const bool near = is(&r->gateway, ip4) || is(&r->address, ip4) || is(&r->dns, ip4) || ip4[0] == 127 ||
                      (ip4[0] == 198 && ip4[1] == 18);
    const bool known = sim_network_route(net, ip4, 7, &there) == ADDER_OK;
    r->ping.modelled = near || (known && !net->outside);
    if (!r->ping.modelled && known)
        send_echo(r);
}

adder_err_t radio_ping(void *ctx, const adder_ip_t *to, uint32_t timeout_ms, uint32_t *rtt_us_out)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    sim_poll(r->chip.board);
    const uint64_t now_us = sim_now(r->chip.board);
    adder_err_t err = radio_gate(r);
    if (err == ADDER_OK && !radio_linked(r))
        err = ADDER_ERR_STATE;
    if (err == ADDER_OK && to->family != ADDER_IP_V4)
        err = ADDER_ERR_UNSUPPORTED;
    if (err == ADDER_OK) {
        if (!r->ping.active || memcmp(r->ping.ip4, to->bytes, 4) != 0)
            start(r, to, now_us);
        const bool answered = r->ping.modelled ? now_us >= r->ping.due_us : echo_answered(r);
        const uint64_t took_us = now_us - r->ping.sent_us;
        if (answered)
            *rtt_us_out = (uint32_t)took_us;
        err = answered                                  ? ADDER_OK
              : took_us >= (uint64_t)timeout_ms * 1000u ? ADDER_ERR_TIMEOUT
                                                        : ADDER_ERR_AGAIN;
    }
    if (err != ADDER_ERR_AGAIN)
        radio_ping_cancel(r);
    sim_chip_changed(&r->chip);
    sim_leave(r->chip.board);
    return err;
}
