/* Arguments by declared signature: positions, keywords, defaults, kinds, ranges. */
#include <string.h>

#include "python/layer/cpython_int.h"

void py_signature(signature_t *sig, const char *name, const py_arg_t *args)
{
    *sig = (signature_t){.args = args, .name = name, .rest = -1, .kwrest = -1};
    if (args == NULL)
        return;
    for (; args[sig->n].kind != PY_ARG_END; sig->n++) {
        const py_arg_t *arg = &args[sig->n];
        ADDER_ASSERT(sig->n < PY_ARGS_MAX);
        if (arg->kind == PY_ARG_REST)
            sig->rest = (int8_t)sig->n;
        else if (arg->kind == PY_ARG_KWREST)
            sig->kwrest = (int8_t)sig->n;
        else if (!(arg->flags & PY_A_KW_ONLY) && sig->rest < 0)
            sig->n_pos = (uint8_t)(sig->n + 1);
    }
}

static bool wrong_type(const py_arg_t *arg, const char *wanted, PyObject *value)
{
    return py_fail(py_raise(PY_TypeError, "%s must be of type %s, not %s", arg->name, wanted,
                            py_type_name(borrowed(value))));
}

static bool check_range(const py_arg_t *arg, int64_t value)
{
    if (value >= arg->min && value <= arg->max)
        return true;
    if (arg->max == PY_INT_MAX || arg->max >= INT32_MAX)
        return py_fail(py_raise(PY_ValueError, "%s must be >= %lld", arg->name, (long long)arg->min));
    return py_fail(
        py_raise(PY_ValueError, "%s must be %lld-%lld", arg->name, (long long)arg->min, (long long)arg->max));
}

static bool convert(const py_arg_t *arg, PyObject *value, py_val_t *out)
{
    py_t v = borrowed(value);
    out->given = true;
    out->obj = v;
    switch (arg->kind) {
    case PY_ARG_BOOL:
        return py_to_bool(v, &out->b);
    case PY_ARG_INT:
        if (!PyLong_Check(value) && !PyIndex_Check(value))
            return wrong_type(arg, "int", value);
        if (!py_to_int(v, &out->i)) {
            if (!py_error_is(PY_OverflowError))
                return false;
            /* Out of 64 bits is out of any range: say so as for any other number. */
            py_error_clear();
            out->i = _PyLong_Sign(value) < 0 ? INT64_MIN : INT64_MAX;
            return arg->max == INT64_MAX && arg->min == INT64_MIN
                       ? py_fail(py_raise(PY_OverflowError, "%s does not fit 64 bits", arg->name))
                       : py_fail(py_raise(PY_ValueError, "%s out of range", arg->name));
        }
        return check_range(arg, out->i);
    case PY_ARG_FLOAT:
        if (!PyFloat_Check(value) && !PyLong_Check(value) && Py_TYPE(value)->tp_as_number == NULL)
            return wrong_type(arg, "float", value);
        if (!py_to_float(v, &out->f)) {
            if (!py_error_is(PY_TypeError))
                return false;
            py_error_clear();
            return wrong_type(arg, "float", value);
        }
        return true;
    case PY_ARG_STR:
        if (!PyUnicode_Check(value))
            return wrong_type(arg, "str", value);
        return py_to_str(v, &out->str, &out->str_len);
    case PY_ARG_RBUF:
        return py_buffer_read(v, &out->buf);
    case PY_ARG_WBUF:
        return py_buffer_write(v, &out->buf);
    default:
        return true;
    }
}

static void set_default(const py_arg_t *arg, py_val_t *out)
{
    out->given = false;
    out->obj = PY_NULL;
    switch (arg->kind) {
    case PY_ARG_BOOL:
        out->b = arg->def != 0;
        break;
    case PY_ARG_INT:
        out->i = arg->def;
        break;
    case PY_ARG_FLOAT:
        out->f = arg->fdef;
        break;
    case PY_ARG_STR:
        out->str = arg->sdef;
        out->str_len = arg->sdef ? strlen(arg->sdef) : 0;
        break;
    case PY_ARG_RBUF:
    case PY_ARG_WBUF:
        out->buf = (py_buf_t){.item_size = 1, .typecode = 'B'};
        break;
    default:
        break;
    }
}

