#include "adder/mdns.h"

#include <string.h>

#include "src/net/mdns_int.h"

enum {
    FIRST_GAP_MS = 1000,
    DETAIL_GAP_MS = 250, /* until what an answer left out is asked for again */
    DETAILS_MAX = 4,     /* questions of that kind in a message */
    ASKED_MAX = 6,
    ANNOUNCEMENTS = 2,
};

adder_ip_t adder_mdns_group(void)
{
    return adder_ip_v4(224, 0, 0, 251);
}

void adder_mdns_init(adder_mdns_t *m, adder_mdns_service_t *services, size_t n_services,
                     adder_mdns_random_fn random, void *random_ctx)
{
    memset(m, 0, sizeof *m);
    m->priv.services = services;
    m->priv.n_services = n_services < ADDER_MDNS_SERVICES ? n_services : ADDER_MDNS_SERVICES;
    m->priv.random = random;
    m->priv.random_ctx = random_ctx;
    if (m->priv.n_services > 0)
        memset(services, 0, m->priv.n_services * sizeof *services);
}

/* ---- what this device is ---- */

static void announce(adder_mdns_t *m, uint32_t now_ms)
{
    m->priv.announce = ANNOUNCEMENTS;
    m->priv.announce_ms = now_ms;
}

adder_err_t adder_mdns_set_host(adder_mdns_t *m, const char *host, const adder_ip_t *ip, uint32_t now_ms)
{
    const size_t len = strlen(host);
    if (len == 0 || len > ADDER_MDNS_LABEL || strchr(host, '.') != NULL)
        return ADDER_ERR_ARG;
    memcpy(m->priv.host, host, len + 1);
    m->priv.ip = *ip;
    announce(m, now_ms);
    return ADDER_OK;
}

adder_err_t adder_mdns_set_instance(adder_mdns_t *m, const char *instance, uint32_t now_ms)
{
    const size_t len = instance != NULL ? strlen(instance) : 0;
    if ((instance != NULL && len == 0) || len > ADDER_MDNS_LABEL)
        return ADDER_ERR_ARG;
    memcpy(m->priv.instance, instance != NULL ? instance : "", len + 1);
    announce(m, now_ms);
    return ADDER_OK;
}

/* RFC 6763 section 7: "_" and 1 to 15 characters, "_tcp" or "_udp". */
static bool type_sound(const char *type, const char *protocol)
{
    const size_t len = strlen(type);
    return len >= 2 && len <= ADDER_MDNS_TYPE && type[0] == '_' && strchr(type, '.') == NULL &&
           (strcmp(protocol, "_tcp") == 0 || strcmp(protocol, "_udp") == 0);
}

adder_err_t adder_mdns_advertise(adder_mdns_t *m, const char *type, const char *protocol, uint16_t port,
                                 const uint8_t *txt, size_t txt_len, uint32_t now_ms)
{
    adder_mdns_service_t *at = NULL;
    if (!type_sound(type, protocol) || txt_len > ADDER_MDNS_TXT)
        return ADDER_ERR_ARG;
    for (size_t i = m->priv.n_services; i-- > 0;) {
        adder_mdns_service_t *s = &m->priv.services[i];
        if (s->type[0] == '\0' && (at == NULL || at->type[0] == '\0'))
            at = s;
        if (strcmp(s->type, type) == 0 && strcmp(s->protocol, protocol) == 0)
            at = s;
    }
    if (at == NULL)
        return ADDER_ERR_NOMEM;
    strcpy(at->type, type);
    strcpy(at->protocol, protocol);
    at->port = port;
    at->txt_len = (uint8_t)txt_len;
    if (txt_len > 0)
        memcpy(at->txt, txt, txt_len);
    announce(m, now_ms);
    return ADDER_OK;
}

/* ---- finding ---- */

adder_err_t adder_mdns_find(adder_mdns_t *m, const char *type, const char *protocol,
                            adder_mdns_found_t *found, size_t cap, uint32_t timeout_ms, uint32_t now_ms)
{
    if (!type_sound(type, protocol))
        return ADDER_ERR_ARG;
    strcpy(m->priv.find.type, type);
    strcpy(m->priv.find.protocol, protocol);
    m->priv.find.found = found;
    m->priv.find.cap = cap;
    m->priv.find.start_ms = m->priv.find.next_ms = m->priv.find.detail_ms = now_ms;
    m->priv.find.timeout_ms = timeout_ms;
    m->priv.find.gap_ms = FIRST_GAP_MS;
    m->priv.find.active = true;
    m->n_found = 0;
    return ADDER_OK;
}

