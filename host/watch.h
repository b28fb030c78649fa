/* Watches the drive's folder for changes made by an editor. Linux' inotify, with the subfolders.
 *
 *     watch_t w;
 *     watch_open(&w, "/home/me/project");
 *     ... poll w.fd for input, then:  if (watch_changed(&w)) reload();
 *
 * Not counted as changes: names starting with "." (our .adder, editors' swap files), names ending in
 * "~", __pycache__, and boot_out.txt at the top, which adder itself writes. */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

#include <stdbool.h>

/* Folders watched at most; what lies beyond (a project in the middle of a home directory) is not. */
#define WATCH_FOLDERS_MAX 512

typedef struct {
    int fd; /* -1 = not watching */
    unsigned count;
    struct {
        int wd;
        char *path;
    } folders[WATCH_FOLDERS_MAX];
} watch_t;

bool watch_open(watch_t *w, const char *folder); /* false: no inotify here; w is closed */
void watch_close(watch_t *w);
/* Read what is there, never waits: has a file of the drive changed? New folders are followed. */
bool watch_changed(watch_t *w);

#endif
