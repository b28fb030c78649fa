/* displayio.ColorConverter and Colorspace; what can be a pixel_shader */
#include "python/modules/display_int.h"

/* In the order of adder_colorspace_t. */
static const char *const colorspaces[] = {
    "RGB888", "RGB565",         "RGB565_SWAPPED", "RGB555",         "RGB555_SWAPPED",
    "BGR565", "BGR565_SWAPPED", "BGR555",         "BGR555_SWAPPED", "L8",
    NULL};
_Static_assert(sizeof colorspaces / sizeof *colorspaces == ADDER_CS_COUNT + 1, "one name each");

const py_enum_t colorspace_enum = {.module = "displayio", .name = "Colorspace", .values = colorspaces};

static const py_arg_t init_args[] = {PY_KW_OBJ("input_colorspace"), PY_KW_BOOL("dither", false), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    converter_obj_t *c = s;
    int input = ADDER_CS_RGB888;
    (void)self;
    if (a[0].given && !py_enum_arg(a[0].obj, &colorspace_enum, "input_colorspace", &input))
        return false;
    adder_converter_init(&c->converter, (adder_colorspace_t)input, a[1].b);
    c->made = true;
    return true;
}

static bool live(const void *s)
{
    return ((const converter_obj_t *)s)->made;
}

static const py_arg_t color_args[] = {PY_REQ_INT("color", 0, UINT32_MAX), PY_END};

static py_t convert(py_t self, void *s, const py_val_t *a)
{
    const converter_obj_t *c = s;
    (void)self;
    adder_pixel_format_t format = ADDER_FORMAT_RGB565;
    format.reverse_bytes_in_word = false;
    return py_int(adder_color_to_native(&format, adder_color_to_rgb(c->converter.input, (uint32_t)a[0].i)));
}

static py_t make_transparent(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    if (adder_converter_set_transparent(&((converter_obj_t *)s)->converter, (uint32_t)a[0].i) != ADDER_OK)
        return py_raise(PY_RuntimeError, "Only one color can be transparent at a time");
    return py_none();
}

/* The argument says nothing: there is only one transparent colour. */
static py_t make_opaque(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    adder_converter_set_opaque(&((converter_obj_t *)s)->converter);
    return py_none();
}

static py_t get_dither(py_t self, void *s)
{
    (void)self;
    return py_bool(((converter_obj_t *)s)->converter.dither);
}

static bool set_dither(py_t self, void *s, py_t value)
{
    bool dither;
    (void)self;
    if (!py_to_bool(value, &dither))
        return false;
    adder_converter_set_dither(&((converter_obj_t *)s)->converter, dither);
    return true;
}

static const py_method_t methods[] = {
    {"convert", convert, color_args, 0, "The RGB565 value of a colour."},
    {"make_transparent", make_transparent, color_args, 0, "Let what lies below show through one value."},
    {"make_opaque", make_opaque, color_args, 0, "Undo make_transparent()."},
    PY_END};

static const py_prop_t props[] = {{"dither", get_dither, set_dither, 0, "bool"}, PY_END};

const py_class_t converter_class = {
    .module = "displayio",
    .name = "ColorConverter",
    .doc = "ColorConverter(*, input_colorspace=Colorspace.RGB888, dither=False): pixel values are colours.",
    .size = sizeof(converter_obj_t),
    .init_args = init_args,
    .init = init,
    .live = live,
    .methods = methods,
    .props = props,
};

bool shader_arg(py_t v, bool mapper_too, adder_shader_t *out)
{
    void *s;
    if ((s = py_struct(v, &palette_class)) != NULL) {
        if (py_struct_arg(v, &palette_class, "pixel_shader") == NULL)
            return false;
        *out = ADDER_SHADER_PALETTE(((palette_obj_t *)s)->palette);
        return true;
    }
    if ((s = py_struct(v, &converter_class)) != NULL) {
        if (py_struct_arg(v, &converter_class, "pixel_shader") == NULL)
            return false;
        *out = ADDER_SHADER_CONVERTER(&((converter_obj_t *)s)->converter);
        return true;
    }
    if (mapper_too && (s = py_struct(v, &mapper_class)) != NULL) {
        if (py_struct_arg(v, &mapper_class, "pixel_shader") == NULL)
            return false;
        *out = ADDER_SHADER_MAPPER(&((mapper_obj_t *)s)->mapper);
        return true;
    }
    return py_fail(py_raise(PY_TypeError, "unsupported pixel_shader type: %s", py_type_name(v)));
}
