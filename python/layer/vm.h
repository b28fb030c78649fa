/* The life of an interpreter, for host/: start, run a file, interrupt from any thread, stop.
 *
 * One interpreter at a time in a process; all calls but vm_request() come from one thread (the
 * "machine" thread of host/). A run of code.py, boot.py or the REPL each gets a fresh one:
 *
 *     vm_start(&config);  outcome = vm_call("run_file", "/code.py");  vm_stop();
 *
 * What happens inside a run - finding files on the drive, CircuitPython's import rules, tracebacks,
 * the REPL - is Python: python/lib/adder_vm/, compiled into the program. vm_call() calls a function
 * of it.
 *
 * adder_vm stands on one built-in module of the VM, `_adder_vm`:
 *     drive: str, native: bool          of the config below
 *     board_id, board_name, chip_name: str   of the config's mcu
 *     writable() -> bool                vm_state()->drive_writable
 *     console_write(text: str | bytes)  lone surrogates are written as "?"
 *     console_read(n) -> bytes          what is there, never waits
 *     console_available() -> int
 *     interrupt_char(on: bool)          Ctrl-C on the console interrupts (a program runs) or is a
 *                                       character (the line editor reads)
 *     wait(seconds: float)              with background work; returns early on vm_wake()
 *     progress() -> int                 py_pump_progress()
 *     wait_news(seconds, progress)      the same, driving the pump; ends when progress() is another
 *     poll()                            background work and pending requests
 *     set_traceback(text: str | None)   vm_state()->previous_traceback
 *     Reload, Reset, Stop               BaseExceptions that requests raise (KeyboardInterrupt and
 *                                       watchdog.WatchDogTimeout are the other two)
 * vm_call() makes the outcome of what adder_vm's function raises: nothing = VM_DONE, KeyboardInterrupt
 * = VM_INTERRUPTED, SystemExit = VM_EXIT, the three above, any other = VM_EXCEPTION. adder_vm has
 * printed the traceback by then; only an error inside adder_vm itself (vm_call finds the exception
 * without the attribute `adder_printed`) is printed by vm_call. */
#ifndef ADDER_VM_H
#define ADDER_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adder/err.h"
#include "adder/mcu.h"

typedef struct {
    const adder_mcu_t *mcu;
    const char *drive; /* host folder that is the CIRCUITPY drive, "/" to the program */
    bool native;       /* false: --no-native, Adafruit's Python before our drop-ins */
    /* The serial console. Called on the machine thread. */
    void (*console_write)(void *ctx, const char *utf8, size_t len);
    size_t (*console_read)(void *ctx, char *out, size_t cap); /* what is there, never waits */
    size_t (*console_available)(void *ctx);
    void (*console_interrupt)(void *ctx, bool on); /* see interrupt_char above; on at the start of a run */
    void *ctx;
} vm_config_t;

typedef enum {
    VM_DONE,        /* ran to its end */
    VM_EXCEPTION,   /* uncaught, already printed */
    VM_EXIT,        /* SystemExit */
    VM_INTERRUPTED, /* Ctrl-C */
    VM_RELOAD,      /* supervisor.reload(), auto-reload, Ctrl-D */
    VM_RESET,       /* microcontroller.reset(), watchdog, the page's reset button */
    VM_STOPPED,     /* the process is to end */
} vm_outcome_t;

/* ---- what outlives a run: shared by host/, `supervisor`, `storage` and adder_vm ---- */

typedef enum {
    VM_RUN_STARTUP,
    VM_RUN_AUTO_RELOAD,
    VM_RUN_SUPERVISOR_RELOAD,
    VM_RUN_REPL_RELOAD
} vm_run_reason_t;

enum { /* vm_state_t.next_flags: the keywords of supervisor.set_next_code_file */
       VM_NEXT_RELOAD_ON_SUCCESS = 1,
       VM_NEXT_RELOAD_ON_ERROR = 2,
       VM_NEXT_STICKY_ON_SUCCESS = 4,
       VM_NEXT_STICKY_ON_ERROR = 8,
       VM_NEXT_STICKY_ON_RELOAD = 16,
};

typedef struct {
    bool booting;        /* boot.py runs: storage.remount() and the like are allowed */
    bool drive_writable; /* the program may write to the drive (storage.remount in boot.py) */
    bool autoreload;     /* supervisor.runtime.autoreload */
    bool serial_connected;
    bool status_bar_console, status_bar_display;
    vm_run_reason_t run_reason;
    const char *safe_mode_reason; /* name in supervisor.SafeModeReason: "NONE", "PROGRAMMATIC", ... */
    bool safe_mode_next;          /* microcontroller.on_next_reset(SAFE_MODE) */
    char next_file[256];          /* "" = the default search; as given, relative to next_dir */
    char next_dir[256];           /* "" = "/" */
    uint8_t next_flags;
    char *previous_traceback; /* malloc'ed, NULL = none */
} vm_state_t;

/* One for the process; host/ fills it before the first vm_start(). Machine thread only. */
vm_state_t *vm_state(void);
/* previous_traceback as it stood at vm_start(): what supervisor.get_previous_traceback() gives while
 * the run that began since writes its own. NULL = none; valid until the next vm_start(). */
const char *vm_previous_traceback(void);

/* ADDER_ERR_INTERNAL with the interpreter's message in `msg`. */
adder_err_t vm_start(const vm_config_t *config, char *msg, size_t msg_cap) ADDER_MUST_USE;
/* Call adder_vm.<function>(arg); arg NULL = none. The function's int result (if any) to *value_out. */
vm_outcome_t vm_call(const char *function, const char *arg, int *value_out);
/* Runs the modules' reset(), then ends the interpreter. Never fails; safe when not started. */
void vm_stop(void);

/* From any thread: break into what runs, at the next byte code or wait. The strongest pending
 * request wins (STOP > RESET > RELOAD > INTERRUPT). Stays pending if nothing runs; vm_clear() drops it. */
typedef enum { VM_REQ_INTERRUPT, VM_REQ_RELOAD, VM_REQ_WATCHDOG, VM_REQ_RESET, VM_REQ_STOP } vm_request_t;
void vm_request(vm_request_t what);
void vm_clear(void);
/* From any thread: wake a wait (console input arrived, a pin changed). */
void vm_wake(void);

#endif
