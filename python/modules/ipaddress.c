/* ipaddress: IPv4 addresses as objects. */
#include <string.h>

#include "python/modules/net_socket.h"

typedef struct {
    adder_ip_t ip; /* V4; NONE: a Python subclass has not called __init__ */
} address_t;

extern const py_class_t ipaddress_class;

/* Of an int (the number that the four bytes make, as in CPython) or of text. */
static bool parse(py_t v, adder_ip_t *out, bool *known)
{
    *known = true;
    if (py_is_int(v)) {
        int64_t n;
        if (!py_to_int(v, &n))
            return false;
        if (n < 0 || n > UINT32_MAX)
            return py_fail(py_raise(PY_ValueError, "Not a valid IP string"));
        *out = adder_ip_v4((uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n);
        return true;
    }
    if (py_is_str(v)) {
        const char *text;
        size_t len;
        if (!py_to_str(v, &text, &len))
            return false;
        adder_ip_t ip;
        if (adder_ip_parse(text, len, &ip) != ADDER_OK || ip.family != ADDER_IP_V4)
            return py_fail(py_raise(PY_ValueError, "Not a valid IP string"));
        *out = ip;
        return true;
    }
    *known = false;
    return true;
}

static const py_arg_t init_args[] = {PY_REQ_OBJ("address"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    address_t *o = s;
    bool known;
    py_buf_t buf;
    if (!parse(a[0].obj, &o->ip, &known) || known)
        return known && !py_error();
    if (!py_buffer_read(a[0].obj, &buf))
        return false;
    if (buf.len != 4)
        return py_fail(py_raise(PY_ValueError, "Address must be %d bytes long", 4));
    o->ip = adder_ip_v4(buf.ptr[0], buf.ptr[1], buf.ptr[2], buf.ptr[3]);
    return true;
}

static bool live(const void *s)
{
    return ((const address_t *)s)->ip.family == ADDER_IP_V4;
}

static py_t get_packed(py_t self, void *s)
{
    (void)self;
    return py_bytes(((const address_t *)s)->ip.bytes, 4);
}

static py_t get_version(py_t self, void *s)
{
    (void)self, (void)s;
    return py_int(4);
}

static py_t text_of(py_t self, void *s)
{
    (void)self;
    char text[ADDER_IP_TEXT];
    (void)adder_ip_print(&((const address_t *)s)->ip, text, sizeof text);
    return py_str(text);
}

static bool equal(py_t self, void *s, py_t other, bool *out)
{
    (void)self;
    const address_t *o = py_struct(other, &ipaddress_class);
    *out = o != NULL && adder_ip_equal(&o->ip, &((const address_t *)s)->ip);
    return true;
}

static int64_t hash(void *s)
{
    const uint8_t *b = ((const address_t *)s)->ip.bytes;
    return (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static const py_prop_t props[] = {{"packed", get_packed, NULL, 0, "The 4 bytes of the address."},
                                  {"version", get_version, NULL, 0, "4."},
                                  PY_END};
const py_class_t ipaddress_class = {.module = "ipaddress",
                                    .name = "IPv4Address",
                                    .doc = "An IPv4 address.",
                                    .size = sizeof(address_t),
                                    .init_args = init_args,
                                    .init = init,
                                    .live = live,
                                    .props = props,
                                    .equal = equal,
                                    .hash = hash,
                                    .repr = text_of};

py_t ipaddress_v4(const adder_ip_t *ip)
{
    address_t *o;
    if (ip->family != ADDER_IP_V4)
        return py_none();
    py_t v = py_new(&ipaddress_class, (void **)&o);
    if (!py_null(v))
        o->ip = *ip;
    return v;
}

bool ipaddress_of(py_t v, adder_ip_t *out)
{
    const address_t *o = py_struct(v, &ipaddress_class);
    if (o == NULL || o->ip.family != ADDER_IP_V4)
        return false;
    *out = o->ip;
    return true;
}

static const py_arg_t ip_address_args[] = {PY_REQ_OBJ("ip"), PY_END};

static py_t ip_address(const py_val_t *a)
{
    adder_ip_t ip;
    bool known;
    if (!parse(a[0].obj, &ip, &known))
        return PY_NULL;
    return known ? ipaddress_v4(&ip) : py_raise(PY_ValueError, "Only int or string supported for ip");
}

static const py_function_t functions[] = {
    {"ip_address", ip_address, ip_address_args, "An address object of an int or of text."}, PY_END};
static const py_class_t *const classes[] = {&ipaddress_class, NULL};
const py_module_t ipaddress_module = {
    .name = "_adder_ipaddress", .doc = "IP addresses.", .functions = functions, .classes = classes};
