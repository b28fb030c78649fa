/* For tests of the ESP32 model: the one chip on its bench, its newest reply, and what is asked of it; and
 * cases that run on firmware after firmware. */
#ifndef SIM_CHIPS_ESP32_NINA_BENCH_H
#define SIM_CHIPS_ESP32_NINA_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "sim/chips/esp32_nina_host.h"

static bench_t bench;
static reply_t r;
static int fds_before;

static inline int open_fds(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d != NULL && readdir(d) != NULL) {
        count++;
    }
    (void)closedir(d);
    return count;
}

/* A chip with this firmware (NULL: what it has unless told), reset, on the network of this JSON; false: see
 * stderr. */
static inline bool open_chip(const char *firmware, const char *network)
{
    char config[60];
    (void)snprintf(config, sizeof config, "{\"firmware\": \"%s\"}", firmware != NULL ? firmware : "");
    fds_before = open_fds();
    if (!bench_open_with(&bench, &sim_chip_esp32_nina, firmware != NULL ? config : NULL, network, host_pulls,
                         sizeof host_pulls / sizeof host_pulls[0])) {
        return false;
    }
    host_reset(&bench);
    return true;
}

/* With all that it had open. */
static inline int close_chip(void **state)
{
    (void)state;
    bench_close(&bench);
    assert_int_equal(open_fds(), fds_before);
    return 0;
}

static inline void expect_u8(int got, unsigned value)
{
    assert_int_equal(got, 1);
    assert_int_equal(r.len[0], 1);
    assert_int_equal(r.data[0][0], value);
}

static inline void expect_bytes(int got, const void *data, size_t len)
{
    assert_int_equal(got, 1);
    assert_int_equal(r.len[0], len);
    assert_memory_equal(r.data[0], data, len);
}

static inline void knob(const char *json)
{
    char msg[128] = "";
    cJSON *knobs = cJSON_Parse(json);
    assert_int_equal(bench.chip->cls->control(bench.chip, knobs, msg, sizeof msg), ADDER_OK);
    cJSON_Delete(knobs);
}

/* ---- cases on firmware after firmware, which is their state ---- */

#define FIRMWARE_1 "1.7.7"
#define FIRMWARE_2 "2.0.0+adafruit"
#define FIRMWARE_3 "3.3.0"

static inline bool is(void **state, const char *firmware)
{
    return strcmp(*state, firmware) == 0;
}

/* A case on firmware 1, 2 or 3. Who has such cases has their setup(). */
#define AT(test, version)                                                                                    \
    {                                                                                                        \
        .name = #test " v" #version, .test_func = test, .setup_func = setup, .teardown_func = close_chip,    \
        .initial_state = (char[])                                                                            \
        {                                                                                                    \
            FIRMWARE_##version                                                                               \
        }                                                                                                    \
    }
#define ALL(test) AT(test, 1), AT(test, 2), AT(test, 3)

#endif
