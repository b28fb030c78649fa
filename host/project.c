#include "host/project.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli.h"
#include "host/paths.h"

static const char code_py[] =
    "\"\"\"A touchable square: it changes its colour, and the NeoPixel with it.\"\"\"\n"
    "\n"
    "import time\n"
    "\n"
    "import board\n"
    "import displayio\n"
    "import neopixel_write\n"
    "from digitalio import DigitalInOut\n"
    "\n"
    "COLORS = (0x20A060, 0xE08020, 0x4060D0)\n"
    "\n"
    "palette = displayio.Palette(1)\n"
    "square = displayio.TileGrid(displayio.Bitmap(80, 80, 1), pixel_shader=palette, x=120, y=80)\n"
    "root = displayio.Group()\n"
    "root.append(square)\n"
    "board.DISPLAY.root_group = root\n"
    "\n"
    "pixel = DigitalInOut(board.NEOPIXEL)\n"
    "pixel.switch_to_output()\n"
    "\n"
    "step = 0\n"
    "while True:\n"
    "    color = COLORS[step % len(COLORS)]\n"
    "    palette[0] = color\n"
    "    neopixel_write.neopixel_write(pixel, bytes((color >> 8 & 255, color >> 16, color & 255)))\n"
    "    print(\"color\", hex(color))\n"
    "    step += 1\n"
    "    time.sleep(1)\n";

static const char settings_toml[] =
    "# What the program reads with os.getenv(). On a real board, change these to your own.\n"
    "CIRCUITPY_WIFI_SSID = \"Adder Lab\"\n"
    "CIRCUITPY_WIFI_PASSWORD = \"change-me-please\"\n";

static const char gitignore[] = ".adder/\nboot_out.txt\n";

static bool put(const char *folder, const char *name, const char *text)
{
    char path[PATHS_MAX];
    if (!paths_join(path, sizeof path, folder, name))
        return false;
    FILE *f = fopen(path, "wxb");
    if (f == NULL) {
        fprintf(stderr, "adder: cannot write %s: %s\n", path, strerror(errno));
        return false;
    }
    fputs(text, f);
    return fclose(f) == 0;
}

int project_command(int argc, char **argv)
{
    if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0))
        return cli_help("new");
    if (argc != 1 || argv[0][0] == '-')
        return cli_error("new: give one name, for example: adder new greenhouse");
    const char *name = argv[0];
    if (mkdir(name, 0777) != 0)
        return errno == EEXIST
                   ? cli_error("new: %s is already there; take another name or remove it first", name)
                   : cli_error("new: cannot make %s: %s", name, strerror(errno));
    char lib[PATHS_MAX];
    if (!paths_join(lib, sizeof lib, name, "lib") || mkdir(lib, 0777) != 0 ||
        !put(name, "code.py", code_py) || !put(name, "settings.toml", settings_toml) ||
        !put(name, ".gitignore", gitignore))
        return CLI_FAILED;
    printf("%s: code.py, settings.toml, lib/\n\nRun it:           adder run %s\nAdd a library:    adder lib "
           "add --project %s "
           "adafruit_display_text\n",
           name, name, name);
    return CLI_OK;
}
