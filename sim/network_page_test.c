/* What the outside sees of the air and turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/network.h"

static sim_network_t *air(void)
{
    static const char text[] =
        "{\"access_points\": [{\"ssid\": \"home\", \"rssi\": -40}, {\"ssid\": \"shed\", \"rssi\": -60}, "
        "{\"ssid\": \"home\", \"rssi\": -70}]}";
    char msg[256] = "";
    sim_network_t *net = sim_network_load(text, sizeof text - 1, "network", msg, sizeof msg);
    assert_string_equal(msg, "");
    return net;
}

static void names_are_switched_together(void **state)
{
    (void)state;
    sim_network_t *net = air();
    assert_true(sim_network_has_ap(net, "home") && sim_network_has_ap(net, "shed"));
    assert_false(sim_network_has_ap(net, "hom"));
    sim_network_switch_ap(net, "home", false);
    assert_true(!net->aps[0].up && net->aps[1].up && !net->aps[2].up);
    assert_true(sim_network_has_ap(net, "home")); /* off the air is not gone */
    sim_network_switch_ap(net, "home", true);
    assert_true(net->aps[0].up && net->aps[2].up);
    sim_network_destroy(net);
}

static void one_is_shown(void **state)
{
    (void)state;
    sim_network_t *net = air();
    assert_ptr_equal(sim_network_shown_ap(net, &net->aps[2]), &net->aps[2]);
    assert_ptr_equal(sim_network_shown_ap(net, NULL), &net->aps[0]);
    net->ap_count = 0;
    assert_null(sim_network_shown_ap(net, NULL));
    sim_network_destroy(net);
}

static void the_state(void **state)
{
    (void)state;
    sim_network_t *net = air();
    sim_network_switch_ap(net, "shed", false);
    net->ap_count = 2;
    cJSON *into = cJSON_CreateObject();
    sim_network_describe(net, &net->aps[0], into);
    cJSON *wanted = cJSON_Parse("{\"wifi\": true, \"rssi\": -40, \"access_points\": ["
                                "{\"ssid\": \"home\", \"up\": true, \"rssi\": -40},"
                                "{\"ssid\": \"shed\", \"up\": false, \"rssi\": -60}]}");
    assert_true(cJSON_Compare(into, wanted, true));
    cJSON_Delete(into);
    cJSON_Delete(wanted);
    into = cJSON_CreateObject();
    sim_network_describe(net, NULL, into);
    assert_int_equal(cJSON_GetObjectItem(into, "rssi")->valueint, -100);
    cJSON_Delete(into);
    sim_network_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_switched_together),
        cmocka_unit_test(one_is_shown),
        cmocka_unit_test(the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
