/* TLS with OpenSSL on the other end: its server and its client as child processes, on the loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/tls/child.h"

/* ---- a child ---- */

/* openssl s_server with these options; its port. */
static uint16_t server_start(child_t *c, const char *const *options)
{
    const char *argv[40] = {"openssl", "s_server", "-accept", "127.0.0.1:0"};
    size_t n = 4;
    while (*options != NULL) {
        argv[n++] = *options++;
    }
    child_start(c, bench_folder, argv, NULL);
    for (;;) {
        const char *at = child_wait_for(c, "ACCEPT ");
        const char *colon = strchr(at, ':'), *end = strchr(at, '\n');
        if (colon != NULL && end != NULL && colon < end) {
            return (uint16_t)strtoul(colon + 1, NULL, 10);
        }
        assert_true(child_hear(c, 1000));
    }
}

/* ---- a socket as a stream ---- */

static adder_err_t of_errno(void)
{
    return errno == EAGAIN || errno == EINPROGRESS ? ADDER_ERR_AGAIN
           : errno == ECONNRESET || errno == EPIPE ? ADDER_ERR_CLOSED
                                                   : ADDER_ERR_IO;
}

static adder_err_t fd_send(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    const ssize_t n = send(*(int *)ctx, bytes, len, MSG_NOSIGNAL);
    *n_out = n > 0 ? (size_t)n : 0;
    return n < 0 ? of_errno() : ADDER_OK;
}

static adder_err_t fd_recv(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    const ssize_t n = recv(*(int *)ctx, buf, cap, 0);
    *n_out = n > 0 ? (size_t)n : 0;
    return n < 0 ? of_errno() : n == 0 && cap > 0 ? ADDER_ERR_END : ADDER_OK;
}

static const adder_stream_ops_t fd_ops = {fd_send, fd_recv};

static int dial(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void wait_below(const adder_tls_t *t, int fd)
{
    const unsigned wants = adder_tls_wants(t);
    struct pollfd p = {.fd = fd,
                       .events = (short)((wants & ADDER_NET_READABLE ? POLLIN : 0) |
                                         (wants & ADDER_NET_WRITABLE ? POLLOUT : 0))};
    if (wants != 0) {
        assert_int_equal(poll(&p, 1, 60000), 1);
    }
}

static adder_err_t shake(adder_tls_t *t, int fd)
{
    adder_err_t err;
    while ((err = adder_tls_handshake(t)) == ADDER_ERR_AGAIN) {
        wait_below(t, fd);
    }
    return err;
}

static void say(adder_tls_t *t, int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        size_t n = 0;
        const adder_err_t err = adder_tls_send(t, (const uint8_t *)text, len, &n);
        assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
        text += n;
        len -= n;
        wait_below(t, fd);
    }
}

static void hang_up(adder_tls_t *t, int fd)
{
    while (adder_tls_close(t) == ADDER_ERR_AGAIN) {
        wait_below(t, fd);
    }
    adder_tls_deinit(t);
    close(fd);
}

/* ---- our client ---- */

typedef struct {
    bench_random_t random;
    int64_t shift_days;
    bench_file_t root, chain, key;
    adder_identity_software_t sw;
    adder_identity_t identity;
    adder_tls_options_t options;
    adder_tls_config_t config;
} ours_t;

static void ours_new(ours_t *o, const char *identity)
{
    *o = (ours_t){.random = {.x = 99}, .root = bench_read("root.pem")};
    o->options = (adder_tls_options_t){
        .random = bench_random, .random_ctx = &o->random, .now_s = bench_now, .now_ctx = &o->shift_days};
    if (identity != NULL) {
        char file[64];
        snprintf(file, sizeof file, "%s.pem", identity);
        o->chain = bench_read(file);
        snprintf(file, sizeof file, "%s.key", identity);
        o->key = bench_read(file);
        adder_identity_software_options_t k = {o->chain.bytes, o->chain.len, o->key.bytes, o->key.len,
                                               NULL,           bench_random, &o->random};
        assert_int_equal(adder_identity_software_init(&o->sw, &o->identity, &k, NULL), ADDER_OK);
        o->options.identity = &o->identity;
    }
}

