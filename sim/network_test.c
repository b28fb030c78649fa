/* The network configuration: what it says, what it refuses and with which words, where packets go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/network.h"
#include "sim/network_resolver.h"

static sim_network_t *load(const char *text, char *msg, size_t cap)
{
    return sim_network_load(text, strlen(text), "network", msg, cap);
}

static void refuses(const char *text, const char *expected)
{
    char msg[256] = "";
    sim_network_t *net = load(text, msg, sizeof msg);
    if (net != NULL) {
        sim_network_destroy(net);
        fail_msg("accepted: %s", text);
    }
    assert_string_equal(msg, expected);
}

static void nothing_configured_is_one_access_point(void **state)
{
    (void)state;
    char msg[256];
    sim_network_t *net = sim_network_create(NULL, msg, sizeof msg);
    assert_non_null(net);
    assert_int_equal(net->ap_count, 1);
    assert_string_equal(net->aps[0].ssid, "adder");
    assert_int_equal(net->aps[0].security, SIM_AP_WPA2);
    assert_true(net->outside && net->wifi);
    sim_network_destroy(net);
    net = sim_network_default("home", "12345678");
    assert_string_equal(net->aps[0].ssid, "home");
    assert_string_equal(net->aps[0].password, "12345678");
    assert_ptr_equal(sim_network_find_ap(net, "home", 4), &net->aps[0]);
    assert_null(sim_network_find_ap(net, "hom", 3));
    sim_network_destroy(net);
    net = sim_network_default("open place", NULL);
    assert_int_equal(net->aps[0].security, SIM_AP_OPEN);
    sim_network_destroy(net);
    net = sim_network_default("home", "short");
    assert_string_equal(net->aps[0].ssid, "adder");
    sim_network_destroy(net);
}

static void settings_fill_in_what_is_not_said(void **state)
{
    (void)state;
    cJSON *config = sim_network_config(cJSON_Parse("{\"outside\": false}"), "mine", "12345678");
    char msg[256] = "";
    sim_network_t *net = sim_network_create(config, msg, sizeof msg);
    assert_non_null(net);
    assert_false(net->outside);
    assert_string_equal(net->aps[0].ssid, "mine");
    sim_network_destroy(net);
    cJSON_Delete(config);
    config = sim_network_config(cJSON_Parse("{\"access_points\": []}"), "mine", "12345678");
    net = sim_network_create(config, msg, sizeof msg);
    assert_int_equal(net->ap_count, 0);
    sim_network_destroy(net);
    cJSON_Delete(config);
    config = sim_network_config(NULL, "mine", "short");
    assert_null(sim_network_create(config, msg, sizeof msg));
    assert_string_equal(msg, "network.access_points[0].password: 5 characters; WPA2 takes 8 to 63");
    cJSON_Delete(config);
}

static void everything_can_be_said(void **state)
{
    (void)state;
    char msg[256] = "";
    sim_network_t *net =
        load("{\"access_points\": [{\"ssid\": \"a\", \"password\": \"abcdefgh\", \"security\": \"WPA\", "
             "\"channel\": 11,"
             " \"bssid\": \"0a:1B:2c:3d:4e:5f\", \"rssi\": -80, \"up\": false}, {\"ssid\": \"a\"},"
             "{\"ssid\": \"b\", \"security\": \"enterprise\", \"identity\": \"outer\", \"username\": \"ann\","
             " \"password\": \"pw\"}],"
             "\"hosts\": {\"x.test\": \"10.0.0.1\"}, \"outside\": false, \"wifi\": true, \"address\": "
             "\"10.0.0.7\","
             "\"mask\": \"255.0.0.0\", \"gateway\": \"10.0.0.1\", \"dns\": \"10.0.0.2\", \"ca\": [\"a.pem\", "
             "\"b.pem\"],"
             "\"listen\": {\"80\": 8080}, \"time\": 1750000000, \"speed\": 20}",
             msg, sizeof msg);
    if (net == NULL) {
        fail_msg("%s", msg);
    }
    assert_int_equal(net->aps[0].bssid[1], 0x1B);
    assert_int_equal(net->aps[0].rssi, -80);
    assert_ptr_equal(sim_network_find_ap(net, "a", 1), &net->aps[1]); /* the other one is off */
    assert_string_equal(net->aps[2].identity, "outer");
    assert_string_equal(net->aps[2].username, "ann");
    assert_int_equal(net->address[3], 7);
    assert_string_equal(net->cas[1], "b.pem");
    assert_int_equal(sim_network_listen_port(net, 80), 8080);
    assert_int_equal(sim_network_listen_port(net, 81), 81);
    assert_int_equal(sim_network_time(net, 5000000), 1750000005);
    sim_network_destroy(net);
    net = load("{\"time\": false}", msg, sizeof msg);
    assert_int_equal(sim_network_time(net, 0), 0);
    sim_network_destroy(net);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refuses("", "network:1: not JSON (the text ends too early)");
    refuses("{\n\"hosts\": {},\n \"outside\": oops}", "network:3: not JSON, at 'oops}'");
    refuses("{} x", "network:1: not JSON, at 'x'");
    refuses("[]", "network: is a list, not an object");
    refuses("{\"acess_points\": []}",
            "network: unknown \"acess_points\"; known are access_points, hosts, outside, wifi, "
            "address, mask, gateway, dns, ca, listen, time, speed");
    refuses("{\"access_points\": {}}", "network.access_points: is an object, not a list of objects");
    refuses("{\"access_points\": [7]}", "network.access_points[0]: is a number, not an object like "
                                        "{\"ssid\": \"home\", \"password\": \"12345678\"}");
    refuses("{\"access_points\": [{\"password\": \"12345678\"}]}",
            "network.access_points[0]: has no \"ssid\"");
    refuses("{\"access_points\": [{\"ssid\": \"a\"}, {\"ssid\": \"b\", \"password\": \"12345\"}]}",
            "network.access_points[1].password: 5 characters; WPA2 takes 8 to 63");
    refuses("{\"access_points\": [{\"ssid\": \"a\", \"security\": \"wpa3\"}]}",
            "network.access_points[0].security: \"wpa3\" is none of open, wep, wpa, wpa2, enterprise");
    refuses("{\"access_points\": [{\"ssid\": \"a\", \"channel\": 6.5}]}",
            "network.access_points[0].channel: 6.5 is not a whole number from 1 to 14");
    refuses(
        "{\"access_points\": [{\"ssid\": \"a\", \"bssid\": \"02:03\"}]}",
        "network.access_points[0].bssid: \"02:03\" is not six pairs of hex digits like 02:ad:de:00:00:01");
    refuses("{\"access_points\": [{\"ssid\": \"a\", \"colour\": 1}]}",
            "network.access_points[0]: unknown \"colour\"; an access point has ssid, password, security, "
            "identity, username, "
            "channel, bssid, rssi, up");
    refuses("{\"hosts\": {\"mqtt.local\": \"127.0.0\"}}",
            "network.hosts[\"mqtt.local\"]: \"127.0.0\" is not an address like 127.0.0.1 or 127.0.0.1:8080");
    refuses("{\"hosts\": {\"a:99999\": \"127.0.0.1\"}}",
            "network.hosts[\"a:99999\"]: \":99999\" is not a port from 1 to 65535");
    refuses("{\"hosts\": {\"a b\": \"127.0.0.1\"}}", "network.hosts[\"a b\"]: names are made of letters, "
                                                     "digits, '.', '-' and '_', and a port follows ':'");
    refuses("{\"outside\": 1}", "network.outside: is a number, not true or false");
    refuses("{\"speed\": 0}", "network.speed: 0 is not a number from 0.01 to 1000");
    refuses("{\"listen\": {\"http\": 8080}}", "network.listen[\"http\"]: is not a port from 1 to 65535");
    refuses("{\"address\": \"192.168.1\"}",
            "network.address: \"192.168.1\" is not an address like 192.168.1.47");
    char msg[12];
    assert_null(load("{\"outside\": 1}", msg, sizeof msg));
    assert_string_equal(msg, "network.out"); /* truncated, terminated */
    assert_null(load("{\"outside\": 1}", NULL, 0));
}

