#include <string.h>

#include "src/net/mdns_int.h"

/* ---- names ---- */

bool mdns_name_label(dns_name_t *name, const char *label, size_t len)
{
    if (len == 0 || len > 63 || len + 2u > sizeof name->bytes - name->len) /* and the root */
        return false;
    name->bytes[name->len] = (uint8_t)len;
    memcpy(name->bytes + name->len + 1, label, len);
    name->len = (uint8_t)(name->len + 1 + len);
    return true;
}

bool mdns_name_end(dns_name_t *name)
{
    name->bytes[name->len++] = 0; /* label() has left room */
    return true;
}

bool mdns_name_host(dns_name_t *name, const char *host)
{
    name->len = 0;
    return mdns_name_label(name, host, strlen(host)) && mdns_name_label(name, "local", 5) &&
           mdns_name_end(name);
}

bool mdns_name_service(dns_name_t *name, const char *instance, const char *type, const char *protocol)
{
    name->len = 0;
    return (instance == NULL || mdns_name_label(name, instance, strlen(instance))) &&
           mdns_name_label(name, type, strlen(type)) && mdns_name_label(name, protocol, strlen(protocol)) &&
           mdns_name_label(name, "local", 5) && mdns_name_end(name);
}

/* The label at *at; *at is moved behind it. */
static bool label_is(const dns_name_t *name, size_t *at, const char *text)
{
    const size_t len = strlen(text);
    if (*at >= name->len || name->bytes[*at] != len || len == 0)
        return false;
    for (size_t i = 0; i < len; i++)
        if (dns_lower(name->bytes[*at + 1 + i]) != dns_lower((uint8_t)text[i]))
            return false;
    *at += 1 + len;
    return true;
}

static bool ends_local(const dns_name_t *name, size_t at)
{
    return label_is(name, &at, "local") && at + 1 == name->len;
}

bool mdns_is_host(const dns_name_t *name, const char *host)
{
    size_t at = 0;
    return label_is(name, &at, host) && ends_local(name, at);
}

static bool is_type(const dns_name_t *name, size_t at, const char *type, const char *protocol)
{
    return label_is(name, &at, type) && label_is(name, &at, protocol) && ends_local(name, at);
}

bool mdns_is_service(const dns_name_t *name, const char *instance, const char *type, const char *protocol)
{
    size_t at = 0;
    return (instance == NULL || label_is(name, &at, instance)) && is_type(name, at, type, protocol);
}

bool mdns_is_instance(const dns_name_t *name, const char *type, const char *protocol)
{
    return name->len > 1 && is_type(name, 1u + name->bytes[0], type, protocol);
}

bool mdns_name_first(const dns_name_t *name, char out[ADDER_MDNS_LABEL + 1])
{
    const size_t len = name->len > 0 ? name->bytes[0] : 0;
    if (len == 0 || len > ADDER_MDNS_LABEL || memchr(name->bytes + 1, 0, len) != NULL)
        return false;
    memcpy(out, name->bytes + 1, len);
    out[len] = '\0';
    return true;
}

/* ---- questions and records ---- */

bool mdns_read_question(const uint8_t *msg, size_t len, size_t *pos, mdns_question_t *out)
{
    if (!dns_read_name(msg, len, pos, &out->name) || len - *pos < 4)
        return false;
    out->type = mdns_be16(msg + *pos);
    out->cls = mdns_be16(msg + *pos + 2);
    *pos += 4;
    return true;
}

bool mdns_read_record(const uint8_t *msg, size_t len, size_t *pos, mdns_record_t *out)
{
    if (!dns_read_name(msg, len, pos, &out->name) || len - *pos < 10)
        return false;
    const uint8_t *p = msg + *pos;
    out->type = mdns_be16(p);
    out->cls = mdns_be16(p + 2);
    out->ttl_s = (uint32_t)mdns_be16(p + 4) << 16 | mdns_be16(p + 6);
    out->data_len = mdns_be16(p + 8);
    *pos += 10;
    out->data = *pos;
    if (len - *pos < out->data_len)
        return false;
    *pos += out->data_len;
    return true;
}

size_t mdns_first_record(const uint8_t *msg, size_t len, unsigned questions, unsigned records)
{
    mdns_record_t r;
    size_t pos = DNS_HEADER;
    for (unsigned i = 0; i < questions; i++) {
        if (!dns_read_name(msg, len, &pos, &r.name) || len - pos < 4)
            return 0;
        pos += 4;
    }
    const size_t first = pos;
    for (unsigned i = 0; i < records; i++)
        if (!mdns_read_record(msg, len, &pos, &r))
            return 0;
    return first;
}

/* ---- writing ---- */

void mdns_write(mdns_writer_t *w, const void *bytes, size_t len)
{
    if (len > w->cap - w->n) {
        w->full = true;
        return;
    }
    if (len > 0)
        memcpy(w->out + w->n, bytes, len);
    w->n += len;
}

void mdns_write_u16(mdns_writer_t *w, unsigned v)
{
    const uint8_t two[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    mdns_write(w, two, sizeof two);
}

void mdns_write_question(mdns_writer_t *w, const dns_name_t *name, unsigned type, unsigned cls)
{
    mdns_write(w, name->bytes, name->len);
    mdns_write_u16(w, type);
    mdns_write_u16(w, cls);
}

size_t mdns_write_record(mdns_writer_t *w, const dns_name_t *name, unsigned type, unsigned cls,
                         uint32_t ttl_s)
{
    mdns_write_question(w, name, type, cls);
    mdns_write_u16(w, (unsigned)(ttl_s >> 16));
    mdns_write_u16(w, (unsigned)(ttl_s & 0xFFFF));
    mdns_write_u16(w, 0);
    return w->n;
}

void mdns_write_close(mdns_writer_t *w, size_t mark)
{
    if (!w->full) {
        const size_t len = w->n - mark;
        w->out[mark - 2] = (uint8_t)(len >> 8);
        w->out[mark - 1] = (uint8_t)len;
    }
}
