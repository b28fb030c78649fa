/* Answering for this device: which records a question wants, when they go out and to whom. */
#include <string.h>

#include "src/net/mdns_int.h"

enum { SHARED_MIN_MS = 20, SHARED_SPAN_MS = 101, ANNOUNCE_GAP_MS = 1000 };

/* ---- names of ours ---- */

static const char *instance_of(const adder_mdns_t *m)
{
    return m->priv.instance[0] != '\0' ? m->priv.instance : m->priv.host;
}

static bool answers(const adder_mdns_t *m)
{
    return m->priv.host[0] != '\0' && m->priv.ip.family == ADDER_IP_V4;
}

static bool types_name(dns_name_t *name)
{
    name->len = 0;
    return mdns_name_label(name, "_services", 9) && mdns_name_label(name, "_dns-sd", 7) &&
           mdns_name_label(name, "_udp", 4) && mdns_name_label(name, "local", 5) && mdns_name_end(name);
}

static bool is_service(const adder_mdns_t *m, size_t i, const dns_name_t *name, bool with_instance)
{
    const adder_mdns_service_t *s = &m->priv.services[i];
    return s->type[0] != '\0' &&
           mdns_is_service(name, with_instance ? instance_of(m) : NULL, s->type, s->protocol);
}

static bool none_due(const mdns_due_t *due)
{
    uint8_t any = (uint8_t)(due->host || due->types);
    for (size_t i = 0; i < sizeof due->services; i++)
        any |= due->services[i];
    return any == 0;
}

/* ---- questions ---- */

/* Adds to `due` what the question wants of us; *shared: others may answer it too. */
static bool want(const adder_mdns_t *m, const mdns_question_t *q, mdns_due_t *due, bool *shared)
{
    const bool any = q->type == TYPE_ANY;
    bool ours = false;
    if ((q->cls & CLASS_MASK) != CLASS_IN && (q->cls & CLASS_MASK) != TYPE_ANY)
        return false;
    if ((any || q->type == TYPE_A) && mdns_is_host(&q->name, m->priv.host))
        ours = due->host = true;
    if ((any || q->type == TYPE_PTR) && mdns_is_service(&q->name, "_services", "_dns-sd", "_udp"))
        ours = *shared = due->types = true;
    for (size_t i = 0; i < mdns_services(m); i++) {
        uint8_t bits = 0;
        if ((any || q->type == TYPE_PTR) && is_service(m, i, &q->name, false)) {
            bits = DUE_PTR;
            *shared = true;
        } else if ((any || q->type == TYPE_SRV || q->type == TYPE_TXT) && is_service(m, i, &q->name, true)) {
            bits = (uint8_t)((q->type != TYPE_TXT ? DUE_SRV : 0) | (q->type != TYPE_SRV ? DUE_TXT : 0));
        }
        due->services[i] |= bits;
        ours |= bits != 0;
    }
    return ours;
}

/* RFC 6762 section 7.1: what the asker knows, for more than half of its time still, is left out. */
static void drop_known(const adder_mdns_t *m, const uint8_t *msg, size_t len, const mdns_record_t *r,
                       mdns_due_t *due)
{
    dns_name_t target;
    size_t pos = r->data;
    if (r->type != TYPE_PTR || r->ttl_s < SERVICE_TTL_S / 2 || !dns_read_name(msg, len, &pos, &target))
        return;
    for (size_t i = 0; i < mdns_services(m); i++)
        if (is_service(m, i, &r->name, false) && is_service(m, i, &target, true))
            due->services[i] &= (uint8_t)~DUE_PTR;
}

static void merge(mdns_due_t *into, const mdns_due_t *from)
{
    into->host |= from->host;
    into->types |= from->types;
    for (size_t i = 0; i < sizeof into->services; i++)
        into->services[i] |= from->services[i];
}

