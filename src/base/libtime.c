// The C library's `time` and `clock`, virtual inside a run; see wall.h. Linked into the
// executable only, ahead of the C library, as libm.c is.

#include <time.h>

#include "base/wall.h"

static int64_t read_ns(clockid_t which)
{
    struct timespec t;
    if (clock_gettime(which, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

time_t time(time_t *timer)
{
    const int64_t *now = lz_wall_virtual_ns();
    time_t seconds = now != NULL ? (time_t)(LZ_WALL_EPOCH_S + *now / 1000000000)
                                 : (time_t)(read_ns(CLOCK_REALTIME) / 1000000000);
    if (timer != NULL)
        *timer = seconds;
    return seconds;
}

clock_t clock(void)
{
    const int64_t *now = lz_wall_virtual_ns();
    int64_t ns = now != NULL ? *now : read_ns(CLOCK_PROCESS_CPUTIME_ID);
    return (clock_t)(ns / (1000000000 / CLOCKS_PER_SEC));
}
