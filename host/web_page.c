/* A page's WebSocket: news of the board out, the user's hands in. docs/board-view.md has the protocol.
 *
 * Nothing is queued for a page: it has positions (console byte, state revision, screen revision), and
 * when its socket takes data it gets what is newest behind them. A slow page so costs no memory and
 * loses frames, never order. */
#include "host/web_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_us(void)
{
    return (uint64_t)lws_now_usecs();
}

bool web_send_reserve(web_t *web, size_t len)
{
    if (web->send_cap >= len) {
        return true;
    }
    uint8_t *bigger = realloc(web->send, LWS_PRE + len);
    if (bigger == NULL) {
        return false;
    }
    web->send = bigger;
    web->send_cap = len;
    return true;
}

/* ---- to the page ---- */

/* What a sender did. One write per turn is lws's rule. */
typedef enum { NOTHING, SENT, BROKEN } outcome_t;

static outcome_t write_out(web_t *web, web_client_t *c, size_t len, enum lws_write_protocol how)
{
    return lws_write(c->wsi, web->send + LWS_PRE, len, how) < 0 ? BROKEN : SENT;
}

static outcome_t send_json(web_t *web, web_client_t *c, cJSON *json)
{
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    outcome_t outcome = BROKEN;
    if (text != NULL) {
        size_t len = strlen(text);
        if (web_send_reserve(web, len)) {
            memcpy(web->send + LWS_PRE, text, len);
            outcome = write_out(web, c, len, LWS_WRITE_TEXT);
        }
        cJSON_free(text);
    }
    return outcome;
}

static cJSON *new_message(const char *kind)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "kind", kind);
    return json;
}

static outcome_t send_hello(web_t *web, web_client_t *c)
{
    if (c->hello_sent) {
        return NOTHING;
    }
    c->hello_sent = true;
    cJSON *json = new_message("hello");
    cJSON_AddNumberToObject(json, "protocol", 1);
    cJSON_AddItemToObject(json, "board", sim_board_describe(web->config.board));
    return send_json(web, c, json);
}

static outcome_t send_error(web_t *web, web_client_t *c)
{
    if (c->error_count == 0) {
        return NOTHING;
    }
    cJSON *json = new_message("error");
    cJSON_AddStringToObject(json, "message", c->errors[0]);
    c->error_count--;
    memmove(c->errors[0], c->errors[1], sizeof c->errors[0] * c->error_count);
    return send_json(web, c, json);
}

static outcome_t send_program(web_t *web, web_client_t *c)
{
    cJSON *json = NULL;
    pthread_mutex_lock(&web->shared.lock);
    if (c->program_seen != web->shared.program_version) {
        c->program_seen = web->shared.program_version;
        json = new_message("program");
        cJSON_AddStringToObject(json, "state", web->shared.program_state);
        cJSON_AddStringToObject(json, "name", web->shared.program_name);
    }
    pthread_mutex_unlock(&web->shared.lock);
    return json == NULL ? NOTHING : send_json(web, c, json);
}

/* 0 u8 2 = console, 1 u8 1 = version, 2 u16 0, 4 u64 position of the first byte, 12 the bytes as printed. */
static outcome_t send_console(web_t *web, web_client_t *c)
{
    enum { HEAD = 12 };
    if (!web_send_reserve(web, HEAD + WEB_CONSOLE_CHUNK)) {
        return BROKEN;
    }
    uint8_t *p = web->send + LWS_PRE;
    pthread_mutex_lock(&web->shared.lock);
    uint64_t end = web->shared.console_end;
    if (end - c->console_seen > WEB_CONSOLE_HISTORY) {
        c->console_seen =
            end - WEB_CONSOLE_HISTORY; /* the page was too slow: it sees the gap by the position */
    }
    uint64_t first = c->console_seen;
    size_t n = (size_t)(end - first);
    if (n > WEB_CONSOLE_CHUNK) {
        n = WEB_CONSOLE_CHUNK;
    }
    size_t at = (size_t)(first % WEB_CONSOLE_HISTORY);
    size_t to_wrap = WEB_CONSOLE_HISTORY - at;
    memcpy(p + HEAD, web->shared.console + at, n < to_wrap ? n : to_wrap);
    if (n > to_wrap) {
        memcpy(p + HEAD + to_wrap, web->shared.console, n - to_wrap);
    }
    c->console_seen = first + n;
    pthread_mutex_unlock(&web->shared.lock);
    if (n == 0) {
        return NOTHING;
    }
    p[0] = 2;
    p[1] = 1;
    p[2] = p[3] = 0;
    for (unsigned i = 0; i < 8; i++) {
        p[4 + i] = (uint8_t)(first >> (8 * i) & 0xFF);
    }
    return write_out(web, c, HEAD + n, LWS_WRITE_BINARY);
}

