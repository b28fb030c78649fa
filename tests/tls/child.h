/* A peer that is another process: started, listened to, stopped. It dies with the test. */
#ifndef TESTS_TLS_CHILD_H
#define TESTS_TLS_CHILD_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tls/testing.h"

typedef struct {
    pid_t pid;
    int in, out; /* its input, and its output with its errors */
    uint16_t port;
    char text[1 << 15];
    size_t len;
} child_t;

/* False: it has closed its output. */
static inline bool child_hear(child_t *c, int wait_ms)
{
    struct pollfd p = {.fd = c->out, .events = POLLIN};
    if (poll(&p, 1, wait_ms) <= 0) {
        return true;
    }
    if (c->len > sizeof c->text / 2) { /* the beginning has been read */
        memmove(c->text, c->text + c->len / 2, c->len - c->len / 2 + 1);
        c->len -= c->len / 2;
    }
    const ssize_t n = read(c->out, c->text + c->len, sizeof c->text - 1 - c->len);
    if (n > 0) {
        c->len += (size_t)n;
        c->text[c->len] = '\0';
    }
    return n > 0;
}

static inline const char *child_wait_for(child_t *c, const char *words)
{
    const char *at;
    for (unsigned i = 0; (at = strstr(c->text, words)) == NULL && i < 600; i++) {
        if (!child_hear(c, 100)) {
            break;
        }
    }
    if (at == NULL) {
        fail_msg("the peer did not say \"%s\" but: %s", words, c->text);
    }
    return at;
}

/* Started in `folder`; its port is the number behind `mark` in what it says. */
static inline void child_start(child_t *c, const char *folder, const char *const *argv, const char *mark)
{
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    for (size_t i = 0; i < 2; i++) { /* other children would keep them open */
        assert_int_equal(fcntl(in[i], F_SETFD, FD_CLOEXEC), 0);
        assert_int_equal(fcntl(out[i], F_SETFD, FD_CLOEXEC), 0);
    }
    memset(c, 0, sizeof *c);
    c->in = in[1];
    c->out = out[0];
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        if (chdir(folder) == 0) {
            execvp(argv[0], (char *const *)(uintptr_t)argv);
        }
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    if (mark == NULL) {
        return;
    }
    const char *at = child_wait_for(c, mark);
    while (strchr(at, '\n') == NULL) {
        assert_true(child_hear(c, 1000));
        at = strstr(c->text, mark);
    }
    c->port = (uint16_t)strtoul(at + strlen(mark), NULL, 10);
    assert_true(c->port != 0);
}

static inline int child_stop(child_t *c, bool kill_it)
{
    int status = 0;
    close(c->in);
    if (kill_it) {
        kill(c->pid, SIGTERM);
    }
    while (child_hear(c, 20000)) {
    }
    waitpid(c->pid, &status, 0);
    close(c->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
