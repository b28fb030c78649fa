/* The https server of tests/net/https_peer.py. */
#ifndef TESTS_NET_CHILD_H
#define TESTS_NET_CHILD_H

#include "tests/tls/child.h"

/* Python's https server with NAME.pem of tests/tls/certs.sh; NULL: plain http. */
static inline void peer_start(child_t *c, const char *name)
{
    char script[600], folder[300];
    assert_non_null(getcwd(folder, sizeof folder));
    (void)snprintf(script, sizeof script, "%s/tests/net/https_peer.py", folder);
    const char *argv[] = {"/usr/bin/python3", "-I", script, name, NULL};
    child_start(c, bench_folder[0] != '\0' ? bench_folder : "/tmp", argv, "port ");
}

#endif
