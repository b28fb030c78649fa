/* Who listens on a TCP port of this machine, for the message that it is taken. Linux' /proc. */
#ifndef HOST_PORT_OWNER_H
#define HOST_PORT_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "mosquitto (process 123)" into out. False: nobody, or a process of another user that we may not see. */
bool port_owner(uint16_t port, char *out, size_t cap);

#endif
