/* An MQTT broker (mosquitto) on this machine for programs that name localhost: on 127.0.0.1 only, no
 * passwords, nothing kept. Ends with adder. */
#ifndef HOST_BROKER_H
#define HOST_BROKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    pid_t pid; /* 0 = none of ours */
    char config[64];
} broker_t;

bool broker_listens(uint16_t port); /* does somebody listen on 127.0.0.1:port? */
/* Start it and wait until it listens. False: why, in msg. */
bool broker_start(broker_t *b, uint16_t port, char *msg, size_t msg_cap);
void broker_stop(broker_t *b);

#endif
