#include "model/history/recorder_tell.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "model/history/recorder_log.h"
#include "model/history/recorder_state.h"

static struct lz_recorder *recorder_of(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(lz_recorder_is_on(w, id));
    return &w->recorders->all[w->recorders->by_component[id] - 1];
}

static uint64_t person(uint64_t who, lz_component_id to)
{
    return who != 0 ? lz_hash_mix(who, to) | 1 : 0;
}

// ---------------------------------------------------------------- accounts

void lz_recorder_tell_accounts(struct lz_world *w, lz_component_id id)
{
    struct lz_recorder *r = recorder_of(w, id);
    LZ_ASSERT(!w->running);
    r->has_accounts = r->is_real = r->has_names = true;
}

bool lz_recorder_has_accounts(const struct lz_world *w, lz_component_id id)
{
    return lz_recorder_is_on(w, id) && recorder_of(w, id)->has_accounts;
}

uint32_t lz_recorder_tell_ask(struct lz_world *w, lz_component_id of, uint64_t who)
{
    struct lz_recorder *r = recorder_of(w, of);
    if (r->txn_count >= LZ_RECORDER_OPS_MAX) {
        r->dropped++;
        return 0;
    }
    r->txns = lz_grow(w->arena, r->txns, &r->txn_cap, r->txn_count + 1, sizeof(*r->txns));
    r->txns[r->txn_count++] =
        (struct lz_recorder_txn){.begin = ++w->recorders->numbers,
                                 .at = lz_sim_now(w->sim),
                                 .who = person(who, of),
                                 .process = lz_recorder_process_take(w, r, person(who, of)),
                                 .outcome = LZ_RECORDER_UNKNOWN};
    return r->txn_count;
}

static void add_step(struct lz_world *w, struct lz_recorder *r, struct lz_recorder_txn *t,
                     const struct lz_recorder_account *account)
{
    r->steps = lz_grow(w->arena, r->steps, &r->step_cap, r->step_count + 1, sizeof(*r->steps));
    r->steps[r->step_count++] =
        (struct lz_recorder_step){.key = lz_value_text(w, account->name, account->size),
                                  .value = lz_value_integer(account->holds),
                                  .f = LZ_RECORDER_STEP_READ,
                                  .is_heard = true};
    if (t->last != 0)
        r->steps[t->last - 1].next = r->step_count;
    else
        t->first = r->step_count;
    t->last = r->step_count;
}

void lz_recorder_tell_told(struct lz_world *w, lz_component_id of, uint32_t read,
                           const struct lz_recorder_account *accounts, size_t count)
{
    struct lz_recorder *r = recorder_of(w, of);
    if (read == 0)
        return;
    LZ_ASSERT(read <= r->txn_count);
    struct lz_recorder_txn *t = &r->txns[read - 1];
    LZ_ASSERT(!t->is_over);
    t->is_over = true;
    t->done = lz_sim_now(w->sim);
    t->end = ++w->recorders->numbers;
    t->outcome = accounts != NULL ? LZ_RECORDER_OK : LZ_RECORDER_FAIL;
    lz_recorder_process_give(w, t->who, t->process);
    if (count > LZ_RECORDER_OPS_MAX - r->step_count) {
        r->dropped++;
        return;
    }
    for (size_t i = 0; accounts != NULL && i < count; i++)
        add_step(w, r, t, &accounts[i]);
}

// ---------------------------------------------------------------- records

uint32_t lz_recorder_tell_send(struct lz_world *w, lz_component_id topic, uint64_t who)
{
    struct lz_recorder *r = recorder_of(w, topic);
    r->is_real = true;
    // Who never heard of a send is another from then on: nothing says when that one was written.
    uint64_t of = person(who, topic);
    struct lz_recorder_send send = {.count = 1};
    if (of != 0)
        send.producer = lz_recorder_process_take(w, r, of) + 1;
    uint32_t number = lz_recorder_log_send(w, topic, &send);
    if (number != 0)
        r->sends[number - 1].who = of;
    return number;
}

void lz_recorder_tell_sent(struct lz_world *w, lz_component_id topic, uint32_t send,
                           const struct lz_recorder_place *place)
{
    struct lz_recorder *r = recorder_of(w, topic);
    if (send == 0)
        return;
    struct lz_recorder_send *s = &r->sends[send - 1];
    if (place != NULL)
        s->partition = place->partition;
    lz_recorder_log_answered(w, topic, send, place != NULL ? &place->offset : NULL);
    if (s->producer != 0)
        lz_recorder_process_give(w, s->who, s->producer - 1);
}

void lz_recorder_tell_lost_sight(struct lz_world *w, lz_component_id topic, uint32_t send)
{
    lz_recorder_log_gave_up(w, topic, send);
}

// From where to where an answer goes in one partition.
struct range {
    uint32_t partition;
    uint64_t first, last;
};

static struct range *range_of(struct range *all, size_t count, uint32_t partition)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].partition == partition)
            return &all[i];
    return NULL;
}

static size_t find_ranges(const struct lz_recorder_told *records, size_t count, struct range *out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct lz_recorder_place *at = &records[i].at;
        struct range *r = range_of(out, found, at->partition);
        if (r == NULL) {
            out[found++] = (struct range){at->partition, at->offset, at->offset};
            continue;
        }
        r->first = at->offset < r->first ? at->offset : r->first;
        r->last = at->offset > r->last ? at->offset : r->last;
    }
    return found;
}

static void find_lost(struct lz_recorder *r, lz_time asked, struct range *ranges, size_t count)
{
    for (uint32_t i = 0; i < r->send_count; i++) {
        struct lz_recorder_send *s = &r->sends[i];
        bool is_due = s->outcome == LZ_RECORDER_OK && s->has_offset && s->done < asked;
        const struct range *in = is_due ? range_of(ranges, count, s->partition) : NULL;
        if (in != NULL && s->told != r->answers && s->offset > in->first && s->offset < in->last)
            s->is_lost = true;
    }
}

static void read_one(struct lz_world *w, struct lz_recorder *r, const struct lz_recorder_told *told)
{
    bool is_known = told->send > 0 && told->send <= r->send_count;
    struct lz_recorder_send *s = is_known ? &r->sends[told->send - 1] : NULL;
    if (s != NULL) {
        bool is_again = s->is_read && s->read_offset == told->at.offset;
        if (!s->is_read)
            s->read_offset = told->at.offset;
        if (!s->has_offset)
            s->partition = told->at.partition; // nobody else has said it
        s->is_read = true;
        s->told = r->answers;
        if (is_again)
            return;
    }
    const struct lz_recorder_poll poll = {.offset = told->at.offset,
                                          .partition = told->at.partition,
                                          .count = 1,
                                          .send = s != NULL ? (uint32_t)told->send : 0};
    uint32_t at = lz_recorder_log_offer(w, r->component, &poll);
    if (at != 0)
        lz_recorder_log_heard(w, r->component, at, 1);
}

void lz_recorder_tell_read(struct lz_world *w, lz_component_id topic, lz_time asked,
                           const struct lz_recorder_told *records, size_t count)
{
    struct lz_recorder *r = recorder_of(w, topic);
    struct range *ranges = lz_mem_alloc((count + 1) * sizeof(*ranges));
    r->is_real = true;
    r->answers++;
    for (size_t i = 0; i < count; i++)
        read_one(w, r, &records[i]);
    find_lost(r, asked, ranges, find_ranges(records, count, ranges));
    free(ranges);
}
