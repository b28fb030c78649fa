/* adafruit_minimqtt.matcher.MQTTMatcher: values by topic filter, found by topic. A node is a dictionary:
 * levels to nodes, and its value under None. */
#include "python/modules/minimqtt_int.h"

typedef struct {
    py_field_t root;
} matcher_t;

static const uint16_t matcher_fields[] = {offsetof(matcher_t, root), PY_FIELDS_END};

static bool matcher_init(py_t self, void *s, const py_val_t *a)
{
    (void)a;
    py_t root = py_dict();
    py_field_set(self, &((matcher_t *)s)->root, root);
    return !py_null(root);
}

static bool matcher_live(const void *s)
{
    return !py_null(py_field_get(&((const matcher_t *)s)->root));
}

static py_t levels_of(py_t text, size_t *n)
{
    py_t slash = py_str("/"), list = py_call_method(text, "split", &slash, 1);
    return !py_null(list) && py_len(list, n) ? list : PY_NULL;
}

/* None: there is none. */
static py_t get(py_t node, py_t key)
{
    return py_call_method(node, "get", &key, 1);
}

static py_t key_error(py_t key)
{
    py_t error = py_call(py_exc_class(PY_KeyError), &key, 1);
    if (!py_null(error))
        py_raise_again(error);
    return PY_NULL;
}

/* The node of a filter. None: there is none, unless `make`. */
static py_t find(const matcher_t *m, py_t key, bool make)
{
    size_t n;
    py_t levels = levels_of(key, &n), node = py_field_get(&m->root);
    if (py_null(levels))
        return PY_NULL;
    for (size_t i = 0; i < n; i++) {
        py_t level = py_item_at(levels, i), next = py_null(level) ? PY_NULL : get(node, level);
        if (py_null(next))
            return PY_NULL;
        if (py_is_none(next) && make) {
            next = py_dict();
            if (py_null(next) || !py_item_set(node, level, next))
                return PY_NULL;
        }
        if (py_is_none(next))
            return next;
        node = next;
    }
    return node;
}

static py_t matcher_getitem(py_t self, void *s, py_t key)
{
    (void)self;
    py_t node = find(s, key, false);
    if (!py_null(node) && !py_is_none(node))
        node = get(node, py_none());
    return py_null(node) || !py_is_none(node) ? node : key_error(key);
}

static bool pop(py_t node, py_t key)
{
    const py_t args[] = {key, py_none()};
    return !py_null(py_call_method(node, "pop", args, 2));
}

/* The value goes, and the nodes that are empty then. */
static bool delete (const matcher_t *m, py_t key)
{
    size_t n, left = 0;
    py_t levels = levels_of(key, &n), path = py_list(NULL, 0), node = py_field_get(&m->root);
    if (py_null(levels) || py_null(path))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!py_list_append(path, node) || py_null(node = get(node, py_item_at(levels, i))))
            return false;
        if (py_is_none(node))
            return py_fail(key_error(key));
    }
    if (!pop(node, py_none()))
        return false;
    while (n-- > 0 && py_len(node, &left) && left == 0) {
        node = py_item_at(path, n);
        if (py_null(node) || !pop(node, py_item_at(levels, n)))
            return false;
    }
    return !py_error();
}

static bool matcher_setitem(py_t self, void *s, py_t key, py_t value)
{
    (void)self;
    if (py_null(value))
        return delete (s, key);
    py_t node = find(s, key, true);
    return !py_null(node) && (py_is_none(value) ? pop(node, value) : py_item_set(node, py_none(), value));
}

/* ---- matching ---- */

/* A node to look at for levels from `at` on, or, with `value`, what to give. Kept on a stack: the one that is
 * to come first is put there last. */
typedef struct {
    py_t node;
    size_t at;
    bool value;
} step_t;

typedef struct {
    step_t *steps;
    size_t n;
    py_t levels, found, plus, hash;
    size_t n_levels;
    bool normal; /* no topic of the broker's own, which wildcards at the first level do not match */
} walk_t;

static bool push(walk_t *w, py_t node, size_t at, bool value)
{
    if (!py_null(node) && !py_is_none(node))
        w->steps[w->n++] = (step_t){node, at, value};
    return !py_null(node);
}

static bool look(walk_t *w, step_t step)
{
    bool wild = w->normal || step.at > 0;
    py_t below = wild ? get(step.node, w->hash) : py_none();
    if (py_null(below) || (!py_is_none(below) && !push(w, get(below, py_none()), 0, true)))
        return false;
    if (step.at == w->n_levels)
        return push(w, get(step.node, py_none()), 0, true);
    py_t level = py_item_at(w->levels, step.at);
    return !py_null(level) && (!wild || push(w, get(step.node, w->plus), step.at + 1, false)) &&
           push(w, get(step.node, level), step.at + 1, false);
}

py_t minimqtt_matching(py_t matcher, py_t topic)
{
    const matcher_t *m = py_struct(matcher, &minimqtt_matcher_class);
    const char *text;
    walk_t w = {.found = py_list(NULL, 0), .plus = py_str("+"), .hash = py_str("#")};
    if (!py_to_str(topic, &text, NULL) || py_null(w.levels = levels_of(topic, &w.n_levels)) ||
        py_null(w.found))
        return PY_NULL;
    w.normal = text[0] != '$';
    /* Each level takes one step away and adds three at most, of which one has a level below. */
    w.steps = py_alloc((3 * w.n_levels + 4) * sizeof *w.steps);
    bool ok = w.steps != NULL && push(&w, py_field_get(&m->root), 0, false);
    while (ok && w.n > 0) {
        step_t step = w.steps[--w.n];
        ok = step.value ? py_list_append(w.found, step.node) : look(&w, step);
    }
    py_free(w.steps);
    return ok ? w.found : PY_NULL;
}

static const py_arg_t match_args[] = {PY_REQ_OBJ("topic"), PY_END};

static py_t m_iter_match(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    py_t found = minimqtt_matching(self, a[0].obj);
    return py_null(found) ? PY_NULL : py_iter(found);
}

static const py_method_t matcher_methods[] = {
    {"iter_match", m_iter_match, match_args, 0, "The values of all filters that match the topic."}, PY_END};
const py_class_t minimqtt_matcher_class = {.module = "adafruit_minimqtt.matcher",
                                           .name = "MQTTMatcher",
                                           .doc = "Values by MQTT topic filter.",
                                           .size = sizeof(matcher_t),
                                           .fields = matcher_fields,
                                           .init = matcher_init,
                                           .live = matcher_live,
                                           .attributes = true,
                                           .methods = matcher_methods,
                                           .getitem = matcher_getitem,
                                           .setitem = matcher_setitem};
