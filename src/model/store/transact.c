#include "model/store/transact.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/history/recorder.h"

enum { PREPARE = 1, COMMIT, REPEATED };

// Of what a task has no queue for: where a transaction is, and what its first phase read.
static uint32_t *phase_of(struct lz_task *t)
{
    return &t->queue_prev;
}

static uint32_t *seen_of(struct lz_task *t)
{
    return &t->queue_next;
}

static lz_value reason(struct lz_world *w, const char *text)
{
    return lz_value_text(w, text, strlen(text));
}

static lz_value value_of(const struct lz_store *s, uint64_t key)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    return e != NULL ? e->value : 0;
}

static uint64_t version_of(const struct lz_store *s, uint64_t key)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    return e != NULL ? e->version : 0;
}

static struct lz_keyspace *new_set(struct lz_world *w, const struct lz_store *s, const char *name)
{
    return lz_keyspace_create(&(struct lz_keyspace_opts){.arena = w->arena,
                                                         .run_key = lz_sim_key(w->sim),
                                                         .owner = lz_draw_name(s->path, name),
                                                         .eviction = LZ_EVICTION_NONE,
                                                         .entries = LZ_KEYSPACE_ENTRIES_MAX});
}

// ---------------------------------------------------------------- items that are held

static uint64_t holder(const struct lz_store *s, uint64_t key)
{
    const struct lz_entry *e = s->held != NULL ? lz_keyspace_peek(s->held, key, 0) : NULL;
    return e != NULL ? e->value : 0;
}

bool lz_transact_holds(const struct lz_store *s, uint64_t key)
{
    return holder(s, key) != 0;
}

static void hold(struct lz_world *w, struct lz_store *s, const struct lz_task *t)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    if (s->held == NULL)
        s->held = new_set(w, s, "held");
    for (uint32_t i = 0; i < ask->count; i++) {
        struct lz_put p = {.key = ask->all[i].key, .value = lz_pool_id(t), .size = 1};
        LZ_ASSERT(lz_keyspace_put(s->held, &p, 0) != NULL);
    }
}

void lz_transact_forget(struct lz_world *w, struct lz_store *s, const struct lz_task *t)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    for (uint32_t i = 0; s->held != NULL && ask != NULL && i < ask->count; i++)
        if (holder(s, ask->all[i].key) == lz_pool_id(t))
            lz_keyspace_remove(s->held, ask->all[i].key, 0);
}

// ---------------------------------------------------------------- tokens

static uint64_t print_of(const struct lz_store_ask *ask)
{
    uint64_t h = ask->count;
    for (uint32_t i = 0; i < ask->count; i++) {
        const struct lz_store_action *a = &ask->all[i];
        h = lz_hash_mix(lz_hash_mix(h, a->key), a->kind);
        h = lz_hash_mix(lz_hash_mix(h, a->value), a->match);
        h = lz_hash_mix(h, (uint64_t)a->least);
    }
    return h;
}

// The transaction that had it, or has it: one that has not ended keeps `version`, its task.
static const struct lz_entry *find_token(struct lz_world *w, struct lz_store *s, uint64_t token)
{
    lz_time now = lz_sim_now(w->sim);
    struct lz_entry *e = s->tokens != NULL ? lz_keyspace_get(s->tokens, token, now) : NULL;
    if (e == NULL || e->expires != 0)
        return e;
    const struct lz_task *t = lz_task_find(w, e->version);
    if (t != NULL && t->state == LZ_TASK_WORKING)
        return e;
    lz_keyspace_remove(s->tokens, token, now); // it went with its node
    return NULL;
}

static void keep_token(struct lz_world *w, struct lz_store *s, const struct lz_task *t,
                       bool is_done)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    lz_time now = lz_sim_now(w->sim);
    if (s->tokens == NULL)
        s->tokens = new_set(w, s, "tokens");
    struct lz_put p = {.key = ask->token,
                       .value = print_of(ask),
                       .version = lz_pool_id(t),
                       .expires = is_done ? now + LZ_TRANSACT_TOKEN_NS : 0,
                       .size = 1};
    LZ_ASSERT(lz_keyspace_put(s->tokens, &p, now) != NULL);
    lz_keyspace_expire_some(s->tokens, now, s->writes);
}

