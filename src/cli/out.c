#include "cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/io.h"
#include "base/str.h"

void lz_out_init(struct lz_out *out)
{
    // A read-only stand-in: writing to it fails, as writing to nothing should.
    int fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDONLY);
    if (fd >= 0)
        close(fd);
    signal(SIGPIPE, SIG_IGN);
    *out = (struct lz_out){.fd = STDOUT_FILENO};
}

void lz_out_write(struct lz_out *out, const char *bytes, size_t size)
{
    LZ_ASSERT(LZ_IMPLIES(size > 0, bytes != NULL));
    if (out->closed || out->error != 0)
        return;
    int reason = lz_io_write(out->fd, bytes, size);
    if (reason == EPIPE)
        out->closed = true;
    else
        out->error = reason;
}

void lz_out_text(struct lz_out *out, const char *text)
{
    lz_out_write(out, text, strlen(text));
}

void lz_out_textf(struct lz_out *out, const char *fmt, ...)
{
    struct lz_str text;
    va_list ap;
    lz_str_init(&text);
    va_start(ap, fmt);
    lz_str_vaddf(&text, fmt, ap);
    va_end(ap);
    lz_out_write(out, text.text, text.len);
    lz_str_finish(&text);
}

static bool cannot(struct lz_err *err, const char *path, int reason)
{
    return lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(reason));
}

// `name` is what the user knows it by.
static bool write_to(const char *path, const char *name, int flags, const char *bytes, size_t size,
                     struct lz_err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
    if (fd < 0)
        return cannot(err, name, errno);
    int reason = lz_io_write(fd, bytes, size);
    if (close(fd) != 0 && reason == 0)
        reason = errno;
    return reason == 0 ? true : cannot(err, name, reason);
}

// The temporary name is beside the file: a rename does not leave its file system.
static bool replace(const char *path, const char *bytes, size_t size, struct lz_err *err)
{
    struct lz_str temporary;
    lz_str_init(&temporary);
    lz_str_addf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    bool ok = write_to(temporary.text, path, O_CREAT | O_TRUNC, bytes, size, err);
    if (ok && rename(temporary.text, path) != 0)
        ok = cannot(err, path, errno);
    if (!ok)
        unlink(temporary.text);
    lz_str_finish(&temporary);
    return ok;
}

bool lz_out_file(const char *path, const char *bytes, size_t size, struct lz_err *err)
{
    LZ_ASSERT(path != NULL);
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_to(path, path, 0, bytes, size, err);
    return replace(path, bytes, size, err);
}

bool lz_out_folder(const char *path, struct lz_err *err)
{
    struct lz_str part;
    lz_str_init(&part);
    bool ok = true;
    for (const char *at = path; ok && *at != '\0';) {
        size_t len = strspn(at, "/");
        len += strcspn(at + len, "/");
        lz_str_add_n(&part, at, len);
        at += len;
        if (mkdir(part.text, 0777) != 0 && errno != EEXIST)
            ok = lz_fail(err, LZ_EIO, "cannot make the folder %s: %s", part.text, strerror(errno));
    }
    lz_str_finish(&part);
    return ok;
}
