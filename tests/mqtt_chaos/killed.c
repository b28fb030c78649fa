/* The device in a process of its own, with its store in a file, that is killed at a write, again and again.
 *
 * What the application has of a message is kept in one write with the message's id: by QoS, the number behind
 * the highest that came, which of the 64 below it came, and how often one came again. What it has published
 * is noted in a page that is shared with the test, before the call and behind it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos.h"
#include "ports/posix/flash_file.h"

enum { SIZE = 16384, APP = 0x0a000000, WINDOW = 64, UP_TO = 50, END_MS = 30000 };
enum { BEFORE, WITHIN, BEHIND, PLACES };

typedef struct {
    uint64_t came; /* bit i: number next - 1 - i */
    uint32_t next, again, missing;
} record_t;

typedef struct {
    volatile uint32_t die_in, place; /* operations of the flash until it dies */
    volatile uint32_t hears;         /* it has subscribed */
    volatile uint32_t stop, idle;    /* no more messages; and none is on its way */
    volatile uint32_t arrived[2],
        sent[2]; /* by QoS: numbers the application knows, numbers it tried to send */
    uint32_t deaths[PLACES];
    uint8_t accepted[NUMBERS][2];
    uint8_t twice[NUMBERS]; /* QoS 2 */
} page_t;

static page_t *page;

/* ---- in the device's process ---- */

static adder_posix_flash_t file;
static adder_store_log_t store_log;
static device_t device;
static record_t record;
static adder_store_change_t change;

static void die(unsigned place)
{
    page->deaths[place]++;
    raise(SIGKILL);
}

/* Is it this operation? Those that are cut within have that as they go on. */
static bool dies(void)
{
    if (page->die_in == 0 || --page->die_in > 0) {
        return false;
    }
    if (page->place == BEFORE) {
        die(BEFORE);
    }
    return true;
}

static adder_err_t flash_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    (void)ctx;
    return file.flash.ops->read(&file, at, buf, len);
}

static adder_err_t flash_program(void *ctx, uint32_t at, const void *bytes, size_t len)
{
    (void)ctx;
    const bool cut = dies(), half = cut && page->place == WITHIN;
    const adder_err_t err = file.flash.ops->program(&file, at, bytes, half ? len / 2 : len);
    if (cut) {
        die(half ? WITHIN : BEHIND);
    }
    return err;
}

static adder_err_t flash_erase(void *ctx, uint32_t at, uint32_t len)
{
    (void)ctx;
    const bool cut = dies(), half = cut && page->place == WITHIN;
    const adder_err_t err = file.flash.ops->erase(&file, at, half ? file.flash.block : len);
    if (cut) {
        die(half ? WITHIN : BEHIND);
    }
    return err;
}

static adder_err_t flash_sync(void *ctx)
{
    (void)ctx;
    const bool cut = dies();
    const adder_err_t err = file.flash.ops->sync(&file);
    if (cut) {
        die(BEHIND);
    }
    return err;
}

static adder_err_t read_record(const adder_store_t *store, unsigned qos, record_t *out)
{
    size_t len;
    memset(out, 0, sizeof *out);
    const adder_err_t err = store->ops->read(store->ctx, APP | qos, 0, out, sizeof *out, &len);
    return err == ADDER_ERR_NOT_FOUND ? ADDER_OK : err;
}

static void note_arrival(record_t *r, uint32_t number, unsigned qos)
{
    if (number >= r->next) {
        for (; r->next <= number; r->next++) {
            r->missing += r->next >= WINDOW && (r->came >> (WINDOW - 1)) == 0;
            r->came = r->came << 1 | (r->next == number);
        }
        return;
    }
    const uint32_t i = r->next - 1 - number;
    if (i >= WINDOW || (r->came >> i & 1) != 0) {
        r->again++;
        page->twice[number] = (uint8_t)(page->twice[number] | (qos == 2));
    } else {
        r->came |= (uint64_t)1 << i;
    }
}

