/* Programs that adder starts: pip's helper and the MQTT broker. Children get the signals that adder
 * blocks back to normal, and nothing of its standard input. */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* -1: not started, errno. `quiet`: its output is dropped. With `dies_with_us` the kernel ends it when
 * adder is gone, even by a crash. */
pid_t child_start(const char *const argv[], bool quiet, bool dies_with_us);
/* Wait for its end; the exit code, 128 + signal, or -1. */
int child_wait(pid_t pid);
/* Ask it to end, insist after two seconds, and collect it. */
void child_stop(pid_t pid);

#endif
