#include "host/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/web.h"
#include "python/layer/vm.h"
#include "python/modules/display_board.h"

#define TAG "10.0.0+adder"
#define DATE "2025-10-09"
#define CTRL_D 0x04
#define RELOAD_QUIET_MS 750 /* after the last write */

uint64_t host_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* ---- asked from other threads ---- */

static void ask(machine_t *m, vm_request_t what)
{
    vm_request(what);
    console_wake(m->console);
}

void machine_ask_stop(machine_t *m)
{
    m->priv.stop = true;
    ask(m, VM_REQ_STOP);
}

void machine_ask_reset(machine_t *m, adder_reset_reason_t why)
{
    m->priv.reset_why = (int)why;
    m->priv.reset = true;
    ask(m, VM_REQ_RESET);
}

void machine_ask_reload(machine_t *m)
{
    m->priv.reload = true;
    ask(m, VM_REQ_RELOAD);
}

void machine_file_changed(machine_t *m)
{
    /* The REPL suspends auto-reload, and so does a program that owns the drive: on a board the PC
     * cannot write then. */
    const vm_state_t *state = vm_state();
    if (!__atomic_load_n(&state->autoreload, __ATOMIC_RELAXED) ||
        __atomic_load_n(&state->drive_writable, __ATOMIC_RELAXED))
        return;
    machine_phase_t phase = m->phase;
    if (phase == MACHINE_REPL || phase == MACHINE_BOOT)
        return;
    m->priv.changed_ms = host_now_ms();
    ask(m, VM_REQ_RELOAD);
}

void machine_watchdog_fired(machine_t *m)
{
    ask(m, VM_REQ_WATCHDOG);
}

/* ---- small things ---- */

static void set_phase(machine_t *m, machine_phase_t phase, const char *program)
{
    static const char *const names[] = {"boot", "running", "repl", "waiting"};
    m->phase = phase;
    web_set_program(m->web, names[phase], program);
}

/* "\U0001F40D" is the snake that serial terminals of CircuitPython show in their title. */
static void status_bar(machine_t *m, const char *field)
{
    if (!vm_state()->status_bar_console)
        return;
    char text[280];
    snprintf(text, sizeof text, "\xF0\x9F\x90\x8D%.200s | " TAG, field);
    console_title(m->console, text);
}

/* "3@code.py ValueError", from the last lines of a traceback. */
static void status_of_error(machine_t *m)
{
    char field[200] = "Done";
    const char *text = vm_state()->previous_traceback;
    const char *file = NULL, *type = NULL;
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, "  File \"", 8) == 0)
            file = line + 8;
        else if (*line != ' ' && *line != '\n' && strncmp(line, "Traceback ", 10) != 0)
            type = line;
        const char *end = strchr(line, '\n');
        line = end == NULL ? NULL : end + 1;
    }
    int number = 0;
    char name[80];
    if (file != NULL && type != NULL && sscanf(file, "%79[^\"]\", line %d", name, &number) == 2)
        snprintf(field, sizeof field, "%d@%s %.*s", number, name, (int)strcspn(type, ":\n"), type);
    status_bar(m, field);
}

