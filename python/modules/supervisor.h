/* The clock that supervisor.ticks_ms() and keypad's events share. */
#ifndef ADDER_PYTHON_SUPERVISOR_H
#define ADDER_PYTHON_SUPERVISOR_H

#include <stdint.h>

/* Milliseconds modulo 2**29; starts 65 s before the wrap, so that programs meet it early. */
int64_t supervisor_ticks_ms(void);

#endif
