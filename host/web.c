/* Life of the server: the listening socket, the thread, the callbacks of libwebsockets. */
#include "host/web_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

static const struct lws_protocols protocols[] = {
    {.name = "adder",
     .callback = callback,
     .per_session_data_size = sizeof(web_session_t),
     .rx_buffer_size = 4096},
    {0},
};

static int upgrade_allowed(web_t *web, struct lws *wsi)
{
    char path[16];
    bool is_socket = lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) > 0 && strcmp(path, "/ws") == 0;
    if (is_socket && web_http_trusted(web, wsi, true)) {
        return 0;
    }
    ADDER_IGNORE(lws_return_http_status(wsi, is_socket ? HTTP_STATUS_FORBIDDEN : HTTP_STATUS_NOT_FOUND, NULL),
                 "the connection is closed next in any case");
    return -1;
}

/* Woken by another thread: nothing but news, or the end. */
static void woken(web_t *web)
{
    pthread_mutex_lock(&web->shared.lock);
    web->shared.nudged = false;
    pthread_mutex_unlock(&web->shared.lock);
    for (web_client_t *c = web->clients; c != NULL; c = c->next) {
        lws_callback_on_writable(c->wsi);
    }
}

static void tick(lws_sorted_usec_list_t *sul)
{
    web_t *web = lws_container_of(sul, web_t, ticker);
    web_page_tick(web);
    if (web->clients != NULL) {
        lws_sul_schedule(web->context, 0, &web->ticker, tick, WEB_TICK_US);
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    web_session_t *session = user;
    struct lws_context *context = wsi == NULL ? NULL : lws_get_context(wsi);
    web_t *web = context == NULL ? NULL : lws_context_user(context);
    if (web == NULL) {
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
    switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        woken(web);
        return 0;
    case LWS_CALLBACK_HTTP:
        return web_http_request(web, wsi, session);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return web_http_writeable(web, wsi, session);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (session != NULL) {
            free(session->body);
            session->body = NULL;
        }
        return 0;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return upgrade_allowed(web, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        if (web_page_open(web, wsi, session) != 0) {
            return -1;
        }
        lws_sul_schedule(web->context, 0, &web->ticker, tick, WEB_TICK_US);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return web_page_receive(web, wsi, session, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return web_page_writeable(web, wsi, session);
    case LWS_CALLBACK_CLOSED:
        web_page_close(web, session);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

static void *run(void *arg)
{
    web_t *web = arg;
    while (!atomic_load(&web->stop) && lws_service(web->context, 0) >= 0) {
    }
    return NULL;
}

/* ---- start ---- */

/* lws only logs a failed bind: ask first, so that the caller learns why. */
static adder_err_t port_free(uint16_t port, char *msg, size_t msg_cap)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        snprintf(msg, msg_cap, "board view: no socket: %s", strerror(errno));
        return ADDER_ERR_IO;
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    adder_err_t err = ADDER_OK;
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        err = errno == EADDRINUSE ? ADDER_ERR_IN_USE : ADDER_ERR_IO;
        snprintf(msg, msg_cap, "board view: port %u: %s", port, strerror(errno));
    }
    close(fd);
    return err;
}

static void free_web(web_t *web)
{
    if (web->context != NULL) {
        lws_context_destroy(web->context);
    }
    web_screen_free(&web->screen);
    sim_picture_free(&web->picture);
    free(web->send);
    pthread_mutex_destroy(&web->shared.lock);
    free(web);
}

static adder_err_t listen_on(web_t *web, char *msg, size_t msg_cap)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .fd_limit_per_thread = 64,
        .user = web,
    };
    web->context = lws_create_context(&info);
    if (web->context == NULL) {
        snprintf(msg, msg_cap, "board view: libwebsockets did not start");
        return ADDER_ERR_NOMEM;
    }
    struct lws_context_creation_info vhost = {
        .port = web->config.port,
        .iface = "127.0.0.1",
        .protocols = protocols,
        .vhost_name = "adder",
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_DISABLE_IPV6,
        .keepalive_timeout = 30,
        .timeout_secs = 10,
    };
    web->vhost = lws_create_vhost(web->context, &vhost);
    int port = web->vhost == NULL ? -1 : lws_get_vhost_listen_port(web->vhost);
    if (port <= 0 || port > 65535) {
        snprintf(msg, msg_cap, "board view: port %u: somebody else took it", web->config.port);
        return ADDER_ERR_IN_USE;
    }
    web->port = (uint16_t)port;
    return ADDER_OK;
}

adder_err_t web_start(const web_config_t *config, web_t **web_out, char *msg, size_t msg_cap)
{
    if (config->board == NULL || config->console_input == NULL || config->action == NULL) {
        snprintf(msg, msg_cap, "board view: board, console_input and action must be given");
        return ADDER_ERR_ARG;
    }
    if (config->port != 0) {
        adder_err_t err = port_free(config->port, msg, msg_cap);
        if (err != ADDER_OK) {
            return err;
        }
    }
    web_t *web = calloc(1, sizeof *web);
    if (web == NULL) {
        snprintf(msg, msg_cap, "board view: out of memory");
        return ADDER_ERR_NOMEM;
    }
    web->config = *config;
    atomic_init(&web->stop, false);
    pthread_mutex_init(&web->shared.lock, NULL);
    snprintf(web->shared.program_state, sizeof web->shared.program_state, "boot");
    web->shared.program_version = 1;
    lws_set_log_level(0, NULL);
    adder_err_t err = listen_on(web, msg, msg_cap);
    if (err == ADDER_OK) {
        /* Signals are for the machine's thread. */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int failed = pthread_create(&web->thread, NULL, run, web);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (failed != 0) {
            snprintf(msg, msg_cap, "board view: no thread: %s", strerror(failed));
            err = ADDER_ERR_IO;
        }
    }
    if (err != ADDER_OK) {
        free_web(web);
        return err;
    }
    *web_out = web;
    return ADDER_OK;
}

void web_stop(web_t *web)
{
    if (web == NULL) {
        return;
    }
    atomic_store(&web->stop, true);
    lws_cancel_service(web->context);
    pthread_join(web->thread, NULL);
    free_web(web);
}

uint16_t web_port(const web_t *web)
{
    return web->port;
}

/* ---- from other threads ---- */

static void nudge_unlock(web_t *web)
{
    bool wake = !web->shared.nudged;
    web->shared.nudged = true;
    pthread_mutex_unlock(&web->shared.lock);
    if (wake) {
        lws_cancel_service(web->context);
    }
}

void web_console_output(web_t *web, const char *bytes, size_t len)
{
    if (web == NULL || len == 0) {
        return;
    }
    pthread_mutex_lock(&web->shared.lock);
    if (len > WEB_CONSOLE_HISTORY) {
        web->shared.console_end += len - WEB_CONSOLE_HISTORY;
        bytes += len - WEB_CONSOLE_HISTORY;
        len = WEB_CONSOLE_HISTORY;
    }
    size_t at = (size_t)(web->shared.console_end % WEB_CONSOLE_HISTORY);
    size_t to_wrap = WEB_CONSOLE_HISTORY - at;
    size_t first = len < to_wrap ? len : to_wrap;
    memcpy(web->shared.console + at, bytes, first);
    memcpy(web->shared.console, bytes + first, len - first);
    web->shared.console_end += len;
    nudge_unlock(web);
}

void web_set_program(web_t *web, const char *state, const char *program)
{
    if (web == NULL) {
        return;
    }
    pthread_mutex_lock(&web->shared.lock);
    snprintf(web->shared.program_state, sizeof web->shared.program_state, "%s", state);
    snprintf(web->shared.program_name, sizeof web->shared.program_name, "%s", program == NULL ? "" : program);
    web->shared.program_version++;
    nudge_unlock(web);
}
