#include "check/history/partitions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "model/history/recorder_log.h"

enum anomaly { LOST, INCONSISTENT, DUPLICATE, REORDERED, UNEXPECTED, ABORTED, ANOMALIES };

static const char *const names[ANOMALIES] = {
    [LOST] = "lost-write",       [INCONSISTENT] = "inconsistent-offset",
    [DUPLICATE] = "duplicate",   [REORDERED] = "reordered",
    [UNEXPECTED] = "unexpected", [ABORTED] = "aborted-read"};

struct topic {
    const struct lz_recorder *r;
    const struct lz_history *h;                       // NULL: it was not read from a file
    const struct lz_partitions_source *sent, *polled; // beside the recorder's
    const struct lz_recorder_poll **polls;            // heard, by partition, offset, number
    uint32_t poll_count, longest;
    uint64_t found[ANOMALIES]; // records
    bool contradicts;
    struct lz_str why;
};

static int by_place(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_poll *const *x = a, *const *y = b;
    if ((*x)->partition != (*y)->partition)
        return (*x)->partition < (*y)->partition ? -1 : 1;
    if ((*x)->offset != (*y)->offset)
        return (*x)->offset < (*y)->offset ? -1 : 1;
    return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

static const struct lz_recorder_send *send_of(const struct topic *t,
                                              const struct lz_recorder_poll *p)
{
    return p->send > 0 && p->send <= t->r->send_count ? &t->r->sends[p->send - 1] : NULL;
}

// Who, and where in the file; names as the file has them.
static void show_who(struct topic *t, const struct lz_history_op *op, lz_time at)
{
    if (op->at != 0 || op->done != 0)
        lz_str_addf(&t->why, " at %.6f s", (double)at / 1e9);
    if (op->client != 0)
        lz_str_addf(&t->why, " by client %u", op->client - 1);
    else
        lz_str_addf(&t->why, " by process %s", t->h->processes[op->process]);
    lz_str_addf(&t->why, " (line %u): record ", op->line);
}

static void show_source(struct topic *t, const struct lz_partitions_source *s, const char *of,
                        lz_time at)
{
    lz_str_addf(&t->why, "    %s", s->part->f == LZ_HISTORY_POLL ? "read" : "sent");
    show_who(t, s->op, at);
    lz_history_show_atom(t->h, s->part->value, &t->why);
    lz_str_addf(&t->why, " %s partition ", of);
    lz_history_show_atom(t->h, s->part->key, &t->why);
}

static const struct lz_partitions_source *source_of(const struct topic *t,
                                                    const struct lz_recorder_poll *p)
{
    return t->h != NULL ? &t->polled[p - t->r->polls] : NULL;
}

// A simulation's are told from 1, as its members are; real ones are numbers that the broker gave.
static uint32_t first_partition(const struct topic *t)
{
    return t->r->is_real ? 0 : 1;
}

static void show_poll(struct topic *t, const struct lz_recorder_poll *p)
{
    if (t->h != NULL) {
        show_source(t, source_of(t, p), "of", p->at);
        lz_str_addf(&t->why, ", at offset %" PRIu64 "\n", p->offset);
        return;
    }
    lz_str_addf(&t->why,
                "    read at %.6f s by member %u: offsets %" PRIu64 " to %" PRIu64
                " of partition %u",
                (double)p->at / 1e9, p->member + 1, p->offset, p->offset + p->count - 1,
                p->partition + first_partition(t));
    if (p->send > 0)
        lz_str_addf(&t->why, ", send %u", p->send);
    lz_str_add_char(&t->why, '\n');
}

static void show_send(struct topic *t, const struct lz_recorder_send *s)
{
    if (t->h != NULL)
        show_source(t, &t->sent[s - t->r->sends], "to", s->at);
    else
        lz_str_addf(&t->why, "    send %u, of %u record%s to partition %u at %.6f s",
                    (uint32_t)(s - t->r->sends) + 1, s->count, s->count == 1 ? "" : "s",
                    s->partition + first_partition(t), (double)s->at / 1e9);
    if (s->outcome == LZ_RECORDER_FAIL)
        lz_str_addf(&t->why, ", aborted at %.6f s", (double)s->done / 1e9);
    if (s->outcome == LZ_RECORDER_OK)
        lz_str_add(&t->why, ", acknowledged");
    if (s->outcome == LZ_RECORDER_OK && (t->h == NULL || s->done != 0))
        lz_str_addf(&t->why, " at %.6f s", (double)s->done / 1e9);
    if (s->has_offset)
        lz_str_addf(&t->why, " at offset %" PRIu64, s->offset);
    lz_str_add_char(&t->why, '\n');
}

// True if it is the first of its kind: then it wants telling.
static bool found(struct topic *t, enum anomaly kind, uint64_t records, const char *what)
{
    bool is_first = t->found[kind] == 0;
    t->found[kind] += records;
    if (is_first)
        lz_str_addf(&t->why, "%s: %s\n", names[kind], what);
    return is_first;
}

// From here on are the polls of the partition that may have the offset: none is longer than that.
static uint32_t first_near(const struct topic *t, uint32_t partition, uint64_t offset)
{
    uint32_t low = 0, high = t->poll_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct lz_recorder_poll *p = t->polls[middle];
        if (p->partition < partition ||
            (p->partition == partition && p->offset + t->longest <= offset))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// A poll that came after the acknowledgement, of another record at its place; NULL: none.
static const struct lz_recorder_poll *other_at(const struct topic *t,
                                               const struct lz_recorder_send *s)
{
    uint32_t number = (uint32_t)(s - t->r->sends) + 1;
    for (uint32_t k = first_near(t, s->partition, s->offset); k < t->poll_count; k++) {
        const struct lz_recorder_poll *p = t->polls[k];
        if (p->partition != s->partition || p->offset >= s->offset + s->count)
            return NULL;
        bool overlaps = p->offset + p->count > s->offset;
        if (overlaps && p->send != number && p->number > s->end)
            return p;
    }
    return NULL;
}

/*
 * What was read there instead may itself be what is lost, if its producer was told so too: one of
 * the two is. A record that nobody was told of is one that should not have been read.
 */
static void look_for_lost(struct topic *t)
{
    for (uint32_t i = 0; i < t->r->send_count; i++) {
        const struct lz_recorder_send *s = &t->r->sends[i];
        const struct lz_recorder_poll *p =
            s->outcome == LZ_RECORDER_OK && s->has_offset ? other_at(t, s) : NULL;
        const struct lz_recorder_send *other = p != NULL ? send_of(t, p) : NULL;
        if (p == NULL)
            continue;
        bool is_told = other != NULL && other->outcome == LZ_RECORDER_OK;
        t->contradicts = t->contradicts || (is_told && !s->is_lost && !other->is_lost);
        if (found(t, is_told || s->is_lost ? LOST : INCONSISTENT, s->count,
                  "was acknowledged where a reader then found another record")) {
            show_send(t, s);
            show_poll(t, p);
        }
    }
}

static int by_offset(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_send *const *x = a, *const *y = b;
    if ((*x)->partition != (*y)->partition)
        return (*x)->partition < (*y)->partition ? -1 : 1;
    return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

// Two acknowledged at one offset: one of them is gone.
static void look_for_shared(struct topic *t)
{
    const struct lz_recorder_send **all = lz_mem_alloc((t->r->send_count + 1) * sizeof(*all));
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->r->send_count; i++)
        if (t->r->sends[i].outcome == LZ_RECORDER_OK && t->r->sends[i].has_offset)
            all[count++] = &t->r->sends[i];
    lz_sort(all, count, sizeof(*all), by_offset, NULL);
    for (uint32_t i = 1; i < count; i++) {
        const struct lz_recorder_send *a = all[i - 1], *b = all[i];
        if (a->partition != b->partition || a->offset + a->count <= b->offset)
            continue;
        t->contradicts = t->contradicts || (!a->is_lost && !b->is_lost);
        if (found(t, LOST, b->count, "two were acknowledged at one offset")) {
            show_send(t, a);
            show_send(t, b);
        }
    }
    free(all);
}

// Read, and its send is not known, or known to have failed: Jepsen's aborted read.
static void look_at_stranger(struct topic *t, const struct lz_recorder_poll *p)
{
    const struct lz_recorder_send *s = send_of(t, p);
    if (s != NULL) {
        if (found(t, ABORTED, p->count, "was read, and its transaction was aborted")) {
            show_send(t, s);
            show_poll(t, p);
        }
        return;
    }
    const struct lz_partitions_source *from = source_of(t, p);
    if (from == NULL || from->failed == NULL) {
        if (found(t, UNEXPECTED, p->count, "was read, and nobody sent it"))
            show_poll(t, p);
    } else if (found(t, ABORTED, p->count, "was read, and its send had failed")) {
        show_source(t,
                    &(struct lz_partitions_source){.op = from->failed, .part = from->failed_part},
                    "to", from->failed->at);
        lz_str_add(&t->why, ", which failed\n");
        show_poll(t, p);
    }
}

static void look_at_offsets(struct topic *t)
{
    for (uint32_t i = 0; i < t->poll_count; i++) {
        const struct lz_recorder_poll *p = t->polls[i], *q = i > 0 ? t->polls[i - 1] : NULL;
        const struct lz_recorder_send *s = send_of(t, p);
        if (s == NULL || s->outcome == LZ_RECORDER_FAIL)
            look_at_stranger(t, p);
        bool overlaps =
            q != NULL && q->partition == p->partition && q->offset + q->count > p->offset;
        if (overlaps && q->send != p->send &&
            found(t, INCONSISTENT, p->count, "one offset, two records")) {
            show_poll(t, q);
            show_poll(t, p);
        }
    }
}

static int by_send(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_poll *const *x = a, *const *y = b;
    if ((*x)->send != (*y)->send)
        return (*x)->send < (*y)->send ? -1 : 1;
    if ((*x)->offset != (*y)->offset)
        return (*x)->offset < (*y)->offset ? -1 : 1;
    return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/*
 * Sends of one producer to one partition in their order, each by the lowest offset at which it was
 * read: `last` is by producer and partition. A later send that was read at a lower offset, but
 * after the earlier one, stands where something has been lost since.
 */
struct line {
    uint32_t producer, partition;
    const struct lz_recorder_poll *last;
};

static struct line *line_of(struct line *lines, uint32_t cap, const struct lz_recorder_send *s)
{
    uint32_t i = (s->producer * 2654435761u + s->partition * 40503u) & (cap - 1);
    while (lines[i].last != NULL &&
           (lines[i].producer != s->producer || lines[i].partition != s->partition))
        i = (i + 1) & (cap - 1);
    lines[i].producer = s->producer;
    lines[i].partition = s->partition;
    return &lines[i];
}

static void look_at_order(struct topic *t)
{
    const struct lz_recorder_poll **all = lz_mem_alloc((t->poll_count + 1) * sizeof(*all));
    uint32_t cap = 64;
    while (cap < 2 * t->poll_count)
        cap *= 2;
    struct line *lines = lz_mem_alloc(cap * sizeof(*lines));
    memset(lines, 0, cap * sizeof(*lines));
    if (t->poll_count > 0)
        memcpy(all, t->polls, t->poll_count * sizeof(*all));
    lz_sort(all, t->poll_count, sizeof(*all), by_send, NULL);
    for (uint32_t i = 0; i < t->poll_count; i++) {
        const struct lz_recorder_poll *p = all[i], *q = i > 0 ? all[i - 1] : NULL;
        const struct lz_recorder_send *s = send_of(t, p);
        if (s == NULL)
            continue;
        if (q != NULL && q->send == p->send) {
            bool is_twice = q->offset != p->offset;
            t->contradicts = t->contradicts || (is_twice && s->appended < 2);
            if (is_twice && found(t, DUPLICATE, p->count, "was read at two offsets")) {
                show_poll(t, q);
                show_poll(t, p);
            }
            continue;
        }
        struct line *l = line_of(lines, cap, s);
        // A call is a producer of its own, and has no order with others.
        if (l->last != NULL && s->producer != 0 && l->last->offset > p->offset &&
            l->last->number > p->number &&
            found(t, REORDERED, p->count, "a later send of its producer stands before it")) {
            show_poll(t, l->last);
            show_poll(t, p);
        }
        if (l->last == NULL || l->last->offset < p->offset)
            l->last = p;
    }
    free(lines);
    free(all);
}

static uint64_t count_unread(const struct topic *t)
{
    bool *is_read = lz_mem_alloc(t->r->send_count + 1);
    uint64_t unread = 0;
    memset(is_read, 0, t->r->send_count + 1);
    for (uint32_t i = 0; i < t->poll_count; i++)
        if (t->polls[i]->send <= t->r->send_count)
            is_read[t->polls[i]->send] = true;
    for (uint32_t i = 0; i < t->r->send_count; i++)
        if (t->r->sends[i].outcome == LZ_RECORDER_OK && !is_read[i + 1])
            unread += t->r->sends[i].count;
    free(is_read);
    return unread;
}

// What the broker knows to be gone, though no reader came across it.
static uint64_t lost_by_broker(struct topic *t)
{
    uint64_t lost = 0;
    const struct lz_recorder_send *first = NULL;
    for (uint32_t i = 0; i < t->r->send_count; i++) {
        const struct lz_recorder_send *s = &t->r->sends[i];
        if (!s->is_lost || s->outcome != LZ_RECORDER_OK)
            continue;
        first = first != NULL ? first : s;
        lost += s->count;
    }
    if (first != NULL && t->found[LOST] == 0) {
        lz_str_add(&t->why, "lost-write: was acknowledged, and is in no log that counts\n");
        show_send(t, first);
    }
    return lost;
}

static bool is_tolerated(const char *tolerates, enum anomaly kind)
{
    return tolerates != NULL && strstr(tolerates, names[kind]) != NULL;
}

static void decide(struct topic *t, const char *tolerates, uint64_t lost,
                   struct lz_judge_result *out)
{
    bool is_seen = false;
    for (int k = 0; k < ANOMALIES; k++) {
        if (t->found[k] == 0 || is_tolerated(tolerates, (enum anomaly)k))
            continue;
        if (!is_seen)
            snprintf(out->anomaly, sizeof(out->anomaly), "%s", names[k]);
        is_seen = true;
    }
    out->white = lost > 0 ? LZ_JUDGE_REFUTED : LZ_JUDGE_PROVEN;
    if (t->r->is_real)
        out->white = LZ_JUDGE_NOT_TOLD;
    out->answer = is_seen ? LZ_VERIFY_VIOLATED : LZ_VERIFY_HOLDS;
    out->is_contradiction = t->contradicts && !t->r->is_real;
    if (lost > 0 && !is_seen) {
        out->answer = LZ_VERIFY_VIOLATED;
        snprintf(out->anomaly, sizeof(out->anomaly), "%s", names[LOST]);
    }
}

static void judge(struct topic t, const char *tolerates, struct lz_judge_result *out)
{
    const struct lz_recorder *r = t.r;
    t.polls = lz_mem_alloc((r->poll_count + 1) * sizeof(*t.polls));
    uint64_t records = 0, acked = 0;
    lz_str_init(&t.why);
    for (uint32_t i = 0; i < r->poll_count; i++)
        if (r->polls[i].number != 0) {
            t.polls[t.poll_count++] = &r->polls[i];
            t.longest = r->polls[i].count > t.longest ? r->polls[i].count : t.longest;
        }
    lz_sort(t.polls, t.poll_count, sizeof(*t.polls), by_place, NULL);
    for (uint32_t i = 0; i < r->send_count; i++) {
        records += r->sends[i].count;
        acked += r->sends[i].outcome == LZ_RECORDER_OK ? r->sends[i].count : 0;
    }
    *out = (struct lz_judge_result){.operations = r->send_count};
    look_for_lost(&t);
    look_for_shared(&t);
    look_at_offsets(&t);
    look_at_order(&t);
    uint64_t lost = lost_by_broker(&t);
    decide(&t, tolerates, lost, out);
    if (r->is_real && t.poll_count == 0 && out->answer == LZ_VERIFY_HOLDS) {
        out->answer = LZ_VERIFY_UNKNOWN; // a log into which nobody has looked
        lz_str_clear(&t.why);
        lz_str_add(&t.why, "no answer of a reader listed a record\n");
    }
    if (r->send_count == 0 && out->answer == LZ_VERIFY_HOLDS)
        out->answer = LZ_VERIFY_UNKNOWN; // nobody sent it anything
    lz_str_init(&out->facts);
    lz_str_addf(&out->facts, "%" PRIu64 " records sent, %" PRIu64 " acknowledged", records, acked);
    uint64_t unread = count_unread(&t);
    if (lost > 0)
        lz_str_addf(&out->facts, ", %" PRIu64 " of them lost", lost);
    else if (unread > 0)
        lz_str_addf(&out->facts, ", %" PRIu64 " not read yet", unread);
    out->why = t.why;
    free(t.polls);
}

void lz_partitions_judge(const struct lz_recorder *r, const char *tolerates,
                         struct lz_judge_result *out)
{
    judge((struct topic){.r = r}, tolerates, out);
}

const char *lz_partitions_judge_read(const struct lz_partitions_read *g, const char *tolerates,
                                     struct lz_judge_result *out)
{
    judge((struct topic){.r = g->r, .h = g->h, .sent = g->sent, .polled = g->polled}, tolerates,
          out);
    for (int k = 0; k < ANOMALIES; k++)
        if (strcmp(names[k], out->anomaly) == 0)
            return names[k];
    return NULL;
}
