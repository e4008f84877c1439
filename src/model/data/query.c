#include "model/data/query.h"

#include "base/check.h"
#include "model/client/edge.h"
#include "model/client/plain_way.h"
#include "model/data/session.h"
#include "model/data/sql/execute.h"
#include "model/history/recorder.h"
#include "model/node/disk.h"
#include "model/service/fence.h"
#include "model/world_kinds.h"

bool lz_query_look(const struct lz_world *w, struct lz_database *d)
{
    const struct lz_calls_face *calls = (const struct lz_calls_face *)w->calls;
    bool is_one = d->multi == NULL && d->agree == NULL && d->sql == NULL && d->encrypt == NULL;
    bool is_led = !d->failover.is_discovered && d->split_count == 0 && d->known_cap == 0 &&
                  (!d->opts.read_replicas || d->opts.nodes == 1);
    bool is_open = d->pooler == NULL && !d->sessions.refuses && !d->is_restoring;
    bool is_it = is_one && is_led && is_open && d->hold_count == 0 && !calls->is_plain_forbidden;
    d->looked = w->ways;
    d->straight = is_it ? w->ways : 0;
    return is_it;
}

const struct lz_dist *lz_query_draws(const struct lz_world *w, lz_instance_id instance)
{
    struct lz_database *d = lz_database_here(w, instance);
    bool is_drawn = lz_query_is_straight(w, d) && d->opts.query_time.kind != LZ_DIST_CONSTANT;
    return is_drawn ? &d->opts.query_time : NULL;
}

lz_kind lz_query_request(const struct lz_world *w, lz_instance_id instance)
{
    (void)instance;
    return w->databases->request;
}

static inline void measure_cpu(struct lz_world *w, struct lz_database *d)
{
    double used = lz_cpu_used(d->nodes[d->primary].capacity->cpu), by = used - d->cpu_used;
    if (!__builtin_islessgreater(by, 0.0))
        return;
    d->cpu_used = used;
    lz_measure_cores(w, d->series.cpu_on, by);
}

void lz_query_measure_cpu(struct lz_world *w, struct lz_database *d)
{
    measure_cpu(w, d);
}

static inline struct lz_database_node *node_of(const struct lz_world *w, const struct lz_task *t)
{
    return lz_instance_get(w, t->server)->part;
}

static inline bool is_primary(const struct lz_database *d, const struct lz_task *t)
{
    return t->server == d->first + d->primary;
}

// A query takes the node's CPU; it has had it.
LZ_PLAIN_IN_PLACE void begin_job(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                                 lz_time demand)
{
    struct lz_cpu *cpu = node_of(w, t)->capacity->cpu;
    if (!lz_cpu_is_free(cpu)) {
        t->job = lz_cpu_add(w, cpu, demand, lz_pool_id(t));
        measure_cpu(w, d);
        return;
    }
    t->job = lz_cpu_begin(w, cpu, demand, lz_pool_id(t));
    if (!is_primary(d, t) ||
        !lz_measure_core_more(w, d->series.cpu_on, &d->cpu_used, lz_cpu_jobs_on(cpu)))
        measure_cpu(w, d);
}

static inline void end_job(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_cpu *cpu = node_of(w, t)->capacity->cpu;
    bool is_plain = lz_cpu_is_plain(cpu);
    lz_cpu_done(w, cpu, t->job);
    t->job = 0;
    if (!is_plain || !is_primary(d, t) ||
        !lz_measure_core_less(w, d->series.cpu_on, &d->cpu_used, lz_cpu_jobs_on(cpu)))
        measure_cpu(w, d);
}

// These few call each other for every query: in place, and lz_query_ for others. What is not the
// usual way goes by those others, so that there is each but twice.
LZ_PLAIN_IN_PLACE void work(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                            lz_time drawn)
{
    struct lz_capacity *c = node_of(w, t)->capacity;
    if (c->loss_count > 0)
        lz_capacity_touch(c);
    if (drawn < 0)
        drawn = lz_dist_time_once(&d->opts.query_time, lz_sim_key(w->sim), t->path,
                                  LZ_PURPOSE_SERVICE, 0);
    double query_ns = (double)drawn * c->factor;
    if (d->encrypt != NULL)
        query_ns += lz_encrypt_cost_ns(d);
    lz_time demand = (lz_time)(query_ns + 0.5);
    begin_job(w, d, t, demand > 0 ? demand : 1);
}

void lz_query_work(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    work(w, d, t, -1);
}

// Who writes has the row's lock before it runs; who reads waits for nobody.
static bool needs_session(const struct lz_world *w, const struct lz_database *d,
                          const struct lz_task *t)
{
    if (t->is_session)
        return true;
    return !lz_database_op_reads(w, t->op) && lz_database_takes_writes(w, d, t->server - d->first);
}

