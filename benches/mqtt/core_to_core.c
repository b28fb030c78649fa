/* How long a word takes from one CPU to another and back, in nanoseconds; 0 = there is one CPU only.
 *
 * A virtual machine's CPUs may share a cache now and not in the next second, and whatever two processes do
 * together then takes half as long again. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TRIPS = 50000 };

static atomic_int word;
static unsigned cpus[2];

static void move_to(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        exit(1);
}

static void *answer(void *unused)
{
    move_to(cpus[1]);
    for (int i = 0; i < 2 * TRIPS; i += 2) {
        while (atomic_load(&word) != i + 1)
            ;
        atomic_store(&word, i + 2);
    }
    return unused;
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(void)
{
    cpu_set_t allowed;
    int n = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++) {
        if (CPU_ISSET(cpu, &allowed))
            cpus[n++] = cpu;
    }
    if (n < 2) {
        puts("0");
        return 0;
    }
    pthread_t other;
    if (pthread_create(&other, NULL, answer, NULL) != 0)
        return 1;
    move_to(cpus[0]);
    const double begin = now_ns();
    for (int i = 0; i < 2 * TRIPS; i += 2) {
        atomic_store(&word, i + 1);
        while (atomic_load(&word) != i + 2)
            ;
    }
    printf("%.0f\n", (now_ns() - begin) / TRIPS);
    pthread_join(other, NULL);
    return 0;
}
