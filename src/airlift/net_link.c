/* The link: what is to be, what the chip needs for it, and what becomes of it.
 *
 *   LEAVE  ->  certificate, key, name, address, enterprise  ->  JOIN  ->  POLL  ->  ADDRESS, DNS  ->  UP
 *                       ^                                                |                          |
 *                       +--------------  BACK_OFF  <--  why not?  <------+------------  lost  <-----+
 *
 * A step that does not apply is passed over. The whole way is gone again after each loss: the chip keeps
 * none of it over a restart, and to tell it twice does no harm. */
#include <string.h>

#include "net_int.h"

/* In order; each of the first part gives one command. */
enum {
    AT_REST,
    AT_LEAVE,
    AT_CERT,
    AT_KEY,
    AT_HOSTNAME,
    AT_IP,
    AT_IDENTITY,
    AT_USER,
    AT_ENT_PASSWORD,
    AT_ENTERPRISE,
    AT_JOIN,
    AT_POLL,
    AT_ADDRESS,
    AT_DNS,
    AT_ASK_DNS,
    AT_UP,
    AT_UP_SSID, /* status "scan done" hides the rest: is there a network's name? */
    AT_REASON,
    AT_SCAN,
    AT_BACK_OFF,
    AT_FAILED,
};

enum {
    POLL_US = 100 * MS,
    JOIN_US = 20 * S,
    SETTLE_US = 1 * S, /* 3.x: until then the status may be of before */
    RETRY_US = 100 * MS,
    GAP_MIN_US = 1 * S,
    GAP_V3_US = 10 * S, /* it rejoins by itself */
    GAP_MAX_US = 60 * S,
    FOR_EVER = 255,
};

static uint8_t major(const net_t *n)
{
    return n->priv.chip.firmware.major;
}

static bool enterprise(const net_t *n)
{
    return n->priv.link.mode == MODE_STATION && n->priv.link.security == ADDER_AIRLIFT_SECURITY_ENTERPRISE;
}

/* The access point of 3.x, of which status and address say nothing. */
static bool mute(const net_t *n)
{
    return n->priv.link.mode == MODE_ACCESS_POINT && major(n) >= 3;
}

static bool is_zero(const uint8_t *b, size_t len)
{
    while (len > 0 && b[len - 1] == 0) {
        len--;
    }
    return len == 0;
}

/* ---- state ---- */

static void set_state(net_t *n, adder_net_link_t state, adder_err_t cause)
{
    if (n->priv.link.state != state) {
        n->priv.link.state = state;
        n->priv.link.changes++;
    }
    n->priv.link.cause = cause;
}

static void enter(net_t *n, unsigned step, uint64_t due_us)
{
    n->priv.link.step = (uint8_t)step;
    n->priv.link.due_us = due_us;
    n->priv.link.tries = 0;
}

static void begin_anew(net_t *n)
{
    const bool off = n->priv.link.mode == MODE_OFF;
    set_state(n, off ? ADDER_NET_LINK_OFF : ADDER_NET_LINK_JOINING, ADDER_OK);
    enter(n, n->priv.link.dirty ? AT_LEAVE : off ? AT_REST : AT_CERT, 0);
}

/* The wish has changed: what was there goes. */
void airnet_link_changed(net_t *n)
{
    if (n->priv.link.state == ADDER_NET_LINK_UP) {
        airnet_streams_lost(n, ADDER_ERR_CLOSED);
    }
    n->priv.link.state = ADDER_NET_LINK_OFF;
    n->priv.link.was_up = false;
    n->priv.link.attempts = n->priv.link.gap_us = 0;
    n->priv.link.reason = 0;
    begin_anew(n);
    n->priv.link.changes++;
}

static void back_off(net_t *n)
{
    const uint32_t min = major(n) >= 3 && n->priv.link.was_up ? GAP_V3_US : GAP_MIN_US;
    n->priv.link.gap_us = airnet_double(n->priv.link.gap_us, min, GAP_MAX_US);
    set_state(n, ADDER_NET_LINK_JOINING, ADDER_OK);
    enter(n, AT_BACK_OFF, airnet_later(n, n->priv.link.gap_us));
}

/* An attempt failed. */
static void failed(net_t *n, adder_err_t cause)
{
    const uint8_t max = n->priv.link.attempts_max;
    if (n->priv.link.was_up || max == FOR_EVER || n->priv.link.attempts < max) {
        back_off(n);
        return;
    }
    set_state(n, ADDER_NET_LINK_FAILED, cause);
    enter(n, AT_FAILED, NEVER);
}

