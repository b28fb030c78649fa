/* What the files of the server share. Everything but `shared` belongs to the web thread. */
#ifndef HOST_WEB_INT_H
#define HOST_WEB_INT_H

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "host/web.h"
#include "host/web_message.h"
#include "host/web_screen.h"
#include "sim/sim.h"

#define WEB_CONSOLE_HISTORY 65536 /* a power of two */
#define WEB_CONSOLE_CHUNK 8192
#define WEB_ERRORS 4
#define WEB_TICK_US 16000   /* at most this often: a frame */
#define WEB_STATE_US 50000  /* ... the board's state */
#define WEB_QUIET_US 950000 /* ... and that even if nothing happened: time and charge go on */
#define WEB_FRAMES_UNSEEN 2 /* frames sent and not yet acknowledged by the page */

/* One page's WebSocket. */
typedef struct web_client {
    struct web_client *next;
    struct lws *wsi;
    bool closing;
    bool hello_sent;
    uint64_t console_seen; /* position in the stream of console bytes */
    uint64_t state_seen;   /* revision of the board */
    uint64_t state_due_us;
    unsigned program_seen;
    uint32_t frame_seen;  /* newest screen revision sent */
    uint32_t frame_acked; /* newest the page said it has drawn */
    unsigned frames_unseen;
    unsigned turn; /* which kind of news goes first: none may starve the others */
    char errors[WEB_ERRORS][160];
    unsigned error_count;
    char *in; /* a message being received, WEB_MESSAGE_MAX bytes */
    size_t in_len;
} web_client_t;

/* What lws keeps for us per connection: a page's socket or an HTTP answer under way. */
typedef struct {
    web_client_t *client;
    uint8_t *body; /* with LWS_PRE bytes in front */
    size_t body_len, body_pos;
} web_session_t;

struct web {
    web_config_t config;
    uint16_t port;
    pthread_t thread;
    struct lws_context *context;
    struct lws_vhost *vhost;
    atomic_bool stop;

    web_client_t *clients;
    unsigned client_count;
    lws_sorted_usec_list_t ticker;
    web_screen_t screen;
    sim_picture_t picture;
    uint8_t *send; /* LWS_PRE + room for the largest message of ours */
    size_t send_cap;

    struct {
        pthread_mutex_t lock;
        char console[WEB_CONSOLE_HISTORY];
        uint64_t console_end; /* bytes ever printed */
        char program_state[16];
        char program_name[128];
        unsigned program_version;
        bool nudged; /* the web thread was woken and has not looked yet */
    } shared;
};

/* web_http.c */
int web_http_request(web_t *web, struct lws *wsi, web_session_t *session);
int web_http_writeable(web_t *web, struct lws *wsi, web_session_t *session);
/* True when the request may be served; else an answer was sent (or the connection is to be closed). */
bool web_http_trusted(web_t *web, struct lws *wsi, bool origin_required);

/* web_page.c */
int web_page_open(web_t *web, struct lws *wsi, web_session_t *session);
int web_page_receive(web_t *web, struct lws *wsi, web_session_t *session, const char *bytes, size_t len);
int web_page_writeable(web_t *web, struct lws *wsi, web_session_t *session);
void web_page_close(web_t *web, web_session_t *session);
/* Look for news on the board and ask lws for the pages' turns. */
void web_page_tick(web_t *web);

/* Make room for `len` bytes behind web->send + LWS_PRE. */
bool web_send_reserve(web_t *web, size_t len);

#endif
