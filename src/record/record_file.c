// Run files on disk. A name appears only once the whole of its content is there, so that
// neither a full disk nor a killed process leaves half a record to be read. What happens to the
// bytes later is told by their seal: SQLite reads a database with a lost page as one with fewer
// rows, and a report of it would be wrong without a word.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "record/record.h"

#define SEAL_MAGIC "lz-seal1"

void lz_record_seal(const unsigned char *image, size_t size, unsigned char seal[LZ_RECORD_SEAL])
{
    uint64_t hash = lz_hash_bytes(image, size);
    memcpy(seal, SEAL_MAGIC, 8);
    for (int i = 0; i < 8; i++)
        seal[8 + i] = (unsigned char)(hash >> (8 * i));
}

// On false errno says why, and no file of that name is left.
static bool write_file(const char *name, const unsigned char *bytes, size_t size)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    unsigned char seal[LZ_RECORD_SEAL];
    lz_record_seal(bytes, size, seal);
    int problem = lz_io_write(fd, bytes, size);
    if (problem == 0)
        problem = lz_io_write(fd, seal, sizeof(seal));
    if (problem == 0 && fsync(fd) != 0)
        problem = errno;
    bool ok = problem == 0;
    if (close(fd) != 0 && ok) { // some file systems tell of a full disk only here
        ok = false;
        problem = errno;
    }
    if (!ok)
        unlink(name);
    errno = problem;
    return ok;
}

// The process number keeps apart two that write the same run at once.
bool lz_record_save(const char *path, const unsigned char *image, size_t size, struct lz_err *err)
{
    LZ_ASSERT(path != NULL);
    LZ_ASSERT(LZ_IMPLIES(size > 0, image != NULL));
    struct lz_str name;
    lz_str_init(&name);
    lz_str_addf(&name, "%s.%ld.tmp", path, (long)getpid());
    bool ok = write_file(name.text, image, size);
    int problem = errno;
    if (ok && rename(name.text, path) != 0) {
        ok = false;
        problem = errno;
        unlink(name.text);
    }
    lz_str_finish(&name);
    return ok || lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(problem));
}

// Both a run and a part of a sweep are an SQLite image.
static bool may_be_image(const unsigned char *bytes, size_t len)
{
    static const char magic[] = "SQLite format 3";
    return memcmp(bytes, magic, len < sizeof(magic) ? len : sizeof(magic)) == 0;
}

// Read until the end, which need not lie where fstat said, and of what is no image need not come.
static bool read_all(int fd, size_t expected, unsigned char **bytes, size_t *size)
{
    size_t cap = expected + 1, len = 0;
    unsigned char *buffer = lz_mem_alloc(cap);
    for (;;) {
        if (len == cap) {
            cap *= 2;
            buffer = lz_mem_resize(buffer, cap);
        }
        ssize_t n = read(fd, buffer + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int problem = errno;
            free(buffer);
            errno = problem;
            return false;
        }
        if (n == 0)
            break;
        len += (size_t)n;
        if (!may_be_image(buffer, len))
            break;
    }
    *bytes = buffer;
    *size = len;
    return true;
}

// Takes the seal off.
static bool is_whole(const char *path, const unsigned char *bytes, size_t *size, struct lz_err *err)
{
    unsigned char seal[LZ_RECORD_SEAL];
    size_t len = *size > sizeof(seal) ? *size - sizeof(seal) : 0;
    if (len == 0 || memcmp(bytes + len, SEAL_MAGIC, 8) != 0)
        return lz_fail(err, LZ_EINVAL,
                       "%s: not a file that this version of lorenz wrote, or cut short", path);
    lz_record_seal(bytes, len, seal);
    if (memcmp(bytes + len, seal, sizeof(seal)) != 0)
        return lz_fail(err, LZ_EINVAL, "%s: damaged: its %zu bytes are not those that were written",
                       path, len);
    *size = len;
    return true;
}

bool lz_record_load(const char *path, unsigned char **image, size_t *size, struct lz_err *err)
{
    LZ_ASSERT(path != NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lz_fail(err, errno == ENOENT ? LZ_ENOENT : LZ_EIO, "cannot read %s: %s", path,
                       strerror(errno));
    struct stat st;
    bool ok =
        fstat(fd, &st) == 0 && read_all(fd, st.st_size > 0 ? (size_t)st.st_size : 0, image, size);
    int problem = errno;
    close(fd);
    if (!ok)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(problem));
    ok = is_whole(path, *image, size, err);
    if (!ok)
        free(*image);
    return ok;
}
