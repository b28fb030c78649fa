/* The life of an interpreter, for host/: start, run a file, interrupt from any thread, stop.
 *
 * One interpreter at a time in a process; all calls but vm_request() come from one thread (the
 * "machine" thread of host/). A run of code.py, boot.py or the REPL each gets a fresh one:
 *
 *     vm_start(&config);  outcome = vm_call("run_file", "/code.py");  vm_stop();
 *
 * What happens inside a run - finding files on the drive, CircuitPython's import rules, tracebacks,
 * the REPL - is Python: python/lib/adder_vm/, compiled into the program. vm_call() calls a function
 * of it. */
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
    bool drive_writable;
    bool native; /* false: --no-native, Adafruit's Python before our drop-ins */
    /* The serial console. Called on the machine thread. */
    void (*console_write)(void *ctx, const char *utf8, size_t len);
    size_t (*console_read)(void *ctx, char *out, size_t cap); /* what is there, never waits */
    size_t (*console_available)(void *ctx);
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
