/* What tools/sizes.py reads the size of a context off. */
#include "adder/mqtt.h"

extern const char adder_mqtt_context[sizeof(adder_mqtt_t)];
const char adder_mqtt_context[sizeof(adder_mqtt_t)] = {0};
