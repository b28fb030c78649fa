#include "adder/sntp.h"

#include <string.h>

#include "adder/bytes.h"

enum {
    VERSION = 4,
    MODE_CLIENT = 3,
    MODE_SERVER = 4,
    DISTANCE_MAX_MS = 1500, /* RFC 5905: MAXDIST */
    REBASE_MS = 86400000,
    FAILURE_PAUSE_S = 16,
};

#define UNIX_OF_NTP_0 (-2208988800LL) /* 1900-01-01 */
#define NOT_BEFORE_S 1735689600LL     /* 2025-01-01 */
#define ERA_S 4294967296LL

/* ---- NTP's number formats ---- */

typedef struct {
    uint32_t s, fraction;
} stamp_t;

static stamp_t read_stamp(adder_cursor_t *c)
{
    uint32_t s = adder_cursor_be32(c);
    return (stamp_t){s, adder_cursor_be32(c)};
}

static uint32_t fraction_ms(uint32_t fraction)
{
    return (uint32_t)((uint64_t)fraction * 1000 >> 32);
}

/* 16.16 seconds, saturating where milliseconds do not fit a sane range anyway. */
static uint32_t short_ms(uint32_t value)
{
    return (uint32_t)((uint64_t)value * 1000 >> 16);
}

/* The first moment at or after not_before that a clock of 32 bits shows so. */
static int64_t unix_ms_of(const adder_sntp_t *s, stamp_t t)
{
    int64_t first = UNIX_OF_NTP_0 + t.s;
    int64_t behind = s->priv.config.not_before_s - first;
    if (behind > 0)
        first += (behind + ERA_S - 1) / ERA_S * ERA_S;
    return first * 1000 + fraction_ms(t.fraction);
}

/* b - a in milliseconds, across the end of an era. */
static int64_t stamp_diff_ms(stamp_t a, stamp_t b)
{
    int64_t seconds = (int32_t)(b.s - a.s);
    return seconds * 1000 + (int64_t)fraction_ms(b.fraction) - (int64_t)fraction_ms(a.fraction);
}

/* ---- pauses and servers ---- */

static void pause_for(adder_sntp_t *s, uint32_t now_ms, uint32_t seconds)
{
    s->priv.waiting = false;
    s->priv.due = false;
    s->priv.from_ms = now_ms;
    s->priv.span_ms = seconds * 1000;
}

static bool all_denied(const adder_sntp_t *s)
{
    return s->priv.denied == (1u << s->priv.config.n_servers) - 1;
}

/* The next server that still talks to us. True: the turn is over, the first one comes again. */
static bool next_server(adder_sntp_t *s)
{
    unsigned before = s->priv.server;
    for (unsigned i = 1; i <= s->priv.config.n_servers; i++) {
        unsigned server = (before + i) % s->priv.config.n_servers;
        if ((s->priv.denied >> server & 1) == 0) {
            s->priv.server = (uint8_t)server;
            break;
        }
    }
    return s->priv.server <= before;
}

/* Another server at once; after a turn without success a pause, each twice the last. */
static void failed(adder_sntp_t *s, uint32_t now_ms)
{
    uint32_t pause_s = 0;
    if (next_server(s)) {
        pause_s = (uint32_t)FAILURE_PAUSE_S << s->priv.failures;
        if (pause_s >= ADDER_SNTP_MAX_S)
            pause_s = ADDER_SNTP_MAX_S;
        else
            s->priv.failures++;
        /* A server that asked for fewer requests has its way after failures too. */
        if (pause_s < s->priv.poll_s && strcmp(s->info.kiss, "RATE") == 0)
            pause_s = s->priv.poll_s;
    }
    pause_for(s, now_ms, pause_s);
}

/* ---- the engine ---- */

void adder_sntp_init(adder_sntp_t *s, const adder_sntp_config_t *config, adder_random_fn random,
                     void *random_ctx, uint32_t now_ms)
{
    memset(s, 0, sizeof *s);
    s->priv.config = *config;
    adder_sntp_config_t *c = &s->priv.config;
    if (c->n_servers == 0)
        c->n_servers = 1;
    if (c->n_servers > ADDER_SNTP_SERVERS)
        c->n_servers = ADDER_SNTP_SERVERS;
    if (c->timeout_ms == 0)
        c->timeout_ms = 5000;
    if (c->not_before_s == 0)
        c->not_before_s = NOT_BEFORE_S;
    s->priv.poll_s = c->poll_s == 0 ? 1024 : c->poll_s;
    if (s->priv.poll_s < ADDER_SNTP_MIN_S)
        s->priv.poll_s = ADDER_SNTP_MIN_S;
    if (s->priv.poll_s > ADDER_SNTP_MAX_S)
        s->priv.poll_s = ADDER_SNTP_MAX_S;
    s->priv.random = random;
    s->priv.random_ctx = random_ctx;
    pause_for(s, now_ms, 0);
}

