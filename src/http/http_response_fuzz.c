/* Any bytes as a response: invariants 1 to 8 of adder/http.h. */
#include "src/http/http_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_both(data, size, false);
    return 0;
}
