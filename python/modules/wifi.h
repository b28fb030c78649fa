/* What the files of `wifi` share; see wifi.c. */
#ifndef ADDER_PYTHON_WIFI_H
#define ADDER_PYTHON_WIFI_H

#include "adder/wifi.h"
#include "python/modules/net_socket.h"

/* The radio of the machine, its stack under the pump, and what a run has begun. One in the machine. */
typedef struct {
    net_stack_t stack;
    bool by_program; /* the program switched it on: it goes off at the end of the run */
    bool scanning;   /* from start_scanning_networks() to stop_scanning_networks() */
} wifi_state_t;
extern wifi_state_t wifi_state;

extern const py_class_t wifi_radio_class, wifi_network_class, wifi_scanned_class;
extern const py_enum_t wifi_authmode_enum, wifi_power_enum;

/* Calls into the radio: the pump's lock is taken. */
void wifi_status(adder_wifi_status_t *out);
void wifi_config(adder_wifi_config_t *out);
/* RuntimeError and the like are set when it does not work. */
bool wifi_configure(const adder_wifi_config_t *config);

/* A str or a buffer as bytes, valid as long as the handle; TypeError. */
bool wifi_bytes_arg(py_t v, const char **bytes_out, size_t *len_out);
/* "ssid length must be 1-32" */
bool wifi_length_arg(size_t len, size_t min, size_t max, const char *name);

py_t wifi_network(const adder_wifi_network_t *network); /* wifi.Network */

/* wifi_join.c: methods of Radio that start something and may wait for it */
py_t wifi_m_connect(py_t self, void *s, const py_val_t *a);
py_t wifi_m_start_scanning(py_t self, void *s, const py_val_t *a);
py_t wifi_m_stop_scanning(py_t self, void *s, const py_val_t *a);
py_t wifi_m_start_ap(py_t self, void *s, const py_val_t *a);
py_t wifi_m_stop_ap(py_t self, void *s, const py_val_t *a);
py_t wifi_m_ping(py_t self, void *s, const py_val_t *a);
extern const py_arg_t wifi_args_connect[], wifi_args_scan[], wifi_args_ap[], wifi_args_ping[];
/* Wait until the station has joined or given up. False with the exception set. */
bool wifi_wait_joined(uint64_t timeout_us);

/* mdns.c: the server, if there is one, ends. */
void mdns_stop(void);

#endif
