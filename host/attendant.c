#define _GNU_SOURCE
#include "host/attendant.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/keyboard.h"

#define CTRL_C 0x03
#define CTRL_X 0x18
#define TICK_MS 10 /* the board's own time: timeline, watchdog, chips */
#define QUIT_WITHIN_MS 1000
#define BOOT_GRACE_MS 10000

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

void attendant_block_signals(void)
{
    sigset_t set;
    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Ctrl-C while nothing runs: the second within a second quits. */
static void idle_ctrl_c(attendant_t *a)
{
    uint64_t now = host_now_ms();
    if (a->priv.ctrl_c_ms != 0 && now - a->priv.ctrl_c_ms < QUIT_WITHIN_MS) {
        machine_ask_stop(a->machine);
        return;
    }
    a->priv.ctrl_c_ms = now;
    console_say(a->machine->console, "nothing runs; Ctrl-C again (or Ctrl-X) quits");
}

static void typed(attendant_t *a, const char *bytes, size_t len)
{
    if (a->keyboard) {
        if (memchr(bytes, CTRL_X, len) != NULL) {
            machine_ask_stop(a->machine);
            return;
        }
        if (len == 1 && bytes[0] == CTRL_C && a->machine->phase == MACHINE_WAITING) {
            idle_ctrl_c(a);
            return;
        }
    }
    console_input(a->machine->console, bytes, len);
}

enum { INPUT_STEP = 1024 };

/* A pipe may hold more than the console: the rest stays there until the board has read. */
static bool has_room(const attendant_t *a)
{
    return CONSOLE_INPUT_MAX - console_available(a->machine->console) >= INPUT_STEP;
}

/* False: standard input is over. */
static bool read_input(attendant_t *a)
{
    char bytes[INPUT_STEP];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0)
        typed(a, bytes, (size_t)n);
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void take_signal(attendant_t *a)
{
    struct signalfd_siginfo info;
    if (read(a->priv.signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    a->quit_signal = (int)info.ssi_signo;
    machine_ask_stop(a->machine);
}

/* --for counts from the first line of code.py; a boot.py that never ends must not make it endless. */
static void check_limit(const attendant_t *a)
{
    if (a->for_s < 0)
        return;
    uint64_t code = a->machine->code_started_ms;
    uint64_t from = code != 0 ? code : a->priv.started_ms + BOOT_GRACE_MS;
    uint64_t now = host_now_ms();
    if (now >= from && (double)(now - from) >= a->for_s * 1000 && (code == 0 || a->for_s > 0))
        machine_ask_stop(a->machine);
}

static void *attend(void *arg)
{
    attendant_t *a = arg;
    enum { WAKE, SIGNALS, FILES, KEYS, COUNT };
    struct pollfd fds[COUNT] = {
        {.fd = a->priv.wake[0], .events = POLLIN},
        {.fd = a->priv.signals, .events = POLLIN},
        {.fd = a->priv.watch.fd, .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };
    for (;;) {
        fds[KEYS].fd = a->input_over || !has_room(a) ? -1 : STDIN_FILENO;
        if (poll(fds, COUNT, TICK_MS) < 0 && errno != EINTR)
            return NULL;
        if (fds[WAKE].revents != 0)
            return NULL;
        if (fds[SIGNALS].revents & POLLIN)
            take_signal(a);
        if (fds[FILES].revents & POLLIN && watch_changed(&a->priv.watch))
            machine_file_changed(a->machine);
        if (fds[KEYS].revents != 0 && !read_input(a)) {
            a->input_over = true;
            console_wake(a->machine->console);
        }
        sim_board_poll(a->machine->board);
        check_limit(a);
    }
}

bool attendant_start(attendant_t *a)
{
    sigset_t set;
    signal_set(&set);
    a->priv.started = false;
    a->priv.started_ms = host_now_ms();
    a->priv.wake[0] = a->priv.wake[1] = -1;
    a->priv.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    watch_open(&a->priv.watch, a->machine->drive); /* without it there is no auto-reload, no more */
    if (a->priv.signals < 0 || pipe2(a->priv.wake, O_CLOEXEC) != 0)
        return false;
    int err = pthread_create(&a->priv.thread, NULL, attend, a);
    if (err != 0) {
        errno = err;
        return false;
    }
    a->priv.started = true;
    return true;
}

void attendant_stop(attendant_t *a)
{
    if (a->priv.started) {
        ssize_t ignored = write(a->priv.wake[1], "x", 1);
        (void)ignored;
        pthread_join(a->priv.thread, NULL);
    }
    if (a->priv.signals >= 0)
        close(a->priv.signals);
    for (int i = 0; i < 2; i++)
        if (a->priv.wake[i] >= 0)
            close(a->priv.wake[i]);
    watch_close(&a->priv.watch);
}
