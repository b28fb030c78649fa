/* The built-in display (board.DISPLAY) as host/ and the `board` module see it.
 *
 *     display_board_start(mcu);                    // once, before the first VM: brings the panel up
 *     vm_start(...);  display_board_run_begins();  vm_call(...);  vm_stop();  display_board_run_ended();
 *     display_board_console("Code done running.\r\n", 20);
 *     due = display_board_poll(now_us);            // between runs: nobody else refreshes then
 *
 * The display's C object lives in static storage, for the process: it is brought up once, keeps what it
 * shows across interpreters, and shows the terminal (CIRCUITPYTHON_TERMINAL) whenever no program's group
 * is on it. displayio.release_displays() frees it; the end of that run makes it anew.
 *
 * Threads: all of it on the machine thread. A board without a display: every call does nothing. */
#ifndef ADDER_PYTHON_DISPLAY_BOARD_H
#define ADDER_PYTHON_DISPLAY_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "adder/mcu.h"
#include "python/layer/py.h"

/* Bring up what mcu->display describes (reset, init sequence with its delays, which are waited for in
 * board time by `sleep_us`; NULL = no waiting) and show the terminal. `mcu` is kept.
 * Errors of pins and bus; ADDER_ERR_FORMAT: the init sequence is malformed. The board goes on without. */
adder_err_t display_board_start(const adder_mcu_t *mcu, void (*sleep_us)(uint64_t us)) ADDER_MUST_USE;
/* End of the process (or before another start): give back bus and pins. */
void display_board_stop(void);

/* After vm_start(): refresh becomes background work of this VM. */
void display_board_run_begins(void);
/* Before vm_stop(): what the program (or its console) drew last is on the panel, even when it ended before
 * the next frame was due. With auto refresh off nothing happens. */
void display_board_paint_last(void);
/* After vm_stop(): the terminal is shown again, at 0, 0, unhidden; auto refresh on; brightness stays. */
void display_board_run_ended(void);
/* Refresh if it is time; returns when to call again (mcu's now_us, UINT64_MAX = no display). Between
 * runs only: a VM does it by itself. */
uint64_t display_board_poll(uint64_t now_us);

/* What went to the serial console, drawn on the terminal (visible or not). Any bytes. */
void display_board_console(const char *utf8, size_t len);

/* board.DISPLAY: the same object for the whole VM. Null handle without an exception: no display. */
py_t display_board_object(void);

#endif
