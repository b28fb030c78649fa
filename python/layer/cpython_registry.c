/* What is made once a VM, found by its declaration, and the memory it stands on. */
#include "python/layer/cpython_int.h"

typedef struct {
    const void *decl;
    void *value;
} slot_t;

static slot_t *registry;
static size_t registry_cap, registry_n;

typedef struct block {
    struct block *next;
    max_align_t memory[];
} block_t;

static block_t *blocks;

void *py_arena(size_t size)
{
    block_t *b = calloc(1, sizeof *b + size);
    if (b == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    b->next = blocks;
    blocks = b;
    return b->memory;
}

static size_t slot_of(const void *decl)
{
    size_t i = (size_t)(((uintptr_t)decl >> 4) * 0x9E3779B97F4A7C15u >> 20) & (registry_cap - 1);
    while (registry[i].decl != NULL && registry[i].decl != decl)
        i = (i + 1) & (registry_cap - 1);
    return i;
}

void *py_registry_get(const void *decl)
{
    return registry_cap == 0 ? NULL : registry[slot_of(decl)].value;
}

bool py_registry_put(const void *decl, void *value)
{
    if (registry_n * 2 >= registry_cap) {
        slot_t *old = registry;
        size_t old_cap = registry_cap;
        registry_cap = old_cap ? old_cap * 2 : 512;
        registry = calloc(registry_cap, sizeof *registry);
        if (registry == NULL) {
            registry = old;
            registry_cap = old_cap;
            return py_fail(py_raise(PY_MemoryError, "memory allocation failed"));
        }
        for (size_t i = 0; i < old_cap; i++) {
            if (old[i].decl != NULL)
                registry[slot_of(old[i].decl)] = old[i];
        }
        free(old);
    }
    registry[slot_of(decl)] = (slot_t){decl, value};
    registry_n++;
    return true;
}

static PyObject **kept;
static size_t n_kept, kept_cap;

bool py_keep(void *o)
{
    if (n_kept == kept_cap) {
        size_t cap = kept_cap ? kept_cap * 2 : 128;
        PyObject **more = realloc(kept, cap * sizeof *more);
        if (more == NULL) {
            Py_DECREF((PyObject *)o);
            return py_fail(py_raise(PY_MemoryError, "memory allocation failed"));
        }
        kept = more;
        kept_cap = cap;
    }
    kept[n_kept++] = o;
    return true;
}

bool py_types_start(void)
{
    return py_callables_start();
}

/* References go before Py_FinalizeEx, the registry stays until after it: objects die in between. */
void py_types_stop(void)
{
    while (n_kept > 0)
        Py_DECREF(kept[--n_kept]);
    py_callables_stop();
}

void py_types_free(void)
{
    free(kept);
    kept = NULL;
    kept_cap = 0;
    free(registry);
    registry = NULL;
    registry_cap = registry_n = 0;
    while (blocks != NULL) {
        block_t *next = blocks->next;
        free(blocks);
        blocks = next;
    }
    py_objects_forget();
}
