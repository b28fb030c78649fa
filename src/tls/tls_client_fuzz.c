/* A client that a hostile server talks to: any bytes, in pieces of any size. It stays within bounds, comes to
 * an end, and its first error stays. Random numbers and the clock are fixed, so a recorded handshake plays to
 * its end (the first file of the corpus), and what is fuzzed may be anywhere in it.
 * Input: one byte of piece size, 0 = all, then what the server sends. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adder/tls.h"

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Trusted by nobody else: its key is gone. */
static const char root[] = "-----BEGIN CERTIFICATE-----\n"
                           "MIIBmjCCAT+gAwIBAgIUKMqUbprrvs8RVqsiZAH0PeO+2d8wCgYIKoZIzj0EAwIw\n"
                           "GjEYMBYGA1UEAwwPQWRkZXIgVGVzdCBSb290MB4XDTI2MTEyNDA2MzU0OVoXDTM2\n"
                           "MTEyMTA2MzU0OVowGjEYMBYGA1UEAwwPQWRkZXIgVGVzdCBSb290MFkwEwYHKoZI\n"
                           "zj0CAQYIKoZIzj0DAQcDQgAEHw4B3Qir/qorALr5NCF47erraQUp5CCRAySkYMRJ\n"
                           "HafMPqQ4+hWxS0oSYY0keR3a1pdbeaL50vbvXaAlcjHvfKNjMGEwHQYDVR0OBBYE\n"
                           "FG3KHrhPcsjSMeCzfBS6zhYd3QS4MB8GA1UdIwQYMBaAFG3KHrhPcsjSMeCzfBS6\n"
                           "zhYd3QS4MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49\n"
                           "BAMCA0kAMEYCIQC+9MZHwvI5g/Wccc/8cuAMx3jCuFYudc09jiPVeukvOgIhAJLQ\n"
                           "zY+gmfeOvZ4xSwecY8sAz/mw67FbLBmNy8ZYhcH0\n"
                           "-----END CERTIFICATE-----\n";
#define NOW 1795588553

/* Mbed TLS puts the C library's clock into its hello: this one stands before it. */
time_t time(time_t *out)
{
    if (out != NULL) {
        *out = NOW;
    }
    return NOW;
}

static uint32_t seed;

static adder_err_t numbers(void *ctx, uint8_t *out, size_t len)
{
    uint32_t *x = ctx;
    for (size_t i = 0; i < len; i++) {
        *x = *x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(*x >> 24);
    }
    return ADDER_OK;
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return NOW;
}

typedef struct {
    const uint8_t *bytes;
    size_t left, piece;
} server_t;

static adder_err_t take(void *ctx, const uint8_t *bytes, size_t len, size_t *n_out)
{
    (void)ctx;
    (void)bytes;
    *n_out = len;
    return ADDER_OK;
}

static adder_err_t give(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    server_t *s = ctx;
    size_t n = s->left < cap ? s->left : cap;
    n = s->piece != 0 && s->piece < n ? s->piece : n;
    *n_out = n;
    if (n == 0) {
        return cap == 0 ? ADDER_OK : ADDER_ERR_END;
    }
    memcpy(buf, s->bytes, n);
    s->bytes += n;
    s->left -= n;
    return ADDER_OK;
}

static const adder_stream_ops_t ops = {take, give};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    seed = 1;
    server_t server = {data + 1, size - 1, data[0]};
    uint8_t kept[ADDER_TLS_SAVED_MAX], buf[256];
    adder_tls_saved_t saved = {kept, sizeof kept, 0};
    static const char *const protocols[] = {"http/1.1", NULL};
    const adder_tls_options_t o = {
        .random = numbers, .random_ctx = &seed, .now_s = now, .saved = &saved, .alpn = protocols};
    adder_tls_config_t c;
    adder_tls_t t;
    size_t n = 0;
    MUST(adder_tls_config_init(&c, &o, NULL) == ADDER_OK);
    MUST(adder_tls_config_add_ca(&c, (const uint8_t *)root, sizeof root - 1, NULL, NULL, NULL) == ADDER_OK);
    MUST(adder_tls_init(&t, &c, (adder_stream_t){&ops, &server}, "good.example") == ADDER_OK);
    adder_err_t err = ADDER_ERR_AGAIN;
    for (size_t i = 0; err == ADDER_ERR_AGAIN; i++) {
        MUST(i < 2 * size + 100);
        err = adder_tls_handshake(&t);
    }
    MUST((err == ADDER_OK) == t.info.established);
    MUST((err == ADDER_OK) == (t.info.why == ADDER_TLS_WHY_NONE));
    if (err == ADDER_OK) {
        MUST(saved.len > 0);
        ADDER_IGNORE(adder_tls_send(&t, data, size, &n), "the stream takes everything");
        for (size_t i = 0; err == ADDER_OK || err == ADDER_ERR_AGAIN; i++) {
            MUST(i < 2 * size + 100);
            err = adder_tls_recv(&t, buf, 1 + i % sizeof buf, &n);
            MUST(err == ADDER_OK ? n >= 1 && n <= 1 + i % sizeof buf : n == 0);
        }
    }
    MUST(adder_tls_recv(&t, buf, sizeof buf, &n) == err);
    MUST(adder_tls_close(&t) == ADDER_OK);
    adder_tls_deinit(&t);
    adder_tls_config_deinit(&c);
    return 0;
}
