/* Any datagrams as replies: the invariants of adder/dns.h.
 *
 * First byte: bit 0 is the family. Then datagrams, each with its
 * length in two bytes (0x8000 added: header and question are put right, so that the records are reached). */
#include <stdlib.h>
#include <string.h>

#include "adder/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
    if (!kept)
        abort();
}

static uint32_t next_id(void *ctx)
{
    return (*(uint32_t *)ctx)++;
}

typedef struct {
    const uint8_t *at;
    size_t left;
} input_t;

/* One datagram of the input in memory of exactly its size (1). */
static uint8_t *take_datagram(input_t *in, const uint8_t *request, size_t request_len, size_t *len_out)
{
    if (in->left < 2)
        return NULL;
    unsigned head = (unsigned)in->at[0] << 8 | in->at[1];
    size_t len = head & 0x3ff;
    in->at += 2;
    in->left -= 2;
    if (len > in->left)
        len = in->left;
    bool fit = (head & 0x8000u) != 0 && len >= 6;
    *len_out = fit ? len + request_len - 6 : len;
    uint8_t *bytes = malloc(*len_out > 0 ? *len_out : 1);
    if (bytes != NULL && fit) {
        memcpy(bytes, request, request_len);
        bytes[2] = 0x81;
        bytes[3] = in->at[0] & 0x0f;
        bytes[7] = in->at[1];
        bytes[9] = in->at[2];
        memcpy(bytes + request_len, in->at + 6, len - 6);
    } else if (bytes != NULL && len > 0) {
        memcpy(bytes, in->at, len);
    }
    in->at += len;
    in->left -= len;
    return bytes;
}

static void check_result(const adder_dns_query_t *q, adder_err_t result, adder_ip_family_t family)
{
    if (result == ADDER_ERR_AGAIN)
        return;
    check((result == ADDER_OK) == (q->n_ips > 0) && q->n_ips <= ADDER_DNS_IPS); /* 4 */
    for (size_t i = 0; i < q->n_ips; i++)
        check(q->ips[i].family == family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    input_t in = {data + 1, size - 1};
    adder_ip_family_t family = data[0] & 1 ? ADDER_IP_V6 : ADDER_IP_V4;
    uint32_t seed = 0x1234, now = 0xffffff00;
    adder_ip_t servers[2] = {adder_ip_v4(192, 0, 2, 1), adder_ip_v4(192, 0, 2, 2)};
    adder_dns_record_t cache[2];
    adder_dns_t dns;
    adder_dns_query_t q, again;
    memset(cache, 0, sizeof cache);
    adder_dns_init(&dns, servers, 2, next_id, &seed, cache, 2);
    check(adder_dns_query_start(&q, &dns, "a.example", family, now) == ADDER_OK);

    adder_err_t result;
    unsigned requests = 0, rounds = 0;
    uint32_t wait, waited = 0;
    while ((result = adder_dns_query_tick(&q, now, &wait)) == ADDER_ERR_AGAIN) {
        uint8_t request[ADDER_DNS_REQUEST];
        size_t request_len, len;
        adder_endpoint_t to;
        check(++rounds < 10000);
        if (adder_dns_query_out(&q, request, sizeof request, &request_len, &to) != ADDER_OK) {
            now += wait;
            waited += wait;
            continue;
        }
        check(++requests <= 2 * ADDER_DNS_ROUNDS * 9 && waited <= 9 * 21000); /* 3 */
        adder_dns_query_sent(&q, now);
        uint8_t *reply = take_datagram(&in, request, request_len, &len);
        if (reply != NULL) {
            adder_dns_query_t before = q;
            adder_endpoint_t stranger = to;
            stranger.port ^= 1;
            check(!adder_dns_query_in(&q, &stranger, reply, len, now));
            check(memcmp(&q, &before, sizeof q) == 0); /* 2 */
            bool taken = adder_dns_query_in(&q, &to, reply, len, now);
            if (!taken)
                check(memcmp(&q, &before, sizeof q) == 0);
            if (taken)
                check(len >= 12 && reply[0] == request[0] && reply[1] == request[1]);
        }
        free(reply);
        if (adder_dns_query_tick(&q, now, &wait) == ADDER_ERR_AGAIN) {
            now += wait;
            waited += wait;
        }
    }
    check_result(&q, result, family);
    check(adder_dns_query_start(&again, &dns, "a.example", family, now) == ADDER_OK);
    result = adder_dns_query_tick(&again, now, &wait);
    check_result(&again, result, family);
    if (result == ADDER_OK) { /* 5 */
        check(again.n_ips == q.n_ips);
        for (size_t i = 0; i < q.n_ips; i++)
            check(adder_ip_equal(&again.ips[i], &q.ips[i]));
    }
    check(adder_dns_query_start(&again, &dns, "a.example", family, now + 86400000) == ADDER_OK);
    check(adder_dns_query_tick(&again, now + 86400000, &wait) == ADDER_ERR_AGAIN);
    return 0;
}
