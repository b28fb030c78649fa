/* Any bytes as JSON: invariants 1 to 9 of adder/json.h. */
#include <stdlib.h>
#include <string.h>

#include "adder/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c)                                                                                              \
    do {                                                                                                     \
        if (!(c))                                                                                            \
            abort();                                                                                         \
    } while (0)

typedef struct {
    uint64_t hash;
    adder_err_t err;
    adder_json_why_t why;
    size_t at;
    bool partial; /* a text came in pieces: it is not written again */
} run_t;

static void hash(run_t *r, const void *at, size_t len)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < len; i++)
        r->hash = (r->hash ^ bytes[i]) * 0x100000001b3u;
}

/* 4: what may come where. */
typedef struct {
    uint8_t stack[ADDER_JSON_DEPTH + 1]; /* 'o', 'n' (a name was there), 'a' */
    size_t depth;
    unsigned values;
    bool over;
} grammar_t;

static void check_grammar(grammar_t *g, const adder_json_event_t *ev)
{
    uint8_t *top = &g->stack[g->depth];
    MUST(!g->over);
    switch (ev->kind) {
    case ADDER_JSON_NAME:
        MUST(*top == 'o');
        *top = 'n';
        return;
    case ADDER_JSON_END:
        MUST(g->depth == 0 && g->values == 1);
        g->over = true;
        return;
    case ADDER_JSON_OBJECT_END:
    case ADDER_JSON_ARRAY_END:
        MUST(g->depth > 0 && *top == (ev->kind == ADDER_JSON_OBJECT_END ? 'o' : 'a'));
        g->depth--;
        break;
    case ADDER_JSON_OBJECT:
    case ADDER_JSON_ARRAY:
        MUST(g->depth < ADDER_JSON_DEPTH && *top != 'o');
        g->stack[++g->depth] = ev->kind == ADDER_JSON_OBJECT ? 'o' : 'a';
        return;
    default:
        MUST(*top != 'o');
        if (ev->partial)
            return;
    }
    if (g->depth == 0)
        g->values++;
    else if (g->stack[g->depth] == 'n')
        g->stack[g->depth] = 'o';
}

static void write_again(adder_json_writer_t *w, const adder_json_event_t *ev)
{
    double x, back;
    char text[64];
    size_t n;
    adder_json_writer_t one;
    switch (ev->kind) {
    case ADDER_JSON_OBJECT:
    case ADDER_JSON_ARRAY:
        adder_json_put_begin(w, ev->kind);
        break;
    case ADDER_JSON_OBJECT_END:
    case ADDER_JSON_ARRAY_END:
        adder_json_put_end(w);
        break;
    case ADDER_JSON_NAME:
        adder_json_put_name_str(w, ev->text, ev->len);
        break;
    case ADDER_JSON_TEXT:
        adder_json_put_text_str(w, ev->text, ev->len);
        break;
    case ADDER_JSON_INT:
        adder_json_put_int(w, ev->number);
        break;
    case ADDER_JSON_NUMBER:
        MUST(adder_json_double(ev->text, ev->len, &x) == ADDER_OK);
        adder_json_put_raw(w, ev->text, ev->len);
        if (!(x - x == 0))
            break;
        adder_json_write_init(&one, text, sizeof text); /* 9 */
        adder_json_put_double(&one, x);
        MUST(adder_json_write_end(&one, &n) == ADDER_OK && n < 26);
        MUST(adder_json_double(text, n, &back) == ADDER_OK && memcmp(&x, &back, sizeof x) == 0);
        break;
    case ADDER_JSON_BOOL:
        adder_json_put_bool(w, ev->number != 0);
        break;
    case ADDER_JSON_NULL:
        adder_json_put_null(w);
        break;
    default:
        break;
    }
}

