#include "live/machine/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/io.h"

#define PERIOD_US 100000.0 // CFS's own preset
#define QUOTA_MIN_US 1000.0
#define LEVELS_MAX 32

static size_t read_text(const char *folder, const char *name, char *out, size_t size)
{
    char path[LZ_CGROUP_PATH_SIZE + 64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static bool write_text(const char *folder, const char *name, const char *text, struct lz_err *err)
{
    char path[LZ_CGROUP_PATH_SIZE + 64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int failed = fd < 0 ? errno : lz_io_write(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    return failed == 0 || lz_fail(err, LZ_EIO, "cannot write to %s: %s", path, strerror(failed));
}

static bool has_word(const char *words, const char *word, const char *separators)
{
    size_t len = strlen(word);
    while (*words != '\0') {
        size_t n = strcspn(words, separators);
        if (n == len && memcmp(words, word, n) == 0)
            return true;
        words += n;
        words += strspn(words, separators);
    }
    return false;
}

// Where a hierarchy is mounted: proc_pid_mountinfo(5), "... MOUNT ... - TYPE SOURCE OPTIONS".
static bool find_mount(bool v2, char *out, size_t size)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[2048], root[512], point[512], type[64], options[512];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        const char *rest = strstr(line, " - ");
        if (rest == NULL || sscanf(line, "%*s %*s %*s %511s %511s", root, point) != 2 ||
            sscanf(rest, " - %63s %*s %511s", type, options) != 2)
            continue;
        found = v2 ? strcmp(type, "cgroup2") == 0
                   : strcmp(type, "cgroup") == 0 && has_word(options, "cpu", ",\n");
    }
    if (file != NULL)
        fclose(file);
    if (found)
        snprintf(out, size, "%s", point);
    return found;
}

// The group we are in: "4:cpu,cpuacct:/path", or "0::/path".
static bool find_own(bool v2, char *out, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[1024];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        char *names = strchr(line, ':');
        char *path = names != NULL ? strchr(names + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        found = v2 ? strcmp(names, ":") == 0 : has_word(names + 1, "cpu", ",");
        if (found)
            snprintf(out, size, "%s", strcmp(path, "/") == 0 ? "" : path);
    }
    if (file != NULL)
        fclose(file);
    return found;
}

// Below which a group with a quota can be made; "" and why not.
static bool find_parent(bool v2, char *out, size_t size, char *why, size_t why_size)
{
    char mount[512], own[1024], words[512];
    snprintf(why, why_size, "no cgroup hierarchy for cpu is mounted");
    if (!find_mount(v2, mount, sizeof(mount)) || !find_own(v2, own, sizeof(own)))
        return false;
    for (int level = 0; level < LEVELS_MAX; level++) {
        snprintf(out, size, "%s%s", mount, own);
        read_text(out, "cgroup.subtree_control", words, sizeof(words));
        bool hands_on = !v2 || has_word(words, "cpu", " \n");
        if (hands_on && access(out, W_OK) == 0)
            return true;
        if (hands_on)
            snprintf(why, why_size, "%s is not writable for this user", out);
        else
            snprintf(why, why_size, "no group above ours hands the cpu controller on");
        char *slash = strrchr(own, '/');
        if (!v2 || slash == NULL)
            return false;
        *slash = '\0';
    }
    return false;
}

// A group that was really made and really takes a quota.
static bool try_it(bool v2, char *saw, size_t size)
{
    char parent[LZ_CGROUP_PATH_SIZE], why[LZ_CGROUP_PATH_SIZE + 128];
    struct lz_cgroup g = {.is_v2 = v2};
    struct lz_err err;
    if (!find_parent(v2, parent, sizeof(parent), why, sizeof(why))) {
        snprintf(saw, size, "%s", why);
        return false;
    }
    int n = snprintf(g.path, sizeof(g.path), "%s/lorenz-probe-%d", parent, (int)getpid());
    if (n >= (int)sizeof(g.path) || mkdir(g.path, 0755) != 0) {
        snprintf(saw, size, "no group can be made in %s: %s", parent, strerror(errno));
        return false;
    }
    bool ok = lz_cgroup_quota(&g, 0.5, &err);
    rmdir(g.path);
    if (ok)
        snprintf(saw, size, "a cgroup of version %d can be made in %s", v2 ? 2 : 1, parent);
    else
        snprintf(saw, size, "%s", err.msg);
    return ok;
}

static bool choose(bool *v2, char *saw, size_t size)
{
    char other[LZ_CGROUP_PATH_SIZE + 256];
    for (int version = 1; version <= 2; version++) {
        *v2 = version == 2;
        if (try_it(*v2, version == 1 ? saw : other, size))
            return true;
    }
    size_t n = strlen(saw);
    snprintf(saw + n, size - n, "; %s", other);
    return false;
}

bool lz_cgroup_probe(struct lz_str *saw)
{
    char text[LZ_CGROUP_PATH_SIZE + 256];
    bool v2;
    bool ok = choose(&v2, text, sizeof(text));
    lz_str_add(saw, text);
    return ok;
}

bool lz_cgroup_create(struct lz_undo *undo, const char *name, struct lz_cgroup *out,
                      struct lz_err *err)
{
    char text[LZ_CGROUP_PATH_SIZE + 256];
    struct lz_cgroup g = {0};
    if (!choose(&g.is_v2, text, sizeof(text)) ||
        !find_parent(g.is_v2, g.parent, sizeof(g.parent), text, sizeof(text)))
        return lz_fail(err, LZ_EIO, "%s", text);
    int n = snprintf(g.path, sizeof(g.path), "%s/%s", g.parent, name);
    if (n >= (int)sizeof(g.path))
        return lz_fail(err, LZ_ERANGE, "the path of a cgroup in %s is too long", g.parent);
    const struct lz_undo_entry entry = {.verb = LZ_UNDO_RMDIR, .path = g.path};
    if (!lz_undo_add(undo, &entry, &g.undo, err))
        return false;
    if (mkdir(g.path, 0755) != 0) {
        lz_undo_forget(undo, g.undo);
        return lz_fail(err, LZ_EIO, "cannot make the cgroup %s: %s", g.path, strerror(errno));
    }
    *out = g;
    return true;
}

bool lz_cgroup_add(const struct lz_cgroup *g, pid_t pid, struct lz_err *err)
{
    char text[32];
    snprintf(text, sizeof(text), "%d", (int)pid);
    return write_text(g->path, "cgroup.procs", text, err);
}

bool lz_cgroup_quota(const struct lz_cgroup *g, double cores, struct lz_err *err)
{
    LZ_ASSERT(cores >= 0.0);
    double quota = cores * PERIOD_US;
    if (cores > 0.0 && quota < QUOTA_MIN_US)
        quota = QUOTA_MIN_US; // the kernel takes no less
    char text[64];
    if (g->is_v2) {
        if (cores > 0.0)
            snprintf(text, sizeof(text), "%.0f %.0f", quota, PERIOD_US);
        else
            snprintf(text, sizeof(text), "max %.0f", PERIOD_US);
        return write_text(g->path, "cpu.max", text, err);
    }
    snprintf(text, sizeof(text), "%.0f", PERIOD_US);
    if (!write_text(g->path, "cpu.cfs_period_us", text, err))
        return false;
    snprintf(text, sizeof(text), "%.0f", cores > 0.0 ? quota : -1.0);
    return write_text(g->path, "cpu.cfs_quota_us", text, err);
}

uint64_t lz_cgroup_throttled_ns(const struct lz_cgroup *g)
{
    char text[1024];
    read_text(g->path, "cpu.stat", text, sizeof(text));
    const char *name = g->is_v2 ? "throttled_usec " : "throttled_time ";
    const char *at = strstr(text, name);
    uint64_t value = at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
    return g->is_v2 ? value * 1000 : value;
}

void lz_cgroup_destroy(struct lz_undo *undo, struct lz_cgroup *g)
{
    // Whoever is in it goes back to where we are; what ends meanwhile is nobody's loss.
    char pids[65536];
    struct lz_err err;
    for (int round = 0; round < 10 && read_text(g->path, "cgroup.procs", pids, sizeof(pids)) > 0;
         round++) {
        for (char *at = pids; *at != '\0';) {
            char *end = at + strcspn(at, "\n");
            if (*end == '\n')
                *end++ = '\0';
            bool moved = write_text(g->parent, "cgroup.procs", at, &err);
            (void)moved;
            at = end;
        }
    }
    if (rmdir(g->path) == 0)
        lz_undo_forget(undo, g->undo);
    // Else it stays in the log: the end of the run ends what is in it and removes it.
}
