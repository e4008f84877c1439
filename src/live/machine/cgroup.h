/*
 * cgroup.h — a control group of our own with a CPU quota, of version 1 or 2.
 *
 * Where: version 1 has a hierarchy for `cpu`, and a group is made below the one we are in. In
 * version 2 a group below which the controller is on is looked for from ours upwards, since one
 * that holds processes itself cannot hand it on. Either has to be writable: as root, in a
 * container that was given its own, or below a systemd user manager with `Delegate=cpu`.
 *
 * The folder is in the undo log before it is made. Giving it up moves what is in it to where the
 * group is, and removes it.
 */
#ifndef LZ_LIVE_MACHINE_CGROUP_H
#define LZ_LIVE_MACHINE_CGROUP_H

#include <stdint.h>

#include "live/undo.h"

#define LZ_CGROUP_PATH_SIZE 512

struct lz_cgroup {
    char parent[LZ_CGROUP_PATH_SIZE];
    char path[LZ_CGROUP_PATH_SIZE];
    bool is_v2;
    lz_undo_id undo;
};

/* Can this user make one? `saw` gets a sentence either way. */
bool lz_cgroup_probe(struct lz_str *saw);

bool lz_cgroup_create(struct lz_undo *undo, const char *name, struct lz_cgroup *out,
                      struct lz_err *err) LZ_MUST_CHECK;
bool lz_cgroup_add(const struct lz_cgroup *g, pid_t pid, struct lz_err *err) LZ_MUST_CHECK;

/* So many cores' time; 0: all. */
bool lz_cgroup_quota(const struct lz_cgroup *g, double cores, struct lz_err *err) LZ_MUST_CHECK;
uint64_t lz_cgroup_throttled_ns(const struct lz_cgroup *g);
void lz_cgroup_destroy(struct lz_undo *undo, struct lz_cgroup *g);

#endif
