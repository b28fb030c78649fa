/* Scanning, joining, coming back, being an access point. Times are what an ESP32-S3 takes. */
#include "sim/radio.h"

#include <ctype.h>
#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <string.h>

enum {
    CHANNEL_US = 120000,    /* one channel, active scan */
    KEYS_US = 160000,       /* authentication, association, the four messages */
    BAD_KEY_US = 2900000,   /* the third message never comes; the handshake runs out */
    ADDRESS_US = 600000,    /* DHCP */
    BEACONS_US = 6000000,   /* silence until the link counts as lost */
    COME_BACK_US = 2500000, /* pause between the attempts to find a lost network */
};

/* A variety of the spectrum first. */
static const uint8_t channel_order[RADIO_CHANNELS] = {6, 1, 11, 3, 9, 13, 2, 4, 8, 12, 5, 7, 10};

void radio_join_reset(sim_radio_t *r)
{
    memset(&r->scan, 0, sizeof r->scan);
    memset(&r->wish, 0, sizeof r->wish);
    r->phase = PHASE_NONE;
    r->due_us = r->lost_us = RADIO_NEVER;
    r->ap_index = -1;
    r->was_joined = false;
}

sim_ap_t *radio_current_ap(sim_radio_t *r)
{
    return radio_linked(r) && r->ap_index >= 0 ? &sim_chip_network(&r->chip)->aps[r->ap_index] : NULL;
}

/* ---- what is on the air ---- */

static uint8_t auth_of(const sim_ap_t *ap)
{
    static const uint8_t auth[] = {ADDER_WIFI_OPEN, ADDER_WIFI_WEP, ADDER_WIFI_WPA | ADDER_WIFI_PSK,
                                   ADDER_WIFI_WPA2 | ADDER_WIFI_PSK, ADDER_WIFI_WPA2 | ADDER_WIFI_ENTERPRISE};
    return auth[ap->security];
}

static void network_of(const sim_ap_t *ap, adder_wifi_network_t *out)
{
    *out = (adder_wifi_network_t){.ssid_len = (uint8_t)strlen(ap->ssid),
                                  .channel = ap->channel,
                                  .rssi_dbm = ap->rssi,
                                  .auth = auth_of(ap)};
    memcpy(out->ssid, ap->ssid, out->ssid_len);
    memcpy(out->bssid, ap->bssid, ADDER_WIFI_MAC);
}

static bool on_air(const sim_network_t *net, const sim_ap_t *ap)
{
    return net->wifi && ap->up && ap->channel <= RADIO_CHANNELS;
}

static int find(sim_radio_t *r)
{
    const sim_network_t *net = sim_chip_network(&r->chip);
    const radio_wish_t *w = &r->wish;
    int best = -1;
    for (size_t i = 0; i < net->ap_count; i++) {
        const sim_ap_t *ap = &net->aps[i];
        if (!on_air(net, ap) || strcmp(ap->ssid, w->ssid) != 0 ||
            (!w->any_bssid && memcmp(ap->bssid, w->bssid, ADDER_WIFI_MAC) != 0))
            continue;
        if (best >= 0 && w->channel != 0 && net->aps[best].channel == w->channel)
            continue; /* the first one heard on the channel asked for */
        if (best < 0 || ap->rssi > net->aps[best].rssi || (w->channel != 0 && ap->channel == w->channel))
            best = (int)i;
    }
    return best;
}

/* ---- scanning ---- */

static bool next_channel(sim_radio_t *r, uint64_t now_us)
{
    for (; r->scan.step < RADIO_CHANNELS; r->scan.step++) {
        const uint8_t channel = channel_order[r->scan.step];
        if (channel >= r->scan.first && channel <= r->scan.last) {
            r->scan.due_us = now_us + radio_scaled(r, CHANNEL_US);
            return true;
        }
    }
    return false;
}

