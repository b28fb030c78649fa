/* The program, the page and the ticker on one board at once: no deadlock, nothing torn. */
#include <pthread.h>
#include <unistd.h>

#include "sim/testing.h"

static bool stop;

static void *page(void *arg)
{
    sim_board_t *b = arg;
    sim_picture_t p = {0};
    uint64_t seen = 0;
    char msg[SIM_MSG_CAP];
    cJSON *touch = cJSON_Parse("{\"touch\": [5, 6]}"), *up = cJSON_Parse("{\"touch\": null}");
    for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        cJSON *state = sim_board_state(b, seen);
        seen = (uint64_t)cJSON_GetObjectItem(state, "revision")->valuedouble;
        cJSON_Delete(state);
        const adder_err_t err = sim_board_picture(b, NULL, &p);
        if (err == ADDER_OK && (p.width != 320 || p.height != 240))
            abort();
        if (sim_board_control(b, "touch", i % 2 == 0 ? touch : up, msg, sizeof msg) != ADDER_OK)
            abort();
    }
    cJSON_Delete(touch);
    cJSON_Delete(up);
    sim_picture_free(&p);
    return NULL;
}

static void *ticker(void *arg)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        sim_board_poll(arg);
        usleep(1000);
    }
    return NULL;
}

static void three_threads(void **state)
{
    bench_t *t = calloc(1, sizeof *t);
    static uint8_t frame[320 * 240 * 2];
    pthread_t threads[2];
    (void)state;
    t->board = sim_board_open("boards/pyportal.json", NULL, t->msg, sizeof t->msg);
    assert_non_null(t->board);
    t->mcu = sim_board_mcu(t->board);
    pthread_create(&threads[0], NULL, page, t->board);
    pthread_create(&threads[1], NULL, ticker, t->board);
    bench_display_start(t);
    const uint64_t end = bench_real_us() + 300000;
    while (bench_real_us() < end) {
        double x, y, z;
        bench_window(t, 0, 0, 319, 239, frame, sizeof frame);
        bench_touch_read(t, &x, &y, &z);
    }
    sim_board_reset(t->board, ADDER_RESET_SOFTWARE);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    void *bench = t;
    bench_teardown(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(three_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
