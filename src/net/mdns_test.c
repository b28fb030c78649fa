/* Multicast DNS: what goes out at which time, what is taken of what comes in. Two engines talk to each other;
 * messages of another hand (compressed, as Avahi and Apple's responder write them) are given byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adder/mdns.h"

#define OK(expr) assert_int_equal(expr, ADDER_OK)

typedef struct {
    adder_mdns_t m;
    adder_mdns_service_t services[4];
    adder_mdns_found_t found[3];
    adder_endpoint_t at;
    uint8_t out[ADDER_MDNS_MESSAGE];
    size_t len;
    adder_endpoint_t to;
} device_t;

static uint32_t fifty(void *ctx)
{
    (void)ctx;
    return 30; /* of 0..100: shared answers wait 50 ms */
}

static void device(device_t *d, uint8_t last, const char *host)
{
    memset(d, 0, sizeof *d);
    adder_mdns_init(&d->m, d->services, 4, fifty, NULL);
    d->at = (adder_endpoint_t){.ip = adder_ip_v4(10, 0, 0, last), .port = ADDER_MDNS_PORT};
    if (host != NULL)
        OK(adder_mdns_set_host(&d->m, host, &d->at.ip, 0));
}

static bool out(device_t *d, uint32_t now_ms)
{
    return adder_mdns_out(&d->m, d->out, sizeof d->out, &d->len, &d->to, now_ms) == ADDER_OK;
}

static void quiet(device_t *d, uint32_t now_ms) /* announcements pass unheard */
{
    while (out(d, now_ms) || out(d, now_ms + 1000))
        ;
}

static void give(device_t *to, const device_t *from, uint32_t now_ms)
{
    adder_mdns_in(&to->m, &from->at, from->out, from->len, now_ms);
}

static uint32_t wait_of(device_t *d, uint32_t now_ms)
{
    uint32_t wait_ms;
    ADDER_IGNORE(adder_mdns_tick(&d->m, now_ms, &wait_ms), "the wait is wanted");
    return wait_ms;
}

static bool holds(const device_t *d, const char *bytes, size_t len)
{
    for (size_t i = 0; i + len <= d->len; i++)
        if (memcmp(d->out + i, bytes, len) == 0)
            return true;
    return false;
}

/* ---- finding ---- */

static void two_devices(void **state)
{
    (void)state;
    device_t a, b;
    device(&a, 1, "lamp-1");
    device(&b, 2, "board");
    OK(adder_mdns_set_instance(&a.m, "Kitchen lamp", 0));
    OK(adder_mdns_advertise(&a.m, "_http", "_tcp", 8080, NULL, 0, 0));
    quiet(&a, 0);
    quiet(&b, 0);
    OK(adder_mdns_find(&b.m, "_http", "_tcp", b.found, 3, 1000, 5000));
    assert_int_equal(wait_of(&b, 5000), 0);
    assert_true(out(&b, 5000));
    assert_int_equal(b.to.port, ADDER_MDNS_PORT);
    assert_memory_equal(b.to.ip.bytes, ((uint8_t[]){224, 0, 0, 251}), 4);
    give(&a, &b, 5000);
    assert_false(out(&b, 5000));
    assert_false(out(&a, 5049)); /* others may have it too */
    assert_int_equal(wait_of(&a, 5000), 50);
    assert_true(out(&a, 5050));
    give(&b, &a, 5051);
    assert_int_equal(b.m.n_found, 1);
    assert_string_equal(b.found[0].instance, "Kitchen lamp");
    assert_string_equal(b.found[0].host, "lamp-1");
    assert_int_equal(b.found[0].port, 8080);
    assert_memory_equal(b.found[0].ip.bytes, a.at.ip.bytes, 4);
    give(&b, &a, 5060); /* again: still one */
    assert_int_equal(b.m.n_found, 1);
    assert_false(out(&b, 5900)); /* nothing is missing */
    uint32_t wait_ms;
    assert_int_equal(adder_mdns_tick(&b.m, 5900, &wait_ms), ADDER_ERR_AGAIN);
    assert_int_equal(wait_ms, 100);
    assert_int_equal(adder_mdns_tick(&b.m, 6000, &wait_ms), ADDER_OK);
    assert_int_equal(wait_ms, UINT32_MAX);
    assert_int_equal(b.m.n_found, 1);
}

