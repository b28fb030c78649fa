/* The link: strict alternation of a command and a reply slot, with nothing on the wire that tells which
 * one is open.
 *
 *   READY ---\_______/------------------\_________/-----------\____
 *   CS    ------\_________/----------------\_________/-------------
 *            LOW HIGH clock    ...       LOW HIGH clock
 *
 * A command runs through stages; each of them but the reset's is one such transaction:
 *
 *   [RESET BOOT] or [DRAIN ERROR_FRAME]  ->  ASK VERSION  ->  COMMAND REPLY
 *
 * DRAIN clocks four bytes into a slot nobody knows. A frame's start says a late reply was there and is now
 * gone; anything else, that the four bytes were taken for a bad command, whose error frame is next. What
 * comes back in the command slot is undefined and may look like a frame, so the version is asked before
 * the link is trusted. */
#include <string.h>

#include "airlift_int.h"

enum {
    STAGE_NONE,
    STAGE_RESET,
    STAGE_BOOT,
    STAGE_DRAIN,
    STAGE_ERROR_FRAME,
    STAGE_ASK,
    STAGE_VERSION,
    STAGE_COMMAND,
    STAGE_REPLY
};
enum { PHASE_LOW, PHASE_HIGH };

enum {
    RESET_US = 10000,
    SETTLE_US = 750000, /* hosts that do not look at READY wait so long */
    BOOT_US = 3000000,  /* until the first READY low */
    ACK_US = 100000,    /* CS low .. READY high */
    IDLE_US = 10000000, /* READY low before a command: a chip that has nothing to do */
    BRIEF_US = 5000000, /* a reply that needs no work */
    LOCK_US = 100,      /* the bus is another's: look again */
    ACK_LOOKS = 8,      /* the chip takes microseconds to acknowledge: look again at once */
    TRIES = 4,          /* of aligning, before the reset */
    FILLER = 0xFF,      /* never the start of a command */
};

static const uint8_t version_frame[4] = {0xE0, 0x37, 0x00, 0xEE};

/* ---- the bus ---- */

static bool take_bus(adder_airlift_t *a)
{
    const adder_bus_lock_t *l = &a->priv.c.lock;
    a->priv.locked = a->priv.locked || l->try_lock == NULL || l->try_lock(l->ctx);
    return a->priv.locked;
}

/* CS up, and only then may others have the wires. */
static adder_err_t deselect(adder_airlift_t *a)
{
    adder_err_t err = ADDER_OK;
    if (a->priv.selected) {
        a->priv.selected = false;
        err = adder_pin_write(&a->priv.c.cs, true);
    }
    if (a->priv.locked && a->priv.c.lock.unlock != NULL) {
        a->priv.c.lock.unlock(a->priv.c.lock.ctx);
    }
    a->priv.locked = a->priv.barred = false;
    return err;
}

void airlift_let_go(adder_airlift_t *a)
{
    ADDER_IGNORE(deselect(a), "there is nobody to tell");
}

/* ---- outcomes ---- */

static void enter(adder_airlift_t *a, unsigned stage)
{
    a->priv.stage = (uint8_t)stage;
    a->priv.phase = PHASE_LOW;
    a->priv.timed = false;
}

static void finish(adder_airlift_t *a, adder_err_t outcome)
{
    ADDER_IGNORE(deselect(a), "the first error is the one to tell");
    enter(a, STAGE_NONE);
    airlift_settle(a, outcome);
    memset(a->priv.frame, 0, sizeof a->priv.frame); /* may have held a password */
    a->priv.data = NULL;
    a->priv.sink = NULL;
    a->priv.outcome = outcome;
}

static adder_err_t begin_reset(adder_airlift_t *a)
{
    a->priv.aligned = false;
    a->priv.tries = 0;
    enter(a, STAGE_RESET);
    return ADDER_OK;
}

/* Nothing else helps. `why` is told if there is no RESET pin. */
static adder_err_t give_up_link(adder_airlift_t *a, adder_err_t why)
{
    a->priv.aligned = false;
    if (a->priv.c.reset.ops == NULL) {
        return why;
    }
    if (a->priv.op == 0) { /* a start: it has been reset and does not talk */
        a->priv.started = false;
        return ADDER_ERR_NOT_FOUND;
    }
    a->priv.op = 0; /* the command is not carried out on a chip that has forgotten its sockets */
    a->priv.outcome = ADDER_ERR_CLOSED;
    return begin_reset(a);
}

