/* Any bytes as a timeline: refused with a message, or played to its end. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char board[] =
    "{\"id\": \"x\", \"name\": \"X\", \"mcu\": {\"chip\": \"m\", \"pins\": {\"D3\": \"digital adc\", \"D4\": "
    "\"digital\"}},"
    "\"chips\": [{\"id\": \"touch\", \"type\": \"resistive_touch\", \"size\": [320, 240],"
    "\"calibration\": [[5200, 59000], [5800, 57000]], \"wires\": {\"xl\": \"D3\"}},"
    "{\"id\": \"light\", \"type\": \"light_sensor\"}, {\"id\": \"a\", \"type\": \"button\", \"wires\": "
    "{\"out\": \"D4\"}}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char msg[SIM_MSG_CAP] = "";
    cJSON *run = cJSON_Parse("{\"clock\": \"virtual\", \"seed\": 1}");
    sim_board_t *b = sim_board_open_text("f", board, sizeof board - 1, run, msg, sizeof msg);
    cJSON_Delete(run);
    if (b == NULL)
        abort();
    if (sim_board_timeline_text(b, "t", (const char *)data, size, msg, sizeof msg) == ADDER_OK) {
        sim_board_timeline_start(b);
        sim_board_advance(b, 1000001000000u);
        if (sim_board_timeline_left(b) != 0)
            abort(); /* invariant: everything accepted is played */
    } else if (msg[0] == 0 || memchr(msg, 0, sizeof msg) == NULL) {
        abort(); /* invariant: a refusal says why */
    }
    sim_board_close(b);
    return 0;
}