LZ_PLAIN_IN_PLACE void admitted(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                                lz_time drawn)
{
    if (!needs_session(w, d, t) || lz_session_arrived(w, d, t))
        work(w, d, t, drawn);
}

void lz_query_admitted(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    admitted(w, d, t, -1);
}

void lz_query_begin(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    t->state = LZ_TASK_WORKING;
    t->started = lz_sim_now(w->sim);
    if (d->hold_count > 0 && !t->is_session && lz_hold_stops(w, d, t))
        return;
    if (d->agree == NULL || lz_agree_admits(w, d, t))
        lz_query_admitted(w, d, t);
}

static inline void arrive(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    lz_measure_arrived(w, &d->series.m);
    lz_client_count_request(w, d->id);
    lz_time drawn = lz_task_take_drawn(w, t);
    if (lz_query_is_straight(w, d)) {
        t->state = LZ_TASK_WORKING;
        t->started = t->arrived;
        admitted(w, d, t, drawn);
        return;
    }
    bool is_locked = d->encrypt != NULL && lz_encrypt_is_locked(d, t->server - d->first);
    if (d->is_restoring || is_locked) {
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 503);
        return;
    }
    if (d->pooler == NULL || lz_pooler_admits(w, d, t))
        lz_query_begin(w, d, t);
}

void lz_query_arrive(struct lz_world *w, struct lz_task *t)
{
    arrive(w, lz_database_of(w, t), t);
}

static void on_request(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_came(w, entity, payload);
    if (t != NULL)
        arrive(w, lz_database_here(w, entity), t);
}

void lz_query_turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                        uint16_t status)
{
    struct lz_database *d = lz_database_of(w, t);
    lz_measure_arrived(w, &d->series.m);
    lz_client_count_request(w, d->id);
    lz_database_answer(w, d, t, outcome, status);
}

// Of the lines it stands in, and of the pool.
static void let_out(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    lz_hold_left(w, d, t);
    if (d->pooler != NULL)
        lz_pooler_left(w, d, t);
}

LZ_PLAIN_IN_PLACE void answer(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                              enum lz_outcome outcome, uint16_t status)
{
    if (t->is_session || t->locks != 0)
        lz_session_answers(w, d, t, outcome);
    if (t->detour != 0)
        let_out(w, d, t);
    lz_time took = lz_sim_now(w->sim) - t->arrived;
    if (outcome == LZ_OUTCOME_OK)
        lz_measure_answered(w, &d->series.m, took);
    else
        lz_measure_left(w, &d->series.m, outcome, took);
    if (lz_plain_is_on_its_way(w, t))
        lz_task_answer_straight(w, t, outcome, status);
    else
        lz_task_answer(w, t, outcome, status);
}

void lz_database_answer(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                        enum lz_outcome outcome, uint16_t status)
{
    answer(w, d, t, outcome, status);
}

static bool turns_out_wrong(struct lz_world *w, const struct lz_database_node *n,
                            const struct lz_task *t)
{
    if (!(n->capacity->error_ratio > 0.0))
        return false;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_ERROR, 0);
    return lz_draw_unit(&draw) < n->capacity->error_ratio;
}

LZ_PLAIN_IN_PLACE void read_row(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (t->is_session) {
        lz_session_worked(w, d, t);
        return;
    }
    if (d->sql != NULL) {
        lz_execute_read(w, d, t);
        return;
    }
    const struct lz_database_node *n = node_of(w, t);
    uint64_t acked = (uint64_t)t->rest_ns, version = 0; // of a group: what was safe when it came
    if (d->agree == NULL)
        acked = lz_rows_is_empty(&d->acked_rows) ? 0 : lz_rows_get(&d->acked_rows, t->key);
    t->rest_ns = 0;
    t->value = 0;
    if (!lz_rows_is_empty(&n->rows))
        version = lz_rows_read(&n->rows, t->key, &t->value);
    lz_recorder_effect(w, t, version);
    lz_metrics_add(w->metrics, d->series.reads, 1);
    if (!n->log->is_branch ? version < acked : lz_split_misses(n->log, acked))
        lz_metrics_add(w->metrics, d->series.stale_reads, 1);
    answer(w, d, t, LZ_OUTCOME_OK, 200);
}

// The disk has its part of a query before the rest goes on.
static void ask_disk(struct lz_world *w, const struct lz_task *t, enum lz_disk_op op, lz_kind done)
{
    lz_disk_start(w, t->server,
                  &(struct lz_disk_request){.op = op,
                                            .is_in_place = lz_database_of(w, t)->retain != NULL,
                                            .owner = t->path,
                                            .done = done,
                                            .failed = w->databases->disk_failed,
                                            .payload = lz_pool_id(t)});
}

LZ_PLAIN_IN_PLACE void read(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (lz_disk_is_felt(w, t->server) && lz_disk_misses(w, t->server, t->path))
        ask_disk(w, t, LZ_DISK_READ, w->databases->fetched);
    else
        read_row(w, d, t);
}

