/* multipart/form-data as a source: pieces of text and the parts' own bodies, in turn.
 *
 * A piece of text is written anew each time it is asked for and only a window of it is kept: so a body of any
 * shape comes through any buffer, without one of its own. */
#include "adder/http_multipart.h"

#include <string.h>

#include "src/http/http_int.h"

enum { PIECE_HEAD, PIECE_BODY, PIECE_TAIL }; /* of a part; behind the last part, HEAD is the end */

/* Text of which [from, from + cap) is kept. */
typedef struct {
    uint8_t *out;
    uint64_t from, at;
    size_t cap, len;
} window_t;

static void put_str(window_t *w, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++, w->at++) {
        if (w->at >= w->from && w->len < w->cap)
            w->out[w->len++] = (uint8_t)text[i];
    }
}

static void put(window_t *w, const char *text)
{
    put_str(w, text, strlen(text));
}

/* A quoted name, as browsers do it. */
static void put_name(window_t *w, const char *name)
{
    put(w, "\"");
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '"')
            put(w, "%22");
        else if (*c == '\r')
            put(w, "%0D");
        else if (*c == '\n')
            put(w, "%0A");
        else
            put_str(w, c, 1);
    }
    put(w, "\"");
}

static const char type_begin[] = "multipart/form-data; boundary=";

static const char *boundary(const adder_http_multipart_t *m)
{
    return m->content_type + sizeof type_begin - 1;
}

static void put_head(const adder_http_multipart_t *m, window_t *w)
{
    put(w, "--");
    put(w, boundary(m));
    if (m->priv.part == m->priv.n_parts) {
        put(w, "--\r\n");
        return;
    }
    const adder_http_part_t *p = &m->priv.parts[m->priv.part];
    const char *type = p->content_type;
    put(w, "\r\nContent-Disposition: form-data; name=");
    put_name(w, p->name);
    if (p->file_name != NULL) {
        put(w, "; filename=");
        put_name(w, p->file_name);
        if (type == NULL)
            type = "application/octet-stream";
    }
    put(w, "\r\n");
    if (type != NULL) {
        put(w, "Content-Type: ");
        put(w, type);
        put(w, "\r\n");
    }
    for (size_t i = 0; i < p->n_headers; i++) {
        put(w, p->headers[i].name);
        put(w, ": ");
        put(w, p->headers[i].value);
        put(w, "\r\n");
    }
    put(w, "\r\n");
}

static uint64_t head_length(const adder_http_multipart_t *m)
{
    window_t w = {0};
    put_head(m, &w);
    return w.at;
}

/* The next bytes of the body of a part; END: it is over. */
static adder_err_t read_body(adder_http_multipart_t *m, uint8_t *buf, size_t cap, size_t *n)
{
    const adder_http_payload_t *b = &m->priv.parts[m->priv.part].body;
    uint64_t left = b->length - m->priv.at;
    if (b->kind == ADDER_HTTP_BODY_NONE || (b->kind == ADDER_HTTP_BODY_LENGTH && left == 0))
        return ADDER_ERR_END;
    if (b->kind == ADDER_HTTP_BODY_LENGTH && cap > left)
        cap = (size_t)left;
    if (b->kind == ADDER_HTTP_BODY_LENGTH && b->bytes != NULL) {
        memcpy(buf, (const uint8_t *)b->bytes + m->priv.at, cap);
        *n = cap;
        return ADDER_OK;
    }
    adder_err_t err = b->source.read(b->source.ctx, buf, cap, n);
    if (err == ADDER_ERR_END && b->kind == ADDER_HTTP_BODY_LENGTH)
        return ADDER_ERR_STATE; /* its length was promised */
    return err == ADDER_OK && *n > cap ? ADDER_ERR_RANGE : err;
}

static void next_piece(adder_http_multipart_t *m)
{
    m->priv.at = 0;
    if (m->priv.piece == PIECE_TAIL) {
        m->priv.piece = PIECE_HEAD;
        m->priv.part++;
    } else {
        m->priv.piece++;
    }
}