/* Channel by channel, the strongest of each first. */
static void listen(sim_radio_t *r)
{
    const sim_network_t *net = sim_chip_network(&r->chip);
    const uint8_t channel = channel_order[r->scan.step++];
    r->scan.n = r->scan.at = 0;
    for (size_t i = 0; i < net->ap_count; i++) {
        if (!on_air(net, &net->aps[i]) || net->aps[i].channel != channel)
            continue;
        size_t at = r->scan.n++;
        for (; at > 0 && net->aps[r->scan.found[at - 1]].rssi < net->aps[i].rssi; at--)
            r->scan.found[at] = r->scan.found[at - 1];
        r->scan.found[at] = (uint8_t)i;
    }
}

adder_err_t radio_scan(void *ctx, uint8_t first, uint8_t last)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    adder_err_t err = radio_gate(r);
    if (err != ADDER_OK || first == 0) {
        memset(&r->scan, 0, sizeof r->scan);
    } else if (!r->config.enabled || r->scan.active) {
        err = ADDER_ERR_STATE;
    } else {
        r->config.station = true;
        if (r->station == ADDER_WIFI_OFF)
            r->station = ADDER_WIFI_IDLE;
        r->scan.active = true;
        r->scan.first = first;
        r->scan.last = last;
        r->scan.due_us = 0;
        r->count.scans++;
        (void)next_channel(r, sim_now(r->chip.board)); /* none in the range: scan_next() says END */
    }
    sim_chip_changed(&r->chip);
    sim_part_after(r->chip.board, r->chip.part);
    sim_leave(r->chip.board);
    return err;
}

adder_err_t radio_scan_next(void *ctx, adder_wifi_network_t *out)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    const uint64_t now_us = sim_now(r->chip.board);
    adder_err_t err = radio_gate(r);
    if (err == ADDER_OK && !r->scan.active)
        err = ADDER_ERR_STATE;
    while (err == ADDER_OK && r->scan.at == r->scan.n) {
        if (r->scan.step >= RADIO_CHANNELS) {
            memset(&r->scan, 0, sizeof r->scan);
            err = ADDER_ERR_END;
        } else if (now_us < r->scan.due_us) {
            err = ADDER_ERR_AGAIN;
        } else {
            listen(r);
            (void)next_channel(r, r->scan.due_us);
        }
    }
    if (err == ADDER_OK)
        network_of(&sim_chip_network(&r->chip)->aps[r->scan.found[r->scan.at++]], out);
    sim_leave(r->chip.board);
    return err;
}

/* ---- keys ---- */

static bool is_hex64(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isxdigit((unsigned char)s[i]))
            return false;
    return len == 64;
}

/* IEEE 802.11 annex J.4: the key is PBKDF2(passphrase, ssid, 4096, 256 bits). */
static bool hex_key_fits(const char *hex, const sim_ap_t *ap)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t key[32];
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int bad = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), 1);
    if (bad == 0)
        bad = mbedtls_pkcs5_pbkdf2_hmac(&md, (const uint8_t *)ap->password, strlen(ap->password),
                                        (const uint8_t *)ap->ssid, strlen(ap->ssid), 4096, sizeof key, key);
    mbedtls_md_free(&md);
    for (size_t i = 0; bad == 0 && i < sizeof key; i++)
        if (tolower((unsigned char)hex[2 * i]) != digits[key[i] >> 4] ||
            tolower((unsigned char)hex[2 * i + 1]) != digits[key[i] & 15])
            bad = 1;
    return bad == 0;
}