void lz_query_flush(struct lz_world *w, const struct lz_task *t)
{
    ask_disk(w, t, LZ_DISK_FSYNC, w->databases->flushed);
}

static bool is_fenced_off(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    lz_value high;
    if (!lz_fence_refuses(w, t, &high))
        return false;
    lz_metrics_add(w->metrics, d->series.stale_tokens, 1);
    t->value = high;
    lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 412);
    return true;
}

static void write(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (t->is_session)
        lz_session_flushed(w, d, t);
    else if (!lz_database_takes_writes(w, d, t->server - d->first))
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 503); // read-only
    else if (d->sql != NULL)
        lz_execute_write(w, d, t);
    else if (!is_fenced_off(w, d, t))
        lz_database_write(w, d, t);
}

// A query that waits for the disk, if it is still one.
static struct lz_task *waiting(struct lz_world *w, lz_instance_id at, lz_kind kind, uint64_t task)
{
    struct lz_task *t = lz_task_find(w, task);
    bool is_live = t != NULL && t->state == LZ_TASK_WORKING;
    return is_live && !lz_instance_defer(w, at, kind, task) ? t : NULL;
}

static void on_flushed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = waiting(w, entity, w->databases->flushed, payload);
    if (t != NULL)
        write(w, lz_database_of(w, t), t);
}

static void on_fetched(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = waiting(w, entity, w->databases->fetched, payload);
    if (t != NULL)
        read_row(w, lz_database_of(w, t), t);
}

static void on_disk_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = waiting(w, entity, w->databases->disk_failed, payload);
    if (t == NULL)
        return;
    struct lz_database *d = lz_database_of(w, t);
    if (d->sql != NULL && !t->is_session)
        lz_execute_failed(w, d, t, lz_disk_is_full(w, entity));
    else
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 500);
}

LZ_PLAIN_IN_PLACE void queried(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (t->is_session && !lz_session_reads(w, t))
        lz_session_worked(w, d, t);
    else if (t->is_session || lz_database_op_reads(w, t->op))
        read(w, d, t);
    else if (d->agree == NULL && lz_database_takes_writes(w, d, t->server - d->first) &&
             d->replication.commit != LZ_COMMIT_ASYNC && lz_disk_is_felt(w, t->server))
        lz_query_flush(w, t);
    else
        write(w, d, t);
}

static void on_queried(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->job == 0 || lz_instance_defer(w, entity, w->databases->queried, payload))
        return;
    LZ_ASSERT(t->server == entity);
    struct lz_database *d = lz_database_here(w, entity);
    end_job(w, d, t);
    if (turns_out_wrong(w, node_of(w, t), t))
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 500);
    else
        queried(w, d, t);
}

void lz_query_let_go(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (t->job != 0)
        lz_cpu_remove(w, d->nodes[t->server - d->first].capacity->cpu, t->job);
    t->job = 0;
    lz_database_forget_commit(w, d, t);
    if (t->is_session || t->locks != 0)
        lz_session_dropped(w, d, t);
    if (t->detour != 0)
        let_out(w, d, t);
}

uint32_t lz_query_break_all(struct lz_world *w, struct lz_database *d, lz_instance_id node,
                            bool silent)
{
    uint32_t broken = 0;
    for (uint32_t at = lz_task_first_at(w, node); at != 0; at = lz_task_first_at(w, node)) {
        struct lz_task *t = lz_task_at(w, at);
        lz_query_let_go(w, d, t);
        lz_measure_left(w, &d->series.m, LZ_OUTCOME_RESET, lz_sim_now(w->sim) - t->arrived);
        lz_task_reset(w, t, silent);
        broken++;
    }
    lz_session_node_ended(w, d, node);
    return broken;
}

void lz_query_cancel(struct lz_world *w, struct lz_task *t)
{
    struct lz_database *d = lz_database_of(w, t);
    if (lz_database_commit_lsn(t) != 0)
        lz_visible_given_up(d, t);
    lz_query_let_go(w, d, t);
    lz_measure_left(w, &d->series.m, LZ_OUTCOME_PENDING, lz_sim_now(w->sim) - t->arrived);
    lz_query_measure_cpu(w, d);
    lz_task_free(w, t);
}

void lz_queries_init(struct lz_world *w)
{
    w->databases->request = lz_sim_kind_also(w->sim, w->tasks->arrive, on_request);
    w->databases->flushed = lz_sim_kind(w->sim, "flushed", on_flushed, w);
    w->databases->fetched = lz_sim_kind(w->sim, "fetched", on_fetched, w);
    w->databases->disk_failed = lz_sim_kind(w->sim, "disk.failed", on_disk_failed, w);
    w->databases->queried = lz_sim_kind(w->sim, "queried", on_queried, w);
}
