#include "host/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/child.h"
#include "host/cli.h"
#include "host/paths.h"
#include "host/suggest.h"
#include "python/layer/frozen.h"
#include "python/layer/py.h"

#define PYTHON "/usr/bin/python3" /* the one whose library is embedded */
#define ARGS_MAX 256

static const char *frozen_source(const char *name)
{
    for (const adder_frozen_t *f = adder_frozen; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0)
            return (const char *)f->source;
    return NULL;
}

static int run_helper(const char *command, const char *drive, int argc, char **argv)
{
    const char *source = frozen_source("adder_lib");
    if (source == NULL || argc + 8 > ARGS_MAX)
        return cli_error("lib: too many names");
    const char *args[ARGS_MAX] = {PYTHON, "-I", "-c", source, command, drive};
    for (int i = 0; i < argc; i++)
        args[6 + i] = argv[i];
    args[6 + argc] = NULL;
    fflush(NULL);
    pid_t pid = child_start(args, false, true);
    int code = pid < 0 ? -1 : child_wait(pid);
    if (code == 127 || code < 0)
        return cli_error("cannot start " PYTHON ": install it with: apt-get install python3 python3-pip"),
               CLI_FAILED;
    return code;
}

int library_command(int argc, char **argv)
{
    static const char *const commands[] = {"add", "list", "remove"};
    const char *command = NULL;
    char drive[PATHS_MAX];
    const char *project = ".";
    char *names[ARGS_MAX];
    int n = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return cli_help("lib");
        if (strcmp(argv[i], "--project") == 0) {
            if (i + 1 == argc)
                return cli_error("lib: --project needs a folder");
            project = argv[++i];
        } else if (argv[i][0] == '-' && strcmp(argv[i], "--upgrade") != 0) {
            return cli_error("lib: unknown option %s; see `adder help lib`", argv[i]);
        } else if (command == NULL) {
            command = argv[i];
        } else if (n < ARGS_MAX - 8) {
            names[n++] = argv[i];
        }
    }
    if (command == NULL)
        return cli_error("lib: add, list or remove? See `adder help lib`");
    bool known = false;
    for (size_t i = 0; i < 3; i++)
        known |= strcmp(command, commands[i]) == 0;
    if (!known) {
        const char *near = suggest_nearest(command, commands, 3);
        return cli_error("lib: there is no \"lib %s\"; %s%s%s", command,
                         near ? "did you mean \"lib " : "add, list or remove", near ? near : "",
                         near ? "\"?" : "");
    }
    if (strcmp(command, "list") != 0 && n == 0)
        return cli_error("lib %s: which libraries? For example: adder lib %s adafruit_display_text", command,
                         command);
    if (realpath(project, drive) == NULL || !paths_is_folder(drive))
        return cli_error("lib: no such folder: %s", project);
    return run_helper(command, drive, n, names);
}

/* Has requirements.txt the same bytes as when it was last looked after? */
static bool seen_before(const char *wanted, const char *seen)
{
    FILE *a = fopen(wanted, "rb"), *b = fopen(seen, "rb");
    bool same = a != NULL && b != NULL;
    for (int x = 0, y; same && x != EOF;) {
        x = fgetc(a);
        y = fgetc(b);
        same = x == y;
    }
    if (a != NULL)
        fclose(a);
    if (b != NULL)
        fclose(b);
    return same;
}

static bool is_library(const char *name)
{
    return strncmp(name, "adafruit_", 9) == 0 || strcmp(name, "neopixel") == 0 ||
           strcmp(name, "asyncio") == 0;
}

/* A library removed from lib/ shows in the folder's time. */
static bool newer(const char *a, const char *b)
{
    struct stat sa, sb;
    if (stat(a, &sa) != 0)
        return false;
    return stat(b, &sb) != 0 || sa.st_mtim.tv_sec > sb.st_mtim.tv_sec ||
           (sa.st_mtim.tv_sec == sb.st_mtim.tv_sec && sa.st_mtim.tv_nsec > sb.st_mtim.tv_nsec);
}

/* The firmware's libraries: its modules under the names that libraries have, some of them more than once. */
static int native_libraries(char *names[], int cap)
{
    int n = 0;
    for (size_t i = 0; py_modules[i] != NULL && n < cap; i++) {
        if (is_library(py_modules[i]->name))
            names[n++] = (char *)py_modules[i]->name; /* only passed on */
    }
    for (const adder_frozen_t *f = adder_frozen; f->name != NULL && n < cap; f++) {
        if (is_library(f->name))
            names[n++] = (char *)f->name;
    }
    return n;
}

int library_ensure(const char *drive, bool native)
{
    char wanted[PATHS_MAX], seen[PATHS_MAX], lib[PATHS_MAX], cache[PATHS_MAX];
    if (!paths_join(wanted, sizeof wanted, drive, "requirements.txt") ||
        !paths_join(seen, sizeof seen, drive,
                    native ? ".adder/requirements.seen" : ".adder/requirements.all.seen") ||
        !paths_join(lib, sizeof lib, drive, "lib") || !paths_join(cache, sizeof cache, drive, ".adder/lib"))
        return CLI_OK;
    if (!paths_is_file(wanted))
        return CLI_OK;
    if (seen_before(wanted, seen) && !newer(lib, seen) && !newer(cache, seen))
        return CLI_OK;
    char *names[ARGS_MAX - 8];
    return run_helper("ensure", drive, native ? native_libraries(names, ARGS_MAX - 8) : 0, names);
}
