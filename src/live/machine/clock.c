#include "live/machine/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"
#include "live/machine/grip.h"

#define LOOK_NS INT64_C(200000000)
#define SUFFIX ".faketime"
#define PATH_SIZE 4096

static bool find_library(char *out, size_t size)
{
    static const char *const places[] = {
        "/usr/lib/*/faketime/libfaketimeMT.so.1",
        "/usr/lib*/faketime/libfaketimeMT.so.1",
        "/usr/local/lib/faketime/libfaketimeMT.so.1",
        "/usr/lib*/libfaketimeMT.so.1",
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        glob_t found;
        bool is_there = glob(places[i], 0, NULL, &found) == 0 && found.gl_pathc > 0;
        if (is_there)
            snprintf(out, size, "%s", found.gl_pathv[0]);
        globfree(&found);
        if (is_there)
            return true;
    }
    return false;
}

bool lz_clock_probe(struct lz_str *saw)
{
    char path[PATH_SIZE];
    if (find_library(path, sizeof(path))) {
        lz_str_addf(saw, "%s, for programs linked dynamically", path);
        return true;
    }
    lz_str_add(saw, "libfaketimeMT.so.1 is not installed (Debian: libfaketime)");
    return false;
}

// Beside its folder: that may be a disk of its own which is full when the clock is put right.
static void path_of(const char *folder, char *out, size_t size)
{
    snprintf(out, size, "%s" SUFFIX, folder);
}

// By another name first: the program may read at any moment.
static bool write_offset(const char *folder, double ns, struct lz_err *err)
{
    char path[PATH_SIZE], fresh[PATH_SIZE + 8], text[64];
    struct stat owner;
    path_of(folder, path, sizeof(path));
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    int n = snprintf(text, sizeof(text), "%+.6f\n", ns / 1e9);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int failed = fd < 0 ? errno : lz_io_write(fd, text, (size_t)n);
    if (fd >= 0)
        close(fd);
    // Readable for the program's user, whatever ours lets others do.
    if (failed == 0 && (chmod(fresh, 0644) != 0 || rename(fresh, path) != 0))
        failed = errno;
    if (failed == 0 && stat(folder, &owner) == 0 && geteuid() == 0 &&
        chown(path, owner.st_uid, owner.st_gid) != 0)
        failed = errno;
    return failed == 0 || lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(failed));
}

bool lz_clock_environment(const char *folder, char *out[LZ_CLOCK_VARIABLES], struct lz_err *err)
{
    char library[PATH_SIZE], path[PATH_SIZE];
    if (!find_library(library, sizeof(library)))
        return lz_fail(err, LZ_ENOENT,
                       "its clock cannot be set: libfaketimeMT.so.1 is not installed (Debian: "
                       "libfaketime)");
    path_of(folder, path, sizeof(path));
    if (!write_offset(folder, 0, err))
        return false;
    const char *const names[LZ_CLOCK_VARIABLES][2] = {
        {"LD_PRELOAD", library},
        {"FAKETIME_TIMESTAMP_FILE", path},
        {"FAKETIME_NO_CACHE", "1"}, // or an offset would be noticed after ten seconds
        {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
        {"DONT_FAKE_MONOTONIC", "1"}, // its name before 0.9.9
    };
    for (size_t i = 0; i < LZ_CLOCK_VARIABLES; i++) {
        struct lz_str s;
        lz_str_init(&s);
        lz_str_addf(&s, "%s=%s", names[i][0], names[i][1]);
        out[i] = lz_str_take(&s);
    }
    return true;
}

static bool begin(struct lz_grip *g, struct lz_err *err)
{
    (void)g;
    (void)err;
    return true;
}

static bool set(struct lz_grip *g, double ahead_ns, struct lz_err *err)
{
    return write_offset(g->process->folder, ahead_ns, err);
}

// Does the program really have the library? A static one, or one that clears its environment,
// does not, and reads the true time.
static bool has_library(pid_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
        found = strstr(line, "libfaketime") != NULL;
    if (file != NULL)
        fclose(file);
    return found;
}

static void look(struct lz_grip *g)
{
    bool is_off = g->value < -0.5 || g->value > 0.5;
    if (is_off && g->process->pid > 0 && has_library(g->process->pid))
        g->effect++;
}

static void finish(struct lz_grip *g)
{
    struct lz_err err;
    if (!write_offset(g->process->folder, 0, &err))
        lz_live_doubt(g->live, "process %s: %s", g->process->target->name, err.msg);
}

const struct lz_grip_kind lz_grip_clock = {
    .name = "clock_skew",
    .is_sum = true,
    .look_every_ns = LOOK_NS,
    .begin = begin,
    .set = set,
    .look = look,
    .finish = finish,
};
