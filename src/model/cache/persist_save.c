#include "base/check.h"
#include "model/cache/persist_state.h"
#include "model/node/disk.h"
#include "model/world_kinds.h"

#define SAVE_AGAIN (5 * LZ_S)    // CONFIG_BGSAVE_RETRY_DELAY
#define FORK_NS_PER_BYTE 12.8e-3 // 12.8 ms a GB

void lz_rdb_want(struct lz_persist_at at, struct lz_persist *p)
{
    const struct lz_persist_opts *o = &at.c->opts.persist;
    if (o->save == 0 || p->saving != 0 || p->save_due != 0 || p->dirty < o->save_changes)
        return;
    lz_time now = lz_sim_now(at.w->sim), when = p->saved_at + o->save;
    p->save_due = ++p->ids;
    lz_persist_plan(at, when > now ? when : now, LZ_PERSIST_SAVE, p->save_due);
}

static void take(struct lz_persist_at at, struct lz_persist *p)
{
    p->child_acked = p->acked;
    p->child_dirty = p->dirty;
    lz_keyspace_copy(p->child, at.c->node[at.node].keys);
}

static lz_time write_time(struct lz_persist_at at, const struct lz_keyspace *keys)
{
    double ns = (double)lz_keyspace_bytes_used(keys) / at.c->opts.persist.save_rate * 1e9;
    return (lz_time)(ns + 0.5);
}

static void begin_save(struct lz_persist_at at, struct lz_persist *p)
{
    p->save_due = 0;
    p->saving = ++p->ids;
    p->is_forking = true;
    take(at, p);
    double ns = (double)lz_keyspace_bytes_used(p->child) * FORK_NS_PER_BYTE;
    lz_persist_plan(at, lz_sim_now(at.w->sim) + (lz_time)(ns + 0.5), LZ_PERSIST_FORKED, p->saving);
}

// Nothing is asked of it any more while it writes, itself and not by a child.
void lz_rdb_leave(struct lz_persist_at at, struct lz_persist *p)
{
    lz_keyspace_clear(p->child);
    p->save_due = 0;
    p->saving = ++p->ids;
    p->is_forking = false;
    lz_persist_release(&at, p);
    lz_time took = write_time(at, at.c->node[at.node].keys);
    lz_persist_plan(at, lz_sim_now(at.w->sim) + took, LZ_PERSIST_LAST, p->saving);
}

static void forked(struct lz_persist_at at, struct lz_persist *p)
{
    p->is_forking = false;
    lz_persist_plan(at, lz_sim_now(at.w->sim) + write_time(at, p->child), LZ_PERSIST_WRITTEN,
                    p->saving);
    lz_persist_release(&at, p);
}

static void saved(struct lz_persist_at at, struct lz_persist *p)
{
    p->saving = 0;
    p->dirty -= p->child_dirty;
    p->saved_acked = p->child_acked;
    p->saved_at = lz_sim_now(at.w->sim);
    if (!at.c->opts.persist.appendonly) {
        lz_disk_flushed(at.w, at.c->first + at.node, ++p->flushes);
        lz_keyspace_swap(p->files, p->child);
    }
    lz_keyspace_clear(p->child);
    lz_persist_fine(&at, &p->has_unsaved, "has saved a snapshot");
    lz_persist_measure(&at);
    if (p->is_leaving)
        lz_persist_leave(at, p);
    else
        lz_rdb_want(at, p);
}

void lz_rdb_failed(struct lz_persist_at at, struct lz_persist *p)
{
    p->saving = 0;
    lz_keyspace_clear(p->child);
    lz_persist_misconf(&at, &p->has_unsaved, "cannot save a snapshot");
    if (p->is_leaving)
        return; // nor exit: "Error trying to save the DB, can't exit"
    p->save_due = ++p->ids;
    lz_persist_plan(at, lz_sim_now(at.w->sim) + SAVE_AGAIN, LZ_PERSIST_SAVE, p->save_due);
}

static void snapshot_written(struct lz_persist_at at, struct lz_persist *p)
{
    if (lz_disk_is_felt(at.w, at.c->first + at.node))
        lz_persist_ask_disk(at, p->saving, LZ_PERSIST_SAVED);
    else
        saved(at, p);
}

void lz_rdb_step(struct lz_persist_at at, struct lz_persist *p, enum lz_persist_step step)
{
    if (step == LZ_PERSIST_SAVE) {
        begin_save(at, p);
    } else if (step == LZ_PERSIST_FORKED) {
        forked(at, p);
    } else if (step == LZ_PERSIST_WRITTEN) {
        snapshot_written(at, p);
    } else if (step == LZ_PERSIST_LAST) {
        take(at, p);
        snapshot_written(at, p);
    } else {
        LZ_ASSERT(step == LZ_PERSIST_SAVED);
        saved(at, p);
    }
}