static void device_keeps(unsigned qos, const uint8_t *payload, size_t len)
{
    if (read_record(&device.config.store, qos, &record) != ADDER_OK) {
        fail("the store cannot be read");
    }
    note_arrival(&record, message_check(payload, len), qos);
    page->arrived[qos - 1] = record.next;
    change = (adder_store_change_t){.key = APP | qos, .bytes = &record, .len = sizeof record};
    if (adder_mqtt_client_keep(&device.c, &change, 1) != ADDER_OK) {
        fail("nothing can be kept");
    }
}

static void publish_some(void)
{
    const unsigned qos = 1 + draw(2);
    const uint32_t number = page->sent[qos - 1];
    if (adder_mqtt_client_queued(&device.c) >= 12 || number == NUMBERS) {
        return;
    }
    page->sent[qos - 1] = number + 1;
    const adder_err_t err = device_publish(&device, qos, number);
    if (err != ADDER_OK) {
        fail("publish says %s", adder_err_str(err));
    }
    page->accepted[number][qos - 1] = 1;
}

static void be_device(const char *path, const char *id, uint8_t version, uint16_t port)
{
    static const adder_flash_ops_t ops = {flash_read, flash_program, flash_erase, flash_sync};
    static adder_flash_t flash;
    if (adder_posix_flash_open(&file, path, SIZE) != ADDER_OK) {
        fail("no file for the store");
    }
    flash = file.flash;
    flash.ops = &ops;
    const adder_err_t err = adder_store_log_open(&store_log, &flash);
    if (err != ADDER_OK) {
        fail("the store does not open: %s", adder_err_str(err));
    }
    device.arrived = device_keeps;
    device_init(&device, id, version, port, adder_store_log(&store_log));
    for (;;) {
        waits_t w = {.ms = 2};
        if (page->stop == 0) {
            publish_some();
        }
        device_turn(&device, &w);
        page->hears = page->hears != 0 || device_ready(&device);
        page->idle = page->stop != 0 && adder_mqtt_client_queued(&device.c) == 0;
        poll(w.fds, w.n, w.ms);
    }
}

/* ---- in the test's ---- */

static waits_t ready;

static void turn(void)
{
    waits_t next = {.ms = 2};
    for (unsigned q = 0; q < 2; q++) {
        ledgers[UP][q].sent = page->sent[q];
    }
    peer_turn(&next, &ready);
    proxy_turn(&next, &ready);
    poll(next.fds, next.n, next.ms);
    ready = next;
}

static void feed(void)
{
    const unsigned qos = 1 + draw(2);
    ledger_t *l = &ledgers[DOWN][qos - 1];
    if (page->hears != 0 && page->stop == 0 && l->sent - page->arrived[qos - 1] < UP_TO &&
        l->sent < NUMBERS) {
        l->sent += peer_publish(qos, l->sent);
    }
}

static pid_t start_device(const char *path, const char *id, uint8_t version, uint16_t port, bool last)
{
    page->place = draw(PLACES);
    page->die_in = last ? 0 : 1 + draw(400);
    fflush(stdout);
    const pid_t pid = fork();
    if (pid < 0) {
        fail("no process for the device");
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int fd = 3; fd < 256; fd++) {
            close(fd);
        }
        be_device(path, id, version, port);
    }
    return pid;
}

static bool has_all(void)
{
    bool all = page->stop != 0 && page->idle != 0 && peer_under_way() == 0;
    for (unsigned q = 0; q < 2; q++) {
        all = all && page->arrived[q] == ledgers[DOWN][q].sent;
        for (uint32_t n = 0; all && n < page->sent[q]; n++) {
            all = page->accepted[n][q] == 0 || ledgers[UP][q].came[n] > 0;
        }
    }
    return all;
}

