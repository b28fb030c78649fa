#include "host/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/child.h"

#define START_STEPS 300 /* of 10 ms */

bool broker_listens(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool listens = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return listens;
}

static bool write_config(broker_t *b, uint16_t port)
{
    strcpy(b->config, "/tmp/adder-broker-XXXXXX");
    int fd = mkstemp(b->config);
    if (fd < 0)
        return false;
    char text[200];
    /* Started as root it would change to a user of its own, and with that lose the kernel's promise to
     * end it when we are gone. */
    int n = snprintf(text, sizeof text,
                     "listener %u 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n%s",
                     port, geteuid() == 0 ? "user root\n" : "");
    bool ok = write(fd, text, (size_t)n) == n;
    close(fd);
    return ok;
}

bool broker_start(broker_t *b, uint16_t port, char *msg, size_t msg_cap)
{
    b->pid = 0;
    if (!write_config(b, port)) {
        snprintf(msg, msg_cap, "cannot write %s: %s", b->config, strerror(errno));
        return false;
    }
    /* Debian keeps it where ordinary users' PATH does not look. */
    const char *program = access("/usr/sbin/mosquitto", X_OK) == 0 ? "/usr/sbin/mosquitto" : "mosquitto";
    const char *const args[] = {program, "-c", b->config, NULL};
    pid_t pid = child_start(args, true, true);
    for (int i = 0; pid > 0 && i < START_STEPS; i++) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            snprintf(msg, msg_cap, "%s",
                     WIFEXITED(status) && WEXITSTATUS(status) == 127
                         ? "mosquitto is not installed: apt-get install mosquitto"
                         : "mosquitto ended at once; try it by hand: mosquitto -p 1883");
            unlink(b->config);
            return false;
        }
        if (broker_listens(port)) {
            b->pid = pid;
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    snprintf(msg, msg_cap, "mosquitto does not come up");
    child_stop(pid);
    unlink(b->config);
    return false;
}

void broker_stop(broker_t *b)
{
    if (b->pid <= 0)
        return;
    child_stop(b->pid);
    unlink(b->config);
    b->pid = 0;
}