/* Why the access point does not let us in, 0 = it does. */
static uint16_t refusal(const radio_wish_t *w, const sim_ap_t *ap)
{
    switch (ap->security) {
    case SIM_AP_OPEN:
        return 0; /* a passphrase for an open network is not used */
    case SIM_AP_ENTERPRISE:
        if (!w->enterprise)
            return ADDER_WIFI_REASON_SECURITY;
        return strcmp(w->password, ap->password) == 0 &&
                       (ap->username[0] == '\0' || strcmp(w->username, ap->username) == 0)
                   ? 0
                   : ADDER_WIFI_REASON_8021X;
    default:
        if (w->password[0] == '\0' || w->enterprise)
            return ADDER_WIFI_REASON_SECURITY;
        if (strcmp(w->password, ap->password) == 0)
            return 0;
        return ap->security >= SIM_AP_WPA && strlen(w->password) == 64 && hex_key_fits(w->password, ap)
                   ? 0
                   : ADDER_WIFI_REASON_HANDSHAKE_TIMEOUT;
    }
}

/* ---- joining ---- */

static void begin(sim_radio_t *r, uint64_t now_us)
{
    const radio_wish_t *w = &r->wish;
    const int found = find(r);
    const sim_network_t *net = sim_chip_network(&r->chip);
    /* All channels, unless told where to begin: then the first hit ends it. */
    const bool quick = found >= 0 && w->channel != 0 && net->aps[found].channel == w->channel;
    r->station = ADDER_WIFI_JOINING;
    r->phase = PHASE_FINDING;
    r->due_us = now_us + radio_scaled(r, (uint64_t)CHANNEL_US * (quick ? 1 : RADIO_CHANNELS));
    sim_chip_changed(&r->chip);
}

void radio_leave(sim_radio_t *r, adder_wifi_station_t to, uint16_t reason)
{
    if (radio_linked(r)) {
        r->link_changes++;
        r->reason = reason;
        sim_chip_log(&r->chip,
                     reason == ADDER_WIFI_REASON_BEACONS ? "lost access point \"%s\"" : "left \"%s\"",
                     r->wish.ssid);
    }
    r->station = to;
    r->phase = PHASE_NONE;
    r->due_us = r->lost_us = RADIO_NEVER;
    r->ap_index = -1;
    r->address = r->mask = r->gateway = r->dns = (adder_ip_t){0};
    sim_chip_changed(&r->chip);
}

static void failed(sim_radio_t *r, uint16_t reason, uint64_t now_us)
{
    const bool final = reason == ADDER_WIFI_REASON_NO_NETWORK || reason == ADDER_WIFI_REASON_AUTH;
    r->reason = reason;
    r->ap_index = -1;
    sim_chip_changed(&r->chip);
    if (r->was_joined) { /* it comes back by itself */
        r->phase = PHASE_PAUSE;
        r->due_us = now_us + radio_scaled(r, COME_BACK_US);
        return;
    }
    if (!final && r->retries > 0 && now_us < r->give_up_us) {
        r->retries--;
        begin(r, now_us);
        return;
    }
    r->count.join_failures++;
    r->station = ADDER_WIFI_FAILED;
    r->phase = PHASE_NONE;
    r->due_us = RADIO_NEVER;
    if (reason == ADDER_WIFI_REASON_NO_NETWORK)
        sim_chip_log(&r->chip, "no access point \"%s\" in reach", r->wish.ssid);
    else
        sim_chip_log(&r->chip, "access point \"%s\" refused the %s (reason %u)", r->wish.ssid,
                     r->wish.enterprise ? "user name or password" : "password", reason);
}

static void found_it(sim_radio_t *r, uint64_t now_us)
{
    r->ap_index = find(r);
    if (r->ap_index < 0) {
        failed(r, ADDER_WIFI_REASON_NO_NETWORK, now_us);
        return;
    }
    const uint16_t no = refusal(&r->wish, &sim_chip_network(&r->chip)->aps[r->ap_index]);
    r->phase = PHASE_KEYS;
    r->due_us = now_us + radio_scaled(r, no == 0 || no == ADDER_WIFI_REASON_SECURITY ? KEYS_US : BAD_KEY_US);
}

