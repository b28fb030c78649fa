#include "host/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adder/settings.h"
#include "host/attendant.h"
#include "host/broker.h"
#include "host/child.h"
#include "host/cli.h"
#include "host/keyboard.h"
#include "host/library.h"
#include "host/machine.h"
#include "host/paths.h"
#include "host/port_owner.h"
#include "host/web.h"
#include "python/layer/vm.h"
#include "python/modules/display_board.h"
#include "sim/network.h"
#include "sim/sim.h"

#define FIRST_PORT 8080
#define PORTS_TRIED 50
#define FILE_MAX (1024 * 1024)

typedef struct {
    cli_run_t options;
    char drive[PATHS_MAX], file[256], board_file[PATHS_MAX], bundle[PATHS_MAX];
    char *settings; /* text of settings.toml, NULL = none */
    size_t settings_len;
    sim_board_t *board;
    console_t console;
    machine_t machine;
    attendant_t attendant;
    broker_t broker;
    web_t *web;
} run_t;

/* ---- reading what the user gave ---- */

/* A whole file, NUL at the end; NULL with errno. */
static char *read_file(const char *path, size_t *len_out)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    char *text = malloc(FILE_MAX + 1);
    *len_out = text == NULL ? 0 : fread(text, 1, FILE_MAX, f);
    fclose(f);
    if (text != NULL)
        text[*len_out] = '\0';
    return text;
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;
    for (const char *p = text; p < at; p++)
        line += *p == '\n';
    return line;
}

static void load_settings(run_t *r)
{
    char path[PATHS_MAX];
    if (!paths_join(path, sizeof path, r->drive, "settings.toml"))
        return;
    r->settings = read_file(path, &r->settings_len);
    if (r->settings == NULL)
        return;
    /* As on a board, a line that is not understood is no reason not to run. */
    adder_settings_problem_t problems[3];
    size_t n = adder_settings_check(r->settings, r->settings_len, problems, 3);
    for (size_t i = 0; i < n && i < 3; i++)
        cli_say("%s:%u: %s", path, problems[i].line, problems[i].what);
}

/* The value as os.getenv() gives it; false: no such key, not understood, or too long. */
static bool setting(const run_t *r, const char *key, char *out, size_t cap)
{
    adder_setting_t found;
    size_t len;
    return r->settings != NULL && adder_settings_find(r->settings, r->settings_len, key, &found) &&
           found.kind != ADDER_SETTING_BAD && adder_settings_text(&found, out, cap, &len) == ADDER_OK;
}

/* The "network" of the run: --network, or network.json of the drive, or what settings.toml implies. */
static bool load_network(const run_t *r, cJSON *config)
{
    char path[PATHS_MAX], ssid[64] = "", password[128] = "", msg[300];
    cJSON *network = NULL;
    bool given = r->options.network != NULL;
    if (given)
        snprintf(path, sizeof path, "%s", r->options.network);
    if (given || (paths_join(path, sizeof path, r->drive, "network.json") && paths_is_file(path))) {
        size_t len;
        char *text = read_file(path, &len);
        if (text == NULL) {
            cli_error("--network: cannot read %s: %s", path, strerror(errno));
            return false;
        }
        const char *end = text;
        cJSON *json = cJSON_ParseWithLengthOpts(text, len + 1, &end, true);
        if (json == NULL || !cJSON_IsObject(json)) {
            cli_error("%s:%u: %s", path, line_of(text, end),
                      json == NULL ? "this is not JSON; check commas, quotes and braces here"
                                   : "expected an object: {\"access_points\": [...], \"hosts\": {...}}");
            free(text);
            cJSON_Delete(json);
            return false;
        }
        free(text);
        cJSON *inner = cJSON_DetachItemFromObject(json, "network");
        network = inner != NULL ? inner : json;
        if (inner != NULL)
            cJSON_Delete(json);
        sim_network_t *checked = sim_network_create(network, msg, sizeof msg);
        if (checked == NULL) {
            cli_error("%s: %s", path, msg);
            cJSON_Delete(network);
            return false;
        }
        sim_network_destroy(checked);
    }
    setting(r, "CIRCUITPY_WIFI_SSID", ssid, sizeof ssid);
    setting(r, "CIRCUITPY_WIFI_PASSWORD", password, sizeof password);
    network = sim_network_config(network, ssid, password);
    sim_network_t *checked = sim_network_create(network, msg, sizeof msg);
    if (checked == NULL) {
        cli_error("%s/settings.toml: CIRCUITPY_WIFI_...: %s", r->drive, msg);
        cJSON_Delete(network);
        return false;
    }
    sim_network_destroy(checked);
    cJSON_AddItemToObject(config, "network", network);
    return true;
}

