#include "model/node/cpu.h"

#include <math.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/node/cpu_host.h"

struct lz_cpu {
    struct lz_cpu_face face; // first: the getter looks here
    double stolen;
    bool is_frozen;
    bool is_shared; // jobs are in the heap, under the virtual clock
    lz_kind tick;
    uint32_t job_count, job_cap;

    uint32_t *heap; // shared jobs by (finish, index): ties in order of arrival slots
    uint32_t heap_count, heap_cap;
    double clock; // virtual, at `since`
    double rate;  // of the virtual clock, per ns
    lz_time since;
    lz_event_id timer; // of the nearest finish, or of the quota

    double quota; // ns of CPU in each period; 0: no limit
    double left;  // of this period's
    double withheld;
    lz_time period, phase, period_end;
    bool is_throttled; // the quota is used up

    struct lz_cpu_host *host; // NULL: it shares with nobody
    double granted;           // cores, by the host
    lz_cpu_fn *watch;         // NULL: nobody looks
};

struct lz_cpu *lz_cpu_create(struct lz_world *w, double cores, lz_kind done, lz_kind tick,
                             uint32_t entity)
{
    LZ_ASSERT(cores > 0.0);
    struct lz_cpu *cpu = lz_arena_alloc(w->arena, sizeof(*cpu));
    cpu->face.cores = cores;
    cpu->face.whole_cores = cores < (double)UINT32_MAX ? (uint32_t)cores : UINT32_MAX;
    cpu->face.done = done;
    cpu->tick = tick;
    cpu->face.entity = entity;
    cpu->granted = (double)INFINITY;
    cpu->face.is_plain = true;
    return cpu;
}

void lz_cpu_watch(struct lz_cpu *cpu, lz_cpu_fn *fn)
{
    cpu->watch = fn;
}

void lz_cpu_tell(struct lz_world *w, const struct lz_cpu *cpu)
{
    if (cpu->watch != NULL)
        cpu->watch(w, cpu->face.entity);
}

// After anything but the number of jobs has changed.
static void settle(struct lz_cpu *cpu)
{
    cpu->face.is_plain = !cpu->is_shared && !cpu->is_frozen && cpu->host == NULL &&
                         !(cpu->stolen > 0.0) && !(cpu->quota > 0.0) && isinf(cpu->granted);
}

static bool before(const struct lz_cpu *cpu, uint32_t a, uint32_t b)
{
    const struct lz_cpu_job *x = &cpu->face.jobs[a], *y = &cpu->face.jobs[b];
    if (x->finish < y->finish)
        return true;
    if (y->finish < x->finish)
        return false;
    return a < b;
}

static void put(struct lz_cpu *cpu, uint32_t at, uint32_t job)
{
    cpu->heap[at] = job;
    cpu->face.jobs[job].heap_at = at + 1;
}

static void sift_up(struct lz_cpu *cpu, uint32_t at)
{
    uint32_t job = cpu->heap[at];
    while (at > 0 && before(cpu, job, cpu->heap[(at - 1) / 2])) {
        put(cpu, at, cpu->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(cpu, at, job);
}

static void sift_down(struct lz_cpu *cpu, uint32_t at)
{
    uint32_t job = cpu->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= cpu->heap_count)
            break;
        if (child + 1 < cpu->heap_count && before(cpu, cpu->heap[child + 1], cpu->heap[child]))
            child++;
        if (!before(cpu, cpu->heap[child], job))
            break;
        put(cpu, at, cpu->heap[child]);
        at = child;
    }
    put(cpu, at, job);
}

static void heap_add(struct lz_world *w, struct lz_cpu *cpu, uint32_t job)
{
    cpu->heap =
        lz_grow(w->arena, cpu->heap, &cpu->heap_cap, cpu->heap_count + 1, sizeof(*cpu->heap));
    cpu->heap[cpu->heap_count] = job;
    sift_up(cpu, cpu->heap_count++);
}

static void heap_remove(struct lz_cpu *cpu, uint32_t job)
{
    LZ_ASSERT(cpu->face.jobs[job].heap_at > 0);
    uint32_t at = cpu->face.jobs[job].heap_at - 1;
    LZ_ASSERT(cpu->heap[at] == job);
    cpu->face.jobs[job].heap_at = 0;
    uint32_t moved = cpu->heap[--cpu->heap_count];
    if (moved == job)
        return;
    put(cpu, at, moved);
    sift_up(cpu, at);
    sift_down(cpu, cpu->face.jobs[moved].heap_at - 1);
}