static void drop_token(struct lz_world *w, struct lz_store *s, const struct lz_task *t)
{
    if (s->tokens != NULL)
        lz_keyspace_remove(s->tokens, lz_store_ask_of(w, t)->token, lz_sim_now(w->sim));
}

// ---------------------------------------------------------------- phases

// Each as long as the slowest of its items.
static void begin_phase(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint32_t phase,
                        bool writes)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    lz_time longest = 0;
    for (uint32_t i = 0; i < ask->count; i++) {
        lz_time one = lz_store_time(w, s, t, writes, (uint64_t)phase << 32 | i);
        longest = one > longest ? one : longest;
    }
    *phase_of(t) = phase;
    lz_store_work(w, s, t, longest);
}

static bool takes(struct lz_world *w, struct lz_store *s, const struct lz_task *t, bool writes)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    for (uint32_t i = 0; i < ask->count; i++)
        if (!lz_store_takes(
                w, s, t,
                &(struct lz_store_units){.key = ask->all[i].key, .times = 2, .writes = writes}))
            return false;
    return true;
}

static void cancel(struct lz_world *w, struct lz_store *s, struct lz_task *t, const char *why)
{
    lz_metrics_add(w->metrics, s->series.cancelled, 1);
    lz_items_answer(w, s, t, 400, reason(w, why));
}

// A repetition: what it asked for was done, or is being done. True: it has been answered, or is.
static bool repeats(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    const struct lz_entry *e = find_token(w, s, ask->token);
    if (e == NULL)
        return false;
    if (e->value != print_of(ask)) {
        lz_items_answer(w, s, t, 400, reason(w, "IdempotentParameterMismatch"));
    } else if (e->expires == 0) {
        t->value = reason(w, "TransactionInProgress");
        lz_store_answer(w, s, t, LZ_OUTCOME_REFUSED, 400);
    } else if (!takes(w, s, t, false)) {
        lz_store_throttle(w, s, t);
    } else {
        begin_phase(w, s, t, REPEATED, false);
    }
    return true;
}

void lz_transact_arrive(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                        enum lz_store_op op)
{
    bool writes = op == LZ_STORE_TRANSACT_WRITE;
    if (lz_store_ask_of(w, t) == NULL) { // users who do not say what
        lz_items_answer(w, s, t, 400, reason(w, "ValidationError"));
        return;
    }
    if (writes && repeats(w, s, t))
        return;
    if (!takes(w, s, t, writes)) {
        lz_metrics_add(w->metrics, s->series.cancelled, 1);
        lz_store_throttle(w, s, t);
        return;
    }
    if (writes)
        keep_token(w, s, t, false);
    begin_phase(w, s, t, PREPARE, writes);
}

// What an action leaves behind; false: its condition does not hold.
static bool result_of(const struct lz_store *s, const struct lz_store_action *a, lz_value *out)
{
    lz_value now = value_of(s, a->key);
    *out = a->value;
    if (a->match != 0 && now != a->match)
        return false;
    switch ((enum lz_store_action_kind)a->kind) {
    case LZ_ACTION_PUT:
        return true;
    case LZ_ACTION_PUT_IF_ABSENT:
        return now == 0;
    case LZ_ACTION_DELETE:
        *out = 0;
        return true;
    case LZ_ACTION_CHECK:
        *out = now;
        return now != 0;
    case LZ_ACTION_CHECK_ABSENT:
        *out = now;
        return now == 0;
    case LZ_ACTION_INCREMENT:
        break;
    }
    int64_t old = now != 0 && lz_value_kind(now) == LZ_VALUE_INTEGER ? lz_value_to_integer(now) : 0;
    bool is_number = now == 0 || lz_value_kind(now) == LZ_VALUE_INTEGER;
    int64_t sum = old + lz_value_to_integer(a->value);
    if (!is_number || sum < a->least || sum > LZ_VALUE_INTEGER_MAX || sum < LZ_VALUE_INTEGER_MIN)
        return false;
    *out = lz_value_integer(sum);
    return true;
}

static bool is_held(const struct lz_store *s, const struct lz_store_ask *ask)
{
    for (uint32_t i = 0; i < ask->count; i++)
        if (lz_transact_holds(s, ask->all[i].key))
            return true;
    return false;
}

