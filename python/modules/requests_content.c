/* adafruit_requests.Response: its body, whole or in pieces */
#include <string.h>

#include "python/modules/requests_int.h"
#include "python/modules/socket_object.h"

/* Bodies of known length up to IN_PLACE_MAX are read where they will be; iter_content() reads at most
 * ITER_MAX bytes at once, whatever it is asked for. */
enum { FIRST_BLOCK = 4096, IN_PLACE_MAX = 1 << 26, ITER_MAX = 65536 };

static bool has_socket(const response_t *r)
{
    return !py_null(py_field_get(&r->socket.socket)) ||
           py_fail(py_raise(PY_RuntimeError, "Newer Response closed this one. Use Responses immediately."));
}

void requests_raise_read(response_t *r)
{
    const requests_exchange_t *e = r->e;
    py_t error = py_field_get(&r->socket.error);
    if (!py_null(error))
        py_raise_again(error);
    else if (e->err == ADDER_ERR_CLOSED)
        py_raise_errno(SOCKET_ECONNRESET, adder_http_why_str(ADDER_HTTP_WHY_CUT));
    else if (e->err == ADDER_ERR_FORMAT || e->err == ADDER_ERR_NOSPACE || e->err == ADDER_ERR_UNSUPPORTED)
        py_raise(PY_ValueError, "%s", adder_http_why_str(e->x.why));
    else
        py_raise_err(e->err, NULL);
}

/* What the loop of a reader does with e->err: true = there may be more. */
static bool went_on(py_t self, response_t *r, bool waited, bool *end)
{
    *end = waited && r->e->err == ADDER_ERR_END;
    if (waited && r->e->err == ADDER_OK)
        return true;
    if (*end)
        return requests_response_head(self, r); /* trailers */
    if (waited)
        requests_raise_read(r);
    requests_response_drop(self, r);
    return false;
}

/* Room for more. A body of known length is read into the bytes object that it will be; a longer one and one
 * of unknown length into memory that doubles: the length is the server's word alone. */
static bool make_room(py_t self, response_t *r)
{
    const adder_http_head_t *head = r->e->x.head;
    if (r->loading_cap == 0 && head->body == ADDER_HTTP_BODY_LENGTH && head->length <= IN_PLACE_MAX) {
        py_t bytes = py_bytes_new((size_t)head->length, &r->loading);
        py_field_set(self, &r->bytes, bytes);
        r->loading_cap = (size_t)head->length;
        r->in_place = true;
        return !py_null(bytes);
    }
    if (r->in_place || r->loaded < r->loading_cap)
        return true;
    size_t cap = r->loading_cap > 0 ? 2 * r->loading_cap : FIRST_BLOCK;
    uint8_t *bigger = py_alloc(cap);
    if (bigger == NULL)
        return false;
    if (r->loaded > 0)
        memcpy(bigger, r->loading, r->loaded);
    py_free(r->loading);
    r->loading = bigger;
    r->loading_cap = cap;
    return true;
}

static void forget_loading(py_t self, response_t *r)
{
    if (r->in_place)
        py_field_set(self, &r->bytes, PY_NULL);
    else
        py_free(r->loading);
    r->loading = NULL;
    r->loaded = r->loading_cap = 0;
    r->in_place = false;
}

static py_t loaded(py_t self, response_t *r)
{
    /* An answer to HEAD says a length and has no body. */
    bool all = r->in_place && r->loaded == r->loading_cap;
    py_t bytes = all ? py_field_get(&r->bytes) : py_bytes(r->loading, r->loaded);
    forget_loading(self, r);
    if (py_null(bytes) || !requests_response_close(self, r))
        return PY_NULL;
    py_field_set(self, &r->bytes, bytes);
    return bytes;
}

bool requests_load_begin(py_t self, response_t *r)
{
    if (!make_room(self, r))
        return false;
    bool full = r->loaded == r->loading_cap; /* only in place: all but the end is there */
    r->e->read_to = full ? r->e->scrap : r->loading + r->loaded;
    r->e->read_cap = full ? sizeof r->e->scrap : r->loading_cap - r->loaded;
    r->e->read_len = 0;
    return true;
}

py_t requests_load_end(py_t self, response_t *r, bool waited, bool *end)
{
    r->loaded += r->e->read_len;
    r->e->read_len = 0;
    if (!went_on(self, r, waited, end)) {
        forget_loading(self, r);
        return PY_NULL;
    }
    return *end ? loaded(self, r) : py_none();
}

py_t requests_loaded(const response_t *r)
{
    py_t bytes =
        r->in_place ? PY_NULL : py_field_get(r->cached_kind == CACHED_CONTENT ? &r->cached : &r->bytes);
    return py_null(bytes) && has_socket(r) ? py_bytes(NULL, 0) : bytes;
}

/* The whole body as bytes. */
static py_t load(py_t self, response_t *r)
{
    py_t bytes = py_field_get(&r->bytes);
    bool end = false;
    if (!py_null(bytes) && !r->in_place)
        return bytes;
    if (!has_socket(r))
        return PY_NULL;
    while (!end) {
        if (!requests_load_begin(self, r))
            return PY_NULL;
        bytes = requests_load_end(self, r, requests_wait(r, requests_move_all), &end);
        if (py_null(bytes))
            return PY_NULL;
    }
    return bytes;
}