static void check_event(run_t *run, grammar_t *g, const adder_json_event_t *ev, const char *token, size_t cap,
                        adder_json_writer_t *w)
{
    MUST(ev->len == 0 || (ev->text == token && ev->len <= cap)); /* 1 */
    check_grammar(g, ev);
    hash(run, &ev->kind, sizeof ev->kind);
    hash(run, &ev->partial, 1);
    hash(run, ev->text, ev->kind == ADDER_JSON_INT ? 0 : ev->len);
    hash(run, &ev->number, sizeof ev->number);
    /* put_raw() takes no longer numbers: what holds one is not written again. */
    run->partial |= ev->partial || (ev->kind == ADDER_JSON_NUMBER && ev->len > 64);
    if (ev->kind == ADDER_JSON_NAME ||
        ev->kind == ADDER_JSON_TEXT) { /* 3: the writer takes valid UTF-8 only */
        char quoted[6 * 100 + 3];
        adder_json_writer_t one;
        size_t n;
        adder_json_write_init(&one, quoted, sizeof quoted);
        adder_json_put_text_str(&one, ev->text, ev->len);
        MUST(adder_json_write_end(&one, &n) == ADDER_OK);
    }
    if (w != NULL)
        write_again(w, ev);
}

static run_t read_all(const uint8_t *data, size_t size, size_t cap, uint32_t seed, adder_json_writer_t *w)
{
    run_t run;
    grammar_t g;
    adder_json_reader_t r;
    adder_json_event_t ev;
    memset(&run, 0, sizeof run);
    memset(&g, 0, sizeof g);
    char *token = malloc(cap);
    MUST(token != NULL);
    adder_json_read_init(&r, token, cap);
    size_t done = 0;
    while (done < size && run.err == ADDER_OK) {
        size_t n = size - done, at = 0, used;
        if (seed != 0) {
            seed = seed * 1664525u + 1013904223u;
            n = n < 1 + (seed >> 28) ? n : 1 + (seed >> 28);
        }
        uint8_t *in = malloc(n); /* an exact copy: the sanitizer sees a step outside: 1 */
        MUST(in != NULL);
        memcpy(in, data + done, n);
        for (size_t calls = 0;; calls++) {
            MUST(calls <= 2 * n + 2); /* 6 */
            run.err = adder_json_feed(&r, in + at, n - at, &used, &ev);
            if (run.err != ADDER_OK || ev.kind == ADDER_JSON_MORE)
                break;
            MUST(used <= n - at);
            at += used;
            check_event(&run, &g, &ev, token, cap, w);
        }
        done += n;
        free(in);
    }
    for (unsigned calls = 0; run.err == ADDER_OK && !g.over; calls++) {
        MUST(calls < 3);
        run.err = adder_json_eof(&r, &ev);
        if (run.err == ADDER_OK)
            check_event(&run, &g, &ev, token, cap, w);
    }
    if (run.err != ADDER_OK) { /* 5 */
        size_t used;
        MUST(r.why != ADDER_JSON_WHY_NONE);
        MUST(adder_json_feed(&r, " ", 1, &used, &ev) == run.err && adder_json_eof(&r, &ev) == run.err);
    }
    run.why = r.why;
    run.at = r.at;
    free(token);
    return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char again[1 << 16];
    if (size < 2 || size > 8192)
        return 0;
    size_t cap = ADDER_JSON_TOKEN_MIN + data[0] % 64, n;
    adder_json_writer_t w;
    adder_json_write_init(&w, again, sizeof again);
    run_t a = read_all(data + 2, size - 2, cap, 0, &w);
    run_t b = read_all(data + 2, size - 2, cap, data[1] + 1u, NULL);
    MUST(a.hash == b.hash && a.err == b.err && a.why == b.why && a.at == b.at); /* 2 */
    if (a.err != ADDER_OK || a.partial)
        return 0;
    MUST(adder_json_write_end(&w, &n) == ADDER_OK); /* 7 */
    run_t c = read_all((const uint8_t *)again, n, cap, 0, NULL);
    MUST(c.err == ADDER_OK && c.hash == a.hash);
    return 0;
}
