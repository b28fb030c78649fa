/* The thread beside the machine: it reads the keyboard, watches files, signals and the clock, and tells
 * the machine. Everything it waits for is in one poll().
 *
 * Signals: SIGINT, SIGTERM, SIGHUP are blocked in the whole process before any thread starts
 * (attendant_block_signals) and taken from a signalfd here: they end the run in good order. */
#ifndef HOST_ATTENDANT_H
#define HOST_ATTENDANT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "host/machine.h"
#include "host/watch.h"

typedef struct {
    machine_t *machine;
    double for_s;            /* < 0 = no limit */
    bool keyboard;           /* stdin is a terminal, raw */
    _Atomic int quit_signal; /* the signal that ended the run, 0 = none */
    atomic_bool input_over;  /* stdin is at its end */

    struct {
        pthread_t thread;
        int wake[2], signals;
        bool started;
        uint64_t started_ms;
        watch_t watch;
        uint64_t ctrl_c_ms; /* last Ctrl-C on the keyboard */
    } priv;
} attendant_t;

void attendant_block_signals(void);
bool attendant_start(attendant_t *a); /* machine, for_s, keyboard set; false: no thread, errno */
void attendant_stop(attendant_t *a);

#endif
