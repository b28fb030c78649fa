/* The HTTP engines on this computer's sockets, for test_http.py to set against other people's.
 *
 *     http_peer fetch METHOD URL [URL...]   the body of POST and PUT comes from stdin, in chunks; one line of
 * JSON for each URL, all over one client http_peer serve                       prints its port; GET /hello,
 * POST /echo, GET /stream/<bytes>; until stdin ends */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adder/http_client.h"
#include "adder/http_server.h"
#include "adder/json.h"
#include "ports/posix/net_posix.h"

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t now_ms(void)
{
    return (uint32_t)(now_us() / 1000);
}

/* Let the stack work; wait for it, for `fd` (if any), or for wait_ms. True: `fd` is readable. */
static bool pump(const adder_net_t *net, uint32_t wait_ms, int fd)
{
    adder_net_wants_t wants;
    if (net->ops->tick(net->ctx, now_us(), &wants) != ADDER_OK)
        exit(3);
    uint32_t ms = wants.wait_us / 1000 < wait_ms ? wants.wait_us / 1000 : wait_ms;
    struct pollfd polled[2] = {{.fd = (int)wants.signal, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    (void)poll(polled, fd >= 0 ? 2 : 1, ms < 1000 ? (int)ms : 1000);
    if (net->ops->tick(net->ctx, now_us(), &wants) != ADDER_OK)
        exit(3);
    return fd >= 0 && polled[1].revents != 0;
}

/* ---- client ---- */

static char request_body[1 << 21];
static size_t request_len, request_at;

static adder_err_t body_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    (void)ctx;
    size_t n = request_len - request_at;
    if (n == 0)
        return ADDER_ERR_END;
    *n_out = n < cap ? n : cap;
    memcpy(buf, request_body + request_at, *n_out);
    request_at += *n_out;
    return ADDER_OK;
}

static adder_err_t body_rewind(void *ctx)
{
    (void)ctx;
    request_at = 0;
    return ADDER_OK;
}

static void report(const adder_http_fetch_t *f, adder_err_t err, unsigned status, size_t length, uint32_t sum)
{
    char line[256];
    size_t n;
    adder_json_writer_t w;
    adder_json_write_init(&w, line, sizeof line);
    adder_json_put_begin(&w, ADDER_JSON_OBJECT);
    adder_json_put_name(&w, "result"), adder_json_put_text(&w, adder_err_str(err));
    adder_json_put_name(&w, "why"), adder_json_put_text(&w, adder_http_why_str(f->why));
    adder_json_put_name(&w, "status"), adder_json_put_uint(&w, status);
    adder_json_put_name(&w, "length"), adder_json_put_uint(&w, length);
    adder_json_put_name(&w, "sum"), adder_json_put_uint(&w, sum);
    adder_json_put_name(&w, "followed"), adder_json_put_uint(&w, f->followed);
    adder_json_put_name(&w, "reused"), adder_json_put_bool(&w, f->reused);
    adder_json_put_end(&w);
    if (adder_json_write_end(&w, &n) != ADDER_OK)
        exit(4);
    puts(line);
}

static void fetch(adder_http_client_t *client, const adder_net_t *net, const char *method, const char *url)
{
    char redirects[512];
    uint8_t buf[4096];
    bool sends = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
    adder_http_fetch_t f = {.method = method,
                            .url = url,
                            .redirect_buf = redirects,
                            .redirect_cap = sizeof redirects,
                            .redirects = 5,
                            .timeout_ms = 20000};
    if (sends)
        f.body =
            (adder_http_payload_t){.kind = ADDER_HTTP_BODY_CHUNKED, .source = {body_read, body_rewind, NULL}};
    request_at = 0;
    uint32_t wait, sum = 0;
    size_t length = 0, n;
    unsigned status = 0;
    adder_err_t err = adder_http_fetch_start(&f, client, now_ms());
    while (err == ADDER_OK && (err = adder_http_fetch_step(&f, now_ms(), &wait)) == ADDER_ERR_AGAIN) {
        (void)pump(net, wait, -1);
        err = ADDER_OK;
    }
    if (err == ADDER_OK)
        status = f.head->status;
    while (err == ADDER_OK || err == ADDER_ERR_AGAIN) {
        if (err == ADDER_ERR_AGAIN)
            (void)pump(net, 100, -1);
        err = adder_http_fetch_read(&f, buf, sizeof buf, &n, now_ms());
        length += n;
        for (size_t i = 0; i < n; i++)
            sum = sum * 31 + buf[i];
    }
    adder_http_fetch_end(&f, now_ms());
    report(&f, err == ADDER_ERR_END ? ADDER_OK : err, status, length, sum);
}

/* ---- server ---- */

static uint8_t echoed[1 << 20];
static size_t echoed_len, streamed_left;

static adder_err_t stream_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    (void)ctx;
    if (streamed_left == 0)
        return ADDER_ERR_END;
    *n_out = streamed_left < cap ? streamed_left : cap;
    memset(buf, 's', *n_out);
    streamed_left -= *n_out;
    return ADDER_OK;
}

