/* Arbitrary selects, bytes, pins, waits and faults on the ESP32 model, each input on every firmware.
 * Invariants:
 *   1. no crash of ours, whatever the firmware would do
 *   2. READY falls again: unless held in reset, in the loader or in Bluetooth mode, the chip is ready
 *      for a command some time after the last wire moved
 *   3. memory and sockets stay within the chip's own
 *   4. a reply has the firmware's alignment
 * The input is a list of actions, see act(). All addresses lead to one listening socket here, so a
 * run touches nothing else of the computer but the loopback ports it binds. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/chips/esp32_nina_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(expr)                                                                                          \
    do {                                                                                                     \
        if (!(expr))                                                                                         \
            abort();                                                                                         \
    } while (0)

static int listener = -1;
static char network[400];

static void prepare(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(listener, 64) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    (void)fcntl(listener, F_SETFL, O_NONBLOCK);
    (void)snprintf(
        network, sizeof network,
        "{\"access_points\": [{\"ssid\": \"a\"}, {\"ssid\": \"b\", \"password\": \"12345678\"}],"
        " \"outside\": false, \"speed\": 1000, \"time\": 1750000000, \"hosts\": {\"*\": \"127.0.0.1:%u\"}}",
        ntohs(a.sin_port));
}

typedef struct {
    const uint8_t *at, *end;
} input_t;

static uint8_t take(input_t *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static size_t take_bytes(input_t *in, uint8_t *out, size_t cap)
{
    size_t len = take(in);
    len = len > 200 ? (len - 200) * 80 : len;
    len = len < cap ? len : cap;
    const size_t here = (size_t)(in->end - in->at) < len ? (size_t)(in->end - in->at) : len;
    memset(out, 0x5A, len);
    memcpy(out, in->at, here);
    in->at += here;
    return len;
}

static void transfer(bench_t *b, const uint8_t *bytes, size_t len)
{
    uint8_t back[NINA_BUF + 64];
    b->chip->cls->spi_transfer(b->chip, bytes, back, len, b->now_us);
    b->now_us += len;
}

static void act(bench_t *b, input_t *in)
{
    static const unsigned wires[] = {NINA_PIN_CS, NINA_PIN_RESET, NINA_PIN_GPIO0, NINA_PIN_SCK,
                                     NINA_PIN_MOSI};
    uint8_t bytes[NINA_BUF + 64];
    const uint8_t what = take(in);
    switch (what % 16 == 15 ? 16 : what % 8) {
    case 0: /* bytes as they are, selected or not */
        transfer(b, bytes, take_bytes(in, bytes, sizeof bytes));
        break;
    case 1: /* a pin moves */
        bench_drive(b, wires[take(in) % 5], (sim_level_t)(take(in) % 3));
        break;
    case 2: /* time passes */
        bench_wait(b, (uint64_t)take(in) * 40);
        break;
    case 3:
        b->net->wifi = (take(in) & 1) != 0;
        break;
    case 4: { /* a reply is read */
        memset(bytes, 0, sizeof bytes);
        bench_drive(b, NINA_PIN_CS, SIM_LOW);
        bench_wait(b, 10);
        transfer(b, bytes, take(in) * 16u);
        bench_drive(b, NINA_PIN_CS, SIM_HIGH);
        bench_wait(b, 200);
        break;
    }
    case 16: { /* a fault comes or goes */
        nina_t *n = (nina_t *)(void *)b->chip;
        n->fault = (nina_faults_t){.ready = (nina_ready_fault_t)(take(in) % 3),
                                   .late_ms = take(in),
                                   .flips = take(in),
                                   .silent = (take(in) & 1) != 0,
                                   .stall = (take(in) & 1) != 0};
        nina_ready_apply(n);
        break;
    }
    default: { /* a command as a host sends it, the rest of the frame arbitrary */
        bytes[0] = 0xE0;
        const size_t len = take_bytes(in, bytes + 1, sizeof bytes - 1) + 1;
        bench_drive(b, NINA_PIN_CS, SIM_LOW);
        bench_wait(b, 10);
        transfer(b, bytes, len);
        bench_drive(b, NINA_PIN_CS, SIM_HIGH);
        bench_wait(b, 4000);
        break;
    }
    }
}

static void check_limits(const nina_t *n)
{
    CHECK(n->rx_len <= NINA_BUF && n->tx_len <= NINA_BUF && n->tx_pos <= n->tx_len);
    CHECK(n->state != NINA_ARMED_TX || n->tx_len % n->fw->reply_align == 0);
    for (int i = 0; i < NINA_SLOTS; i++) {
        CHECK(n->slots[i].udp.in_pos <= n->slots[i].udp.in_len && n->slots[i].udp.in_len <= NINA_UDP_MAX);
        CHECK(n->slots[i].udp.out_len <= n->fw->udp_max);
        CHECK(n->conns[i].ahead_pos <= n->conns[i].ahead_len && n->conns[i].ahead_len <= NINA_AHEAD);
    }
    for (int i = 0; i < NINA_FILES; i++) {
        CHECK(n->files[i].size <= NINA_FILE_MAX);
    }
    CHECK(n->count.opened - n->count.closed <= n->fw->slots);
}

static void run(const nina_firmware_t *fw, const uint8_t *data, size_t size)
{
    static bench_t bench;
    bench_t *b = &bench;
    char config[60];
    (void)snprintf(config, sizeof config, "{\"firmware\": \"%s\"}", fw->name);
    CHECK(bench_open_with(b, &sim_chip_esp32_nina, config, network, host_pulls, 7));
    nina_t *n = (nina_t *)(void *)b->chip;
    input_t in = {data, data + size};
    bench_drive(b, NINA_PIN_CS, SIM_HIGH);
    bench_wait(b, 300000); /* booted */
    for (int i = 0; i < 64 && in.at < in.end; i++) {
        act(b, &in);
        check_limits(n);
    }
    n->fault = (nina_faults_t){0};
    nina_ready_apply(n);
    bench_drive(b, NINA_PIN_RESET, SIM_HIGH);
    bench_drive(b, NINA_PIN_CS, SIM_HIGH);
    for (int i = 0; i < 10000 && bench_level(b, NINA_PIN_READY) != SIM_LOW; i++) { /* a second */
        bench_wait(b, 100);
    }
    /* a socket call or a send that blocks waits for the world: only a reset ends it */
    const bool blocks = n->step != NULL && (n->command->op >= 0x70 || n->fw->full == NINA_FULL_BLOCKS);
    CHECK(bench_level(b, NINA_PIN_READY) == SIM_LOW || n->state == NINA_ROM || n->state == NINA_BLE ||
          blocks);
    bench_close(b);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        (void)close(fd);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (listener < 0) {
        prepare();
    }
    for (size_t i = 0; i < nina_firmware_count; i++) {
        run(&nina_firmwares[i], data, size);
    }
    return 0;
}
