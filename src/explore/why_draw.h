/*
 * why_draw.h — inside explore/: which of the draws of an instant decided.
 */
#ifndef LZ_EXPLORE_WHY_DRAW_H
#define LZ_EXPLORE_WHY_DRAW_H

#include "explore/why.h"

/* Of those made at out->moment: fills `draws`, `together` and `draw`. False: no child could be
   made. */
bool lz_why_draw_find(const struct lz_why_opts *opts, struct lz_why *out,
                      struct lz_err *err) LZ_MUST_CHECK;

#endif
