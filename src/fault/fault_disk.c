/* fault_disk.c — what the faults of disks have in common. */
#include "fault/kinds.h"
#include "model/node/disk.h"

bool lz_fault_disk_takes(const struct lz_world *w, lz_instance_id id)
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
    bool is_cache = c->kind == LZ_COMPONENT_CACHE;
    return lz_fail(err, LZ_EINVAL, "a fault of disks cannot touch %s %s: its %s; give it %s",
                   lz_world_kind_name(c->kind), c->name,
                   is_cache ? "keys are in memory alone" : "requests do nothing on a disk",
                   is_cache ? "persistence = { appendonly = true }" : "io = { reads = 1 }");
}

// A log is read up to what is there once the power was lost; a file by each new process, which
// finds what a disk has lost, and still has what is only in a cache.
static bool is_read_by(const struct lz_fault *f, const struct lz_disk_ends *ends)
{
    bool is_gone = f->kind == &lz_fault_lost_write || f->kind == &lz_fault_misdirected_write;
    return is_gone && ends->has_files;
}

// Behind the effects' ids: ends of processes, and those of them that took the power along.
static uint32_t ends_of(const struct lz_world *w, const struct lz_fault *f)
{
    uint16_t ends = 0, losses = 0;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        struct lz_disk_ends e = lz_disk_ends(w, f->hits[i]);
        ends = (uint16_t)(ends + e.ends);
        losses = (uint16_t)(losses + e.losses);
    }
    return (uint32_t)ends << 16 | losses;
}

const char *lz_fault_disk_waits(const struct lz_world *w, const struct lz_fault *f)
{
    bool any_file = false;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        struct lz_disk_ends e = lz_disk_ends(w, f->hits[i]);
        any_file = any_file || is_read_by(f, &e);
    }
    uint32_t since = f->hit_count > 0 ? ends_of(w, f) ^ f->undo[f->hit_count] : 0;
    bool was_read = any_file ? since != 0 : (since & 0xffffu) != 0;
    return was_read ? NULL
                    : "nothing it hit has lost its power since, so that no disk was read again: "
                      "let fault.down take the power, while it lasts or later";
}

void lz_fault_disk_apply(struct lz_world *w, struct lz_fault *f, struct lz_disk_effect *e)
{
    f->undo[f->hit_count] = ends_of(w, f);
    e->path = f->path;
    e->touched = &f->effect;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_fault_disk_takes(w, f->hits[i]) ? lz_disk_disturb(w, f->hits[i], e) : 0;
}

void lz_fault_disk_revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != 0)
            lz_disk_undo(w, f->hits[i], f->undo[i]);
}