static void keys_done(sim_radio_t *r, uint64_t now_us)
{
    const sim_network_t *net = sim_chip_network(&r->chip);
    const sim_ap_t *ap = &net->aps[r->ap_index];
    const uint16_t no = on_air(net, ap) ? refusal(&r->wish, ap) : ADDER_WIFI_REASON_BEACONS;
    if (no != 0) {
        failed(r, no, now_us);
        return;
    }
    r->phase = PHASE_ADDRESS;
    r->due_us = now_us + (r->config.ipv4.dhcp ? radio_scaled(r, ADDRESS_US) : 0);
}

static void address_there(sim_radio_t *r)
{
    const sim_ap_t *ap = &sim_chip_network(&r->chip)->aps[r->ap_index];
    network_of(ap, &r->joined);
    r->station = ADDER_WIFI_JOINED;
    r->phase = PHASE_NONE;
    r->due_us = RADIO_NEVER;
    r->was_joined = true;
    r->link_changes++;
    r->count.joins++;
    radio_take_address(r);
    sim_chip_log(&r->chip, "joined \"%s\", address %u.%u.%u.%u", ap->ssid, r->address.bytes[0],
                 r->address.bytes[1], r->address.bytes[2], r->address.bytes[3]);
    sim_chip_changed(&r->chip);
}

static void watch_link(sim_radio_t *r, uint64_t now_us)
{
    const sim_network_t *net = sim_chip_network(&r->chip);
    if (on_air(net, &net->aps[r->ap_index])) {
        r->lost_us = RADIO_NEVER;
    } else if (r->lost_us == RADIO_NEVER) {
        r->lost_us = now_us + radio_scaled(r, BEACONS_US);
    } else if (now_us >= r->lost_us) {
        radio_leave(r, ADDER_WIFI_JOINING, ADDER_WIFI_REASON_BEACONS);
        r->count.links_lost++;
        begin(r, now_us);
    }
}

void radio_join_poll(sim_radio_t *r, uint64_t now_us)
{
    if (radio_linked(r))
        watch_link(r, now_us);
    /* Several phases may have passed since the last call: each begins where the one before it ended. */
    while (r->phase != PHASE_NONE && now_us >= r->due_us) {
        const uint64_t at_us = r->due_us;
        switch (r->phase) {
        case PHASE_FINDING:
            found_it(r, at_us);
            break;
        case PHASE_KEYS:
            keys_done(r, at_us);
            break;
        case PHASE_ADDRESS:
            address_there(r);
            break;
        default:
            begin(r, now_us);
            break;
        }
    }
}

uint64_t radio_join_due(const sim_radio_t *r)
{
    uint64_t due = r->phase != PHASE_NONE ? r->due_us : RADIO_NEVER;
    return r->lost_us < due ? r->lost_us : due;
}

static bool join_sound(const adder_wifi_join_t *j)
{
    const bool password = j->username != NULL
                              ? j->password_len <= 64
                              : j->password_len == 0 || (j->password_len >= 8 && j->password_len <= 63) ||
                                    (j->password_len == 64 && is_hex64(j->password, 64));
    return j->ssid_len >= 1 && j->ssid_len <= ADDER_WIFI_SSID_MAX && password &&
           (j->username == NULL || strlen(j->username) <= 32) &&
           (j->identity == NULL || strlen(j->identity) <= 32);
}

static void take_wish(sim_radio_t *r, const adder_wifi_join_t *j)
{
    radio_wish_t *w = &r->wish;
    memset(w, 0, sizeof *w);
    memcpy(w->ssid, j->ssid, j->ssid_len);
    if (j->password_len > 0)
        memcpy(w->password, j->password, j->password_len);
    w->enterprise = j->username != NULL;
    if (j->username != NULL)
        strcpy(w->username, j->username);
    if (j->identity != NULL)
        strcpy(w->identity, j->identity);
    w->channel = j->channel;
    w->any_bssid = j->bssid == NULL;
    if (j->bssid != NULL)
        memcpy(w->bssid, j->bssid, ADDER_WIFI_MAC);
}

