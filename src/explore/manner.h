/*
 * manner.h — what is not plain about a run of a seed: faults that a swarm leaves out, and another
 * order of messages. Zero is plain.
 *
 * As text it is the options that bring it about, each with a blank before it:
 *
 *     --swarm --order random@500us
 */
#ifndef LZ_EXPLORE_MANNER_H
#define LZ_EXPLORE_MANNER_H

#include "base/str.h"
#include "sim/order.h"

#define LZ_MANNER_SWARM 0.5 /* share of the faults that --swarm leaves out */

struct lz_manner {
    double swarm; /* share of the planned faults that the seed leaves out */
    struct lz_order_opts order;
};

void lz_manner_write(const struct lz_manner *manner, struct lz_str *out);

/* `len` bytes of text; false: it is something else. */
bool lz_manner_read(const char *text, size_t len, struct lz_manner *out) LZ_MUST_CHECK;

bool lz_manner_is_equal(const struct lz_manner *a, const struct lz_manner *b);

#endif
