/* The texts of the reason codes. */
#include "adder/mqtt.h"

const char *adder_mqtt_reason_str(uint8_t reason)
{
    static const struct {
        uint8_t code;
        const char *text;
    } reasons[] = {
#define ROW(name, code, text) {code, text},
        ADDER_MQTT_REASONS(ROW)
#undef ROW
    };
    for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].code == reason) {
            return reasons[i].text;
        }
    }
    return "unknown reason";
}