void mdns_answer_in(adder_mdns_t *m, const adder_endpoint_t *from, const uint8_t *msg, size_t len,
                    uint32_t now_ms)
{
    const unsigned questions = mdns_be16(msg + 4), known = mdns_be16(msg + 6);
    const bool legacy = from->port != ADDER_MDNS_PORT;
    mdns_due_t due = {0};
    mdns_question_t q;
    size_t asked = 0;
    mdns_record_t r;
    bool shared = false, alone = true;
    size_t pos = DNS_HEADER;
    if (!answers(m))
        return;
    for (unsigned i = 0; i < questions; i++) {
        const size_t at = pos;
        if (!mdns_read_question(msg, len, &pos, &q))
            return;
        if (want(m, &q, &due, &shared)) {
            alone &= (q.cls & UNICAST) != 0;
            asked = at;
        }
    }
    for (unsigned i = 0; i < known; i++) {
        if (!mdns_read_record(msg, len, &pos, &r))
            return;
        drop_known(m, msg, len, &r, &due);
    }
    if (none_due(&due))
        return;
    if (legacy || alone) {
        if (m->priv.direct.pending)
            return; /* one at a time; who gets no answer asks again */
        m->priv.direct.pending = true;
        m->priv.direct.to = *from;
        m->priv.direct.legacy = legacy;
        m->priv.direct.id = legacy ? mdns_be16(msg) : 0;
        m->priv.direct.due = due;
        if (mdns_read_question(msg, len, &asked, &q)) { /* the last one of ours, read before */
            m->priv.direct.asked_type = q.type;
            m->priv.direct.asked_len = q.name.len;
            memcpy(m->priv.direct.asked, q.name.bytes, q.name.len);
        }
        return;
    }
    const uint32_t at_ms =
        now_ms + (shared ? SHARED_MIN_MS + m->priv.random(m->priv.random_ctx) % SHARED_SPAN_MS : 0);
    if (!m->priv.anything_due || mdns_passed(m->priv.due_ms, at_ms))
        m->priv.due_ms = at_ms;
    m->priv.anything_due = true;
    merge(&m->priv.due, &due);
}

/* ---- answers ---- */

typedef struct {
    const adder_mdns_t *m;
    mdns_writer_t *w;
    bool legacy;
    unsigned count;
} reply_t;

static uint32_t ttl(const reply_t *r, uint32_t ttl_s)
{
    return r->legacy && ttl_s > LEGACY_TTL_S ? LEGACY_TTL_S : ttl_s;
}

static unsigned unique(const reply_t *r)
{
    return r->legacy ? CLASS_IN : CLASS_IN | CACHE_FLUSH;
}

static void close(reply_t *r, size_t mark)
{
    mdns_write_close(r->w, mark);
    r->count++;
}

static void write_host(reply_t *r)
{
    dns_name_t name;
    if (!mdns_name_host(&name, r->m->priv.host))
        return;
    const size_t mark = mdns_write_record(r->w, &name, TYPE_A, unique(r), ttl(r, HOST_TTL_S));
    mdns_write(r->w, r->m->priv.ip.bytes, 4);
    close(r, mark);
}

static void write_ptr(reply_t *r, const dns_name_t *name, const dns_name_t *target)
{
    const size_t mark = mdns_write_record(r->w, name, TYPE_PTR, CLASS_IN, ttl(r, SERVICE_TTL_S));
    mdns_write(r->w, target->bytes, target->len);
    close(r, mark);
}

static void write_types(reply_t *r)
{
    dns_name_t name, target;
    for (size_t i = 0; types_name(&name) && i < mdns_services(r->m); i++) {
        const adder_mdns_service_t *s = &r->m->priv.services[i];
        if (s->type[0] != '\0' && mdns_name_service(&target, NULL, s->type, s->protocol))
            write_ptr(r, &name, &target);
    }
}

static void write_service(reply_t *r, const adder_mdns_service_t *s, unsigned bits)
{
    dns_name_t type, name, host;
    size_t mark;
    if (s->type[0] == '\0' || !mdns_name_service(&type, NULL, s->type, s->protocol) ||
        !mdns_name_service(&name, instance_of(r->m), s->type, s->protocol) ||
        !mdns_name_host(&host, r->m->priv.host))
        return;
    if ((bits & DUE_PTR) != 0)
        write_ptr(r, &type, &name);
    if ((bits & DUE_SRV) != 0) {
        mark = mdns_write_record(r->w, &name, TYPE_SRV, unique(r), ttl(r, HOST_TTL_S));
        mdns_write_u16(r->w, 0); /* priority, weight */
        mdns_write_u16(r->w, 0);
        mdns_write_u16(r->w, s->port);
        mdns_write(r->w, host.bytes, host.len);
        close(r, mark);
    }
    if ((bits & DUE_TXT) != 0) {
        static const uint8_t empty = 0; /* RFC 6763 section 6.1: at least one string */
        mark = mdns_write_record(r->w, &name, TYPE_TXT, unique(r), ttl(r, SERVICE_TTL_S));
        mdns_write(r->w, s->txt_len > 0 ? s->txt : &empty, s->txt_len > 0 ? s->txt_len : 1);
        close(r, mark);
    }
}

