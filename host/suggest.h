/* "Did you mean ...?": the nearest of a list of names. */
#ifndef HOST_SUGGEST_H
#define HOST_SUGGEST_H

#include <stddef.h>

/* Letters to insert, delete, change or swap to get from a to b; counts up to 64 letters of each. */
unsigned suggest_distance(const char *a, const char *b);
/* The nearest of names[n], or NULL when none is near enough to be worth naming (a third of its
 * letters). A name that starts with `word` counts as near. */
const char *suggest_nearest(const char *word, const char *const *names, size_t n);

#endif
