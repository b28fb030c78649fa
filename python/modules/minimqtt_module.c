/* adafruit_minimqtt: the package, its modules, exceptions, NullLogger */
#include "python/modules/minimqtt_int.h"

#include <stdio.h>

/* ---- exceptions ---- */

static const py_arg_t error_args[] = {
    PY_REQ_OBJ("self"), PY_REQ_OBJ("error"), {.name = "code", .kind = PY_ARG_OBJ}, PY_END};

static py_t error_init(const py_val_t *a)
{
    const py_t pair[] = {a[1].obj, a[2].given ? a[2].obj : py_none()};
    py_t args = py_tuple(pair, 2);
    return !py_null(args) && py_attr_set(a[0].obj, "args", args) && py_attr_set(a[0].obj, "code", pair[1])
               ? py_none()
               : PY_NULL;
}

static const py_function_t error_function = {"__init__", error_init, error_args, NULL};

#define MODULE "adafruit_minimqtt.adafruit_minimqtt"
const py_exception_t minimqtt_exception = {.module = MODULE,
                                           .name = "MMQTTException",
                                           .base = PY_Exception,
                                           .init = &error_function,
                                           .doc = "Trouble of the protocol or the network: reconnect()."};
const py_exception_t minimqtt_state_error = {
    .module = MODULE, .name = "MMQTTStateError", .parent = &minimqtt_exception, .doc = "Not at this time."};

static py_t raise(const py_exception_t *cls, const char *text, int code, py_t cause)
{
    const py_t args[] = {py_str(text), code < 0 ? py_none() : py_int(code)};
    py_t type = py_exception_class(cls);
    py_t error = py_null(type) ? PY_NULL : py_call(type, args, 2);
    if (py_null(error) || (!py_null(cause) && !py_attr_set(error, "__cause__", cause)))
        return PY_NULL;
    py_raise_again(error);
    return PY_NULL;
}

py_t minimqtt_raise(int code, py_t cause, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return raise(&minimqtt_exception, text, code, cause);
}

py_t minimqtt_raise_state(const char *text)
{
    return raise(&minimqtt_state_error, text, -1, PY_NULL);
}

/* ---- logging ---- */

static const py_arg_t nothing_args[] = {PY_REST("args"), PY_END};

static py_t m_nothing(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s, (void)a;
    return py_none();
}

static const py_method_t null_methods[] = {{"nothing", m_nothing, nothing_args, 0, NULL},
                                           {"debug", m_nothing, nothing_args, 0, NULL},
                                           {"info", m_nothing, nothing_args, 0, NULL},
                                           {"warning", m_nothing, nothing_args, 0, NULL},
                                           {"error", m_nothing, nothing_args, 0, NULL},
                                           {"critical", m_nothing, nothing_args, 0, NULL},
                                           PY_END};
const py_class_t minimqtt_null_logger_class = {.module = MODULE,
                                               .name = "NullLogger",
                                               .doc = "A logger that does nothing.",
                                               .size = sizeof(int),
                                               .attributes = true,
                                               .methods = null_methods};

bool minimqtt_log(py_t self, const char *level, const char *format, ...)
{
    py_t logger = py_attr(self, "logger");
    if (py_null(logger))
        return false;
    if (py_struct(logger, &minimqtt_null_logger_class) != NULL)
        return true;
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    py_t shown = py_str(text);
    return !py_null(py_call_method(logger, level, &shown, 1));
}

/* ---- modules ---- */

static const py_constant_t constants[] = {{"MQTT_MSG_MAX_SZ", MINIMQTT_MSG_MAX},
                                          {"MQTT_MSG_SZ_LIM", MINIMQTT_MSG_LIMIT},
                                          {"MQTT_TOPIC_LENGTH_LIMIT", MINIMQTT_TEXT_MAX},
                                          {"MQTT_TCP_PORT", 1883},
                                          {"MQTT_TLS_PORT", 8883},
                                          {"MQTT_PINGRESP", MINIMQTT_PINGRESP},
                                          {"MQTT_PUBLISH", MINIMQTT_PUBLISH},
                                          {"MQTT_SUB", 0x82},
                                          {"MQTT_SUBACK", MINIMQTT_SUBACK},
                                          {"MQTT_UNSUB", 0xA2},
                                          {"MQTT_UNSUBACK", MINIMQTT_UNSUBACK},
                                          {"MQTT_PKT_TYPE_MASK", 0xF0},
                                          {"CONNACK_ERROR_INCORRECT_PROTOCOL", 1},
                                          {"CONNACK_ERROR_ID_REJECTED", 2},
                                          {"CONNACK_ERROR_SERVER_UNAVAILABLE", 3},
                                          {"CONNACK_ERROR_INCORECT_USERNAME_PASSWORD", 4},
                                          {"CONNACK_ERROR_UNAUTHORIZED", 5},
                                          PY_END};

/* What the module takes from others, under the names that test benches put their own in. */
static bool borrow(py_t module, const char *from, const char *name)
{
    py_t source = py_import(from), value = py_null(source) ? PY_NULL : py_attr(source, name);
    return !py_null(value) && py_attr_set(module, name, value);
}

static bool module_init(py_t module)
{
    static const char *const texts[] = {
        "Connection Refused - Incorrect Protocol Version", "Connection Refused - ID Rejected",
        "Connection Refused - Server unavailable", "Connection Refused - Incorrect username/password",
        "Connection Refused - Unauthorized"};
    py_t errors = py_dict();
    for (int i = 0; i < 5; i++) {
        if (py_null(errors) || !py_item_set(errors, py_int(i + 1), py_str(texts[i])))
            return false;
    }
    return py_attr_set(module, "CONNACK_ERRORS", errors) &&
           py_attr_set(module, "MQTT_PINGREQ", py_bytes("\xc0\0", 2)) &&
           py_attr_set(module, "MQTT_DISCONNECT", py_bytes("\xe0\0", 2)) &&
           py_attr_set(module, "MQTTMatcher", py_class_of(&minimqtt_matcher_class)) &&
           borrow(module, "adafruit_connection_manager", "get_connection_manager") &&
           borrow(module, "supervisor", "ticks_ms");
}

static const py_class_t *const classes[] = {&minimqtt_class, &minimqtt_null_logger_class, NULL};
static const py_exception_t *const exceptions[] = {&minimqtt_exception, &minimqtt_state_error, NULL};
const py_module_t minimqtt_module = {.name = MODULE,
                                     .classes = classes,
                                     .exceptions = exceptions,
                                     .constants = constants,
                                     .init = module_init};

static const py_class_t *const matcher_classes[] = {&minimqtt_matcher_class, NULL};
const py_module_t minimqtt_matcher_module = {.name = "adafruit_minimqtt.matcher", .classes = matcher_classes};
