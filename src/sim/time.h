/* time.h — virtual time: nanoseconds since the start of the run. */
#ifndef LZ_SIM_TIME_H
#define LZ_SIM_TIME_H

#include <stdint.h>

typedef int64_t lz_time;

#define LZ_US ((lz_time)1000)
#define LZ_MS ((lz_time)1000000)
#define LZ_S ((lz_time)1000000000)
#define LZ_FOREVER INT64_MAX

#endif
