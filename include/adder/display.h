/* The display engine: CircuitPython's displayio, vectorio, terminalio and bitmaptools in portable C.
 *
 *     adder_group_t root;
 *     adder_rectangle_t box;
 *     adder_color_t colors[1];
 *     adder_palette_t pal;
 *     adder_palette_init(&pal, colors, 1, false);
 *     adder_palette_set(&pal, 0, 0x00FF00);
 *     adder_group_init(&root, 0, 0, 1);
 *     adder_err_t err = adder_rectangle_init(&box, ADDER_SHADER_PALETTE(&pal), 0, 10, 10, 50, 20);
 *     if (err == ADDER_OK)
 *         err = adder_group_append(&root, &box.shape.layer);
 *     if (err == ADDER_OK)
 *         err = adder_busdisplay_set_root(&display, &root);    // see display/busdisplay.h
 *
 * One law for all of it: the caller owns every struct and buffer, and keeps them in place while something
 * refers to them; no heap, no globals that are written, no waiting. Everything on one display is used
 * from one thread. Members marked private may be copied with the struct but not touched.
 *
 *   bitmap.h       rectangles, bitmaps          bus.h          FourWire, ParallelBus, I2CDisplayBus
 *   color.h        palettes, converters         busdisplay.h   start-up, refresh, brightness
 *   layer.h        groups, tilegrids, shapes    terminal.h     text console on a tilegrid
 *   scene.h        dirty areas, composing       bitmaptools.h  drawing into bitmaps
 *   shapes.h       shapes drawn into bitmaps    ../font.h      the built-in font
 *   text.h         text into bitmaps            ../bmp.h       BMP files */
#ifndef ADDER_DISPLAY_H
#define ADDER_DISPLAY_H

#include "adder/bmp.h"
#include "adder/display/bitmap.h"
#include "adder/display/bitmaptools.h"
#include "adder/display/bus.h"
#include "adder/display/busdisplay.h"
#include "adder/display/color.h"
#include "adder/display/layer.h"
#include "adder/display/scene.h"
#include "adder/display/shapes.h"
#include "adder/display/terminal.h"
#include "adder/display/text.h"
#include "adder/font.h"

#endif
