#include "adder/dns.h"

#include <string.h>

#include "adder/bytes.h"
#include "src/net/dns_wire.h"

enum {
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_AAAA = 28,
    RCODE_NAME = 3,
    HOPS_MAX = 8,
    TTL_MAX_S = 86400,
    TTL_NONE_MAX_S = 300,
    FIRST_WAIT_MS = 1000,
};

/* ---- names ---- */

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool name_from_text(dns_name_t *name, const char *text)
{
    size_t start = 0;
    memset(name, 0, sizeof *name);
    for (size_t i = 0;; i++) {
        char c = text[i];
        size_t label = i - start;
        if (c != '.' && c != '\0') {
            /* Room for this character and the root. */
            if (!is_host_char(c) || label >= 63 || i + 1 >= sizeof name->bytes - 1)
                return false;
            name->bytes[i + 1] = dns_lower((uint8_t)c);
            continue;
        }
        if (label == 0) /* "", "a..b", ".a"; one dot at the end is the root */
            return c == '\0' && i > 0;
        name->bytes[start] = (uint8_t)label;
        name->len = (uint8_t)(i + 2);
        if (c == '\0')
            return true;
        start = i + 1;
    }
}

/* Is a name of a message this one, which is in lower case? (Lengths of labels are below the letters.) */
static bool is_name(const dns_name_t *a, const uint8_t *bytes, size_t len)
{
    if (a->len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (dns_lower(a->bytes[i]) != bytes[i])
            return false;
    return true;
}

/* Does it end in this label, given with its length and the root behind it? */
static bool ends_in(const dns_name_t *name, const char *label_and_root, size_t len)
{
    size_t at = 0;
    while (at < name->len) {
        if (name->len - at == len)
            return memcmp(name->bytes + at, label_and_root, len) == 0;
        at += 1u + name->bytes[at];
    }
    return false;
}

/* Is the last label a number to some parser (decimal, octal, hexadecimal)? */
static bool ends_in_number(const dns_name_t *name)
{
    size_t at = 0, last = 0;
    while (name->bytes[at] != 0) {
        last = at;
        at += 1u + name->bytes[at];
    }
    const uint8_t *label = name->bytes + last + 1;
    size_t len = name->bytes[last], i = 0;
    bool hex = len >= 2 && label[0] == '0' && label[1] == 'x';
    for (i = hex ? 2 : 0; i < len; i++) {
        if (!(label[i] >= '0' && label[i] <= '9') && !(hex && label[i] >= 'a' && label[i] <= 'f'))
            return false;
    }
    return true;
}

/* ---- cache ---- */

static bool is_fresh(const adder_dns_record_t *r, uint32_t now_ms)
{
    return r->name_len > 0 && now_ms - r->since_ms < r->ttl_ms;
}

/* Frees what has run out: a record must not come back to life when the clock wraps. */
static void cache_sweep(adder_dns_t *dns, uint32_t now_ms)
{
    for (size_t i = 0; i < dns->priv.n_cache; i++) {
        if (!is_fresh(&dns->priv.cache[i], now_ms))
            dns->priv.cache[i].name_len = 0;
    }
}

static const adder_dns_record_t *cache_find(const adder_dns_query_t *q)
{
    const adder_dns_t *dns = q->priv.dns;
    for (size_t i = 0; q->priv.key_len > 0 && i < dns->priv.n_cache; i++) {
        const adder_dns_record_t *r = &dns->priv.cache[i];
        if (r->name_len == q->priv.key_len && r->family == q->priv.family &&
            memcmp(r->name, q->priv.key, r->name_len) == 0)
            return r;
    }
    return NULL;
}

/* In the place of an older answer, a free one, or the one that would go first. */
static void cache_put(const adder_dns_query_t *q, uint32_t ttl_s, uint32_t now_ms)
{
    adder_dns_t *dns = q->priv.dns;
    if (q->priv.key_len == 0 || dns->priv.n_cache == 0 || ttl_s == 0)
        return;
    cache_sweep(dns, now_ms);
    const adder_dns_record_t *same = cache_find(q);
    adder_dns_record_t *best = &dns->priv.cache[0];
    uint32_t best_left = UINT32_MAX;
    for (size_t i = 0; i < dns->priv.n_cache; i++) {
        adder_dns_record_t *r = &dns->priv.cache[i];
        uint32_t left = r->name_len == 0 ? 0 : r->ttl_ms - (now_ms - r->since_ms);
        if (r == same || left < best_left) {
            best = r;
            best_left = left;
        }
        if (r == same)
            break;
    }
    memset(best, 0, sizeof *best);
    memcpy(best->name, q->priv.key, q->priv.key_len);
    best->name_len = q->priv.key_len;
    best->family = q->priv.family;
    best->n_ips = q->n_ips;
    for (size_t i = 0; i < q->n_ips; i++)
        memcpy(best->ips[i], q->ips[i].bytes, 16);
    best->since_ms = now_ms;
    best->ttl_ms = ttl_s * 1000;
}

void adder_dns_init(adder_dns_t *dns, const adder_ip_t *servers, size_t n_servers, adder_random_fn random,
                    void *random_ctx, adder_dns_record_t *cache, size_t n_cache)
{
    adder_endpoint_t list[ADDER_DNS_SERVERS];
    if (n_servers > ADDER_DNS_SERVERS)
        n_servers = ADDER_DNS_SERVERS;
    for (size_t i = 0; i < n_servers; i++)
        list[i] = (adder_endpoint_t){servers[i], ADDER_DNS_PORT};
    memset(dns, 0, sizeof *dns);
    dns->priv.random = random;
    dns->priv.random_ctx = random_ctx;
    dns->priv.cache = cache;
    dns->priv.n_cache = n_cache;
    adder_dns_set_servers(dns, list, n_servers);
}

void adder_dns_set_servers(adder_dns_t *dns, const adder_endpoint_t *servers, size_t n_servers)
{
    dns->priv.n_servers = 0;
    for (size_t i = 0; i < n_servers && i < ADDER_DNS_SERVERS; i++) {
        adder_endpoint_t *s = &dns->priv.servers[dns->priv.n_servers++];
        *s = servers[i];
        s->ip = adder_ip_unmap(&s->ip);
        if (s->port == 0)
            s->port = ADDER_DNS_PORT;
    }
    if (dns->priv.n_cache > 0)
        memset(dns->priv.cache, 0, dns->priv.n_cache * sizeof *dns->priv.cache);
}

/* ---- the course of a query ---- */

static void finish(adder_dns_query_t *q, adder_err_t result)
{
    if (result != ADDER_OK)
        q->n_ips = 0;
    q->priv.result = result;
}

static void send_in(adder_dns_query_t *q, uint32_t now_ms, uint32_t span_ms)
{
    const adder_dns_t *dns = q->priv.dns;
    q->priv.waiting = false;
    q->priv.from_ms = now_ms;
    q->priv.span_ms = span_ms;
    q->priv.id = (uint16_t)dns->priv.random(dns->priv.random_ctx);
}

static const adder_endpoint_t *server_of(const adder_dns_query_t *q)
{
    const adder_dns_t *dns = q->priv.dns;
    return dns->priv.n_servers == 0 ? NULL : &dns->priv.servers[q->priv.attempt % dns->priv.n_servers];
}

static uint32_t round_ms(const adder_dns_query_t *q)
{
    unsigned round = q->priv.attempt / q->priv.dns->priv.n_servers; /* servers may have become fewer */
    return (uint32_t)FIRST_WAIT_MS << (round < ADDER_DNS_ROUNDS ? round : ADDER_DNS_ROUNDS - 1);
}

/* The server said nothing, or no. Behind the last one of a round a "no" waits out its time: servers that
 * fail at once must not be asked in a burst. */
static void next_server(adder_dns_query_t *q, uint32_t now_ms, adder_err_t cause)
{
    unsigned servers = q->priv.dns->priv.n_servers;
    uint32_t pause = cause == ADDER_ERR_REFUSED && (q->priv.attempt + 1u) % servers == 0 ? round_ms(q) : 0;
    if (q->priv.cause != ADDER_ERR_REFUSED) /* what a server said outweighs silence */
        q->priv.cause = cause;
    q->priv.attempt++;
    if (q->priv.attempt >= servers * ADDER_DNS_ROUNDS)
        finish(q, q->priv.cause);
    else
        send_in(q, now_ms, pause);
}

static void answer_bytes(adder_dns_query_t *q, const uint8_t *bytes)
{
    if (q->n_ips == ADDER_DNS_IPS)
        return;
    adder_ip_t *ip = &q->ips[q->n_ips++];
    *ip = q->priv.family == ADDER_IP_V6 ? adder_ip_v6(bytes)
                                        : adder_ip_v4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

static bool answer_local(adder_dns_query_t *q, const dns_name_t *name)
{
    static const uint8_t v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};
    if (ends_in(name, "\011localhost", 11)) {
        answer_bytes(q, q->priv.family == ADDER_IP_V6 ? v6 : v4);
        finish(q, ADDER_OK);
        return true;
    }
    if (ends_in(name, "\007invalid", 9)) {
        finish(q, ADDER_ERR_NOT_FOUND);
        return true;
    }
    const adder_dns_record_t *r = cache_find(q);
    if (r == NULL)
        return false;
    for (size_t i = 0; i < r->n_ips; i++)
        answer_bytes(q, r->ips[i]);
    finish(q, r->n_ips > 0 ? ADDER_OK : ADDER_ERR_NOT_FOUND);
    return true;
}

adder_err_t adder_dns_query_start(adder_dns_query_t *q, adder_dns_t *dns, const char *text,
                                  adder_ip_family_t family, uint32_t now_ms)
{
    dns_name_t name;
    adder_ip_t ip;
    memset(q, 0, sizeof *q);
    q->priv.dns = dns;
    q->priv.result = ADDER_ERR_STATE;
    q->priv.family = (uint8_t)family;
    if (family != ADDER_IP_V4 && family != ADDER_IP_V6)
        return ADDER_ERR_ARG;
    if (adder_ip_parse(text, strlen(text), &ip) == ADDER_OK) {
        if (ip.family == family)
            q->ips[q->n_ips++] = ip;
        finish(q, ip.family == family ? ADDER_OK : ADDER_ERR_NOT_FOUND);
        return ADDER_OK;
    }
    if (!name_from_text(&name, text) || ends_in_number(&name))
        return ADDER_ERR_FORMAT;
    memcpy(q->priv.name, name.bytes, name.len);
    q->priv.name_len = name.len;
    if (name.len <= ADDER_DNS_CACHED) {
        memcpy(q->priv.key, name.bytes, name.len);
        q->priv.key_len = name.len;
    }
    cache_sweep(dns, now_ms);
    if (answer_local(q, &name))
        return ADDER_OK;
    q->priv.result = ADDER_ERR_AGAIN;
    q->priv.ttl_s = TTL_MAX_S;
    send_in(q, now_ms, 0);
    return ADDER_OK;
}

adder_err_t adder_dns_query_tick(adder_dns_query_t *q, uint32_t now_ms, uint32_t *wait_ms_out)
{
    *wait_ms_out = 0;
    if (q->priv.result == ADDER_ERR_AGAIN && server_of(q) == NULL)
        finish(q, ADDER_ERR_STATE);
    if (q->priv.result == ADDER_ERR_AGAIN && q->priv.waiting && now_ms - q->priv.from_ms >= q->priv.span_ms)
        next_server(q, now_ms, ADDER_ERR_TIMEOUT);
    if (q->priv.result != ADDER_ERR_AGAIN)
        return q->priv.result;
    uint32_t past = now_ms - q->priv.from_ms;
    if (past < q->priv.span_ms)
        *wait_ms_out = q->priv.span_ms - past;
    else
        q->priv.span_ms = 0; /* due, and stays so whatever the clock does */
    return ADDER_ERR_AGAIN;
}

adder_err_t adder_dns_query_out(adder_dns_query_t *q, uint8_t *out, size_t cap, size_t *len_out,
                                adder_endpoint_t *to_out)
{
    const adder_endpoint_t *server = server_of(q);
    *len_out = 0;
    if (q->priv.result != ADDER_ERR_AGAIN || q->priv.waiting || q->priv.span_ms > 0 || server == NULL)
        return ADDER_ERR_AGAIN;
    size_t len = DNS_HEADER + q->priv.name_len + 4u;
    if (cap < len)
        return ADDER_ERR_NOSPACE;
    memset(out, 0, DNS_HEADER);
    out[0] = (uint8_t)(q->priv.id >> 8);
    out[1] = (uint8_t)q->priv.id;
    out[2] = 0x01; /* recursion desired */
    out[5] = 1;    /* one question */
    memcpy(out + DNS_HEADER, q->priv.name, q->priv.name_len);
    uint8_t *tail = out + DNS_HEADER + q->priv.name_len;
    tail[0] = 0;
    tail[1] = q->priv.family == ADDER_IP_V6 ? TYPE_AAAA : TYPE_A;
    tail[2] = 0;
    tail[3] = CLASS_IN;
    *len_out = len;
    *to_out = *server;
    return ADDER_OK;
}

void adder_dns_query_sent(adder_dns_query_t *q, uint32_t now_ms)
{
    if (q->priv.result != ADDER_ERR_AGAIN || q->priv.waiting || server_of(q) == NULL)
        return;
    q->priv.waiting = true;
    q->priv.from_ms = now_ms;
    q->priv.span_ms = round_ms(q);
}

/* ---- replies ---- */

typedef struct {
    const uint8_t *msg;
    size_t len;
    size_t answers; /* where the records begin */
    unsigned n_answers, n_authority;
} reply_t;

typedef struct {
    dns_name_t owner;
    unsigned type;
    uint32_t ttl_s;
    size_t data; /* position of the record's data in the message */
    size_t data_len;
} record_t;

/* The record at *pos, which is moved behind it. Records of other classes get type 0. */
static bool read_record(const reply_t *r, size_t *pos, record_t *out)
{
    if (!dns_read_name(r->msg, r->len, pos, &out->owner))
        return false;
    adder_cursor_t c = adder_cursor(r->msg + *pos, r->len - *pos);
    unsigned type = adder_cursor_be16(&c);
    unsigned class = adder_cursor_be16(&c);
    uint32_t ttl = adder_cursor_be32(&c);
    out->data_len = adder_cursor_be16(&c);
    out->data = *pos + 10;
    adder_cursor_skip(&c, out->data_len);
    if (c.failed)
        return false;
    out->type = class == CLASS_IN ? type : 0;
    out->ttl_s = ttl > INT32_MAX ? 0 : ttl > TTL_MAX_S ? TTL_MAX_S : ttl; /* RFC 2181 section 8 */
    *pos = out->data + out->data_len;
    return (type != TYPE_A || out->data_len == 4) && (type != TYPE_AAAA || out->data_len == 16);
}

/* For how long "no" holds: the smaller of the SOA's own life and its last field (RFC 2308 section 5).
 * False: a record is malformed. */
static bool read_authority(const reply_t *r, size_t pos, uint32_t *ttl_s_out, bool *has_soa_out)
{
    record_t record;
    *ttl_s_out = 0;
    *has_soa_out = false;
    for (unsigned i = 0; i < r->n_authority; i++) {
        if (!read_record(r, &pos, &record))
            return false;
        if (record.type != TYPE_SOA || record.data_len < 20)
            continue;
        adder_cursor_t c = adder_cursor(r->msg + record.data + record.data_len - 4, 4);
        uint32_t minimum = adder_cursor_be32(&c);
        *has_soa_out = true;
        *ttl_s_out = record.ttl_s < minimum ? record.ttl_s : minimum;
        if (*ttl_s_out > TTL_NONE_MAX_S)
            *ttl_s_out = TTL_NONE_MAX_S;
    }
    return true;
}

/* Every answer can be read; *pos_out is behind the last. */
static bool are_answers_sound(const reply_t *r, size_t *pos_out)
{
    record_t record;
    size_t pos = r->answers;
    for (unsigned i = 0; i < r->n_answers; i++) {
        dns_name_t target;
        if (!read_record(r, &pos, &record))
            return false;
        size_t at = record.data;
        if (record.type == TYPE_CNAME && (!dns_read_name(r->msg, r->len, &at, &target) || at != pos))
            return false;
    }
    *pos_out = pos;
    return true;
}

/* Addresses of the name asked for now; or one step along its CNAME: true. */
static bool collect(adder_dns_query_t *q, const reply_t *r)
{
    record_t record;
    size_t pos = r->answers, target = 0;
    unsigned want = q->priv.family == ADDER_IP_V6 ? TYPE_AAAA : TYPE_A;
    uint32_t target_ttl_s = 0;
    for (unsigned i = 0; i < r->n_answers && read_record(r, &pos, &record); i++) {
        if (!is_name(&record.owner, q->priv.name, q->priv.name_len))
            continue;
        if (record.type == want) {
            answer_bytes(q, r->msg + record.data);
            if (record.ttl_s < q->priv.ttl_s)
                q->priv.ttl_s = record.ttl_s;
        } else if (record.type == TYPE_CNAME && target == 0) {
            target = record.data;
            target_ttl_s = record.ttl_s;
        }
    }
    if (q->n_ips > 0 || target == 0)
        return false;
    dns_name_t name;
    if (!dns_read_name(r->msg, r->len, &target, &name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        q->priv.name[i] = dns_lower(name.bytes[i]);
    q->priv.name_len = name.len;
    q->priv.hops++;
    if (target_ttl_s < q->priv.ttl_s)
        q->priv.ttl_s = target_ttl_s;
    return true;
}

static void take_answers(adder_dns_query_t *q, const reply_t *r, size_t authority, bool no_name,
                         uint32_t now_ms)
{
    uint32_t none_ttl_s;
    bool has_soa, moved = false;
    while (q->priv.hops <= HOPS_MAX && collect(q, r))
        moved = true;
    if (q->priv.hops > HOPS_MAX) {
        finish(q, ADDER_ERR_FORMAT);
        return;
    }
    if (q->n_ips > 0) {
        finish(q, ADDER_OK);
        cache_put(q, q->priv.ttl_s, now_ms);
        return;
    }
    if (!read_authority(r, authority, &none_ttl_s, &has_soa))
        none_ttl_s = 0;                  /* only a hint is lost */
    if (moved && !no_name && !has_soa) { /* the chain leads out of this reply: ask for its end */
        q->priv.attempt = 0;
        q->priv.cause = ADDER_OK;
        send_in(q, now_ms, 0);
        return;
    }
    finish(q, ADDER_ERR_NOT_FOUND);
    cache_put(q, none_ttl_s < q->priv.ttl_s ? none_ttl_s : q->priv.ttl_s, now_ms);
}

static bool is_our_question(const adder_dns_query_t *q, const reply_t *r, size_t *pos)
{
    dns_name_t name;
    if (!dns_read_name(r->msg, r->len, pos, &name) || !is_name(&name, q->priv.name, q->priv.name_len))
        return false;
    adder_cursor_t c = adder_cursor(r->msg + *pos, r->len - *pos);
    unsigned type = adder_cursor_be16(&c);
    unsigned class = adder_cursor_be16(&c);
    *pos += 4;
    return !c.failed && type == (q->priv.family == ADDER_IP_V6 ? TYPE_AAAA : TYPE_A) && class == CLASS_IN;
}

bool adder_dns_query_in(adder_dns_query_t *q, const adder_endpoint_t *from, const uint8_t *bytes, size_t len,
                        uint32_t now_ms)
{
    const adder_endpoint_t *server = server_of(q);
    if (q->priv.result != ADDER_ERR_AGAIN || !q->priv.waiting || server == NULL)
        return false;
    adder_endpoint_t sender = {adder_ip_unmap(&from->ip), from->port};
    if (!adder_endpoint_equal(&sender, server))
        return false;
    adder_cursor_t c = adder_cursor(bytes, len);
    unsigned id = adder_cursor_be16(&c);
    unsigned flags = adder_cursor_be16(&c);
    unsigned questions = adder_cursor_be16(&c);
    reply_t r = {.msg = bytes, .len = len, .answers = DNS_HEADER};
    r.n_answers = adder_cursor_be16(&c);
    r.n_authority = adder_cursor_be16(&c);
    adder_cursor_skip(&c, 2); /* additional records are not needed */
    /* A reply (bit 15) to a plain query (opcode 0) of ours. */
    if (c.failed || id != q->priv.id || (flags & 0xf800u) != 0x8000u || questions != 1 ||
        !is_our_question(q, &r, &r.answers))
        return false;
    unsigned rcode = flags & 15;
    size_t authority;
    if ((flags & 0x0200u) != 0)
        finish(q, ADDER_ERR_END);
    else if (rcode != 0 && rcode != RCODE_NAME)
        next_server(q, now_ms, ADDER_ERR_REFUSED);
    else if (!are_answers_sound(&r, &authority))
        return false;
    else
        take_answers(q, &r, authority, rcode == RCODE_NAME, now_ms);
    return true;
}