static adder_err_t align_again(adder_airlift_t *a, adder_err_t why)
{
    a->priv.aligned = false;
    if (++a->priv.tries > TRIES) {
        return give_up_link(a, why);
    }
    enter(a, STAGE_DRAIN);
    return ADDER_OK;
}

/* The stage's transaction did not come about. ADDER_OK = going on in another stage. */
static adder_err_t failed(adder_airlift_t *a, adder_err_t why)
{
    switch (a->priv.stage) {
    case STAGE_RESET:
    case STAGE_BOOT:
        a->priv.started = false;
        return ADDER_ERR_NOT_FOUND;
    case STAGE_REPLY: /* sent, so only the caller may send it again */
        a->priv.aligned = false;
        a->stats.timeouts += why == ADDER_ERR_TIMEOUT;
        a->stats.bad_replies += why != ADDER_ERR_TIMEOUT;
        return why;
    case STAGE_COMMAND: /* not a byte was sent */
    default:
        if (why == ADDER_ERR_TIMEOUT && a->priv.phase == PHASE_LOW) {
            return give_up_link(a, why); /* silent: no use in trying again */
        }
        return align_again(a, why);
    }
}

/* ---- clocking ---- */

static adder_err_t clock_bytes(adder_airlift_t *a, const uint8_t *wr, uint8_t *rd, size_t len)
{
    if (len == 0) {
        return ADDER_OK;
    }
    a->stats.bytes += len;
    return a->priv.c.spi.ops->transfer(a->priv.c.spi.ctx, wr, rd, len, FILLER);
}

static adder_err_t send_frame(adder_airlift_t *a)
{
    adder_err_t err = clock_bytes(a, a->priv.frame, NULL, a->priv.frame_len);
    if (err == ADDER_OK) {
        err = clock_bytes(a, a->priv.data, NULL, a->priv.data_len);
    }
    return err != ADDER_OK ? err : clock_bytes(a, a->priv.tail, NULL, a->priv.tail_len);
}

/* Parameters into priv.reply, which holds every short one. `c` is the byte after what was read. */
static adder_err_t read_short(adder_airlift_t *a, const airlift_form_t *form, uint8_t c)
{
    size_t at = 0;
    for (unsigned i = 0; i < form->params; i++) {
        const size_t len = c;
        if ((form->len[i] != 0 && len != form->len[i] && a->priv.shape != AIRLIFT_TIME) ||
            at + len + 1 > sizeof a->priv.reply) {
            return ADDER_ERR_IO;
        }
        a->priv.reply_len[i] = (uint8_t)len;
        const adder_err_t err = clock_bytes(a, NULL, a->priv.reply + at, len + 1);
        if (err != ADDER_OK) {
            return err;
        }
        at += len;
        c = a->priv.reply[at]; /* the next length, or END: overwritten by the next parameter */
    }
    a->priv.reply[at] = 0;
    return c == 0xEE ? ADDER_OK : ADDER_ERR_IO;
}

/* One parameter with a 2-byte length, straight to the caller's buffer. */
static adder_err_t read_data(adder_airlift_t *a, uint8_t high)
{
    uint8_t byte;
    adder_err_t err = clock_bytes(a, NULL, &byte, 1);
    const size_t len = (size_t)(high << 8 | byte);
    if (err == ADDER_OK && len > a->priv.sink_cap) {
        return ADDER_ERR_IO;
    }
    if (err == ADDER_OK) {
        err = clock_bytes(a, NULL, a->priv.sink, len);
    }
    if (err == ADDER_OK) {
        err = clock_bytes(a, NULL, &byte, 1);
    }
    a->result.len = len;
    return err == ADDER_OK && byte != 0xEE ? ADDER_ERR_IO : err;
}

/* Texts until the caller's buffer is full; the chip does not mind if the rest stays unread. */
static adder_err_t read_scan(adder_airlift_t *a, uint8_t count, uint8_t len)
{
    if (count >= 0xFE) {
        return ADDER_ERR_REFUSED; /* 3.x: the scan failed */
    }
    size_t at = 0, total = 3;
    a->result.number = count;
    for (unsigned i = 0; i < count; i++) {
        total += 1u + len;
        if (len > 32 || total >= 4092) {
            return ADDER_ERR_IO;
        }
        if (1u + len > a->priv.sink_cap - at) {
            a->result.len = at;
            return ADDER_OK;
        }
        a->priv.sink[at] = len;
        adder_err_t err = clock_bytes(a, NULL, a->priv.sink + at + 1, len);
        if (err == ADDER_OK) {
            err = clock_bytes(a, NULL, &a->priv.reply[0], 1);
        }
        if (err != ADDER_OK) {
            return err;
        }
        at += 1u + len;
        len = a->priv.reply[0];
    }
    a->result.len = at;
    return len == 0xEE ? ADDER_OK : ADDER_ERR_IO;
}

