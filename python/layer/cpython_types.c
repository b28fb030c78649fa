/* Classes from py_class_t tables: heap types, one per VM, made at first use. */
#include "python/layer/cpython_int.h"

#include <string.h>
#include <structmember.h> /* PyMemberDef, until CPython 3.12 */

static void inherit(py_class_t *flat, const py_class_t *base)
{
#define INHERIT(slot)                                                                                        \
    if (flat->slot == NULL)                                                                                  \
    flat->slot = base->slot
    if (flat->init == NULL) {
        flat->init = base->init;
        flat->init_args = base->init_args;
    }
    INHERIT(live);
    INHERIT(len);
    INHERIT(truth);
    INHERIT(getitem);
    INHERIT(setitem);
    INHERIT(contains);
    INHERIT(iter);
    INHERIT(next);
    if (flat->equal == NULL) {
        flat->equal = base->equal;
        INHERIT(hash);
    }
    INHERIT(repr);
    INHERIT(call);
    INHERIT(buffer);
#undef INHERIT
}

static size_t count_fields(const uint16_t *fields)
{
    size_t n = 0;
    while (fields != NULL && fields[n] != PY_FIELDS_END)
        n++;
    return n;
}

/* size, not the base's, when the class adds nothing of its own */
static class_info_t *make_info(const py_class_t *cls, const class_info_t *base)
{
    class_info_t *info = py_arena(sizeof *info);
    if (info == NULL)
        return NULL;
    info->cls = cls;
    info->base = base;
    info->flat = *cls;
    if (base != NULL) {
        inherit(&info->flat, &base->flat);
        if (info->flat.size < base->flat.size)
            info->flat.size = base->flat.size;
    }
    size_t own = count_fields(cls->fields), parents = base ? base->n_fields : 0;
    info->n_fields = own + parents;
    info->fields = py_arena((info->n_fields + 1) * sizeof *info->fields);
    if (info->fields == NULL)
        return NULL;
    if (parents > 0)
        memcpy(info->fields, base->fields, parents * sizeof *info->fields);
    if (own > 0)
        memcpy(info->fields + parents, cls->fields, own * sizeof *info->fields);
    static const py_arg_t call_args[] = {PY_REST("args"), PY_KWREST("kwargs"), PY_END};
    py_signature(&info->init_sig, cls->name, info->flat.init_args);
    py_signature(&info->call_sig, cls->name, call_args);
    return info;
}

static bool add(PyObject *dict, const char *name, PyObject *value)
{
    bool ok = value != NULL && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
    return ok;
}

static bool fill_dict(PyTypeObject *type, const py_class_t *cls)
{
    PyObject *dict = type->tp_dict;
    for (const py_method_t *m = cls->methods; m != NULL && m->name != NULL; m++) {
        if (!add(dict, m->name, py_make_method(m, type)))
            return false;
    }
    for (const py_method_t *m = py_with_methods; cls->context && m->name != NULL; m++) {
        if (!add(dict, m->name, py_make_method(m, type)))
            return false;
    }
    for (const py_constant_t *c = cls->constants; c != NULL && c->name != NULL; c++) {
        if (!add(dict, c->name, PyLong_FromLongLong(c->value)))
            return false;
    }
    for (const py_enum_t *const *e = cls->enums; e != NULL && *e != NULL; e++) {
        if (!add(dict, (*e)->name, Py_XNewRef(py_enum_type(*e))))
            return false;
    }
    for (const py_exception_t *const *e = cls->exceptions; e != NULL && *e != NULL; e++) {
        if (!add(dict, (*e)->name, Py_XNewRef(obj(py_exception_class(*e)))))
            return false;
    }
    PyType_Modified(type);
    return true;
}

static bool add_dict_attribute(PyTypeObject *type)
{
    static PyGetSetDef dict = {
        .name = "__dict__", .get = PyObject_GenericGetDict, .set = PyObject_GenericSetDict};
    return add(type->tp_dict, dict.name, PyDescr_NewGetSet(type, &dict));
}