static bool is_file(const machine_t *m, const char *name)
{
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", m->drive, name);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void vm_console_write(void *ctx, const char *utf8, size_t len)
{
    console_write(((machine_t *)ctx)->console, utf8, len);
}

static size_t vm_console_read(void *ctx, char *out, size_t cap)
{
    return console_read(((machine_t *)ctx)->console, out, cap);
}

static size_t vm_console_available(void *ctx)
{
    return console_available(((machine_t *)ctx)->console);
}

static void vm_console_interrupt(void *ctx, bool on)
{
    console_set_interrupts(((machine_t *)ctx)->console, on);
}

/* One interpreter from start to end. `reloads`: a change of a file since priv.changed_ms was cleared
 * ends it. */
static vm_outcome_t run_vm(machine_t *m, const char *function, const char *arg, bool reloads)
{
    vm_config_t config = {
        .mcu = sim_board_mcu(m->board),
        .drive = m->drive,
        .native = m->native,
        .console_write = vm_console_write,
        .console_read = vm_console_read,
        .console_available = vm_console_available,
        .console_interrupt = vm_console_interrupt,
        .ctx = m,
    };
    /* Requests for what ran before are void; those that arrived for us meanwhile are not. */
    vm_clear();
    if (m->priv.stop)
        vm_request(VM_REQ_STOP);
    else if (m->priv.reset)
        vm_request(VM_REQ_RESET);
    else if (reloads && (m->priv.reload || m->priv.changed_ms != 0))
        vm_request(VM_REQ_RELOAD);

    char msg[512];
    if (vm_start(&config, msg, sizeof msg) != ADDER_OK) {
        console_say(m->console, "Python does not start: %s", msg);
        m->priv.failed = true;
        machine_ask_stop(m);
        return VM_STOPPED;
    }
    display_board_run_begins();
    vm_outcome_t outcome = vm_call(function, arg, NULL);
    console_set_interrupts(m->console, false);
    display_board_paint_last();
    vm_stop();
    display_board_run_ended();
    return outcome;
}

/* ---- boot ---- */

static void write_boot_out(machine_t *m, const char *text)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/boot_out.txt", m->drive);
    if (n <= 0 || (size_t)n >= sizeof path)
        return;
    size_t len = strlen(text), at = 0;
    FILE *f = fopen(path, "rb");
    if (f != NULL) { /* rewritten only when it differs: flash wears, and editors notice */
        int c;
        while ((c = fgetc(f)) != EOF && at < len && c == (unsigned char)text[at])
            at++;
        bool same = c == EOF && at == len;
        fclose(f);
        if (same)
            return;
    }
    f = fopen(path, "wb");
    if (f == NULL)
        return; /* a folder that may not be written: nothing else depends on it */
    fwrite(text, 1, len, f);
    fclose(f);
}

static void boot(machine_t *m)
{
    const adder_mcu_t *mcu = sim_board_mcu(m->board);
    vm_state_t *state = vm_state();
    state->booting = true;
    state->drive_writable = false;
    state->autoreload = !m->priv.safe_mode;
    state->serial_connected = true;
    state->status_bar_console = state->status_bar_display = true;
    state->run_reason = VM_RUN_STARTUP;
    state->safe_mode_reason = m->priv.safe_mode ? "PROGRAMMATIC" : "NONE";
    state->safe_mode_next = false;
    state->next_file[0] = '\0';
    set_phase(m, MACHINE_BOOT, "boot.py");

    const char *name = is_file(m, "boot.py") ? "boot.py" : is_file(m, "boot.txt") ? "boot.txt" : NULL;
    if (name != NULL && !m->priv.safe_mode) {
        char head[512];
        int n = snprintf(head, sizeof head,
                         "Adafruit CircuitPython " TAG " on " DATE "; %s with %s\r\nBoard ID:%s\r\n",
                         mcu->board_name, mcu->chip_name, mcu->board_id);
        for (size_t i = 0; n > 0 && (size_t)n < sizeof head - 8 && i < mcu->uid_len; i++)
            n += snprintf(head + n, sizeof head - (size_t)n, "%s%02X", i == 0 ? "UID:" : "", mcu->uid[i]);
        console_capture_begin(m->console);
        console_print(m->console, head);
        console_print(m->console, "\nboot.py output:\n");
        vm_outcome_t outcome = run_vm(m, "run_file", name, false);
        char *text = console_capture_end(m->console);
        if (text != NULL)
            write_boot_out(m, text);
        free(text);
        if (outcome == VM_EXCEPTION)
            console_say(m->console, "%s ended with an error; its output is in %s/boot_out.txt", name,
                        m->drive);
    }
    state->booting = false;
}

/* ---- code.py ---- */