static adder_err_t serve_one(void *ctx, adder_http_call_t *call, adder_http_serve_t what,
                             const uint8_t *bytes, size_t len)
{
    const char *kind = ctx;
    if (what == ADDER_HTTP_SERVE_REQUEST)
        echoed_len = 0;
    if (what == ADDER_HTTP_SERVE_BODY) {
        memcpy(echoed + echoed_len, bytes, len);
        echoed_len += len;
    }
    if (what != ADDER_HTTP_SERVE_END)
        return ADDER_OK;
    if (kind[0] == 'h')
        return adder_http_call_reply(call, 200, "text/plain", "hello", 5);
    if (kind[0] == 'e')
        return adder_http_call_reply(call, 200, "application/octet-stream", echoed, echoed_len);
    streamed_left = strtoul(call->param[0], NULL, 10);
    adder_http_payload_t body = {.kind = ADDER_HTTP_BODY_CHUNKED, .source = {stream_read, NULL, NULL}};
    return adder_http_call_answer(call, 200, "text/plain", NULL, 0, &body);
}

static int serve(const adder_net_t *net)
{
    static char hello[] = "hello", echo[] = "echo", stream[] = "stream";
    static const adder_http_route_t routes[] = {{"GET", "/hello", serve_one, hello},
                                                {"POST", "/echo", serve_one, echo},
                                                {"GET", "/stream/<bytes>", serve_one, stream}};
    static adder_http_call_t calls[2];
    static uint8_t memory[2][4096];
    adder_http_server_t server;
    adder_http_server_config_t config = {.net = net,
                                         .at = {.ip = adder_ip_v4(127, 0, 0, 1)},
                                         .routes = routes,
                                         .n_routes = 3,
                                         .calls = calls,
                                         .n_calls = 2,
                                         .memory = memory[0],
                                         .call_bytes = sizeof memory[0],
                                         .body_max = sizeof echoed};
    uint32_t wait;
    if (adder_http_server_start(&server, &config) != ADDER_OK)
        return 1;
    printf("%u\n", adder_http_server_port(&server));
    fflush(stdout);
    do {
        if (adder_http_server_tick(&server, now_ms(), &wait) != ADDER_OK)
            return 1;
    } while (!pump(net, wait, STDIN_FILENO));
    adder_http_server_stop(&server);
    return 0;
}

int main(int argc, char **argv)
{
    static adder_posix_sock_t socks[8];
    static adder_posix_net_t posix;
    static adder_http_slot_t slots[2];
    static uint8_t memory[2][4096];
    if (argc < 2 ||
        adder_posix_net_init(&posix, &(adder_posix_net_config_t){.slots = socks, .n_slots = 8}) != ADDER_OK)
        return 2;
    adder_net_t net = adder_posix_net(&posix);
    int code = 0;
    if (strcmp(argv[1], "serve") == 0) {
        code = serve(&net);
    } else if (argc > 3) {
        adder_http_client_t client;
        adder_http_client_config_t config = {.net = &net,
                                             .slots = slots,
                                             .n_slots = 2,
                                             .memory = memory[0],
                                             .slot_bytes = sizeof memory[0],
                                             .user_agent = "adder"};
        request_len = fread(request_body, 1, sizeof request_body, stdin);
        if (adder_http_client_init(&client, &config) != ADDER_OK)
            return 2;
        for (int i = 3; i < argc; i++)
            fetch(&client, &net, argv[2], argv[i]);
        adder_http_client_close_idle(&client);
    }
    adder_posix_net_deinit(&posix);
    return code;
}
