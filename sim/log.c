/* The event log: the last lines, for the page and the report. */
#include "sim/sim_int.h"

#include <stdio.h>
#include <string.h>

void sim_say(char *msg, size_t cap, const char *format, ...)
{
    if (msg == NULL || cap == 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(msg, cap, format, args);
    va_end(args);
}

void sim_logv(sim_board_t *b, const char *from, const char *format, va_list args)
{
    log_line_t *line = &b->log[b->log_n % LOG_LINES];
    line->n = ++b->log_n;
    line->t_us = sim_lived(b);
    snprintf(line->from, sizeof line->from, "%s", from);
    vsnprintf(line->text, sizeof line->text, format, args);
    line->revision = b->revision + 1;
    sim_touch(b);
}

void sim_board_log(sim_board_t *b, const char *from, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sim_enter(b);
    sim_logv(b, from, format, args);
    sim_leave(b);
    va_end(args);
}

void sim_chip_log(sim_chip_t *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sim_logv(c->board, c->id, format, args);
    va_end(args);
}
