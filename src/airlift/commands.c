/* The commands: frames, and the limits that the firmware does not check. */
#include <string.h>

#include "airlift_int.h"

enum { SEND_S = 15, LOOKUP_S = 30, CONNECT_S = 130, SCAN_S = 15, PING_S = 10, QUICK_S = 5 };

static const airlift_command_t commands[] = {
    /* op, width, reply, since, limit */
    {0x10, 1, AIRLIFT_OK, 1, QUICK_S},        {0x11, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x12, 1, AIRLIFT_OK, 1, QUICK_S},        {0x14, 1, AIRLIFT_DONE, 1, QUICK_S},
    {0x15, 1, AIRLIFT_OK, 1, QUICK_S},        {0x16, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x17, 1, AIRLIFT_OK, 1, QUICK_S},        {0x18, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x19, 1, AIRLIFT_OK, 1, QUICK_S},        {0x1A, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x1B, 1, AIRLIFT_FLOAT, 1, QUICK_S},     {0x1E, 1, AIRLIFT_IP4_TWO, 2, QUICK_S},
    {0x1F, 1, AIRLIFT_U8, 2, QUICK_S},        {0x20, 1, AIRLIFT_U8, 1, QUICK_S},
    {0x21, 1, AIRLIFT_IP4_THREE, 1, QUICK_S}, {0x22, 1, AIRLIFT_MAC, 1, QUICK_S},
    {0x23, 1, AIRLIFT_TEXT, 1, QUICK_S},      {0x24, 1, AIRLIFT_MAC, 1, QUICK_S},
    {0x25, 1, AIRLIFT_I32, 1, QUICK_S},       {0x26, 1, AIRLIFT_U8, 1, QUICK_S},
    {0x27, 1, AIRLIFT_SCAN, 1, SCAN_S},       {0x28, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x29, 1, AIRLIFT_U8, 1, QUICK_S},        {0x2A, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x2B, 1, AIRLIFT_U16, 1, QUICK_S},       {0x2C, 1, AIRLIFT_U8, 1, QUICK_S},
    {0x2D, 1, AIRLIFT_OK, 1, CONNECT_S},      {0x2E, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x2F, 1, AIRLIFT_U8, 1, QUICK_S},        {0x30, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x32, 1, AIRLIFT_I32, 1, QUICK_S},       {0x33, 1, AIRLIFT_ENCRYPTION, 1, QUICK_S},
    {0x34, 1, AIRLIFT_OK, 1, LOOKUP_S},       {0x35, 1, AIRLIFT_IP4, 1, QUICK_S},
    {0x37, 1, AIRLIFT_VERSION, 1, QUICK_S},   {0x39, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x3A, 1, AIRLIFT_ENDPOINT, 1, QUICK_S},  {0x3B, 1, AIRLIFT_TIME, 1, QUICK_S},
    {0x3C, 1, AIRLIFT_MAC, 1, QUICK_S},       {0x3D, 1, AIRLIFT_U8, 1, QUICK_S},
    {0x3E, 1, AIRLIFT_I16, 1, PING_S},        {0x3F, 1, AIRLIFT_SLOT, 1, QUICK_S},
    {0x40, 1, AIRLIFT_OK, 1, QUICK_S},        {0x41, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x44, 2, AIRLIFT_U16, 1, SEND_S},        {0x45, 2, AIRLIFT_DATA, 1, QUICK_S},
    {0x46, 2, AIRLIFT_OK, 1, SEND_S},         {0x4A, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x4B, 1, AIRLIFT_OK, 1, QUICK_S},        {0x4C, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x4F, 1, AIRLIFT_OK, 1, QUICK_S},        {0x50, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x51, 1, AIRLIFT_OK, 1, QUICK_S},        {0x52, 1, AIRLIFT_OK, 1, QUICK_S},
    {0x53, 1, AIRLIFT_U8, 1, QUICK_S},        {0x54, 1, AIRLIFT_I32, 1, QUICK_S},
};

const airlift_command_t *airlift_command(uint8_t op)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].op == op) {
            return &commands[i];
        }
    }
    return NULL;
}

uint8_t adder_airlift_slots(const adder_airlift_t *a)
{
    return a->firmware.major >= 2 ? 6 : ADDER_AIRLIFT_SLOTS_MAX;
}

/* ---- books on sockets ---- */

enum { DATAGRAM_UNKNOWN = 0xFFFF };