static bool state_wanted(const web_t *web, const web_client_t *c)
{
    uint64_t now = now_us();
    return now >= c->state_due_us && (c->state_seen == 0 || now >= c->state_due_us + WEB_QUIET_US ||
                                      sim_board_revision(web->config.board) != c->state_seen);
}

static outcome_t send_state(web_t *web, web_client_t *c)
{
    if (!state_wanted(web, c)) {
        return NOTHING;
    }
    c->state_due_us = now_us() + WEB_STATE_US;
    cJSON *state = sim_board_state(web->config.board, c->state_seen);
    const cJSON *revision = cJSON_GetObjectItemCaseSensitive(state, "revision");
    if (cJSON_IsNumber(revision) && revision->valuedouble > 0) {
        c->state_seen = (uint64_t)revision->valuedouble;
    }
    cJSON *json = new_message("state");
    cJSON_AddItemToObject(json, "state", state);
    return send_json(web, c, json);
}

static bool frame_wanted(const web_t *web, const web_client_t *c)
{
    return web->screen.revision != c->frame_seen && c->frames_unseen < WEB_FRAMES_UNSEEN;
}

static outcome_t send_frame(web_t *web, web_client_t *c)
{
    if (!frame_wanted(web, c)) {
        return NOTHING;
    }
    size_t cap = web_screen_frame_max(&web->screen);
    size_t len;
    if (!web_send_reserve(web, cap) ||
        web_screen_encode(&web->screen, c->frame_seen, web->send + LWS_PRE, cap, &len) != ADDER_OK) {
        return BROKEN;
    }
    c->frame_seen = web->screen.revision;
    if (len == 0) {
        return NOTHING;
    }
    c->frames_unseen++;
    return write_out(web, c, len, LWS_WRITE_BINARY);
}

static bool console_wanted(web_t *web, const web_client_t *c)
{
    pthread_mutex_lock(&web->shared.lock);
    bool wanted =
        c->console_seen != web->shared.console_end || c->program_seen != web->shared.program_version;
    pthread_mutex_unlock(&web->shared.lock);
    return wanted;
}

static bool news(web_t *web, const web_client_t *c)
{
    return !c->hello_sent || c->error_count > 0 || console_wanted(web, c) || state_wanted(web, c) ||
           frame_wanted(web, c);
}

int web_page_writeable(web_t *web, struct lws *wsi, web_session_t *session)
{
    static outcome_t (*const senders[])(web_t *, web_client_t *) = {send_error, send_program, send_console,
                                                                    send_state, send_frame};
    enum { SENDERS = sizeof senders / sizeof senders[0] };
    web_client_t *c = session->client;
    if (c == NULL || c->closing) {
        return -1;
    }
    outcome_t outcome = send_hello(web, c);
    for (unsigned i = 0; i < SENDERS && outcome == NOTHING; i++) {
        unsigned which = (c->turn + i) % SENDERS;
        outcome = senders[which](web, c);
        if (outcome == SENT) {
            c->turn = which + 1;
        }
    }
    if (outcome == BROKEN) {
        return -1;
    }
    if (news(web, c)) {
        lws_callback_on_writable(wsi);
    }
    return 0;
}

