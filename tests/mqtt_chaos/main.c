/* A broker that is killed, paused, restarted, cut off at random under load, or a device that is killed at its
 * writes: what was lost, what came twice, and whose fault it is.
 *
 *     mqtt_chaos [--events N] [--seed N] [--broker strict|mosquitto] [--no-kill]
 *     mqtt_chaos --device-kills N [--seed N] [--broker strict|mosquitto]
 *
 * The strict broker keeps what it acknowledges: with it nothing may be lost, and no QoS 2 message come twice.
 * mosquitto sends its acknowledgements first and saves behind them, in the same turn of its loop; and what is
 * on its way to a connected client does not count as a change that asks for a save. Killed, it has forgotten
 * what it had owned. There the packets that passed (watch.c) tell its faults from the device's, and only the
 * device's fail. With --no-kill it may have no faults either. MOSQUITTO in the environment is another one
 * than the installed; `./bench mqtt` brings the newest to build/peers/mosquitto/mosquitto. Exit 0: nothing is
 * wrong. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chaos.h"

enum { ROUND = 25, UP_TO = 60, /* messages of a kind */ READY_MS = 20000, DRAIN_MS = 20000, QUIET_MS = 1000 };

/* ---- what all parts use ---- */

static uint32_t seed_now;
static const char *stage = "the beginning";

uint32_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "mqtt_chaos: in %s: ", stage);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(1);
}

void draw_from(uint32_t seed)
{
    seed_now = seed;
}

uint32_t draw(uint32_t bound)
{
    seed_now = seed_now * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed_now * bound) >> 32);
}

