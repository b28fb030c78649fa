/* The broker, as a process that can be killed: mosquitto with its persistence on, or the strict one.
 *
 * The strict one lives in a child whose memory is lost when it dies but for a page shared with the test,
 * where it keeps its state in two copies and a word that says which of them counts. */
#define _GNU_SOURCE /* accept4() */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos.h"

enum { CONNS = STRICT_CONNS };
enum { BEFORE_KEEP, AFTER_KEEP, WITHIN_WRITE, AFTER_WRITE };
const char *const death_names[DEATHS] = {"before keeping", "behind keeping", "within a packet",
                                         "behind a packet"};

struct strict_shared {
    volatile uint32_t active;
    volatile uint32_t die_at, die_in; /* a place, and how often until it dies there; 0 = it does not */
    uint32_t deaths[DEATHS];
    strict_kept_t copies[2];
};

int listen_on(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0) {
        fail("port %u cannot be listened on: %s", port, strerror(errno));
    }
    return fd;
}

/* ---- the strict one, in its process ---- */

static struct strict_shared *shared;
static strict_broker_t *strict;

static bool due(unsigned place)
{
    return shared->die_at == place && shared->die_in > 0 && --shared->die_in == 0;
}

static void die(unsigned place)
{
    shared->deaths[place]++;
    raise(SIGKILL);
}

static bool keep(void *ctx)
{
    (void)ctx;
    if (due(BEFORE_KEEP)) {
        die(BEFORE_KEEP);
    }
    const uint32_t other = 1 - shared->active;
    shared->copies[other] = strict->kept;
    __sync_synchronize();
    shared->active = other; /* from here on it is kept */
    if (due(AFTER_KEEP)) {
        die(AFTER_KEEP);
    }
    return true;
}

static void write_some(int fd, strict_conn_t *c)
{
    const bool dies = due(WITHIN_WRITE);
    const ssize_t n = send(fd, c->out, dies ? (c->out_len + 1) / 2 : c->out_len, MSG_NOSIGNAL);
    if (dies) {
        die(WITHIN_WRITE);
    }
    if (n > 0) {
        memmove(c->out, c->out + n, c->out_len - (size_t)n);
        c->out_len -= (size_t)n;
        if (due(AFTER_WRITE)) {
            die(AFTER_WRITE);
        }
    } else if (n < 0 && errno != EAGAIN) {
        c->open = false;
        c->out_len = 0;
    }
}

/* A turn of a connection. False: it is over. */
static bool serve(int fd, unsigned at, short events)
{
    strict_conn_t *c = &strict->conns[at];
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && c->open) {
        uint8_t bytes[STRICT_IN];
        const ssize_t n = recv(fd, bytes, sizeof c->in - c->in_len, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            c->open = false;
            c->out_len = 0;
        } else if (n > 0) {
            strict_take(strict, at, bytes, (size_t)n);
        }
    }
    if (c->open) {
        strict_take(strict, at, NULL, 0);
    }
    if (c->out_len > 0) {
        write_some(fd, c);
    }
    return c->open || c->out_len > 0;
}

