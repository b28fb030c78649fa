/* The firmware's modules and one of the test's own, `testnet`, whose `radio` is this computer's network; and
 * sockets for the other end. The test defines `testnet`; before, it includes <cmocka.h> and what a test alone
 * of this folder may know: ports/posix/net_posix.h and python/layer/test_vm.h. */
#ifndef TEST_RADIO_H
#define TEST_RADIO_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "python/modules/net_socket.h"

/* The table of all modules under another name, to add one. */
#define py_modules board_modules
extern const py_module_t *const board_modules[];
#include "python/modules/modules.c"
#undef py_modules

static const py_module_t testnet;

const py_module_t *const py_modules[] = {
#define ENTRY(name) &name##_module,
    MODULES(ENTRY)
#undef ENTRY
        & testnet,
    NULL,
};

/* ---- the radio ---- */

static net_stack_t stack;
static const py_class_t radio_class = {.module = "testnet", .name = "Radio", .size = 1};

/* Set by the test before a start(), or NULL: what its sockets go through, and what is changed of the whole.
 */
static const adder_posix_hooks_t *radio_hooks;
static void (*radio_change)(adder_net_t *net);

/* testnet's init and reset. */
static adder_posix_net_t posix;

static inline bool radio_up(py_t module)
{
    static adder_posix_sock_t slots[8];
    const adder_posix_net_config_t config = {.slots = slots, .n_slots = 8, .hooks = radio_hooks};
    if (adder_posix_net_init(&posix, &config) != ADDER_OK)
        return py_fail(py_raise(PY_OSError, "no sockets"));
    adder_net_t net = adder_posix_net(&posix);
    if (radio_change != NULL)
        radio_change(&net);
    net_stack_start(&stack, &net);
    socketpool_native(&radio_class, &stack);
    return py_attr_set(module, "radio", py_new(&radio_class, NULL));
}

static inline void radio_down(void)
{
    if (!stack.started)
        return;
    net_stack_stop(&stack);
    adder_posix_net_deinit(&posix);
}

/* ---- the other end: sockets of 127.0.0.1, open until the process ends ---- */

/* With a port of its own; `type` SOCK_STREAM or SOCK_DGRAM. */
static inline int bound(int type)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static inline int listener(int backlog)
{
    int fd = bound(SOCK_STREAM);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static inline uint16_t port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

/* A client of such a port; with `flags` SOCK_NONBLOCK on its way, else connected, -1 = it was refused. */
static inline int dial(uint16_t port, int flags)
{
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0 || flags != 0)
        return fd;
    close(fd);
    return -1;
}

/* A thread that goes on by itself. */
static inline void go(void *(*f)(void *), void *ctx)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, f, ctx), 0);
    pthread_detach(thread);
}

#endif
