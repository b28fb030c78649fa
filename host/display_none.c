/* For a program built without the display modules: the calls the life cycle makes do nothing. The real
 * ones (python/modules/display_board.c) take their place when they are linked. */
#include "python/modules/display_board.h"

__attribute__((weak)) adder_err_t display_board_start(const adder_mcu_t *mcu, void (*sleep_us)(uint64_t us))
{
    (void)mcu, (void)sleep_us;
    return ADDER_OK;
}

__attribute__((weak)) void display_board_stop(void) {}

__attribute__((weak)) void display_board_run_begins(void) {}

__attribute__((weak)) void display_board_run_ended(void) {}

__attribute__((weak)) uint64_t display_board_poll(uint64_t now_us)
{
    (void)now_us;
    return UINT64_MAX;
}

__attribute__((weak)) void display_board_console(const char *utf8, size_t len) { (void)utf8, (void)len; }
