/*
 * File descriptors run out: the soft limit of a program and of all it started, by prlimit(2). What
 * is open stays open. The hard limit is left alone, so that the soft one can be given back by any
 * user. That somebody stood at the limit is seen in /proc; a refused call itself cannot be.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/family.h"
#include "live/machine/grip.h"

#define LOOK_NS INT64_C(100000000)
#define PIDS_MAX 4096

// One process, as it was.
struct one {
    pid_t pid;
    uint64_t start;
    struct rlimit before;
    lz_undo_id undo;
};

struct limited {
    struct one *all;
    size_t count;
};

static bool put(pid_t pid, const struct rlimit *before, double limit)
{
    struct rlimit now = *before;
    if (limit < (double)now.rlim_cur)
        now.rlim_cur = (rlim_t)limit;
    return prlimit(pid, RLIMIT_NOFILE, &now, NULL) == 0;
}

static const struct one *find(const struct limited *l, pid_t pid, uint64_t start)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->all[i].pid == pid && l->all[i].start == start)
            return &l->all[i];
    }
    return NULL;
}

static bool limit_one(struct lz_grip *g, pid_t pid, struct lz_err *err)
{
    struct limited *l = g->own;
    struct one o = {.pid = pid, .start = lz_family_start_time(pid)};
    if (o.start == 0)
        return true;
    const struct one *known = find(l, pid, o.start);
    if (known == NULL) {
        if (prlimit(pid, RLIMIT_NOFILE, NULL, &o.before) != 0)
            return errno == ESRCH ||
                   lz_fail(err, LZ_EIO, "cannot read the limits of process %d: %s", (int)pid,
                           strerror(errno));
        // Begotten by one that was limited already, it has inherited that.
        if (l->count > 0 && o.before.rlim_cur == (rlim_t)g->value)
            o.before = l->all[0].before;
        const struct lz_undo_entry entry = {.verb = LZ_UNDO_PRLIMIT,
                                            .pid = pid,
                                            .start = o.start,
                                            .number = RLIMIT_NOFILE,
                                            .soft = o.before.rlim_cur,
                                            .hard = o.before.rlim_max};
        if (!lz_undo_add(lz_live_undo(g->live), &entry, &o.undo, err))
            return false;
        l->all = lz_mem_resize(l->all, (l->count + 1) * sizeof(l->all[0]));
        l->all[l->count++] = o;
        known = &l->all[l->count - 1];
    }
    if (put(pid, &known->before, g->value) || errno == ESRCH)
        return true;
    return lz_fail(err, LZ_EIO, "cannot limit the descriptors of process %d: %s", (int)pid,
                   strerror(errno));
}

static bool limit_all(struct lz_grip *g, struct lz_err *err)
{
    static pid_t pids[PIDS_MAX];
    const struct lz_family family = {.pid = g->process->pid, .start = g->process->start_time};
    size_t count = g->process->pid > 0 ? lz_family_pids(&family, pids, PIDS_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        if (!limit_one(g, pids[i], err))
            return false;
    }
    return true;
}

static bool begin(struct lz_grip *g, struct lz_err *err)
{
    (void)err;
    struct limited *l = lz_mem_alloc(sizeof(*l));
    *l = (struct limited){0};
    g->own = l;
    return true;
}

static bool set(struct lz_grip *g, double limit, struct lz_err *err)
{
    LZ_ASSERT(limit >= 0.0);
    return limit_all(g, err);
}

// Those below the limit: a number at or above it was opened before.
static bool stands_at_limit(const struct one *o, double limit)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)o->pid);
    DIR *dir = opendir(path);
    double open = 0;
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        open += isdigit((unsigned char)entry->d_name[0]) && atof(entry->d_name) < limit;
    if (dir != NULL)
        closedir(dir);
    return dir != NULL && open >= limit;
}

static void look(struct lz_grip *g)
{
    const struct limited *l = g->own;
    struct lz_err err;
    if (!limit_all(g, &err))
        lz_live_doubt(g->live, "process %s: %s", g->process->target->name, err.msg);
    for (size_t i = 0; i < l->count; i++) {
        const struct one *o = &l->all[i];
        if (lz_family_start_time(o->pid) == o->start)
            g->effect += stands_at_limit(o, g->value);
    }
}

static void finish(struct lz_grip *g)
{
    struct limited *l = g->own;
    struct lz_undo *undo = lz_live_undo(g->live);
    struct lz_err err;
    for (size_t i = l->count; i-- > 0;) {
        if (lz_family_start_time(l->all[i].pid) != l->all[i].start)
            lz_undo_forget(undo, l->all[i].undo);
        else if (!lz_undo_now(undo, l->all[i].undo, &err))
            lz_live_doubt(g->live, "process %s: %s", g->process->target->name, err.msg);
    }
    free(l->all);
    free(l);
}

const struct lz_grip_kind lz_grip_descriptors = {
    .name = "fd_limit",
    .look_every_ns = LOOK_NS,
    .begin = begin,
    .set = set,
    .look = look,
    .finish = finish,
};
