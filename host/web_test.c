/* The server against a client that speaks HTTP and WebSocket byte by byte, well and badly. */
#define _GNU_SOURCE /* strcasestr */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/web.h"
#include "sim/sim.h"

/* ---- the machine behind the server ---- */

typedef struct {
    sim_board_t *board;
    web_t *web;
    atomic_int resets, reloads, typed;
    char last_typed[64];
} machine_stub_t;

static void on_input(void *ctx, const char *utf8, size_t len)
{
    machine_stub_t *m = ctx;
    snprintf(m->last_typed, sizeof m->last_typed, "%.*s", (int)len, utf8);
    atomic_fetch_add(&m->typed, 1);
}

static void on_action(void *ctx, web_action_t what)
{
    machine_stub_t *m = ctx;
    atomic_fetch_add(what == WEB_ACTION_RESET ? &m->resets : &m->reloads, 1);
}

static web_config_t config_of(machine_stub_t *m)
{
    return (web_config_t){.board = m->board, .console_input = on_input, .action = on_action, .ctx = m};
}

static int setup(void **state)
{
    static machine_stub_t m;
    char msg[SIM_MSG_CAP];
    m = (machine_stub_t){.board = sim_board_open("boards/pyportal.json", NULL, msg, sizeof msg)};
    if (m.board == NULL) {
        print_error("%s\n", msg);
        return -1;
    }
    web_config_t config = config_of(&m);
    if (web_start(&config, &m.web, msg, sizeof msg) != ADDER_OK) {
        print_error("%s\n", msg);
        return -1;
    }
    *state = &m;
    return 0;
}

static int teardown(void **state)
{
    machine_stub_t *m = *state;
    web_stop(m->web);
    sim_board_close(m->board);
    return 0;
}

/* ---- a client ---- */

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int dial(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void put(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* closed by the server: the test looks at what it said */
        }
        p += n;
        len -= (size_t)n;
    }
}

/* One byte, -1 at the end of the connection; two seconds without one fail the test. */
static int get(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    unsigned char c;
    assert_int_equal(poll(&p, 1, 20000), 1);
    return recv(fd, &c, 1, 0) == 1 ? c : -1;
}

static void get_head(int fd, char *out, size_t cap)
{
    size_t n = 0;
    int c;
    while (n + 1 < cap && (c = get(fd)) >= 0) {
        out[n++] = (char)c;
        if (n >= 4 && memcmp(out + n - 4, "\r\n\r\n", 4) == 0) {
            break;
        }
    }
    out[n] = '\0';
}

/* A whole exchange on a connection of its own; the answer's head and, up to cap, its body. */
static void request(uint16_t port, const char *method, const char *path, const char *host, const char *more,
                    char *out, size_t cap)
{
    char text[1024];
    int fd = dial(port);
    int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", method,
                     path, host, more);
    put(fd, text, (size_t)n);
    get_head(fd, out, cap);
    size_t at = strlen(out);
    const char *length = strcasestr(out, "content-length:");
    size_t left = length == NULL || strcmp(method, "HEAD") == 0 ? 0 : (size_t)strtoul(length + 15, NULL, 10);
    for (; left > 0 && at + 1 < cap; left--) {
        int c = get(fd);
        assert_true(c >= 0);
        out[at++] = (char)c;
    }
    out[at] = '\0';
    close(fd);
}

static char *here(uint16_t port)
{
    static char host[32];
    snprintf(host, sizeof host, "127.0.0.1:%u", port);
    return host;
}

static int upgrade(uint16_t port, const char *path, const char *origin, char *head, size_t cap)
{
    char text[512];
    int fd = dial(port);
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                     path, here(port), origin);
    put(fd, text, (size_t)n);
    get_head(fd, head, cap);
    return fd;
}

static int page(uint16_t port)
{
    char origin[64], head[2048];
    snprintf(origin, sizeof origin, "Origin: http://127.0.0.1:%u\r\n", port);
    int fd = upgrade(port, "/ws", origin, head, sizeof head);
    assert_non_null(strstr(head, " 101 "));
    assert_non_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    return fd;
}

static void say(int fd, unsigned opcode, const char *bytes, size_t len)
{
    unsigned char head[14] = {(unsigned char)(0x80 | opcode)};
    size_t n = 2;
    if (len < 126) {
        head[1] = (unsigned char)(0x80 | len);
    } else {
        head[1] = 0x80 | 126;
        head[2] = (unsigned char)(len >> 8 & 0xFF);
        head[3] = (unsigned char)(len & 0xFF);
        n = 4;
    }
    n += 4; /* the mask: zero */
    put(fd, head, n);
    put(fd, bytes, len);
}

