/*
 * wall.h — what the C library's clocks say while a run is under way.
 *
 * Nothing of ours reads a clock inside a run; libraries may. In the executable `time` and
 * `clock` are ours (libtime.c): between lz_wall_enter and lz_wall_leave they tell virtual
 * time, counted from 2000-01-01T00:00:00Z, else the real one. Lua's hash seed, which is drawn
 * from `time` among others, is the first to ask.
 */
#ifndef LZ_BASE_WALL_H
#define LZ_BASE_WALL_H

#include <stdint.h>

#define LZ_WALL_EPOCH_S 946684800 /* 2000-01-01T00:00:00Z */

/* From here on `now_ns` is the time; it must live until lz_wall_leave. */
void lz_wall_enter(const int64_t *now_ns);
void lz_wall_leave(void);

/* NULL outside a run. */
const int64_t *lz_wall_virtual_ns(void);

#endif