static uint32_t new_job(struct lz_world *w, struct lz_cpu *cpu, uint64_t payload)
{
    uint32_t job = cpu->face.job_free;
    if (job != 0) {
        cpu->face.job_free = cpu->face.jobs[job].next_free;
    } else {
        cpu->face.jobs = lz_grow(w->arena, cpu->face.jobs, &cpu->job_cap, cpu->job_count + 2,
                                 sizeof(*cpu->face.jobs));
        job = ++cpu->job_count;
    }
    cpu->face.jobs[job] = (struct lz_cpu_job){.payload = payload};
    cpu->face.live++;
    cpu->face.changes++;
    return job;
}

static void free_job(struct lz_cpu *cpu, uint32_t job)
{
    LZ_ASSERT(cpu->face.live > 0);
    cpu->face.jobs[job].next_free = cpu->face.job_free;
    cpu->face.jobs[job].payload = 0;
    cpu->face.job_free = job;
    cpu->face.live--;
    cpu->face.changes++;
}

static double left_cores(const struct lz_cpu *cpu)
{
    double left = cpu->face.cores - cpu->stolen;
    // The scheduler is fair: a process is never starved wholly by load beside it.
    double least = cpu->face.cores * 0.01;
    left = left > least ? left : least;
    return left < cpu->granted ? left : cpu->granted;
}

// Bring the virtual clock to the present.
static void advance(struct lz_world *w, struct lz_cpu *cpu)
{
    lz_time now = lz_sim_now(w->sim);
    double elapsed = (double)(now - cpu->since);
    cpu->clock += elapsed * cpu->rate;
    cpu->left -= elapsed * cpu->rate * (double)cpu->heap_count;
    if (cpu->is_throttled)
        cpu->withheld += elapsed * fmin((double)cpu->heap_count, left_cores(cpu));
    cpu->since = now;
}

// A new period brings a new quota; what was left of the old one is gone.
static void renew_quota(const struct lz_world *w, struct lz_cpu *cpu)
{
    lz_time now = lz_sim_now(w->sim);
    if (now < cpu->period_end)
        return;
    lz_time into = (now - cpu->phase) % cpu->period;
    cpu->period_end = now - into + cpu->period;
    if (into < 0) // before the first period of the grid
        cpu->period_end -= cpu->period;
    cpu->left = cpu->quota;
}

// How long until the quota says something: it is used up, or renewed. The rate is 0 once it is
// used up.
static double quota_wait(const struct lz_world *w, struct lz_cpu *cpu)
{
    renew_quota(w, cpu);
    double to_end = (double)(cpu->period_end - lz_sim_now(w->sim));
    cpu->face.changes++;
    cpu->is_throttled = cpu->left < 0.5; // half a nanosecond is rounding
    if (cpu->is_throttled) {
        cpu->rate = 0.0;
        return to_end;
    }
    return fmin(to_end, ceil(cpu->left / (cpu->rate * (double)cpu->heap_count)));
}

// The rate and the one timer, after anything changed. The clock restarts when idle, which
// keeps its resolution at the size of the jobs at hand.
static void retime(struct lz_world *w, struct lz_cpu *cpu)
{
    lz_sim_cancel(w->sim, cpu->timer);
    cpu->timer = 0;
    uint32_t n = cpu->heap_count;
    cpu->is_throttled = false;
    if (n == 0) {
        cpu->clock = 0.0;
        cpu->rate = 0.0;
        cpu->is_shared = cpu->is_frozen;
        settle(cpu);
        return;
    }
    double share = left_cores(cpu) / (double)n;
    cpu->rate = cpu->is_frozen ? 0.0 : share < 1.0 ? share : 1.0;
    if (cpu->is_frozen)
        return;
    double wait = (double)INFINITY;
    if (cpu->quota > 0.0)
        wait = quota_wait(w, cpu);
    if (!cpu->is_throttled)
        wait = fmin(wait, (cpu->face.jobs[cpu->heap[0]].finish - cpu->clock) / cpu->rate);
    lz_time at = lz_sim_now(w->sim) + (wait > 0.0 ? (lz_time)(wait + 0.5) : 0);
    cpu->timer = lz_sim_at(w->sim, at, cpu->tick, cpu->face.entity, 0);
}

static void add_shared(struct lz_world *w, struct lz_cpu *cpu, uint32_t job, lz_time demand)
{
    advance(w, cpu);
    cpu->face.jobs[job].finish = cpu->clock + (double)demand;
    heap_add(w, cpu, job);
    retime(w, cpu);
}

static void add_plain(struct lz_world *w, struct lz_cpu *cpu, uint32_t job, lz_time demand)
{
    struct lz_cpu_job *j = &cpu->face.jobs[job];
    j->due = lz_sim_now(w->sim) + demand;
    j->timer = lz_sim_at(w->sim, j->due, cpu->face.done, cpu->face.entity, j->payload);
}