/* Behind the struct. */
static size_t attributes_offset(const py_class_t *flat)
{
    return flat->attributes ? (OBJ_HEADER + flat->size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *)
                            : 0;
}

static PyTypeObject *make_type(class_info_t *info)
{
    const py_class_t *cls = info->cls, *flat = &info->flat;
    PyType_Slot slots[13 + PY_OPERATOR_SLOTS];
    size_t n = 0;
    /* ISO C has no conversion from function to object pointer; every platform with Python does. */
#define SLOT(id, fn) slots[n++] = (PyType_Slot){id, (void *)(fn)}
    PyGetSetDef *getset = py_make_getset(cls);
    if (getset == NULL)
        return NULL;
    SLOT(Py_tp_dealloc, py_obj_dealloc);
    SLOT(Py_tp_traverse, py_obj_traverse);
    SLOT(Py_tp_clear, py_obj_clear);
    SLOT(Py_tp_getset, getset);
    SLOT(Py_tp_new, cls->no_new ? py_class_no_new : py_class_new);
    if (!cls->no_new)
        SLOT(Py_tp_init, py_class_init);
    if (cls->doc != NULL)
        slots[n++] = (PyType_Slot){Py_tp_doc, (void *)(uintptr_t)cls->doc};
    PyMemberDef dict_member[] = {{"__dictoffset__", T_PYSSIZET, 0, READONLY, NULL}, {0}};
    info->attributes_at = attributes_offset(flat);
    if (info->attributes_at != 0) {
        dict_member[0].offset = (Py_ssize_t)info->attributes_at;
        slots[n++] = (PyType_Slot){Py_tp_members, dict_member};
    }
    n += py_operator_slots(info, slots + n);
    slots[n] = (PyType_Slot){0, NULL};
#undef SLOT
    size_t name_size = strlen(cls->module) + strlen(cls->name) + 2;
    char *name = py_arena(name_size);
    if (name == NULL)
        return NULL;
    snprintf(name, name_size, "%s.%s", cls->module, cls->name);
    unsigned long flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE;
    if (!cls->final)
        flags |= Py_TPFLAGS_BASETYPE;
    size_t size =
        info->attributes_at != 0 ? info->attributes_at + sizeof(PyObject *) : OBJ_HEADER + flat->size;
    PyType_Spec spec = {.name = name, .basicsize = (int)size, .flags = (unsigned)flags, .slots = slots};
    PyObject *bases = NULL;
    if (info->base != NULL && (bases = PyTuple_Pack(1, info->base->type)) == NULL)
        return NULL;
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpecWithBases(&spec, bases);
    Py_XDECREF(bases);
    if (type != NULL && (!fill_dict(type, cls) || (info->attributes_at != 0 && !add_dict_attribute(type))))
        Py_CLEAR(type);
    if (type != NULL && !cls->no_new)
        type->tp_vectorcall = py_class_vectorcall;
    if (type != NULL)
        type->tp_name = strrchr(name, '.') + 1; /* messages name classes as boards do; __module__ is set */
    return type;
}

/* The record of a type or of its nearest native parent. */
const class_info_t *py_info_of_type(PyTypeObject *type)
{
    for (; type != NULL; type = type->tp_base) {
        if (type->tp_dealloc == py_obj_dealloc) {
            const class_info_t *info = py_registry_get(type);
            if (info != NULL)
                return info;
        }
    }
    Py_FatalError("not a native class");
}

const class_info_t *py_class_info(const py_class_t *cls)
{
    class_info_t *info = py_registry_get(cls);
    if (info != NULL)
        return info;
    const class_info_t *base = NULL;
    if (cls->base != NULL && (base = py_class_info(cls->base)) == NULL)
        return NULL;
    info = make_info(cls, base);
    if (info == NULL || (info->type = make_type(info)) == NULL || !py_keep(info->type))
        return NULL;
    if (!py_registry_put(cls, info) || !py_registry_put(info->type, info))
        return NULL;
    return info;
}