static void lost(net_t *n)
{
    airnet_streams_lost(n, ADDER_ERR_CLOSED);
    back_off(n);
}

void airnet_link_restarted(net_t *n)
{
    n->priv.link.dirty = n->priv.link.ip_sent = n->priv.link.cert_sent = n->priv.link.enterprise_sent = false;
    n->priv.link.gap_us = 0;
    if (n->priv.link.step != AT_FAILED || n->priv.link.cause == ADDER_ERR_IO) {
        begin_anew(n);
    }
}

void airnet_link_absent(net_t *n)
{
    if (n->priv.link.mode != MODE_OFF) {
        set_state(n, ADDER_NET_LINK_FAILED, ADDER_ERR_IO);
    }
}

void airnet_link_ask(net_t *n)
{
    if (n->priv.link.step == AT_UP) {
        n->priv.link.due_us = 0;
    }
}

/* ---- what next ---- */

/* Does the step apply? */
static bool applies(const net_t *n, unsigned step)
{
    switch (step) {
    case AT_CERT:
        return n->priv.link.cert != NULL && !n->priv.link.cert_sent;
    case AT_KEY:
        return n->priv.link.key != NULL && !n->priv.link.cert_sent;
    case AT_HOSTNAME:
        return n->priv.link.hostname[0] != '\0';
    case AT_IP: /* zeros: back to DHCP */
        return n->priv.link.has_ip || n->priv.link.ip_sent;
    case AT_IDENTITY:
    case AT_USER:
    case AT_ENT_PASSWORD:
    case AT_ENTERPRISE:
        return enterprise(n);
    case AT_POLL: /* 3.x tells of its station alone: the access point's answer was all */
    case AT_ADDRESS:
        return !mute(n);
    case AT_DNS: /* after the address: DHCP would overwrite it */
        return n->priv.link.has_dns;
    case AT_ASK_DNS:
        return major(n) >= 2;
    default:
        return true;
    }
}

static void pass_over(net_t *n)
{
    while (!applies(n, n->priv.link.step)) {
        n->priv.link.step++;
    }
}

static net_job_t job_of(const net_t *n)
{
    static const uint8_t jobs[] = {
        [AT_LEAVE] = JOB_LEAVE,
        [AT_CERT] = JOB_CERT,
        [AT_KEY] = JOB_KEY,
        [AT_HOSTNAME] = JOB_HOSTNAME,
        [AT_IP] = JOB_IP,
        [AT_IDENTITY] = JOB_IDENTITY,
        [AT_USER] = JOB_USER,
        [AT_ENT_PASSWORD] = JOB_ENT_PASSWORD,
        [AT_ENTERPRISE] = JOB_ENTERPRISE,
        [AT_JOIN] = JOB_JOIN,
        [AT_POLL] = JOB_STATUS,
        [AT_ADDRESS] = JOB_ADDRESS,
        [AT_DNS] = JOB_DNS,
        [AT_ASK_DNS] = JOB_ASK_DNS,
        [AT_UP] = JOB_STATUS,
        [AT_UP_SSID] = JOB_SSID,
        [AT_REASON] = JOB_REASON,
        [AT_SCAN] = JOB_SCAN,
        [AT_BACK_OFF] = JOB_STATUS,
        [AT_FAILED] = JOB_NONE,
    };
    return (net_job_t)jobs[n->priv.link.step];
}

net_job_t airnet_link_need(net_t *n, uint64_t *due_us)
{
    const bool station = n->priv.link.mode == MODE_STATION;
    if (n->priv.link.enterprise_sent && station && !enterprise(n) && n->priv.link.step <= AT_JOIN) {
        n->priv.restart = true; /* no command takes it back */
        n->priv.link.enterprise_sent = false;
    }
    if (n->priv.link.step > AT_REST && n->priv.link.step < AT_UP) {
        pass_over(n);
    }
    *due_us = n->priv.link.due_us;
    return job_of(n);
}

/* ---- what came of it ---- */

static void next(net_t *n)
{
    enter(n, n->priv.link.step + 1u, 0);
    pass_over(n);
    if (n->priv.link.step == AT_UP) {
        if (mute(n)) { /* every ESP32's */
            static const uint8_t own[3][4] = {{192, 168, 4, 1}, {255, 255, 255, 0}, {192, 168, 4, 1}};
            memcpy(n->priv.link.now_ip, own, sizeof own);
            n->priv.link.n_dns = 0;
        }
        n->priv.link.was_up = true;
        n->priv.link.gap_us = 0;
        n->priv.link.due_us = airnet_later(n, airnet_check_us(n));
        set_state(n, ADDER_NET_LINK_UP, ADDER_OK);
    }
}

