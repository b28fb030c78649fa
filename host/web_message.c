#include "host/web_message.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool utf8_valid(const unsigned char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        unsigned char c = s[i++];
        if (c < 0x80) {
            continue;
        }
        unsigned more;
        unsigned low = 0x80, high = 0xBF; /* of the second byte: no overlong forms, no surrogates */
        if (c >= 0xC2 && c <= 0xDF) {
            more = 1;
        } else if (c >= 0xE0 && c <= 0xEF) {
            more = 2;
            low = c == 0xE0 ? 0xA0 : 0x80;
            high = c == 0xED ? 0x9F : 0xBF;
        } else if (c >= 0xF0 && c <= 0xF4) {
            more = 3;
            low = c == 0xF0 ? 0x90 : 0x80;
            high = c == 0xF4 ? 0x8F : 0xBF;
        } else {
            return false;
        }
        if (more > len - i) {
            return false;
        }
        for (; more > 0; more--, i++) {
            if (s[i] < low || s[i] > high) {
                return false;
            }
            low = 0x80;
            high = 0xBF;
        }
    }
    return true;
}

/* The reason is shown to whoever sent the bytes: keep it printable whatever they were. */
static adder_err_t refuse(char why[WEB_REASON_CAP], const char *text, const char *detail)
{
    int n = snprintf(why, WEB_REASON_CAP, "%s", text);
    size_t at = n > 0 ? (size_t)n : 0;
    if (detail != NULL && at + 4 < WEB_REASON_CAP) {
        why[at++] = ' ';
        why[at++] = '"';
        for (size_t i = 0; detail[i] != '\0' && i < 24 && at + 2 < WEB_REASON_CAP; i++) {
            unsigned char c = (unsigned char)detail[i];
            why[at++] = (c >= 0x20 && c < 0x7F) ? (char)c : '?';
        }
        why[at++] = '"';
        why[at] = '\0';
    }
    return ADDER_ERR_FORMAT;
}

static bool part_name_valid(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
    return n >= 1 && n <= 31 && s[n] == '\0';
}

static adder_err_t read_control(web_message_t *m, char why[WEB_REASON_CAP])
{
    m->part = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m->root, "part"));
    if (m->part == NULL) {
        return refuse(why, "control: \"part\" must be a string", NULL);
    }
    if (!part_name_valid(m->part)) {
        return refuse(why, "control: not the name of a part:", m->part);
    }
    m->knobs = cJSON_GetObjectItemCaseSensitive(m->root, "knobs");
    if (!cJSON_IsObject(m->knobs) || m->knobs->child == NULL) {
        return refuse(why, "control: \"knobs\" must be an object with a member", NULL);
    }
    return ADDER_OK;
}

static adder_err_t read_action(web_message_t *m, char why[WEB_REASON_CAP])
{
    static const char *const names[] = {
        [WEB_ACTION_RESET] = "reset",
        [WEB_ACTION_RELOAD] = "reload",
        [WEB_ACTION_INTERRUPT] = "interrupt",
    };
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m->root, "action"));
    if (name == NULL) {
        return refuse(why, "action: \"action\" must be a string", NULL);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            m->action = (web_action_t)i;
            return ADDER_OK;
        }
    }
    return refuse(why, "action: must be reset, reload or interrupt, not", name);
}

static adder_err_t read_kind(web_message_t *m, char why[WEB_REASON_CAP])
{
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m->root, "kind"));
    if (kind == NULL) {
        return refuse(why, "\"kind\" must be a string", NULL);
    }
    if (strcmp(kind, "control") == 0) {
        m->kind = WEB_MESSAGE_CONTROL;
        return read_control(m, why);
    }
    if (strcmp(kind, "action") == 0) {
        m->kind = WEB_MESSAGE_ACTION;
        return read_action(m, why);
    }
    if (strcmp(kind, "input") == 0) {
        m->kind = WEB_MESSAGE_INPUT;
        m->text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m->root, "text"));
        if (m->text == NULL || m->text[0] == '\0') {
            return refuse(why, "input: \"text\" must be a string, not empty", NULL);
        }
        return ADDER_OK;
    }
    if (strcmp(kind, "ack") == 0) {
        m->kind = WEB_MESSAGE_ACK;
        const cJSON *n = cJSON_GetObjectItemCaseSensitive(m->root, "revision");
        if (!cJSON_IsNumber(n) || !(n->valuedouble >= 0 && n->valuedouble <= (double)UINT32_MAX) ||
            floor(n->valuedouble) != n->valuedouble) {
            return refuse(why, "ack: \"revision\" must be a whole number, 0..4294967295", NULL);
        }
        m->revision = (uint32_t)n->valuedouble;
        return ADDER_OK;
    }
    return refuse(why, "unknown kind of message:", kind);
}

adder_err_t web_message_parse(const char *bytes, size_t len, web_message_t *out, char why[WEB_REASON_CAP])
{
    *out = (web_message_t){0};
    why[0] = '\0';
    if (len > WEB_MESSAGE_MAX) {
        return refuse(why, "message longer than 16384 bytes", NULL);
    }
    if (!utf8_valid((const unsigned char *)bytes, len)) {
        return refuse(why, "message is not UTF-8", NULL);
    }
    /* The parser would accept anything behind the first value: look at where it stopped. */
    const char *end = bytes;
    out->root = cJSON_ParseWithLengthOpts(bytes, len, &end, 0);
    if (out->root == NULL) {
        return refuse(why, "message is not JSON", NULL);
    }
    adder_err_t err = ADDER_OK;
    for (; end < bytes + len; end++) {
        if (strchr(" \t\r\n", *end) == NULL || *end == '\0') {
            err = refuse(why, "message goes on behind its JSON value", NULL);
            break;
        }
    }
    if (err == ADDER_OK && !cJSON_IsObject(out->root)) {
        err = refuse(why, "message is not a JSON object", NULL);
    }
    if (err == ADDER_OK) {
        err = read_kind(out, why);
    }
    if (err != ADDER_OK) {
        web_message_free(out);
    }
    return err;
}

void web_message_free(web_message_t *m)
{
    cJSON_Delete(m->root);
    *m = (web_message_t){0};
}
