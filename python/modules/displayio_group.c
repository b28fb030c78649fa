/* displayio.Group. The order of members is kept twice: in the engine's links, for drawing, and in a
 * Python list, which keeps them alive and gives them back as the objects they were. */
#include "python/modules/display_int.h"

static const py_arg_t init_args[] = {PY_KW_INT("scale", 1, 1, 32767), PY_KW_INT("x", 0, INT16_MIN, INT16_MAX),
                                     PY_KW_INT("y", 0, INT16_MIN, INT16_MAX), PY_END};

static adder_group_t *group_of(void *s)
{
    return (adder_group_t *)(void *)layer_of(s);
}

static bool init(py_t self, void *s, const py_val_t *a)
{
    group_obj_t *g = s;
    py_t members = py_list(NULL, 0);
    if (py_null(members))
        return false;
    adder_group_init(&g->group, (int16_t)a[1].i, (int16_t)a[2].i, (uint16_t)a[0].i);
    layer_made(s);
    py_field_set(self, &g->members, members);
    return true;
}

py_t group_wrap(adder_group_t *group, const py_t *members, size_t n)
{
    void *s;
    py_t self = py_new(&group_class, &s);
    py_t list = py_list(members, n);
    if (py_null(self) || py_null(list))
        return PY_NULL;
    group_obj_t *g = s;
    g->group.layer.user = group;
    g->fixed = true;
    py_field_set(self, &g->members, list);
    return self;
}

static void fini(void *s)
{
    group_obj_t *g = s;
    if (g->group.layer.user != s)
        return;
    display_forget_group(&g->group);
    while (adder_group_count(&g->group) > 0)
        ADDER_IGNORE(adder_group_remove(&g->group, adder_group_at(&g->group, 0)), "it is a member");
}

/* ---- members ---- */

static bool changeable(const group_obj_t *g)
{
    return !g->fixed || py_fail(py_raise(PY_RuntimeError, "Read-only"));
}

static adder_layer_t *layer_arg(py_t v)
{
    void *s = py_struct(v, &layer_class);
    if (s == NULL) {
        py_raise(PY_ValueError, "Layer must be a Group or TileGrid subclass");
        return NULL;
    }
    return py_struct_arg(v, &layer_class, "layer") ? layer_of(s) : NULL;
}

static bool insert_layer(adder_group_t *group, size_t index, adder_layer_t *layer)
{
    switch (adder_group_insert(group, (uint16_t)(index > UINT16_MAX ? UINT16_MAX : index), layer)) {
    case ADDER_OK:
        return true;
    case ADDER_ERR_IN_USE:
        return py_fail(py_raise(PY_ValueError, "Layer already in a group"));
    case ADDER_ERR_ARG:
        return py_fail(py_raise(PY_ValueError, "Group cannot hold itself"));
    default:
        return py_fail(py_raise(PY_RuntimeError, "Group full"));
    }
}

static void remove_layer(adder_group_t *group, adder_layer_t *layer)
{
    ADDER_IGNORE(adder_group_remove(group, layer), "the list and the links have the same members");
}

/* An index as of a list: negative from the end. */
static bool index_arg(const adder_group_t *group, py_t key, size_t *out)
{
    int64_t i;
    uint16_t n = adder_group_count(group);
    if (py_is_slice(key))
        return py_fail(py_raise(PY_NotImplementedError, "Slices not supported"));
    if (!py_is_int(key))
        return py_fail(py_raise(PY_TypeError, "Group indices must be integers, not %s", py_type_name(key)));
    if (!py_to_int(key, &i))
        return false;
    if (i < 0)
        i += n;
    if (i < 0 || i >= n)
        return py_fail(py_raise(PY_IndexError, "Group index out of range"));
    *out = (size_t)i;
    return true;
}

