/*
 * bench_check.c — what checking a history costs.
 *
 * The history is that of a register that is linearizable: ten clients whose operations last
 * for random times, each taking effect at a random instant within.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/sort.h"
#include "bench.h"
#include "check/history/linear.h"

#define CLIENTS 10
#define OPERATIONS 1000000

struct planned {
    int64_t begin, effect, end;
    uint32_t client, kind; // 0 read, 1 write, 2 cas
    lz_atom value, value_b;
    bool is_miss;
};

static int by_effect(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    int64_t x = ((const struct planned *)a)->effect, y = ((const struct planned *)b)->effect;
    return (x > y) - (x < y);
}

static void plan(struct planned *all, struct lz_history *h)
{
    int64_t free_at[CLIENTS] = {0};
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        uint64_t r = lz_hash_mix(i, 7);
        uint32_t c = i % CLIENTS;
        int64_t begin = free_at[c] + 1 + (int64_t)(r % 50), length = 2 + (int64_t)(r >> 8) % 100;
        all[i] = (struct planned){.begin = begin,
                                  .effect = begin + (int64_t)(r >> 20) % length,
                                  .end = begin + length,
                                  .client = c,
                                  .kind = (uint32_t)(r >> 40) % 3};
        free_at[c] = all[i].end;
    }
    lz_sort(all, OPERATIONS, sizeof(*all), by_effect, NULL);
    lz_atom state = 0;
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        struct planned *p = &all[i];
        lz_atom value = lz_history_integer(h, (int64_t)(lz_hash_mix(i, 9) % 5));
        p->value = p->kind == 0 ? state : value;
        p->value_b = lz_history_integer(h, (int64_t)(lz_hash_mix(i, 11) % 5));
        p->is_miss = p->kind == 2 && value != state;
        if (p->kind == 1)
            state = value;
        else if (p->kind == 2 && !p->is_miss)
            state = p->value_b;
    }
}

static void make(struct lz_history *h)
{
    struct planned *all = malloc(OPERATIONS * sizeof(*all));
    if (all == NULL)
        abort();
    lz_history_init(h);
    plan(all, h);
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        const struct planned *p = &all[i];
        char name[16];
        snprintf(name, sizeof(name), "%u", p->client);
        struct lz_history_op *op = lz_history_add(h, lz_history_process(h, name), p->begin * 2);
        op->end = p->end * 2 + 1;
        op->outcome = LZ_HISTORY_OK;
        struct lz_history_part *part = lz_history_add_part(h, op,
                                                           p->kind == 0   ? LZ_HISTORY_READ
                                                           : p->kind == 1 ? LZ_HISTORY_WRITE
                                                           : p->is_miss   ? LZ_HISTORY_CAS_MISS
                                                                          : LZ_HISTORY_CAS);
        part->value = p->value;
        part->value_b = p->value_b;
    }
    lz_history_sort(h);
    free(all);
}

static void linear(void)
{
    struct lz_history h;
    struct lz_linear_result result;
    struct lz_err err;
    make(&h);
    double start = bench_now();
    if (!lz_linear_check(lz_linear_model(1), &h, 0, &result, NULL, &err) ||
        result.answer != LZ_LINEAR_YES) {
        fprintf(stderr, "bench_check: a good history was not found to be one\n");
        exit(1);
    }
    bench_report_rate("linear/1e6", OPERATIONS, start);
    lz_history_finish(&h);
}

static const struct bench_workload workloads[] = {
    {"linear/1e6", linear},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, workloads, sizeof(workloads) / sizeof(workloads[0]));
}
