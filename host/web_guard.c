#include "host/web_guard.h"

#include <string.h>
#include <strings.h>

bool web_guard_host(const char *host, uint16_t port)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (strncasecmp(host, names[i], n) != 0) {
            continue;
        }
        const char *p = host + n;
        if (*p == '\0') {
            return port == 80;
        }
        if (*p++ != ':' || *p == '\0') {
            return false;
        }
        unsigned value = 0;
        for (; *p >= '0' && *p <= '9' && value <= 65535; p++) {
            value = value * 10 + (unsigned)(*p - '0');
        }
        return *p == '\0' && value == port;
    }
    return false;
}

bool web_guard_origin(const char *origin, uint16_t port)
{
    static const char scheme[] = "http://";
    return strncasecmp(origin, scheme, sizeof scheme - 1) == 0 &&
           web_guard_host(origin + sizeof scheme - 1, port);
}

const char *web_guard_file(const char *path)
{
    if (path[0] != '/') {
        return NULL;
    }
    const char *name = path + 1;
    if (*name == '\0') {
        return "index.html";
    }
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    return name[0] != '.' && name[n] == '\0' && n <= 64 ? name : NULL;
}

const char *web_guard_type(const char *file)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".map", "application/json"},
        {".json", "application/json; charset=utf-8"},
    };
    const char *dot = strrchr(file, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(dot, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}
