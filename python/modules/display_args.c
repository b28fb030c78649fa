/* Checks that several display modules need. */
#include "python/modules/display_int.h"

bool display_truth(py_t self, void *s, bool *out)
{
    (void)self, (void)s;
    *out = true;
    return true;
}

bool display_int(py_t v, const char *name, int64_t lo, int64_t hi, int64_t *out)
{
    if (!py_is_int(v) && (py_is_float(v) || py_is_str(v) || py_is_none(v)))
        return py_fail(py_raise(PY_TypeError, "%s must be of type int, not %s", name, py_type_name(v)));
    if (!py_to_int(v, out)) {
        if (!py_error_is(PY_OverflowError))
            return false;
        py_error_clear();
        return py_fail(py_raise(PY_ValueError, "%s out of range", name));
    }
    if (*out >= lo && *out <= hi)
        return true;
    if (hi == PY_INT_MAX)
        return py_fail(py_raise(PY_ValueError, "%s must be >= %lld", name, (long long)lo));
    return py_fail(py_raise(PY_ValueError, "%s must be %lld-%lld", name, (long long)lo, (long long)hi));
}

bool display_index(int64_t value, const char *name, int64_t hi)
{
    if (value >= 0 && value <= hi)
        return true;
    return py_fail(py_raise(PY_IndexError, "%s must be 0-%lld", name, (long long)(hi < 0 ? 0 : hi)));
}

bool display_point(py_t v, const char *name, int64_t *x, int64_t *y)
{
    int64_t pair[2];
    if (py_int_pair(v, pair)) {
        *x = pair[0];
        *y = pair[1];
        return true;
    }
    size_t n;
    if ((!py_is_tuple(v) && !py_is_list(v)) || !py_len(v, &n) || n < 2)
        return py_fail(py_raise(PY_TypeError, "%s must be a tuple of 2 ints", name));
    double fx, fy; /* touch drivers hand out floats at times; pixels are whole */
    if (!py_to_float(py_item_at(v, 0), &fx) || !py_to_float(py_item_at(v, 1), &fy))
        return false;
    if (!(fx >= -1e9 && fx <= 1e9 && fy >= -1e9 && fy <= 1e9))
        return py_fail(py_raise(PY_ValueError, "%s out of range", name));
    *x = (int64_t)fx;
    *y = (int64_t)fy;
    return true;
}

py_t display_kept(const char *key)
{
    py_t dict = py_root(PY_ROOT_TERMINAL);
    return py_null(dict) ? PY_NULL : py_dict_get(dict, key);
}

bool display_keep(const char *key, py_t value)
{
    py_t dict = py_root(PY_ROOT_TERMINAL);
    if (py_null(dict)) {
        if (py_null(dict = py_dict()))
            return false;
        py_root_set(PY_ROOT_TERMINAL, dict);
    }
    return py_dict_set(dict, key, py_null(value) ? py_none() : value);
}
