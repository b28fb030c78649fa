/* Addresses between adder/ip.h and this computer's sockets, and its error numbers as ours. */
#ifndef ADDER_POSIX_ADDRESS_H
#define ADDER_POSIX_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "adder/err.h"
#include "adder/ip.h"

/* IPv4-mapped addresses become IPv4. False for other families. */
bool posix_endpoint(const struct sockaddr *from, socklen_t len, adder_endpoint_t *out);
/* For a socket of `family` (AF_INET, AF_INET6): IPv4 becomes IPv4-mapped on the latter, NONE every address.
 * 0 = does not fit this family. */
socklen_t posix_sockaddr(const adder_endpoint_t *from, int family, struct sockaddr_storage *out);

/* errno as the seam has it; ADDER_ERR_IO for what it has no word for. */
adder_err_t posix_err(int number);

#endif
