/* What a reply means: its form is checked by the link while it is read, its content here. */
#include <string.h>

#include "adder/bytes.h"
#include "airlift_int.h"

const airlift_form_t airlift_forms[] = {
    [AIRLIFT_OK] = {1, {1}},         [AIRLIFT_DONE] = {1, {1}},        [AIRLIFT_U8] = {1, {1}},
    [AIRLIFT_SLOT] = {1, {1}},       [AIRLIFT_U16] = {1, {2}},         [AIRLIFT_I16] = {1, {2}},
    [AIRLIFT_I32] = {1, {4}},        [AIRLIFT_TIME] = {1, {4}},        [AIRLIFT_FLOAT] = {1, {4}},
    [AIRLIFT_IP4] = {1, {4}},        [AIRLIFT_IP4_TWO] = {2, {4, 4}},  [AIRLIFT_IP4_THREE] = {3, {4, 4, 4}},
    [AIRLIFT_MAC] = {1, {6}},        [AIRLIFT_TEXT] = {1, {0}},        [AIRLIFT_VERSION] = {1, {0}},
    [AIRLIFT_ENCRYPTION] = {1, {1}}, [AIRLIFT_ENDPOINT] = {2, {4, 2}}, [AIRLIFT_DATA] = {1, {0}},
    [AIRLIFT_SCAN] = {0, {0}},
};

/* Digits at *text, at most 255; false = none there. */
static bool number(const char **text, uint8_t *out)
{
    unsigned v = 0;
    const char *start = *text;
    for (; **text >= '0' && **text <= '9' && v < 1000; (*text)++) {
        v = v * 10 + (unsigned)(**text - '0');
    }
    *out = (uint8_t)v;
    return *text != start && v <= 255;
}

/* "1.7.7", "2.0.0-rc.0+adafruit": three numbers, then anything. */
static adder_err_t take_version(adder_airlift_t *a)
{
    const char *at = (const char *)a->priv.reply;
    uint8_t v[3];
    for (int i = 0; i < 3; i++) {
        if (!number(&at, &v[i]) || (i < 2 && *at++ != '.')) {
            return ADDER_ERR_FORMAT;
        }
    }
    a->firmware.major = v[0];
    a->firmware.minor = v[1];
    a->firmware.patch = v[2];
    size_t len = strlen((const char *)a->priv.reply);
    len = len < sizeof a->firmware.text ? len : sizeof a->firmware.text - 1;
    memcpy(a->firmware.text, a->priv.reply, len);
    a->firmware.text[len] = '\0';
    a->result.text = a->firmware.text;
    a->result.len = len;
    return ADDER_OK;
}

/* The auth modes of IDF, which 3.x passes on. */
static uint8_t encryption_of_idf(uint8_t mode)
{
    static const uint8_t known[] = {ADDER_AIRLIFT_OPEN, ADDER_AIRLIFT_WEP, ADDER_AIRLIFT_WPA,
                                    ADDER_AIRLIFT_WPA2, ADDER_AIRLIFT_WPA2};
    return mode < sizeof known ? known[mode] : ADDER_AIRLIFT_OTHER;
}

static void take_addresses(adder_airlift_t *a, adder_cursor_t *c, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        memcpy(a->result.ip4[i], adder_cursor_take(c, 4), 4);
    }
}

adder_err_t airlift_take_result(adder_airlift_t *a)
{
    const uint8_t *b = a->priv.reply;
    adder_cursor_t c = adder_cursor(b, sizeof a->priv.reply);
    adder_airlift_result_t *r = &a->result;
    switch (a->priv.shape) {
    case AIRLIFT_OK:
        return b[0] == 1 ? ADDER_OK : ADDER_ERR_REFUSED;
    case AIRLIFT_U8:
        r->number = b[0];
        return ADDER_OK;
    case AIRLIFT_SLOT:
        r->number = b[0];
        return b[0] < adder_airlift_slots(a) ? ADDER_OK : b[0] == 255 ? ADDER_ERR_NOMEM : ADDER_ERR_FORMAT;
    case AIRLIFT_ENCRYPTION:
        r->number = a->firmware.major >= 3 ? encryption_of_idf(b[0]) : b[0];
        return ADDER_OK;
    case AIRLIFT_U16:
        r->number = adder_cursor_le16(&c);
        return ADDER_OK;
    case AIRLIFT_I16:
        r->number = (int16_t)adder_cursor_le16(&c);
        return ADDER_OK;
    case AIRLIFT_I32:
        r->number = (int32_t)adder_cursor_le32(&c);
        return ADDER_OK;
    case AIRLIFT_TIME: {
        if (a->priv.reply_len[0] != 4 && a->priv.reply_len[0] != 8) {
            return ADDER_ERR_FORMAT;
        }
        const uint64_t low = adder_cursor_le32(&c);
        const uint64_t high = a->priv.reply_len[0] == 8 ? adder_cursor_le32(&c) : 0;
        r->number = (int64_t)(high << 32 | low);
        return ADDER_OK;
    }
    case AIRLIFT_FLOAT: {
        const uint32_t bits = adder_cursor_le32(&c);
        memcpy(&r->celsius, &bits, sizeof bits);
        return ADDER_OK;
    }
    case AIRLIFT_IP4:
        take_addresses(a, &c, 1);
        return ADDER_OK;
    case AIRLIFT_IP4_TWO:
        take_addresses(a, &c, 2);
        return ADDER_OK;
    case AIRLIFT_IP4_THREE:
        take_addresses(a, &c, 3);
        return ADDER_OK;
    case AIRLIFT_MAC:
        for (unsigned i = 0; i < 6; i++) {
            r->mac[i] = b[a->firmware.major >= 3 ? i : 5 - i];
        }
        return ADDER_OK;
    case AIRLIFT_TEXT:
        r->text = (const char *)b;
        r->len = strlen(r->text);
        return ADDER_OK;
    case AIRLIFT_VERSION:
        return take_version(a);
    case AIRLIFT_ENDPOINT:
        take_addresses(a, &c, 1);
        r->port = adder_cursor_be16(&c);
        return ADDER_OK;
    default: /* DONE says nothing; DATA and SCAN are where they belong already */
        return ADDER_OK;
    }
}
