#include "live/machine/needs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "live/inner.h"
#include "live/machine/disk.h"

static bool is_hit(const struct lz_live *live, const struct lz_fault *f,
                   const struct lz_site_process *p)
{
    return lz_target_has(live->built.world, &f->opts.target, p->target->instance);
}

static bool is_planned(const struct lz_live *live, const char *kind,
                       const struct lz_site_process *p)
{
    for (lz_fault_id id = 1; id <= lz_fault_count(live->built.faults); id++) {
        const struct lz_fault *f = lz_fault_get(live->built.faults, id);
        if (strcmp(f->kind->name, kind) == 0 && is_hit(live, f, p))
            return true;
    }
    return false;
}

bool lz_needs_prepare(struct lz_live *live, struct lz_site_process *p, struct lz_err *err)
{
    if (p->target->url != NULL)
        return true;
    p->has_clock = is_planned(live, "clock_skew", p) || is_planned(live, "clock_step", p);
    if (!is_planned(live, "disk_full", p))
        return true;
    if (mkdir(p->folder, 0700) != 0 && errno != EEXIST)
        return lz_fail(err, LZ_EIO, "cannot make its folder %s: %s", p->folder, strerror(errno));
    return lz_disk_mount(live->undo, p->folder, LZ_DISK_PRESET, err);
}
