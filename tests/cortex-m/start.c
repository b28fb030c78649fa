/* The vector table of the emulated Cortex-M, in front of newlib's own start-up. A fault ends the
 * emulator with a word on the console, so that a test cannot hang. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern uint32_t __stack;
extern void _start(void); /* newlib: clears .bss, opens semihosting, calls main */
void reset_handler(void);

static void fault(void)
{
    static const char text[] = "FAULT: the processor took an exception\n";
    fputs(text, stdout);
    fflush(stdout);
    _Exit(1);
}

void reset_handler(void)
{
    /* CPACR: the floating-point unit on, where there is one (a write without effect elsewhere). */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    _start();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &__stack,
    (const void *)reset_handler,
    (const void *)fault,
    (const void *)fault,
    (const void *)fault,
    (const void *)fault,
    (const void *)fault,
};