void web_page_tick(web_t *web)
{
    if (web->clients == NULL) {
        return;
    }
    if (sim_board_picture(web->config.board, NULL, &web->picture) == ADDER_OK) {
        bool changed;
        ADDER_IGNORE(web_screen_update(&web->screen, web->picture.pixels, web->picture.width,
                                       web->picture.height, &changed),
                     "out of memory: the pages keep the older picture");
    }
    for (web_client_t *c = web->clients; c != NULL; c = c->next) {
        if (news(web, c)) {
            lws_callback_on_writable(c->wsi);
        }
    }
}

/* ---- from the page ---- */

/* The close frame goes out at the page's next turn: lws drops it while an earlier frame is half sent. A page
 * that does not even read gets no turn, but a few seconds. */
static void refuse(web_client_t *c, enum lws_close_status status, const char *why)
{
    lws_close_reason(c->wsi, status, (unsigned char *)(uintptr_t)why, strlen(why));
    c->closing = true;
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, 5);
    lws_callback_on_writable(c->wsi);
}

static void tell(web_client_t *c, const char *what)
{
    if (c->error_count < WEB_ERRORS) {
        snprintf(c->errors[c->error_count++], sizeof c->errors[0], "%.*s", (int)sizeof c->errors[0] - 1,
                 what);
    }
    lws_callback_on_writable(c->wsi);
}

static void obey(web_t *web, web_client_t *c, const web_message_t *m)
{
    char msg[SIM_MSG_CAP];
    switch (m->kind) {
    case WEB_MESSAGE_CONTROL:
        if (sim_board_control(web->config.board, m->part, m->knobs, msg, sizeof msg) != ADDER_OK) {
            tell(c, msg);
        }
        return;
    case WEB_MESSAGE_INPUT:
        web->config.console_input(web->config.ctx, m->text, strlen(m->text));
        return;
    case WEB_MESSAGE_ACTION:
        web->config.action(web->config.ctx, m->action);
        return;
    case WEB_MESSAGE_ACK:
        c->frame_acked = m->revision;
        c->frames_unseen = m->revision == c->frame_seen || c->frames_unseen == 0 ? 0 : c->frames_unseen - 1;
        lws_callback_on_writable(c->wsi);
        return;
    }
}

int web_page_receive(web_t *web, struct lws *wsi, web_session_t *session, const char *bytes, size_t len)
{
    web_client_t *c = session->client;
    if (c == NULL) {
        return -1;
    }
    if (c->closing) {
        return 0;
    }
    if (lws_frame_is_binary(wsi)) {
        refuse(c, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "binary messages are not understood here");
        return 0;
    }
    if (len > WEB_MESSAGE_MAX - c->in_len) {
        refuse(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "message longer than 16384 bytes");
        return 0;
    }
    memcpy(c->in + c->in_len, bytes, len);
    c->in_len += len;
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi)) {
        return 0;
    }
    web_message_t m;
    char why[WEB_REASON_CAP];
    adder_err_t err = web_message_parse(c->in, c->in_len, &m, why);
    c->in_len = 0;
    if (err != ADDER_OK) {
        refuse(c, LWS_CLOSE_STATUS_POLICY_VIOLATION, why);
        return 0;
    }
    obey(web, c, &m);
    web_message_free(&m);
    return 0;
}

int web_page_open(web_t *web, struct lws *wsi, web_session_t *session)
{
    web_client_t *c = calloc(1, sizeof *c);
    if (c != NULL) {
        c->in = malloc(WEB_MESSAGE_MAX);
    }
    if (c == NULL || c->in == NULL) {
        free(c);
        return -1;
    }
    c->wsi = wsi;
    c->next = web->clients;
    web->clients = c;
    web->client_count++;
    session->client = c;
    if (web->client_count > WEB_CLIENTS_MAX) {
        refuse(c, LWS_CLOSE_STATUS_POLICY_VIOLATION, "eight pages are open already: close one");
    }
    web_page_tick(web);
    lws_callback_on_writable(wsi);
    return 0;
}

void web_page_close(web_t *web, web_session_t *session)
{
    web_client_t *c = session->client;
    session->client = NULL;
    for (web_client_t **at = &web->clients; *at != NULL; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            web->client_count--;
            free(c->in);
            free(c);
            return;
        }
    }
}
