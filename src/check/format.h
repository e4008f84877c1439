/*
 * format.h — values as people read them: the one way in messages, reports and tables.
 *
 *   durations   0  850us  12ms  1.9s  4m09s  1h02m     (three significant figures below a minute)
 *   instants    4m11.2s   0s   59.95s
 *   ratios      0.1 %  99.71 %  0 %
 *   rates       400/s  1 570/s   counts  214 880   (thin groups of three above 9 999)
 *   bytes       1.5 MiB
 */
#ifndef LZ_CHECK_FORMAT_H
#define LZ_CHECK_FORMAT_H

#include <stddef.h>

#include "sim/metric.h"
#include "sim/time.h"

/* Each writes at most `size` bytes, NUL-terminated, and returns `out`. */
char *lz_format_duration(char *out, size_t size, lz_time t);
char *lz_format_instant(char *out, size_t size, lz_time t);
char *lz_format_count(char *out, size_t size, double n);
char *lz_format_ratio(char *out, size_t size, double ratio);
char *lz_format_value(char *out, size_t size, double value, enum lz_unit unit);

#endif
