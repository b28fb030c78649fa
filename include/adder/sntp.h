/* Time from the network: a client of SNTP (RFC 4330; RFC 5905 section 14), over any UDP socket.
 *
 *     adder_sntp_init(&s, &config, random32, rng);
 *     for (;;) {
 *         adder_err_t err = adder_sntp_tick(&s, now_ms, &wait_ms);
 *         if (adder_sntp_out(&s, request, now_ms) == ADDER_OK)          // 48 bytes, to port 123 of server
 *             send_to(servers[adder_sntp_server(&s)], request, ADDER_SNTP_PACKET);
 *         if (receive(buf, sizeof buf, &len) == ADDER_OK)
 *             adder_sntp_in(&s, buf, len, now_ms);
 *         if (adder_sntp_time(&s, now_ms, &unix_ms) == ADDER_OK) ...    // runs on between two replies
 *     }
 *
 * An engine: no sockets, no clock. The request carries nothing but a random number in the place of our
 * time, and only a reply that gives it back (64 bits) is looked at; so a late, doubled or forged one is
 * dropped. A reply is refused when the server is not synchronized (leap 3, stratum 0 or above 15), its
 * stamps contradict each other, or its distance to the true time is above a second and a half.
 * Kiss-o'-death (stratum 0): RATE doubles the time between requests for good; DENY, RSTR and any other
 * code: that server is not asked again.
 *
 * NTP's seconds are 32 bits and begin again on 2036-02-07. A stamp is read as the first such moment at or
 * after `not_before`, so the time is right for 136 years from there.
 *
 * Threading: one thread at a time. RAM: 120 bytes; stack 100. Invariants under any datagrams
 * (fuzzed):
 *   1. no byte outside the datagram is read;
 *   2. a datagram without the number of the request under way changes nothing;
 *   3. a time that is given is at or after not_before and less than 2^32 seconds after it, plus the time
 *      that has passed since;
 *   4. two requests are never closer than ADDER_SNTP_MIN_S, except to another server. */
#ifndef ADDER_SNTP_H
#define ADDER_SNTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/dns.h" /* adder_random_fn */
#include "adder/err.h"

#define ADDER_SNTP_PORT 123
#define ADDER_SNTP_PACKET 48
#define ADDER_SNTP_MIN_S 15    /* RFC 4330 section 10 */
#define ADDER_SNTP_MAX_S 36864 /* the longest pause after failures, about 10 hours */
#define ADDER_SNTP_SERVERS 8

typedef struct {
    uint8_t n_servers;    /* 1..ADDER_SNTP_SERVERS; the caller knows which they are */
    uint32_t timeout_ms;  /* for one reply; 0 = 5000 */
    uint32_t poll_s;      /* between successes; 0 = 1024; at least ADDER_SNTP_MIN_S */
    int64_t not_before_s; /* Unix time that is past for sure: the build's date; 0 = 2025-01-01 */
} adder_sntp_config_t;

typedef struct {
    uint8_t leap;              /* 0 none, 1 a second more, 2 one less at the end of the day */
    uint8_t stratum;           /* 1..15 */
    uint32_t delay_ms;         /* there and back, without the server's own time */
    uint32_t replies, refused; /* taken, and not taken though they carried our number */
    adder_err_t refused_why;   /* the last one: FORMAT (contradicts itself), STATE (not synchronized),
                                * RANGE (too far off), REFUSED (kiss-o'-death) */
    char kiss[5];              /* the last kiss-o'-death's code, "" = none */
} adder_sntp_info_t;

typedef struct {
    adder_sntp_info_t info; /* for reading */
    struct {
        adder_sntp_config_t config;
        adder_random_fn random;
        void *random_ctx;
        uint8_t server;
        uint8_t denied; /* a bit for each server */
        uint8_t failures;
        bool waiting, due, known;
        uint8_t nonce[8];
        uint32_t from_ms, span_ms; /* the pause or the wait under way */
        uint32_t sent_ms;
        uint32_t poll_s;
        int64_t base_unix_ms; /* the time at base_ms */
        uint32_t base_ms;
    } priv;
} adder_sntp_t;

/* The configuration is copied. The first request is due at once. */
void adder_sntp_init(adder_sntp_t *s, const adder_sntp_config_t *config, adder_random_fn random,
                     void *random_ctx, uint32_t now_ms);

/* Time passes; to be called at least every 20 days, or the time it gives goes back. AGAIN: no time yet.
 * ADDER_OK: the time is known (even if later requests fail).  ADDER_ERR_REFUSED: every server has sent us
 * away; nothing more will be asked.  *wait_ms_out: come back by then; 0 = there is something to send. */
adder_err_t adder_sntp_tick(adder_sntp_t *s, uint32_t now_ms, uint32_t *wait_ms_out) ADDER_MUST_USE;

/* The request to send now, to adder_sntp_server(); the wait for its reply begins. AGAIN: none is due. */
adder_err_t adder_sntp_out(adder_sntp_t *s, uint8_t out[ADDER_SNTP_PACKET], uint32_t now_ms) ADDER_MUST_USE;
/* 0..n_servers-1. */
unsigned adder_sntp_server(const adder_sntp_t *s);

/* A datagram has come. True: it carried our number; info says what became of it. */
bool adder_sntp_in(adder_sntp_t *s, const uint8_t *bytes, size_t len, uint32_t now_ms);

/* Milliseconds since 1970. AGAIN: not known yet. */
adder_err_t adder_sntp_time(const adder_sntp_t *s, uint32_t now_ms, int64_t *unix_ms_out) ADDER_MUST_USE;

#endif