/* "chips" of the run: what --chip says. A value that is a number, true or false is that, else a text. */
static void load_chips(const run_t *r, cJSON *config)
{
    cJSON *chips = cJSON_AddObjectToObject(config, "chips");
    for (size_t i = 0; i < r->options.chip_count; i++) {
        char id[64], key[64];
        const char *text = r->options.chips[i], *dot = strchr(text, '.'), *value = strchr(text, '=') + 1;
        snprintf(id, sizeof id, "%.*s", (int)(dot - text), text);
        snprintf(key, sizeof key, "%.*s", (int)(value - dot - 2), dot + 1);
        cJSON *chip = cJSON_GetObjectItemCaseSensitive(chips, id);
        if (chip == NULL)
            chip = cJSON_AddObjectToObject(chips, id);
        cJSON *v = cJSON_ParseWithOpts(value, NULL, true);
        if (!cJSON_IsNumber(v) && !cJSON_IsBool(v)) {
            cJSON_Delete(v);
            v = cJSON_CreateString(value);
        }
        cJSON_DeleteItemFromObjectCaseSensitive(chip, key);
        cJSON_AddItemToObject(chip, key, v);
    }
}

/* Asking late would cost the user a whole run. */
static bool can_write(const char *option, const char *path)
{
    if (path == NULL)
        return true;
    FILE *f = fopen(path, "ab");
    if (f == NULL) {
        cli_error("%s: cannot write %s: %s", option, path, strerror(errno));
        return false;
    }
    fclose(f);
    return true;
}

/* ---- callbacks ---- */

static void on_reset(void *ctx, adder_reset_reason_t why)
{
    machine_ask_reset(ctx, why);
}
static void on_watchdog(void *ctx)
{
    machine_watchdog_fired(ctx);
}
static void on_console(void *ctx, const char *bytes, size_t len)
{
    console_input(((machine_t *)ctx)->console, bytes, len);
}

static void on_action(void *ctx, web_action_t what)
{
    switch (what) {
    case WEB_ACTION_RESET:
        machine_ask_reset(ctx, ADDER_RESET_PIN);
        break;
    case WEB_ACTION_RELOAD:
        machine_ask_reload(ctx);
        break;
    case WEB_ACTION_INTERRUPT:
        on_console(ctx, "\x03", 1);
        break;
    }
}

/* Headless and without a terminal: once the input is over and the timeline played, nothing can happen
 * to an idle board any more. */
static bool ends_when_done(void *ctx)
{
    const run_t *r = ctx;
    /* In this order: what was typed is in the console before the end of the input is told. */
    return r->options.headless && !r->attendant.keyboard && r->attendant.input_over &&
           console_available(r->machine.console) == 0 && sim_board_timeline_left(r->board) == 0;
}

/* ---- parts ---- */

static int open_board(run_t *r)
{
    char msg[SIM_MSG_CAP], state[PATHS_MAX];
    cJSON *config = cJSON_CreateObject();
    if (!load_network(r, config)) {
        cJSON_Delete(config);
        return CLI_USAGE;
    }
    load_chips(r, config);
    if (paths_join(state, sizeof state, r->drive, ".adder/state"))
        cJSON_AddStringToObject(config, "state", state);
    r->board = sim_board_open(r->board_file, config, msg, sizeof msg);
    cJSON_Delete(config);
    if (r->board == NULL)
        return cli_error("%s", msg);
    if (r->options.input != NULL &&
        sim_board_timeline_load(r->board, r->options.input, msg, sizeof msg) != ADDER_OK)
        return cli_error("--input: %s", msg);
    return CLI_OK;
}

