#include "host/suggest.h"

#include <ctype.h>
#include <string.h>

#define LETTERS_MAX 64

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static int same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

unsigned suggest_distance(const char *a, const char *b)
{
    size_t la = strnlen(a, LETTERS_MAX), lb = strnlen(b, LETTERS_MAX);
    /* Three rows of the table of prefix distances: the one before last is for swapped letters. */
    unsigned rows[3][LETTERS_MAX + 1];
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned change = above[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
            row[j] = least(above[j] + 1, row[j - 1] + 1, change);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
                above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[la % 3][lb];
}

const char *suggest_nearest(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    unsigned best_distance = ~0u;
    size_t len = strlen(word);
    for (size_t i = 0; i < n; i++) {
        unsigned d = suggest_distance(word, names[i]);
        if (len >= 3 && strncmp(word, names[i], len) == 0)
            d = 1;
        if (d < best_distance) {
            best_distance = d;
            best = names[i];
        }
    }
    if (best == NULL)
        return NULL;
    size_t longer = strlen(best) > len ? strlen(best) : len;
    return best_distance <= 1 + longer / 3 && best_distance < longer ? best : NULL;
}
