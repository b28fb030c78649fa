/* Messages from a page: what is understood, and that everything else is refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/web_message.h"

static adder_err_t parse(const char *text, web_message_t *m, char *why)
{
    return web_message_parse(text, strlen(text), m, why);
}

static void test_understood(void **state)
{
    (void)state;
    web_message_t m;
    char why[WEB_REASON_CAP];

    assert_int_equal(parse("{\"kind\":\"control\",\"part\":\"touch\",\"knobs\":{\"touch\":[1,2]}}", &m, why),
                     ADDER_OK);
    assert_int_equal(m.kind, WEB_MESSAGE_CONTROL);
    assert_string_equal(m.part, "touch");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(m.knobs, "touch")), 2);
    web_message_free(&m);

    assert_int_equal(parse(" {\"kind\":\"input\",\"text\":\"x\\r\\u0003\xc3\xa9\"}\n", &m, why), ADDER_OK);
    assert_int_equal(m.kind, WEB_MESSAGE_INPUT);
    assert_string_equal(m.text, "x\r\003\xc3\xa9");
    web_message_free(&m);

    assert_int_equal(parse("{\"kind\":\"action\",\"action\":\"reload\"}", &m, why), ADDER_OK);
    assert_int_equal(m.action, WEB_ACTION_RELOAD);
    web_message_free(&m);

    assert_int_equal(parse("{\"kind\":\"ack\",\"revision\":4294967295}", &m, why), ADDER_OK);
    assert_int_equal(m.revision, UINT32_MAX);
    web_message_free(&m);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "message is not JSON"},
        {"{", "message is not JSON"},
        {"[1]", "message is not a JSON object"},
        {"{}", "\"kind\" must be a string"},
        {"{\"kind\":5}", "\"kind\" must be a string"},
        {"{\"kind\":\"no\\nsuch\"}", "unknown kind of message: \"no?such\""},
        {"{\"kind\":\"action\",\"action\":\"reset\"}x", "message goes on behind its JSON value"},
        {"{\"kind\":\"action\",\"action\":\"explode\"}",
         "action: must be reset, reload or interrupt, not \"explode\""},
        {"{\"kind\":\"action\"}", "action: \"action\" must be a string"},
        {"{\"kind\":\"control\",\"knobs\":{\"a\":1}}", "control: \"part\" must be a string"},
        {"{\"kind\":\"control\",\"part\":\"../x\",\"knobs\":{\"a\":1}}",
         "control: not the name of a part: \"../x\""},
        {"{\"kind\":\"control\",\"part\":\"x\",\"knobs\":{}}",
         "control: \"knobs\" must be an object with a member"},
        {"{\"kind\":\"input\",\"text\":\"\"}", "input: \"text\" must be a string, not empty"},
        {"{\"kind\":\"ack\",\"revision\":1.5}", "ack: \"revision\" must be a whole number, 0..4294967295"},
        {"{\"kind\":\"ack\",\"revision\":-1}", "ack: \"revision\" must be a whole number, 0..4294967295"},
        {"{\"kind\":\"ack\",\"revision\":1e300}", "ack: \"revision\" must be a whole number, 0..4294967295"},
        {"{\"kind\":\"input\",\"text\":\"\xc3\x28\"}", "message is not UTF-8"},
        {"{\"kind\":\"input\",\"text\":\"\xed\xa0\x80\"}", "message is not UTF-8"},
        {"{\"kind\":\"input\",\"text\":\"\xc0\xaf\"}", "message is not UTF-8"},
        {"{\"kind\":\"input\",\"text\":\"\xf4\x90\x80\x80\"}", "message is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        web_message_t m;
        char why[WEB_REASON_CAP];
        assert_int_equal(parse(cases[i].text, &m, why), ADDER_ERR_FORMAT);
        assert_string_equal(why, cases[i].why);
        assert_null(m.root);
    }
}

static void test_too_long(void **state)
{
    (void)state;
    char *big = malloc(WEB_MESSAGE_MAX + 1);
    assert_non_null(big);
    memset(big, ' ', WEB_MESSAGE_MAX + 1);
    web_message_t m;
    char why[WEB_REASON_CAP];
    assert_int_equal(web_message_parse(big, WEB_MESSAGE_MAX + 1, &m, why), ADDER_ERR_FORMAT);
    assert_string_equal(why, "message longer than 16384 bytes");
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_understood),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