void airlift_forget_sockets(adder_airlift_t *a)
{
    a->priv.broken = 0;
    memset(a->priv.datagram, 0, sizeof a->priv.datagram);
}

void airlift_settle(adder_airlift_t *a, adder_err_t outcome)
{
    const uint8_t op = a->priv.op, sock = a->priv.sock;
    if (op == 0 || sock >= ADDER_AIRLIFT_SLOTS_MAX) {
        return;
    }
    const uint16_t bit = (uint16_t)(1u << sock);
    const bool answered =
        outcome == ADDER_OK || outcome == ADDER_ERR_REFUSED || outcome == ADDER_ERR_UNSUPPORTED;
    if (!answered && a->priv.streams) {
        a->priv.broken |= bit;
    }
    if (outcome == ADDER_OK && (op == 0x2D || op == 0x2E || op == 0x28)) {
        a->priv.broken &= (uint16_t)~bit;
    }
    uint16_t *fill = &a->priv.datagram[sock];
    if (op == 0x46) {
        *fill = outcome == ADDER_OK ? (uint16_t)(*fill + a->priv.adding)
                : answered          ? *fill
                                    : DATAGRAM_UNKNOWN;
    } else if (outcome == ADDER_OK && (op == 0x2D || op == 0x39)) {
        *fill = 0;
    }
}

/* ---- frames ---- */

/* Start the frame of `op`; nothing of `a` is changed unless it can be begun. */
static adder_err_t open_frame(adder_airlift_t *a, uint8_t op)
{
    if (a->priv.stage != 0 || !a->priv.started) {
        return ADDER_ERR_STATE;
    }
    if (airlift_command(op)->since > a->firmware.major) {
        return ADDER_ERR_UNSUPPORTED;
    }
    memset(&a->result, 0, sizeof a->result);
    a->priv.op = op;
    a->priv.sock = 255;
    a->priv.streams = false;
    a->priv.adding = 0;
    a->priv.data = NULL;
    a->priv.data_len = 0;
    a->priv.sink = NULL;
    a->priv.sink_cap = 0;
    a->priv.frame[0] = 0xE0;
    a->priv.frame[1] = op;
    a->priv.frame[2] = 0;
    a->priv.frame_len = 3;
    return ADDER_OK;
}

static void put_len(adder_airlift_t *a, size_t len)
{
    a->priv.frame[2]++;
    if (airlift_command(a->priv.op)->width == 2) {
        a->priv.frame[a->priv.frame_len++] = (uint8_t)(len >> 8);
    }
    a->priv.frame[a->priv.frame_len++] = (uint8_t)len;
}

static void put(adder_airlift_t *a, const void *bytes, size_t len)
{
    ADDER_ASSERT(a->priv.frame_len + 2 + len <= sizeof a->priv.frame);
    put_len(a, len);
    if (len > 0) {
        memcpy(a->priv.frame + a->priv.frame_len, bytes, len);
    }
    a->priv.frame_len = (uint16_t)(a->priv.frame_len + len);
}

static void put_u8(adder_airlift_t *a, uint8_t v)
{
    put(a, &v, 1);
}