adder_err_t radio_join(void *ctx, const adder_wifi_join_t *join)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    sim_poll(r->chip.board);
    const uint64_t now_us = sim_now(r->chip.board);
    adder_err_t err = radio_gate(r);
    if (err != ADDER_OK) {
        /* silent */
    } else if (join == NULL) {
        r->was_joined = false;
        radio_leave(r, r->config.station ? ADDER_WIFI_IDLE : ADDER_WIFI_OFF, ADDER_WIFI_REASON_LEFT);
    } else if (!r->config.enabled) {
        err = ADDER_ERR_STATE;
    } else if (!join_sound(join)) {
        err = ADDER_ERR_ARG;
    } else if (!(radio_linked(r) && strlen(r->wish.ssid) == join->ssid_len &&
                 memcmp(r->wish.ssid, join->ssid, join->ssid_len) == 0)) {
        radio_leave(r, ADDER_WIFI_IDLE, ADDER_WIFI_REASON_LEFT);
        r->config.station = true;
        r->was_joined = false;
        take_wish(r, join);
        r->retries = RADIO_RETRIES;
        r->give_up_us = now_us + (uint64_t)join->retry_ms * 1000u;
        r->reason = ADDER_WIFI_REASON_NONE;
        begin(r, now_us);
    }
    sim_part_after(r->chip.board, r->chip.part);
    sim_leave(r->chip.board);
    return err;
}

/* ---- being an access point ---- */

adder_err_t radio_access_point(void *ctx, const adder_wifi_ap_t *ap)
{
    sim_radio_t *r = ctx;
    sim_enter(r->chip.board);
    adder_err_t err = radio_gate(r);
    if (err != ADDER_OK) {
        /* silent */
    } else if (ap == NULL) {
        if (r->ap_active)
            sim_chip_log(&r->chip, "access point \"%s\" is off the air", r->ap_ssid);
        r->link_changes += r->ap_active;
        r->ap_active = false;
    } else if (!r->config.enabled) {
        err = ADDER_ERR_STATE;
    } else if (ap->ssid_len < 1 || ap->ssid_len > ADDER_WIFI_SSID_MAX || ap->channel < 1 ||
               ap->channel > RADIO_CHANNELS ||
               (ap->auth == ADDER_WIFI_OPEN ? ap->password_len != 0
                                            : ap->password_len < 8 || ap->password_len > 64) ||
               (ap->password_len == 64 && !is_hex64(ap->password, 64))) {
        err = ADDER_ERR_ARG;
    } else if (ap->auth != ADDER_WIFI_OPEN &&
               (ap->auth & ~(ADDER_WIFI_WPA | ADDER_WIFI_WPA2)) != ADDER_WIFI_PSK) {
        err = ADDER_ERR_UNSUPPORTED;
    } else if (ap->auth == ADDER_WIFI_PSK) {
        err = ADDER_ERR_UNSUPPORTED; /* of which kind? */
    } else {
        memset(r->ap_ssid, 0, sizeof r->ap_ssid);
        memcpy(r->ap_ssid, ap->ssid, ap->ssid_len);
        r->ap_channel = radio_linked(r) ? r->joined.channel : ap->channel;
        r->ap_auth = ap->auth;
        r->link_changes += !r->ap_active;
        r->ap_active = true;
        sim_chip_log(&r->chip, "access point \"%s\" is on the air, channel %u", r->ap_ssid, r->ap_channel);
    }
    sim_chip_changed(&r->chip);
    sim_part_after(r->chip.board, r->chip.part);
    sim_leave(r->chip.board);
    return err;
}

/* Nobody walks past a simulated board with a phone; its servers are reached through this computer. */
adder_err_t radio_stations(void *ctx, adder_wifi_peer_t *out, size_t cap, size_t *n_out)
{
    (void)ctx, (void)out, (void)cap;
    *n_out = 0;
    return ADDER_OK;
}
