#define _GNU_SOURCE
#include "host/watch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS                                                                                               \
    (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR |         \
     IN_EXCL_UNLINK)

static bool ignored(const char *name)
{
    size_t len = strlen(name);
    return name[0] == '.' || (len > 0 && name[len - 1] == '~') || strcmp(name, "__pycache__") == 0;
}

/* The folder and all below, as deep as the table reaches. */
static void follow(watch_t *w, const char *path)
{
    if (w->count == WATCH_FOLDERS_MAX)
        return;
    int wd = inotify_add_watch(w->fd, path, EVENTS);
    if (wd < 0)
        return;
    for (unsigned i = 0; i < w->count; i++)
        if (w->folders[i].wd == wd)
            return;
    char *copy = strdup(path);
    if (copy == NULL)
        return;
    w->folders[w->count].wd = wd;
    w->folders[w->count++].path = copy;

    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_type != DT_DIR || ignored(entry->d_name))
            continue;
        char *below;
        if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
            break;
        follow(w, below);
        free(below);
    }
    closedir(dir);
}

bool watch_open(watch_t *w, const char *folder)
{
    w->count = 0;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0)
        return false;
    follow(w, folder);
    if (w->count == 0)
        watch_close(w);
    return w->fd >= 0;
}

void watch_close(watch_t *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    for (unsigned i = 0; i < w->count; i++)
        free(w->folders[i].path);
    w->count = 0;
}

static const char *folder_of(const watch_t *w, int wd, bool *is_top)
{
    for (unsigned i = 0; i < w->count; i++)
        if (w->folders[i].wd == wd) {
            *is_top = i == 0;
            return w->folders[i].path;
        }
    return NULL;
}

static bool counts(watch_t *w, const struct inotify_event *event)
{
    bool is_top = false;
    const char *folder = folder_of(w, event->wd, &is_top);
    if (folder == NULL || event->len == 0 || ignored(event->name))
        return false;
    if (is_top && strcmp(event->name, "boot_out.txt") == 0)
        return false;
    if (event->mask & IN_ISDIR) {
        if (event->mask & (IN_CREATE | IN_MOVED_TO)) {
            char *below;
            if (asprintf(&below, "%s/%s", folder, event->name) >= 0) {
                follow(w, below);
                free(below);
            }
        }
        return (event->mask & (IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) != 0;
    }
    return true;
}

bool watch_changed(watch_t *w)
{
    bool changed = false;
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    while (w->fd >= 0 && (n = read(w->fd, buffer, sizeof buffer)) > 0)
        for (const char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            changed |= counts(w, event);
            at += sizeof *event + event->len;
        }
    return changed;
}