/* What the reply says; ADDER_ERR_IO = no reply to `op`. */
static adder_err_t read_reply(adder_airlift_t *a, uint8_t op)
{
    uint8_t head[4] = {0};
    const adder_err_t err = clock_bytes(a, NULL, head, sizeof head);
    if (err != ADDER_OK) {
        return err;
    }
    if (head[0] == 0xEF && head[1] == 0x00 && head[2] == 0xEE) {
        return ADDER_ERR_UNSUPPORTED;
    }
    if (head[0] != 0xE0 || head[1] != (op | 0x80)) {
        return ADDER_ERR_IO;
    }
    if (a->priv.shape == AIRLIFT_SCAN) {
        return read_scan(a, head[2], head[3]);
    }
    const airlift_form_t *form = &airlift_forms[a->priv.shape];
    if (head[2] == 0 && head[3] == 0xEE) {
        return ADDER_ERR_REFUSED;
    }
    if (head[2] != form->params) {
        return ADDER_ERR_IO;
    }
    return a->priv.shape == AIRLIFT_DATA ? read_data(a, head[3]) : read_short(a, form, head[3]);
}

/* ---- transactions ---- */

static adder_err_t after_version(adder_airlift_t *a)
{
    a->stats.realigned += a->priv.op != 0;
    a->priv.aligned = a->priv.started = true;
    if (a->priv.op == 0) {
        return a->priv.outcome; /* of begin_start(): AGAIN, which is done; or CLOSED after a reset */
    }
    memset(&a->result, 0, sizeof a->result);
    enter(a, STAGE_COMMAND);
    return ADDER_OK;
}

/* CS is low and acknowledged: the bytes. ADDER_OK = on to the next stage. */
static adder_err_t clock_stage(adder_airlift_t *a, bool *ended)
{
    uint8_t four[4] = {0};
    adder_err_t err;
    const uint8_t stage = a->priv.stage;
    if (stage == STAGE_COMMAND) {
        err = send_frame(a);
    } else if (stage == STAGE_ASK) {
        err = clock_bytes(a, version_frame, NULL, sizeof version_frame);
    } else if (stage == STAGE_DRAIN || stage == STAGE_ERROR_FRAME) {
        err = clock_bytes(a, NULL, four, sizeof four);
    } else {
        const uint8_t op = stage == STAGE_VERSION ? version_frame[1] : a->priv.op;
        a->priv.shape = airlift_command(op)->shape;
        err = read_reply(a, op);
    }
    a->stats.transactions++;
    const adder_err_t pin = deselect(a);
    if (pin != ADDER_OK) {
        a->priv.aligned = false;
        return pin;
    }
    switch (stage) {
    case STAGE_DRAIN:
        if (err != ADDER_OK) {
            return align_again(a, err);
        }
        enter(a, four[0] == 0xE0 || four[0] == 0xEF ? STAGE_ASK : STAGE_ERROR_FRAME);
        return ADDER_OK;
    case STAGE_ERROR_FRAME:
        if (err != ADDER_OK || four[0] != 0xEF) {
            return align_again(a, err != ADDER_OK ? err : ADDER_ERR_IO);
        }
        enter(a, STAGE_ASK);
        return ADDER_OK;
    case STAGE_ASK:
        if (err != ADDER_OK) {
            return align_again(a, err);
        }
        enter(a, STAGE_VERSION);
        return ADDER_OK;
    case STAGE_VERSION:
        err = err == ADDER_OK ? airlift_take_result(a) : err;
        if (err != ADDER_OK) {
            return align_again(a, ADDER_ERR_IO);
        }
        err = after_version(a);
        *ended = err != ADDER_OK;
        return err == ADDER_ERR_AGAIN ? ADDER_OK : err;
    case STAGE_COMMAND:
        if (err != ADDER_OK) { /* who knows what the chip took it for: its reply would say nothing */
            a->priv.aligned = false;
            return err;
        }
        enter(a, STAGE_REPLY);
        return ADDER_OK;
    default:
        if (err == ADDER_ERR_REFUSED || err == ADDER_ERR_UNSUPPORTED) {
            return err;
        }
        if (err != ADDER_OK) {
            return failed(a, err);
        }
        *ended = true;
        return airlift_take_result(a);
    }
}