static void ours_configure(ours_t *o)
{
    assert_int_equal(adder_tls_config_init(&o->config, &o->options, NULL), ADDER_OK);
    assert_int_equal(adder_tls_config_add_ca(&o->config, o->root.bytes, o->root.len, NULL, NULL, NULL),
                     ADDER_OK);
}

static void ours_free(ours_t *o)
{
    adder_tls_config_deinit(&o->config);
    if (o->options.identity != NULL) {
        adder_identity_software_deinit(&o->sw);
    }
    free(o->root.bytes);
    free(o->chain.bytes);
    free(o->key.bytes);
}

/* ---- against its server ---- */

#define SERVER(name) "-cert", name ".crt", "-cert_chain", name ".pem", "-key", name ".key"
#define DEMANDS "-Verify", "5", "-CAfile", "root.pem", "-verify_return_error"

typedef struct {
    const char *options[20];
    const char *identity;
    adder_tls_why_t why;
    const char *suite;
    const int *offer; /* NULL: our suites */
} peer_case_t;

/* With CBC and SHA-1, as TLS 1.1 has them too. */
static const int old_suites[] = {0xC009, 0xC013, 0};

static const peer_case_t peers[] = {
    {{SERVER("good")}, NULL, ADDER_TLS_WHY_NONE, NULL, NULL},
    {{SERVER("rsa")}, NULL, ADDER_TLS_WHY_NONE, NULL, NULL},
    {{SERVER("p384")}, NULL, ADDER_TLS_WHY_NONE, NULL, NULL},
    {{SERVER("good"), "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"},
     NULL,
     ADDER_TLS_WHY_NONE,
     "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
     NULL},
    {{SERVER("rsa"), "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"},
     NULL,
     ADDER_TLS_WHY_NONE,
     "TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256",
     NULL},
    {{SERVER("good"), "-cipher", "ECDHE-ECDSA-AES128-SHA256"},
     NULL,
     ADDER_TLS_WHY_NONE,
     "TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA256",
     NULL},
    /* certificates of ours */
    {{SERVER("good"), DEMANDS}, "deep", ADDER_TLS_WHY_NONE, NULL, NULL},
    {{SERVER("good"), DEMANDS}, "client-rsa", ADDER_TLS_WHY_NONE, NULL, NULL},
    {{SERVER("rsa"), DEMANDS, "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"},
     "deep",
     ADDER_TLS_WHY_NONE,
     "TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384",
     NULL},
    {{SERVER("good"), DEMANDS, "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"},
     "client-rsa",
     ADDER_TLS_WHY_NONE,
     "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
     NULL},
    {{SERVER("good"), DEMANDS}, NULL, ADDER_TLS_WHY_ALERT_HANDSHAKE_FAILURE, NULL, NULL},
    {{SERVER("good"), DEMANDS}, "foreign", ADDER_TLS_WHY_ALERT_UNKNOWN_CA, NULL, NULL},
    /* its certificate */
    {{SERVER("usage")}, NULL, ADDER_TLS_WHY_USAGE, NULL, NULL},
    {{"-cert", "foreign.pem", "-key", "foreign.key"}, NULL, ADDER_TLS_WHY_UNKNOWN_ISSUER, NULL, NULL},
    {{"-cert", "selfsigned.pem", "-key", "selfsigned.key"}, NULL, ADDER_TLS_WHY_SELF_SIGNED, NULL, NULL},
    {{"-cert", "nointer.pem", "-key", "nointer.key"}, NULL, ADDER_TLS_WHY_UNKNOWN_ISSUER, NULL, NULL},
    {{"-cert", "sha1.crt", "-cert_chain", "sha1.pem", "-key", "sha1.key", "-cipher", "DEFAULT:@SECLEVEL=0"},
     NULL,
     ADDER_TLS_WHY_WEAK_HASH,
     NULL,
     NULL},
    {{"-cert", "rsa1024.crt", "-cert_chain", "rsa1024.pem", "-key", "rsa1024.key", "-cipher",
      "DEFAULT:@SECLEVEL=0"},
     NULL,
     ADDER_TLS_WHY_WEAK_KEY,
     NULL,
     NULL},
    /* nothing in common */
    {{SERVER("good"), "-tls1_3"}, NULL, ADDER_TLS_WHY_ALERT_PROTOCOL_VERSION, NULL, NULL},
    {{SERVER("good"), "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"},
     NULL,
     ADDER_TLS_WHY_VERSION,
     NULL,
     old_suites},
    {{SERVER("rsa"), "-cipher", "AES128-SHA"}, NULL, ADDER_TLS_WHY_ALERT_HANDSHAKE_FAILURE, NULL, NULL},
};

