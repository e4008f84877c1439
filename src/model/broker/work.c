/*
 * work.c — a member's polls and its work.
 *
 *   idle ──poll finds records──▶ (commit ahead) ──▶ working, unit by unit ──▶ (commit) ──▶ idle
 *                                                      └─ one fails ──▶ resting ──▶ idle
 *
 * A *unit* is what is worked on at once: all that was taken, up to a record that nobody can work
 * on; or one record, where a handler or calls do it. Its demand is the sum of its records', each
 * drawn by its partition and offset, so that who works on it, and how often, changes nobody's.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/broker/transaction.h"
#include "model/node/capacity.h"
#include "model/node/cpu.h"
#include "model/node/life.h"
#include "model/service/task.h"

#define REST_NS LZ_S

static uint64_t path_of(const struct lz_group *g, uint32_t partition)
{
    return lz_draw_join(g->path, lz_group_partition(g, partition)->path);
}

static void set_work(struct lz_world *w, struct lz_member *m, enum lz_member_work work)
{
    m->work = (uint8_t)work;
    lz_consumers_busy(w, m->group);
}

// ---- taking

static void add_slice(struct lz_world *w, struct lz_member *m, uint32_t partition, uint64_t from,
                      uint64_t to)
{
    m->slices = lz_grow(w->arena, m->slices, &m->slice_cap, m->slice_count + 1, sizeof(*m->slices));
    m->slices[m->slice_count++] = (struct lz_slice){.partition = partition, .from = from, .to = to};
}

static const struct lz_replica *log_of(const struct lz_partition *p)
{
    return lz_partition_on(p, p->was_led_by);
}

// Of a topic with transactions: what nobody is given counts as worked on.
static void add_visible(struct lz_world *w, struct lz_member *m, uint32_t partition, uint64_t from,
                        uint64_t to)
{
    const struct lz_group *g = m->group;
    const struct lz_replica *r = log_of(lz_group_partition(g, partition));
    uint64_t begun = from; // of what is given and not yet added
    if (from < r->log.start || to > r->log.end) {
        add_slice(w, m, partition, from, to); // cut or expired meanwhile
        return;
    }
    for (uint32_t i = lz_plog_find(&r->log, from); i < r->log.count; i++) {
        const struct lz_batch *b = lz_plog_at(&r->log, i);
        if (b->offset >= to)
            break;
        enum lz_sight sight = lz_transaction_sight(r, b, g->opts.reads_committed);
        if (sight != LZ_SIGHT_MARKER && sight != LZ_SIGHT_ABORTED)
            continue;
        uint64_t low = b->offset > from ? b->offset : from;
        uint64_t high = lz_batch_end(b) < to ? lz_batch_end(b) : to;
        if (begun < low)
            add_slice(w, m, partition, begun, low);
        (void)lz_seen_add(&g->claims[partition].seen, low, high);
        begun = high;
    }
    if (begun < to)
        add_slice(w, m, partition, begun, to);
    struct lz_claim *c = &g->claims[partition];
    c->front = lz_seen_next(&c->seen, c->front);
}

// All that was taken is worked on: what came behind it and nobody is given is too.
static void settle(struct lz_member *m)
{
    for (uint32_t i = 0; m->group->topic->has_transactions && i < m->cursor_count; i++)
        if (m->cursors[i].is_loaded)
            m->cursors[i].done = m->cursors[i].position;
}

// One partition after the other, beginning behind the one it took from last.
static uint64_t take_some(struct lz_world *w, struct lz_member *m)
{
    uint64_t left = m->group->opts.batch;
    for (uint32_t k = 0; k < m->cursor_count && left > 0; k++) {
        uint32_t i = (m->next_cursor + k) % m->cursor_count;
        struct lz_cursor *c = &m->cursors[i];
        if (!c->is_loaded || c->fetched <= c->position)
            continue;
        uint64_t there = c->fetched - c->position, n = there < left ? there : left;
        if (m->group->topic->has_transactions)
            add_visible(w, m, c->partition, c->position, c->position + n);
        else
            add_slice(w, m, c->partition, c->position, c->position + n);
        c->position += n;
        left -= n;
        if (n == there || left == 0)
            m->next_cursor = n == there ? (i + 1) % m->cursor_count : i;
    }
    return m->group->opts.batch - left;
}

static bool take(struct lz_world *w, struct lz_member *m)
{
    m->slice_count = 0;
    while (take_some(w, m) > 0 && m->slice_count == 0)
        ; // nobody is given any of it: what follows
    if (m->slice_count == 0)
        settle(m);
    return m->slice_count > 0;
}

// ---- units

static lz_time demand_of(struct lz_world *w, const struct lz_member *m, uint32_t partition,
                         uint64_t from, uint64_t to)
{
    const struct lz_dist *work = &m->group->opts.work;
    if (work->kind == LZ_DIST_CONSTANT)
        return (lz_time)(work->a * (double)(to - from) + 0.5);
    uint64_t path = path_of(m->group, partition);
    lz_time sum = 0;
    for (uint64_t offset = from; offset < to; offset++) {
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_SERVICE, offset & 0xffffffffffull);
        sum += lz_dist_time(work, &draw);
    }
    return sum;
}

static const struct lz_slice *first_slice(const struct lz_member *m)
{
    LZ_ASSERT(m->slice < m->slice_count);
    return &m->slices[m->slice];
}

// Where the unit that begins at the record at hand ends. A poisoned record is one by itself.
static void find_end(struct lz_member *m)
{
    const struct lz_group *g = m->group;
    bool is_single = g->opts.is_handled;
    m->last_slice = m->slice;
    m->upto = m->offset + 1;
    for (uint32_t i = m->slice; i < m->slice_count && !is_single; i++) {
        const struct lz_slice *s = &m->slices[i];
        uint64_t from = i == m->slice ? m->offset : s->from;
        uint64_t end =
            g->topic->poison == NULL ? s->to : lz_poison_first(g->topic, s->partition, from, s->to);
        if (end == from) // poisoned: alone if it is the first, else the unit ends before it
            return;
        m->last_slice = i;
        m->upto = end;
        is_single = end < s->to;
    }
}

static void begin_unit(struct lz_world *w, struct lz_member *m)
{
    const struct lz_group *g = m->group;
    find_end(m);
    m->demand = 0;
    for (uint32_t i = m->slice; i <= m->last_slice; i++) {
        const struct lz_slice *s = &m->slices[i];
        uint64_t from = i == m->slice ? m->offset : s->from;
        m->demand += demand_of(w, m, s->partition, from, i == m->last_slice ? m->upto : s->to);
    }
    set_work(w, m, LZ_MEMBER_WORKING);
    m->begun = lz_sim_now(w->sim);
    m->units++;
    uint64_t path = lz_draw_index(path_of(g, first_slice(m)->partition), m->offset);
    struct lz_service_begin begin = {.instance = m->id,
                                     .path = lz_draw_index(path, m->turn),
                                     .demand = m->demand > 0 ? m->demand : 1};
    if (g->opts.is_handled)
        begin.key = lz_consumers_record(w, m->id).key;
    m->task = lz_service_begin(w, &begin);
}

static void start(struct lz_world *w, struct lz_member *m)
{
    LZ_ASSERT(m->slice_count > 0);
    m->slice = 0;
    m->offset = m->slices[0].from;
    begin_unit(w, m);
}

// ---- what has been worked on

// The batches behind a range say how old its records are, and whether they are there twice.
static uint64_t observe(struct lz_world *w, struct lz_group *g, const struct lz_partition *p,
                        uint64_t from, uint64_t to)
{
    const struct lz_plog *l = &log_of(p)->log;
    lz_time now = lz_sim_now(w->sim);
    uint64_t copies = 0;
    if (from < l->start)
        from = l->start;
    for (uint32_t i = from < to ? lz_plog_find(l, from) : l->count; i < l->count; i++) {
        const struct lz_batch *b = lz_plog_at(l, i);
        if (b->offset >= to)
            break;
        uint64_t low = b->offset > from ? b->offset : from;
        uint64_t high = lz_batch_end(b) < to ? lz_batch_end(b) : to;
        for (uint64_t k = low; k < high; k++)
            lz_metrics_observe(w->metrics, g->series.latency, now - b->at);
        copies += b->is_copy ? high - low : 0;
    }
    return copies;
}

void lz_work_trail(struct lz_world *w, const struct lz_member *m, const struct lz_member_step *step)
{
    const struct lz_group *g = m->group;
    const struct lz_plog *l = &log_of(lz_group_partition(g, step->partition))->log;
    uint64_t from = step->from > l->start ? step->from : l->start;
    for (uint32_t i = from < step->to ? lz_plog_find(l, from) : l->count; i < l->count; i++) {
        const struct lz_batch *b = lz_plog_at(l, i);
        if (b->offset >= step->to)
            return;
        if (b->origin.request != 0)
            lz_trail_add(w, &(struct lz_trail){.origin = b->origin,
                                               .component = g->id,
                                               .instance = m->id,
                                               .partition = step->partition,
                                               .kind = step->kind,
                                               .has_failed = step->has_failed,
                                               .offset = b->offset,
                                               .start = step->start,
                                               .end = lz_sim_now(w->sim)});
    }
}

static void trail_unit(struct lz_world *w, const struct lz_member *m, bool has_failed)
{
    for (uint32_t i = m->slice; i <= m->last_slice; i++) {
        const struct lz_slice *s = &m->slices[i];
        lz_work_trail(w, m,
                      &(struct lz_member_step){.partition = s->partition,
                                               .from = i == m->slice ? m->offset : s->from,
                                               .to = i == m->last_slice ? m->upto : s->to,
                                               .start = m->begun,
                                               .kind = LZ_TRAIL_PROCESS,
                                               .has_failed = has_failed});
    }
}

static void passed(struct lz_world *w, struct lz_member *m, uint32_t partition, uint64_t from,
                   uint64_t to)
{
    struct lz_group *g = m->group;
    struct lz_claim *claim = &g->claims[partition];
    uint64_t again = lz_seen_add(&claim->seen, from, to);
    claim->front = lz_seen_next(&claim->seen, claim->front);
    uint64_t copies = observe(w, g, lz_group_partition(g, partition), from, to);
    lz_metrics_add(w->metrics, g->series.records, to - from);
    lz_metrics_add(w->metrics, g->series.duplicates, again > 0 ? again : copies);
    struct lz_cursor *c = lz_member_cursor(m, partition);
    if (c != NULL && c->done <= to && c->position >= to)
        c->done = to;
}

static void pass_unit(struct lz_world *w, struct lz_member *m)
{
    for (uint32_t i = m->slice; i <= m->last_slice; i++) {
        const struct lz_slice *s = &m->slices[i];
        uint64_t from = i == m->slice ? m->offset : s->from;
        passed(w, m, s->partition, from, i == m->last_slice ? m->upto : s->to);
    }
}

// ---- after a unit

static void rest(struct lz_world *w, struct lz_member *m)
{
    for (uint32_t i = m->slice; i < m->slice_count; i++) {
        struct lz_cursor *c = lz_member_cursor(m, m->slices[i].partition);
        uint64_t from = i == m->slice ? m->offset : m->slices[i].from;
        if (c != NULL && c->position > from)
            c->position = from; // what it has fetched it still has
    }
    m->slice_count = 0;
    if (m->is_leaving) {
        set_work(w, m, LZ_MEMBER_IDLE);
        lz_work_poll(w, m);
        return;
    }
    set_work(w, m, LZ_MEMBER_RESTING);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + REST_NS, w->groups->rested, m->id, m->turn);
}

void lz_work_on_rested(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->rested, payload))
        return;
    struct lz_member *m = lz_member_of(w, entity);
    if (m->turn != payload || m->work != LZ_MEMBER_RESTING)
        return;
    set_work(w, m, LZ_MEMBER_IDLE);
    lz_work_poll(w, m);
}

static void go_on(struct lz_world *w, struct lz_member *m)
{
    const struct lz_slice *last = &m->slices[m->last_slice];
    m->slice = m->last_slice;
    m->offset = m->upto;
    if (m->offset == last->to && ++m->slice < m->slice_count)
        m->offset = m->slices[m->slice].from;
    if (m->slice < m->slice_count) {
        begin_unit(w, m);
        return;
    }
    m->slice_count = 0;
    settle(m);
    lz_metrics_add(w->metrics, m->group->series.batches, 1);
    m->must_commit = m->group->opts.commit_batch && !m->is_lost;
    if (m->must_commit && lz_member_may_commit(m)) {
        set_work(w, m, LZ_MEMBER_COMMITTING);
        m->then = LZ_MEMBER_POLL;
        lz_member_commit(w, m, false);
        return;
    }
    set_work(w, m, LZ_MEMBER_IDLE);
    lz_work_poll(w, m);
}

static void failed(struct lz_world *w, struct lz_member *m)
{
    switch (m->group->opts.on_error) {
    case LZ_CONSUMERS_RETRY:
        if (m->group->transactions != NULL && !m->is_lost)
            lz_member_abort(w, m);
        else
            rest(w, m);
        return;
    case LZ_CONSUMERS_SKIP:
        pass_unit(w, m);
        lz_metrics_add(w->metrics, m->group->series.failed, m->upto - m->offset);
        go_on(w, m);
        return;
    case LZ_CONSUMERS_CRASH:
        lz_life_crash(w, m->id, "a record could not be worked on");
        return;
    }
}

void lz_work_ended(struct lz_world *w, lz_instance_id instance, enum lz_outcome outcome)
{
    struct lz_member *m = lz_member_of(w, instance);
    LZ_ASSERT(m->work == LZ_MEMBER_WORKING);
    m->task = 0;
    const struct lz_topic *t = m->group->topic;
    uint32_t partition = first_slice(m)->partition;
    bool is_poisoned =
        t->poison != NULL && lz_poison_first(t, partition, m->offset, m->offset + 1) == m->offset;
    if (is_poisoned)
        lz_poison_attempted(t, partition, m->offset);
    if (t->is_traced)
        trail_unit(w, m, is_poisoned || outcome != LZ_OUTCOME_OK);
    if (is_poisoned || outcome != LZ_OUTCOME_OK) {
        failed(w, m);
        return;
    }
    pass_unit(w, m);
    go_on(w, m);
}

// All since the last commit is worked on anew.
static void go_back(struct lz_member *m)
{
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        struct lz_cursor *c = &m->cursors[i];
        if (c->is_loaded)
            c->position = c->done = c->committing = m->group->claims[c->partition].committed;
    }
    m->slice_count = 0;
    m->slice = 0;
}

static void go_on_committed(struct lz_world *w, struct lz_member *m, bool is_good)
{
    bool joins = m->then == LZ_MEMBER_REJOIN || m->then == LZ_MEMBER_REVOKE;
    if (m->then == LZ_MEMBER_START && is_good) {
        start(w, m);
    } else if (m->then == LZ_MEMBER_ABORTED && is_good) {
        go_back(m);
        rest(w, m);
    } else if (m->then == LZ_MEMBER_START || m->then == LZ_MEMBER_POLL ||
               m->then == LZ_MEMBER_ABORTED) {
        m->slice_count = 0;
        if (!is_good)
            m->is_lost = m->must_rejoin = true;
        lz_work_poll(w, m);
    } else if (is_good && joins && m->is_leaving) {
        lz_work_poll(w, m);
    } else if (is_good) {
        lz_member_joined_again(w, m, (enum lz_member_then)m->then);
    } else {
        m->is_lost = m->must_rejoin = true;
        lz_work_poll(w, m);
    }
}

void lz_work_committed(struct lz_world *w, struct lz_member *m, bool is_good)
{
    m->commit = 0;
    if (m->work != LZ_MEMBER_COMMITTING)
        return;
    set_work(w, m, LZ_MEMBER_IDLE);
    go_on_committed(w, m, is_good);
    if (m->is_leaving)
        lz_life_idle(w, m->id); // its process has waited for this
}

// ---- polling

static bool is_stalled(struct lz_member *m)
{
    for (uint32_t i = 0; i < m->stall_count; i++)
        (*m->stalls[i])++;
    return m->stall_count > 0;
}

static bool may_take(const struct lz_member *m)
{
    bool joins = m->phase == LZ_MEMBER_JOINING || m->phase == LZ_MEMBER_SYNCING;
    return m->phase == LZ_MEMBER_READING || (joins && m->group->opts.is_cooperative);
}

void lz_work_poll(struct lz_world *w, struct lz_member *m)
{
    const struct lz_consumers_opts *o = &m->group->opts;
    if (m->work != LZ_MEMBER_IDLE || m->phase == LZ_MEMBER_OUT)
        return;
    if (m->is_leaving) {
        lz_member_leave(w, m);
        return;
    }
    if (is_stalled(m))
        return;
    lz_time now = lz_sim_now(w->sim);
    m->last_poll = now;
    if (m->must_apply) {
        lz_member_apply(w, m);
        return;
    }
    if (m->must_rejoin && (m->phase == LZ_MEMBER_READING || m->is_lost)) {
        lz_member_rejoin(w, m);
        return;
    }
    bool may_commit = lz_member_may_commit(m);
    if (!may_take(m) || m->cursor_count == 0 || (o->at_most_once && !may_commit))
        return;
    if (m->must_commit && may_commit) {
        set_work(w, m, LZ_MEMBER_COMMITTING);
        m->then = LZ_MEMBER_POLL;
        lz_member_commit(w, m, false);
        return;
    }
    bool by_time = !o->commit_batch && !o->at_most_once && may_commit;
    if (by_time && now - m->last_commit >= o->commit_every && lz_member_has_uncommitted(m))
        lz_member_commit(w, m, false);
    if (!take(w, m)) {
        lz_reader_go(w, m);
        return;
    }
    if (o->at_most_once) {
        set_work(w, m, LZ_MEMBER_COMMITTING);
        m->then = LZ_MEMBER_START;
        lz_member_commit(w, m, true);
    } else {
        start(w, m);
    }
    lz_reader_go(w, m);
}

// ---- its process ends

uint64_t lz_work_holds(const struct lz_member *m, uint32_t partition, uint64_t from, uint64_t to)
{
    uint64_t held = 0;
    bool has_begun = m->work == LZ_MEMBER_WORKING;
    for (uint32_t i = has_begun ? m->slice : 0; i < m->slice_count; i++) {
        const struct lz_slice *s = &m->slices[i];
        uint64_t low = has_begun && i == m->slice ? m->offset : s->from;
        low = low > from ? low : from;
        uint64_t high = s->to < to ? s->to : to;
        held += s->partition == partition && low < high ? high - low : 0;
    }
    return held;
}

// Of a unit of many records those are done whose demands fit into what the CPU has given.
static void pass_part(struct lz_world *w, struct lz_member *m, lz_time given)
{
    for (uint32_t i = m->slice; i <= m->last_slice; i++) {
        const struct lz_slice *s = &m->slices[i];
        uint64_t from = i == m->slice ? m->offset : s->from, at = from;
        uint64_t to = i == m->last_slice ? m->upto : s->to;
        while (at < to) {
            lz_time demand = demand_of(w, m, s->partition, at, at + 1);
            if (demand > given)
                break;
            given -= demand;
            at++;
        }
        if (at > from)
            passed(w, m, s->partition, from, at);
        if (at < to)
            return;
    }
}

void lz_work_died(struct lz_world *w, struct lz_member *m)
{
    const struct lz_task *t = lz_task_find(w, m->task);
    const struct lz_capacity *c = lz_capacity_find(w, m->id);
    bool is_counted = m->work == LZ_MEMBER_WORKING && !m->group->opts.is_handled && t != NULL &&
                      t->job != 0 && c != NULL;
    if (is_counted) {
        double all = (double)m->demand * c->factor, left = lz_cpu_left(w, c->cpu, t->job);
        double share = all > 0.0 && left < all ? 1.0 - left / all : 0.0;
        pass_part(w, m, (lz_time)(share * (double)m->demand + 0.5));
    }
    m->task = 0;
    m->slice_count = 0;
    set_work(w, m, LZ_MEMBER_IDLE);
}
