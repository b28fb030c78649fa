/* What Group, TileGrid and the vector shapes have in common: x, y, hidden, and leaving their group. */
#include "python/modules/display_int.h"

void layer_fini(void *s)
{
    adder_layer_t *l = s;
    if (l->user == s) {
        adder_group_t *parent = adder_layer_parent(l);
        if (parent != NULL)
            ADDER_IGNORE(adder_group_remove(parent, l), "it is a member");
    }
    l->user = NULL;
}

static bool live(const void *s)
{
    return ((const adder_layer_t *)s)->user != NULL;
}

static py_t get_x(py_t self, void *s)
{
    (void)self;
    return py_int(layer_of(s)->x);
}

static py_t get_y(py_t self, void *s)
{
    (void)self;
    return py_int(layer_of(s)->y);
}

static bool set_x(py_t self, void *s, py_t value)
{
    int64_t v;
    (void)self;
    if (!display_int(value, "x", INT16_MIN, INT16_MAX, &v))
        return false;
    layer_of(s)->x = (int16_t)v;
    return true;
}

static bool set_y(py_t self, void *s, py_t value)
{
    int64_t v;
    (void)self;
    if (!display_int(value, "y", INT16_MIN, INT16_MAX, &v))
        return false;
    layer_of(s)->y = (int16_t)v;
    return true;
}

static py_t get_hidden(py_t self, void *s)
{
    (void)self;
    return py_bool(layer_of(s)->hidden);
}

static bool set_hidden(py_t self, void *s, py_t value)
{
    bool hidden;
    (void)self;
    if (!py_to_bool(value, &hidden))
        return false;
    layer_of(s)->hidden = hidden;
    return true;
}

static const py_prop_t props[] = {{"x", get_x, set_x, 0, "position in the parent"},
                                  {"y", get_y, set_y, 0, "position in the parent"},
                                  {"hidden", get_hidden, set_hidden, 0, "True: not drawn"},
                                  PY_END};

const py_class_t layer_class = {
    .module = "displayio",
    .name = "Layer",
    .size = sizeof(adder_layer_t),
    .no_new = true,
    .fini = layer_fini,
    .live = live,
    .props = props,
};