static bool not_gzip(const response_t *r)
{
    const char *text;
    py_t coding = py_dict_get(py_field_get(&r->headers), "content-encoding");
    if (py_null(coding) || !py_to_str(coding, &text, NULL))
        return !py_error();
    if (strcmp(text, "gzip") != 0)
        return true;
    return py_fail(py_raise(PY_ValueError,
                            "Content-encoding is gzip, data cannot be accessed as json or text. "
                            "Use content property to access raw bytes."));
}

/* True: `kind` is cached already, or nothing is. */
static bool may_be(const response_t *r, requests_cached_t kind, const char *name, const char *others)
{
    if (r->cached_kind == CACHED_NOTHING || r->cached_kind == kind)
        return true;
    return py_fail(py_raise(PY_RuntimeError, "Cannot access %s after getting %s", name, others));
}

static py_t keep_as(py_t self, response_t *r, requests_cached_t kind, py_t value)
{
    if (py_null(value))
        return value;
    py_field_set(self, &r->cached, value);
    r->cached_kind = (uint8_t)kind;
    py_field_set(self, &r->bytes, PY_NULL);
    return value;
}

py_t requests_get_content(py_t self, void *s)
{
    response_t *r = s;
    if (!may_be(r, CACHED_CONTENT, "content", "text or json"))
        return PY_NULL;
    return r->cached_kind != CACHED_NOTHING ? py_field_get(&r->cached)
                                            : keep_as(self, r, CACHED_CONTENT, load(self, r));
}

py_t requests_get_text(py_t self, void *s)
{
    response_t *r = s;
    if (!may_be(r, CACHED_TEXT, "text", "content or json"))
        return PY_NULL;
    if (r->cached_kind != CACHED_NOTHING)
        return py_field_get(&r->cached);
    if (!not_gzip(r))
        return PY_NULL;
    py_t str = requests_builtin("str");
    const py_t args[] = {load(self, r), py_str("utf-8")};
    return py_null(str) || py_null(args[0]) ? PY_NULL : keep_as(self, r, CACHED_TEXT, py_call(str, args, 2));
}

py_t requests_m_json(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    response_t *r = s;
    if (!may_be(r, CACHED_JSON, "json", "text or content"))
        return PY_NULL;
    if (r->cached_kind != CACHED_NOTHING)
        return py_field_get(&r->cached);
    if (!not_gzip(r))
        return PY_NULL;
    py_t module = py_import("json"), bytes = load(self, r);
    if (py_null(module) || py_null(bytes))
        return PY_NULL;
    return keep_as(self, r, CACHED_JSON, py_call_method(module, "loads", &bytes, 1));
}

/* ---- iter_content ---- */

typedef struct {
    py_field_t response;
    uint8_t *buf;
    size_t cap;
    bool decode, over;
} pieces_t;

static const uint16_t pieces_fields[] = {offsetof(pieces_t, response), PY_FIELDS_END};

static void pieces_fini(void *s)
{
    pieces_t *p = s;
    py_free(p->buf);
    p->buf = NULL;
}

static py_t pieces_next(py_t self, void *s)
{
    (void)self;
    pieces_t *p = s;
    py_t response = py_field_get(&p->response);
    response_t *r = py_struct(response, &requests_response_class);
    bool end = false;
    if (p->over)
        return PY_NULL;
    p->over = true; /* an exception ends it */
    if (p->decode)
        return py_raise(PY_NotImplementedError, "Unicode not supported");
    if (!has_socket(r))
        return PY_NULL;
    if (p->buf == NULL && (p->buf = py_alloc(p->cap)) == NULL)
        return PY_NULL;
    r->e->read_to = p->buf;
    r->e->read_cap = p->cap;
    if (!went_on(response, r, requests_wait(r, requests_move_some), &end))
        return PY_NULL;
    if (end) {
        (void)requests_response_close(response, r);
        return PY_NULL;
    }
    p->over = false;
    return py_bytes(p->buf, r->e->read_len);
}

static const py_class_t pieces_class = {.module = "adafruit_requests",
                                        .name = "generator",
                                        .size = sizeof(pieces_t),
                                        .no_new = true,
                                        .fini = pieces_fini,
                                        .fields = pieces_fields,
                                        .next = pieces_next};

const py_arg_t requests_iter_args[] = {PY_OPT_INT("chunk_size", 1, 1, PY_INT_MAX),
                                       PY_OPT_BOOL("decode_unicode", false), PY_END};

py_t requests_m_iter_content(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    void *inner;
    py_t v = py_new(&pieces_class, &inner);
    if (py_null(v))
        return PY_NULL;
    pieces_t *p = inner;
    p->cap = a[0].i > ITER_MAX ? ITER_MAX : (size_t)a[0].i;
    p->decode = a[1].b;
    py_field_set(v, &p->response, self);
    return v;
}