static void put_port(adder_airlift_t *a, uint16_t v)
{
    const uint8_t be[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    put(a, be, 2);
}

/* END, zeros to a multiple of four, off. From 2.x on the zeros count: 2Bh reads its accept byte there. */
static adder_err_t close_frame(adder_airlift_t *a)
{
    const size_t len = a->priv.frame_len + a->priv.data_len;
    uint8_t n = 0;
    memset(a->priv.tail, 0, sizeof a->priv.tail);
    if (a->priv.op == 0x40 || a->priv.op == 0x41) {
        n++; /* the text's NUL: the chip copies on beyond its end */
    }
    a->priv.tail[n++] = 0xEE;
    a->priv.tail_len = (uint8_t)(n + (4 - (len + n) % 4) % 4);
    airlift_launch(a);
    return ADDER_OK;
}

static adder_err_t begin_plain(adder_airlift_t *a, uint8_t op)
{
    const adder_err_t err = open_frame(a, op);
    return err != ADDER_OK ? err : close_frame(a);
}

static adder_err_t begin_bytes(adder_airlift_t *a, uint8_t op, const uint8_t *bytes, unsigned count)
{
    const adder_err_t err = open_frame(a, op);
    if (err != ADDER_OK) {
        return err;
    }
    for (unsigned i = 0; i < count; i++) {
        put_u8(a, bytes[i]);
    }
    return close_frame(a);
}

static adder_err_t begin_u8(adder_airlift_t *a, uint8_t op, uint8_t v)
{
    return begin_bytes(a, op, &v, 1);
}

static bool fits(const char *text, size_t min, size_t max)
{
    size_t len = 0;
    while (len <= max && text[len] != '\0') {
        len++;
    }
    return len >= min && len <= max;
}

static adder_err_t begin_text(adder_airlift_t *a, uint8_t op, const char *text, size_t min, size_t max)
{
    if (!fits(text, min, max)) {
        return ADDER_ERR_RANGE;
    }
    const adder_err_t err = open_frame(a, op);
    if (err != ADDER_OK) {
        return err;
    }
    put(a, text, strlen(text));
    return close_frame(a);
}

/* ---- network ---- */

adder_err_t adder_airlift_begin_join_open(adder_airlift_t *a, const char *ssid)
{
    return begin_text(a, 0x10, ssid, 1, 32);
}

static adder_err_t begin_join(adder_airlift_t *a, uint8_t op, const char *ssid, const char *pass, size_t max)
{
    if (!fits(ssid, 1, 32) || !fits(pass, 0, max)) {
        return ADDER_ERR_RANGE;
    }
    const adder_err_t err = open_frame(a, op);
    if (err != ADDER_OK) {
        return err;
    }
    put(a, ssid, strlen(ssid));
    if (op == 0x12) {
        put_u8(a, 0); /* the key's index, ignored */
    }
    put(a, pass, strlen(pass));
    return close_frame(a);
}

adder_err_t adder_airlift_begin_join(adder_airlift_t *a, const char *ssid, const char *pass)
{
    return begin_join(a, 0x11, ssid, pass, 64);
}

adder_err_t adder_airlift_begin_join_wep(adder_airlift_t *a, const char *ssid, const char *key)
{
    return begin_join(a, 0x12, ssid, key, 26);
}

adder_err_t adder_airlift_begin_disconnect(adder_airlift_t *a)
{
    return begin_plain(a, 0x30);
}

static adder_err_t begin_addresses(adder_airlift_t *a, uint8_t op, const uint8_t *const ip4[], unsigned count)
{
    const adder_err_t err = open_frame(a, op);
    if (err != ADDER_OK) {
        return err;
    }
    put_u8(a, 0);
    for (unsigned i = 0; i < count; i++) {
        put(a, ip4[i], 4);
    }
    return close_frame(a);
}

adder_err_t adder_airlift_begin_set_ip(adder_airlift_t *a, const uint8_t ip4[4], const uint8_t gateway[4],
                                       const uint8_t mask[4])
{
    return begin_addresses(a, 0x14, (const uint8_t *const[]){ip4, gateway, mask}, 3);
}

adder_err_t adder_airlift_begin_set_dns(adder_airlift_t *a, const uint8_t first[4], const uint8_t second[4])
{
    return begin_addresses(a, 0x15, (const uint8_t *const[]){first, second}, 2);
}

adder_err_t adder_airlift_begin_set_hostname(adder_airlift_t *a, const char *name)
{
    return begin_text(a, 0x16, name, 1, 255);
}

adder_err_t adder_airlift_begin_set_power_save(adder_airlift_t *a, bool on)
{
    return begin_u8(a, 0x17, on);
}

adder_err_t adder_airlift_begin_access_point(adder_airlift_t *a, const char *ssid, const char *pass,
                                             uint8_t channel)
{
    if (!fits(ssid, 1, 32) || (pass != NULL && !fits(pass, 8, 63)) || channel < 1 || channel > 14) {
        return ADDER_ERR_RANGE;
    }
    const adder_err_t err = open_frame(a, pass != NULL ? 0x19 : 0x18);
    if (err != ADDER_OK) {
        return err;
    }
    put(a, ssid, strlen(ssid));
    if (pass != NULL) {
        put(a, pass, strlen(pass));
    }
    put_u8(a, channel);
    return close_frame(a);
}

adder_err_t adder_airlift_begin_set_debug(adder_airlift_t *a, bool on)
{
    return begin_u8(a, 0x1A, on);
}

static adder_err_t begin_pem(adder_airlift_t *a, uint8_t op, const char *pem, size_t len, size_t max)
{
    if (len == 0 || len > max) {
        return ADDER_ERR_RANGE;
    }
    const adder_err_t err = open_frame(a, op);
    if (err != ADDER_OK) {
        return err;
    }
    put_len(a, len); /* of which the byte holds what it can; the chip takes a fixed number */
    a->priv.data = (const uint8_t *)pem;
    a->priv.data_len = len;
    return close_frame(a);
}

adder_err_t adder_airlift_begin_set_client_cert(adder_airlift_t *a, const char *pem, size_t len)
{
    return begin_pem(a, 0x40, pem, len, ADDER_AIRLIFT_CERT_MAX);
}

adder_err_t adder_airlift_begin_set_private_key(adder_airlift_t *a, const char *pem, size_t len)
{
    return begin_pem(a, 0x41, pem, len, ADDER_AIRLIFT_KEY_MAX);
}

adder_err_t adder_airlift_begin_enterprise_identity(adder_airlift_t *a, const char *text)
{
    return begin_text(a, 0x4A, text, 0, 32);
}

adder_err_t adder_airlift_begin_enterprise_user(adder_airlift_t *a, const char *text)
{
    return begin_text(a, 0x4B, text, 0, 32);
}

adder_err_t adder_airlift_begin_enterprise_password(adder_airlift_t *a, const char *text)
{
    return begin_text(a, 0x4C, text, 0, 32);
}

adder_err_t adder_airlift_begin_enterprise_enable(adder_airlift_t *a)
{
    return begin_plain(a, 0x4F);
}

/* ---- questions ---- */

/* clang-format off */
adder_err_t adder_airlift_begin_temperature(adder_airlift_t *a) { return begin_plain(a, 0x1B); }
adder_err_t adder_airlift_begin_dns(adder_airlift_t *a) { return begin_plain(a, 0x1E); }
adder_err_t adder_airlift_begin_reason(adder_airlift_t *a) { return begin_plain(a, 0x1F); }
adder_err_t adder_airlift_begin_status(adder_airlift_t *a) { return begin_plain(a, 0x20); }
adder_err_t adder_airlift_begin_ip(adder_airlift_t *a) { return begin_plain(a, 0x21); }
adder_err_t adder_airlift_begin_mac(adder_airlift_t *a) { return begin_plain(a, 0x22); }
adder_err_t adder_airlift_begin_ssid(adder_airlift_t *a) { return begin_plain(a, 0x23); }
adder_err_t adder_airlift_begin_bssid(adder_airlift_t *a) { return begin_plain(a, 0x24); }
adder_err_t adder_airlift_begin_rssi(adder_airlift_t *a) { return begin_plain(a, 0x25); }
adder_err_t adder_airlift_begin_encryption(adder_airlift_t *a) { return begin_plain(a, 0x26); }
adder_err_t adder_airlift_begin_version(adder_airlift_t *a) { return begin_plain(a, 0x37); }
adder_err_t adder_airlift_begin_time(adder_airlift_t *a) { return begin_plain(a, 0x3B); }
adder_err_t adder_airlift_begin_resolved(adder_airlift_t *a) { return begin_plain(a, 0x35); }
adder_err_t adder_airlift_begin_socket(adder_airlift_t *a) { return begin_plain(a, 0x3F); }

adder_err_t adder_airlift_begin_scanned_rssi(adder_airlift_t *a, uint8_t index) { return begin_u8(a, 0x32, index); }
adder_err_t adder_airlift_begin_scanned_encryption(adder_airlift_t *a, uint8_t index) { return begin_u8(a, 0x33, index); }
adder_err_t adder_airlift_begin_scanned_bssid(adder_airlift_t *a, uint8_t index) { return begin_u8(a, 0x3C, index); }
adder_err_t adder_airlift_begin_scanned_channel(adder_airlift_t *a, uint8_t index) { return begin_u8(a, 0x3D, index); }
/* clang-format on */

adder_err_t adder_airlift_begin_scan(adder_airlift_t *a, uint8_t *names, size_t cap)
{
    const adder_err_t err = open_frame(a, 0x27);
    if (err != ADDER_OK) {
        return err;
    }
    a->priv.sink = names;
    a->priv.sink_cap = cap;
    return close_frame(a);
}

adder_err_t adder_airlift_begin_resolve(adder_airlift_t *a, const char *name)
{
    return begin_text(a, 0x34, name, 1, 255);
}

adder_err_t adder_airlift_begin_ping(adder_airlift_t *a, const uint8_t ip4[4], uint8_t ttl)
{
    const adder_err_t err = open_frame(a, 0x3E);
    if (err != ADDER_OK) {
        return err;
    }
    put(a, ip4, 4);
    put_u8(a, ttl);
    return close_frame(a);
}

/* ---- sockets ---- */

/* A command on a slot; `streams`: its bytes are lost if its reply is. */
static adder_err_t open_socket_frame(adder_airlift_t *a, uint8_t op, uint8_t sock, bool streams)
{
    if (sock >= adder_airlift_slots(a)) {
        return ADDER_ERR_RANGE;
    }
    if (streams && (a->priv.broken >> sock & 1u) != 0) {
        return ADDER_ERR_IO;
    }
    const adder_err_t err = open_frame(a, op);
    if (err == ADDER_OK) {
        a->priv.sock = sock;
        a->priv.streams = streams;
    }
    return err;
}

static adder_err_t begin_on_socket(adder_airlift_t *a, uint8_t op, uint8_t sock, bool streams)
{
    const adder_err_t err = open_socket_frame(a, op, sock, streams);
    if (err != ADDER_OK) {
        return err;
    }
    put_u8(a, sock);
    return close_frame(a);
}

adder_err_t adder_airlift_begin_connect(adder_airlift_t *a, uint8_t sock, const uint8_t ip4[4], uint16_t port,
                                        adder_airlift_mode_t mode)
{
    if (mode != ADDER_AIRLIFT_TCP && mode != ADDER_AIRLIFT_UDP) {
        return ADDER_ERR_RANGE;
    }
    const adder_err_t err = open_socket_frame(a, 0x2D, sock, false);
    if (err != ADDER_OK) {
        return err;
    }
    put(a, ip4, 4);
    put_port(a, port);
    put_u8(a, sock);
    put_u8(a, (uint8_t)mode);
    return close_frame(a);
}

adder_err_t adder_airlift_begin_connect_name(adder_airlift_t *a, uint8_t sock, const char *host,
                                             uint16_t port, adder_airlift_mode_t mode)
{
    if (!fits(host, 1, 255) || mode == ADDER_AIRLIFT_MULTICAST) {
        return ADDER_ERR_RANGE;
    }
    if (mode != ADDER_AIRLIFT_TLS && a->firmware.major < 2) {
        return ADDER_ERR_UNSUPPORTED; /* 1.x looks up four bytes of address as a name */
    }
    const adder_err_t err = open_socket_frame(a, 0x2D, sock, false);
    if (err != ADDER_OK) {
        return err;
    }
    static const uint8_t no_address[4];
    put(a, host, strlen(host));
    put(a, no_address, 4);
    put_port(a, port);
    put_u8(a, sock);
    put_u8(a, (uint8_t)mode);
    return close_frame(a);
}

adder_err_t adder_airlift_begin_listen(adder_airlift_t *a, uint8_t sock, const uint8_t group[4],
                                       uint16_t port, adder_airlift_mode_t mode)
{
    if (mode == ADDER_AIRLIFT_TLS || (mode == ADDER_AIRLIFT_MULTICAST) != (group != NULL)) {
        return ADDER_ERR_RANGE;
    }
    const adder_err_t err = open_socket_frame(a, 0x28, sock, false);
    if (err != ADDER_OK) {
        return err;
    }
    if (group != NULL) {
        put(a, group, 4);
    }
    put_port(a, port);
    put_u8(a, sock);
    put_u8(a, (uint8_t)mode);
    return close_frame(a);
}

adder_err_t adder_airlift_begin_listening(adder_airlift_t *a, uint8_t sock)
{
    return begin_on_socket(a, 0x29, sock, false);
}

adder_err_t adder_airlift_begin_socket_state(adder_airlift_t *a, uint8_t sock)
{
    return begin_on_socket(a, 0x2F, sock, false);
}

adder_err_t adder_airlift_begin_stop(adder_airlift_t *a, uint8_t sock)
{
    return begin_on_socket(a, 0x2E, sock, false);
}

adder_err_t adder_airlift_begin_available(adder_airlift_t *a, uint8_t sock, bool accept)
{
    const adder_err_t err = open_socket_frame(a, 0x2B, sock, false);
    if (err != ADDER_OK) {
        return err;
    }
    put_u8(a, sock);
    if (accept) {
        put_u8(a, 1);
    }
    return close_frame(a);
}

adder_err_t adder_airlift_begin_read_byte(adder_airlift_t *a, uint8_t sock, bool peek)
{
    const adder_err_t err = open_socket_frame(a, 0x2C, sock, true);
    if (err != ADDER_OK) {
        return err;
    }
    put_u8(a, sock);
    put_u8(a, peek);
    return close_frame(a);
}

adder_err_t adder_airlift_begin_recv(adder_airlift_t *a, uint8_t sock, uint8_t *out, size_t cap)
{
    const adder_err_t err = open_socket_frame(a, 0x45, sock, true);
    if (err != ADDER_OK) {
        return err;
    }
    const size_t ask = cap < ADDER_AIRLIFT_RECV_MAX ? cap : ADDER_AIRLIFT_RECV_MAX;
    const uint8_t le[2] = {(uint8_t)ask, (uint8_t)(ask >> 8)};
    put_u8(a, sock);
    put(a, le, 2);
    a->priv.sink = out;
    a->priv.sink_cap = ask;
    return close_frame(a);
}

/* The data follows the head from where it lies. */
static adder_err_t begin_data(adder_airlift_t *a, uint8_t op, uint8_t sock, const uint8_t *data, size_t len)
{
    const adder_err_t err = open_socket_frame(a, op, sock, true);
    if (err != ADDER_OK) {
        return err;
    }
    put_u8(a, sock);
    put_len(a, len);
    a->priv.data = data;
    a->priv.data_len = len;
    a->priv.adding = (uint16_t)len;
    return close_frame(a);
}

adder_err_t adder_airlift_begin_send(adder_airlift_t *a, uint8_t sock, const uint8_t *data, size_t len)
{
    return begin_data(a, 0x44, sock, data, len < ADDER_AIRLIFT_SEND_MAX ? len : ADDER_AIRLIFT_SEND_MAX);
}

adder_err_t adder_airlift_begin_data_sent(adder_airlift_t *a, uint8_t sock)
{
    return begin_on_socket(a, 0x2A, sock, false);
}

adder_err_t adder_airlift_begin_add_datagram(adder_airlift_t *a, uint8_t sock, const uint8_t *data,
                                             size_t len)
{
    const size_t max = a->firmware.major >= 3 ? 1460 : 1500;
    if (sock >= adder_airlift_slots(a) || len > max || a->priv.datagram[sock] > max - len) {
        return ADDER_ERR_RANGE;
    }
    return begin_data(a, 0x46, sock, data, len);
}

adder_err_t adder_airlift_begin_send_datagram(adder_airlift_t *a, uint8_t sock)
{
    return begin_on_socket(a, 0x39, sock, true);
}

adder_err_t adder_airlift_begin_remote(adder_airlift_t *a, uint8_t sock)
{
    return begin_on_socket(a, 0x3A, sock, false);
}

/* ---- the chip's pins ---- */

adder_err_t adder_airlift_begin_pin_mode(adder_airlift_t *a, uint8_t pin, adder_airlift_pin_mode_t mode)
{
    static const uint8_t codes[][3] = {{0, 1, 2}, {1, 3, 5}};
    if ((unsigned)mode > ADDER_AIRLIFT_PIN_IN_PULL_UP) {
        return ADDER_ERR_RANGE;
    }
    return begin_bytes(a, 0x50, (const uint8_t[]){pin, codes[a->firmware.major >= 3][mode]}, 2);
}

adder_err_t adder_airlift_begin_pin_write(adder_airlift_t *a, uint8_t pin, bool level)
{
    return begin_bytes(a, 0x51, (const uint8_t[]){pin, level}, 2);
}

adder_err_t adder_airlift_begin_pin_pwm(adder_airlift_t *a, uint8_t pin, uint8_t duty)
{
    return begin_bytes(a, 0x52, (const uint8_t[]){pin, duty}, 2);
}

adder_err_t adder_airlift_begin_pin_read(adder_airlift_t *a, uint8_t pin)
{
    return begin_u8(a, 0x53, pin);
}

adder_err_t adder_airlift_begin_pin_adc(adder_airlift_t *a, uint8_t pin, uint8_t attenuation)
{
    if (attenuation > 3) {
        return ADDER_ERR_RANGE;
    }
    return begin_bytes(a, 0x54, (const uint8_t[]){pin, attenuation}, 2);
}
