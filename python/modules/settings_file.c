/* `_adder_os_getenv`: os.getenv over /settings.toml, and the typed form for supervisor.get_setting */
#include "python/modules/settings_file.h"

#include "adder/settings.h"

/* The file's bytes; null without exception when there is none. */
static py_t read_file(void)
{
    py_t builtins = py_import("builtins");
    py_t args[] = {py_str("/settings.toml"), py_str("rb")};
    py_t file = py_null(builtins) ? PY_NULL : py_call_method(builtins, "open", args, 2);
    py_t bytes = py_null(file) ? PY_NULL : py_call_method(file, "read", NULL, 0);
    if (!py_null(file) && py_null(py_call_method(file, "close", NULL, 0)))
        return PY_NULL;
    if (py_null(bytes) && py_error_is(PY_OSError))
        py_error_clear();
    return bytes;
}

/* The value of a key. False: none, or an exception. */
static bool find(const char *key, py_t *file_out, adder_setting_t *out)
{
    py_buf_t buf;
    *file_out = read_file();
    return !py_null(*file_out) && py_buffer_read(*file_out, &buf) &&
           adder_settings_find((const char *)buf.ptr, buf.len, key, out);
}

static py_t text_of(const adder_setting_t *value)
{
    size_t len = 0;
    py_t bytes = py_bytearray(NULL, value->raw_len + 1); /* escapes only shrink the text */
    py_buf_t buf;
    if (py_null(bytes) || !py_buffer_write(bytes, &buf))
        return PY_NULL;
    adder_err_t err = adder_settings_text(value, (char *)buf.ptr, buf.len, &len);
    return err == ADDER_OK ? py_str_n((const char *)buf.ptr, len) : py_raise_err(err, "settings.toml");
}

py_t settings_typed(const char *key)
{
    py_t file;
    adder_setting_t value;
    if (!find(key, &file, &value))
        return PY_NULL;
    switch (value.kind) {
    case ADDER_SETTING_TEXT:
        return text_of(&value);
    case ADDER_SETTING_INT:
        return py_int(value.i);
    case ADDER_SETTING_FLOAT:
        return py_float(value.f);
    case ADDER_SETTING_BOOL:
        return py_bool(value.b);
    default:
        return py_raise(PY_ValueError, "An error occurred while retrieving '%s': line %u: %s", key,
                        value.line, value.problem);
    }
}

static const py_arg_t getenv_args[] = {PY_REQ_STR("key"), PY_OPT_OBJ("default"), PY_END};

/* Never raises for what the file holds: a malformed value is its raw text. */
static py_t getenv_(const py_val_t *a)
{
    py_t file;
    adder_setting_t value;
    if (find(a[0].str, &file, &value))
        return text_of(&value);
    if (py_error())
        return PY_NULL;
    return a[1].given ? a[1].obj : py_none();
}

static py_t text_of_problem(const adder_settings_problem_t *p)
{
    const py_t pair[] = {py_int(p->line), py_str(p->what)};
    return py_tuple(pair, 2);
}

/* [(line, what)] of the lines that are not understood. */
static py_t problems(const py_val_t *a)
{
    (void)a;
    py_t list = py_list(NULL, 0), file = read_file();
    py_buf_t buf;
    if (py_null(file))
        return py_error() ? PY_NULL : list;
    if (py_null(list) || !py_buffer_read(file, &buf))
        return PY_NULL;
    adder_settings_problem_t found[16];
    size_t n = adder_settings_check((const char *)buf.ptr, buf.len, found, sizeof found / sizeof *found);
    for (size_t i = 0; i < n; i++) {
        if (!py_list_append(list, text_of_problem(&found[i])))
            return PY_NULL;
    }
    return list;
}

static const py_function_t functions[] = {
    {"getenv", getenv_, getenv_args, NULL}, {"problems", problems, NULL, NULL}, PY_END};
const py_module_t os_getenv_module = {.name = "_adder_os_getenv", .functions = functions};