static void each_kind_of_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        const peer_case_t *c = &peers[i];
        child_t peer;
        ours_t o;
        adder_tls_t t;
        int fd = dial(server_start(&peer, c->options));
        ours_new(&o, c->identity);
        o.options.suites = c->offer;
        ours_configure(&o);
        assert_int_equal(adder_tls_init(&t, &o.config, (adder_stream_t){&fd_ops, &fd}, "good.example"),
                         ADDER_OK);
        adder_err_t err = shake(&t, fd);
        if (t.info.why != c->why) {
            fail_msg("server %zu: \"%s\" (-0x%04x), expected \"%s\"; it says: %s", i,
                     adder_tls_why_str(t.info.why), (unsigned)-t.info.code, adder_tls_why_str(c->why),
                     peer.text);
        }
        assert_int_equal(err, c->why == ADDER_TLS_WHY_NONE ? ADDER_OK : ADDER_ERR_REFUSED);
        if (c->suite != NULL) {
            assert_string_equal(adder_tls_suite(&t), c->suite);
        }
        if (err == ADDER_OK) {
            say(&t, fd, "knock knock\n");
            child_wait_for(&peer, "knock knock");
        }
        hang_up(&t, fd);
        child_stop(&peer, true);
        ours_free(&o);
    }
}

/* A page, then its goodbye: an end, not a cut. */
static void its_goodbye_is_an_end(void **state)
{
    (void)state;
    static const char *const options[] = {SERVER("good"), "-www", NULL};
    child_t peer;
    ours_t o;
    adder_tls_t t;
    adder_err_t err;
    static uint8_t page[1 << 16];
    size_t len = 0, n = 0;
    int fd = dial(server_start(&peer, options));
    ours_new(&o, NULL);
    ours_configure(&o);
    assert_int_equal(adder_tls_init(&t, &o.config, (adder_stream_t){&fd_ops, &fd}, "127.0.0.1"), ADDER_OK);
    say(&t, fd, "GET / HTTP/1.0\r\n\r\n");
    for (;;) {
        err = adder_tls_recv(&t, page + len, sizeof page - len, &n);
        len += n;
        if (err == ADDER_ERR_AGAIN) {
            wait_below(&t, fd);
        } else if (err != ADDER_OK) {
            break;
        }
    }
    assert_int_equal(err, ADDER_ERR_END);
    assert_memory_equal(page, "HTTP/1.0 200 ok", 15);
    hang_up(&t, fd);
    child_stop(&peer, true);
    ours_free(&o);
}

