/* adafruit_connection_manager: the managers of all pools, and the module */
#include "python/modules/connection_manager.h"

py_t connection_global(const char *name)
{
    py_t module = py_import("adafruit_connection_manager");
    return py_null(module) ? PY_NULL : py_attr(module, name);
}

py_t connection_manager_of(py_t pool)
{
    py_t managers = connection_global("_global_connection_managers");
    py_t manager = py_null(managers) ? PY_NULL : py_call_method(managers, "get", &pool, 1);
    if (py_null(manager) || !py_is_none(manager))
        return manager;
    manager = connection_manager_new(pool);
    return !py_null(manager) && py_item_set(managers, pool, manager) ? manager : PY_NULL;
}

static const py_arg_t pool_args[] = {PY_REQ_OBJ("socket_pool"), PY_END};

static py_t m_get_connection_manager(const py_val_t *a)
{
    return connection_manager_of(a[0].obj);
}

static bool pop(const char *global, py_t key, py_t *out)
{
    py_t dict = connection_global(global);
    const py_t args[] = {key, py_none()};
    return !py_null(dict) && !py_null(*out = py_call_method(dict, "pop", args, 2));
}

static bool close_pool(py_t managers, py_t pool, bool release)
{
    py_t manager = py_call_method(managers, "get", &pool, 1), key, ignored;
    if (py_null(manager))
        return false;
    if (py_is_none(manager))
        return py_fail(py_raise(PY_RuntimeError, "SocketPool not managed"));
    if (!connection_manager_close_all(manager))
        return false;
    if (!release)
        return true;
    return pop("_global_key_by_socketpool", pool, &key) &&
           (py_is_none(key) ||
            (pop("_global_socketpools", key, &ignored) && pop("_global_ssl_contexts", key, &ignored))) &&
           pop("_global_connection_managers", pool, &ignored);
}

static const py_arg_t close_all_args[] = {PY_OPT_OBJ("socket_pool"), PY_OPT_BOOL("release_references", false),
                                          PY_END};

static py_t m_close_all(const py_val_t *a)
{
    py_t managers = connection_global("_global_connection_managers"), iter, pool;
    bool one = false, done;
    if (py_null(managers) || (a[0].given && !py_to_bool(a[0].obj, &one)))
        return PY_NULL;
    if (one)
        return close_pool(managers, a[0].obj, a[1].b) ? py_none() : PY_NULL;
    py_t all = py_call_method(managers, "copy", NULL, 0); /* releasing takes them out of the original */
    if (py_null(all) || py_null(iter = py_iter(all)))
        return PY_NULL;
    while (py_next(iter, &pool, &done)) {
        if (!close_pool(managers, pool, a[1].b))
            return PY_NULL;
    }
    return done ? py_none() : PY_NULL;
}

static const py_arg_t radio_args[] = {PY_REQ_OBJ("radio"), PY_END};
static const py_arg_t fake_args[] = {PY_REQ_OBJ("socket_pool"), PY_REQ_OBJ("iface"), PY_END};

static const py_function_t functions[] = {
    {"get_connection_manager", m_get_connection_manager, pool_args, NULL},
    {"connection_manager_close_all", m_close_all, close_all_args, NULL},
    {"get_radio_socketpool", connection_radio_pool, radio_args, NULL},
    {"get_radio_ssl_context", connection_radio_context, radio_args, NULL},
    {"create_fake_ssl_context", connection_fake_context, fake_args, NULL},
    PY_END};

static const py_class_t cpython_network_class = {.module = "adafruit_connection_manager",
                                                 .name = "CPythonNetwork"};

static const py_class_t *const classes[] = {&connection_manager_class, &cpython_network_class,
                                            &connection_fake_socket_class, &connection_fake_context_class,
                                            NULL};

static bool module_init(py_t module)
{
    static const char *const names[] = {"_global_connection_managers", "_global_key_by_socketpool",
                                        "_global_socketpools", "_global_ssl_contexts"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        py_t dict = py_dict();
        if (py_null(dict) || !py_attr_set(module, names[i], dict))
            return false;
    }
    return true;
}

const py_module_t connection_manager_module = {
    .name = "adafruit_connection_manager", .functions = functions, .classes = classes, .init = module_init};