static void expect_route(const sim_network_t *net, const char *name, uint16_t port, const char *to,
                         uint16_t to_port)
{
    uint8_t ip[4];
    char text[16];
    sim_endpoint_t e;
    assert_int_equal(sim_network_resolve(net, name, ip), ADDER_OK);
    if (to == NULL) {
        assert_int_equal(sim_network_route(net, ip, port, &e), ADDER_ERR_NOT_FOUND);
        return;
    }
    assert_int_equal(sim_network_route(net, ip, port, &e), ADDER_OK);
    (void)snprintf(text, sizeof text, "%u.%u.%u.%u", e.ip4[0], e.ip4[1], e.ip4[2], e.ip4[3]);
    assert_string_equal(text, to);
    assert_int_equal(e.port, to_port);
}

static void names_lead_where_they_are_mapped(void **state)
{
    (void)state;
    char msg[256];
    uint8_t ip[4];
    sim_network_t *net = load("{\"outside\": false, \"hosts\": {\"io.adafruit.com\": \"127.0.0.1\","
                              "\"example.com:80\": \"127.0.0.1:8080\", \"example.com:443\": \"127.0.0.2\","
                              "\"many.test:1\": \"127.0.0.1:1001\", \"many.test\": \"127.0.0.3\","
                              "\"10.0.0.5:1883\": \"127.0.0.1:18830\"}}",
                              msg, sizeof msg);
    assert_int_equal(sim_network_resolve(net, "IO.Adafruit.com", ip), ADDER_OK);
    assert_int_equal(ip[0], 127);
    expect_route(net, "io.adafruit.com", 8883, "127.0.0.1", 8883);
    expect_route(net, "example.com", 80, "127.0.0.1", 8080);
    expect_route(net, "example.com", 443, "127.0.0.2", 443);
    expect_route(net, "example.com", 22, NULL, 0);
    expect_route(net, "many.test", 1, "127.0.0.1", 1001);
    expect_route(net, "many.test", 2, "127.0.0.3", 2);
    expect_route(net, "10.0.0.5", 1883, "127.0.0.1", 18830);
    expect_route(net, "10.0.0.5", 80, NULL, 0);
    expect_route(net, "localhost", 1883, "127.0.0.1", 1883);
    assert_int_equal(sim_network_resolve(net, "elsewhere.com", ip), ADDER_ERR_NOT_FOUND);
    net->outside = true;
    assert_int_equal(sim_network_resolve(net, "elsewhere.com", ip), ADDER_ERR_AGAIN);
    assert_int_equal(sim_network_resolve(net, "", ip), ADDER_ERR_NOT_FOUND);
    expect_route(net, "93.184.216.34", 80, "93.184.216.34", 80);
    sim_network_destroy(net);
    net = load("{\"hosts\": {\"*\": \"127.0.0.1:9000\", \"a.test:80\": \"127.0.0.2\"}}", msg, sizeof msg);
    expect_route(net, "a.test", 80, "127.0.0.2", 80);
    expect_route(net, "a.test", 81, "127.0.0.1", 9000);
    expect_route(net, "whatever.com", 443, "127.0.0.1", 9000);
    expect_route(net, "8.8.8.8", 53, "127.0.0.1", 9000);
    sim_network_destroy(net);
}

static void lookups_can_be_abandoned(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        sim_lookup_close(sim_lookup_start("abandoned.invalid"));
    }
    sim_lookup_t *l = sim_lookup_start("127.0.0.5");
    uint8_t ip[4];
    adder_err_t err;
    do {
        err = sim_lookup_poll(l, ip);
    } while (err == ADDER_ERR_AGAIN);
    assert_int_equal(err, ADDER_OK);
    assert_int_equal(ip[3], 5);
    sim_lookup_close(l);
    sim_lookup_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_configured_is_one_access_point),
        cmocka_unit_test(settings_fill_in_what_is_not_said),
        cmocka_unit_test(everything_can_be_said),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(names_lead_where_they_are_mapped),
        cmocka_unit_test(lookups_can_be_abandoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
