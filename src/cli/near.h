/* near.h — the name someone probably meant; a wrong guess is worse than none. */
#ifndef LZ_CLI_NEAR_H
#define LZ_CLI_NEAR_H

#include <stddef.h>

#define LZ_NEAR_WORD_MAX 32 /* longer words are near nothing */

/* The best so far, to be offered every name in turn. */
struct lz_near {
    const char *word;
    const char *name; /* NULL while nothing is near */
    size_t distance;
};

/* Offer a name. Near is: `word` begins it (the shortest such name is meant), or at most a third
   of `word` has to change. */
void lz_near_offer(struct lz_near *near, const char *name);

#endif
