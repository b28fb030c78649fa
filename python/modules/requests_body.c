/* adafruit_requests: bodies: data, json, files */
#include <stdio.h>
#include <string.h>

#include "python/modules/requests_int.h"

/* Bytes read from a file at once. */
enum { FEED = 4096, BOUNDARY = 16 };

static bool fail_assert(void)
{
    py_t cls = requests_builtin("AssertionError"), error = py_null(cls) ? PY_NULL : py_call(cls, NULL, 0);
    if (!py_null(error))
        py_raise_again(error);
    return false;
}

/* ---- files ---- */

static py_t call_int(py_t file, const char *method, int64_t a, int64_t b, size_t n)
{
    const py_t args[] = {py_int(a), py_int(b)};
    return py_call_method(file, method, args, n);
}

/* Its length from the start, where it is left. Only bytes can be sent. */
static bool file_length(py_t file, uint64_t *out)
{
    py_t start = call_int(file, "seek", 0, 0, 1), head = PY_NULL;
    if (!py_null(start))
        head = call_int(file, "read", 4, 0, 1);
    if (py_null(head) && !py_error_is(PY_UnicodeError))
        return false;
    if (py_null(head) || !py_is_bytes(head)) {
        py_error_clear();
        return py_fail(py_raise(PY_ValueError, "Files must be opened in binary mode"));
    }
    int64_t length;
    py_t end = call_int(file, "seek", 0, 2, 2), at = PY_NULL;
    if (!py_null(end))
        at = py_call_method(file, "tell", NULL, 0);
    if (py_null(at) || !py_to_int(at, &length) || py_null(call_int(file, "seek", 0, 0, 1)))
        return false;
    if (length < 0)
        return py_fail(py_raise(PY_ValueError, "a file of negative length"));
    *out = (uint64_t)length;
    return true;
}

static bool is_file(py_t v)
{
    py_t read;
    return py_attr_try(v, "read", &read);
}

/* ---- pieces ---- */

static py_t encoded(py_t text)
{
    const char *utf8;
    size_t len;
    return py_to_str(text, &utf8, &len) ? py_bytes(utf8, len) : PY_NULL;
}

static bool add_bytes(requests_body_t *b, py_t pieces, const void *bytes, size_t len)
{
    py_t v = py_bytes(bytes, len);
    b->length += len;
    return !py_null(v) && py_list_append(pieces, v);
}

static bool add_text(requests_body_t *b, py_t pieces, const char *text)
{
    return add_bytes(b, pieces, text, strlen(text));
}

static bool add_str_of(requests_body_t *b, py_t pieces, py_t v)
{
    py_t shown = py_str_of(v);
    const char *text;
    size_t len;
    return !py_null(shown) && py_to_str(shown, &text, &len) && add_bytes(b, pieces, text, len);
}

static bool add_file(requests_body_t *b, py_t pieces, py_t v)
{
    uint64_t length;
    py_buf_t buf;
    if (is_file(v)) {
        if (!file_length(v, &length))
            return false;
        b->length += length;
        return py_list_append(pieces, v);
    }
    if (py_is_str(v))
        return add_str_of(b, pieces, v);
    return py_buffer_read(v, &buf) && add_bytes(b, pieces, buf.ptr, buf.len);
}

static bool add_part_headers(requests_body_t *b, py_t pieces, py_t headers)
{
    py_t iter = py_iter(headers), key;
    bool done;
    if (py_null(iter))
        return false;
    while (py_next(iter, &key, &done)) {
        py_t value = py_item(headers, key);
        if (py_null(value) || !add_str_of(b, pieces, key) || !add_text(b, pieces, ": ") ||
            !add_str_of(b, pieces, value) || !add_text(b, pieces, "\r\n"))
            return false;
    }
    return done;
}

/* (file name or None, handle or str, content type, headers): the last two may be left out. */
static bool add_part(requests_body_t *b, py_t pieces, const char *boundary, py_t name, py_t part)
{
    size_t n;
    py_t items[4];
    if (!py_len(part, &n))
        return false;
    for (size_t i = 0; i < 4; i++) {
        items[i] = i < n || i < 2 ? py_item_at(part, i) : py_none();
        if (py_null(items[i]))
            return false;
    }
    return add_text(b, pieces, "--") && add_text(b, pieces, boundary) &&
           add_text(b, pieces, "\r\nContent-Disposition: form-data; name=\"") &&
           add_str_of(b, pieces, name) && add_text(b, pieces, "\"") &&
           (py_is_none(items[0]) || (add_text(b, pieces, "; filename=\"") &&
                                     add_str_of(b, pieces, items[0]) && add_text(b, pieces, "\""))) &&
           add_text(b, pieces, "\r\n") &&
           (py_is_none(items[2]) || (add_text(b, pieces, "Content-Type: ") &&
                                     add_str_of(b, pieces, items[2]) && add_text(b, pieces, "\r\n"))) &&
           (py_is_none(items[3]) || add_part_headers(b, pieces, items[3])) && add_text(b, pieces, "\r\n") &&
           add_file(b, pieces, items[1]) && add_text(b, pieces, "\r\n");
}

