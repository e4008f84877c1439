#include "explore/manner.h"

#include <string.h>

#define SPACE " \t\r"

void lz_manner_write(const struct lz_manner *manner, struct lz_str *out)
{
    char order[LZ_ORDER_TEXT_SIZE];
    lz_str_add(out, manner->swarm > 0.0 ? " --swarm" : "");
    if (lz_order_write(&manner->order, order)[0] != '\0')
        lz_str_addf(out, " --order %s", order);
}

// The next word, and where it ends.
static size_t word_at(const char **at, const char *end)
{
    while (*at < end && strchr(SPACE, **at) != NULL)
        ++*at;
    const char *to = *at;
    while (to < end && strchr(SPACE, *to) == NULL)
        to++;
    return (size_t)(to - *at);
}

static bool is_word(const char *at, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(at, word, len) == 0;
}

bool lz_manner_read(const char *text, size_t len, struct lz_manner *out)
{
    struct lz_manner m = {0};
    const char *at = text, *end = text + len;
    for (size_t n; (n = word_at(&at, end)) > 0; at += n) {
        if (is_word(at, n, "--swarm")) {
            m.swarm = LZ_MANNER_SWARM;
            continue;
        }
        char order[LZ_ORDER_TEXT_SIZE];
        struct lz_err err;
        if (!is_word(at, n, "--order"))
            return false;
        at += n;
        n = word_at(&at, end);
        if (n == 0 || n >= sizeof(order))
            return false;
        memcpy(order, at, n);
        order[n] = '\0';
        if (!lz_order_parse(order, &m.order, &err))
            return false;
    }
    *out = m;
    return true;
}

bool lz_manner_is_equal(const struct lz_manner *a, const struct lz_manner *b)
{
    return (a->swarm > 0.0) == (b->swarm > 0.0) && a->order.kind == b->order.kind &&
           a->order.window == b->order.window && a->order.depth == b->order.depth &&
           a->order.steps == b->order.steps;
}
