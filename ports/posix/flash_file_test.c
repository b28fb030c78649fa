/* A log in a file: it is there again when the file is opened again, and nobody else has it meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "ports/posix/flash_file.h"

static char path[] = "/tmp/adder_flash_XXXXXX";

static void a_log_is_there_again(void **state)
{
    (void)state;
    adder_posix_flash_t f, other;
    adder_store_log_t log;
    for (uint32_t round = 0; round < 200; round++) { /* with copies in between */
        assert_int_equal(adder_posix_flash_open(&f, path, 8192), ADDER_OK);
        assert_int_equal(adder_posix_flash_open(&other, path, 8192), ADDER_ERR_IN_USE);
        assert_int_equal(adder_store_log_open(&log, &f.flash), ADDER_OK);
        const adder_store_t s = adder_store_log(&log);
        uint32_t value = 0;
        size_t len = 0;
        const adder_err_t err = s.ops->read(s.ctx, 1, 0, &value, sizeof value, &len);
        assert_true(round == 0 ? err == ADDER_ERR_NOT_FOUND : err == ADDER_OK && value == round);
        value = round + 1;
        char text[60] = {0};
        const adder_store_change_t c = {
            .key = 1, .bytes = &value, .len = sizeof value, .more = text, .more_len = sizeof text};
        assert_int_equal(s.ops->write(s.ctx, &c, 1), ADDER_OK);
        adder_posix_flash_close(&f);
    }
    struct stat st;
    assert_true(stat(path, &st) == 0 && st.st_size == 8192);
}

static void what_cannot_be_opened(void **state)
{
    (void)state;
    adder_posix_flash_t f;
    assert_int_equal(adder_posix_flash_open(&f, path, 4096), ADDER_ERR_ARG);
    assert_int_equal(adder_posix_flash_open(&f, "/nonexistent/x", 8192), ADDER_ERR_NO_FILE);
    adder_posix_flash_close(&f);
}

static int make(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int clean(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_is_there_again),
        cmocka_unit_test(what_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
