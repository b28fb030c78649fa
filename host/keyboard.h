/* The terminal adder was started in: raw mode while a board runs, and everything put back whatever ends
 * the program (return, exit(), SIGTERM, a crash). One per process. */
#ifndef HOST_KEYBOARD_H
#define HOST_KEYBOARD_H

#include <stdbool.h>

/* Raw mode on standard input, if it is a terminal: keys arrive one by one, unechoed, Ctrl-C as 0x03.
 * True when it is one. */
bool keyboard_raw(void);
/* As it was before. Safe to call twice, and from a signal handler. */
void keyboard_restore(void);

#endif
