/* adafruit_pixelbuf.PixelBuf as its native subclasses use it. */
#ifndef ADDER_PYTHON_PIXELBUF_H
#define ADDER_PYTHON_PIXELBUF_H

#include "python/layer/py.h"

enum { PIXELBUF_CHANNELS = 4, PIXELBUF_SIZE_MAX = 65535 };

typedef struct {
    size_t n, header_len, trailer_len, total;
    uint8_t *wire;  /* header, pixels as sent, trailer */
    uint8_t *plain; /* pixels before brightness, same order; NULL while brightness is 1 */
    uint16_t scale; /* brightness in 256ths */
    uint8_t bpp;
    int8_t at[PIXELBUF_CHANNELS]; /* byte of each channel in a pixel, -1 = none */
    bool dotstar, auto_write;
    char order[5];
    double brightness;
} pixelbuf_t;

typedef struct {
    size_t n;
    const char *order; /* "GRB", "GRBW", "PBGR", ... */
    size_t order_len;
    double brightness;
    bool auto_write;
    py_buf_t header, trailer; /* copied */
} pixelbuf_config_t;

extern const py_class_t pixelbuf_class;

/* The __init__ of a subclass; nothing is sent. ValueError of the order, MemoryError. */
bool pixelbuf_make(pixelbuf_t *p, const pixelbuf_config_t *c);

#endif