/* File to run next into `name`; false: there is none. */
static bool find_code(machine_t *m, char *name, size_t cap)
{
    static const char *const plain[] = {"code.txt", "code.py", "main.py", "main.txt"};
    static const char *const doubled[] = {"code.txt.py", "code.py.txt", "code.txt.txt", "code.py.py",
                                          "main.txt.py", "main.py.txt", "main.txt.txt", "main.py.py"};
    if (m->program != NULL && is_file(m, m->program)) {
        snprintf(name, cap, "%s", m->program);
        return true;
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (is_file(m, plain[i])) {
            snprintf(name, cap, "%s", plain[i]);
            return true;
        }
    for (size_t i = 0; i < sizeof doubled / sizeof *doubled; i++)
        if (is_file(m, doubled[i])) {
            console_print(m->console, "WARNING: Your code filename has two extensions\n");
            snprintf(name, cap, "%s", doubled[i]);
            return true;
        }
    return false;
}

/* What supervisor.set_next_code_file() asked for, taken out of the state so that a new wish shows. */
typedef struct {
    char file[sizeof((vm_state_t *)0)->next_file], dir[sizeof((vm_state_t *)0)->next_dir];
    uint8_t flags;
} next_code_t;

static next_code_t take_next(void)
{
    vm_state_t *state = vm_state();
    next_code_t next = {.flags = state->next_flags};
    memcpy(next.file, state->next_file, sizeof next.file);
    memcpy(next.dir, state->next_dir, sizeof next.dir);
    state->next_file[0] = state->next_dir[0] = '\0';
    state->next_flags = 0;
    return next;
}

static void keep_next(const next_code_t *next)
{
    vm_state_t *state = vm_state();
    if (state->next_file[0] != '\0')
        return; /* the program made a new wish: the last call wins */
    memcpy(state->next_file, next->file, sizeof next->file);
    memcpy(state->next_dir, next->dir, sizeof next->dir);
    state->next_flags = next->flags;
}

/* The file of the wish into name[512] (folder and file, from "/"); false and a word on the console
 * when it is not there. */
static bool next_name(machine_t *m, const next_code_t *next, char *name, size_t cap)
{
    if (next->file[0] == '\0')
        return false;
    const char *dir = next->dir[0] != '\0' ? next->dir : "/";
    if (next->file[0] == '/')
        snprintf(name, cap, "%s", next->file);
    else
        snprintf(name, cap, "%s%s%s", dir[0] == '/' && dir[1] == '\0' ? "" : dir,
                 dir[0] == '/' && dir[1] == '\0' ? "" : "/", next->file);
    if (is_file(m, name))
        return true;
    console_print(m->console, next->file);
    console_print(m->console, " not found.\n");
    return false;
}

static void say_autoreload(machine_t *m)
{
    console_print(
        m->console,
        vm_state()->autoreload
            ? "\nAuto-reload is on. Simply save files over USB to run them or enter REPL to disable.\n"
            : "\nAuto-reload is off.\n");
    if (m->priv.safe_mode)
        console_print(m->console, "Running in safe mode! Not running saved code.\n\n"
                                  "You are in safe mode because:\n"
                                  "The `microcontroller` module was used to boot into safe mode.\n"
                                  "Press reset to exit safe mode.\n");
}

/* Run code.py. True: run again without waiting for a key. */
static bool run_code(machine_t *m)
{
    vm_state_t *state = vm_state();
    say_autoreload(m);
    m->priv.failed = false;
    m->priv.changed_ms = 0;
    m->priv.reload = false;
    if (m->priv.safe_mode)
        return false;

    next_code_t next = take_next();
    char name[600];
    if (!next_name(m, &next, name, sizeof name) && !find_code(m, name, sizeof name)) {
        console_say(m->console, "no code.py (or main.py, code.txt, main.txt) in %s; the board waits for one",
                    m->drive);
        return false;
    }
    const char *shown = name[0] == '/' && strrchr(name, '/') == name ? name + 1 : name;
    snprintf(m->priv.running, sizeof m->priv.running, "%.255s", shown);
    status_bar(m, shown);
    console_print(m->console, shown);
    console_print(m->console, " output:\n");
    set_phase(m, MACHINE_RUNNING, shown);
    sim_board_timeline_start(m->board);
    if (m->code_started_ms == 0)
        m->code_started_ms = host_now_ms();
    vm_outcome_t outcome = run_vm(m, m->to_first_line ? "run_to_first_line" : "run_file", name, true);
    if (m->to_first_line)
        machine_ask_stop(m);
    set_phase(m, MACHINE_WAITING, shown);

    bool reload = outcome == VM_RELOAD, error = outcome == VM_EXCEPTION;
    m->priv.failed = error;
    if (outcome == VM_STOPPED || outcome == VM_RESET)
        return false;
    console_print(m->console, reload && m->priv.changed_ms != 0
                                  ? "\nCode stopped by auto-reload. Reloading soon.\n"
                                  : "\nCode done running.\n");
    if (error)
        status_of_error(m);
    else
        status_bar(m, "Done");
    uint8_t sticky = reload  ? VM_NEXT_STICKY_ON_RELOAD
                     : error ? VM_NEXT_STICKY_ON_ERROR
                             : VM_NEXT_STICKY_ON_SUCCESS;
    uint8_t again = error ? VM_NEXT_RELOAD_ON_ERROR : VM_NEXT_RELOAD_ON_SUCCESS;
    if (next.flags & sticky)
        keep_next(&next);
    if (reload) {
        state->run_reason = m->priv.changed_ms != 0 ? VM_RUN_AUTO_RELOAD : VM_RUN_SUPERVISOR_RELOAD;
        return true;
    }
    if (outcome != VM_INTERRUPTED && (next.flags & again)) {
        state->run_reason = VM_RUN_SUPERVISOR_RELOAD;
        return true;
    }
    return false;
}

/* ---- between runs ---- */

static bool must_leave(const machine_t *m)
{
    return m->priv.stop || m->priv.reset;
}

/* Sleep while nothing runs; the display is refreshed by us then. */
static void doze(machine_t *m, uint32_t at_most_ms)
{
    uint64_t now_us = sim_board_now_us(m->board);
    uint64_t due_us = display_board_poll(now_us);
    uint64_t left_ms = due_us <= now_us ? 1 : (due_us - now_us) / 1000 + 1;
    console_wait(m->console, left_ms < at_most_ms ? (uint32_t)left_ms : at_most_ms);
}

/* Editors write a file in several steps: wait until it is quiet. */
static void settle(machine_t *m)
{
    uint64_t changed;
    while (!must_leave(m) && (changed = m->priv.changed_ms) != 0) {
        uint64_t quiet = host_now_ms() - changed;
        if (quiet >= RELOAD_QUIET_MS)
            break;
        doze(m, (uint32_t)(RELOAD_QUIET_MS - quiet));
    }
}

typedef enum { NEXT_RUN, NEXT_REPL, NEXT_LEAVE } next_t;

static next_t wait_for_key(machine_t *m)
{
    if (!m->priv.said_press_key)
        console_print(m->console, "\nPress any key to enter the REPL. Use CTRL-D to reload.\n");
    m->priv.said_press_key = true;
    set_phase(m, MACHINE_WAITING, m->priv.running);
    while (!must_leave(m)) {
        char key;
        if (console_read(m->console, &key, 1) == 1) {
            if (key != CTRL_D)
                return NEXT_REPL;
            vm_state()->run_reason = VM_RUN_REPL_RELOAD;
            return NEXT_RUN;
        }
        if (m->priv.reload) {
            vm_state()->run_reason = VM_RUN_SUPERVISOR_RELOAD;
            return NEXT_RUN;
        }
        if (m->priv.changed_ms != 0) {
            vm_state()->run_reason = VM_RUN_AUTO_RELOAD;
            return NEXT_RUN;
        }
        if (m->ends_when_done != NULL && m->ends_when_done(m->ctx)) {
            machine_ask_stop(m); /* at once: the display still shows what the program left on it */
            break;
        }
        doze(m, 250);
    }
    return NEXT_LEAVE;
}

static void repl(machine_t *m)
{
    m->priv.said_press_key = false;
    status_bar(m, "REPL");
    set_phase(m, MACHINE_REPL, "REPL");
    vm_outcome_t outcome = run_vm(m, "run_repl", NULL, false);
    vm_state()->run_reason = outcome == VM_RELOAD ? VM_RUN_SUPERVISOR_RELOAD : VM_RUN_REPL_RELOAD;
}

static void run_until_reset(machine_t *m)
{
    m->priv.first_run = true;
    while (!must_leave(m)) {
        if (!m->priv.first_run) {
            settle(m);
            if (must_leave(m))
                break;
            console_print(m->console, "soft reboot\n");
        }
        m->priv.first_run = false;
        if (run_code(m) || must_leave(m))
            continue;
        if (wait_for_key(m) == NEXT_REPL)
            repl(m);
    }
}

bool machine_run(machine_t *m)
{
    while (!m->priv.stop) {
        boot(m);
        if (!must_leave(m))
            run_until_reset(m);
        if (m->priv.stop || !m->priv.reset)
            break;
        bool safe = vm_state()->safe_mode_next;
        adder_reset_reason_t why = (adder_reset_reason_t)m->priv.reset_why;
        m->priv.reset = false;
        m->priv.said_press_key = false;
        m->priv.safe_mode = safe;
        console_print(m->console, "\n");
        console_say(m->console, "the board resets%s", why == ADDER_RESET_WATCHDOG ? " (watchdog)" : "");
        display_board_stop();
        sim_board_reset(m->board, why);
        if (display_board_start(sim_board_mcu(m->board), NULL) != ADDER_OK)
            console_say(m->console, "the display does not start");
    }
    return !m->priv.failed;
}
