/* A stack on a chip that answers anything, READY that does not always move, and calls in any order: every
 * tick returns, nothing is written beyond the caller's buffers, what recv says it gave fits, and handles that
 * were closed stay closed. */
#include "adder/airlift_net.h"
#include "src/airlift/airlift_fuzz.h"

static uint8_t op;

/* Frames begin as they should, most of the time, or nothing would ever get far. */
static adder_err_t transfer(void *ctx, const uint8_t *wr, uint8_t *rd, size_t len, uint8_t fill)
{
    (void)ctx, (void)fill;
    if (wr != NULL && len > 1 && wr[0] == 0xE0) {
        op = wr[1];
    }
    for (size_t i = 0; rd != NULL && i < len; i++) {
        static const uint8_t version[] = {0xE0, 0xB7, 1, 6, '1', '.', '7', '.', '7', 0, 0xEE};
        const uint8_t byte = next();
        rd[i] = byte;
        if (op == 0x37 && byte < 240 && taken < sizeof version) {
            rd[i] = taken == 4 ? (uint8_t)('1' + byte % 3) : version[taken];
        } else if (taken < 2 && byte < 240) {
            rd[i] = taken == 0 ? 0xE0 : op | 0x80;
        } else if (taken == 2 && byte < 240) {
            rd[i] = op == 0x21 ? 3 : op == 0x3A || op == 0x1E ? 2 : 1;
        } else if (taken == 3 && byte < 200) {
            rd[i] = op == 0x45                                             ? 0
                    : op == 0x21 || op == 0x3A || op == 0x35 || op == 0x1E ? 4
                    : op == 0x44 || op == 0x2B                             ? 2
                                                                           : 1;
        } else if (op == 0x20 && taken == 4 && byte < 200) {
            rd[i] = 3;
        } else if (op != 0x45 && op != 0x21 && op != 0x3A && byte < 128 && taken > 4) {
            rd[i] = 0xEE;
        }
        taken++;
    }
    return ADDER_OK;
}

static uint32_t random32(void *ctx)
{
    (void)ctx;
    return next();
}

static void link_call(adder_airlift_net_t *n, uint8_t what)
{
    static const char text[] = "123456789";
    adder_airlift_t *a;
    switch (what % 8) {
    case 0:
        ADDER_IGNORE(adder_airlift_net_access_point(n, text, what & 8 ? text : NULL, what >> 4), "any");
        break;
    case 1:
        adder_airlift_net_disconnect(n);
        break;
    case 2:
        adder_airlift_net_restart(n);
        break;
    case 3:
        if (adder_airlift_net_claim(n, &a) == ADDER_OK && what & 8) {
            ADDER_IGNORE(adder_airlift_begin_socket(a), "any");
        }
        break;
    case 4:
        ADDER_IGNORE(adder_airlift_net_hold(n, what >> 4, what & 8), "any");
        break;
    default:
        ADDER_IGNORE(adder_airlift_net_join(n, &(adder_airlift_wifi_t){.ssid = text,
                                                                       .password = text,
                                                                       .security = what >> 5,
                                                                       .attempts = what}),
                     "any");
    }
}