static void question_is_repeated(void **state)
{
    (void)state;
    device_t b;
    device(&b, 2, NULL);
    OK(adder_mdns_find(&b.m, "_mqtt", "_tcp", b.found, 3, 10000, 0));
    static const uint8_t question[] = "\0\0\0\0\0\1\0\0\0\0\0\0\5_mqtt\4_tcp\5local\0\0\14\0\1";
    static const uint32_t times[] = {0, 1000, 3000, 7000};
    uint32_t now_ms = 0;
    for (size_t i = 0; i < 4; i++) {
        now_ms += wait_of(&b, now_ms);
        assert_int_equal(now_ms, times[i]);
        assert_true(out(&b, now_ms));
        assert_int_equal(b.len, sizeof question - 1);
        assert_memory_equal(b.out, question, b.len);
    }
    assert_int_equal(adder_mdns_find(&b.m, "http", "_tcp", b.found, 3, 1, 0), ADDER_ERR_ARG);
    assert_int_equal(adder_mdns_find(&b.m, "_http", "_sctp", b.found, 3, 1, 0), ADDER_ERR_ARG);
    assert_int_equal(adder_mdns_find(&b.m, "_12345678901234567", "_tcp", b.found, 3, 1, 0), ADDER_ERR_ARG);
}

/* Only the PTR, with compression, and a second instance; the rest is asked for. */
static void missing_parts_are_asked_for(void **state)
{
    (void)state;
    static const uint8_t ptrs[] =
        "\0\0\204\0\0\0\0\2\0\0\0\0"
        "\5_http\4_tcp\5local\0\0\14\0\1\0\0\21\224\0\7\4Desk\300\14"
        "\300\14\0\14\0\1\0\0\21\224\0\7\4DESK\300\14"; /* the same: names have no case */
    static const uint8_t srv[] =
        "\0\0\204\0\0\0\0\1\0\0\0\0"
        "\4desk\5_http\4_tcp\5local\0\0\41\200\1\0\0\0\170\0\17\0\0\0\0\0\120\6desk-9\300\34";
    static const uint8_t a[] =
        "\0\0\204\0\0\0\0\1\0\0\0\0\6DESK-9\5local\0\0\1\200\1\0\0\0\170\0\4\12\0\0\11";
    device_t b;
    const adder_endpoint_t desk = {.ip = adder_ip_v4(10, 0, 0, 9), .port = ADDER_MDNS_PORT};
    device(&b, 2, NULL);
    OK(adder_mdns_find(&b.m, "_http", "_tcp", b.found, 3, 3000, 0));
    assert_true(out(&b, 0));
    adder_mdns_in(&b.m, &desk, ptrs, sizeof ptrs - 1, 10);
    assert_int_equal(b.m.n_found, 1);
    assert_string_equal(b.found[0].instance, "Desk");
    assert_int_equal(wait_of(&b, 10), 0);
    assert_true(out(&b, 10));
    assert_true(holds(&b, "\4Desk\5_http\4_tcp\5local\0\0\41\0\1", 27));
    adder_mdns_in(&b.m, &desk, srv, sizeof srv - 1, 20);
    assert_string_equal(b.found[0].host, "desk-9");
    assert_int_equal(b.found[0].port, 80);
    assert_int_equal(b.found[0].ip.family, ADDER_IP_NONE);
    assert_false(out(&b, 20)); /* not more often than every 250 ms */
    assert_int_equal(wait_of(&b, 20), 240);
    assert_true(out(&b, 260));
    assert_true(holds(&b, "\6desk-9\5local\0\0\1\0\1", 18));
    adder_mdns_in(&b.m, &desk, a, sizeof a - 1, 270);
    assert_memory_equal(b.found[0].ip.bytes, desk.ip.bytes, 4);
    assert_int_equal(wait_of(&b, 300), 700);
}

