/* Names and records of multicast DNS on the wire; what mdns.c and mdns_answer.c share. */
#ifndef ADDER_MDNS_INT_H
#define ADDER_MDNS_INT_H

#include "adder/mdns.h"
#include "src/net/dns_wire.h"

enum {
    TYPE_PTR = 12,
    TYPE_TXT = 16,
    TYPE_SRV = 33,
    TYPE_ANY = 255,
    CLASS_MASK = 0x7FFF,
    UNICAST = 0x8000,     /* in the class of a question */
    CACHE_FLUSH = 0x8000, /* in the class of an answer */
    FLAG_RESPONSE = 0x8000,
    FLAG_AUTHORITATIVE = 0x0400,
    OPCODE_RCODE = 0x780F,
    HOST_TTL_S = 120,
    SERVICE_TTL_S = 4500,
    LEGACY_TTL_S = 10,
};

/* Records of one service, as bits. */
enum { DUE_PTR = 1, DUE_SRV = 2, DUE_TXT = 4, DUE_ALL = 7 };

/* Append labels; false = does not fit (and the name is spoilt). */
bool mdns_name_label(dns_name_t *name, const char *label, size_t len);
bool mdns_name_end(dns_name_t *name);
bool mdns_name_host(dns_name_t *name, const char *host); /* host.local */
bool mdns_name_service(dns_name_t *name, const char *instance, const char *type, const char *protocol);
/* Is it that name? Without case, and without building the other one on the stack. instance NULL: the type's
 * own name; mdns_is_instance: any instance of the type. */
bool mdns_is_host(const dns_name_t *name, const char *host);
bool mdns_is_service(const dns_name_t *name, const char *instance, const char *type, const char *protocol);
bool mdns_is_instance(const dns_name_t *name, const char *type, const char *protocol);
/* The first label as text; false when it is the root or longer than ADDER_MDNS_LABEL. */
bool mdns_name_first(const dns_name_t *name, char out[ADDER_MDNS_LABEL + 1]);

typedef struct {
    dns_name_t name;
    uint16_t type, cls;
} mdns_question_t;

typedef struct {
    dns_name_t name;
    uint16_t type, cls;
    uint32_t ttl_s;
    size_t data, data_len; /* place in the message */
} mdns_record_t;

bool mdns_read_question(const uint8_t *msg, size_t len, size_t *pos, mdns_question_t *out);
bool mdns_read_record(const uint8_t *msg, size_t len, size_t *pos, mdns_record_t *out);

/* The place behind the questions of a message whose questions and records are sound to the last; else 0. */
size_t mdns_first_record(const uint8_t *msg, size_t len, unsigned questions, unsigned records);

typedef struct {
    uint8_t *out;
    size_t cap, n;
    bool full;
} mdns_writer_t;

void mdns_write(mdns_writer_t *w, const void *bytes, size_t len);
void mdns_write_u16(mdns_writer_t *w, unsigned v);
void mdns_write_question(mdns_writer_t *w, const dns_name_t *name, unsigned type, unsigned cls);
/* Name, type, class, time to live and the length of what is written next, up to mdns_write_close(). */
size_t mdns_write_record(mdns_writer_t *w, const dns_name_t *name, unsigned type, unsigned cls,
                         uint32_t ttl_s);
void mdns_write_close(mdns_writer_t *w, size_t mark);

static inline uint16_t mdns_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline bool mdns_passed(uint32_t now_ms, uint32_t when_ms)
{
    return (int32_t)(now_ms - when_ms) >= 0;
}

typedef struct adder_mdns_due mdns_due_t;

static inline size_t mdns_services(const adder_mdns_t *m)
{
    return m->priv.n_services < ADDER_MDNS_SERVICES ? m->priv.n_services : ADDER_MDNS_SERVICES;
}

/* mdns_answer.c */
void mdns_answer_in(adder_mdns_t *m, const adder_endpoint_t *from, const uint8_t *msg, size_t len,
                    uint32_t now_ms);
/* AGAIN: nothing to answer now. */
adder_err_t mdns_answer_out(adder_mdns_t *m, mdns_writer_t *w, adder_endpoint_t *to_out, uint32_t now_ms);
/* Milliseconds until answer_out() has something, UINT32_MAX. */
uint32_t mdns_answer_wait(const adder_mdns_t *m, uint32_t now_ms);

#endif
