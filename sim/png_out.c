/* --screenshot: the display's picture as a PNG file. */
#include "sim/sim_int.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

/* libpng's simplified API: no jumps over our frames. */
static adder_err_t write_png(const sim_picture_t *p, const char *path, char *msg, size_t cap)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = p->width, .height = p->height, .format = PNG_FORMAT_RGB};
    uint8_t *rgb = malloc((size_t)p->width * p->height * 3);
    if (rgb == NULL)
        return ADDER_ERR_NOMEM;
    for (size_t i = 0; i < (size_t)p->width * p->height; i++) {
        rgb[3 * i] = (uint8_t)(p->pixels[i] >> 16);
        rgb[3 * i + 1] = (uint8_t)(p->pixels[i] >> 8);
        rgb[3 * i + 2] = (uint8_t)p->pixels[i];
    }
    errno = 0;
    const bool ok = png_image_write_to_file(&image, path, 0, rgb, 0, NULL) != 0;
    if (!ok)
        sim_say(msg, cap, "%s: cannot write the screenshot: %s", path,
                errno != 0 ? strerror(errno) : image.message);
    free(rgb);
    return ok ? ADDER_OK : ADDER_ERR_IO;
}

adder_err_t sim_board_screenshot(sim_board_t *b, const char *chip_id, const char *path, char *msg,
                                 size_t msg_cap)
{
    sim_picture_t p = {0};
    adder_err_t err = sim_board_picture(b, chip_id, &p);
    if (err == ADDER_ERR_NOT_FOUND)
        sim_say(msg, msg_cap, "%s: this board has no display", path);
    if (err == ADDER_OK)
        err = write_png(&p, path, msg, msg_cap);
    sim_picture_free(&p);
    return err;
}
