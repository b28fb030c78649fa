/* What bitmaptools.c and bitmaptools_more.c share. */
#ifndef ADDER_PYTHON_BITMAPTOOLS_INT_H
#define ADDER_PYTHON_BITMAPTOOLS_INT_H

#include "python/modules/display_int.h"

/* NULL with the exception set. */
adder_bitmap_t *bitmaptools_bitmap(py_t v, const char *name);
adder_bitmap_t *bitmaptools_dest(py_t v, const char *name); /* writable too */
/* An int or None: ADDER_NO_INDEX. */
bool bitmaptools_index(const py_val_t *a, int32_t *out);
/* A rectangle within b, ValueError naming the argument. */
bool bitmaptools_area(const py_val_t *x1, const py_val_t *y1, const py_val_t *x2, const py_val_t *y2,
                      const adder_bitmap_t *b, adder_area_t *out);
/* None, or the exception. */
py_t bitmaptools_done(adder_err_t err, const char *what);

extern const py_arg_t bitmaptools_readinto_args[], bitmaptools_alphablend_args[], bitmaptools_dither_args[];
py_t bitmaptools_blit(const py_val_t *a); /* its arguments in the order of the function's table */
py_t bitmaptools_readinto(const py_val_t *a);
py_t bitmaptools_alphablend(const py_val_t *a);
py_t bitmaptools_dither(const py_val_t *a);
extern const py_enum_t blendmode_enum, dither_enum;

#endif
