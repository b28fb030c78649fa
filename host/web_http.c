/* Plain HTTP: the page's files, /api/state, /api/screenshot.png. */
#include "host/web_int.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/web_guard.h"

#define FILE_MAX (8u << 20)
#define HEADER_CAP 2048
#define BODY_CHUNK 16384

static const char no_bundle[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>Adder</title>"
    "<style>body{font:16px/1.6 system-ui,sans-serif;max-width:36em;margin:12vh auto;padding:0 1.5em;"
    "color-scheme:light dark}code{padding:.1em .3em;border:1px solid #8888;border-radius:4px}</style>"
    "<h1>The board is running.</h1>"
    "<p>Its page has not been built. In the folder <code>web/</code> of Adder:</p>"
    "<p><code>npm ci &amp;&amp; npm run build</code></p>"
    "<p>then load this page again. Until then there is the "
    "<a href=\"/api/screenshot.png\">screen as a picture</a> and the "
    "<a href=\"/api/state\">board's state as JSON</a>.</p>";

/* ---- trust ---- */

static bool header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t cap)
{
    return lws_hdr_total_length(wsi, token) > 0 && lws_hdr_copy(wsi, out, (int)cap, token) > 0;
}

bool web_http_trusted(web_t *web, struct lws *wsi, bool origin_required)
{
    char value[256];
    if (!header(wsi, WSI_TOKEN_HOST, value, sizeof value) || !web_guard_host(value, web->port)) {
        return false;
    }
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0) {
        return header(wsi, WSI_TOKEN_ORIGIN, value, sizeof value) && web_guard_origin(value, web->port);
    }
    return !origin_required;
}

/* ---- answers ---- */

static bool add(struct lws *wsi, const char *name, const char *value, unsigned char **p, unsigned char *end)
{
    return lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
                                       (int)strlen(value), p, end) == 0;
}

/* Send the head now; session->body goes out from web_http_writeable. */
static int answer(web_t *web, struct lws *wsi, web_session_t *session, unsigned status, const char *type)
{
    unsigned char head[LWS_PRE + HEADER_CAP];
    unsigned char *start = head + LWS_PRE, *p = start, *end = head + sizeof head - 1;
    char csp[512];
    /* xterm.js writes style elements; nothing else needs more than our own files. */
    snprintf(csp, sizeof csp,
             "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
             "blob:; connect-src 'self' ws://127.0.0.1:%u ws://localhost:%u; base-uri 'none'; "
             "form-action 'none'; frame-ancestors 'none'",
             web->port, web->port);
    if (lws_add_http_common_headers(wsi, status, type, session->body_len, &p, end) != 0 ||
        !add(wsi, "cache-control:", "no-cache, no-store", &p, end) ||
        !add(wsi, "content-security-policy:", csp, &p, end) ||
        !add(wsi, "x-content-type-options:", "nosniff", &p, end) ||
        !add(wsi, "x-frame-options:", "DENY", &p, end) ||
        !add(wsi, "referrer-policy:", "no-referrer", &p, end) ||
        !add(wsi, "cross-origin-opener-policy:", "same-origin", &p, end) ||
        !add(wsi, "cross-origin-resource-policy:", "same-origin", &p, end) ||
        (status == HTTP_STATUS_METHOD_NOT_ALLOWED && !add(wsi, "allow:", "GET, HEAD", &p, end)) ||
        lws_finalize_write_http_header(wsi, start, &p, end) != 0) {
        return -1;
    }
    if (session->body_len == 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0) {
        free(session->body);
        session->body = NULL;
        return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
    }
    lws_callback_on_writable(wsi);
    return 0;
}

/* Take a copy of `bytes` as the answer's body. */
static bool set_body(web_session_t *session, const void *bytes, size_t len)
{
    free(session->body);
    session->body_pos = 0;
    session->body_len = 0;
    session->body = malloc(LWS_PRE + len + 1);
    if (session->body == NULL) {
        return false;
    }
    memcpy(session->body + LWS_PRE, bytes, len);
    session->body_len = len;
    return true;
}

static int answer_with(web_t *web, struct lws *wsi, web_session_t *session, unsigned status, const char *type,
                       const void *bytes, size_t len)
{
    return set_body(session, bytes, len) ? answer(web, wsi, session, status, type) : -1;
}

static int answer_line(web_t *web, struct lws *wsi, web_session_t *session, unsigned status, const char *text)
{
    return answer_with(web, wsi, session, status, "text/plain; charset=utf-8", text, strlen(text));
}

