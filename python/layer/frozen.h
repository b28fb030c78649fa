/* The Python files of python/lib/, compiled into the program.
 *
 *     for (const adder_frozen_t *f = adder_frozen; f->name; f++)
 *         if (strcmp(f->name, "adder_vm.repl") == 0) ...
 *
 * The table is made at build time by tools/freeze.py; sorted by name, so a package stands before
 * what is in it. Nothing is read from disk at run time: the program can be moved anywhere. */
#ifndef ADDER_FROZEN_H
#define ADDER_FROZEN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;            /* dotted: "adder_vm", "adder_vm.repl"; NULL ends the table */
    bool is_package;             /* made of an __init__.py */
    const unsigned char *source; /* UTF-8, a NUL at [len] */
    size_t len;
} adder_frozen_t;

extern const adder_frozen_t adder_frozen[];

#endif
