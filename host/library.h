/* CircuitPython libraries for a project: starts python/lib/adder_lib.py (compiled into the program) in
 * the system's Python. */
#ifndef HOST_LIBRARY_H
#define HOST_LIBRARY_H

#include <stdbool.h>

/* `adder lib ...`; arguments after "lib". Returns the exit code. */
int library_command(int argc, char **argv);

/* What requirements.txt of the drive names is in lib/ or .adder/lib afterwards; with `native` but for what
 * the firmware has. Costs a comparison of two small files when nothing changed. Returns an exit code
 * (cli.h); messages were printed. */
int library_ensure(const char *drive, bool native);

#endif
