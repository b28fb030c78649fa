#include "host/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/suggest.h"

static void say(const char *format, va_list args)
{
    fputs("adder: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void cli_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

int cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    return CLI_USAGE;
}

/* ---- help ---- */

typedef struct {
    const char *name, *summary, *text;
} command_t;

static const command_t commands[] = {
    {"run", "run a CircuitPython program on a simulated board",
     "adder run [PROGRAM] [options]\n"
     "\n"
     "PROGRAM is a folder (the CIRCUITPY drive) or a .py file that runs as code.py of its folder.\n"
     "Without it the room monitor of examples/ runs.\n"
     "\n"
     "  --board ID         the board: an id of `adder boards`, or a board file     [pyportal]\n"
     "  --port N           port of the board's page; with it, no other is tried    [8080]\n"
     "  --open             open the page in the browser (--no-open: do not)        [no]\n"
     "  --headless         no page\n"
     "  --for SECONDS      end at the latest that long after code.py began; 0 = at its first line\n"
     "  --input FILE       play a timeline: touches, pins, sensor values, faults, keys\n"
     "  --screenshot FILE  write the display as PNG at the end\n"
     "  --report FILE      write the counters as JSON at the end\n"
     "  --network FILE     access points and host names of the simulated world\n"
     "  --chip ID.KEY=VALUE  a member of a chip of the board file, for this run; may be repeated:\n"
     "                     --chip wifi.firmware=3.3.0\n"
     "  --broker           start an MQTT broker on this machine's port 1883 (done without asking when\n"
     "                     settings.toml names localhost as broker and nothing listens there)\n"
     "  --no-native        Adafruit's own Python libraries before Adder's native ones\n"
     "\n"
     "In a terminal: Ctrl-C interrupts the program, then any key enters the REPL; Ctrl-D runs the\n"
     "program again; Ctrl-X, or Ctrl-C twice while nothing runs, quits. Saving a file runs the program\n"
     "again. Without a terminal standard input is typed on the console, and with --headless the run ends\n"
     "when the program has ended and neither input nor timeline goes on.\n"
     "\n"
     "Libraries that a requirements.txt beside code.py names are brought from PyPI once (.adder/lib), but "
     "for\n"
     "those that the firmware has; with --no-native these too.\n"
     "\n"
     "Examples:\n"
     "  adder run\n"
     "  adder run my_project --open\n"
     "  adder run blink.py --headless --for 5 --screenshot out.png\n"},
    {"new", "make a project: code.py, settings.toml, lib/",
     "adder new NAME\n"
     "\n"
     "Makes the folder NAME with a program that runs, settings.toml and an empty lib/.\n"
     "\n"
     "Example:\n"
     "  adder new greenhouse && adder run greenhouse\n"},
    {"lib", "CircuitPython libraries from PyPI",
     "adder lib add NAME...      bring libraries, and what they need, into lib/\n"
     "adder lib add --upgrade NAME...\n"
     "adder lib list             what is in lib/\n"
     "adder lib remove NAME...\n"
     "\n"
     "  --project FOLDER         the drive                                          [this folder]\n"
     "\n"
     "Names are understood in all their spellings: adafruit_minimqtt, MiniMQTT,\n"
     "adafruit-circuitpython-minimqtt, \"Adafruit CircuitPython MiniMQTT\".\n"
     "\n"
     "Example:\n"
     "  adder lib add adafruit_display_text adafruit_esp32spi\n"},
    {"boards", "the boards there are",
     "adder boards\n"
     "\n"
     "Lists the board files: id, name, chip, display.\n"},
    {"version", "versions of adder, of the CircuitPython API, of Python", "adder version\n"},
    {"help", "this, or help on a command", "adder help [COMMAND]\n"},
    {"design", "the screen builder (not built yet)",
     "adder design [SCREENS.json]\n\nNot built yet: this version of adder has no screen builder.\n"},
    {"test", "your program's tests (not built yet)",
     "adder test [PATH...]\n\nNot built yet: this version of adder cannot run a project's tests.\n"},
    {"provision", "keys and certificates (not built yet)",
     "adder provision\n\nNot built yet: this version of adder cannot provision devices.\n"},
};

const char *const cli_commands[] = {"run",  "new",    "lib",  "boards",   "version",
                                    "help", "design", "test", "provision"};
const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;

int cli_help(const char *command)
{
    if (command == NULL) {
        puts("adder: CircuitPython programs on simulated boards\n\nUsage: adder COMMAND [...]\n");
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            printf("  %-10s %s\n", commands[i].name, commands[i].summary);
        puts("\n`adder help COMMAND` tells more.\n\n"
             "Exit codes: 0 done; 1 the program ended with an exception, or a task failed; 2 wrong use or a\n"
             "malformed file; 3 the port is taken; 4 the network is needed and not there.");
        return CLI_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(command, commands[i].name) == 0) {
            fputs(commands[i].text, stdout);
            return CLI_OK;
        }
    const char *near = suggest_nearest(command, cli_commands, cli_command_count);
    if (near != NULL)
        return cli_error("there is no command \"%s\"; did you mean \"%s\"?", command, near);
    return cli_error("there is no command \"%s\"; `adder help` lists them", command);
}

/* ---- options of run ---- */

typedef enum {
    O_BOARD,
    O_PORT,
    O_FOR,
    O_INPUT,
    O_SCREENSHOT,
    O_REPORT,
    O_NETWORK,
    O_CHIP,
    O_WITH_VALUE,
    O_HEADLESS = O_WITH_VALUE,
    O_BROKER,
    O_NO_NATIVE,
    O_OPEN,
    O_NO_OPEN,
    O_HELP,
    O_COUNT
} option_t;

static const char *const options[O_COUNT] = {
    [O_BOARD] = "--board",
    [O_PORT] = "--port",
    [O_FOR] = "--for",
    [O_INPUT] = "--input",
    [O_SCREENSHOT] = "--screenshot",
    [O_REPORT] = "--report",
    [O_NETWORK] = "--network",
    [O_CHIP] = "--chip",
    [O_HEADLESS] = "--headless",
    [O_BROKER] = "--broker",
    [O_NO_NATIVE] = "--no-native",
    [O_OPEN] = "--open",
    [O_NO_OPEN] = "--no-open",
    [O_HELP] = "--help",
};

/* The option named by the first `len` bytes of arg, O_COUNT = none. */
static option_t find_option(const char *arg, size_t len)
{
    for (unsigned i = 0; i < O_COUNT; i++)
        if (strlen(options[i]) == len && memcmp(options[i], arg, len) == 0)
            return (option_t)i;
    return O_COUNT;
}

static bool number(const char *option, const char *text, double low, double high, double *out)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !(v >= low && v <= high)) {
        cli_error("%s: \"%s\" is not a number from %g to %g", option, text, low, high);
        return false;
    }
    *out = v;
    return true;
}

