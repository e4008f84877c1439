#include "cli/near.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"

// Optimal string alignment: insert, delete, change, and swap two neighbours.
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LZ_NEAR_WORD_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);
    LZ_ASSERT(a_len <= LZ_NEAR_WORD_MAX && b_len <= LZ_NEAR_WORD_MAX);
    for (size_t k = 0; k <= b_len; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i - 1) % 3];
        now[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            size_t best = last[k - 1] + (a[i - 1] != b[k - 1]);
            if (last[k] + 1 < best)
                best = last[k] + 1;
            if (now[k - 1] + 1 < best)
                best = now[k - 1] + 1;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                rows[(i - 2) % 3][k - 2] + 1 < best)
                best = rows[(i - 2) % 3][k - 2] + 1;
            now[k] = best;
        }
    }
    return rows[a_len % 3][b_len];
}

void lz_near_offer(struct lz_near *near, const char *name)
{
    LZ_ASSERT(near->word != NULL && name != NULL);
    size_t len = strlen(near->word);
    if (len == 0 || len > LZ_NEAR_WORD_MAX || strlen(name) > LZ_NEAR_WORD_MAX)
        return;
    size_t d = strncmp(near->word, name, len) == 0 ? 0 : distance(near->word, name);
    size_t allowed = len < 3 ? 1 : (len + 2) / 3;
    bool is_shorter =
        near->name != NULL && d == near->distance && d == 0 && strlen(name) < strlen(near->name);
    if (d > allowed || (near->name != NULL && d >= near->distance && !is_shorter))
        return;
    near->name = name;
    near->distance = d;
}
