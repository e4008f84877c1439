#include "check/history/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "check/history/linear.h"
#include "check/history/partitions.h"
#include "check/history/txn.h"

// A read of [key value] of a register: only its model tells it from a read of two elements.
static void name_objects(struct lz_history *h)
{
    for (uint32_t i = 0; i < h->part_count; i++) {
        struct lz_history_part *p = &h->parts[i];
        if (p->f != LZ_HISTORY_READ || !p->is_list || p->list_count != 2 || p->key != 0)
            continue;
        p->key = h->list[p->list_first];
        p->value = h->list[p->list_first + 1];
        p->is_known = p->is_known && (p->value != 0 || !h->nil_is_unknown);
        p->is_list = false;
    }
}

static bool linear(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    const struct lz_linear_model *model = NULL;
    for (size_t i = 0; lz_linear_model(i) != NULL; i++)
        if (strcmp(lz_linear_model(i)->name, m->name) == 0)
            model = lz_linear_model(i);
    LZ_ASSERT(model != NULL);
    name_objects(v->h);
    struct lz_linear_result r;
    if (!lz_linear_check(model, v->h, v->opts->steps_max, &r, &v->why, err))
        return false;
    lz_str_addf(&v->facts, "%u operations on %u object%s", r.operations, r.objects,
                r.objects == 1 ? "" : "s");
    if (r.operations == 0 && v->h->op_count > 0)
        lz_str_add(&v->facts, "; none is known to have happened");
    if (r.answer == LZ_LINEAR_NO) {
        v->answer = LZ_VERIFY_VIOLATED;
        (void)lz_verify_found(v, "not-linearizable");
    } else if (r.answer == LZ_LINEAR_UNKNOWN) {
        v->answer = LZ_VERIFY_UNKNOWN;
        lz_str_add(&v->why, "the search used its budget of steps: --steps allows more\n");
    }
    return true;
}

static const struct lz_verify_model models[] = {
    {"bank", "transfers between accounts; every read adds up to the same total", lz_tally_bank},
    {"cas-register", "a linearizable register with compare-and-set, per key", linear},
    {"convergence", "after the last write of a key all reads of it are equal",
     lz_guarantee_convergence},
    {"counter", "a counter; reads lie between what was and what may have been added",
     lz_tally_counter},
    {"fifo-queue", "a linearizable queue, first in first out, per key", linear},
    {"kv", "linearizable put, get and append of texts, per key", linear},
    {"list-append", "transactions that append to lists and read them", lz_txn_append_check},
    {"long-fork", "writes seen by two readers in opposite orders", lz_tally_fork},
    {"monotonic-reads", "what a process reads of a key never goes back", lz_guarantee_check},
    {"monotonic-writes", "the writes of a process are seen in their order", lz_guarantee_check},
    {"multi-register", "linearizable transactions over several registers", linear},
    {"mutex", "a linearizable lock, per key", linear},
    {"partitions", "a topic's log: sends and polls, as of Jepsen's test of Kafka",
     lz_partitions_check},
    {"queue", "what goes in comes out once, in any order", lz_tally_queue},
    {"read-your-writes", "a process sees what it has written", lz_guarantee_check},
    {"register", "a linearizable register, per key", linear},
    {"rw-register", "transactions that read and write registers", lz_txn_register_check},
    {"set", "the last read has all that was added", lz_tally_set},
    {"set-full", "every read counts: what was known is not lost", lz_tally_set_full},
    {"unique-ids", "no id is given twice", lz_tally_ids},
    {"writes-follow-reads", "a write is seen after what its process had read", lz_guarantee_check},
};
#define MODEL_COUNT (sizeof(models) / sizeof(models[0]))

const struct lz_verify_model *lz_verify_model(size_t i)
{
    return i < MODEL_COUNT ? &models[i] : NULL;
}

const struct lz_verify_model *lz_verify_find(const char *name)
{
    for (size_t i = 0; i < MODEL_COUNT; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

bool lz_verify_found(struct lz_verify *v, const char *name)
{
    for (uint32_t i = 0; i < v->anomaly_count; i++)
        if (strcmp(v->anomalies[i].name, name) == 0) {
            v->anomalies[i].count++;
            return false;
        }
    LZ_ASSERT(v->anomaly_count < LZ_VERIFY_ANOMALIES_MAX);
    v->anomalies[v->anomaly_count++] = (struct lz_verify_anomaly){name, 1};
    return true;
}

bool lz_verify_has(const struct lz_verify *v, const char *name)
{
    for (uint32_t i = 0; i < v->anomaly_count; i++)
        if (strcmp(v->anomalies[i].name, name) == 0)
            return true;
    return false;
}

static void set_initial(struct lz_history *h, const char *text)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    if (strcmp(text, "nil") == 0)
        h->initial = 0;
    else if (*end == '\0' && *text != '\0')
        h->initial = lz_history_integer(h, number);
    else
        h->initial = lz_history_text(h, text);
}

bool lz_verify_run(struct lz_verify *v, const struct lz_verify_model *model, struct lz_history *h,
                   const struct lz_verify_opts *opts, struct lz_err *err)
{
    *v = (struct lz_verify){.opts = opts, .h = h, .answer = LZ_VERIFY_HOLDS};
    lz_str_init(&v->why);
    lz_str_init(&v->facts);
    if (opts->initial != NULL)
        set_initial(h, opts->initial);
    if (!model->check(v, model, err)) {
        lz_verify_finish(v);
        return false;
    }
    if (h->events == 0 && h->op_count == 0) {
        v->answer = LZ_VERIFY_UNKNOWN;
        lz_str_add(&v->why, "the history has no events\n");
    }
    return true;
}

void lz_verify_finish(struct lz_verify *v)
{
    lz_str_finish(&v->why);
    lz_str_finish(&v->facts);
}