static bool add_chip(cli_run_t *run, const char *value)
{
    const char *dot = strchr(value, '.'), *equals = strchr(value, '=');
    if (dot == NULL || equals == NULL || dot == value || equals <= dot + 1) {
        cli_error("--chip: \"%s\" is not like wifi.firmware=3.3.0", value);
        return false;
    }
    if (run->chip_count == CLI_CHIPS_MAX) {
        cli_error("--chip: more than %d of them", CLI_CHIPS_MAX);
        return false;
    }
    run->chips[run->chip_count++] = value;
    return true;
}

static bool set_value(cli_run_t *run, option_t o, const char *value)
{
    double v;
    switch (o) {
    case O_BOARD:
        run->board = value;
        return true;
    case O_PORT:
        if (!number("--port", value, 1, 65535, &v))
            return false;
        run->port = (int)v;
        return true;
    case O_FOR:
        return number("--for", value, 0, 1e9, &run->for_s);
    case O_INPUT:
        run->input = value;
        return true;
    case O_SCREENSHOT:
        run->screenshot = value;
        return true;
    case O_REPORT:
        run->report = value;
        return true;
    case O_NETWORK:
        run->network = value;
        return true;
    case O_CHIP:
        return add_chip(run, value);
    case O_HEADLESS:
        run->headless = true;
        return true;
    case O_BROKER:
        run->broker = true;
        return true;
    case O_NO_NATIVE:
        run->no_native = true;
        return true;
    case O_OPEN:
        run->open_page = true;
        return true;
    case O_NO_OPEN:
        run->open_page = false;
        return true;
    case O_HELP:
    case O_COUNT:
        break;
    }
    return false;
}

bool cli_parse_run(int argc, char **argv, cli_run_t *run, int *exit_code)
{
    *run = (cli_run_t){.board = "pyportal", .port = -1, .for_s = -1};
    *exit_code = CLI_USAGE;
    bool no_more_options = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (no_more_options || arg[0] != '-' || arg[1] == '\0') {
            if (run->program != NULL) {
                cli_error("one program at a time: \"%s\" or \"%s\"?", run->program, arg);
                return false;
            }
            run->program = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            no_more_options = true;
            continue;
        }
        if (strcmp(arg, "-h") == 0)
            arg = "--help";
        size_t len = strcspn(arg, "=");
        option_t o = find_option(arg, len);
        if (o == O_COUNT) {
            char word[80];
            snprintf(word, sizeof word, "%.*s", (int)len, arg);
            const char *near = suggest_nearest(word, options, O_COUNT);
            if (near != NULL)
                cli_error("run: unknown option %s; did you mean %s?", word, near);
            else
                cli_error("run: unknown option %s; `adder help run` lists them", word);
            return false;
        }
        if (o == O_HELP) {
            *exit_code = cli_help("run");
            return false;
        }
        const char *value = arg[len] == '=' ? arg + len + 1 : NULL;
        if (o >= O_WITH_VALUE && value != NULL) {
            cli_error("run: %s takes no value", options[o]);
            return false;
        }
        if (o < O_WITH_VALUE && value == NULL) {
            if (i + 1 >= argc) {
                cli_error("run: %s needs a value; see `adder help run`", options[o]);
                return false;
            }
            value = argv[++i];
        }
        if (!set_value(run, o, value))
            return false;
    }
    return true;
}