adder_err_t adder_sntp_tick(adder_sntp_t *s, uint32_t now_ms, uint32_t *wait_ms_out)
{
    /* Milliseconds of 32 bits wrap after 49 days; the base moves along. */
    uint32_t age = now_ms - s->priv.base_ms;
    if (s->priv.known && age >= REBASE_MS) {
        s->priv.base_unix_ms += age;
        s->priv.base_ms = now_ms;
    }
    uint32_t past = now_ms - s->priv.from_ms;
    *wait_ms_out = UINT32_MAX;
    if (!all_denied(s)) {
        if (s->priv.waiting && past >= s->priv.span_ms) {
            failed(s, now_ms);
            past = 0;
        }
        if (!s->priv.waiting && past >= s->priv.span_ms)
            s->priv.due = true;
        *wait_ms_out = s->priv.due ? 0 : s->priv.span_ms - past;
    }
    if (s->priv.known && *wait_ms_out > REBASE_MS)
        *wait_ms_out = REBASE_MS;
    return s->priv.known ? ADDER_OK : all_denied(s) ? ADDER_ERR_REFUSED : ADDER_ERR_AGAIN;
}

unsigned adder_sntp_server(const adder_sntp_t *s)
{
    return s->priv.server;
}

adder_err_t adder_sntp_out(adder_sntp_t *s, uint8_t out[ADDER_SNTP_PACKET], uint32_t now_ms)
{
    if (!s->priv.due || all_denied(s))
        return ADDER_ERR_AGAIN;
    for (size_t i = 0; i < 8; i += 4) {
        uint32_t r = s->priv.random(s->priv.random_ctx);
        for (size_t k = 0; k < 4; k++)
            s->priv.nonce[i + k] = (uint8_t)(r >> (8 * k));
    }
    memset(out, 0, ADDER_SNTP_PACKET);
    out[0] = VERSION << 3 | MODE_CLIENT;
    memcpy(out + 40, s->priv.nonce, 8); /* "transmit timestamp" */
    s->priv.due = false;
    s->priv.waiting = true;
    s->priv.from_ms = s->priv.sent_ms = now_ms;
    s->priv.span_ms = s->priv.config.timeout_ms;
    return ADDER_OK;
}

static void kiss_of_death(adder_sntp_t *s, const uint8_t code[4], uint32_t now_ms)
{
    for (size_t i = 0; i < 4; i++)
        s->info.kiss[i] = code[i] >= ' ' && code[i] < 0x7f ? (char)code[i] : '?';
    s->info.refused_why = ADDER_ERR_REFUSED;
    s->info.refused++;
    if (memcmp(code, "RATE", 4) == 0) {
        s->priv.poll_s = s->priv.poll_s > ADDER_SNTP_MAX_S / 2 ? ADDER_SNTP_MAX_S : s->priv.poll_s * 2;
        (void)next_server(s);
        pause_for(s, now_ms, s->priv.poll_s);
        return;
    }
    s->priv.denied = (uint8_t)(s->priv.denied | 1u << s->priv.server);
    failed(s, now_ms);
}

bool adder_sntp_in(adder_sntp_t *s, const uint8_t *bytes, size_t len, uint32_t now_ms)
{
    if (!s->priv.waiting || len < ADDER_SNTP_PACKET || memcmp(bytes + 24, s->priv.nonce, 8) != 0)
        return false;
    unsigned version = bytes[0] >> 3 & 7, leap = bytes[0] >> 6, stratum = bytes[1];
    if ((bytes[0] & 7) != MODE_SERVER || version < 3 || version > VERSION)
        return false;
    if (stratum == 0) {
        kiss_of_death(s, bytes + 12, now_ms);
        return true;
    }
    adder_cursor_t c = adder_cursor(bytes + 4, ADDER_SNTP_PACKET - 4);
    uint32_t root_delay = adder_cursor_be32(&c);
    uint32_t root_dispersion = adder_cursor_be32(&c);
    adder_cursor_skip(&c, 4 + 8 + 8); /* its source, when that was asked, our number */
    stamp_t received = read_stamp(&c), sent = read_stamp(&c);
    uint32_t round_trip = now_ms - s->priv.sent_ms;
    int64_t inside = stamp_diff_ms(received, sent);

    adder_err_t why = ADDER_OK;
    if (leap == 3 || stratum > 15 || (sent.s == 0 && sent.fraction == 0))
        why = ADDER_ERR_STATE;
    else if (inside < 0 || inside > (int64_t)round_trip + 1) /* 1: both are rounded */
        why = ADDER_ERR_FORMAT;
    else if ((uint64_t)short_ms(root_delay) / 2 + short_ms(root_dispersion) > DISTANCE_MAX_MS)
        why = ADDER_ERR_RANGE;
    if (why != ADDER_OK) {
        s->info.refused++;
        s->info.refused_why = why;
        failed(s, now_ms);
        return true;
    }
    uint32_t delay = inside >= (int64_t)round_trip ? 0 : round_trip - (uint32_t)inside;
    s->info.leap = (uint8_t)leap;
    s->info.stratum = (uint8_t)stratum;
    s->info.delay_ms = delay;
    s->info.replies++;
    s->priv.base_unix_ms = unix_ms_of(s, sent) + delay / 2; /* as long back as there */
    s->priv.base_ms = now_ms;
    s->priv.known = true;
    s->priv.failures = 0;
    pause_for(s, now_ms, s->priv.poll_s);
    return true;
}

adder_err_t adder_sntp_time(const adder_sntp_t *s, uint32_t now_ms, int64_t *unix_ms_out)
{
    if (!s->priv.known)
        return ADDER_ERR_AGAIN;
    *unix_ms_out = s->priv.base_unix_ms + (uint32_t)(now_ms - s->priv.base_ms);
    return ADDER_OK;
}
