/* `adder run`: joins board, console, page, broker and the machine for one run. */
#ifndef HOST_RUN_H
#define HOST_RUN_H

int run_command(int argc, char **argv); /* arguments after "run"; the exit code */

#endif
