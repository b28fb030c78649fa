/* JSON text from files, and where in it a mistake is. */
#include "sim/sim_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_LEN = 1 << 20 };

static void say_syntax(const char *name, const char *text, size_t len, const char *at, char *msg, size_t cap)
{
    unsigned line = 1, column = 1;
    const char *end = text + len;
    if (at == NULL || at < text || at > end)
        at = end;
    for (const char *c = text; c < at; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    char near[24];
    size_t n = 0;
    for (const char *c = at; c < end && n < sizeof near - 1 && *c != '\n' && *c != 0; c++)
        near[n++] = isprint((unsigned char)*c) ? *c : '?';
    near[n] = 0;
    if (at == end)
        sim_say(msg, cap, "%s:%u:%u: not valid JSON: it ends too early (a missing bracket or quote?)", name,
                line, column);
    else
        sim_say(msg, cap, "%s:%u:%u: not valid JSON near \"%s\"", name, line, column, near);
}

cJSON *sim_json_parse(const char *name, const char *text, size_t len, char *msg, size_t cap)
{
    const char *end = NULL;
    if (len > FILE_MAX_LEN) {
        sim_say(msg, cap, "%s: larger than 1 MB", name);
        return NULL;
    }
    /* cJSON wants the end marked when it must check for trailing text */
    char *copy = malloc(len + 1);
    if (copy == NULL) {
        sim_say(msg, cap, "%s: out of memory", name);
        return NULL;
    }
    memcpy(copy, text, len);
    copy[len] = 0;
    cJSON *json = NULL;
    const char *nul = memchr(copy, 0, len);
    if (nul != NULL)
        say_syntax(name, copy, len, nul, msg, cap);
    else if ((json = cJSON_ParseWithLengthOpts(copy, len + 1, &end, true)) == NULL)
        say_syntax(name, copy, len, end, msg, cap);
    free(copy);
    return json;
}

cJSON *sim_json_read(const char *path, char *msg, size_t cap)
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(FILE_MAX_LEN + 1);
    cJSON *json = NULL;
    if (f == NULL) {
        sim_say(msg, cap, "%s: %s", path, strerror(errno));
    } else if (text == NULL) {
        sim_say(msg, cap, "%s: out of memory", path);
    } else {
        const size_t n = fread(text, 1, FILE_MAX_LEN + 1, f);
        if (ferror(f))
            sim_say(msg, cap, "%s: %s", path, strerror(errno));
        else
            json = sim_json_parse(path, text, n, msg, cap);
    }
    if (f != NULL)
        fclose(f);
    free(text);
    return json;
}
