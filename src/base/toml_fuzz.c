/* Any bytes as settings.toml: the invariants of adder/settings.h. */
#include <stdlib.h>
#include <string.h>

#include "adder/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* An exact copy, so that the sanitizer sees a read past the end. */
    char *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    adder_settings_problem_t problems[8];
    size_t n = adder_settings_check(bytes, size, problems, 8);
    for (size_t i = 0; i < n; i++) {
        if (problems[i].what == NULL || problems[i].line == 0)
            abort();
    }
    static const char *const keys[] = {"A", "KEY", ""};
    for (size_t k = 0; k < 3; k++) {
        adder_setting_t s;
        if (!adder_settings_find(bytes, size, keys[k], &s))
            continue;
        if (s.raw < bytes || s.raw + s.raw_len > bytes + size ||
            (s.kind == ADDER_SETTING_BAD) != (s.problem != NULL))
            abort();
        char *text = malloc(s.raw_len + 1);
        size_t len;
        if (text == NULL)
            break;
        if (adder_settings_text(&s, text, s.raw_len + 1, &len) != ADDER_OK || len > s.raw_len ||
            text[len] != '\0')
            abort();
        if (s.raw_len > 0 && adder_settings_text(&s, text, s.raw_len, &len) != ADDER_ERR_NOSPACE)
            abort();
        free(text);
    }
    free(bytes);
    return 0;
}
