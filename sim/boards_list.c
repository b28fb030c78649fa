/* The list behind `adder boards`, made from the board files themselves. */
#include "sim/sim_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_board(const struct dirent *e)
{
    const size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

static cJSON *list_one(const char *folder, const char *file)
{
    char path[4096], msg[SIM_MSG_CAP], text[96];
    cJSON *o = cJSON_CreateObject();
    snprintf(path, sizeof path, "%s/%s", folder, file);
    cJSON_AddStringToObject(o, "file", path);
    snprintf(text, sizeof text, "%.*s", (int)(strlen(file) - 5 < 90 ? strlen(file) - 5 : 90), file);
    sim_board_t *b = sim_board_open(path, NULL, msg, sizeof msg);
    if (b == NULL) {
        cJSON_AddStringToObject(o, "id", text);
        cJSON_AddStringToObject(o, "error", msg);
        return o;
    }
    cJSON_AddStringToObject(o, "id", b->mcu.board_id);
    cJSON_AddStringToObject(o, "name", b->mcu.board_name);
    cJSON_AddStringToObject(o, "chip", b->mcu.chip_name);
    const part_t *display = sim_first_display(b);
    if (display != NULL) {
        unsigned w = 0, h = 0;
        uint64_t revision;
        display->chip->cls->picture(display->chip, &w, &h, &revision);
        snprintf(text, sizeof text, "%u x %u %s", w, h, display->chip->cls->type);
        cJSON_AddStringToObject(o, "display", text);
    }
    sim_board_close(b);
    return o;
}

cJSON *sim_boards_list(const char *folder, char *msg, size_t msg_cap)
{
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_board, alphasort);
    if (n < 0) {
        sim_say(msg, msg_cap, "%s: %s", folder, strerror(errno));
        return NULL;
    }
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        cJSON_AddItemToArray(list, list_one(folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return list;
}
