/* Who may talk to the server, and which files it hands out. Pure string checks. */
#ifndef HOST_WEB_GUARD_H
#define HOST_WEB_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A Host header (RFC 9110 7.2): 127.0.0.1, localhost or [::1], with our port (which may be left out
 * when it is 80). Names of others that resolve to loopback do not pass: that is DNS rebinding. */
bool web_guard_host(const char *host, uint16_t port);

/* An Origin header (RFC 6454 7): "http://" and a host as above. "null" does not pass. */
bool web_guard_origin(const char *origin, uint16_t port);

/* A request path that may name a file of the bundle: one segment behind the slash, letters, digits,
 * "-_." and no leading dot. Returns the file's name inside `path` ("index.html" for "/"), else NULL. */
const char *web_guard_file(const char *path);

/* By the name's ending; "application/octet-stream" for others. */
const char *web_guard_type(const char *file);

#endif