int web_http_writeable(web_t *web, struct lws *wsi, web_session_t *session)
{
    (void)web;
    if (session->body == NULL) {
        return 0;
    }
    size_t left = session->body_len - session->body_pos;
    size_t n = left < BODY_CHUNK ? left : BODY_CHUNK;
    bool last = n == left;
    /* lws may use the LWS_PRE bytes in front of a chunk: those of an earlier chunk are sent already. */
    if (lws_write(wsi, session->body + LWS_PRE + session->body_pos, n,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) {
        return -1;
    }
    session->body_pos += n;
    if (!last) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    free(session->body);
    session->body = NULL;
    return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

/* ---- what is served ---- */

static int serve_state(web_t *web, struct lws *wsi, web_session_t *session)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "board", sim_board_describe(web->config.board));
    cJSON_AddItemToObject(json, "state", sim_board_state(web->config.board, 0));
    pthread_mutex_lock(&web->shared.lock);
    cJSON *program = cJSON_AddObjectToObject(json, "program");
    cJSON_AddStringToObject(program, "state", web->shared.program_state);
    cJSON_AddStringToObject(program, "name", web->shared.program_name);
    pthread_mutex_unlock(&web->shared.lock);
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    if (text == NULL) {
        return -1;
    }
    int result =
        answer_with(web, wsi, session, HTTP_STATUS_OK, "application/json; charset=utf-8", text, strlen(text));
    cJSON_free(text);
    return result;
}

static int serve_screenshot(web_t *web, struct lws *wsi, web_session_t *session)
{
    sim_picture_t picture = {0};
    adder_err_t err = sim_board_picture(web->config.board, NULL, &picture);
    if (err != ADDER_OK) {
        sim_picture_free(&picture);
        return answer_line(web, wsi, session, HTTP_STATUS_NOT_FOUND, "This board has no display.\n");
    }
    size_t pixels = (size_t)picture.width * picture.height;
    uint8_t *rgb = malloc(pixels * 3 + 1);
    int result = -1;
    if (rgb != NULL) {
        for (size_t i = 0; i < pixels; i++) {
            rgb[3 * i] = (uint8_t)(picture.pixels[i] >> 16 & 0xFF);
            rgb[3 * i + 1] = (uint8_t)(picture.pixels[i] >> 8 & 0xFF);
            rgb[3 * i + 2] = (uint8_t)(picture.pixels[i] & 0xFF);
        }
        png_image image = {.version = PNG_IMAGE_VERSION,
                           .width = picture.width,
                           .height = picture.height,
                           .format = PNG_FORMAT_RGB};
        png_alloc_size_t len = PNG_IMAGE_PNG_SIZE_MAX(image);
        uint8_t *png = malloc(len);
        if (png != NULL && png_image_write_to_memory(&image, png, &len, 0, rgb, 0, NULL)) {
            result = answer_with(web, wsi, session, HTTP_STATUS_OK, "image/png", png, len);
        }
        free(png);
    }
    free(rgb);
    sim_picture_free(&picture);
    return result;
}

/* Read at each request: a page built anew while the board runs is there at the next load. */
static int serve_file(web_t *web, struct lws *wsi, web_session_t *session, const char *name)
{
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/%s", web->config.bundle_dir == NULL ? "" : web->config.bundle_dir,
                     name);
    int fd = -1;
    struct stat st;
    if (web->config.bundle_dir != NULL && n > 0 && (size_t)n < sizeof path) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX) {
        if (fd >= 0) {
            close(fd);
        }
        if (strcmp(name, "index.html") == 0) {
            return answer_with(web, wsi, session, HTTP_STATUS_OK, "text/html; charset=utf-8", no_bundle,
                               sizeof no_bundle - 1);
        }
        return answer_line(web, wsi, session, HTTP_STATUS_NOT_FOUND, "No such page.\n");
    }
    size_t size = (size_t)st.st_size, got = 0;
    free(session->body);
    session->body = malloc(LWS_PRE + size + 1);
    while (session->body != NULL && got < size) {
        ssize_t r = read(fd, session->body + LWS_PRE + got, size - got);
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            break; /* truncated meanwhile: what was read is the file */
        }
        got += (size_t)r;
    }
    close(fd);
    if (session->body == NULL) {
        return -1;
    }
    session->body_pos = 0;
    session->body_len = got;
    return answer(web, wsi, session, HTTP_STATUS_OK, web_guard_type(name));
}

int web_http_request(web_t *web, struct lws *wsi, web_session_t *session)
{
    if (!web_http_trusted(web, wsi, false)) {
        return answer_line(web, wsi, session, HTTP_STATUS_FORBIDDEN,
                           "Refused: this server answers to 127.0.0.1 and localhost only.\n");
    }
    char path[256];
    if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0) {
        if (!header(wsi, WSI_TOKEN_GET_URI, path, sizeof path)) {
            return answer_line(web, wsi, session, HTTP_STATUS_REQ_URI_TOO_LONG, "Address too long.\n");
        }
    } else if (!header(wsi, WSI_TOKEN_HEAD_URI, path, sizeof path)) {
        return answer_line(web, wsi, session, HTTP_STATUS_METHOD_NOT_ALLOWED, "");
    }
    if (strcmp(path, "/api/state") == 0) {
        return serve_state(web, wsi, session);
    }
    if (strcmp(path, "/api/screenshot.png") == 0) {
        return serve_screenshot(web, wsi, session);
    }
    const char *file = web_guard_file(path);
    if (file == NULL) {
        return answer_line(web, wsi, session, HTTP_STATUS_NOT_FOUND, "No such page.\n");
    }
    return serve_file(web, wsi, session, file);
}