void wait_for_fd(waits_t *w, int fd, bool in, bool out)
{
    if (fd >= 0 && (in || out)) {
        if (w->n == FDS) {
            fail("too many descriptors");
        }
        w->fds[w->n++] =
            (struct pollfd){.fd = fd, .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
    }
}

void wait_ms(waits_t *w, uint32_t ms)
{
    w->ms = ms < (uint32_t)w->ms ? (int)ms : w->ms;
}

/* ---- a run ---- */

typedef enum { KILL, DIE, TERM, PAUSE, FIN, RST, STALL, HALF_OPEN, KINDS } kind_t;

static const char *const kind_names[KINDS] = {
    "killed",         "died by itself", "told to end, restarted", "paused",
    "cut off by FIN", "cut off by RST", "line stalled",           "silent to new connections"};

static struct {
    broker_t broker;
    device_t device;
    waits_t ready;
    bool kills;
    uint16_t proxy_port;
    unsigned events[KINDS];
    /* the event under way */
    bool under_way, down;
    kind_t kind;
    uint32_t since, until;
    /* how long it took */
    bool recovers;
    uint32_t quiet_ms, turn_ms, done_then, longest_ms;
    kind_t longest_kind;
    unsigned connects;
    /* load */
    uint32_t load_ms, base[DIRECTIONS][2];
} r;

static void device_arrival(unsigned qos, const uint8_t *payload, size_t len)
{
    ledger_arrives(DOWN, qos, payload, len);
}

static void turn(void)
{
    waits_t next = {.ms = 1};
    device_turn(&r.device, &next);
    peer_turn(&next, &r.ready);
    proxy_turn(&next, &r.ready);
    poll(next.fds, next.n, next.ms);
    r.ready = next;
    const uint32_t now = now_ms();
    r.quiet_ms += r.recovers && !r.under_way ? now - r.turn_ms : 0;
    r.turn_ms = now;
    if (r.recovers && r.device.done != r.done_then) {
        r.recovers = false;
        if (r.quiet_ms > r.longest_ms) {
            r.longest_ms = r.quiet_ms;
            r.longest_kind = r.kind;
        }
    }
}

static bool all_arrived(void)
{
    bool all = true;
    for (unsigned i = 0; i < 4; i++) {
        all = all && ledgers[i / 2][i % 2].arrived == ledgers[i / 2][i % 2].sent;
    }
    return all;
}

/* Two messages each way each millisecond or so, of either QoS, as far as those before them are there. */
static void load(void)
{
    const uint32_t now = now_ms();
    if (now == r.load_ms) {
        return;
    }
    r.load_ms = now;
    for (unsigned i = 0; i < 4; i++) {
        const unsigned direction = i % 2, qos = 1 + draw(2);
        ledger_t *l = &ledgers[direction][qos - 1];
        const uint32_t under_way = l->sent - l->arrived - r.base[direction][qos - 1];
        if (under_way >= UP_TO) {
            continue;
        }
        if (l->sent == NUMBERS) {
            fail("the numbers are used up");
        }
        bool sent;
        if (direction == UP) {
            const adder_err_t err = device_publish(&r.device, qos, l->sent);
            if (err != ADDER_OK && err != ADDER_ERR_AGAIN) {
                fail("publish says %s", adder_err_str(err));
            }
            sent = err == ADDER_OK;
        } else {
            sent = peer_publish(qos, l->sent);
        }
        l->sent += sent;
    }
}

/* ---- events ---- */

static uint32_t some_time(void)
{
    return draw(10) < 7 ? 10 + draw(150) : 200 + draw(1200);
}

static kind_t draw_kind(void)
{
    for (;;) {
        const kind_t kind = (kind_t)draw(KINDS);
        if ((kind == KILL && !r.kills) || (kind == DIE && !(r.kills && r.broker.strict)) ||
            (kind == TERM && r.broker.strict)) {
            continue;
        }
        return kind;
    }
}

static void begin_event(kind_t kind)
{
    const uint32_t ms = some_time();
    r.events[kind]++;
    r.under_way = true;
    r.down = false;
    r.kind = kind;
    r.since = now_ms();
    r.until = r.since + ms;
    switch (kind) {
    case KILL:
        broker_end(&r.broker, SIGKILL);
        break;
    case DIE:
        broker_dies(&r.broker, draw(DEATHS), 1 + draw(20));
        break;
    case TERM:
        broker_signal(&r.broker, SIGTERM);
        break;
    case PAUSE:
        broker_signal(&r.broker, SIGSTOP);
        break;
    case FIN:
    case RST:
        proxy_cut(kind == FIN ? CUT_FIN : CUT_RST, draw(2), draw(400));
        break;
    case STALL:
        proxy_stall(ms);
        break;
    default:
        proxy_half_open(ms);
        break;
    }
}

/* The broker that has ended comes back after a moment. */
static void go_on(void)
{
    const uint32_t now = now_ms();
    switch (r.kind) {
    case KILL:
    case DIE:
    case TERM:
        if (!r.down && r.kind == DIE && now - r.since >= 300) { /* nothing happened there */
            broker_end(&r.broker, SIGKILL);
        }
        if (!r.down && now - r.since >= 20000) {
            fail("the broker does not end");
        }
        if (!r.down && !broker_runs(&r.broker)) {
            r.down = true;
            r.until = now + draw(100);
        }
        if (r.down && (int32_t)(now - r.until) >= 0) {
            broker_start(&r.broker);
            r.under_way = false;
        }
        break;
    case PAUSE:
        if ((int32_t)(now - r.until) >= 0) {
            broker_signal(&r.broker, SIGCONT);
            r.under_way = false;
        }
        break;
    default:
        r.under_way = proxy_is_busy();
        break;
    }
    if (!r.under_way) {
        r.quiet_ms = r.recovers ? r.quiet_ms : 0; /* events in a row: the time between them counts on */
        r.done_then = r.device.done;
        r.recovers = true;
    }
}

/* ---- rounds ---- */

static void begin_round(unsigned round)
{
    char id[12];
    snprintf(id, sizeof id, "peer-%u", round);
    broker_reset(&r.broker);
    broker_start(&r.broker);
    watch_new_session();
    proxy_init(r.proxy_port, r.broker.port);
    peer_init(id, r.broker.port);
    static char device_id[12];
    snprintf(device_id, sizeof device_id, "dev-%u", round);
    r.device.arrived = device_arrival;
    device_init(&r.device, device_id, round % 2 == 0 ? 4 : 5, r.proxy_port, (adder_store_t){0});
    r.ready.n = 0;
    const uint32_t since = now_ms();
    while (!peer_ready() || !device_ready(&r.device)) {
        if (now_ms() - since > READY_MS) {
            fail("no connection: %s", adder_err_str(r.device.c.cause));
        }
        turn();
    }
    r.recovers = false;
}

/* What is on its way arrives, or is known to be lost. */
static void drain(void)
{
    const uint32_t since = now_ms();
    uint32_t quiet_since = since, arrived = 0;
    while (!all_arrived() || adder_mqtt_client_queued(&r.device.c) > 0 || peer_under_way() > 0) {
        uint32_t now = 0;
        for (unsigned i = 0; i < 4; i++) {
            now += ledgers[i / 2][i % 2].arrived + ledgers[i / 2][i % 2].duplicates;
        }
        if (now != arrived || adder_mqtt_client_queued(&r.device.c) > 0 || peer_under_way() > 0 ||
            !device_ready(&r.device) || !peer_ready()) {
            arrived = now;
            quiet_since = now_ms();
        }
        if (now_ms() - quiet_since > QUIET_MS) {
            break;
        }
        if (now_ms() - since > DRAIN_MS || !broker_runs(&r.broker)) {
            fail("no end (%s): %zu in the device's queue, %u at the peer, client %u, cause %s, %s, %u ids",
                 r.broker.strict ? broker_complaint(&r.broker) : "", adder_mqtt_client_queued(&r.device.c),
                 peer_under_way(), r.device.c.state, adder_err_str(r.device.c.cause),
                 adder_mqtt_reason_str(r.device.c.mqtt.reason), r.device.c.mqtt.priv.n_ids);
        }
        turn();
    }
    const uint32_t last = now_ms(); /* what comes twice, comes behind */
    while (now_ms() - last < 50) {
        turn();
    }
    for (unsigned i = 0; i < 4; i++) {
        ledger_t *l = &ledgers[i / 2][i % 2];
        r.base[i / 2][i % 2] = l->sent - l->arrived;
    }
}

static void do_round(unsigned round, unsigned events)
{
    begin_round(round);
    uint32_t next = now_ms() + draw(200);
    for (unsigned done = 0; done < events || r.under_way;) {
        load();
        turn();
        if (r.under_way) {
            go_on();
            next = now_ms() + (draw(4) == 0 ? 0 : draw(200));
        } else if (done < events && (int32_t)(now_ms() - next) >= 0) {
            begin_event(draw_kind());
            done++;
        }
    }
    drain();
    r.connects += r.device.c.connects;
    device_close(&r.device);
    peer_close();
    proxy_close();
    broker_end(&r.broker, SIGKILL);
}

/* ---- the verdict ---- */

typedef struct {
    uint32_t lost, twice;
} faults_t;

/* Whose fault is what became of a message? */
static void judge(unsigned direction, unsigned qos, uint32_t number, faults_t *device, faults_t *broker)
{
    const uint8_t came = ledgers[direction][qos - 1].came[number], s = seen[direction][qos - 1][number];
    const bool again = (s & SEEN_AGAIN) != 0, owned = (s & SEEN_OWNED) != 0;
    if (came == 0) {
        (direction == UP ? owned : !owned || again) ? broker->lost++ : device->lost++;
    } else if (came > 1 && qos == 2) {
        (direction == UP ? !again : again) ? broker->twice++ : device->twice++;
    }
}

static bool report(void)
{
    static const char *const names[DIRECTIONS] = {"device to peer", "peer to device"};
    bool good = true;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        if (r.events[kind] > 0) {
            printf("  %5u  %s\n", r.events[kind], kind_names[kind]);
        }
    }
    if (r.broker.strict) {
        printf("         (where it died by itself:");
        for (unsigned i = 0; i < DEATHS; i++) {
            printf("%s %u %s", i > 0 ? "," : "", broker_deaths(&r.broker)[i], death_names[i]);
        }
        printf(")\n");
    }
    for (unsigned i = 0; i < 4; i++) {
        const unsigned direction = i / 2, qos = 1 + i % 2;
        const ledger_t *l = &ledgers[direction][qos - 1];
        faults_t device = {0}, broker = {0};
        for (uint32_t n = 0; n < l->sent; n++) {
            judge(direction, qos, n, &device, &broker);
        }
        const bool own = device.lost > 0 || device.twice > 0;
        good = good && !own && (r.kills || broker.lost == 0);
        good = good && (!r.broker.strict || (broker.lost == 0 && broker.twice == 0 && l->disorder == 0));
        printf("  %s, QoS %u: %u sent, %u arrived, %u again; the device lost %u", names[direction], qos,
               l->sent, l->arrived, l->duplicates, device.lost);
        if (qos == 2) {
            printf(" and doubled %u", device.twice);
        }
        printf("; the broker lost %u", broker.lost);
        if (qos == 2) {
            printf(" and doubled %u", broker.twice);
        }
        printf("; out of order %u\n", l->disorder);
    }
    printf("  %u connections, longest recovery %u ms (%s), %u sessions lost by the broker\n", r.connects,
           r.longest_ms, kind_names[r.longest_kind], watch.sessions_lost);
    if (watch.breaches > 0) {
        printf("  the device broke the protocol %u times: %s\n", watch.breaches, watch.why);
    }
    if (r.broker.strict && broker_complaint(&r.broker)[0] != 0) {
        printf("  the broker complains: %s\n", broker_complaint(&r.broker));
        good = false;
    }
    good = good && watch.breaches == 0 && (!r.broker.strict || watch.sessions_lost == 0);
    printf("  %s\n", good ? "nothing of the device's is wrong" : "FAILED");
    return good;
}