static bool make_files(requests_body_t *b, py_t files, py_t pieces, char *type, size_t cap)
{
    uint8_t random[BOUNDARY] = {0};
    char boundary[2 * BOUNDARY + 1];
    const adder_mcu_t *mcu = py_mcu();
    adder_err_t err = mcu->sys->random(mcu->ctx, random, sizeof random);
    if (err != ADDER_OK)
        return py_fail(py_raise_err(err, "boundary"));
    for (size_t i = 0; i < BOUNDARY; i++)
        snprintf(boundary + 2 * i, 3, "%02x", random[i]);
    snprintf(type, cap, "multipart/form-data; boundary=%s", boundary);
    py_t iter = py_iter(files), name;
    bool done;
    if (py_null(iter))
        return false;
    while (py_next(iter, &name, &done)) {
        py_t part = py_item(files, name);
        if (py_null(part) || !add_part(b, pieces, boundary, name, part))
            return false;
    }
    return done && add_text(b, pieces, "--") && add_text(b, pieces, boundary) &&
           add_text(b, pieces, "--\r\n");
}

/* k=v&k=v, as they are. */
static py_t make_form(py_t data)
{
    py_t iter = py_iter(data), key, out = py_list(NULL, 0), sep;
    bool done;
    if (py_null(iter) || py_null(out))
        return PY_NULL;
    while (py_next(iter, &key, &done)) {
        py_t value = py_item(data, key), k = py_str_of(key), v = py_null(value) ? PY_NULL : py_str_of(value);
        const py_t both[] = {k, v};
        sep = py_str("=");
        py_t pair = py_null(k) || py_null(v) ? PY_NULL : py_tuple(both, 2);
        py_t joined = py_null(pair) ? PY_NULL : py_call_method(sep, "join", &pair, 1);
        if (py_null(joined) || !py_list_append(out, joined))
            return PY_NULL;
    }
    sep = py_str("&");
    return done ? py_call_method(sep, "join", &out, 1) : PY_NULL;
}

/* ---- which of the three ---- */

static bool set_bytes(py_t owner, requests_body_t *b, py_t bytes)
{
    size_t len;
    if (py_null(bytes) || !py_len(bytes, &len))
        return false;
    py_field_set(owner, &b->bytes, bytes);
    b->length = len;
    b->has = true;
    return true;
}

static bool from_data(py_t owner, requests_body_t *b, py_t data, char *type, size_t cap)
{
    py_buf_t buf;
    if (py_is_dict(data)) {
        snprintf(type, cap, "application/x-www-form-urlencoded");
        data = make_form(data);
        if (py_null(data))
            return false;
    }
    if (py_is_str(data))
        return set_bytes(owner, b, encoded(data));
    if (is_file(data)) {
        py_t pieces = py_list(&data, 1);
        if (py_null(pieces) || !file_length(data, &b->length))
            return false;
        py_field_set(owner, &b->pieces, pieces);
        b->has = b->in_pieces = true;
        return true;
    }
    if (py_is_bytes(data))
        return set_bytes(owner, b, data);
    if (py_is_buffer(data)) /* a copy: it may change before it is sent */
        return py_buffer_read(data, &buf) && set_bytes(owner, b, py_bytes(buf.ptr, buf.len));
    py_t bytes = requests_builtin("bytes");
    return !py_null(bytes) && set_bytes(owner, b, py_call(bytes, &data, 1));
}

bool requests_body_make(py_t owner, requests_body_t *b, py_t data, py_t json, py_t files, char *type,
                        size_t cap)
{
    bool has_json = !py_null(json), has_data = false, has_files = false;
    if (has_json && (!py_null(data) || !py_null(files)))
        return fail_assert();
    if (has_json) {
        py_t module = py_import("json"),
             text = py_null(module) ? PY_NULL : py_call_method(module, "dumps", &json, 1);
        snprintf(type, cap, "application/json");
        return !py_null(text) && set_bytes(owner, b, encoded(text));
    }
    if ((!py_null(data) && !py_to_bool(data, &has_data)) ||
        (!py_null(files) && !py_to_bool(files, &has_files)))
        return false;
    if (has_data && !py_null(files) && (has_files || py_is_dict(data)))
        return fail_assert();
    if (has_files && py_is_dict(files)) {
        py_t pieces = py_list(NULL, 0);
        if (py_null(pieces) || !make_files(b, files, pieces, type, cap))
            return false;
        py_field_set(owner, &b->pieces, pieces);
        b->has = b->in_pieces = true;
        return true;
    }
    return !has_data || from_data(owner, b, data, type, cap);
}

