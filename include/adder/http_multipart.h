/* multipart/form-data (RFC 7578): fields and files as the body of a request, streamed.
 *
 *     const adder_http_part_t parts[] = {
 *         {.name = "device", .body = adder_http_payload_bytes("pyportal", 8)},
 *         {.name = "photo", .file_name = "a.jpg", .content_type = "image/jpeg",
 *          .body = {.kind = ADDER_HTTP_BODY_LENGTH, .length = size, .source = my_file}},
 *     };
 *     adder_http_multipart_t m;
 *     adder_http_multipart_init(&m, parts, 2, random32, rng);
 *     adder_http_write_header(&w, "Content-Type", m.content_type);
 *     adder_http_payload_t body = adder_http_multipart_payload(&m);      // its length is known beforehand
 *
 * The boundary is 128 random bits: a file need not be searched for it. A part of unknown length (CHUNKED)
 * makes the whole body chunked. Names keep their bytes but for '"', CR and LF, which become %22, %0D, %0A as
 * in browsers.
 *
 * Threading: one thread. RAM on 32 bits: 96 bytes; a part 56. Stack 150 and the sources'. Code 1.5 KB. */
#ifndef ADDER_HTTP_MULTIPART_H
#define ADDER_HTTP_MULTIPART_H

#include "adder/http_body.h"

/* 32 random bits. */
typedef uint32_t (*adder_http_random_fn)(void *ctx);

typedef struct {
    const char *name;
    const char *file_name;              /* NULL: a field */
    const char *content_type;           /* NULL: none for a field, application/octet-stream for a file */
    const adder_http_header_t *headers; /* more header lines of the part; NULL with n_headers 0 */
    size_t n_headers;
    adder_http_payload_t body; /* NONE (empty), LENGTH or CHUNKED (read until END) */
} adder_http_part_t;

/* content_type is to be read, the rest is private. */
typedef struct {
    char content_type[64]; /* multipart/form-data; boundary=... */
    struct {
        const adder_http_part_t *parts;
        size_t n_parts, part;
        uint64_t at; /* in the piece under way */
        uint8_t piece;
    } priv;
} adder_http_multipart_t;

/* The parts are borrowed until the body is sent.
 *   ADDER_ERR_ARG   a header of a part that is no header (name, value), or a part's name is NULL */
adder_err_t adder_http_multipart_init(adder_http_multipart_t *m, const adder_http_part_t *parts,
                                      size_t n_parts, adder_http_random_fn random,
                                      void *random_ctx) ADDER_MUST_USE;

/* The body: kind LENGTH with its length, or CHUNKED. Rewinds if all its sources do. `m` may not be moved
 * afterwards. A source that gives less or more than its length ends it with ADDER_ERR_STATE or its own error.
 */
adder_http_payload_t adder_http_multipart_payload(adder_http_multipart_t *m);

#endif
