/* The board's serial console, shared by whoever looks at it: the terminal adder was started in, the web
 * page, the display.
 *
 *     console_init(&c, STDOUT_FILENO);
 *     console_input(&c, "print(1)\r", 9);          // any thread: typed somewhere
 *     console_write(&c, "hello\n", 6);             // machine thread: the board prints
 *     console_deinit(&c);
 *
 * Output is cooked as a board does: a lone LF becomes CR LF on the wire (terminal, page, display). A
 * pipe or file gets plain text instead: LF alone, no terminal titles.
 * Input waits in a ring of CONSOLE_INPUT_MAX bytes; what does not fit is dropped, as on a serial line.
 * Ctrl-C is an interrupt while a program runs and a character while the line editor reads.
 *
 * Threads: console_input, console_wait's wake-up and console_say from any; all else machine thread. */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_INPUT_MAX 65536
/* What boot.py may print into boot_out.txt. */
#define CONSOLE_CAPTURE_MAX 65536

struct web;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *input; /* ring */
    size_t input_at, input_len;
    bool interrupts; /* Ctrl-C is an interrupt */
    bool woken;

    int out_fd;
    bool out_is_terminal;
    bool out_gone; /* the reader closed the pipe */
    bool at_line_start;
    char last;
    enum { CONSOLE_TEXT, CONSOLE_ESC, CONSOLE_TITLE, CONSOLE_TITLE_ESC } filter; /* of plain output */

    struct web *web; /* NULL = no page */
    bool display;    /* the board has one: display_board_console() */
    char *capture;   /* boot.py's output; NULL = not capturing */
    size_t capture_len;
} console_t;

bool console_init(console_t *c, int out_fd); /* false: out of memory */
void console_deinit(console_t *c);

/* Bytes typed. 0x03 interrupts the program (vm_request) or is queued, see above. */
void console_input(console_t *c, const char *bytes, size_t len);
void console_set_interrupts(console_t *c, bool on);
size_t console_read(console_t *c, char *out, size_t cap);
size_t console_available(console_t *c);
void console_drop_input(console_t *c);

/* Sleep until input, console_wake() or the time is over. */
void console_wait(console_t *c, uint32_t timeout_ms);
void console_wake(console_t *c);

void console_write(console_t *c, const char *bytes, size_t len);
void console_print(console_t *c, const char *text);
/* A terminal title: the status bar. Not sent to a pipe. */
void console_title(console_t *c, const char *text);
/* Between these, output goes into memory and not to the console. end: the text, caller frees. */
void console_capture_begin(console_t *c);
char *console_capture_end(console_t *c);

/* A line of adder's own, on stderr, in front of which a half-written console line is ended. */
void console_say(console_t *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