static uint64_t low_limit_us(const adder_airlift_t *a, uint64_t now_us)
{
    switch (a->priv.stage) {
    case STAGE_REPLY:
        return now_us + airlift_command(a->priv.op)->limit_s * (uint64_t)1000000;
    case STAGE_DRAIN: /* the lost reply has its command's time still */
        return a->priv.late_us > now_us + IDLE_US ? a->priv.late_us : now_us + IDLE_US;
    case STAGE_COMMAND:
    case STAGE_ASK:
        return now_us + IDLE_US;
    default:
        return now_us + BRIEF_US;
    }
}

/* ---- reset ---- */

static adder_err_t reset_stage(adder_airlift_t *a, uint64_t now_us, bool *wait)
{
    adder_err_t err;
    if (!a->priv.timed) { /* low; GPIO0 high, or the ROM loader starts */
        a->priv.timed = true;
        a->priv.seen_high = false;
        a->priv.due_us = now_us + RESET_US;
        a->stats.resets++;
        airlift_forget_sockets(a);
        err = adder_pin_mode(&a->priv.c.gpio0, ADDER_PIN_OUT, true);
        *wait = true;
        return err != ADDER_OK ? err : adder_pin_mode(&a->priv.c.reset, ADDER_PIN_OUT, false);
    }
    if (now_us < a->priv.due_us) {
        *wait = true;
        return ADDER_OK;
    }
    err = adder_pin_write(&a->priv.c.reset, true);
    enter(a, STAGE_BOOT);
    return err;
}

/* READY floats, then is high, then falls: the chip is armed. A board that pulls it low is believed after
 * the time that everyone else sleeps. */
static adder_err_t boot_stage(adder_airlift_t *a, uint64_t now_us, bool *wait)
{
    if (!a->priv.timed) {
        a->priv.timed = true;
        a->priv.due_us = now_us + BOOT_US;
    }
    bool high;
    const adder_err_t err = adder_pin_read(&a->priv.c.ready, &high);
    if (err != ADDER_OK) {
        return err;
    }
    a->priv.seen_high |= high;
    if (!high && (a->priv.seen_high || now_us + BOOT_US >= a->priv.due_us + SETTLE_US)) {
        enter(a, STAGE_ASK);
        return adder_pin_mode(&a->priv.c.gpio0, ADDER_PIN_IN, false);
    }
    *wait = true;
    return now_us < a->priv.due_us ? ADDER_OK : failed(a, ADDER_ERR_TIMEOUT);
}

/* ---- engine ---- */

static adder_err_t transact(adder_airlift_t *a, uint64_t now_us, bool *wait, bool *ended)
{
    a->priv.barred = false;
    if (!a->priv.timed) {
        a->priv.timed = true;
        a->priv.due_us = a->priv.phase == PHASE_LOW ? low_limit_us(a, now_us) : now_us + ACK_US;
        if (a->priv.stage == STAGE_REPLY) {
            a->priv.late_us = a->priv.due_us;
        }
    }
    bool high = false;
    for (int i = 0; i < ACK_LOOKS; i++) {
        const adder_err_t err = adder_pin_read(&a->priv.c.ready, &high);
        if (err != ADDER_OK) {
            return err;
        }
        if (a->priv.phase == PHASE_LOW || high) {
            break;
        }
    }
    if (high != (a->priv.phase == PHASE_HIGH)) {
        *wait = now_us < a->priv.due_us;
        if (*wait) {
            return ADDER_OK;
        }
        if (a->priv.phase == PHASE_LOW) {
            return failed(a, ADDER_ERR_TIMEOUT);
        }
        const adder_err_t err = deselect(a); /* the chip may have seen the pulse, or not */
        return err != ADDER_OK ? err : failed(a, ADDER_ERR_IO);
    }
    if (a->priv.phase == PHASE_HIGH) {
        return clock_stage(a, ended);
    }
    a->priv.barred = !take_bus(a);
    if (a->priv.barred) { /* the chip is ready and waits for us: no limit runs */
        a->priv.retry_us = now_us + LOCK_US;
        *wait = true;
        return ADDER_OK;
    }
    adder_err_t err = a->priv.c.spi.ops->configure(a->priv.c.spi.ctx, a->priv.c.hz, 0, 0, 8, NULL);
    if (err == ADDER_OK) {
        a->priv.selected = true;
        err = adder_pin_write(&a->priv.c.cs, false);
    }
    a->priv.phase = PHASE_HIGH;
    a->priv.timed = false;
    return err;
}

