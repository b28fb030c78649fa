/* The command line: commands, options, help.
 *
 * Exit codes of the program, also told by `adder help`: */
#ifndef HOST_CLI_H
#define HOST_CLI_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CLI_OK = 0,
    CLI_FAILED = 1,  /* the program ended with an exception, or a task could not be done */
    CLI_USAGE = 2,   /* wrong use, or a file given to adder that is missing or malformed */
    CLI_IN_USE = 3,  /* the port asked for is taken */
    CLI_OFFLINE = 4, /* the network is needed and not there */
};

enum { CLI_CHIPS_MAX = 32 };

typedef struct {
    const char *program; /* NULL = the default example */
    const char *board;   /* id or path of a board file */
    int port;            /* -1 = 8080 or the next free one */
    double for_s;        /* < 0 = until stopped */
    const char *input, *screenshot, *report, *network;
    const char *chips[CLI_CHIPS_MAX]; /* "wifi.firmware=3.3.0", as given; at least a dot and a = */
    size_t chip_count;
    bool headless, broker, no_native, open_page;
} cli_run_t;

/* Fill `run` from the arguments after "run". False: a message was printed, exit with *exit_code. */
bool cli_parse_run(int argc, char **argv, cli_run_t *run, int *exit_code);

/* Help on one command, or the list of all when `command` is NULL. CLI_USAGE for an unknown command. */
int cli_help(const char *command);

/* "adder: text" on stderr: what adder does now, or what is wrong, where, and what to do. The second
 * returns CLI_USAGE. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* All commands, for dispatch and for "did you mean". */
extern const char *const cli_commands[];
extern const size_t cli_command_count;

#endif
