/* Any bytes as settings.toml: both entry points stay inside them and terminate what they write. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "host/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[16], msg[40];
    memset(out, 'x', sizeof out);
    bool found = settings_get((const char *)data, size, "A", out, sizeof out);
    assert(memchr(out, '\0', sizeof out) != NULL);
    assert(found || out[0] == '\0');
    if (!settings_check((const char *)data, size, msg, sizeof msg))
        assert(memchr(msg, '\0', sizeof msg) != NULL);
    return 0;
}
