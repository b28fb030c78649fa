#include "sim/radio.h"
adder_err_t radio_net_create(sim_radio_t *r)
{
    (void)r;
    return ADDER_OK;
}
void radio_net_destroy(sim_radio_t *r)
{
    (void)r;
}
void radio_net_close_all(sim_radio_t *r)
{
    (void)r;
}
unsigned radio_net_open(const sim_radio_t *r)
{
    (void)r;
    return 0;
}