static void open_page(const char *address)
{
    const char *const args[] = {"xdg-open", address, NULL};
    pid_t pid = child_start(args, true, false);
    if (pid > 0 && child_wait(pid) == 127)
        cli_say("--open: there is no xdg-open here; open %s by hand", address);
}

static int start_page(run_t *r)
{
    if (r->options.headless)
        return CLI_OK;
    bool fixed = r->options.port > 0;
    char msg[300];
    web_config_t config = {
        .board = r->board,
        .port = (uint16_t)(fixed ? r->options.port : FIRST_PORT),
        .bundle_dir = paths_of_installation("build/web-dist", r->bundle, sizeof r->bundle) ? r->bundle : NULL,
        .console_input = on_console,
        .action = on_action,
        .ctx = &r->machine,
    };
    adder_err_t err = web_start(&config, &r->web, msg, sizeof msg);
    for (int i = 1; err == ADDER_ERR_IN_USE && !fixed && i < PORTS_TRIED; i++) {
        config.port++;
        err = web_start(&config, &r->web, msg, sizeof msg);
    }
    int first = fixed ? r->options.port : FIRST_PORT;
    char owner[120] = "";
    if ((err == ADDER_ERR_IN_USE || config.port != first) &&
        !port_owner((uint16_t)first, owner, sizeof owner))
        snprintf(owner, sizeof owner, "another program");
    if (err == ADDER_ERR_IN_USE) {
        cli_error("port %d is taken by %s%s", first, owner,
                  fixed ? "; take another, or leave --port out and a free one is found"
                        : ", and so are the next ones; end something, or name a free one with --port");
        return CLI_IN_USE;
    }
    if (err != ADDER_OK) {
        cli_error("the page cannot be served: %s", msg);
        return CLI_FAILED;
    }
    r->machine.web = r->console.web = r->web;
    char address[64];
    snprintf(address, sizeof address, "http://127.0.0.1:%u/", web_port(r->web));
    if (config.port != first)
        cli_say("port %d is taken by %s", first, owner);
    cli_say("the board's page: %s", address);
    if (r->options.open_page)
        open_page(address);
    return CLI_OK;
}

/* Does the program call for a broker on this machine? settings.toml says so, or the text of the code. */
static bool names_local_broker(const run_t *r)
{
    static const char *const keys[] = {"MQTT_BROKER", "MQTT_HOST",   "MQTT_SERVER",
                                       "BROKER",      "mqtt_broker", "broker"};
    char value[80];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (setting(r, keys[i], value, sizeof value))
            return strcmp(value, "localhost") == 0 || strcmp(value, "127.0.0.1") == 0;
    char path[PATHS_MAX];
    size_t len;
    if (!paths_join(path, sizeof path, r->drive, r->file[0] != '\0' ? r->file : "code.py"))
        return false;
    char *text = read_file(path, &len);
    bool found = false;
    for (char *line = text; line != NULL && !found;) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        found = (strstr(line, "broker") != NULL || strstr(line, "BROKER") != NULL) &&
                (strstr(line, "\"localhost\"") != NULL || strstr(line, "'localhost'") != NULL ||
                 strstr(line, "127.0.0.1") != NULL);
        line = end == NULL ? NULL : end + 1;
    }
    free(text);
    return found;
}

static void start_broker(run_t *r)
{
    if (r->options.for_s == 0 || (!r->options.broker && !names_local_broker(r)))
        return;
    char text[16], msg[200];
    uint16_t port = 1883;
    if (setting(r, "MQTT_PORT", text, sizeof text) && atoi(text) > 0 && atoi(text) < 65536)
        port = (uint16_t)atoi(text);
    if (broker_listens(port)) {
        if (r->options.broker)
            cli_say("--broker: something listens on port %u already; the program will use that", port);
        return;
    }
    if (broker_start(&r->broker, port, msg, sizeof msg))
        cli_say("started an MQTT broker for the program: mosquitto on 127.0.0.1:%u, until adder ends", port);
    else
        cli_say("the program wants an MQTT broker on this machine, but %s", msg);
}

static void say_start(const run_t *r)
{
    const adder_mcu_t *mcu = sim_board_mcu(r->board);
    cli_say("%s%s%s on %s (%s)", r->drive, r->file[0] != '\0' ? "/" : "", r->file, mcu->board_name,
            mcu->board_id);
}

