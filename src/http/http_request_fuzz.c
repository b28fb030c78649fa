/* Any bytes as a request (invariants 1 to 8 of adder/http.h), and any text given to the writer, whose
 * requests the parser reads back as they were meant: 12. */
#include "src/http/http_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next piece of the input up to a '|', as a string. */
static const char *piece(const uint8_t **at, const uint8_t *end, char *buf, size_t cap)
{
    size_t n = 0;
    while (*at < end && **at != '|' && n < cap - 1)
        buf[n++] = (char)*(*at)++;
    *at += *at < end;
    buf[n] = '\0';
    return buf;
}

static void written_is_read(const uint8_t *data, size_t size)
{
    char url_text[80], method[16], name[32], value[64], head[512], frame[ADDER_HTTP_FRAME_MAX];
    const uint8_t *at = data, *end = data + size;
    adder_url_t url;
    piece(&at, end, url_text, sizeof url_text);
    if (adder_url_parse(url_text, strlen(url_text), &url, NULL) != ADDER_OK)
        return;
    piece(&at, end, method, sizeof method);
    piece(&at, end, name, sizeof name);
    piece(&at, end, value, sizeof value);
    adder_http_writer_t w;
    size_t n, more;
    adder_http_write_request(&w, head, sizeof head - 64, method, &url);
    adder_http_write_header(&w, name, value);
    adder_http_write_header(&w, "Last", "one");
    if (adder_http_write_head_end(&w, ADDER_HTTP_BODY_CHUNKED, 0, &n) != ADDER_OK)
        return;
    MUST(adder_http_write_body(&w, 3, frame, &more) == ADDER_OK);
    memcpy(head + n, frame, more);
    memcpy(head + n + more, "abc", 3);
    n += more + 3;
    MUST(adder_http_write_body_end(&w, frame, &more) == ADDER_OK);
    memcpy(head + n, frame, more);
    n += more;

    char line[512];
    adder_http_parser_t p;
    adder_http_event_t ev;
    adder_http_request_init(&p, line, sizeof line);
    size_t used, from = 0;
    unsigned headers = 0, body = 0;
    do {
        adder_err_t err = adder_http_feed(&p, head + from, n - from, &used, &ev);
        if (err != ADDER_OK) { /* the caller's own Host need not be one */
            MUST(p.why == ADDER_HTTP_WHY_HOST_BAD);
            return;
        }
        from += used;
        if (ev.kind == ADDER_HTTP_EV_START)
            MUST(ev.name.len == strlen(method) && memcmp(ev.name.at, method, ev.name.len) == 0);
        headers += ev.kind == ADDER_HTTP_EV_HEADER;
        body += (unsigned)ev.body_len;
        MUST(ev.kind != ADDER_HTTP_EV_MORE && ev.kind != ADDER_HTTP_EV_TRAILER);
    } while (ev.kind != ADDER_HTTP_EV_END);
    MUST(from == n && body == 3 &&
         headers ==
             (strlen(name) == 4 && w.priv.has_host && adder_http_str_is((adder_http_str_t){name, 4}, "host")
                  ? 3
                  : 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_both(data, size, true);
    written_is_read(data, size);
    return 0;
}