adder_err_t adder_airlift_tick(adder_airlift_t *a, uint64_t now_us)
{
    for (unsigned steps = 0; a->priv.stage != STAGE_NONE; steps++) {
        bool wait = false, ended = false;
        adder_err_t err;
        if (a->priv.stage == STAGE_RESET) {
            err = reset_stage(a, now_us, &wait);
        } else if (a->priv.stage == STAGE_BOOT) {
            err = boot_stage(a, now_us, &wait);
        } else {
            err = transact(a, now_us, &wait, &ended);
        }
        if (err != ADDER_OK || ended) {
            finish(a, err);
        } else if (wait || steps >= 4) {
            return ADDER_ERR_AGAIN;
        }
    }
    return a->priv.outcome;
}

uint64_t adder_airlift_due_us(const adder_airlift_t *a)
{
    if (a->priv.stage == STAGE_NONE) {
        return UINT64_MAX;
    }
    return a->priv.barred ? a->priv.retry_us : a->priv.timed ? a->priv.due_us : 0;
}

bool adder_airlift_holds_bus(const adder_airlift_t *a)
{
    return a->priv.selected;
}

void adder_airlift_give_up(adder_airlift_t *a)
{
    if (a->priv.stage == STAGE_NONE) {
        return;
    }
    /* In the middle of a reset or of aligning, the next command starts with that again. */
    if (a->priv.stage == STAGE_RESET || a->priv.stage == STAGE_BOOT) {
        a->priv.started = false;
    }
    if (a->priv.stage != STAGE_COMMAND || a->priv.selected) {
        a->priv.aligned = false;
    }
    finish(a, ADDER_ERR_TIMEOUT);
}

adder_err_t adder_airlift_data_flag(const adder_airlift_t *a, bool *waiting_out)
{
    *waiting_out = true;
    return a->priv.c.gpio0.ops == NULL ? ADDER_OK : adder_pin_read(&a->priv.c.gpio0, waiting_out);
}

adder_err_t adder_airlift_init(adder_airlift_t *a, const adder_airlift_config_t *c)
{
    memset(a, 0, sizeof *a);
    if (c->spi.ops == NULL || c->cs.ops == NULL || c->ready.ops == NULL) {
        return ADDER_ERR_ARG;
    }
    a->priv.c = *c;
    a->priv.c.hz = c->hz != 0 ? c->hz : 8000000;
    a->priv.sock = 255;
    a->priv.outcome = ADDER_ERR_STATE;
    adder_err_t err = adder_pin_mode(&c->cs, ADDER_PIN_OUT, true);
    if (err == ADDER_OK) {
        err = adder_pin_mode(&c->reset, ADDER_PIN_OUT, true);
    }
    /* Pulled up: what does not drive READY is busy. */
    return err != ADDER_OK ? err : adder_pin_mode(&c->ready, ADDER_PIN_IN_PULL_UP, false);
}

adder_err_t adder_airlift_begin_start(adder_airlift_t *a)
{
    if (a->priv.stage != STAGE_NONE || a->priv.c.spi.ops == NULL) {
        return ADDER_ERR_STATE;
    }
    memset(&a->result, 0, sizeof a->result);
    a->priv.op = 0;
    a->priv.sock = 255;
    a->priv.streams = false;
    a->priv.adding = 0;
    a->priv.aligned = false;
    a->priv.tries = 0;
    a->priv.outcome = ADDER_ERR_AGAIN;
    enter(a, a->priv.c.reset.ops != NULL ? STAGE_RESET : STAGE_DRAIN);
    return ADDER_OK;
}

void airlift_launch(adder_airlift_t *a)
{
    a->priv.tries = 0;
    a->priv.outcome = ADDER_ERR_AGAIN;
    enter(a, a->priv.aligned ? STAGE_COMMAND : STAGE_DRAIN);
}
