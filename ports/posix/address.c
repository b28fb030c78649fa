#include "ports/posix/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

bool posix_endpoint(const struct sockaddr *from, socklen_t len, adder_endpoint_t *out)
{
    if (len >= sizeof(struct sockaddr_in) && from->sa_family == AF_INET) {
        struct sockaddr_in a;
        memcpy(&a, from, sizeof a);
        *out = (adder_endpoint_t){.ip = {.family = ADDER_IP_V4}, .port = ntohs(a.sin_port)};
        memcpy(out->ip.bytes, &a.sin_addr, 4);
        return true;
    }
    if (len >= sizeof(struct sockaddr_in6) && from->sa_family == AF_INET6) {
        struct sockaddr_in6 a;
        memcpy(&a, from, sizeof a);
        adder_ip_t ip = {.family = ADDER_IP_V6};
        memcpy(ip.bytes, &a.sin6_addr, 16);
        if (adder_ip_is_link_local(&ip))
            ip.zone = a.sin6_scope_id;
        *out = (adder_endpoint_t){.ip = adder_ip_unmap(&ip), .port = ntohs(a.sin6_port)};
        return true;
    }
    return false;
}

socklen_t posix_sockaddr(const adder_endpoint_t *from, int family, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (family == AF_INET && from->ip.family != ADDER_IP_V6) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(from->port)};
        memcpy(&a.sin_addr, from->ip.bytes, 4); /* NONE is all zero */
        memcpy(out, &a, sizeof a);
        return sizeof a;
    }
    if (family == AF_INET6) {
        struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(from->port)};
        if (from->ip.family == ADDER_IP_V4) {
            static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
            memcpy(&a.sin6_addr, mapped, 12);
            memcpy((uint8_t *)&a.sin6_addr + 12, from->ip.bytes, 4);
        } else {
            memcpy(&a.sin6_addr, from->ip.bytes, 16);
            a.sin6_scope_id = from->ip.zone;
        }
        memcpy(out, &a, sizeof a);
        return sizeof a;
    }
    return 0;
}

adder_err_t posix_err(int number)
{
    switch (number) {
    case 0:
        return ADDER_OK;
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
    case EINPROGRESS:
    case EALREADY:
        return ADDER_ERR_AGAIN;
    case ECONNREFUSED:
        return ADDER_ERR_REFUSED;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
        return ADDER_ERR_CLOSED;
    case ETIMEDOUT:
        return ADDER_ERR_TIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EADDRNOTAVAIL:
        return ADDER_ERR_NOT_FOUND;
    case EADDRINUSE:
    case EACCES: /* of bind: a low port */
        return ADDER_ERR_IN_USE;
    case EMSGSIZE:
        return ADDER_ERR_NOSPACE;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ADDER_ERR_NOMEM;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
    case EOPNOTSUPP:
    case ENOPROTOOPT:
        return ADDER_ERR_UNSUPPORTED;
    case EINVAL:
        return ADDER_ERR_ARG;
    case EBADF:
    case ENOTSOCK:
    case EISCONN:
        return ADDER_ERR_STATE;
    default:
        return ADDER_ERR_IO;
    }
}