static void not_every_answer_counts(void **state)
{
    (void)state;
    static const uint8_t answer[] = "\0\0\204\0\0\0\0\1\0\0\0\0"
                                    "\5_http\4_tcp\5local\0\0\14\0\1\0\0\21\224\0\7\4Desk\300\14";
    device_t b;
    uint8_t bad[sizeof answer];
    adder_endpoint_t from = {.ip = adder_ip_v4(10, 0, 0, 9), .port = 9999};
    device(&b, 2, NULL);
    OK(adder_mdns_find(&b.m, "_http", "_tcp", b.found, 0, 3000, 0));
    from.port = ADDER_MDNS_PORT;
    adder_mdns_in(&b.m, &from, answer, sizeof answer - 1, 0);
    assert_int_equal(b.m.n_found, 0); /* no room */
    OK(adder_mdns_find(&b.m, "_http", "_tcp", b.found, 3, 3000, 0));
    from.port = 9999;
    adder_mdns_in(&b.m, &from, answer, sizeof answer - 1, 0);
    from.port = ADDER_MDNS_PORT;
    for (size_t len = 0; len < sizeof answer - 1; len++) /* cut anywhere */
        adder_mdns_in(&b.m, &from, answer, len, 0);
    memcpy(bad, answer, sizeof bad);
    bad[3] = 3; /* an error code */
    adder_mdns_in(&b.m, &from, bad, sizeof bad - 1, 0);
    memcpy(bad, answer, sizeof bad);
    memset(bad + 34, 0, 4); /* time to live 0: gone */
    adder_mdns_in(&b.m, &from, bad, sizeof bad - 1, 0);
    memcpy(bad, answer, sizeof bad);
    bad[sizeof bad - 2] = (uint8_t)(sizeof bad - 3); /* a pointer to itself */
    adder_mdns_in(&b.m, &from, bad, sizeof bad - 1, 0);
    assert_int_equal(b.m.n_found, 0);
    adder_mdns_in(&b.m, &from, answer, sizeof answer - 1, 0);
    assert_int_equal(b.m.n_found, 1);
}

/* ---- answering ---- */

static const char host_question[] = "\0\0\0\0\0\1\0\0\0\0\0\0\6LAMP-1\5local\0\0\1\0\1";
static const char host_answer[] = "\6lamp-1\5local\0\0\1\200\1\0\0\0\170\0\4\12\0\0\1";

static void own_name_is_answered_at_once(void **state)
{
    (void)state;
    device_t a;
    const adder_endpoint_t asker = {.ip = adder_ip_v4(10, 0, 0, 2), .port = ADDER_MDNS_PORT};
    device(&a, 1, "lamp-1");
    quiet(&a, 0);
    adder_mdns_in(&a.m, &asker, (const uint8_t *)host_question, sizeof host_question - 1, 3000);
    assert_int_equal(wait_of(&a, 3000), 0);
    assert_true(out(&a, 3000));
    assert_true(holds(&a, host_answer, sizeof host_answer - 1));
    assert_memory_equal(a.out, "\0\0\204\0\0\0\0\1\0\0\0\0", 12);
    assert_memory_equal(a.to.ip.bytes, ((uint8_t[]){224, 0, 0, 251}), 4);
    assert_false(out(&a, 3000));
    /* no address, no answer */
    OK(adder_mdns_set_host(&a.m, "lamp-1", &(adder_ip_t){0}, 4000));
    adder_mdns_in(&a.m, &asker, (const uint8_t *)host_question, sizeof host_question - 1, 4000);
    assert_false(out(&a, 9000));
    assert_int_equal(wait_of(&a, 4000), UINT32_MAX);
}

static void one_asker_alone(void **state)
{
    (void)state;
    device_t a;
    uint8_t question[sizeof host_question];
    adder_endpoint_t asker = {.ip = adder_ip_v4(10, 0, 0, 2), .port = ADDER_MDNS_PORT};
    device(&a, 1, "lamp-1");
    quiet(&a, 0);
    memcpy(question, host_question, sizeof question);
    question[sizeof question - 3] = 0x80; /* QU */
    adder_mdns_in(&a.m, &asker, question, sizeof question - 1, 3000);
    assert_true(out(&a, 3000));
    assert_memory_equal(a.to.ip.bytes, asker.ip.bytes, 4);
    assert_true(holds(&a, host_answer, sizeof host_answer - 1));
    /* a plain resolver: id and question come back, short life, no cache-flush bit */
    asker.port = 40000;
    memcpy(question, host_question, sizeof question);
    question[0] = 0xAB;
    question[1] = 0xCD;
    adder_mdns_in(&a.m, &asker, question, sizeof question - 1, 3000);
    assert_true(out(&a, 3000));
    assert_int_equal(a.to.port, 40000);
    assert_memory_equal(a.out, "\xAB\xCD\204\0\0\1\0\1\0\0\0\0\6LAMP-1\5local\0\0\1\0\1", 30);
    assert_true(holds(&a, "\6lamp-1\5local\0\0\1\0\1\0\0\0\12\0\4\12\0\0\1", 28));
}

