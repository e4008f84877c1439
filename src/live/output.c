#include "live/output.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static uint64_t trim(int fd, uint64_t size, uint64_t before)
{
    static char bytes[LZ_OUTPUT_KEEP];
    char line[80], head[80];
    // What was said of earlier drops is no output.
    ssize_t h = before > 0 ? pread(fd, head, sizeof(head), 0) : 0;
    const char *said = h > 0 && head[0] == '[' ? memchr(head, '\n', (size_t)h) : NULL;
    uint64_t own = said != NULL ? (uint64_t)(said + 1 - head) : 0;
    ssize_t n = pread(fd, bytes, sizeof(bytes), (off_t)(size - sizeof(bytes)));
    if (n <= 0 || ftruncate(fd, 0) != 0)
        return 0;
    // From a whole line on, if there is one behind the end of another.
    const char *from = memchr(bytes, '\n', (size_t)n);
    from = from != NULL && from + 1 < bytes + n ? from + 1 : bytes;
    uint64_t dropped = before + size - own - (uint64_t)(bytes + n - from);
    int len = snprintf(line, sizeof(line), "[lorenz: %" PRIu64 " bytes of output were dropped]\n",
                       dropped);
    if (write(fd, line, (size_t)len) < 0 || write(fd, from, (size_t)(bytes + n - from)) < 0)
        return before + size - own; // the disk is full all the same: then nothing is left of it
    return dropped;
}

uint64_t lz_output_trim(const char *path, uint64_t max, uint64_t before)
{
    struct stat s;
    LZ_ASSERT(max >= LZ_OUTPUT_KEEP);
    if (stat(path, &s) != 0 || !S_ISREG(s.st_mode) || (uint64_t)s.st_size <= max)
        return 0;
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    uint64_t dropped = fd >= 0 && fstat(fd, &s) == 0 ? trim(fd, (uint64_t)s.st_size, before) : 0;
    if (fd >= 0)
        close(fd);
    return dropped;
}