/* Enterprise credentials that were refused look to 1.x and 2.x like a link that was lost; to 3.x, too, but
 * there a link on its way does as well. */
static bool barred(const net_t *n)
{
    return n->priv.link.security == ADDER_AIRLIFT_SECURITY_ENTERPRISE &&
           n->priv.link.status == ADDER_AIRLIFT_DISCONNECTED;
}

/* Why did it not let us in? The firmware's reason, or a look around. */
static void find_out(net_t *n)
{
    n->priv.link.reason = 0;
    if (major(n) >= 2) {
        enter(n, AT_REASON, 0);
    } else if (n->priv.link.status == ADDER_AIRLIFT_CONNECT_FAILED || barred(n)) {
        enter(n, AT_SCAN, 0);
    } else {
        failed(n, ADDER_ERR_TIMEOUT);
    }
}

static void polled(net_t *n, uint8_t status)
{
    const bool v3 = major(n) >= 3, ap = n->priv.link.mode == MODE_ACCESS_POINT;
    const uint64_t now = n->priv.now_us;
    if (status == ADDER_AIRLIFT_CONNECTED && !ap) {
        next(n);
        return;
    }
    if (ap && (status == ADDER_AIRLIFT_AP_LISTENING || status == ADDER_AIRLIFT_AP_CONNECTED)) {
        next(n);
        return;
    }
    if (ap && status == ADDER_AIRLIFT_AP_FAILED) {
        failed(n, ADDER_ERR_REFUSED);
        return;
    }
    /* 1.x says "no SSID" while it looks for it; 3.x when it has given up, and perhaps of an older try. */
    const bool settled = !v3 || now + JOIN_US >= n->priv.link.limit_us + SETTLE_US;
    const bool refused = status == ADDER_AIRLIFT_CONNECT_FAILED || (v3 && status == ADDER_AIRLIFT_NO_SSID) ||
                         (!v3 && barred(n) && now + JOIN_US >= n->priv.link.limit_us + SETTLE_US);
    if (!ap && ((refused && settled) || now >= n->priv.link.limit_us)) {
        find_out(n);
        return;
    }
    if (now >= n->priv.link.limit_us) {
        failed(n, ADDER_ERR_TIMEOUT);
        return;
    }
    n->priv.link.due_us = airnet_later(n, POLL_US);
}

/* It is there: sockets that wait for a verdict had an orderly end. */
static void still_up(net_t *n)
{
    enter(n, AT_UP, airnet_later(n, airnet_check_us(n)));
    for (unsigned i = 0; i < SOCKETS; i++) {
        sock_t *s = &n->priv.socks[i];
        if (s->phase == PHASE_UP && s->step == STEP_VERDICT) {
            airnet_fail(n, s, ADDER_ERR_END);
            airnet_reap(n, s);
        }
    }
}

static void reap_all(net_t *n)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        airnet_reap(n, &n->priv.socks[i]);
    }
}

static void checked(net_t *n, uint8_t status)
{
    const bool ap = n->priv.link.mode == MODE_ACCESS_POINT;
    if (mute(n)) {
        still_up(n); /* it answers: that is all that can be known */
    } else if (ap ? status == ADDER_AIRLIFT_AP_LISTENING || status == ADDER_AIRLIFT_AP_CONNECTED
                  : status == ADDER_AIRLIFT_CONNECTED) {
        still_up(n);
    } else if (status == ADDER_AIRLIFT_SCAN_DONE) {
        enter(n, AT_UP_SSID, 0);
    } else if (status == ADDER_AIRLIFT_IDLE || status >= ADDER_AIRLIFT_STOPPED) {
        /* Nothing else told of it, so sockets may have been set up since and their slots are not known to be:
         * from the beginning. */
        airnet_chip_restarted(n);
        n->priv.restart = true;
        reap_all(n);
    } else {
        lost(n);
        reap_all(n);
    }
}

static void address_done(net_t *n)
{
    const adder_airlift_result_t *r = &n->priv.chip.result;
    if (!is_zero(r->ip4[0], 4)) {
        memcpy(n->priv.link.now_ip, r->ip4, sizeof n->priv.link.now_ip);
        n->priv.link.n_dns = 0;
        next(n);
    } else if (n->priv.now_us < n->priv.link.limit_us) { /* not there yet */
        n->priv.link.due_us = airnet_later(n, POLL_US);
    } else {
        failed(n, ADDER_ERR_TIMEOUT);
    }
}

