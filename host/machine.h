/* The life of a board: power on, boot.py, code.py, waiting, REPL, reload, reset; CircuitPython's texts on
 * the way. Runs on the machine thread until it is told to stop.
 *
 *     machine_t m = { .board = board, .console = &console, .drive = "/home/me/project", .native = true };
 *     outcome = machine_run(&m);
 *
 * Threads: machine_run on one; the machine_ask_* functions and machine_phase from any. */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "adder/mcu.h"
#include "host/console.h"
#include "sim/sim.h"

typedef enum { MACHINE_BOOT, MACHINE_RUNNING, MACHINE_REPL, MACHINE_WAITING } machine_phase_t;

typedef struct {
    /* Set by the caller before machine_run(). */
    sim_board_t *board;
    console_t *console;
    struct web *web;     /* may be NULL */
    const char *drive;   /* absolute */
    const char *program; /* file of the drive that runs as code.py; NULL = CircuitPython's search */
    bool native;
    bool to_first_line; /* --for 0 */
    /* End when the program has ended and nothing more can be typed (asked after each run). */
    bool (*ends_when_done)(void *ctx);
    void *ctx;

    /* Read by anyone. */
    _Atomic machine_phase_t phase;
    _Atomic uint64_t code_started_ms; /* host's monotonic clock, first line of code.py; 0 = not yet */

    struct {
        atomic_bool stop, reset, reload;
        _Atomic int reset_why;
        _Atomic uint64_t changed_ms; /* last change of a file; 0 = none since the last run began */
        bool failed;                 /* the last run of code.py ended with an exception */
        bool safe_mode;
        bool said_press_key;
        bool first_run;
        char running[256]; /* what the status bar names */
    } priv;
} machine_t;

/* Until machine_ask_stop(), or as ends_when_done says. True: the last run of code.py ended without an
 * uncaught exception (or was still running). */
bool machine_run(machine_t *m);

void machine_ask_stop(machine_t *m);
void machine_ask_reset(machine_t *m, adder_reset_reason_t why);
void machine_ask_reload(machine_t *m);     /* as Ctrl-D at the prompt; breaks a running program */
void machine_file_changed(machine_t *m);   /* auto-reload, when it is on */
void machine_watchdog_fired(machine_t *m); /* "raise" mode */

uint64_t host_now_ms(void);

#endif
