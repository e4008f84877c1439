/* harness.h — one text given to the loader, and what must then be true of the loader. */
#ifndef LZ_FUZZ_HARNESS_H
#define LZ_FUZZ_HARNESS_H

#include <stddef.h>

/* Load, look for warnings, build, render. Aborts if a promise is broken. */
void harness_load(const char *text, size_t len);

#endif
