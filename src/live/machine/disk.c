#include "live/machine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/machine/grip.h"

#define LOOK_NS INT64_C(100000000)
#define FILLER ".lorenz-disk-full"
#define PATH_SIZE 4096

struct full {
    int fd;
    char path[PATH_SIZE];
    uint64_t size; // of our file
    lz_undo_id undo;
};

bool lz_disk_is_own(const char *folder)
{
    struct stat inside, outside;
    char parent[PATH_SIZE];
    int n = snprintf(parent, sizeof(parent), "%s/..", folder);
    return n < (int)sizeof(parent) && stat(folder, &inside) == 0 && stat(parent, &outside) == 0 &&
           inside.st_dev != outside.st_dev;
}

bool lz_disk_mount(struct lz_undo *undo, const char *folder, double bytes, struct lz_err *err)
{
    char options[64];
    struct stat owner;
    lz_undo_id id;
    LZ_ASSERT(bytes >= 1.0);
    if (stat(folder, &owner) != 0)
        return lz_fail(err, LZ_EIO, "no folder %s: %s", folder, strerror(errno));
    const struct lz_undo_entry entry = {.verb = LZ_UNDO_UNMOUNT, .path = folder};
    if (!lz_undo_add(undo, &entry, &id, err))
        return false;
    snprintf(options, sizeof(options), "size=%.0f,mode=%o", bytes, owner.st_mode & 07777);
    if (mount("lorenz", folder, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) {
        int reason = errno;
        lz_undo_forget(undo, id);
        return lz_fail(err, LZ_EIO,
                       "no disk of its own can be made for %s: %s; it takes CAP_SYS_ADMIN, or a "
                       "user namespace (unshare -Urm lorenz live ...)",
                       folder, strerror(reason));
    }
    if (chown(folder, owner.st_uid, owner.st_gid) != 0)
        return lz_fail(err, LZ_EIO, "%s cannot be given to its user: %s", folder, strerror(errno));
    return true;
}

// Where mounts are allowed at all: tried on a folder of its own, which nobody else sees.
bool lz_disk_probe(struct lz_str *saw)
{
    char folder[PATH_SIZE];
    const char *temp = getenv("TMPDIR");
    temp = temp != NULL && temp[0] == '/' ? temp : "/tmp";
    int n = snprintf(folder, sizeof(folder), "%s/lorenz-probe-XXXXXX", temp);
    if (n >= (int)sizeof(folder) || mkdtemp(folder) == NULL) {
        lz_str_addf(saw, "no folder can be made in %s: %s", temp, strerror(errno));
        return false;
    }
    bool ok = mount("lorenz", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=4096") == 0;
    int reason = errno;
    if (ok)
        umount2(folder, MNT_DETACH);
    rmdir(folder);
    if (ok)
        lz_str_add(saw, "a tmpfs can be mounted");
    else
        lz_str_addf(saw, "a tmpfs cannot be mounted: %s", strerror(reason));
    return ok;
}

static double free_bytes(const struct full *d)
{
    struct statvfs s;
    return fstatvfs(d->fd, &s) == 0 ? (double)s.f_bavail * (double)s.f_frsize : 0;
}

// Make the file as large as it has to be for `keep` bytes to stay free.
static bool adjust(struct lz_grip *g, double keep, struct lz_err *err)
{
    struct full *d = g->own;
    double want = (double)d->size + free_bytes(d) - keep;
    uint64_t size = want > 0 ? (uint64_t)want : 0;
    if (size < d->size && ftruncate(d->fd, (off_t)size) != 0)
        return lz_fail(err, LZ_EIO, "%s: %s", d->path, strerror(errno));
    // Others may be faster: then it is full already.
    if (size > d->size && posix_fallocate(d->fd, (off_t)d->size, (off_t)(size - d->size)) != 0) {
        struct stat now;
        size = fstat(d->fd, &now) == 0 ? (uint64_t)now.st_size : d->size;
    }
    d->size = size;
    return true;
}

static bool begin(struct lz_grip *g, struct lz_err *err)
{
    struct full *d = lz_mem_alloc(sizeof(*d));
    const char *folder = g->process->folder;
    *d = (struct full){.fd = -1};
    g->own = d;
    int n = snprintf(d->path, sizeof(d->path), "%s/" FILLER, folder);
    const struct lz_undo_entry entry = {.verb = LZ_UNDO_UNLINK, .path = d->path};
    bool ok = n < (int)sizeof(d->path) && lz_disk_is_own(folder);
    if (!ok)
        lz_fail(err, LZ_EINVAL,
                "its folder %s is on a disk that others use too, and is not filled for that",
                folder);
    ok = ok && lz_undo_add(lz_live_undo(g->live), &entry, &d->undo, err);
    if (ok) {
        d->fd = open(d->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ok = d->fd >= 0;
        if (!ok)
            lz_fail(err, LZ_EIO, "cannot make %s: %s", d->path, strerror(errno));
    }
    if (!ok && d->undo != 0)
        lz_undo_forget(lz_live_undo(g->live), d->undo);
    if (!ok)
        free(d);
    return ok;
}

static void look(struct lz_grip *g)
{
    const struct full *d = g->own;
    struct statvfs s;
    struct lz_err err;
    if (!adjust(g, g->value, &err))
        lz_live_doubt(g->live, "process %s: %s", g->process->target->name, err.msg);
    // Seen full: nobody can write as much as a block any more.
    if (fstatvfs(d->fd, &s) == 0 && s.f_bavail == 0)
        g->effect++;
}

static void finish(struct lz_grip *g)
{
    struct full *d = g->own;
    struct lz_err err;
    close(d->fd);
    if (!lz_undo_now(lz_live_undo(g->live), d->undo, &err))
        lz_live_doubt(g->live, "process %s: %s", g->process->target->name, err.msg);
    free(d);
}

const struct lz_grip_kind lz_grip_disk = {
    .name = "disk_full",
    .look_every_ns = LOOK_NS,
    .begin = begin,
    .set = adjust,
    .look = look,
    .finish = finish,
};
