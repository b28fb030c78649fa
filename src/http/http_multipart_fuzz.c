/* Parts of any bytes, written through buffers of any size, found again by an independent reader that knows
 * the boundary alone: names, files, bodies, and the length promised. */
#include <stdlib.h>
#include <string.h>

#include "adder/http_multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)
#define PARTS 3

static uint32_t mix(void *ctx)
{
    uint32_t *s = ctx;
    return *s = *s * 1664525u + 1013904223u;
}

/* A C string of the input up to a NUL or '|'. */
static const char *text(const uint8_t **at, const uint8_t *end, char *buf, size_t cap)
{
    size_t n = 0;
    while (*at < end && **at != '|' && **at != 0 && n < cap - 1)
        buf[n++] = (char)*(*at)++;
    *at += *at < end;
    buf[n] = '\0';
    return buf;
}

static bool starts(const uint8_t *at, const uint8_t *end, const char *with, size_t len)
{
    return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}

static const uint8_t *expect(const uint8_t *at, const uint8_t *end, const char *with)
{
    MUST(starts(at, end, with, strlen(with)));
    return at + strlen(with);
}

/* A quoted name, compared with the three replacements undone. */
static const uint8_t *expect_name(const uint8_t *at, const uint8_t *end, const char *name)
{
    at = expect(at, end, "\"");
    for (; *name != '\0'; name++) {
        if (*name == '"')
            at = expect(at, end, "%22");
        else if (*name == '\r')
            at = expect(at, end, "%0D");
        else if (*name == '\n')
            at = expect(at, end, "%0A");
        else
            MUST(at < end && *at++ == (uint8_t)*name);
    }
    return expect(at, end, "\"");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char names[PARTS][20], files[PARTS][20], types[PARTS][20], bodies[PARTS][40];
    adder_http_part_t parts[PARTS];
    const uint8_t *at = data + 1, *end = data + size;
    if (size < 2)
        return 0;
    size_t n_parts = data[0] % (PARTS + 1), cap = 1 + data[0] / 4;
    memset(parts, 0, sizeof parts);
    for (size_t i = 0; i < n_parts; i++) {
        parts[i].name = text(&at, end, names[i], sizeof names[i]);
        parts[i].file_name = text(&at, end, files[i], sizeof files[i]);
        parts[i].content_type = text(&at, end, types[i], sizeof types[i]);
        size_t n = (size_t)(end - at) < sizeof bodies[i] ? (size_t)(end - at) : sizeof bodies[i];
        memcpy(bodies[i], at, n);
        at += n;
        if (files[i][0] == '\0')
            parts[i].file_name = NULL;
        if (types[i][0] == '\0')
            parts[i].content_type = NULL;
        parts[i].body = adder_http_payload_bytes(bodies[i], n);
    }
    uint32_t seed = data[1];
    adder_http_multipart_t m;
    if (adder_http_multipart_init(&m, parts, n_parts, mix, &seed) != ADDER_OK)
        return 0; /* a control byte in a type */
    adder_http_payload_t body = adder_http_multipart_payload(&m);
    MUST(body.kind == ADDER_HTTP_BODY_LENGTH && body.length < 4096);
    uint8_t all[4096];
    size_t len = 0;
    for (adder_err_t err = ADDER_OK; err == ADDER_OK;) {
        size_t n = 0;
        uint8_t *piece = malloc(cap); /* exact: the sanitizer sees a step outside */
        MUST(piece != NULL);
        err = body.source.read(body.source.ctx, piece, cap, &n);
        MUST((err == ADDER_OK && n > 0) || (err == ADDER_ERR_END && n == 0));
        memcpy(all + len, piece, n);
        len += n;
        free(piece);
    }
    MUST(len == body.length);

    char boundary[48] = "--";
    strcat(boundary, m.content_type + strlen("multipart/form-data; boundary="));
    MUST(strlen(boundary) == 34);
    const uint8_t *p = all, *stop = all + len;
    for (size_t i = 0; i < n_parts; i++) {
        p = expect(p, stop, boundary);
        p = expect(p, stop, "\r\nContent-Disposition: form-data; name=");
        p = expect_name(p, stop, parts[i].name);
        if (parts[i].file_name != NULL)
            p = expect_name(expect(p, stop, "; filename="), stop, parts[i].file_name);
        p = expect(p, stop, "\r\n");
        if (parts[i].content_type != NULL)
            p = expect(expect(expect(p, stop, "Content-Type: "), stop, parts[i].content_type), stop, "\r\n");
        else if (parts[i].file_name != NULL)
            p = expect(p, stop, "Content-Type: application/octet-stream\r\n");
        p = expect(p, stop, "\r\n");
        MUST(starts(p, stop, bodies[i], (size_t)parts[i].body.length));
        p = expect(p + parts[i].body.length, stop, "\r\n");
    }
    p = expect(expect(p, stop, boundary), stop, "--\r\n");
    MUST(p == stop);
    return 0;
}
