/*
 * io.h — writing all of something to a file descriptor.
 */
#ifndef LZ_BASE_IO_H
#define LZ_BASE_IO_H

#include <stddef.h>

/* Write all `size` bytes, however often it takes. 0, or the errno of what went wrong. */
int lz_io_write(int fd, const void *bytes, size_t size);

#endif
