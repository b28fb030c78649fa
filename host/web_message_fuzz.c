/* Any bytes as a message from a page; the invariants are those of web_message.h. */
#include <stdlib.h>
#include <string.h>

#include "host/web_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(int truth)
{
    if (!truth) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    web_message_t m;
    char why[WEB_REASON_CAP];
    adder_err_t err = web_message_parse((const char *)data, size, &m, why);
    if (err != ADDER_OK) {
        hold(m.root == NULL);
        hold(strnlen(why, WEB_REASON_CAP) < WEB_REASON_CAP && why[0] != '\0');
        for (const char *p = why; *p != '\0'; p++) {
            hold(*p >= 0x20 && *p < 0x7F);
        }
        return 0;
    }
    hold(size <= WEB_MESSAGE_MAX);
    switch (m.kind) {
    case WEB_MESSAGE_CONTROL:
        hold(strlen(m.part) >= 1 && strlen(m.part) <= 31);
        hold(cJSON_IsObject(m.knobs) && m.knobs->child != NULL);
        break;
    case WEB_MESSAGE_INPUT:
        hold(m.text[0] != '\0' && strlen(m.text) <= WEB_MESSAGE_MAX);
        break;
    case WEB_MESSAGE_ACTION:
        hold(m.action == WEB_ACTION_RESET || m.action == WEB_ACTION_RELOAD ||
             m.action == WEB_ACTION_INTERRUPT);
        break;
    case WEB_MESSAGE_ACK:
        break;
    }
    web_message_free(&m);
    return 0;
}