void adder_mdns_find_end(adder_mdns_t *m)
{
    m->priv.find.active = false;
    m->priv.find.found = NULL;
    m->priv.find.cap = m->n_found = 0;
}

static adder_mdns_found_t *found_of(adder_mdns_t *m, const dns_name_t *name, bool make)
{
    char instance[ADDER_MDNS_LABEL + 1];
    if (!mdns_is_instance(name, m->priv.find.type, m->priv.find.protocol) || !mdns_name_first(name, instance))
        return NULL;
    for (size_t i = 0; i < m->n_found; i++)
        if (mdns_is_service(name, m->priv.find.found[i].instance, m->priv.find.type, m->priv.find.protocol))
            return &m->priv.find.found[i];
    if (!make || m->n_found == m->priv.find.cap)
        return NULL;
    adder_mdns_found_t *f = &m->priv.find.found[m->n_found++];
    memset(f, 0, sizeof *f);
    memcpy(f->instance, instance, sizeof instance);
    return f;
}

static void take_ptr(adder_mdns_t *m, const uint8_t *msg, size_t len, const mdns_record_t *r)
{
    dns_name_t target;
    size_t pos = r->data;
    if (r->ttl_s > 0 && mdns_is_service(&r->name, NULL, m->priv.find.type, m->priv.find.protocol) &&
        dns_read_name(msg, len, &pos, &target))
        (void)found_of(m, &target, true);
}

static void take_srv(adder_mdns_t *m, const uint8_t *msg, size_t len, const mdns_record_t *r)
{
    adder_mdns_found_t *f = found_of(m, &r->name, false);
    dns_name_t target;
    size_t pos = r->data + 6;
    char host[ADDER_MDNS_LABEL + 1];
    if (f == NULL || r->data_len < 7 || !dns_read_name(msg, len, &pos, &target) ||
        !mdns_name_first(&target, host) || !mdns_is_host(&target, host))
        return;
    f->port = mdns_be16(msg + r->data + 4);
    if (strcmp(f->host, host) != 0)
        f->ip = (adder_ip_t){0};
    memcpy(f->host, host, sizeof host);
    f->priv.has_srv = true;
}

static void take_a(adder_mdns_t *m, const uint8_t *msg, const mdns_record_t *r)
{
    for (size_t i = 0; r->data_len == 4 && i < m->n_found; i++) {
        adder_mdns_found_t *f = &m->priv.find.found[i];
        const uint8_t *ip = msg + r->data;
        if (f->priv.has_srv && mdns_is_host(&r->name, f->host))
            f->ip = adder_ip_v4(ip[0], ip[1], ip[2], ip[3]);
    }
}

/* Records stand in any order: PTRs first, then what hangs on them. */
static void take_records(adder_mdns_t *m, const uint8_t *msg, size_t len, size_t first, unsigned count)
{
    static const uint16_t passes[] = {TYPE_PTR, TYPE_SRV, TYPE_A};
    for (size_t pass = 0; pass < sizeof passes / sizeof passes[0]; pass++) {
        size_t pos = first;
        mdns_record_t r;
        for (unsigned i = 0; i < count && mdns_read_record(msg, len, &pos, &r); i++) {
            if (r.type != passes[pass] || (r.cls & CLASS_MASK) != CLASS_IN)
                continue;
            if (r.type == TYPE_PTR)
                take_ptr(m, msg, len, &r);
            else if (r.type == TYPE_SRV)
                take_srv(m, msg, len, &r);
            else
                take_a(m, msg, &r);
        }
    }
}

void adder_mdns_in(adder_mdns_t *m, const adder_endpoint_t *from, const uint8_t *bytes, size_t len,
                   uint32_t now_ms)
{
    if (len < DNS_HEADER)
        return;
    const unsigned flags = mdns_be16(bytes + 2), questions = mdns_be16(bytes + 4);
    if ((flags & OPCODE_RCODE) != 0) /* RFC 6762 sections 18.3, 18.11 */
        return;
    if ((flags & FLAG_RESPONSE) == 0) {
        mdns_answer_in(m, from, bytes, len, now_ms);
        return;
    }
    /* Section 11: answers come from the port of multicast DNS. */
    if (!m->priv.find.active || from->port != ADDER_MDNS_PORT)
        return;
    const unsigned count = (unsigned)mdns_be16(bytes + 6) + mdns_be16(bytes + 8) + mdns_be16(bytes + 10);
    const size_t before = m->n_found, first = mdns_first_record(bytes, len, questions, count);
    if (first == 0) /* whole or not at all */
        return;
    take_records(m, bytes, len, first, count);
    if (m->n_found > before)
        m->priv.find.detail_ms = now_ms; /* what this message did not bring */
}

