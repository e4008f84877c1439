/*
 * dist_row.h — durations of an owner that counts its draws from 0, by rows of them (draw.h).
 */
#ifndef LZ_SIM_DIST_ROW_H
#define LZ_SIM_DIST_ROW_H

#include "sim/dist.h"
#include "sim/draw.h"

/* What lz_dist_time_once gives for the row's owner and purpose. */
lz_time lz_dist_row_time(const struct lz_dist *dist, struct lz_draw_row *row, uint64_t run_key,
                         uint64_t counter);

#endif