static bool contends(const struct lz_cpu *cpu)
{
    return cpu->is_frozen || cpu->quota > 0.0 || (double)cpu->face.live > left_cores(cpu);
}

// Plain timers become shared jobs with what they still had to do.
static void become_shared(struct lz_world *w, struct lz_cpu *cpu)
{
    cpu->is_shared = true;
    cpu->face.is_plain = false;
    cpu->since = lz_sim_now(w->sim);
    for (uint32_t job = 1; job <= cpu->job_count; job++) {
        struct lz_cpu_job *j = &cpu->face.jobs[job];
        // A timer that has fired is a job whose owner is about to remove it.
        if (j->payload == 0 || !lz_sim_cancel(w->sim, j->timer))
            continue;
        j->timer = 0;
        j->finish = cpu->clock + (double)(j->due - cpu->since);
        heap_add(w, cpu, job);
    }
}

uint32_t lz_cpu_add(struct lz_world *w, struct lz_cpu *cpu, lz_time demand, uint64_t payload)
{
    LZ_ASSERT(demand >= 0);
    LZ_ASSERT(payload != 0);
    uint32_t job = new_job(w, cpu, payload);
    if (!cpu->is_shared && contends(cpu))
        become_shared(w, cpu);
    if (cpu->is_shared)
        add_shared(w, cpu, job, demand);
    else
        add_plain(w, cpu, job, demand);
    if (cpu->host != NULL)
        lz_cpu_host_balance(w, cpu->host);
    return job;
}

void lz_cpu_remove(struct lz_world *w, struct lz_cpu *cpu, uint32_t job)
{
    LZ_ASSERT(job >= 1 && job <= cpu->job_count);
    if (cpu->face.jobs[job].heap_at != 0) {
        advance(w, cpu);
        heap_remove(cpu, job);
        retime(w, cpu);
    } else {
        lz_sim_cancel(w->sim, cpu->face.jobs[job].timer);
    }
    free_job(cpu, job);
    if (cpu->host != NULL)
        lz_cpu_host_balance(w, cpu->host);
}

bool lz_cpu_take_back(struct lz_world *w, struct lz_cpu *cpu, uint32_t job, lz_time *left)
{
    LZ_ASSERT(job >= 1 && job <= cpu->job_count);
    struct lz_cpu_job *j = &cpu->face.jobs[job];
    LZ_ASSERT(j->payload != 0);
    bool is_told = j->heap_at == 0 && j->timer == 0; // it was shared, and has left the heap
    double rest = is_told ? 0.0 : lz_cpu_left(w, cpu, job);
    if (rest < 0.5) // half a nanosecond is rounding; or its timer fires in this instant
        return false;
    *left = (lz_time)(rest + 0.5);
    lz_cpu_remove(w, cpu, job);
    return true;
}

double lz_cpu_left(const struct lz_world *w, const struct lz_cpu *cpu, uint32_t job)
{
    LZ_ASSERT(job >= 1 && job <= cpu->job_count);
    const struct lz_cpu_job *j = &cpu->face.jobs[job];
    lz_time now = lz_sim_now(w->sim);
    double left = j->heap_at == 0 ? (double)(j->due - now)
                                  : j->finish - cpu->clock - (double)(now - cpu->since) * cpu->rate;
    return left > 0.0 ? left : 0.0;
}

void lz_cpu_clear(struct lz_world *w, struct lz_cpu *cpu)
{
    for (uint32_t job = 1; job <= cpu->job_count; job++)
        if (cpu->face.jobs[job].payload != 0)
            lz_cpu_remove(w, cpu, job);
    LZ_ASSERT(cpu->face.live == 0 && cpu->heap_count == 0);
}

// Everything that is finished leaves at once; owners are told in order of finish.
void lz_cpu_tick(struct lz_world *w, struct lz_cpu *cpu)
{
    LZ_ASSERT(cpu->is_shared);
    bool was_throttled = cpu->is_throttled;
    cpu->timer = 0;
    advance(w, cpu);
    while (cpu->heap_count > 0) {
        uint32_t job = cpu->heap[0];
        // Half a nanosecond of work is rounding, not work.
        if (cpu->face.jobs[job].finish > cpu->clock + 0.5 * cpu->rate)
            break;
        heap_remove(cpu, job);
        lz_sim_soon(w->sim, cpu->face.done, cpu->face.entity, cpu->face.jobs[job].payload);
    }
    retime(w, cpu);
    if (cpu->host != NULL)
        lz_cpu_host_balance(w, cpu->host);
    if (cpu->is_throttled != was_throttled)
        lz_cpu_tell(w, cpu);
}