static void ask_dns_done(net_t *n)
{
    n->priv.link.n_dns = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (!is_zero(n->priv.chip.result.ip4[i], 4)) {
            memcpy(n->priv.link.now_dns[n->priv.link.n_dns++], n->priv.chip.result.ip4[i], 4);
        }
    }
    next(n);
}

static void status_done(net_t *n)
{
    n->priv.link.status = (uint8_t)n->priv.chip.result.number;
    switch (n->priv.link.step) {
    case AT_POLL:
        polled(n, n->priv.link.status);
        break;
    case AT_BACK_OFF: /* 3.x may have come back by itself */
        if (n->priv.link.status == ADDER_AIRLIFT_CONNECTED && n->priv.link.mode == MODE_STATION) {
            n->priv.link.limit_us = airnet_later(n, JOIN_US);
            enter(n, AT_ADDRESS, 0);
        } else {
            begin_anew(n);
        }
        break;
    default:
        checked(n, n->priv.link.status);
    }
}

/* The reply is lost, or says no to what a working chip does not refuse. */
static void step_failed(net_t *n, net_job_t job, adder_err_t err)
{
    if (job == JOB_REASON) {
        failed(n, airnet_reason_cause(n, err));
    } else if (job == JOB_SCAN) {
        failed(n, airnet_scan_cause(n, err, NULL));
    } else if (err == ADDER_ERR_CLOSED || err == ADDER_ERR_NOT_FOUND || err == ADDER_ERR_STATE) {
        return; /* the chip was reset: from the start again, or it is not there */
    } else if (!airnet_answered(err) && n->priv.link.tries < TRIES) {
        n->priv.link.tries++;
        n->priv.link.due_us = airnet_later(n, RETRY_US);
    } else if (n->priv.link.step == AT_LEAVE && n->priv.link.mode == MODE_OFF) {
        enter(n, AT_REST, NEVER);
    } else if (n->priv.link.step == AT_LEAVE) {
        next(n); /* what follows shows whether it matters */
    } else if (n->priv.link.step == AT_UP || n->priv.link.step == AT_UP_SSID) {
        lost(n);
        reap_all(n);
    } else if (n->priv.link.step == AT_BACK_OFF) {
        begin_anew(n);
    } else {
        failed(n, err);
    }
}

void airnet_link_done(net_t *n, net_job_t job, adder_err_t err)
{
    const uint8_t rx = n->priv.job_sock;
    n->priv.job_sock = NONE;
    if (n->priv.link.mode == MODE_OFF && n->priv.link.step != AT_LEAVE) {
        return;
    }
    if (job != job_of(n)) { /* the wish has changed meanwhile */
        return;
    }
    if (err != ADDER_OK) {
        step_failed(n, job, err);
        return;
    }
    switch (job) {
    case JOB_LEAVE:
        n->priv.link.dirty = false;
        if (n->priv.link.mode == MODE_OFF) {
            enter(n, AT_REST, NEVER);
            return;
        }
        break;
    case JOB_KEY:
        n->priv.link.cert_sent = true;
        break;
    case JOB_IP:
        n->priv.link.ip_sent = n->priv.link.has_ip;
        break;
    case JOB_ENTERPRISE:
        n->priv.link.enterprise_sent = true;
        break;
    case JOB_JOIN:
        n->priv.link.limit_us = airnet_later(n, JOIN_US);
        break;
    case JOB_STATUS:
        status_done(n);
        return;
    case JOB_SSID:
        if (n->priv.chip.result.len > 0) {
            still_up(n);
        } else {
            lost(n);
            reap_all(n);
        }
        return;
    case JOB_DNS:
        n->priv.link.n_dns = 0;
        for (unsigned i = 0; i < 2; i++) {
            if (!is_zero(n->priv.link.dns[i], 4)) {
                memcpy(n->priv.link.now_dns[n->priv.link.n_dns++], n->priv.link.dns[i], 4);
            }
        }
        break;
    case JOB_ADDRESS:
        address_done(n);
        return;
    case JOB_ASK_DNS:
        ask_dns_done(n);
        return;
    case JOB_REASON:
        failed(n, airnet_reason_cause(n, err));
        return;
    case JOB_SCAN:
        failed(n, airnet_scan_cause(n, err, n->priv.c.rx + rx * n->priv.c.rx_size));
        return;
    default:
        break;
    }
    next(n);
}
