#include "base/io.h"

#include <errno.h>
#include <unistd.h>

#include "base/check.h"

int lz_io_write(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    LZ_ASSERT(bytes != NULL || size == 0);
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}
