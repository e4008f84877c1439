/* partitions_read.c — a topic's history from a file, as partitions.c judges it. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "check/history/partitions.h"
#include "model/history/recorder_log.h"

#define PARTS_MAX 65536u // of one poll, in whose order they were read

// A record, which differs from the others of its partition: those of Elle's appends do so per key.
struct place {
    uint32_t partition;
    lz_atom record; // 0: a free place
    uint32_t send;  // + 1; 0: none that may have happened
    struct lz_partitions_source failed;
};

struct reading {
    struct lz_verify *v;
    struct lz_recorder r;
    struct lz_partitions_source *sent, *polled;
    struct place *places; // open addressing, a power of two
    uint32_t place_cap;
};

static struct place *find(const struct reading *g, uint32_t partition, lz_atom record)
{
    uint32_t mask = g->place_cap - 1;
    uint32_t i = (uint32_t)lz_hash_mix(partition, record) & mask;
    while (g->places[i].record != 0 &&
           (g->places[i].record != record || g->places[i].partition != partition))
        i = (i + 1) & mask;
    return &g->places[i];
}

// As the broker numbers them; others by what they are called, out of their way.
static uint32_t partition_number(const struct lz_history *h, lz_atom key)
{
    const struct lz_history_atom *a = &h->atoms[key];
    bool is_small = key != 0 && a->is_integer && a->integer >= 0 && a->integer < 1000000;
    return is_small ? (uint32_t)a->integer : 1000000 + key;
}

static bool offset_of(const struct lz_history *h, const struct lz_history_part *p, uint64_t *out)
{
    const struct lz_history_atom *a = &h->atoms[p->value_b];
    *out = (uint64_t)a->integer;
    return p->value_b != 0 && a->is_integer && a->integer >= 0;
}

static bool take_send(struct reading *g, const struct lz_history_op *op,
                      const struct lz_history_part *p, struct lz_err *err)
{
    struct place *at = find(g, partition_number(g->v->h, p->key), p->value);
    if (p->value == 0 || at->send != 0)
        return lz_fail(err, LZ_EINVAL,
                       "line %u: a record is sent %s: records of a partition must differ", op->line,
                       p->value == 0 ? "that is nothing" : "that was sent there before");
    g->sent[g->r.send_count] = (struct lz_partitions_source){.op = op, .part = p};
    struct lz_recorder_send *s = &g->r.sends[g->r.send_count++];
    *s = (struct lz_recorder_send){
        .begin = (uint64_t)op->begin * PARTS_MAX,
        .end = op->outcome == LZ_HISTORY_OK ? (uint64_t)op->end * PARTS_MAX : 0,
        .producer = op->client != 0 ? op->client : UINT32_MAX - op->process, // no client's number
        .partition = partition_number(g->v->h, p->key),
        .at = op->at,
        .done = op->done,
        .count = 1,
        .appended = UINT32_MAX,
        .outcome = op->outcome == LZ_HISTORY_OK ? LZ_RECORDER_OK : LZ_RECORDER_UNKNOWN};
    s->has_offset = op->outcome == LZ_HISTORY_OK && offset_of(g->v->h, p, &s->offset);
    at->partition = s->partition;
    at->record = p->value;
    at->send = g->r.send_count;
    return true;
}

static void take_failed(struct reading *g, const struct lz_history_op *op,
                        const struct lz_history_part *p)
{
    uint32_t partition = partition_number(g->v->h, p->key);
    if (p->value == 0)
        return;
    struct place *at = find(g, partition, p->value);
    at->partition = partition;
    at->record = p->value;
    at->failed = (struct lz_partitions_source){.op = op, .part = p};
}

static void take_poll(struct reading *g, const struct lz_history_op *op, uint32_t at)
{
    const struct lz_history_part *p = lz_history_part(g->v->h, op, at);
    uint64_t offset;
    if (op->outcome != LZ_HISTORY_OK || !offset_of(g->v->h, p, &offset))
        return;
    const struct place *from = find(g, partition_number(g->v->h, p->key), p->value);
    g->polled[g->r.poll_count] = (struct lz_partitions_source){
        .op = op, .part = p, .failed = from->failed.op, .failed_part = from->failed.part};
    g->r.polls[g->r.poll_count++] =
        (struct lz_recorder_poll){.number = (uint64_t)op->end * PARTS_MAX + at % PARTS_MAX,
                                  .offset = offset,
                                  .at = op->done,
                                  .member = op->client != 0 ? op->client - 1 : op->process,
                                  .partition = partition_number(g->v->h, p->key),
                                  .count = 1,
                                  .send = from->send};
}

static void take_lost(struct reading *g, const struct lz_history_part *p)
{
    uint32_t send = find(g, partition_number(g->v->h, p->key), p->value)->send;
    if (send != 0)
        g->r.sends[send - 1].is_lost = true;
}

// Sends first: what a reader has seen may have been sent by an operation that is told later.
static bool take_all(struct reading *g, const struct lz_verify_model *m, struct lz_err *err)
{
    const struct lz_history *h = g->v->h;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < h->op_count; i++)
            for (uint32_t j = 0; j < h->ops[i].part_count; j++) {
                const struct lz_history_op *op = &h->ops[i];
                const struct lz_history_part *p = lz_history_part(h, op, j);
                if (p->f < LZ_HISTORY_SEND || p->f > LZ_HISTORY_LOST)
                    return lz_fail(err, LZ_EINVAL, "line %u: the model %s has no such operation",
                                   op->line, m->name);
                bool is_failed = op->outcome == LZ_HISTORY_FAIL;
                if (pass == 0 && p->f == LZ_HISTORY_SEND && is_failed)
                    take_failed(g, op, p);
                if (pass == 0 && p->f == LZ_HISTORY_SEND && !is_failed && !take_send(g, op, p, err))
                    return false;
                if (pass == 1 && p->f == LZ_HISTORY_POLL)
                    take_poll(g, op, j);
                if (pass == 1 && p->f == LZ_HISTORY_LOST)
                    take_lost(g, p);
            }
    return true;
}

bool lz_partitions_check(struct lz_verify *v, const struct lz_verify_model *model,
                         struct lz_err *err)
{
    struct reading g = {.v = v};
    const struct lz_history *h = v->h;
    g.r.sends = lz_mem_alloc((h->part_count + 1) * sizeof(*g.r.sends));
    g.r.polls = lz_mem_alloc((h->part_count + 1) * sizeof(*g.r.polls));
    g.sent = lz_mem_alloc((h->part_count + 1) * sizeof(*g.sent));
    g.polled = lz_mem_alloc((h->part_count + 1) * sizeof(*g.polled));
    for (g.place_cap = 64; g.place_cap < 2 * (h->part_count + 1); g.place_cap *= 2)
        ;
    g.places = lz_mem_alloc(g.place_cap * sizeof(*g.places));
    memset(g.places, 0, g.place_cap * sizeof(*g.places));
    bool ok = take_all(&g, model, err);
    if (ok) {
        struct lz_judge_result out;
        const struct lz_partitions_read all = {
            .r = &g.r, .h = h, .sent = g.sent, .polled = g.polled};
        const char *name = lz_partitions_judge_read(&all, v->opts->tolerates, &out);
        v->answer = out.answer;
        if (name != NULL)
            (void)lz_verify_found(v, name);
        lz_str_add(&v->why, out.why.text);
        lz_str_add(&v->facts, out.facts.text);
        lz_judge_finish(&out);
    }
    free(g.places);
    free(g.polled);
    free(g.sent);
    free(g.r.polls);
    free(g.r.sends);
    return ok;
}