static void call(const adder_net_t *net, uint8_t what, uint8_t *buf, size_t cap)
{
    const adder_net_ops_t *o = net->ops;
    const adder_endpoint_t to = {.ip = adder_ip_v4(10, 0, 0, what), .port = what};
    const adder_endpoint_t *maybe = what & 128 ? &to : NULL;
    const uint16_t sock = next() % 14;
    adder_endpoint_t from;
    unsigned flags;
    uint16_t other;
    adder_ip_t ip;
    size_t n = 0;
    switch (what % 11) {
    case 0:
        ADDER_IGNORE(o->open(net->ctx, (adder_net_kind_t)(what / 11 % 3), ADDER_IP_NONE, &other), "any");
        break;
    case 1:
        ADDER_IGNORE(o->connect(net->ctx, sock, what & 64 ? "host" : NULL, &to), "any");
        break;
    case 2:
        ADDER_IGNORE(o->bind(net->ctx, sock, &to), "any");
        break;
    case 3:
        ADDER_IGNORE(o->listen(net->ctx, sock, 1), "any");
        break;
    case 4:
        ADDER_IGNORE(o->accept(net->ctx, sock, &other, &from), "any");
        break;
    case 5:
        if (o->send(net->ctx, sock, maybe, buf, cap, &n) != ADDER_OK && n != 0) {
            abort();
        }
        break;
    case 6:
        if (o->recv(net->ctx, sock, buf, cap, &n, &from) == ADDER_OK && n > 4086) {
            abort();
        }
        break;
    case 7:
        if (o->close(net->ctx, sock, what & 128) == ADDER_OK &&
            o->close(net->ctx, sock, false) != ADDER_ERR_STATE) {
            abort();
        }
        break;
    case 8:
        ADDER_IGNORE(o->resolve(net->ctx, what & 128 ? "there" : "elsewhere", ADDER_IP_NONE, &ip, 1, &n),
                     "any");
        break;
    case 9:
        ADDER_IGNORE(o->ready(net->ctx, sock, &flags), "any");
        break;
    default:
        ADDER_IGNORE(o->endpoints(net->ctx, sock, &from, &from), "any");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const adder_spi_ops_t spi = {configure, transfer};
    if (size < 2) {
        return 0;
    }
    fuzz_begin(data + 1, size - 1);
    op = 0;
    const uint8_t rx_count = (uint8_t)(1 + data[0] % 3), tx_count = (uint8_t)(1 + data[0] / 4 % 2);
    uint8_t *rx = malloc(rx_count * 1500u), *tx = malloc(tx_count * 1460u);
    adder_airlift_net_t *n = malloc(sizeof *n);
    if (rx == NULL || tx == NULL || n == NULL) {
        abort();
    }
    adder_airlift_net_config_t c = {
        .chip = {.spi = {&spi, NULL}, .cs = {&pins, NULL, 0}, .ready = {&pins, NULL, 1}},
        .rx = rx,
        .rx_size = 1500,
        .rx_count = rx_count,
        .tx = tx,
        .tx_size = 1460,
        .tx_count = tx_count,
        .random = random32};
    if (data[0] & 64) {
        c.chip.gpio0 = (adder_pin_t){&pins, NULL, 2};
    }
    if (data[0] & 128) {
        c.chip.reset = (adder_pin_t){&pins, NULL, 3};
    }
    if (adder_airlift_net_init(n, &c) != ADDER_OK) {
        abort();
    }
    const adder_net_t net = adder_airlift_net(n);
    uint64_t now = 0;
    unsigned idle = 0;
    uint8_t buf[2000];
    memset(buf, 7, sizeof buf);
    for (unsigned rounds = 0; left > 0 && rounds < 2000; rounds++) {
        const uint8_t what = next();
        if (what < 16) {
            link_call(n, (uint8_t)(what | next() << 4));
        } else if (what < 120) {
            call(&net, next(), buf, what * 16u);
        } else if (what < 130) {
            stuck = what % 8u;
        } else {
            flag = what & 1;
        }
        for (unsigned ticks = 0; ticks < 4; ticks++) {
            adder_net_wants_t wants;
            const uint64_t bytes = adder_airlift_net_chip(n)->stats.bytes;
            ADDER_IGNORE(net.ops->tick(net.ctx, now, &wants), "any");
            const bool moved = wants.wait_us > 0 || adder_airlift_net_chip(n)->stats.bytes != bytes;
            if ((idle = moved ? 0 : idle + 1) > 100) { /* a pump that spins */
                abort();
            }
            now += wants.wait_us < 200000000 ? wants.wait_us : 1000000;
        }
        if (what > 200) {
            adder_airlift_net_release(n);
        }
    }
    free(n);
    free(tx);
    free(rx);
    return 0;
}