static bool holds_true(const struct lz_store *s, const struct lz_store_ask *ask)
{
    lz_value unused;
    for (uint32_t i = 0; i < ask->count; i++)
        if (!result_of(s, &ask->all[i], &unused))
            return false;
    return true;
}

static bool can_write(struct lz_world *w, const struct lz_store *s, const struct lz_task *t)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    for (uint32_t i = 0; i < ask->count; i++)
        if (!lz_items_can_write(w, s, t, ask->all[i].key))
            return false;
    return true;
}

static void conflict(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    lz_metrics_add(w->metrics, s->series.conflicts, 1);
    cancel(w, s, t, "TransactionConflict");
}

// Too few copies can be reached of one of them: all or nothing.
static void give_up(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    drop_token(w, s, t);
    lz_metrics_add(w->metrics, s->series.cancelled, 1);
    lz_items_answer(w, s, t, 503, 0);
}

static void prepare_write(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    if (is_held(s, ask)) {
        drop_token(w, s, t);
        conflict(w, s, t);
    } else if (!holds_true(s, ask)) {
        drop_token(w, s, t);
        cancel(w, s, t, "ConditionalCheckFailed");
    } else if (!can_write(w, s, t)) {
        give_up(w, s, t);
    } else {
        hold(w, s, t);
        begin_phase(w, s, t, COMMIT, true);
    }
}

static void commit_write(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    lz_time wait = 0;
    lz_transact_forget(w, s, t);
    if (!can_write(w, s, t)) {
        give_up(w, s, t);
        return;
    }
    for (uint32_t i = 0; i < ask->count; i++) {
        const struct lz_store_action *a = &ask->all[i];
        lz_value value;
        bool is_so = result_of(s, a, &value);
        LZ_ASSERT(is_so); // nobody else wrote it meanwhile
        if (a->kind >= LZ_ACTION_CHECK || (value == 0 && value_of(s, a->key) == 0))
            continue;
        lz_time one = lz_items_set(w, s, t, a->key, value);
        LZ_ASSERT(one != LZ_FOREVER);
        wait = one > wait ? one : wait;
    }
    lz_recorder_untold(w, t);
    keep_token(w, s, t, true);
    lz_metrics_add(w->metrics, s->series.transactions, 1);
    lz_items_measure(w, s);
    lz_items_answer_after(w, s, t, wait, 200, 0);
}

// What each item's latest version is, in a number.
static uint32_t state_of(const struct lz_store *s, const struct lz_store_ask *ask)
{
    uint64_t h = 1;
    for (uint32_t i = 0; i < ask->count; i++)
        h = lz_hash_mix(h, version_of(s, ask->all[i].key));
    return (uint32_t)(h ^ h >> 32);
}

// Both phases read; what has changed between them, or is about to, is a conflict.
static void go_on_reading(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    uint32_t state = state_of(s, ask);
    bool is_first = *phase_of(t) == PREPARE;
    if (is_held(s, ask) || (!is_first && state != *seen_of(t))) {
        conflict(w, s, t);
        return;
    }
    if (is_first) {
        *seen_of(t) = state;
        begin_phase(w, s, t, COMMIT, false);
        return;
    }
    uint32_t size = ask->count * (uint32_t)sizeof(struct lz_cache_pair);
    lz_argument_id all = lz_argument_make(w, NULL, size);
    struct lz_cache_pair *pairs = lz_argument_bytes(w, all, &size);
    for (uint32_t i = 0; i < ask->count; i++)
        pairs[i] = (struct lz_cache_pair){ask->all[i].key, value_of(s, ask->all[i].key)};
    lz_argument_answer(w, t, all);
    lz_metrics_add(w->metrics, s->series.transactions, 1);
    lz_items_answer(w, s, t, 200, 0);
}

void lz_transact_go_on(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                       enum lz_store_op op)
{
    if (*phase_of(t) == REPEATED)
        lz_items_answer(w, s, t, 200, 0);
    else if (op == LZ_STORE_TRANSACT_GET)
        go_on_reading(w, s, t);
    else if (*phase_of(t) == PREPARE)
        prepare_write(w, s, t);
    else
        commit_write(w, s, t);
}
