/* MQTT topics and filters: are they well-formed, do they match, and whose callback is it (4.7, 4.8.2).
 *
 *     static adder_mqtt_route_t room = {.filter = {"home/+/temperature", 18}, .fn = show};
 *     adder_mqtt_router_add(&router, &room);
 *     n = adder_mqtt_router_call(&router, piece);       // 0: no filter has matched
 *
 * '+' stands for one level, '#' for the level before it and all below. Neither matches a first level that
 * begins with '$' [MQTT-4.7.2-1]. "$share/name/filter" matches what `filter` does.
 *
 * No allocation: routes are the caller's, linked. Threading: one thread at a time. RAM on 32 bits: router
 * 4 bytes, route 20. Stack 80.
 *
 * Invariants for any bytes (fuzzed): 1. nothing outside of the texts is read; 2. a filter without
 * wildcards matches itself alone; 3. the time is linear in the lengths; 4. what is_topic accepts, is_filter
 * does, and it is matched by "#" if it does not begin with '$'. */
#ifndef ADDER_MQTT_MATCH_H
#define ADDER_MQTT_MATCH_H

#include "adder/mqtt.h"

/* UTF-8 as the standard has it (1.5.4): no surrogates, no NUL, at most 65535 bytes. May be empty. */
bool adder_mqtt_is_text(adder_mqtt_str_t text);
/* A topic to publish to: text of 1 byte at least without '+' and '#'. */
bool adder_mqtt_is_topic(adder_mqtt_str_t topic);
/* A filter: text, '#' only as the last level and '+' only as a whole one; of "$share/name/filter" the name
 * is not empty and has no wildcard, and the filter is not empty. */
bool adder_mqtt_is_filter(adder_mqtt_str_t filter);
/* "$share/name/filter". */
bool adder_mqtt_is_shared(adder_mqtt_str_t filter);

/* Both well-formed. */
bool adder_mqtt_matches(adder_mqtt_str_t filter, adder_mqtt_str_t topic);

/* One filter and what to call. Linked while it is in a router. */
typedef struct adder_mqtt_route {
    adder_mqtt_str_t filter; /* the text stays the caller's and in place */
    adder_err_t (*fn)(void *ctx, const adder_mqtt_piece_t *piece);
    void *ctx;
    struct adder_mqtt_route *next; /* private */
} adder_mqtt_route_t;

/* Zeroed = empty. */
typedef struct {
    adder_mqtt_route_t *first;
} adder_mqtt_router_t;

/* Behind those that are there; the same filter may be there more than once. ADDER_ERR_ARG: not a filter. */
adder_err_t adder_mqtt_router_add(adder_mqtt_router_t *r, adder_mqtt_route_t *route) ADDER_MUST_USE;
/* Not in it: nothing happens. Also from within its own callback. */
void adder_mqtt_router_remove(adder_mqtt_router_t *r, adder_mqtt_route_t *route);

/* Call all that match, in order; *n_out is how many, may be NULL. The first result that is not OK is the
 * result, and the last call but for AGAIN from the first route: a later route's AGAIN would have the earlier
 * ones called twice, so it counts as OK. */
adder_err_t adder_mqtt_router_call(adder_mqtt_router_t *r, const adder_mqtt_piece_t *piece,
                                   size_t *n_out) ADDER_MUST_USE;

#endif