static void a_megabyte_through_its_server(void **state)
{
    (void)state;
    static const char *const options[] = {SERVER("good"), "-rev", NULL};
    enum { TOTAL = 1 << 20 };
    child_t peer;
    ours_t o;
    adder_tls_t t;
    bench_random_t dice = {.x = 4711};
    char *sent = malloc(TOTAL), *got = malloc(TOTAL);
    int fd = dial(server_start(&peer, options));
    ours_new(&o, NULL);
    ours_configure(&o);
    /* Lines of odd lengths; it sends each back reversed. */
    for (size_t i = 0; i < TOTAL;) {
        size_t n = 1 + bench_next(&dice) % 3000;
        n = n < TOTAL - i ? n : TOTAL - i;
        for (size_t k = 0; k + 1 < n; k++) {
            sent[i + k] = (char)('a' + bench_next(&dice) % 26);
        }
        sent[i + n - 1] = '\n';
        i += n;
    }
    assert_int_equal(adder_tls_init(&t, &o.config, (adder_stream_t){&fd_ops, &fd}, "good.example"), ADDER_OK);
    size_t out = 0, in = 0;
    while (in < TOTAL) {
        size_t n = 0;
        if (out < TOTAL && out - in < 60000) {
            const size_t some = 1 + bench_next(&dice) % 20000;
            const adder_err_t err =
                adder_tls_send(&t, (uint8_t *)sent + out, some < TOTAL - out ? some : TOTAL - out, &n);
            assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
            out += n;
        }
        const size_t some = 1 + bench_next(&dice) % 20000;
        const adder_err_t err =
            adder_tls_recv(&t, (uint8_t *)got + in, some < TOTAL - in ? some : TOTAL - in, &n);
        assert_true(err == ADDER_OK || err == ADDER_ERR_AGAIN);
        in += n;
        if (err == ADDER_ERR_AGAIN && (out == TOTAL || out - in >= 60000)) {
            wait_below(&t, fd);
        }
    }
    for (size_t begin = 0, end; begin < TOTAL; begin = end + 1) {
        end = begin;
        while (sent[end] != '\n') {
            end++;
        }
        for (size_t k = begin; k < end; k++) {
            assert_int_equal(got[k], sent[end - 1 - (k - begin)]);
        }
        assert_int_equal(got[end], '\n');
    }
    hang_up(&t, fd);
    child_stop(&peer, true);
    ours_free(&o);
    free(sent);
    free(got);
}

static void coming_back_to_its_server(void **state)
{
    (void)state;
    static const char *const with_tickets[] = {SERVER("good"), "-alpn", "mqtt,http/1.1", NULL, NULL},
                             *const with_ids[] = {SERVER("good"), "-no_ticket", NULL};
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    for (int ids = 0; ids < 2; ids++) {
        child_t peer;
        ours_t o;
        adder_tls_t t;
        uint8_t saved[ADDER_TLS_SAVED_MAX];
        size_t len = 0;
        const uint16_t port = server_start(&peer, ids ? with_ids : with_tickets);
        ours_new(&o, NULL);
        o.options.alpn = ids ? NULL : protocols;
        ours_configure(&o);
        for (int round = 0; round < 3; round++) {
            int fd = dial(port);
            char word[16];
            assert_int_equal(adder_tls_init(&t, &o.config, (adder_stream_t){&fd_ops, &fd}, "good.example"),
                             ADDER_OK);
            if (round > 0) {
                assert_int_equal(adder_tls_session_load(&t, saved, len), ADDER_OK);
            }
            assert_int_equal(shake(&t, fd), ADDER_OK);
            assert_int_equal(t.info.resumed, round > 0);
            if (!ids) {
                assert_string_equal(adder_tls_alpn(&t), "http/1.1");
            }
            assert_int_equal(adder_tls_session_save(&t, saved, sizeof saved, &len), ADDER_OK);
            snprintf(word, sizeof word, "round %d\n", round);
            say(&t, fd, word);
            child_wait_for(&peer, word);
            /* What it says of itself. */
            assert_int_equal(strstr(peer.text, "Reused session-id") != NULL, round > 0);
            hang_up(&t, fd);
        }
        child_stop(&peer, true);
        ours_free(&o);
    }
}

/* ---- against its client ---- */

static int listen_on_loopback(char *where, size_t cap)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(where, cap, "127.0.0.1:%u", ntohs(a.sin_port));
    return fd;
}

typedef struct {
    const char *options[16];
    const char *identity;
    adder_tls_verify_t verify;
    adder_tls_why_t why;
    bool reused;
} guest_t;

