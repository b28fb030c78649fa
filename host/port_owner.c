#include "host/port_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LISTENING 0x0A

/* The inode of a listening socket from a table of /proc/net; 0 = none. */
static unsigned long listener_in(const char *table, uint16_t port)
{
    FILE *f = fopen(table, "r");
    if (f == NULL)
        return 0;
    char line[512];
    unsigned long found = 0;
    while (found == 0 && fgets(line, sizeof line, f) != NULL) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", &local, &state, &inode) ==
                3 &&
            local == port && state == LISTENING)
            found = inode;
    }
    fclose(f);
    return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char folder[300], link[600], target[64], wanted[64];
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    snprintf(folder, sizeof folder, "/proc/%s/fd", pid);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return false;
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) {
        snprintf(link, sizeof link, "%s/%s", folder, entry->d_name);
        ssize_t n = readlink(link, target, sizeof target - 1);
        if (n > 0) {
            target[n] = '\0';
            found = strcmp(target, wanted) == 0;
        }
    }
    closedir(dir);
    return found;
}

bool port_owner(uint16_t port, char *out, size_t cap)
{
    unsigned long inode = listener_in("/proc/net/tcp", port);
    if (inode == 0)
        inode = listener_in("/proc/net/tcp6", port);
    DIR *dir = inode == 0 ? NULL : opendir("/proc");
    if (dir == NULL)
        return false;
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, inode))
            continue;
        char path[300], name[64] = "?";
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *f = fopen(path, "r");
        if (f != NULL) {
            if (fgets(name, sizeof name, f) != NULL)
                name[strcspn(name, "\n")] = '\0';
            fclose(f);
        }
        snprintf(out, cap, "%s (process %s)", name, entry->d_name);
        found = true;
    }
    closedir(dir);
    return found;
}
