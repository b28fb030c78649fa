#include "host/console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/web.h"
#include "python/layer/vm.h"
#include "python/modules/display_board.h"

#define CTRL_C 0x03

bool console_init(console_t *c, int out_fd)
{
    memset(c, 0, sizeof *c);
    c->input = malloc(CONSOLE_INPUT_MAX);
    if (c->input == NULL)
        return false;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
    c->out_fd = out_fd;
    c->out_is_terminal = isatty(out_fd);
    c->at_line_start = true;
    return true;
}

void console_deinit(console_t *c)
{
    if (c->input == NULL)
        return;
    free(c->input);
    free(c->capture);
    c->input = c->capture = NULL;
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
}

/* ---- input ---- */

void console_input(console_t *c, const char *bytes, size_t len)
{
    bool interrupt = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == CTRL_C && c->interrupts) {
            /* What was typed before an interrupt is not for the program any more. */
            c->input_len = 0;
            interrupt = true;
        } else if (c->input_len < CONSOLE_INPUT_MAX) {
            c->input[(c->input_at + c->input_len++) % CONSOLE_INPUT_MAX] = bytes[i];
        }
    }
    c->woken = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (interrupt)
        vm_request(VM_REQ_INTERRUPT);
    vm_wake();
}

void console_set_interrupts(console_t *c, bool on)
{
    pthread_mutex_lock(&c->lock);
    c->interrupts = on;
    pthread_mutex_unlock(&c->lock);
}

size_t console_read(console_t *c, char *out, size_t cap)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->input_len < cap ? c->input_len : cap;
    for (size_t i = 0; i < n; i++)
        out[i] = c->input[(c->input_at + i) % CONSOLE_INPUT_MAX];
    c->input_at = (c->input_at + n) % CONSOLE_INPUT_MAX;
    c->input_len -= n;
    pthread_mutex_unlock(&c->lock);
    return n;
}

size_t console_available(console_t *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->input_len;
    pthread_mutex_unlock(&c->lock);
    return n;
}

void console_drop_input(console_t *c)
{
    pthread_mutex_lock(&c->lock);
    c->input_len = 0;
    pthread_mutex_unlock(&c->lock);
}

void console_wait(console_t *c, uint32_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&c->lock);
    while (!c->woken && c->input_len == 0)
        if (pthread_cond_timedwait(&c->changed, &c->lock, &until) == ETIMEDOUT)
            break;
    c->woken = false;
    pthread_mutex_unlock(&c->lock);
}

void console_wake(console_t *c)
{
    pthread_mutex_lock(&c->lock);
    c->woken = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

/* ---- output ---- */

static void put(console_t *c, const char *bytes, size_t len)
{
    while (len > 0 && !c->out_gone) {
        ssize_t n = write(c->out_fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) { /* the reader has gone; the board has not */
            c->out_gone = true;
            return;
        }
        bytes += n;
        len -= (size_t)n;
    }
}

/* For pipes and files: no CR, no title sequences (ESC ] ... BEL or ESC \). */
static size_t plain(console_t *c, const char *in, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char b = in[i];
        switch (c->filter) {
        case CONSOLE_TEXT:
            if (b == 0x1B)
                c->filter = CONSOLE_ESC;
            else if (b != '\r')
                out[n++] = b;
            break;
        case CONSOLE_ESC:
            c->filter = b == ']' ? CONSOLE_TITLE : CONSOLE_TEXT;
            if (b != ']') {
                out[n++] = 0x1B;
                out[n++] = b;
            }
            break;
        case CONSOLE_TITLE:
            if (b == 0x07)
                c->filter = CONSOLE_TEXT;
            else if (b == 0x1B)
                c->filter = CONSOLE_TITLE_ESC;
            break;
        case CONSOLE_TITLE_ESC:
            c->filter = CONSOLE_TEXT;
            break;
        }
    }
    return n;
}

static void capture(console_t *c, const char *bytes, size_t len)
{
    size_t room = CONSOLE_CAPTURE_MAX - c->capture_len;
    size_t n = len < room ? len : room;
    memcpy(c->capture + c->capture_len, bytes, n);
    c->capture_len += n;
}

/* Already cooked, at most 512 bytes. */
static void emit(console_t *c, const char *bytes, size_t len)
{
    if (c->capture != NULL) {
        capture(c, bytes, len);
        return;
    }
    if (c->out_is_terminal) {
        put(c, bytes, len);
    } else {
        char text[512 + 2];
        put(c, text, plain(c, bytes, len, text));
    }
    web_console_output(c->web, bytes, len);
    if (c->display)
        display_board_console(bytes, len);
}

void console_write(console_t *c, const char *bytes, size_t len)
{
    char cooked[512];
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (n + 2 > sizeof cooked) {
            emit(c, cooked, n);
            n = 0;
        }
        if (bytes[i] == '\n' && c->last != '\r')
            cooked[n++] = '\r';
        cooked[n++] = c->last = bytes[i];
    }
    if (n > 0)
        emit(c, cooked, n);
    if (len > 0 && c->capture == NULL)
        __atomic_store_n(&c->at_line_start, bytes[len - 1] == '\n', __ATOMIC_RELAXED);
}

void console_print(console_t *c, const char *text)
{
    console_write(c, text, strlen(text));
}

void console_title(console_t *c, const char *text)
{
    bool at_line_start = c->at_line_start;
    char title[300];
    int n = snprintf(title, sizeof title, "\x1b]0;%s\x1b\\", text);
    if (n > 0 && (size_t)n < sizeof title)
        emit(c, title, (size_t)n);
    c->at_line_start = at_line_start;
}

void console_capture_begin(console_t *c)
{
    free(c->capture);
    c->capture = malloc(CONSOLE_CAPTURE_MAX + 1);
    c->capture_len = 0;
}

char *console_capture_end(console_t *c)
{
    char *text = c->capture;
    if (text != NULL)
        text[c->capture_len] = '\0';
    c->capture = NULL;
    c->capture_len = 0;
    return text;
}

void console_say(console_t *c, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* Both on one terminal: do not write into the middle of the program's line; CR for raw mode. */
    bool terminal = isatty(STDERR_FILENO);
    bool broken = terminal && c->out_is_terminal && !__atomic_load_n(&c->at_line_start, __ATOMIC_RELAXED);
    fprintf(stderr, "%sadder: %s%s", broken ? "\r\n" : "", text, terminal ? "\r\n" : "\n");
    fflush(stderr);
    if (broken)
        __atomic_store_n(&c->at_line_start, true, __ATOMIC_RELAXED);
}