static bool insert_at(group_obj_t *g, size_t index, py_t value)
{
    adder_layer_t *layer = layer_arg(value);
    adder_group_t *group = &g->group;
    if (layer == NULL || !insert_layer(group, index, layer))
        return false;
    py_t list = py_field_get(&g->members);
    bool ok = index + 1 >= adder_group_count(group) ? py_list_append(list, value)
                                                    : py_list_insert(list, index, value);
    if (!ok)
        remove_layer(group, layer);
    return ok;
}

static py_t take_at(group_obj_t *g, size_t index)
{
    py_t list = py_field_get(&g->members);
    py_t value = py_item_at(list, index);
    void *s = py_null(value) ? NULL : py_struct(value, &layer_class);
    if (s == NULL || !py_list_delete(list, index))
        return PY_NULL;
    remove_layer(&g->group, layer_of(s));
    return value;
}

/* ---- list methods ---- */

static const py_arg_t layer_args[] = {PY_REQ_OBJ("layer"), PY_END};

static py_t append(py_t self, void *s, const py_val_t *a)
{
    group_obj_t *g = s;
    (void)self;
    if (!changeable(g) || !insert_at(g, adder_group_count(&g->group), a[0].obj))
        return PY_NULL;
    return py_none();
}

static const py_arg_t insert_args[] = {PY_REQ_OBJ("index"), PY_REQ_OBJ("layer"), PY_END};

static py_t insert(py_t self, void *s, const py_val_t *a)
{
    group_obj_t *g = s;
    size_t index;
    int64_t i;
    (void)self;
    if (!changeable(g))
        return PY_NULL;
    /* One past the end is allowed here, as an append. */
    if (py_is_int(a[0].obj) && py_to_int(a[0].obj, &i) && i == adder_group_count(&g->group))
        index = (size_t)i;
    else if (py_error() || !index_arg(&g->group, a[0].obj, &index))
        return PY_NULL;
    return insert_at(g, index, a[1].obj) ? py_none() : PY_NULL;
}

/* The place of a member, -1 when it is none. */
static int64_t find(void *s, py_t value)
{
    void *v = py_struct(value, &layer_class);
    uint16_t index;
    if (v == NULL || ((adder_layer_t *)v)->user == NULL ||
        adder_group_index(group_of(s), layer_of(v), &index) != ADDER_OK)
        return -1;
    return index;
}

static py_t index_of(py_t self, void *s, const py_val_t *a)
{
    int64_t i = find(s, a[0].obj);
    (void)self;
    return i < 0 ? py_raise(PY_ValueError, "object not in sequence") : py_int(i);
}

static const py_arg_t pop_args[] = {PY_OPT_OBJ("i"), PY_END};

static py_t pop(py_t self, void *s, const py_val_t *a)
{
    group_obj_t *g = s;
    size_t i = 0;
    (void)self;
    if (!changeable(g))
        return PY_NULL;
    if (!a[0].given) {
        if (adder_group_count(&g->group) == 0)
            return py_raise(PY_IndexError, "pop from empty Group");
        i = (size_t)adder_group_count(&g->group) - 1;
    } else if (!index_arg(&g->group, a[0].obj, &i)) {
        return PY_NULL;
    }
    return take_at(g, i);
}

static py_t remove_member(py_t self, void *s, const py_val_t *a)
{
    group_obj_t *g = s;
    (void)self;
    if (!changeable(g))
        return PY_NULL;
    int64_t i = find(s, a[0].obj);
    if (i < 0)
        return py_raise(PY_ValueError, "object not in sequence");
    return py_null(take_at(g, (size_t)i)) ? PY_NULL : py_none();
}

static const py_arg_t sort_args[] = {PY_OPT_OBJ("key"), PY_OPT_BOOL("reverse", false), PY_END};