/* ---- giving it to the engine ---- */

static adder_err_t source_read(void *ctx, uint8_t *buf, size_t cap, size_t *n_out)
{
    requests_body_t *b = ctx;
    size_t n = b->feed_len - b->feed_at;
    *n_out = 0;
    if (n == 0)
        return b->failed ? ADDER_ERR_IO : b->over ? ADDER_ERR_END : ADDER_ERR_AGAIN;
    n = n > cap ? cap : n;
    memcpy(buf, b->feed + b->feed_at, n);
    b->feed_at += n;
    *n_out = n;
    return ADDER_OK;
}

adder_http_payload_t requests_body_payload(requests_body_t *b)
{
    py_t bytes = py_field_get(&b->bytes);
    py_buf_t buf;
    if (!b->has)
        return (adder_http_payload_t){0};
    /* The object is immutable and stays in its field: so does what it points to. */
    if (!py_null(bytes) && py_buffer_read(bytes, &buf))
        return adder_http_payload_bytes(buf.ptr, buf.len);
    return (adder_http_payload_t){
        .kind = ADDER_HTTP_BODY_LENGTH, .length = b->length, .source = {.read = source_read, .ctx = b}};
}

bool requests_body_rewind(requests_body_t *b)
{
    py_t pieces = py_field_get(&b->pieces);
    size_t n;
    b->piece = b->at = b->feed_at = b->feed_len = 0;
    b->over = b->failed = false;
    if (py_null(pieces))
        return true;
    if (b->feed == NULL && (b->feed = py_alloc(FEED)) == NULL)
        return false;
    if (!py_len(pieces, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        py_t piece = py_item_at(pieces, i);
        if (py_null(piece) || (!py_is_bytes(piece) && py_null(call_int(piece, "seek", 0, 0, 1))))
            return false;
    }
    return true;
}

bool requests_body_starved(const requests_body_t *b)
{
    return b->in_pieces && b->feed_at == b->feed_len && !b->over && !b->failed;
}

/* Some bytes of a file behind feed_len; 0 = its end. */
static bool read_file(requests_body_t *b, py_t file, size_t *n_out)
{
    py_t fn;
    py_buf_t buf;
    int64_t n;
    size_t room = FEED - b->feed_len;
    if (py_attr_try(file, "readinto", &fn)) {
        py_t into = py_bytearray(NULL, room), count = py_null(into) ? PY_NULL : py_call(fn, &into, 1);
        if (py_null(count) || (!py_is_none(count) && !py_to_int(count, &n)) || !py_buffer_read(into, &buf))
            return false;
        *n_out = py_is_none(count) || n < 0 ? 0 : (uint64_t)n > room ? room : (size_t)n;
    } else {
        py_t got = call_int(file, "read", (int64_t)room, 0, 1);
        if (py_null(got) || !py_buffer_read(got, &buf))
            return false;
        *n_out = buf.len > room ? room : buf.len;
    }
    if (*n_out > 0)
        memcpy(b->feed + b->feed_len, buf.ptr, *n_out);
    return true;
}

static bool fill(requests_body_t *b)
{
    py_t pieces = py_field_get(&b->pieces);
    size_t n_pieces;
    if (!py_len(pieces, &n_pieces))
        return false;
    b->feed_at = b->feed_len = 0;
    while (b->feed_len < FEED && b->piece < n_pieces) {
        py_t piece = py_item_at(pieces, b->piece);
        py_buf_t buf;
        size_t n = 0;
        bool ends;
        if (py_null(piece))
            return false;
        if (py_is_bytes(piece)) {
            if (!py_buffer_read(piece, &buf))
                return false;
            n = buf.len - b->at < FEED - b->feed_len ? buf.len - b->at : FEED - b->feed_len;
            if (n > 0)
                memcpy(b->feed + b->feed_len, buf.ptr + b->at, n);
            b->at += n;
            ends = b->at == buf.len;
        } else {
            if (!read_file(b, piece, &n))
                return false;
            ends = n == 0;
        }
        b->feed_len += n;
        if (ends) {
            b->piece++;
            b->at = 0;
        }
    }
    b->over = b->piece == n_pieces; /* may be so while there is still something to feed */
    return true;
}

bool requests_body_feed(py_t owner, requests_body_t *b)
{
    if (!requests_body_starved(b))
        return true;
    py_scope_t scope = py_scope_open();
    bool ok = fill(b);
    if (!ok) {
        b->feed_at = b->feed_len = 0;
        b->failed = true;
        py_field_set(owner, &b->error, py_error_take());
    }
    py_scope_close(scope);
    return ok;
}