/* From the piece under way; END: it is over. */
static adder_err_t read_piece(adder_http_multipart_t *m, uint8_t *buf, size_t cap, size_t *n)
{
    if (m->priv.piece == PIECE_BODY)
        return read_body(m, buf, cap, n);
    window_t w = {.out = buf, .from = m->priv.at, .cap = cap};
    if (m->priv.piece == PIECE_HEAD)
        put_head(m, &w);
    else
        put(&w, "\r\n");
    *n = w.len;
    return w.len > 0 ? ADDER_OK : ADDER_ERR_END;
}

static adder_err_t source_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    adder_http_multipart_t *m = ctx;
    *n_out = 0;
    while (*n_out < cap && m->priv.part <= m->priv.n_parts) {
        size_t n = 0;
        adder_err_t err = read_piece(m, buf + *n_out, cap - *n_out, &n);
        if (err == ADDER_OK) {
            m->priv.at += n;
            *n_out += n;
            if (n == 0)
                return *n_out > 0 ? ADDER_OK : ADDER_ERR_AGAIN;
        } else if (err != ADDER_ERR_END) {
            if (err == ADDER_ERR_AGAIN && *n_out > 0)
                return ADDER_OK;
            *n_out = 0;
            return err;
        } else if (m->priv.part == m->priv.n_parts) {
            m->priv.part++;
        } else {
            next_piece(m);
        }
    }
    return *n_out > 0 ? ADDER_OK : ADDER_ERR_END;
}

static bool has_source(const adder_http_part_t *p)
{
    return p->body.kind != ADDER_HTTP_BODY_NONE && p->body.bytes == NULL;
}

static adder_err_t source_rewind(void *ctx)
{
    adder_http_multipart_t *m = ctx;
    for (size_t i = 0; i < m->priv.n_parts; i++) {
        const adder_http_part_t *p = &m->priv.parts[i];
        adder_err_t err = has_source(p) ? p->body.source.rewind(p->body.source.ctx) : ADDER_OK;
        if (err != ADDER_OK)
            return err;
    }
    m->priv.part = 0;
    m->priv.piece = PIECE_HEAD;
    m->priv.at = 0;
    return ADDER_OK;
}

static bool is_line(const char *text)
{
    return text == NULL || adder_http_is_value((adder_http_str_t){text, strlen(text)});
}

adder_err_t adder_http_multipart_init(adder_http_multipart_t *m, const adder_http_part_t *parts,
                                      size_t n_parts, adder_http_random_fn random, void *random_ctx)
{
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < n_parts; i++) {
        const adder_http_part_t *p = &parts[i];
        if (p->name == NULL || !is_line(p->content_type))
            return ADDER_ERR_ARG;
        for (size_t k = 0; k < p->n_headers; k++) {
            const char *name = p->headers[k].name, *value = p->headers[k].value;
            if (name == NULL || value == NULL || !is_line(value) ||
                !adder_http_is_token((adder_http_str_t){name, strlen(name)}))
                return ADDER_ERR_ARG;
        }
    }
    m->priv.parts = parts;
    m->priv.n_parts = n_parts;
    memcpy(m->content_type, type_begin, sizeof type_begin);
    char *out = m->content_type + sizeof type_begin - 1;
    for (size_t i = 0; i < 4; i++) {
        uint32_t bits = random(random_ctx);
        for (unsigned k = 0; k < 8; k++, bits >>= 4)
            *out++ = "0123456789abcdef"[bits & 15];
    }
    *out = '\0';
    return ADDER_OK;
}

adder_http_payload_t adder_http_multipart_payload(adder_http_multipart_t *m)
{
    adder_http_payload_t body = {.kind = ADDER_HTTP_BODY_LENGTH, .source = {source_read, source_rewind, m}};
    m->priv.piece = PIECE_HEAD;
    m->priv.at = 0;
    for (m->priv.part = 0; m->priv.part <= m->priv.n_parts; m->priv.part++) {
        body.length += head_length(m);
        if (m->priv.part == m->priv.n_parts)
            break;
        const adder_http_part_t *p = &m->priv.parts[m->priv.part];
        if (p->body.kind == ADDER_HTTP_BODY_CHUNKED)
            body.kind = ADDER_HTTP_BODY_CHUNKED;
        if (p->body.kind == ADDER_HTTP_BODY_LENGTH)
            body.length += p->body.length;
        body.length += 2;
        if (has_source(p) && p->body.source.rewind == NULL)
            body.source.rewind = NULL;
    }
    m->priv.part = 0;
    return body;
}