static int find(const signature_t *sig, PyObject *name)
{
    for (int i = 0; i < sig->n; i++) {
        if (sig->args[i].kind == PY_ARG_REST || sig->args[i].kind == PY_ARG_KWREST)
            continue;
        if (PyUnicode_CompareWithASCIIString(name, sig->args[i].name) == 0)
            return i;
    }
    return -1;
}

bool py_parse(const signature_t *sig, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames,
              py_val_t *out)
{
    Py_ssize_t n_kw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    PyObject *values[PY_ARGS_MAX];
    if (n_args == 0 && n_kw == 0 && sig->n == 0)
        return true;
    if (n_args > sig->n_pos && sig->rest < 0)
        return py_fail(py_raise(PY_TypeError, "%s() takes %d positional arguments but %d were given",
                                sig->name, (int)sig->n_pos, (int)n_args));
    Py_ssize_t n_pos = n_args < sig->n_pos ? n_args : sig->n_pos;
    for (Py_ssize_t i = 0; i < n_pos; i++)
        values[i] = args[i];
    for (Py_ssize_t i = n_pos; i < sig->n; i++)
        values[i] = NULL;
    py_t extra = PY_NULL;
    if (sig->kwrest >= 0 && py_null(extra = py_dict()))
        return false;
    for (Py_ssize_t i = 0; i < n_kw; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        int at = find(sig, name);
        if (at >= 0 && values[at] != NULL)
            return py_fail(py_raise(PY_TypeError, "%s() got multiple values for argument '%s'", sig->name,
                                    sig->args[at].name));
        if (at >= 0) {
            values[at] = args[n_args + i];
        } else if (sig->kwrest >= 0) {
            if (PyDict_SetItem(obj(extra), name, args[n_args + i]) < 0)
                return false;
        } else {
            return py_fail(py_raise(PY_TypeError, "%s() got an unexpected keyword argument '%s'", sig->name,
                                    PyUnicode_AsUTF8(name)));
        }
    }
    for (int i = 0; i < sig->n; i++) {
        const py_arg_t *arg = &sig->args[i];
        if (arg->kind == PY_ARG_REST) {
            py_t rest[64];
            Py_ssize_t n_rest = n_args - n_pos;
            if (n_rest > 64)
                return py_fail(py_raise(PY_TypeError, "%s(): too many arguments", sig->name));
            for (Py_ssize_t k = 0; k < n_rest; k++)
                rest[k] = borrowed(args[n_pos + k]);
            out[i] = (py_val_t){.given = n_rest > 0, .obj = py_tuple(rest, (size_t)n_rest)};
            if (py_null(out[i].obj))
                return false;
        } else if (arg->kind == PY_ARG_KWREST) {
            out[i] = (py_val_t){.given = PyDict_GET_SIZE(obj(extra)) > 0, .obj = extra};
        } else if (values[i] == NULL) {
            if (arg->flags & PY_A_REQUIRED)
                return py_fail(
                    py_raise(PY_TypeError, "%s() missing required argument '%s'", sig->name, arg->name));
            set_default(arg, &out[i]);
        } else if (values[i] == Py_None && (arg->flags & PY_A_NONE_OK)) {
            set_default(arg, &out[i]);
        } else if (!convert(arg, values[i], &out[i])) {
            return false;
        }
    }
    return true;
}

bool py_parse_tuple(const signature_t *sig, PyObject *args, PyObject *kwargs, py_val_t *out)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    Py_ssize_t n_kw = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
    if (n_kw == 0)
        return py_parse(sig, ((PyTupleObject *)args)->ob_item, n, NULL, out);
    enum { MANY = 64 };
    PyObject *flat[MANY];
    if (n + n_kw > MANY)
        return py_fail(py_raise(PY_TypeError, "%s(): too many arguments", sig->name));
    PyObject *names = PyTuple_New(n_kw);
    if (names == NULL)
        return false;
    py_t keep = owned(names);
    (void)keep; /* the names live as long as the call */
    for (Py_ssize_t i = 0; i < n; i++)
        flat[i] = PyTuple_GET_ITEM(args, i);
    Py_ssize_t at = 0;
    PyObject *key, *value;
    for (Py_ssize_t i = 0; i < n_kw && PyDict_Next(kwargs, &at, &key, &value); i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(key));
        flat[n + i] = value;
    }
    return py_parse(sig, flat, n, names, out);
}
