/* What the outside sees of the air and turns (sim/network.h). */
#include <string.h>

#include "sim/network.h"

sim_ap_t *sim_network_shown_ap(sim_network_t *net, sim_ap_t *joined)
{
    return joined != NULL ? joined : net->ap_count > 0 ? &net->aps[0] : NULL;
}

bool sim_network_has_ap(const sim_network_t *net, const char *ssid)
{
    for (size_t i = 0; i < net->ap_count; i++)
        if (strcmp(net->aps[i].ssid, ssid) == 0)
            return true;
    return false;
}

void sim_network_switch_ap(sim_network_t *net, const char *ssid, bool up)
{
    for (size_t i = 0; i < net->ap_count; i++)
        if (strcmp(net->aps[i].ssid, ssid) == 0)
            net->aps[i].up = up;
}

void sim_network_describe(const sim_network_t *net, const sim_ap_t *shown, cJSON *into)
{
    cJSON_AddBoolToObject(into, "wifi", net->wifi);
    cJSON_AddNumberToObject(into, "rssi", shown != NULL ? shown->rssi : -100);
    cJSON *aps = cJSON_AddArrayToObject(into, "access_points");
    for (size_t i = 0; i < net->ap_count; i++) {
        cJSON *a = cJSON_CreateObject();
        cJSON_AddStringToObject(a, "ssid", net->aps[i].ssid);
        cJSON_AddBoolToObject(a, "up", net->aps[i].up);
        cJSON_AddNumberToObject(a, "rssi", net->aps[i].rssi);
        cJSON_AddItemToArray(aps, a);
    }
}
