/* save.c — record files: whole, or not there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "record/record.h"

static bool write_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

bool lz_record_save(const char *path, const unsigned char *image, size_t size, struct lz_err *err)
{
    char temporary[4096];
    int n = snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(temporary))
        return lz_fail(err, LZ_EIO, "cannot write %.80s...: the name is too long", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(errno));
    bool ok = write_all(fd, image, size) && fsync(fd) == 0;
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        why = errno;
    }
    if (ok)
        return true;
    unlink(temporary);
    return lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(why));
}

bool lz_record_load(const char *path, unsigned char **image, size_t *size, struct lz_err *err)
{
    FILE *f = fopen(path, "rbe");
    if (f == NULL)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        fclose(f);
        return lz_fail(err, LZ_EIO, "cannot read %s: not a file", path);
    }
    unsigned char *bytes = malloc((size_t)st.st_size + 1);
    LZ_ASSERT(bytes != NULL);
    size_t n = fread(bytes, 1, (size_t)st.st_size, f);
    fclose(f);
    if (n != (size_t)st.st_size) {
        free(bytes);
        return lz_fail(err, LZ_EIO, "cannot read %s: it is cut short", path);
    }
    *image = bytes;
    *size = n;
    return true;
}
