/* Any bytes as a board file: refused with a message, or a board that can be used and closed. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char msg[SIM_MSG_CAP] = "";
    cJSON *run = cJSON_Parse("{\"clock\": \"virtual\", \"seed\": 1}");
    sim_board_t *b = sim_board_open_text("f", (const char *)data, size, run, msg, sizeof msg);
    cJSON_Delete(run);
    if (b == NULL) {
        if (msg[0] == 0 || memchr(msg, 0, sizeof msg) == NULL)
            abort(); /* invariant: a refusal says why */
        return 0;
    }
    const adder_mcu_t *mcu = sim_board_mcu(b);
    for (uint16_t pin = 0; pin < mcu->pin_count; pin++) {
        bool level;
        uint16_t value;
        ADDER_IGNORE(mcu->gpio->mode(mcu->ctx, pin, ADDER_PIN_OUT, true), "any answer is fine");
        ADDER_IGNORE(mcu->gpio->write(mcu->ctx, pin, false), "any answer is fine");
        ADDER_IGNORE(mcu->gpio->read(mcu->ctx, pin, &level), "any answer is fine");
        ADDER_IGNORE(mcu->pin->adc_read(mcu->ctx, pin, &value), "any answer is fine");
    }
    sim_board_advance(b, 1000000);
    cJSON_Delete(sim_board_describe(b));
    cJSON_Delete(sim_board_state(b, 0));
    cJSON_Delete(sim_board_report(b));
    sim_board_close(b);
    return 0;
}
