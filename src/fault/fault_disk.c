/* fault_disk.c — what the faults of disks have in common. */
#include "fault/kinds.h"
#include "model/node/disk.h"

// In a place there may be other things too: what does nothing on a disk is passed by.
static bool has_disk(const struct lz_world *w, lz_instance_id id)
{
    lz_component_id c = lz_instance_get(w, id)->component;
    return lz_disk_is_used(w, c);
}

// Of a place, what has a disk is looked for when it fires.
bool lz_fault_disk_fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->target.kind == 0 || o->target.kind > LZ_TARGET_REPLICA)
        return true;
    const struct lz_component *c = lz_world_component(w, o->target.id);
    // What a real program does on its disk nobody has declared.
    if (lz_disk_is_used(w, o->target.id) || c->kind == LZ_COMPONENT_PROCESS)
        return true;
    return lz_fail(
        err, LZ_EINVAL,
        "a fault of disks cannot touch %s %s: its requests do nothing on a disk; give it "
        "io = { reads = 1 }",
        lz_world_kind_name(c->kind), c->name);
}

// Behind the effects' ids; it may wrap around, as long as it changes.
static uint32_t incarnations(const struct lz_world *w, const struct lz_fault *f)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < f->hit_count; i++)
        sum += lz_instance_get(w, f->hits[i])->incarnation;
    return sum;
}

const char *lz_fault_disk_waits(const struct lz_world *w, const struct lz_fault *f)
{
    bool has_ended = f->hit_count > 0 && incarnations(w, f) != f->undo[f->hit_count];
    for (uint32_t i = 0; i < f->hit_count; i++) {
        uint8_t state = lz_instance_get(w, f->hits[i])->state;
        has_ended = has_ended || state == LZ_INSTANCE_DEAD || state == LZ_INSTANCE_LOST;
    }
    return has_ended ? NULL
                     : "nothing it hit has ended since, so that no disk was read again: let "
                       "fault.down take the power, while it lasts or later";
}

void lz_fault_disk_apply(struct lz_world *w, struct lz_fault *f, struct lz_disk_effect *e)
{
    f->undo[f->hit_count] = incarnations(w, f);
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
