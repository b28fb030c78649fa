/* Where things are: the installation (boards, examples, web page) and the user's project. */
#ifndef HOST_PATHS_H
#define HOST_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#define PATHS_MAX 4096

/* "boards", "examples/room_monitor", ... of the installation: ADDER_ROOT (set by ./adder), else the
 * nearest folder above the executable that has boards/. The path into out; false: not found. */
bool paths_of_installation(const char *relative, char *out, size_t cap);

bool paths_join(char *out, size_t cap, const char *folder, const char *name); /* false: too long */
bool paths_is_folder(const char *path);
bool paths_is_file(const char *path);

/* The drive and the file of it to run, from what the user gave (NULL: the default example).
 *   drive   absolute
 *   file    name inside the drive, "" = CircuitPython's search
 * False: a message with the nearest names was printed. */
bool paths_program(const char *given, char drive[PATHS_MAX], char file[256]);

/* The board file of an id, or the path itself when it is one. False: printed, with near ids. */
bool paths_board(const char *given, char out[PATHS_MAX]);

#endif
