/* Names looked up over a stack that has no resolver: by the datagrams of adder/dns.h, here from a name server
 * of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ports/posix/net_posix.h"
#include "python/layer/test_vm.h"
#include "python/modules/test_radio.h"

/* A name server: "ten.test" is 192.0.2.10, "six.test" has an IPv6 address alone; there are no others. */
static int names = -1;

static void *answer_names(void *unused)
{
    uint8_t m[512];
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    ssize_t n;
    while ((n = recvfrom(names, m, sizeof m - 28, 0, (struct sockaddr *)&a, &len)) >= 17) {
        bool v6 = m[n - 3] == 28, ten = memcmp(m + 13, "ten", 3) == 0, six = memcmp(m + 13, "six", 3) == 0;
        m[2] |= 0x80; /* a response */
        if (!ten && !six)
            m[3] |= 3; /* NXDOMAIN */
        if ((ten && !v6) || (six && v6)) {
            static const uint8_t a4[] = {0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 10};
            static const uint8_t a6[] = {0xC0, 12,   0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0x20, 1,
                                         0xD,  0xB8, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0,    6};
            m[7] = 1;
            memcpy(m + n, v6 ? a6 : a4, v6 ? sizeof a6 : sizeof a4);
            n += (ssize_t)(v6 ? sizeof a6 : sizeof a4);
        }
        (void)!sendto(names, m, (size_t)n, 0, (struct sockaddr *)&a, len);
    }
    return unused;
}

/* A network whose name server is the one above. */
static adder_err_t hook_route(void *ctx, adder_net_kind_t kind, const adder_endpoint_t *to,
                              adder_endpoint_t *to_out)
{
    (void)ctx, (void)kind;
    *to_out = *to;
    if (to->port == 53)
        *to_out = (adder_endpoint_t){.ip = adder_ip_v4(127, 0, 0, 1), .port = port_of(names)};
    return ADDER_OK;
}

static void hook_link(void *ctx, adder_net_status_t *status)
{
    (void)ctx;
    status->dns[0] = adder_ip_v4(198, 51, 100, 53);
    status->n_dns = 1;
}

static const adder_posix_hooks_t hooks = {.route = hook_route, .link = hook_link};

static void without_resolver(adder_net_t *net)
{
    static adder_net_ops_t ops;
    ops = *net->ops;
    ops.resolve = NULL;
    net->ops = &ops;
}

static const py_module_t testnet = {.name = "testnet", .init = radio_up, .reset = radio_down};

static int names_up(void **state)
{
    names = bound(SOCK_DGRAM);
    go(answer_names, NULL);
    radio_hooks = &hooks;
    radio_change = without_resolver;
    return drive_up(state);
}

#define HEAD "import socketpool, testnet\npool = socketpool.SocketPool(testnet.radio)\n" RAISES

static void resolving(void **state)
{
    (void)state;
    expect(HEAD "assert pool.getaddrinfo('ten.test', 80) == [(2, 1, 0, '', ('192.0.2.10', 80))]\n"
                "assert pool.getaddrinfo('six.test', 80)[0][4] == ('2001:db8::6', 80, 0, 0)\n"
                "assert pool.getaddrinfo('localhost', 80)[0][4][0] == '127.0.0.1'\n" /* needs no server */
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'six.test', 80, pool.AF_INET)\n"
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'missing.test', 80)\n"
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'no such name', 80)\n"
                "s = pool.socket(type=pool.SOCK_DGRAM)\n"
                "s.sendto(b'x', ('ten.test', 9))\n"
                "rest = [pool.socket() for i in range(7)]\n" /* none left to ask with */
                "raises(pool.gaierror, -2, pool.getaddrinfo, 'ten.test', 80)\n"
                "rest.pop().close()\n"
                "for i in range(20): pool.getaddrinfo('ten.test', 80)\n"); /* and none is lost */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolving),
    };
    return cmocka_run_group_tests(tests, names_up, drive_down);
}