static void known_answers_are_left_out(void **state)
{
    (void)state;
    device_t a, b;
    device(&a, 1, "lamp-1");
    device(&b, 2, NULL);
    OK(adder_mdns_advertise(&a.m, "_http", "_tcp", 80, NULL, 0, 0));
    quiet(&a, 0);
    uint8_t question[] = "\0\0\0\0\0\1\0\1\0\0\0\0\5_http\4_tcp\5local\0\0\14\0\1"
                         "\300\14\0\14\0\1\0\0\21\224\0\11\6lamp-1\300\14";
    adder_mdns_in(&a.m, &b.at, question, sizeof question - 1, 3000);
    assert_false(out(&a, 4000));
    question[42] = 0x01; /* the asker's is old: 404 s left */
    adder_mdns_in(&a.m, &b.at, question, sizeof question - 1, 5000);
    assert_true(out(&a, 5050));
}

static void services_change(void **state)
{
    (void)state;
    device_t a;
    const uint8_t text[] = "\6path=/\3x=1";
    device(&a, 1, "lamp-1");
    OK(adder_mdns_advertise(&a.m, "_http", "_tcp", 80, text, sizeof text - 1, 0));
    OK(adder_mdns_advertise(&a.m, "_http", "_tcp", 81, text, sizeof text - 1, 0));
    assert_true(out(&a, 0)); /* announced */
    assert_true(holds(&a, "\0\41\200\1\0\0\0\170\0\24\0\0\0\0\0\121\6lamp-1", 23));
    assert_true(holds(&a, "\6path=/\3x=1", sizeof text - 1));
    assert_false(out(&a, 0));
    assert_int_equal(wait_of(&a, 0), 1000);
    assert_true(out(&a, 1000)); /* and once more */
    assert_int_equal(wait_of(&a, 1000), UINT32_MAX);
    OK(adder_mdns_advertise(&a.m, "_a", "_udp", 1, NULL, 0, 0));
    OK(adder_mdns_advertise(&a.m, "_b", "_udp", 1, NULL, 0, 0));
    OK(adder_mdns_advertise(&a.m, "_c", "_udp", 1, NULL, 0, 0));
    assert_int_equal(adder_mdns_advertise(&a.m, "_d", "_udp", 1, NULL, 0, 0), ADDER_ERR_NOMEM);
    assert_int_equal(adder_mdns_advertise(&a.m, "_a.b", "_udp", 1, NULL, 0, 0), ADDER_ERR_ARG);
    quiet(&a, 2000);
    static const uint8_t types[] = "\0\0\0\0\0\1\0\0\0\0\0\0\11_services\7_dns-sd\4_udp\5local\0\0\14\0\1";
    const adder_endpoint_t asker = {.ip = adder_ip_v4(10, 0, 0, 2), .port = ADDER_MDNS_PORT};
    adder_mdns_in(&a.m, &asker, types, sizeof types - 1, 5000);
    assert_true(out(&a, 5050));
    assert_int_equal(a.out[7], 4);
    assert_true(holds(&a, "\2_c\4_udp\5local", 14));
}

static void what_does_not_fit_follows(void **state)
{
    (void)state;
    device_t a, b;
    uint8_t text[ADDER_MDNS_TXT];
    char name[ADDER_MDNS_LABEL + 1];
    memset(name, 'n', ADDER_MDNS_LABEL);
    name[ADDER_MDNS_LABEL] = '\0';
    memset(text, 'x', sizeof text);
    text[0] = ADDER_MDNS_TXT - 1;
    device(&a, 1, name);
    device(&b, 2, NULL);
    static const char *const types[] = {"_ab", "_cd", "_ef", "_gh"};
    for (size_t i = 0; i < 4; i++)
        OK(adder_mdns_advertise(&a.m, types[i], "_tcp", 80, text, sizeof text, 0));
    unsigned messages = 0;
    OK(adder_mdns_find(&b.m, "_gh", "_tcp", b.found, 3, 3000, 0));
    while (out(&a, 0)) {
        messages++;
        give(&b, &a, 0);
    }
    assert_in_range(messages, 2, 4);
    assert_int_equal(b.m.n_found, 1);
    assert_memory_equal(b.found[0].ip.bytes, a.at.ip.bytes, 4); /* each brings what its asker needs next */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_devices),
        cmocka_unit_test(question_is_repeated),
        cmocka_unit_test(missing_parts_are_asked_for),
        cmocka_unit_test(not_every_answer_counts),
        cmocka_unit_test(own_name_is_answered_at_once),
        cmocka_unit_test(one_asker_alone),
        cmocka_unit_test(known_answers_are_left_out),
        cmocka_unit_test(services_change),
        cmocka_unit_test(what_does_not_fit_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