static void serve_all(uint16_t port)
{
    int fds[CONNS];
    const int listener = listen_on(port);
    memset(fds, -1, sizeof fds);
    for (;;) {
        struct pollfd polled[CONNS + 1];
        for (unsigned i = 0; i < CONNS; i++) {
            const strict_conn_t *c = &strict->conns[i];
            const bool in = c->open && c->in_len < sizeof c->in;
            polled[i] = (struct pollfd){
                .fd = fds[i], .events = (short)((in ? POLLIN : 0) | (c->out_len > 0 ? POLLOUT : 0))};
        }
        polled[CONNS] = (struct pollfd){.fd = listener, .events = POLLIN};
        poll(polled, CONNS + 1, 1000);
        /* All of them each time: a message of one is for another. */
        for (unsigned i = 0; i < CONNS; i++) {
            if (fds[i] >= 0 && !serve(fds[i], i, polled[i].revents)) {
                close(fds[i]);
                fds[i] = -1;
                strict->conns[i].session = NULL;
            }
        }
        for (unsigned i = 0; (polled[CONNS].revents & POLLIN) != 0 && i < CONNS; i++) {
            if (fds[i] < 0 && (fds[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                strict_accept(strict, i);
                break;
            }
        }
    }
}

static void be_strict(const broker_t *b)
{
    shared = b->shared;
    strict = calloc(1, sizeof *strict);
    if (strict == NULL) {
        _exit(1);
    }
    strict->kept = shared->copies[shared->active];
    strict->keep = keep;
    serve_all(b->port);
}

static void be_mosquitto(const broker_t *b)
{
    char config[64], log[64];
    snprintf(config, sizeof config, "%s/c", b->folder);
    snprintf(log, sizeof log, "%s/log", b->folder);
    if (freopen("/dev/null", "w", stdout) == NULL || freopen(log, "a", stderr) == NULL) {
        _exit(126);
    }
    const char *program = getenv("MOSQUITTO");
    execl(program != NULL ? program : "/usr/sbin/mosquitto", "mosquitto", "-c", config, (char *)NULL);
    _exit(127);
}

/* ---- as a process ---- */

static broker_t *to_remove; /* also where the test ends early */
static pid_t owner;

static void remove_at_exit(void)
{
    if (to_remove != NULL && getpid() == owner) {
        broker_remove(to_remove);
    }
}

void broker_init(broker_t *b, bool is_strict)
{
    *b = (broker_t){.strict = is_strict, .port = hold_port(), .pid = -1};
    /* What a process has written outlives its end anywhere: no need of a disk, and its syncs are slow. */
    snprintf(b->folder, sizeof b->folder, "%s/adder_chaos_XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(b->folder) == NULL) {
        fail("no folder for the broker");
    }
    b->shared = mmap(NULL, sizeof *b->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b->shared == MAP_FAILED) {
        fail("no memory");
    }
    if (owner == 0) {
        owner = getpid();
        atexit(remove_at_exit);
    }
    to_remove = b;
    char path[64];
    snprintf(path, sizeof path, "%s/c", b->folder);
    FILE *f = fopen(path, "w");
    if (f == NULL) {
        fail("no configuration for mosquitto");
    }
    fprintf(f,
            "allow_anonymous true\nlistener %u 127.0.0.1\npersistence true\npersistence_location %s/\n"
            "autosave_on_changes true\nautosave_interval 1\nmax_queued_messages 0\nlog_type error\n"
            "log_type warning\nlog_type notice\nlog_dest stderr\nset_tcp_nodelay true\n%s",
            b->port, b->folder, getuid() == 0 ? "user root\n" : "");
    fclose(f);
}

void broker_reset(broker_t *b)
{
    static const char *const names[] = {"mosquitto.db", "mosquitto.db.new", "log", "store"};
    broker_end(b, SIGKILL);
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", b->folder, names[i]);
        unlink(path);
    }
    memset(b->shared->copies, 0, sizeof b->shared->copies);
    b->shared->die_in = 0;
}

void broker_start(broker_t *b)
{
    b->shared->die_in = 0;
    fflush(stdout); /* a child must not print it again */
    b->pid = fork();
    if (b->pid < 0) {
        fail("no process for the broker");
    }
    if (b->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int fd = 3; fd < 256; fd++) { /* the test's own sockets must not live on here */
            close(fd);
        }
        if (b->strict) {
            be_strict(b);
        } else {
            be_mosquitto(b);
        }
    }
}

void broker_signal(broker_t *b, int signal)
{
    if (b->pid > 0) {
        kill(b->pid, signal);
    }
}

void broker_end(broker_t *b, int signal)
{
    if (b->pid > 0) {
        kill(b->pid, signal);
        waitpid(b->pid, NULL, 0);
        b->pid = -1;
    }
}

bool broker_runs(broker_t *b)
{
    if (b->pid > 0 && waitpid(b->pid, NULL, WNOHANG) == b->pid) {
        b->pid = -1;
    }
    return b->pid > 0;
}

void broker_dies(broker_t *b, unsigned place, uint32_t n)
{
    b->shared->die_at = place;
    b->shared->die_in = n;
}

const char *broker_complaint(const broker_t *b)
{
    return b->shared->copies[b->shared->active].why;
}

const uint32_t *broker_deaths(const broker_t *b)
{
    return b->shared->deaths;
}

void broker_remove(broker_t *b)
{
    char path[64];
    broker_reset(b);
    snprintf(path, sizeof path, "%s/c", b->folder);
    unlink(path);
    rmdir(b->folder);
    munmap(b->shared, sizeof *b->shared);
    to_remove = NULL;
}