static bool incomplete(const adder_mdns_found_t *f)
{
    return (!f->priv.has_srv || f->ip.family == ADDER_IP_NONE) && f->priv.asked < ASKED_MAX;
}

static adder_err_t ask(adder_mdns_t *m, mdns_writer_t *w, adder_endpoint_t *to_out, uint32_t now_ms)
{
    const bool general = mdns_passed(now_ms, m->priv.find.next_ms);
    const bool details = mdns_passed(now_ms, m->priv.find.detail_ms);
    unsigned questions = 0;
    dns_name_t name;
    const uint8_t header[DNS_HEADER] = {0};
    mdns_write(w, header, sizeof header);
    if (general && mdns_name_service(&name, NULL, m->priv.find.type, m->priv.find.protocol)) {
        mdns_write_question(w, &name, TYPE_PTR, CLASS_IN);
        questions++;
        m->priv.find.next_ms = now_ms + m->priv.find.gap_ms;
        m->priv.find.gap_ms *= 2;
    }
    for (size_t i = 0; details && i < m->n_found && questions < DETAILS_MAX; i++) {
        adder_mdns_found_t *f = &m->priv.find.found[i];
        if (!incomplete(f))
            continue;
        const bool srv = !f->priv.has_srv;
        if (srv ? mdns_name_service(&name, f->instance, m->priv.find.type, m->priv.find.protocol)
                : mdns_name_host(&name, f->host)) {
            mdns_write_question(w, &name, srv ? TYPE_SRV : TYPE_A, CLASS_IN);
            questions++;
        }
        f->priv.asked++;
    }
    if (details)
        m->priv.find.detail_ms = now_ms + DETAIL_GAP_MS;
    if (questions == 0)
        return ADDER_ERR_AGAIN;
    if (w->full)
        return ADDER_ERR_NOSPACE;
    w->out[5] = (uint8_t)questions;
    *to_out = (adder_endpoint_t){.ip = adder_mdns_group(), .port = ADDER_MDNS_PORT};
    return ADDER_OK;
}

/* ---- time ---- */

static uint32_t until(uint32_t now_ms, uint32_t when_ms)
{
    return mdns_passed(now_ms, when_ms) ? 0 : when_ms - now_ms;
}

static bool is_over(const adder_mdns_t *m, uint32_t now_ms)
{
    return now_ms - m->priv.find.start_ms >= m->priv.find.timeout_ms;
}

/* Milliseconds until there is something to ask. */
static uint32_t ask_wait(const adder_mdns_t *m, uint32_t now_ms)
{
    uint32_t wait_ms = until(now_ms, m->priv.find.next_ms);
    const uint32_t detail_ms = until(now_ms, m->priv.find.detail_ms);
    for (size_t i = 0; i < m->n_found; i++)
        if (incomplete(&m->priv.find.found[i]) && detail_ms < wait_ms)
            wait_ms = detail_ms;
    return wait_ms;
}

adder_err_t adder_mdns_tick(adder_mdns_t *m, uint32_t now_ms, uint32_t *wait_ms_out)
{
    uint32_t wait_ms = mdns_answer_wait(m, now_ms);
    if (m->priv.find.active && is_over(m, now_ms))
        m->priv.find.active = false;
    if (m->priv.find.active) {
        const uint32_t ask_ms = ask_wait(m, now_ms);
        const uint32_t end_ms = until(now_ms, m->priv.find.start_ms + m->priv.find.timeout_ms);
        wait_ms = ask_ms < wait_ms ? ask_ms : wait_ms;
        wait_ms = end_ms < wait_ms ? end_ms : wait_ms;
    }
    *wait_ms_out = wait_ms;
    return m->priv.find.active ? ADDER_ERR_AGAIN : ADDER_OK;
}

adder_err_t adder_mdns_out(adder_mdns_t *m, uint8_t *out, size_t cap, size_t *len_out,
                           adder_endpoint_t *to_out, uint32_t now_ms)
{
    *len_out = 0;
    if (cap < ADDER_MDNS_MESSAGE)
        return ADDER_ERR_NOSPACE;
    mdns_writer_t w = {.out = out, .cap = cap};
    adder_err_t err = mdns_answer_out(m, &w, to_out, now_ms);
    if (err == ADDER_ERR_AGAIN && m->priv.find.active && !is_over(m, now_ms) && ask_wait(m, now_ms) == 0) {
        w.n = 0;
        err = ask(m, &w, to_out, now_ms);
    }
    *len_out = err == ADDER_OK ? w.n : 0;
    return err;
}
