/* A port of this computer for a server of a test. */
#ifndef ADDER_TESTS_HELD_PORT_H
#define ADDER_TESTS_HELD_PORT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* A TCP port of 127.0.0.1 that no other program draws while this one runs, also where the server on it comes
 * and goes; 0 = none. The server must set SO_REUSEADDR. A socket is bound to the port and stays so without
 * listening: the kernel gives such a port to nobody who asks for any, but lets in who names it and has the
 * option set. */
static inline uint16_t hold_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    const int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The option comes behind bind(): what has it before may be given a port that others with it have. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        return 0;
    }
    return ntohs(a.sin_port);
}

#endif
