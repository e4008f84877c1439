#include "model/history/recorder_real.h"

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "model/history/recorder_state.h"

static struct lz_recorder *recorder_of(const struct lz_world *w, lz_component_id to)
{
    LZ_ASSERT(lz_recorder_is_on(w, to));
    return &w->recorders->all[w->recorders->by_component[to] - 1];
}

enum lz_recorder_f lz_recorder_real_f(struct lz_world *w, lz_component_id to, lz_op op)
{
    bool is_id;
    return lz_recorder_f_for(w, recorder_of(w, to), op, &is_id);
}

bool lz_recorder_real_is_keyed(const struct lz_world *w, lz_component_id to)
{
    bool is_service = lz_world_component(w, to)->kind == LZ_COMPONENT_SERVICE;
    return !is_service || recorder_of(w, to)->is_per_key;
}

struct lz_recorder_real
lz_recorder_real_begin(struct lz_world *w, const struct lz_recorder_real_opts *o, lz_value *written)
{
    struct lz_recorders *rs = w->recorders;
    struct lz_recorder *r = recorder_of(w, o->to);
    bool is_id;
    enum lz_recorder_f f = lz_recorder_f_for(w, r, o->op, &is_id);
    if (o->as != LZ_RECORDER_REAL_OP)
        f = o->as == LZ_RECORDER_REAL_CAS ? LZ_RECORDER_CREATE : LZ_RECORDER_READ;
    r->is_real = true;
    struct lz_recorder_real at = {.to = o->to};
    bool writes = f == LZ_RECORDER_WRITE || f == LZ_RECORDER_CREATE || f == LZ_RECORDER_INSERT;
    *written =
        writes && !lz_recorder_is_removal(w, o->op) ? lz_value_integer((int64_t)r->count + 1) : 0;
    if (f == LZ_RECORDER_OTHER)
        return at;
    if (r->count == LZ_RECORDER_OPS_MAX) {
        r->dropped++;
        return at;
    }
    at.who = o->who != 0 ? lz_hash_mix(o->who, o->to) | 1 : 0;
    r->ops = lz_grow(w->arena, r->ops, &r->cap, r->count + 1, sizeof(*r->ops));
    uint64_t begin = ++rs->numbers;
    r->ops[r->count++] =
        (struct lz_recorder_op){.key = lz_recorder_real_is_keyed(w, o->to) ? o->key : 0,
                                .value = *written,
                                .expected = o->expected,
                                .begin = begin,
                                .at = lz_sim_now(w->sim),
                                .unit = lz_hash_mix(begin, 5),
                                .process = lz_recorder_process_take(w, r, at.who),
                                .f = (uint8_t)f,
                                .added = f == LZ_RECORDER_INSERT ? *written
                                         : f == LZ_RECORDER_ADD  ? lz_value_integer(1)
                                                                 : 0,
                                .is_add = f == LZ_RECORDER_ADD,
                                .is_id = is_id,
                                .outcome = LZ_RECORDER_UNKNOWN};
    at.op = r->count;
    return at;
}

void lz_recorder_real_end(struct lz_world *w, const struct lz_recorder_real *at,
                          enum lz_recorder_outcome outcome, lz_value seen, bool is_repeated)
{
    struct lz_recorders *rs = w->recorders;
    if (at->op == 0)
        return;
    struct lz_recorder *r = recorder_of(w, at->to);
    LZ_ASSERT(at->op <= r->count);
    struct lz_recorder_op *op = &r->ops[at->op - 1];
    LZ_ASSERT(op->end == 0);
    op->outcome = (uint8_t)outcome;
    op->is_repeated = is_repeated;
    op->done = lz_sim_now(w->sim);
    if (outcome == LZ_RECORDER_UNKNOWN)
        return;
    op->end = ++rs->numbers;
    lz_recorder_process_give(w, at->who, op->process);
    bool is_told =
        op->f == LZ_RECORDER_READ || op->f == LZ_RECORDER_ADD || op->f == LZ_RECORDER_MEMBERS;
    if (outcome == LZ_RECORDER_OK && is_told)
        op->value = seen;
    if (outcome == LZ_RECORDER_OK && op->f == LZ_RECORDER_ADD)
        op->f = LZ_RECORDER_WRITE;
}
