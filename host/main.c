#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "host/cli.h"
#include "host/library.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/run.h"
#include "host/suggest.h"
#include "sim/sim.h"

static int boards_command(void)
{
    char folder[PATHS_MAX], msg[SIM_MSG_CAP];
    if (!paths_of_installation("boards", folder, sizeof folder))
        return cli_error("the folder boards/ is not there; set ADDER_ROOT to where adder is installed");
    cJSON *list = sim_boards_list(folder, msg, sizeof msg);
    if (list == NULL)
        return cli_error("%s", msg);
    int code = CLI_OK;
    for (const cJSON *b = list->child; b != NULL; b = b->next) {
        const char *parts[4];
        static const char *const keys[] = {"id", "name", "chip", "display"};
        for (int i = 0; i < 4; i++) {
            const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(b, keys[i]));
            parts[i] = text == NULL ? "" : text;
        }
        const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(b, "error"));
        if (error != NULL) {
            fprintf(stderr, "adder: %s\n", error);
            code = CLI_FAILED;
        } else {
            printf("%-28s %-32s %-14s %s\n", parts[0], parts[1], parts[2], parts[3]);
        }
    }
    cJSON_Delete(list);
    return code;
}

static int version_command(void)
{
    puts("adder 0.1.0\nCircuitPython API 10.0.0\nPython 3.11");
    return CLI_OK;
}

static int not_built(const char *command)
{
    return cli_error("%s is not built yet: this version has run, new, lib, boards", command);
}

int main(int argc, char **argv)
{
    const char *command = argc < 2 ? "help" : argv[1];
    int rest = argc < 2 ? 0 : argc - 2;
    char **args = argv + (argc < 2 ? 1 : 2);
    bool help = rest > 0 && (strcmp(args[0], "--help") == 0 || strcmp(args[0], "-h") == 0);

    if (strcmp(command, "run") == 0)
        return run_command(rest, args);
    if (strcmp(command, "new") == 0)
        return project_command(rest, args);
    if (strcmp(command, "lib") == 0)
        return library_command(rest, args);
    if (strcmp(command, "--version") == 0)
        return version_command();
    if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        return cli_help(rest > 0 && !help ? args[0] : NULL);
    for (size_t i = 0; i < cli_command_count; i++) {
        if (strcmp(command, cli_commands[i]) != 0)
            continue;
        if (help)
            return cli_help(command);
        if (strcmp(command, "boards") == 0)
            return boards_command();
        if (strcmp(command, "version") == 0)
            return version_command();
        return not_built(command);
    }
    const char *near = suggest_nearest(command, cli_commands, cli_command_count);
    if (near != NULL)
        return cli_error("there is no command \"%s\"; did you mean \"%s\"?", command, near);
    return cli_error(
        "there is no command \"%s\"; to run a program: adder run %s. `adder help` lists the rest", command,
        command);
}
