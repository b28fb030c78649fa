#include "host/paths.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli.h"
#include "host/suggest.h"
#include "sim/sim.h"

bool paths_join(char *out, size_t cap, const char *folder, const char *name)
{
    int n = snprintf(out, cap, "%s/%s", folder, name);
    return n > 0 && (size_t)n < cap;
}

bool paths_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool paths_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool find_root(char *out, size_t cap)
{
    const char *given = getenv("ADDER_ROOT");
    char probe[PATHS_MAX];
    if (given != NULL && paths_join(probe, sizeof probe, given, "boards") && paths_is_folder(probe))
        return (size_t)snprintf(out, cap, "%s", given) < cap;
    char at[PATHS_MAX];
    ssize_t n = readlink("/proc/self/exe", at, sizeof at - 1);
    if (n <= 0)
        return false;
    at[n] = '\0';
    for (char *slash; (slash = strrchr(at, '/')) != NULL && slash != at;) {
        *slash = '\0';
        if (paths_join(probe, sizeof probe, at, "boards") && paths_is_folder(probe))
            return (size_t)snprintf(out, cap, "%s", at) < cap;
    }
    return false;
}

bool paths_of_installation(const char *relative, char *out, size_t cap)
{
    char root[PATHS_MAX];
    return find_root(root, sizeof root) && paths_join(out, cap, root, relative);
}

/* The nearest name in the folder of a path that does not exist, as "folder/name"; NULL = none. */
static const char *near_path(const char *path, char *out, size_t cap)
{
    char folder[PATHS_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path),
             slash == NULL ? "." : path);
    DIR *dir = opendir(folder[0] == '\0' ? "/" : folder);
    if (dir == NULL)
        return NULL;
    char *names[512];
    size_t n = 0;
    for (struct dirent *entry; n < 512 && (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);
        bool python = len > 3 && strcmp(entry->d_name + len - 3, ".py") == 0;
        if (entry->d_name[0] != '.' && (python || entry->d_type == DT_DIR) &&
            (names[n] = strdup(entry->d_name)) != NULL)
            n++;
    }
    closedir(dir);
    const char *near = suggest_nearest(name, (const char *const *)names, n);
    if (near != NULL)
        snprintf(out, cap, "%.*s%s", slash == NULL ? 0 : (int)(slash - path + 1), path, near);
    for (size_t i = 0; i < n; i++)
        if (names[i] != near)
            free(names[i]);
    if (near != NULL)
        free((void *)(uintptr_t)near);
    return near == NULL ? NULL : out;
}

bool paths_program(const char *given, char drive[PATHS_MAX], char file[256])
{
    char example[PATHS_MAX];
    file[0] = '\0';
    if (given == NULL) {
        if (!paths_of_installation("examples/room_monitor", example, sizeof example) ||
            !paths_is_folder(example)) {
            cli_error(
                "the default example (examples/room_monitor) is not there; name a program: adder run FOLDER");
            return false;
        }
        given = example;
    }
    char real[PATHS_MAX];
    if (strlen(given) >= PATHS_MAX || realpath(given, real) == NULL) {
        char near[PATHS_MAX];
        if (near_path(given, near, sizeof near) != NULL)
            cli_error("no such program: %s; did you mean %s?", given, near);
        else
            cli_error("no such program: %s; give a .py file or a folder that has a code.py", given);
        return false;
    }
    if (paths_is_folder(real)) {
        snprintf(drive, PATHS_MAX, "%s", real);
        return true;
    }
    size_t len = strlen(real);
    const char *name = strrchr(real, '/') + 1;
    bool text = len > 4 && strcmp(real + len - 4, ".txt") == 0;
    if (!text && (len < 4 || strcmp(real + len - 3, ".py") != 0)) {
        cli_error("%s is no Python file: give a .py file or a folder that has a code.py", given);
        return false;
    }
    if (strlen(name) >= 256) {
        cli_error("%s: the name is too long", given);
        return false;
    }
    snprintf(file, 256, "%s", name);
    snprintf(drive, PATHS_MAX, "%.*s", (int)(name - 1 - real), real);
    if (drive[0] == '\0')
        strcpy(drive, "/");
    return true;
}

bool paths_board(const char *given, char out[PATHS_MAX])
{
    size_t len = strlen(given);
    if (strchr(given, '/') != NULL || (len > 5 && strcmp(given + len - 5, ".json") == 0)) {
        if (paths_is_file(given))
            return (size_t)snprintf(out, PATHS_MAX, "%s", given) < PATHS_MAX;
        cli_error("no such board file: %s", given);
        return false;
    }
    char folder[PATHS_MAX], name[300], msg[SIM_MSG_CAP];
    if (!paths_of_installation("boards", folder, sizeof folder)) {
        cli_error("the folder boards/ is not there; set ADDER_ROOT to where adder is installed");
        return false;
    }
    snprintf(name, sizeof name, "%.200s.json", given);
    if (paths_join(out, PATHS_MAX, folder, name) && paths_is_file(out))
        return true;
    cJSON *list = sim_boards_list(folder, msg, sizeof msg);
    const char *ids[128];
    size_t n = 0;
    for (const cJSON *entry = list == NULL ? NULL : list->child; entry != NULL && n < 128;
         entry = entry->next) {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(entry, "id"));
        if (id != NULL)
            ids[n++] = id;
    }
    const char *near = suggest_nearest(given, ids, n);
    if (near != NULL)
        cli_error("no board \"%s\"; did you mean %s? `adder boards` lists them", given, near);
    else
        cli_error("no board \"%s\"; `adder boards` lists them", given);
    cJSON_Delete(list);
    return false;
}