static void say_text(int fd, const char *text)
{
    say(fd, 1, text, strlen(text));
}

/* The next message; returns its opcode, -1 at the end. Longer ones are cut. */
static int hear(int fd, char *out, size_t cap, size_t *len_out)
{
    int first = get(fd);
    if (first < 0) {
        return -1;
    }
    assert_true((first & 0x80) != 0); /* whole messages */
    uint64_t len = (uint64_t)get(fd);
    if (len >= 126) {
        unsigned bytes = len == 126 ? 2 : 8;
        for (len = 0; bytes > 0; bytes--) {
            len = len << 8 | (uint64_t)get(fd);
        }
    }
    size_t n = 0;
    for (uint64_t i = 0; i < len; i++) {
        int c = get(fd);
        if (c < 0) {
            return -1;
        }
        if (n + 1 < cap) {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
    if (len_out != NULL) {
        *len_out = n;
    }
    return first & 0x0F;
}

/* Read on until a text message that contains `what`. */
static void await_text(int fd, const char *what, char *out, size_t cap)
{
    for (uint64_t until = now_ms() + 20000; now_ms() < until;) {
        int opcode = hear(fd, out, cap, NULL);
        assert_true(opcode >= 0);
        if (opcode == 1 && strstr(out, what) != NULL) {
            return;
        }
    }
    fail_msg("no message with %s", what);
}

/* Read on until the close frame: its code and reason. */
static unsigned await_close(int fd, char *reason, size_t cap)
{
    static char message[400000];
    for (;;) {
        size_t len;
        int opcode = hear(fd, message, sizeof message, &len);
        assert_true(opcode >= 0);
        if (opcode == 8) {
            assert_true(len >= 2);
            snprintf(reason, cap, "%.*s", (int)(len - 2 < cap - 1 ? len - 2 : cap - 1), message + 2);
            return (unsigned)(unsigned char)message[0] << 8 | (unsigned char)message[1];
        }
    }
}

static void still_serves(uint16_t port)
{
    char answer[4096];
    request(port, "GET", "/", here(port), "", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
}

static void await_count(atomic_int *count, int wanted)
{
    for (uint64_t until = now_ms() + 20000; atomic_load(count) < wanted && now_ms() < until;) {
        usleep(2000);
    }
    assert_int_equal(atomic_load(count), wanted);
}

/* ---- HTTP ---- */

static void test_plain_page(void **state)
{
    const machine_stub_t *m = *state;
    uint16_t port = web_port(m->web);
    static char answer[65536];
    request(port, "GET", "/", here(port), "", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
    assert_non_null(strstr(answer, "npm run build"));
    assert_non_null(strcasestr(answer, "content-security-policy: default-src 'none'"));
    assert_non_null(strcasestr(answer, "x-content-type-options: nosniff"));
    assert_non_null(strcasestr(answer, "x-frame-options: DENY"));

    request(port, "GET", "/api/state", here(port), "", answer, sizeof answer);
    assert_non_null(strstr(answer, "\"pyportal\""));
    request(port, "HEAD", "/", here(port), "", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));

    char name[32];
    snprintf(name, sizeof name, "localhost:%u", port);
    request(port, "GET", "/api/screenshot.png", name, "", answer, sizeof answer);
    assert_non_null(strcasestr(answer, "content-type: image/png"));
}

static void test_refused(void **state)
{
    const machine_stub_t *m = *state;
    uint16_t port = web_port(m->web);
    char answer[4096], rebound[64];
    static const char *const paths[] = {"/nothing.js", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                                        "/.npmrc",     "/api/none",         "/a/b"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        request(port, "GET", paths[i], here(port), "", answer, sizeof answer);
        assert_true(strstr(answer, " 404 ") != NULL || strstr(answer, " 403 ") != NULL ||
                    strstr(answer, " 400 ") != NULL);
        assert_null(strstr(answer, "root:"));
    }
    snprintf(rebound, sizeof rebound, "evil.example:%u", port);
    request(port, "GET", "/api/state", rebound, "", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 403 "));
    request(port, "GET", "/api/state", "127.0.0.1", "", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 403 "));
    request(port, "GET", "/api/state", here(port), "Origin: http://evil.example\r\n", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 403 "));
    request(port, "POST", "/", here(port), "Content-Length: 0\r\n", answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 405 "));
    still_serves(port);
}

static void test_bundle(void **state)
{
    machine_stub_t *m = *state;
    char folder[] = "/tmp/adder-web-XXXXXX", path[128], msg[200];
    static char answer[400000];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/index.html", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("<p>the page", f);
    fclose(f);
    snprintf(path, sizeof path, "%s/app.js", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 30000; i++) {
        fprintf(f, "%09d\n", i);
    }
    fclose(f);
    snprintf(path, sizeof path, "%s/link.js", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);

    web_config_t config = config_of(m);
    config.bundle_dir = folder;
    web_t *web;
    assert_int_equal(web_start(&config, &web, msg, sizeof msg), ADDER_OK);
    uint16_t port = web_port(web);
    request(port, "GET", "/", here(port), "", answer, sizeof answer);
    assert_non_null(strstr(answer, "<p>the page"));
    request(port, "GET", "/app.js", here(port), "", answer, sizeof answer);
    assert_non_null(strcasestr(answer, "content-type: text/javascript"));
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(strlen(body + 4), 300000);
    for (int i = 0; i < 30000; i++) {
        assert_int_equal(strtol(body + 4 + 10 * i, NULL, 10), i);
    }
    request(port, "GET", "/link.js", here(port), "", answer, sizeof answer);
    assert_non_null(strstr(answer, " 404 "));
    web_stop(web);

    unlink(path);
    snprintf(path, sizeof path, "%s/app.js", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/index.html", folder);
    unlink(path);
    rmdir(folder);
}

/* ---- WebSocket ---- */

static void test_origin(void **state)
{
    const machine_stub_t *m = *state;
    uint16_t port = web_port(m->web);
    char head[2048];
    static const char *const origins[] = {"", "Origin: null\r\n", "Origin: http://evil.example\r\n",
                                          "Origin: http://127.0.0.1:1\r\n", "Origin: https://localhost\r\n"};
    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        int fd = upgrade(port, "/ws", origins[i], head, sizeof head);
        assert_null(strstr(head, " 101 "));
        close(fd);
    }
    char good[64];
    snprintf(good, sizeof good, "Origin: http://localhost:%u\r\n", port);
    close(upgrade(port, "/other", good, head, sizeof head));
    assert_null(strstr(head, " 101 "));
    close(upgrade(port, "/ws", good, head, sizeof head));
    assert_non_null(strstr(head, " 101 "));
}

static void test_page(void **state)
{
    machine_stub_t *m = *state;
    uint16_t port = web_port(m->web);
    static char text[400000];
    web_set_program(m->web, "running", "code.py");
    web_console_output(m->web, "before ", 7);
    int fd = page(port);
    size_t len;
    assert_int_equal(hear(fd, text, sizeof text, NULL), 1);
    assert_non_null(strstr(text, "{\"kind\":\"hello\",\"protocol\":1,\"board\":{"));
    assert_non_null(strstr(text, "\"pyportal\""));

    bool state_seen = false, program_seen = false, screen_seen = false;
    char console[64] = "";
    web_console_output(m->web, "\xc3\xa9 after", 8);
    for (uint64_t until = now_ms() + 20000; now_ms() < until;) {
        int opcode = hear(fd, text, sizeof text, &len);
        if (opcode == 2 && text[0] == 2) {
            strncat(console, text + 12, sizeof console - 1 - strlen(console));
        } else if (opcode == 2 && text[0] == 1) {
            screen_seen = true;
        } else if (opcode == 1) {
            state_seen |= strstr(text, "\"kind\":\"state\"") != NULL;
            program_seen |=
                strstr(text, "{\"kind\":\"program\",\"state\":\"running\",\"name\":\"code.py\"}") != NULL;
        }
        if (state_seen && program_seen && screen_seen && strlen(console) == 15) {
            break;
        }
    }
    assert_true(state_seen);
    assert_true(program_seen);
    assert_true(screen_seen);
    assert_string_equal(console, "before \xc3\xa9 after");

    say_text(fd, "{\"kind\":\"input\",\"text\":\"x=1\\r\\u0003\"}");
    await_count(&m->typed, 1);
    assert_string_equal(m->last_typed, "x=1\r\003");
    say_text(fd, "{\"kind\":\"action\",\"action\":\"reset\"}");
    say_text(fd, "{\"kind\":\"action\",\"action\":\"reload\"}");
    await_count(&m->resets, 1);
    await_count(&m->reloads, 1);
    say_text(fd, "{\"kind\":\"control\",\"part\":\"nonesuch\",\"knobs\":{\"x\":1}}");
    await_text(fd, "\"kind\":\"error\"", text, sizeof text);
    assert_non_null(strstr(text, "nonesuch"));

    /* A message in three fragments is one message. */
    const char *whole = "{\"kind\":\"input\",\"text\":\"parts\"}";
    put(fd, "\x01\x8a\0\0\0\0", 6);
    put(fd, whole, 10);
    put(fd, "\x00\x85\0\0\0\0", 6);
    put(fd, whole + 10, 5);
    put(fd, "\x80\x90\0\0\0\0", 6);
    put(fd, whole + 15, 16);
    await_count(&m->typed, 2);
    assert_string_equal(m->last_typed, "parts");
    close(fd);
}

static void test_garbage(void **state)
{
    const machine_stub_t *m = *state;
    uint16_t port = web_port(m->web);
    char reason[200];

    int fd = page(port);
    say_text(fd, "not json");
    assert_int_equal(await_close(fd, reason, sizeof reason), 1008);
    assert_string_equal(reason, "message is not JSON");
    close(fd);

    fd = page(port);
    say_text(fd, "{\"kind\":\"launch\"}");
    assert_int_equal(await_close(fd, reason, sizeof reason), 1008);
    assert_string_equal(reason, "unknown kind of message: \"launch\"");
    close(fd);

    fd = page(port);
    say(fd, 2, "\1\2\3", 3);
    assert_int_equal(await_close(fd, reason, sizeof reason), 1003);
    close(fd);

    static char big[WEB_MESSAGE_MAX + 1];
    memset(big, '[', sizeof big);
    fd = page(port);
    say(fd, 1, big, sizeof big);
    assert_int_equal(await_close(fd, reason, sizeof reason), 1009);
    close(fd);

    fd = page(port);
    say(fd, 1, big, WEB_MESSAGE_MAX); /* nested deeper than any parser goes */
    assert_int_equal(await_close(fd, reason, sizeof reason), 1008);
    close(fd);

    uint32_t seed = 7;
    for (int round = 0; round < 60; round++) {
        unsigned char noise[200];
        for (size_t i = 0; i < sizeof noise; i++) {
            seed = seed * 1664525u + 1013904223u;
            noise[i] = (unsigned char)(seed >> 24);
        }
        fd = round % 3 == 0 ? dial(port) : page(port);
        put(fd, noise, sizeof noise);
        close(fd);
    }
    still_serves(port);
}

static void test_too_many(void **state)
{
    const machine_stub_t *m = *state;
    uint16_t port = web_port(m->web);
    int fds[WEB_CLIENTS_MAX];
    char text[256], reason[200];
    for (size_t i = 0; i < WEB_CLIENTS_MAX; i++) {
        fds[i] = page(port);
        await_text(fds[i], "hello", text, sizeof text);
    }
    int ninth = page(port);
    assert_int_equal(await_close(ninth, reason, sizeof reason), 1008);
    assert_string_equal(reason, "eight pages are open already: close one");
    close(ninth);
    for (size_t i = 0; i < WEB_CLIENTS_MAX; i++) {
        close(fds[i]);
    }
    still_serves(port);
}

/* A page that stopped reading costs neither the machine nor the other pages anything. */
static void test_stuck_page(void **state)
{
    machine_stub_t *m = *state;
    uint16_t port = web_port(m->web);
    int stuck = page(port);
    static char line[8000], text[400000];
    memset(line, 'x', sizeof line);
    uint64_t start = now_ms();
    for (int i = 0; i < 4000; i++) {
        web_console_output(m->web, line, sizeof line);
    }
    assert_true(now_ms() - start < 20000);
    int other = page(port);
    await_text(other, "hello", text, sizeof text);
    web_set_program(m->web, "waiting", "late.py");
    await_text(other, "late.py", text, sizeof text);
    close(other);
    close(stuck);
}

/* ---- life ---- */

static void test_port_in_use(void **state)
{
    machine_stub_t *m = *state;
    web_config_t config = config_of(m);
    config.port = web_port(m->web);
    web_t *web = NULL;
    char msg[200], port[16];
    assert_int_equal(web_start(&config, &web, msg, sizeof msg), ADDER_ERR_IN_USE);
    assert_null(web);
    snprintf(port, sizeof port, "port %u", config.port);
    assert_non_null(strstr(msg, port));
}

static void test_start_stop(void **state)
{
    machine_stub_t *m = *state;
    web_config_t config = config_of(m);
    char msg[200];
    for (int i = 0; i < 20; i++) {
        web_t *web;
        assert_int_equal(web_start(&config, &web, msg, sizeof msg), ADDER_OK);
        int fds[3] = {-1, -1, -1};
        for (int k = 0; k < i % 4; k++) {
            fds[k] = page(web_port(web));
        }
        uint64_t start = now_ms();
        web_stop(web);
        assert_true(now_ms() - start < 1500);
        for (int k = 0; k < i % 4; k++) {
            close(fds[k]);
        }
    }
    web_stop(NULL);
    web_console_output(NULL, "x", 1);
    web_set_program(NULL, "boot", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bundle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_origin, setup, teardown),
        cmocka_unit_test_setup_teardown(test_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stuck_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_stop, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