static const guest_t guests[] = {
    {{"-sess_out", "session"}, "good", ADDER_TLS_VERIFY_NONE, ADDER_TLS_WHY_NONE, false},
    {{"-sess_in", "session"}, "good", ADDER_TLS_VERIFY_NONE, ADDER_TLS_WHY_NONE, true},
    {{NULL}, "rsa", ADDER_TLS_VERIFY_NONE, ADDER_TLS_WHY_NONE, false},
    {{"-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"}, "good", ADDER_TLS_VERIFY_NONE, ADDER_TLS_WHY_NONE, false},
    {{"-cert", "deep.crt", "-cert_chain", "deep.pem", "-key", "deep.key"},
     "good",
     ADDER_TLS_VERIFY_REQUIRED,
     ADDER_TLS_WHY_NONE,
     false},
    {{"-cert", "client-rsa.crt", "-cert_chain", "client-rsa.pem", "-key", "client-rsa.key"},
     "good",
     ADDER_TLS_VERIFY_REQUIRED,
     ADDER_TLS_WHY_NONE,
     false},
    {{NULL}, "good", ADDER_TLS_VERIFY_REQUIRED, ADDER_TLS_WHY_CERT_NONE, false},
    {{"-cert", "foreign.crt", "-key", "foreign.key"},
     "good",
     ADDER_TLS_VERIFY_REQUIRED,
     ADDER_TLS_WHY_UNKNOWN_ISSUER,
     false},
    {{NULL}, "foreign", ADDER_TLS_VERIFY_NONE, ADDER_TLS_WHY_ALERT_UNKNOWN_CA, false},
    {{"-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"},
     "good",
     ADDER_TLS_VERIFY_NONE,
     ADDER_TLS_WHY_VERSION,
     false},
    {{"-cipher", "AES128-SHA"}, "good", ADDER_TLS_VERIFY_NONE, ADDER_TLS_WHY_NO_CIPHER, false},
};

static void each_kind_of_client(void **state)
{
    (void)state;
    ours_t o = {0};
    bool configured = false;
    for (size_t i = 0; i < sizeof guests / sizeof guests[0]; i++) {
        const guest_t *g = &guests[i];
        child_t peer;
        adder_tls_t t;
        char where[32];
        const int listener = listen_on_loopback(where, sizeof where);
        const char *argv[32] = {
            "openssl",          "s_client",     "-connect", where,      "-servername",         "good.example",
            "-verify_hostname", "good.example", "-CAfile",  "root.pem", "-verify_return_error"};
        size_t n = 11;
        for (size_t k = 0; g->options[k] != NULL; k++) {
            argv[n++] = g->options[k];
        }
        if (!g->reused && configured) { /* who comes back needs the tickets' keys of the time before */
            ours_free(&o);
        }
        if (!g->reused) {
            ours_new(&o, g->identity);
            o.options.role = ADDER_TLS_SERVER;
            o.options.verify = g->verify;
            ours_configure(&o);
            configured = true;
        }
        child_start(&peer, bench_folder, argv, NULL);
        int fd = accept(listener, NULL, NULL);
        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        assert_int_equal(adder_tls_init(&t, &o.config, (adder_stream_t){&fd_ops, &fd}, NULL), ADDER_OK);
        const adder_err_t err = shake(&t, fd);
        if (t.info.why != g->why) {
            fail_msg("client %zu: \"%s\" (-0x%04x), expected \"%s\"; it says: %s", i,
                     adder_tls_why_str(t.info.why), (unsigned)-t.info.code, adder_tls_why_str(g->why),
                     peer.text);
        }
        if (err == ADDER_OK) {
            uint8_t buf[64];
            size_t got = 0;
            assert_int_equal(t.info.resumed, g->reused);
            say(&t, fd, "who is there\n");
            child_wait_for(&peer, "who is there");
            child_wait_for(&peer, g->reused ? "Reused, TLSv1.2" : "New, TLSv1.2");
            assert_int_equal(write(peer.in, "it is me\n", 9), 9);
            adder_err_t e;
            while ((e = adder_tls_recv(&t, buf, sizeof buf, &got)) == ADDER_ERR_AGAIN) {
                wait_below(&t, fd);
            }
            assert_int_equal(e, ADDER_OK);
            assert_memory_equal(buf, "it is me", 8);
        }
        hang_up(&t, fd);
        close(listener);
        child_stop(&peer, false);
    }
    ours_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_server),           cmocka_unit_test(its_goodbye_is_an_end),
        cmocka_unit_test(a_megabyte_through_its_server), cmocka_unit_test(coming_back_to_its_server),
        cmocka_unit_test(each_kind_of_client),
    };
    return cmocka_run_group_tests(tests, bench_make_files, bench_drop_files);
}
