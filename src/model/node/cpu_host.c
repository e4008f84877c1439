#include "model/node/cpu_host.h"

#include <math.h>

#include "base/check.h"
#include "base/grow.h"

struct member {
    struct lz_cpu *cpu;
    double weight;
    double demand, share; // of the balance under way
    bool is_done;
    bool is_news; // for who watches its CPU
};

struct lz_cpu_host {
    double cores, stolen, used;
    struct member *members;
    uint32_t count, cap;
    bool is_balancing; // granting must not begin another round
    lz_cpu_host_fn *watch;
    void *watch_ctx;
};

struct lz_cpu_host *lz_cpu_host_create(struct lz_world *w, double cores)
{
    LZ_ASSERT(cores > 0.0);
    struct lz_cpu_host *h = lz_arena_alloc(w->arena, sizeof(*h));
    h->cores = cores;
    return h;
}

void lz_cpu_host_add(struct lz_world *w, struct lz_cpu_host *h, struct lz_cpu *cpu, double weight)
{
    LZ_ASSERT(weight > 0.0);
    h->members = lz_grow(w->arena, h->members, &h->cap, h->count + 1, sizeof(*h->members));
    h->members[h->count++] = (struct member){.cpu = cpu, .weight = weight};
    lz_cpu_set_host(cpu, h);
    lz_cpu_host_balance(w, h);
}

void lz_cpu_host_remove(struct lz_world *w, struct lz_cpu_host *h, struct lz_cpu *cpu)
{
    uint32_t at = 0;
    while (at < h->count && h->members[at].cpu != cpu)
        at++;
    LZ_ASSERT(at < h->count);
    for (h->count--; at < h->count; at++) // in order: ties are theirs who came first
        h->members[at] = h->members[at + 1];
    lz_cpu_set_host(cpu, NULL);
    bool is_news = lz_cpu_grant(w, cpu, (double)INFINITY);
    lz_cpu_host_balance(w, h);
    if (is_news)
        lz_cpu_tell(w, cpu);
}

// What stolen load leaves; never nothing, as for a CPU of its own.
static double left_cores(const struct lz_cpu_host *h)
{
    return fmax(h->cores - h->stolen, h->cores * 0.01);
}

// Whoever wants no more than its share is content; what that leaves is divided again.
static void divide(struct lz_cpu_host *h, double left)
{
    for (bool again = true; again;) {
        double weights = 0.0;
        for (uint32_t i = 0; i < h->count; i++)
            weights += h->members[i].is_done ? 0.0 : h->members[i].weight;
        again = false;
        double unit = weights > 0.0 ? left / weights : 0.0;
        for (uint32_t i = 0; i < h->count; i++) {
            struct member *m = &h->members[i];
            if (m->is_done)
                continue;
            m->share = unit * m->weight;
            if (m->demand > m->share)
                continue;
            m->is_done = again = true;
            left -= m->demand;
        }
    }
}

void lz_cpu_host_balance(struct lz_world *w, struct lz_cpu_host *h)
{
    if (h->is_balancing)
        return;
    h->is_balancing = true;
    double wanted = 0.0, left = left_cores(h);
    for (uint32_t i = 0; i < h->count; i++) {
        struct member *m = &h->members[i];
        m->demand = lz_cpu_demand(m->cpu);
        m->is_done = false;
        wanted += m->demand;
    }
    bool is_enough = wanted <= left;
    if (!is_enough)
        divide(h, left);
    for (uint32_t i = 0; i < h->count; i++) {
        struct member *m = &h->members[i];
        m->is_news = lz_cpu_grant(w, m->cpu, is_enough || m->is_done ? (double)INFINITY : m->share);
    }
    double used = h->stolen + fmin(wanted, left);
    bool is_news = used < h->used || used > h->used;
    h->used = used;
    h->is_balancing = false;
    for (uint32_t i = 0; i < h->count; i++)
        if (h->members[i].is_news)
            lz_cpu_tell(w, h->members[i].cpu);
    if (is_news && h->watch != NULL)
        h->watch(w, h->watch_ctx);
}

void lz_cpu_host_steal(struct lz_world *w, struct lz_cpu_host *h, double cores)
{
    LZ_ASSERT(cores >= 0.0);
    h->stolen = cores;
    lz_cpu_host_balance(w, h);
}

double lz_cpu_host_cores(const struct lz_cpu_host *h)
{
    return h->cores;
}

double lz_cpu_host_busy(const struct lz_cpu_host *h)
{
    return h->used < h->cores ? h->used / h->cores : 1.0;
}

void lz_cpu_host_watch(struct lz_cpu_host *h, lz_cpu_host_fn *fn, void *ctx)
{
    h->watch = fn;
    h->watch_ctx = ctx;
}
