/* Topics and filters: well-formed or not, matching or not, and the router. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/mqtt_match.h"

static adder_mqtt_str_t str(const char *text)
{
    return (adder_mqtt_str_t){text, strlen(text)};
}

static void text_is_utf_8_without_nul(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xef\xbb\xbf" /* [MQTT-1.5.4-3]: kept */};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x9f\xbf",
                                      "\xe1\x80",
                                      "\xe1\x80\x41",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xf1\x80\x80",
                                      "a\xe1"};
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(adder_mqtt_is_text(str(good[i])));
    }
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(adder_mqtt_is_text(str(bad[i])));
    }
    assert_false(adder_mqtt_is_text((adder_mqtt_str_t){"a\0b", 3}));
    static char wide[65536];
    memset(wide, 'w', sizeof wide);
    assert_true(adder_mqtt_is_text((adder_mqtt_str_t){wide, 65535}));
    assert_false(adder_mqtt_is_text((adder_mqtt_str_t){wide, 65536}));
}

static void topics_and_filters(void **state)
{
    (void)state;
    static const char *const topics[] = {"a", "/", "a/b", "a//b", " ", "$SYS/x", "a b/c"};
    static const char *const filters[] = {
        "#",   "+",          "/#",         "a/#",          "+/+",    "a/+/b",     "/+",
        "+/#", "$share/g/a", "$share/g/#", "$share/g/+/x", "$share", "$sharex/+/"};
    static const char *const bad[] = {
        "",   "a#",      "a/#/b",    "##",        "#/",        "a+",         "+a",          "a/+b/c",
        "++", "$share/", "$share/g", "$share//a", "$share/g/", "$share/+/a", "$share/g#/a", "$share/g/a#"};
    for (unsigned i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        assert_true(adder_mqtt_is_topic(str(topics[i])) && adder_mqtt_is_filter(str(topics[i])));
    }
    for (unsigned i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        assert_true(adder_mqtt_is_filter(str(filters[i])));
    }
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(adder_mqtt_is_filter(str(bad[i])));
    }
    assert_false(adder_mqtt_is_topic(str("")) || adder_mqtt_is_topic(str("a/+")) ||
                 adder_mqtt_is_topic(str("#")));
    assert_true(adder_mqtt_is_shared(str("$share/g/a")));
    assert_false(adder_mqtt_is_shared(str("$shar")) || adder_mqtt_is_shared(str("$share")));
}

static void what_matches(void **state)
{
    (void)state;
    static const struct {
        const char *filter, *topic;
        bool matches;
    } cases[] = {
        /* those of the standard, 4.7.1 */
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/#", "sport", true},
        {"#", "sport", true},
        {"sport/tennis/+", "sport/tennis/player1", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+", "/finance", false},
        /* 4.7.2 */
        {"#", "$SYS/x", false},
        {"+/monitor/Clients", "$SYS/monitor/Clients", false},
        {"$SYS/#", "$SYS/", true},
        {"$SYS/#", "$SYS", true},
        {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
        /* 4.7.3 */
        {"ACCOUNTS", "Accounts", false},
        {"/finance", "finance", false},
        {"a", "a", true},
        {"a", "ab", false},
        {"ab", "a", false},
        {"a/b", "a", false},
        {"a/b/#", "a", false},
        {"a/#", "ab", false},
        {"a/+/c", "a//c", true},
        {"a/+/c", "a/b/d", false},
        {"+/#", "a", true},
        {"+/b/#", "a/b", true},
        {"+/b/#", "a/bc", false},
        {"a/+/#", "a", false},
        {"+/+/+", "a/b", false},
        /* 4.8.2 */
        {"$share/g/a/+", "a/b", true},
        {"$share/g/#", "a", true},
        {"$share/g/#", "$SYS", false},
        {"$share/g/a", "$share/g/a", false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (adder_mqtt_matches(str(cases[i].filter), str(cases[i].topic)) != cases[i].matches) {
            print_error("%s %s\n", cases[i].filter, cases[i].topic);
            assert_true(false);
        }
    }
}

typedef struct {
    adder_mqtt_router_t *router;
    adder_mqtt_route_t *leaves; /* removes this one */
    adder_err_t result;
    unsigned calls;
} taker_t;

static adder_err_t take(void *ctx, const adder_mqtt_piece_t *piece)
{
    taker_t *t = ctx;
    (void)piece;
    t->calls++;
    if (t->leaves != NULL) {
        adder_mqtt_router_remove(t->router, t->leaves);
    }
    return t->result;
}

static void routes_are_called(void **state)
{
    (void)state;
    adder_mqtt_router_t router = {0};
    taker_t takers[3] = {{.router = &router}, {.router = &router}, {.router = &router}};
    adder_mqtt_route_t routes[3] = {{.filter = str("a/+"), .fn = take, .ctx = &takers[0]},
                                    {.filter = str("b"), .fn = take, .ctx = &takers[1]},
                                    {.filter = str("#"), .fn = take, .ctx = &takers[2]}};
    adder_mqtt_route_t bad = {.filter = str("a#"), .fn = take};
    adder_mqtt_piece_t piece = {.topic = str("a/x")};
    size_t n;
    assert_int_equal(adder_mqtt_router_call(&router, &piece, &n), ADDER_OK);
    assert_int_equal(n, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(adder_mqtt_router_add(&router, &routes[i]), ADDER_OK);
    }
    assert_int_equal(adder_mqtt_router_add(&router, &bad), ADDER_ERR_ARG);
    assert_int_equal(adder_mqtt_router_call(&router, &piece, &n), ADDER_OK);
    assert_int_equal(n, 2);
    assert_true(takers[0].calls == 1 && takers[1].calls == 0 && takers[2].calls == 1);
    takers[2].result = ADDER_ERR_AGAIN; /* the first one has it: not again */
    assert_int_equal(adder_mqtt_router_call(&router, &piece, &n), ADDER_OK);
    takers[0].result = ADDER_ERR_AGAIN;
    assert_int_equal(adder_mqtt_router_call(&router, &piece, &n), ADDER_ERR_AGAIN);
    assert_true(takers[0].calls == 3 && takers[2].calls == 2);
    takers[0].result = ADDER_ERR_FORMAT;
    takers[0].leaves = &routes[0];
    assert_int_equal(adder_mqtt_router_call(&router, &piece, NULL), ADDER_ERR_FORMAT);
    assert_int_equal(adder_mqtt_router_call(&router, &piece, &n), ADDER_ERR_AGAIN);
    assert_int_equal(n, 1);
    assert_true(takers[0].calls == 4 && takers[2].calls == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_utf_8_without_nul),
        cmocka_unit_test(topics_and_filters),
        cmocka_unit_test(what_matches),
        cmocka_unit_test(routes_are_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
