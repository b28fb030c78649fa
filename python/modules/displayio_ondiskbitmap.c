/* displayio.OnDiskBitmap */
#include <string.h>

#include "python/modules/display_int.h"

enum { CACHE_MAX = 65536 };

static const py_arg_t init_args[] = {PY_REQ_OBJ("file"), PY_END};

static adder_err_t read_at(void *ctx, uint32_t at, uint8_t *out, size_t len, size_t *n_out)
{
    const ondisk_obj_t *d = ctx;
    size_t n = at < d->len ? d->len - at : 0;
    if (n > len)
        n = len;
    if (n > 0)
        memcpy(out, d->bytes + at, n);
    *n_out = n;
    return ADDER_OK;
}

/* As the program's own open() would: a name on its drive. */
static py_t open_file(py_t name)
{
    py_t args[2] = {name, py_str("rb")};
    py_t drive = py_import("adder_vm.drive");
    py_t open = py_null(drive) ? PY_NULL : py_attr(drive, "open");
    return py_null(open) || py_null(args[1]) ? PY_NULL : py_call(open, args, 2);
}

/* The whole file from its start, as bytes. */
static py_t contents(py_t v)
{
    py_t seek, zero = py_int(0), file = v;
    bool ours = py_is_str(v);
    if (ours && py_null(file = open_file(v)))
        return PY_NULL;
    if (!ours && !py_attr_try(file, "seek", &seek))
        return py_raise(PY_TypeError, "file must be a file opened in byte mode");
    if (!ours && py_null(py_call_method(file, "seek", &zero, 1)))
        return PY_NULL;
    py_t bytes = py_call_method(file, "read", NULL, 0);
    if (ours && !py_null(bytes) && py_null(py_call_method(file, "close", NULL, 0)))
        return PY_NULL;
    if (!py_null(bytes) && !py_is_bytes(bytes))
        return py_raise(PY_TypeError, "file must be a file opened in byte mode");
    return bytes;
}

/* A Palette of the file's colours, or a ColorConverter of RGB888. */
static py_t make_shader(adder_bmp_t *bmp)
{
    if (bmp->color_count == 0) {
        void *s;
        py_t self = py_new(&converter_class, &s);
        if (!py_null(self)) {
            converter_obj_t *c = s;
            adder_converter_init(&c->converter, ADDER_CS_RGB888, false);
            c->made = true;
        }
        return self;
    }
    palette_obj_t *p;
    py_t self = palette_make(bmp->color_count, &p);
    if (py_null(self))
        return PY_NULL;
    adder_err_t err = adder_bmp_read_colors(bmp, p->palette, bmp->color_count);
    return err == ADDER_OK ? self : py_raise(PY_ValueError, "Invalid BMP file: its colour table is cut off");
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    ondisk_obj_t *d = s;
    const char *why = NULL;
    py_buf_t buf;
    py_t bytes = contents(a[0].obj);
    if (py_null(bytes) || !py_buffer_read(bytes, &buf) || (d->bytes = py_alloc(buf.len)) == NULL)
        return false;
    if (buf.len > 0)
        memcpy(d->bytes, buf.ptr, buf.len);
    d->len = buf.len;
    /* Opened twice: how long a row is, and so the best cache, is in the header. */
    uint8_t first[ADDER_BMP_CACHE_MIN];
    adder_err_t err = adder_bmp_open(&d->bmp, read_at, d, first, sizeof first, &why);
    if (err == ADDER_OK) {
        size_t cap = d->bmp.stride < ADDER_BMP_CACHE_MIN ? ADDER_BMP_CACHE_MIN
                     : d->bmp.stride > CACHE_MAX         ? CACHE_MAX
                                                         : d->bmp.stride;
        if ((d->cache = py_alloc(cap)) == NULL)
            return false;
        err = adder_bmp_open(&d->bmp, read_at, d, d->cache, cap, &why);
    }
    if (err != ADDER_OK)
        return py_fail(py_raise(PY_ValueError, "Invalid BMP file: %s", why ? why : adder_err_str(err)));
    py_t shader = make_shader(&d->bmp);
    if (py_null(shader))
        return false;
    d->made = true;
    py_field_set(self, &d->shader, shader);
    return true;
}

static void fini(void *s)
{
    ondisk_obj_t *d = s;
    d->made = false;
    d->len = 0;
    d->bmp.width = d->bmp.height = 0; /* a tilegrid that outlives this finds nothing to read */
    py_free(d->bytes);
    py_free(d->cache);
    d->bytes = d->cache = NULL;
}

static bool live(const void *s)
{
    return ((const ondisk_obj_t *)s)->made;
}

static py_t get_width(py_t self, void *s)
{
    (void)self;
    return py_int(((ondisk_obj_t *)s)->bmp.width);
}

static py_t get_height(py_t self, void *s)
{
    (void)self;
    return py_int(((ondisk_obj_t *)s)->bmp.height);
}

static py_t get_shader(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((ondisk_obj_t *)s)->shader);
}

static const py_prop_t props[] = {{"width", get_width, NULL, 0, "pixels"},
                                  {"height", get_height, NULL, 0, "pixels"},
                                  {"pixel_shader", get_shader, NULL, 0, "Palette or ColorConverter"},
                                  PY_END};

static const uint16_t fields[] = {offsetof(ondisk_obj_t, shader), PY_FIELDS_END};

const py_class_t ondisk_class = {
    .module = "displayio",
    .name = "OnDiskBitmap",
    .doc = "OnDiskBitmap(file): a BMP file, by name or open in byte mode.",
    .size = sizeof(ondisk_obj_t),
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .live = live,
    .fields = fields,
    .props = props,
};
