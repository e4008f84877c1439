/* fault_disk.c — what the faults of disks have in common. */
#include "fault/kinds.h"
#include "model/node/disk.h"

// In a place there may be other things than databases: what has no disk is passed by.
static bool has_disk(const struct lz_world *w, lz_instance_id id)
{
    lz_component_id c = lz_instance_get(w, id)->component;
    return lz_world_component(w, c)->kind == LZ_COMPONENT_DATABASE;
}

void lz_fault_disk_apply(struct lz_world *w, struct lz_fault *f, struct lz_disk_effect *e)
{
    e->path = f->path;
    e->touched = &f->effect;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = has_disk(w, f->hits[i]) ? lz_disk_disturb(w, f->hits[i], e) : 0;
}

void lz_fault_disk_revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != 0)
            lz_disk_undo(w, f->hits[i], f->undo[i]);
}