/* What is to be written at the end; also after a signal. */
static bool write_results(run_t *r)
{
    char msg[SIM_MSG_CAP];
    bool ok = true;
    if (r->options.screenshot != NULL &&
        sim_board_screenshot(r->board, NULL, r->options.screenshot, msg, sizeof msg) != ADDER_OK) {
        cli_error("--screenshot: %s", msg);
        ok = false;
    }
    if (r->options.report != NULL &&
        sim_board_report_write(r->board, r->options.report, msg, sizeof msg) != ADDER_OK) {
        cli_error("--report: %s", msg);
        ok = false;
    }
    return ok;
}

/* ---- the run ---- */

static void sleep_us(uint64_t us)
{
    if (us < 1000000)
        usleep((useconds_t)us);
}

/* Between the board's being open and its being closed. */
static int play(run_t *r)
{
    sim_hooks_t hooks = {.reset_requested = on_reset,
                         .watchdog_fired = on_watchdog,
                         .console = on_console,
                         .ctx = &r->machine};
    sim_board_set_hooks(r->board, &hooks);
    int code = start_page(r);
    if (code != CLI_OK)
        return code;

    const adder_mcu_t *mcu = sim_board_mcu(r->board);
    r->console.display = mcu->display.kind != ADDER_MCU_DISPLAY_NONE;
    adder_err_t err = display_board_start(mcu, r->options.for_s == 0 ? NULL : sleep_us);
    if (err != ADDER_OK)
        cli_say("the board's display does not start: %s", adder_err_str(err));

    r->attendant.machine = &r->machine;
    r->attendant.for_s = r->options.for_s;
    r->attendant.keyboard = keyboard_raw();
    if (r->attendant.keyboard)
        console_say(
            &r->console,
            "Ctrl-C interrupts the program; Ctrl-X quits, and so does Ctrl-C twice when nothing runs");
    if (!attendant_start(&r->attendant)) {
        attendant_stop(&r->attendant);
        keyboard_restore();
        cli_error("cannot start a thread: %s", strerror(errno));
        return CLI_FAILED;
    }
    bool fine = machine_run(&r->machine);
    attendant_stop(&r->attendant);
    console_print(&r->console, r->console.at_line_start ? "" : "\n");
    keyboard_restore();
    bool judged = r->options.headless || r->options.for_s >= 0;
    code = fine || !judged ? CLI_OK : CLI_FAILED;
    if (!write_results(r))
        code = CLI_FAILED;
    web_set_program(r->web, "stopped", NULL);
    display_board_stop();
    return code;
}

int run_command(int argc, char **argv)
{
    static run_t r; /* for the process: half a page of paths would be much for the stack */
    int code;
    if (!cli_parse_run(argc, argv, &r.options, &code))
        return code;
    if (!paths_program(r.options.program, r.drive, r.file) || !paths_board(r.options.board, r.board_file) ||
        !can_write("--screenshot", r.options.screenshot) || !can_write("--report", r.options.report))
        return CLI_USAGE;
    load_settings(&r);
    attendant_block_signals();
    code = open_board(&r);
    if (code == CLI_OK) {
        say_start(&r);
        start_broker(&r); /* first of all: others may want to listen to it, too */
        uint64_t before_ms = host_now_ms();
        if (library_ensure(r.drive, !r.options.no_native) != CLI_OK)
            cli_say("going on without the libraries that are missing");
        if (host_now_ms() - before_ms > 100)
            sim_board_power_cycle(r.board); /* its clock starts with the program, not with the download */
    }
    if (code == CLI_OK && console_init(&r.console, STDOUT_FILENO)) {
        r.machine = (machine_t){
            .board = r.board,
            .console = &r.console,
            .drive = r.drive,
            .program = r.file[0] != '\0' ? r.file : NULL,
            .native = !r.options.no_native,
            .to_first_line = r.options.for_s == 0,
            .ends_when_done = ends_when_done,
            .ctx = &r,
        };
        code = play(&r);
        web_stop(r.web);
        r.console.web = NULL;
        console_deinit(&r.console);
    }
    broker_stop(&r.broker);
    sim_board_close(r.board);
    free(r.settings);
    return code;
}