/* Until it has died `kills` times, and then has finished. */
static void live(unsigned kills, const char *path, const char *id, uint8_t version, uint16_t port)
{
    unsigned died = 0;
    pid_t pid = start_device(path, id, version, port, kills == 0);
    uint32_t since = now_ms();
    while (!has_all()) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
                fail("the device ended by itself");
            }
            died++;
            pid = start_device(path, id, version, port, died >= kills);
            since = now_ms();
        }
        page->stop = died >= kills && now_ms() - since > 200;
        if (now_ms() - since > END_MS) {
            break; /* what is missing is told */
        }
        feed();
        turn();
    }
    for (const uint32_t last = now_ms(); now_ms() - last < 100;) {
        turn();
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool check(bool strict, const char *path)
{
    adder_posix_flash_t flash;
    adder_store_log_t kept;
    bool good = true;
    if (adder_posix_flash_open(&flash, path, SIZE) != ADDER_OK ||
        adder_store_log_open(&kept, &flash.flash) != ADDER_OK) {
        fail("the store does not open");
    }
    const adder_store_t store = adder_store_log(&kept);
    for (unsigned qos = 1; qos <= 2; qos++) {
        const ledger_t *up = &ledgers[UP][qos - 1], *down = &ledgers[DOWN][qos - 1];
        uint32_t lost = 0, twice = 0, broker_twice = 0, accepted = 0;
        for (uint32_t n = 0; n < up->sent; n++) {
            accepted += page->accepted[n][qos - 1];
            lost += page->accepted[n][qos - 1] != 0 && up->came[n] == 0;
            twice += qos == 2 && up->came[n] > 1;
        }
        record_t r;
        if (read_record(&store, qos, &r) != ADDER_OK) {
            fail("the store cannot be read");
        }
        uint32_t missing = r.missing + (down->sent - r.next);
        for (unsigned i = 0; i < WINDOW && i < r.next; i++) {
            missing += (r.came >> i & 1) == 0;
        }
        for (uint32_t n = 0; qos == 2 && n < down->sent; n++) {
            broker_twice += !strict && page->twice[n] != 0 && (seen[DOWN][1][n] & SEEN_AGAIN) != 0;
        }
        const uint32_t doubled = qos == 2 ? r.again - broker_twice : 0;
        printf("  QoS %u: %u published and safe, %u arrived, %u again, %u lost; %u came, %u kept, %u again "
               "(%u by the broker), %u lost\n",
               qos, accepted, up->arrived, up->duplicates, lost, down->sent, r.next, r.again, broker_twice,
               missing);
        good = good && lost == 0 && missing == 0 && twice == 0 && doubled == 0;
    }
    adder_posix_flash_close(&flash);
    return good;
}

static bool run_version(broker_t *b, unsigned kills, uint8_t version)
{
    static const char id[] = "device";
    char path[64];
    snprintf(path, sizeof path, "%s/store", b->folder);
    unlink(path);
    memset(page, 0, sizeof *page);
    memset(ledgers, 0, sizeof ledgers);
    memset(seen, 0, sizeof seen);
    memset(&watch, 0, sizeof watch);
    const uint16_t port = hold_port();
    broker_reset(b);
    broker_start(b);
    watch_new_session();
    proxy_init(port, b->port);
    peer_init("peer", b->port);
    ready.n = 0;
    const uint32_t since = now_ms();
    while (!peer_ready() && now_ms() - since < 10000) {
        turn();
    }
    live(kills, path, id, version, port);
    printf("%s, %s, the device killed %u times at a write (%u before, %u within, %u behind it), %.1f s\n",
           b->strict ? "the strict broker" : "mosquitto", version == 5 ? "5.0" : "3.1.1",
           page->deaths[BEFORE] + page->deaths[WITHIN] + page->deaths[BEHIND], page->deaths[BEFORE],
           page->deaths[WITHIN], page->deaths[BEHIND], (now_ms() - since) / 1000.0);
    bool good = check(b->strict, path);
    if (watch.breaches > 0) {
        printf("  the device broke the protocol %u times: %s\n", watch.breaches, watch.why);
        good = false;
    }
    if (b->strict && broker_complaint(b)[0] != 0) {
        printf("  the broker complains: %s\n", broker_complaint(b));
        good = false;
    }
    peer_close();
    proxy_close();
    broker_end(b, SIGKILL);
    unlink(path);
    return good;
}

bool run_killed_device(bool strict, unsigned kills, uint32_t seed)
{
    broker_t b;
    draw_from(seed);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        fail("no memory");
    }
    broker_init(&b, strict);
    const bool old = run_version(&b, (kills + 1) / 2, 4);
    const bool new = run_version(&b, kills / 2, 5);
    broker_remove(&b);
    munmap(page, sizeof *page);
    printf("  %s\n", old && new ? "nothing of the device's is wrong" : "FAILED");
    return old && new;
}
