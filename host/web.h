/* The board view's server: HTTP and one WebSocket on loopback, in a thread of its own.
 *
 *     web_config_t config = { .board = board, .port = 8080, .bundle_dir = "build/web-dist",
 *                             .console_input = on_input, .action = on_action, .ctx = &machine };
 *     web_t *web;
 *     char msg[200];
 *     while ((err = web_start(&config, &web, msg, sizeof msg)) == ADDER_ERR_IN_USE && config.port < 8100)
 *         config.port++;
 *     ...
 *     web_console_output(web, "hello\r\n", 7);      // any thread, whenever the console prints
 *     ...
 *     web_stop(web);
 *
 * What travels on the WebSocket is written down in docs/board-view.md.
 *
 * Safety: listens on 127.0.0.1 only. A request whose Host is not 127.0.0.1, localhost or [::1] with
 * our port is refused, and so is a WebSocket whose Origin is not one of these (DNS rebinding, other
 * pages of the same browser). Messages from a page are bounded and checked; a page that sends
 * something else is closed with a reason and the board goes on.
 *
 * Limits: WEB_CLIENTS_MAX pages at once, WEB_MESSAGE_MAX bytes a message from a page. RAM: the
 * console's history, one copy of the screen, and per page one frame being sent.
 *
 * Threading: web_start, web_stop from one thread; the others from any. The callbacks of the config
 * are made on the web thread, must not block and must not call web_stop. */
#ifndef HOST_WEB_H
#define HOST_WEB_H

#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"

struct sim_board;

#define WEB_CLIENTS_MAX 8
#define WEB_MESSAGE_MAX 16384

/* What the page's buttons ask of the machine. */
typedef enum {
    WEB_ACTION_RESET,     /* the board's reset button */
    WEB_ACTION_RELOAD,    /* run code.py again: Ctrl-D */
    WEB_ACTION_INTERRUPT, /* Ctrl-C */
} web_action_t;

typedef struct {
    struct sim_board *board; /* outlives the server; entered under its own lock */
    uint16_t port;           /* 0 = any free one */
    /* Folder of the built page (index.html, app.js, app.css); borrowed until web_stop. NULL or without an
     * index.html: a plain page that says how to build it; everything else works. */
    const char *bundle_dir;

    /* Typed or pasted into the page's console: UTF-8, at most WEB_MESSAGE_MAX bytes, with Ctrl-C as
     * 0x03 and Ctrl-D as 0x04, as on a serial line. */
    void (*console_input)(void *ctx, const char *utf8, size_t len);
    void (*action)(void *ctx, web_action_t what);
    void *ctx;
} web_config_t;

typedef struct web web_t;

/* Start the server; it answers when this returns.
 *   web_out  to be given to web_stop; untouched on error
 *   msg      on error: what failed and what to do, NUL-terminated
 *   ADDER_ERR_IN_USE  somebody listens on the port: try another
 *   ADDER_ERR_ARG     no board, no callback
 *   ADDER_ERR_NOMEM, ADDER_ERR_IO */
adder_err_t web_start(const web_config_t *config, web_t **web_out, char *msg, size_t msg_cap) ADDER_MUST_USE;

/* Close every page and end the thread, within about a second. NULL is fine. */
void web_stop(web_t *web);

/* The port listened on (of interest when 0 was asked for). */
uint16_t web_port(const web_t *web);

/* What the console prints, for the pages' terminals. Bytes are copied; the last 64 KB are kept and
 * shown to a page that comes later. Never waits for a page. NULL `web` is fine. */
void web_console_output(web_t *web, const char *bytes, size_t len);

/* One line on what the machine does now, shown in the page's head: state is "boot", "running",
 * "repl", "waiting" (code.py done, waiting for a change) or "stopped"; `program` the name of the file,
 * may be NULL. Strings are copied. NULL `web` is fine. */
void web_set_program(web_t *web, const char *state, const char *program);

#endif
