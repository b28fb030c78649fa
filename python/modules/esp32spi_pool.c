/* adafruit_esp32spi.adafruit_esp32spi_socketpool: SocketPool, one for an interface. */
#include "python/modules/esp32spi.h"

typedef struct {
    py_field_t iface;
} pool_t;

static const py_arg_t init_args[] = {PY_REQ_OBJ("iface"), PY_END};

static bool init(py_t self, void *s, const py_val_t *a)
{
    if (py_struct_arg(a[0].obj, &esp32spi_control_class, "iface") == NULL)
        return false;
    py_field_set(self, &((pool_t *)s)->iface, a[0].obj);
    return true;
}

static py_t make(const py_val_t *a)
{
    esp32spi_obj_t *o = py_struct_arg(a[0].obj, &esp32spi_control_class, "iface");
    if (o == NULL)
        return PY_NULL;
    py_t pool = py_field_get(&o->pool);
    if (!py_null(pool))
        return pool;
    pool_t *p;
    pool = py_new(&esp32spi_pool_class, (void **)&p);
    if (py_null(pool))
        return PY_NULL;
    py_field_set(pool, &p->iface, a[0].obj);
    py_field_set(a[0].obj, &o->pool, pool);
    return pool;
}

static bool live(const void *s)
{
    return ((const pool_t *)s)->iface.word != NULL;
}

static const py_arg_t getaddrinfo_args[] = {PY_REQ_OBJ("host"),
                                            PY_REQ_OBJ("port"),
                                            PY_OPT_OBJ("family"),
                                            PY_OPT_OBJ("socktype"),
                                            PY_OPT_OBJ("proto"),
                                            PY_OPT_OBJ("flags"),
                                            PY_END};

static py_t info(const py_val_t *a, py_t host)
{
    py_t address = py_null(host) ? PY_NULL : py_tuple((const py_t[]){host, a[1].obj}, 2);
    py_t entry = py_tuple((const py_t[]){py_int(ESP32SPI_AF_INET), a[3].given ? a[3].obj : py_int(0),
                                         a[4].given ? a[4].obj : py_int(0), py_str(""), address},
                          5);
    return py_null(entry) ? PY_NULL : py_list(&entry, 1);
}

/* For asyncio: the name itself, which connect_nowait() has looked up behind the program. */
static py_t getaddrinfo_nowait(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)s;
    return info(a, a[0].obj);
}

static py_t getaddrinfo(py_t self, void *s, const py_val_t *a)
{
    (void)self;
    char name[256];
    uint8_t ip[4];
    if (!py_is_int(a[1].obj))
        return py_raise(PY_ValueError, "Port must be an integer");
    esp32spi_obj_t *o = py_struct_arg(py_field_get(&((pool_t *)s)->iface), &esp32spi_control_class, "iface");
    if (o == NULL || !esp32spi_text(a[0].obj, "host", sizeof name - 1, name) || !esp32spi_lookup(o, name, ip))
        return PY_NULL;
    return info(a, py_bytearray(ip, 4));
}

static const py_arg_t socket_args[] = {PY_OPT_INT("family", ESP32SPI_AF_INET, PY_INT_MIN, PY_INT_MAX),
                                       PY_OPT_INT("type", ESP32SPI_SOCK_STREAM, PY_INT_MIN, PY_INT_MAX),
                                       PY_OPT_OBJ("proto"), PY_OPT_OBJ("fileno"), PY_END};

static py_t new_socket(py_t self, void *s, const py_val_t *a)
{
    (void)s;
    const py_t args[] = {self, a[0].given ? a[0].obj : py_int(a[0].i),
                         a[1].given ? a[1].obj : py_int(a[1].i)};
    return py_call(py_class_of(&esp32spi_socket_class), args, 3);
}

static py_t get_iface(py_t self, void *s)
{
    (void)self;
    return py_field_get(&((pool_t *)s)->iface);
}

static const py_method_t methods[] = {{"getaddrinfo", getaddrinfo, getaddrinfo_args, 0, NULL},
                                      {"getaddrinfo_nowait", getaddrinfo_nowait, getaddrinfo_args, 0, NULL},
                                      {"socket", new_socket, socket_args, 0, NULL},
                                      PY_END};
static const py_prop_t props[] = {{"_interface", get_iface, NULL, 0, NULL}, PY_END};
static const py_constant_t constants[] = {{"SOCK_STREAM", ESP32SPI_SOCK_STREAM},
                                          {"SOCK_DGRAM", ESP32SPI_SOCK_DGRAM},
                                          {"AF_INET", ESP32SPI_AF_INET},
                                          {"SOL_SOCKET", 0xFFF},
                                          {"SO_REUSEADDR", 4},
                                          {"NO_SOCKET_AVAIL", 255},
                                          {"MAX_PACKET", 4000},
                                          PY_END};
static const uint16_t fields[] = {offsetof(pool_t, iface), PY_FIELDS_END};

const py_class_t esp32spi_pool_class = {
    .module = "adafruit_esp32spi.adafruit_esp32spi_socketpool",
    .name = "SocketPool",
    .doc = "SocketPool(iface): the sockets of an ESP_SPIcontrol, one pool for each.",
    .size = sizeof(pool_t),
    .fields = fields,
    .init_args = init_args,
    .init = init,
    .make = make,
    .live = live,
    .methods = methods,
    .props = props,
    .constants = constants};