static void become_plain(struct lz_world *w, struct lz_cpu *cpu)
{
    cpu->is_shared = false;
    while (cpu->heap_count > 0) {
        uint32_t job = cpu->heap[0];
        double left = cpu->face.jobs[job].finish - cpu->clock;
        heap_remove(cpu, job);
        add_plain(w, cpu, job, left > 0.0 ? (lz_time)(left + 0.5) : 0);
    }
}

// What its jobs may use has changed.
static void changed(struct lz_world *w, struct lz_cpu *cpu)
{
    if (cpu->is_shared)
        advance(w, cpu);
    cpu->face.changes++;
    if (contends(cpu) && !cpu->is_shared)
        become_shared(w, cpu);
    else if (!contends(cpu) && cpu->is_shared)
        become_plain(w, cpu);
    retime(w, cpu);
    settle(cpu);
}

void lz_cpu_steal(struct lz_world *w, struct lz_cpu *cpu, double cores)
{
    LZ_ASSERT(cores >= 0.0);
    if (cpu->is_shared)
        advance(w, cpu);
    cpu->stolen = cores;
    changed(w, cpu);
    if (cpu->host != NULL)
        lz_cpu_host_balance(w, cpu->host);
    lz_cpu_tell(w, cpu);
}

void lz_cpu_freeze(struct lz_world *w, struct lz_cpu *cpu, bool frozen)
{
    if (cpu->is_shared)
        advance(w, cpu);
    cpu->is_frozen = frozen;
    changed(w, cpu);
    if (cpu->host != NULL)
        lz_cpu_host_balance(w, cpu->host);
    lz_cpu_tell(w, cpu);
}

bool lz_cpu_grant(struct lz_world *w, struct lz_cpu *cpu, double cores)
{
    LZ_ASSERT(cores > 0.0);
    if (!(cpu->granted < cores || cpu->granted > cores))
        return false;
    if (cpu->is_shared)
        advance(w, cpu);
    cpu->granted = cores;
    changed(w, cpu);
    return true;
}

void lz_cpu_limit(struct lz_world *w, struct lz_cpu *cpu, double quota_ns, lz_time period)
{
    LZ_ASSERT(quota_ns >= 0.0);
    LZ_ASSERT(LZ_IMPLIES(quota_ns > 0.0, period > 0));
    if (cpu->is_shared)
        advance(w, cpu);
    cpu->quota = quota_ns;
    cpu->period = period;
    cpu->period_end = 0; // the next look begins a period, where the grid says
    changed(w, cpu);
    lz_cpu_tell(w, cpu);
}

void lz_cpu_set_quota(struct lz_cpu *cpu, double quota_ns)
{
    LZ_ASSERT(cpu->quota > 0.0 && quota_ns > 0.0);
    cpu->quota = quota_ns;
}

void lz_cpu_set_phase(struct lz_cpu *cpu, lz_time phase)
{
    cpu->phase = phase;
}

double lz_cpu_withheld(const struct lz_cpu *cpu)
{
    return cpu->withheld;
}

void lz_cpu_set_host(struct lz_cpu *cpu, struct lz_cpu_host *host)
{
    cpu->host = host;
    settle(cpu);
}

double lz_cpu_demand(const struct lz_cpu *cpu)
{
    if (cpu->is_frozen || cpu->is_throttled)
        return 0.0;
    double own = fmax(cpu->face.cores - cpu->stolen, cpu->face.cores * 0.01);
    return fmin((double)cpu->face.live, own);
}

lz_time lz_cpu_estimate(const struct lz_cpu *cpu, lz_time demand)
{
    if (cpu->is_frozen)
        return INT64_MAX;
    if (cpu->is_throttled)
        demand += cpu->period;
    double share = left_cores(cpu) / (double)(cpu->face.live + 1);
    double took = (double)demand / (share < 1.0 ? share : 1.0);
    return took < 9e18 ? (lz_time)(took + 0.5) : INT64_MAX;
}

size_t lz_cpu_bytes(const struct lz_cpu *cpu)
{
    return sizeof(*cpu) + cpu->job_cap * sizeof(*cpu->face.jobs) +
           cpu->heap_cap * sizeof(*cpu->heap);
}

uint32_t lz_cpu_jobs(const struct lz_cpu *cpu)
{
    return cpu->face.live;
}

double lz_cpu_cores(const struct lz_cpu *cpu)
{
    return cpu->face.cores;
}

double lz_cpu_load(const struct lz_cpu *cpu)
{
    double own = cpu->is_frozen || cpu->is_throttled ? 0.0 : (double)cpu->face.live;
    double used = cpu->stolen + fmin(own, cpu->granted);
    return used < cpu->face.cores ? used / cpu->face.cores : 1.0;
}