/* A copy is sorted, so that a key function that fails or changes the group leaves it whole. */
static py_t sort(py_t self, void *s, const py_val_t *a)
{
    group_obj_t *g = s;
    static const char *const names[] = {"key", "reverse"};
    if (!changeable(g))
        return PY_NULL;
    py_t list = py_field_get(&g->members), copy = py_call_method(list, "copy", NULL, 0);
    if (py_null(copy))
        return PY_NULL;
    py_t values[2] = {a[0].given ? a[0].obj : py_none(), py_bool(a[1].b)};
    py_t method = py_attr(copy, "sort");
    if (py_null(method) || py_null(py_call_kw(method, NULL, 0, names, values, 2)))
        return PY_NULL;
    size_t n, now;
    if (!py_len(copy, &n) || !py_len(list, &now))
        return PY_NULL;
    for (size_t i = 0; i < n; i++) {
        py_scope_t scope = py_scope_open();
        bool member = n == now && find(s, py_item_at(copy, i)) >= 0;
        py_scope_close(scope);
        if (!member)
            return py_raise(PY_ValueError, "Group modified during sort");
    }
    for (size_t i = 0; i < n; i++) {
        py_scope_t scope = py_scope_open();
        void *m = py_struct(py_item_at(copy, i), &layer_class);
        if (m != NULL)
            ADDER_IGNORE(adder_group_move(&g->group, layer_of(m), (uint16_t)i), "checked above");
        py_scope_close(scope);
    }
    py_field_set(self, &g->members, copy);
    return py_none();
}

/* ---- protocols ---- */

static bool len(py_t self, void *s, size_t *out)
{
    (void)self;
    *out = adder_group_count(group_of(s));
    return true;
}

static bool truth(py_t self, void *s, bool *out)
{
    (void)self;
    *out = adder_group_count(group_of(s)) > 0;
    return true;
}

static bool contains(py_t self, void *s, py_t value, bool *out)
{
    (void)self;
    *out = find(s, value) >= 0;
    return true;
}

static py_t getitem(py_t self, void *s, py_t key)
{
    size_t i;
    (void)self;
    return index_arg(group_of(s), key, &i) ? py_item_at(py_field_get(&((group_obj_t *)s)->members), i)
                                           : PY_NULL;
}

static bool setitem(py_t self, void *s, py_t key, py_t value)
{
    group_obj_t *g = s;
    size_t i;
    (void)self;
    if (!changeable(g) || !index_arg(&g->group, key, &i))
        return false;
    if (py_null(value))
        return !py_null(take_at(g, i));
    /* In first, out then: a refused member leaves everything as it was. */
    return insert_at(g, i, value) && !py_null(take_at(g, i + 1));
}

/* ---- properties ---- */

static py_t get_scale(py_t self, void *s)
{
    (void)self;
    return py_int(group_of(s)->scale);
}

static bool set_scale(py_t self, void *s, py_t value)
{
    int64_t v;
    (void)self;
    if (!display_int(value, "scale", 1, 32767, &v))
        return false;
    group_of(s)->scale = (uint16_t)v;
    return true;
}

static const py_method_t methods[] = {
    {"append", append, layer_args, 0, "Put a layer in front of the others."},
    {"insert", insert, insert_args, 0, "Put a layer at a position, 0 is the back."},
    {"index", index_of, layer_args, 0, "The position of a layer."},
    {"pop", pop, pop_args, 0, "Take a layer out and return it."},
    {"remove", remove_member, layer_args, 0, "Take a layer out."},
    {"sort", sort, sort_args, 0, "Sort the layers by a key."},
    PY_END};

static const py_prop_t props[] = {{"scale", get_scale, set_scale, 0, "pixel size, 1..32767"}, PY_END};

static const uint16_t fields[] = {offsetof(group_obj_t, members), PY_FIELDS_END};

const py_class_t group_class = {
    .module = "displayio",
    .name = "Group",
    .doc = "Group(*, scale=1, x=0, y=0): layers that move and show together.",
    .size = sizeof(group_obj_t),
    .base = &layer_class,
    .init_args = init_args,
    .init = init,
    .fini = fini,
    .fields = fields,
    .methods = methods,
    .props = props,
    .len = len,
    .truth = truth,
    .getitem = getitem,
    .setitem = setitem,
    .contains = contains,
};