/* What does not fit stays in `due`: for the next message, or for nobody. */
static void write_answers(reply_t *r, mdns_due_t *due)
{
    uint8_t sent[sizeof due->services] = {0};
    const bool host = due->host;
    size_t end = r->w->n;
    unsigned count = 0;
    if (host)
        write_host(r);
    if (due->types)
        write_types(r);
    due->host = due->types = false;
    for (size_t i = 0; i < mdns_services(r->m) && !r->w->full; i++) {
        end = r->w->n;
        count = r->count;
        if (due->services[i] == 0)
            continue;
        write_service(r, &r->m->priv.services[i], due->services[i]);
        if (!r->w->full) {
            sent[i] = due->services[i];
            due->services[i] = 0;
        }
    }
    if (r->w->full) {
        r->w->n = end;
        r->w->full = false;
        r->count = count;
    }
    r->w->out[7] = (uint8_t)r->count;
    /* RFC 6763 section 12: what the asker needs next, if there is room. */
    r->count = 0;
    end = r->w->n;
    for (size_t i = 0; i < mdns_services(r->m); i++)
        if ((sent[i] & DUE_PTR) != 0)
            write_service(r, &r->m->priv.services[i], DUE_ALL & ~(unsigned)sent[i]);
    for (size_t i = 0, once = 0; i < mdns_services(r->m) && !host; i++)
        if ((sent[i] & (DUE_PTR | DUE_SRV)) != 0 && once++ == 0)
            write_host(r);
    if (r->w->full) {
        r->w->n = end;
        r->w->full = false;
        r->count = 0;
    }
    r->w->out[11] = (uint8_t)r->count;
}

static void begin(mdns_writer_t *w, uint16_t id)
{
    mdns_write_u16(w, id);
    mdns_write_u16(w, FLAG_RESPONSE | FLAG_AUTHORITATIVE);
    for (int i = 0; i < 4; i++)
        mdns_write_u16(w, 0);
}

static adder_err_t reply_directly(adder_mdns_t *m, mdns_writer_t *w, adder_endpoint_t *to_out)
{
    reply_t r = {.m = m, .w = w, .legacy = m->priv.direct.legacy};
    begin(w, m->priv.direct.id);
    if (r.legacy) { /* RFC 6762 section 6.7: as a name server would */
        dns_name_t name = {.len = m->priv.direct.asked_len};
        memcpy(name.bytes, m->priv.direct.asked, name.len);
        mdns_write_question(w, &name, m->priv.direct.asked_type, CLASS_IN);
        w->out[5] = 1;
    }
    write_answers(&r, &m->priv.direct.due);
    m->priv.direct.pending = false;
    *to_out = m->priv.direct.to;
    return ADDER_OK;
}

static void begin_announcement(adder_mdns_t *m, uint32_t now_ms)
{
    m->priv.announce--;
    m->priv.announce_ms = now_ms + ANNOUNCE_GAP_MS;
    m->priv.due.host = true;
    for (size_t i = 0; i < mdns_services(m); i++)
        if (m->priv.services[i].type[0] != '\0')
            m->priv.due.services[i] = DUE_ALL;
    m->priv.anything_due = true;
    m->priv.due_ms = now_ms;
}

adder_err_t mdns_answer_out(adder_mdns_t *m, mdns_writer_t *w, adder_endpoint_t *to_out, uint32_t now_ms)
{
    if (!answers(m))
        return ADDER_ERR_AGAIN;
    if (m->priv.direct.pending)
        return reply_directly(m, w, to_out);
    if (m->priv.announce > 0 && mdns_passed(now_ms, m->priv.announce_ms))
        begin_announcement(m, now_ms);
    if (!m->priv.anything_due || !mdns_passed(now_ms, m->priv.due_ms))
        return ADDER_ERR_AGAIN;
    reply_t r = {.m = m, .w = w};
    begin(w, 0);
    write_answers(&r, &m->priv.due);
    m->priv.anything_due = !none_due(&m->priv.due);
    *to_out = (adder_endpoint_t){.ip = adder_mdns_group(), .port = ADDER_MDNS_PORT};
    return ADDER_OK;
}

uint32_t mdns_answer_wait(const adder_mdns_t *m, uint32_t now_ms)
{
    uint32_t wait_ms = UINT32_MAX;
    if (!answers(m))
        return wait_ms;
    if (m->priv.direct.pending)
        return 0;
    if (m->priv.announce > 0)
        wait_ms = mdns_passed(now_ms, m->priv.announce_ms) ? 0 : m->priv.announce_ms - now_ms;
    if (m->priv.anything_due) {
        const uint32_t due_ms = mdns_passed(now_ms, m->priv.due_ms) ? 0 : m->priv.due_ms - now_ms;
        wait_ms = due_ms < wait_ms ? due_ms : wait_ms;
    }
    return wait_ms;
}
