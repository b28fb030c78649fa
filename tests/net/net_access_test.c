/* Enterprise networks and the board's own access point, with right and wrong credentials; and on each a page
 * of the board, fetched by a program of this computer (Python's urllib) from adder_http_server. */
#include "tests/net/scenarios.h"

static const char *const firmwares[] = {"1.7.7", "2.0.0+adafruit", "3.3.0"};
enum { FIRMWARES = sizeof firmwares / sizeof firmwares[0] };

/* Port 80 of the board is a port of this computer that nobody has. */
static world_t *open_board(size_t firmware, uint16_t *port_out)
{
    char listen[64];
    *port_out = hold_port();
    (void)snprintf(listen, sizeof listen, "\"listen\": {\"80\": %u},", *port_out);
    return world_board(firmwares[firmware], listen);
}

/* The page, three times, by another program, while the board serves. */
static void page_is_fetched(world_t *w, uint16_t port)
{
    static const char program[] = "import sys, urllib.request\n"
                                  "for i in range(3):\n"
                                  "    with urllib.request.urlopen(sys.argv[1], timeout=100) as r:\n"
                                  "        print(r.status, r.headers['Content-Type'], flush=True)\n"
                                  "        page = r.read()\n"
                                  "print(len(page), page.decode(), end='', flush=True)\n";
    static service_t s;
    static child_t child;
    char url[64], page[PAGE + 1];
    bool goes_on = true;
    assert_int_equal(service_start(&s, &w->net, 80, 1800000), ADDER_OK);
    for (unsigned i = 0; i < 50; i++) { /* it listens */
        service_turn(w, &s);
    }
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/page", port);
    const char *argv[] = {"/usr/bin/python3", "-I", "-c", program, url, NULL};
    child_start(&child, "/tmp", argv, NULL);
    for (const uint64_t end = world_now_us(w) + 3600 * (uint64_t)1000000; goes_on;) {
        service_turn(w, &s);
        world_nap(200);
        goes_on = child_hear(&child, 0);
        world_must_go_on(w, end);
    }
    for (size_t i = 0; i < PAGE; i++) {
        page[i] = (char)pattern(i);
    }
    page[PAGE] = '\0';
    const char *body = strstr(child.text, "2500 ");
    if (child_stop(&child, false) != 0 || body == NULL) {
        const size_t len = strlen(child.text); /* its last words say why */
        fail_msg("it says: %s", child.text + (len > 300 ? len - 300 : 0));
    }
    assert_memory_equal(child.text, "200 text/plain\n200 text/plain\n200 text/plain\n", 45);
    assert_string_equal(body + 5, page);
    adder_http_server_stop(&s.server);
    assert_int_equal(world_sockets(w), 0);
}

static void enterprise_with_right_and_wrong_credentials(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIRMWARES; i++) {
        uint16_t port;
        world_t *w = open_board(i, &port);
        adder_airlift_wifi_t wifi = {.ssid = "office",
                                     .identity = "anonymous",
                                     .user = "ann",
                                     .password = "wrong",
                                     .security = ADDER_AIRLIFT_SECURITY_ENTERPRISE};
        assert_int_equal(world_join_as(w, &wifi), ADDER_ERR_REFUSED);
        wifi.password = "s3cret";
        wifi.user = "bob";
        assert_int_equal(world_join_as(w, &wifi), ADDER_ERR_REFUSED);
        wifi.user = "ann";
        wifi.ssid = "nowhere";
        assert_int_equal(world_join_as(w, &wifi), ADDER_ERR_NOT_FOUND);
        wifi.ssid = "office";
        assert_int_equal(world_join_as(w, &wifi), ADDER_OK);
        assert_int_equal(world_status(w).n_ips, 1);
        page_is_fetched(w, port);
        world_close(w);
    }
}

static void serves_on_its_own_access_point(void **state)
{
    (void)state;
    static const char long_one[] = "0123456789012345678901234567890123456789012345678901234567890123";
    for (size_t i = 0; i < FIRMWARES; i++) {
        uint16_t port;
        world_t *w = open_board(i, &port);
        adder_airlift_net_t *a = &w->airlift;
        assert_int_equal(adder_airlift_net_access_point(a, "adder", "seven77", 6), ADDER_ERR_RANGE);
        assert_int_equal(adder_airlift_net_access_point(a, "adder", long_one, 6), ADDER_ERR_RANGE);
        assert_int_equal(adder_airlift_net_access_point(a, "", "long enough", 6), ADDER_ERR_RANGE);
        assert_int_equal(adder_airlift_net_access_point(a, "adder", "long enough", 15), ADDER_ERR_RANGE);
        assert_int_equal(world_status(w).link, ADDER_NET_LINK_OFF);
        for (unsigned open = 0; open < 2; open++) {
            assert_int_equal(adder_airlift_net_access_point(a, "adder", open ? NULL : "long enough", 6),
                             ADDER_OK);
            const uint64_t end = world_now_us(w) + 60000000;
            while (world_status(w).link == ADDER_NET_LINK_JOINING) {
                (void)world_pump(w, 1000000);
                world_must_go_on(w, end);
            }
            assert_int_equal(world_status(w).link, ADDER_NET_LINK_UP);
            const adder_ip_t own = adder_ip_v4(192, 168, 4, 1);
            assert_true(adder_ip_equal(&world_status(w).ips[0], &own));
            page_is_fetched(w, port);
        }
        assert_int_equal(world_join(w), ADDER_OK); /* and back */
        page_is_fetched(w, port);
        world_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enterprise_with_right_and_wrong_credentials),
        cmocka_unit_test(serves_on_its_own_access_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