static bool run(bool strict, bool kills, unsigned events, uint32_t seed)
{
    memset(&r, 0, sizeof r);
    memset(ledgers, 0, sizeof ledgers);
    memset(seen, 0, sizeof seen);
    memset(&watch, 0, sizeof watch);
    draw_from(seed);
    r.kills = kills;
    broker_init(&r.broker, strict);
    r.proxy_port = hold_port();
    const uint32_t since = now_ms();
    stage = strict ? "the run on the strict broker" : "the run on mosquitto";
    for (unsigned round = 0, done = 0; done < events; round++) {
        const unsigned some = events - done < ROUND ? events - done : ROUND;
        do_round(round, some < events ? some : (some + 1) / 2); /* both versions in a short run, too */
        done += some < events ? some : (some + 1) / 2;
        if (strict && broker_complaint(&r.broker)[0] != 0) {
            break;
        }
    }
    printf("%s, %u events, seed %u, %.1f s\n", strict ? "the strict broker" : "mosquitto", events, seed,
           (now_ms() - since) / 1000.0);
    const bool good = report();
    fflush(stdout);
    broker_remove(&r.broker);
    return good;
}

int main(int argc, char **argv)
{
    unsigned events = 25, device_kills = 0;
    uint32_t seed = 1;
    bool strict = true, mosquitto = true, kills = true;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--no-kill") == 0) {
            kills = false;
            continue;
        }
        if (strcmp(argv[i], "--events") == 0) {
            events = (unsigned)strtoul(value, NULL, 10);
        } else if (strcmp(argv[i], "--device-kills") == 0) {
            device_kills = (unsigned)strtoul(value, NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            seed = (uint32_t)strtoul(value, NULL, 10);
        } else if (strcmp(argv[i], "--broker") == 0) {
            strict = strcmp(value, "mosquitto") != 0;
            mosquitto = strcmp(value, "strict") != 0;
        } else {
            fprintf(stderr, "mqtt_chaos [--events N] [--device-kills N] [--seed N] [--no-kill] "
                            "[--broker strict|mosquitto]\n");
            return 2;
        }
        i++;
    }
    bool good = true;
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0 ? strict : mosquitto) {
            good = (device_kills > 0 ? run_killed_device(i == 0, device_kills, seed)
                                     : run(i == 0, kills, events, seed)) &&
                   good;
        }
    }
    return good ? 0 : 1;
}
