#include "model/history/recorder.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "model/client/call.h"
#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/client/plain.h"
#include "model/data/database.h"
#include "model/history/recorder_state.h"
#include "model/node/instance.h"
#include "model/service/argument.h"
#include "model/service/task.h"
#include "model/traffic/request.h"

const char *lz_recorder_f_name(enum lz_recorder_f f)
{
    static const char *const names[] = {
        [LZ_RECORDER_READ] = "read",       [LZ_RECORDER_WRITE] = "write",
        [LZ_RECORDER_CREATE] = "cas",      [LZ_RECORDER_ACQUIRE] = "acquire",
        [LZ_RECORDER_RELEASE] = "release", [LZ_RECORDER_ADD] = "add",
        [LZ_RECORDER_INSERT] = "add",      [LZ_RECORDER_MEMBERS] = "read",
        [LZ_RECORDER_OTHER] = "other"};
    LZ_ASSERT(f <= LZ_RECORDER_OTHER);
    return names[f];
}

struct word {
    const char *word;
    enum lz_recorder_f f;
};

static const struct word words[] = {
    {"cas", LZ_RECORDER_CREATE},      {"create", LZ_RECORDER_CREATE},
    {"acquire", LZ_RECORDER_ACQUIRE}, {"lock", LZ_RECORDER_ACQUIRE},
    {"release", LZ_RECORDER_RELEASE}, {"unlock", LZ_RECORDER_RELEASE},
    {"revoke", LZ_RECORDER_RELEASE},  {"renew", LZ_RECORDER_OTHER},
    {"keepalive", LZ_RECORDER_OTHER}, {"watch", LZ_RECORDER_OTHER},
    {NULL, LZ_RECORDER_OTHER},
};

// Of caches and stores; a call without a word is a get.
static const struct word keyed_words[] = {
    {"", LZ_RECORDER_READ},
    {"get", LZ_RECORDER_READ},
    {"exists", LZ_RECORDER_OTHER},
    {"mget", LZ_RECORDER_OTHER},
    {"setnx", LZ_RECORDER_CREATE},
    {"put_if_absent", LZ_RECORDER_CREATE},
    {"incr", LZ_RECORDER_ADD},
    {"decr", LZ_RECORDER_ADD},
    {"increment", LZ_RECORDER_ADD},
    {"sadd", LZ_RECORDER_INSERT},
    {"smembers", LZ_RECORDER_MEMBERS},
    {"expire", LZ_RECORDER_OTHER},
    {"mset", LZ_RECORDER_OTHER},
    {"head", LZ_RECORDER_OTHER},
    {"list", LZ_RECORDER_OTHER},
    {"versions", LZ_RECORDER_OTHER},
    {"restore", LZ_RECORDER_OTHER},
    {"transact_get", LZ_RECORDER_OTHER},
    {"transact_write", LZ_RECORDER_OTHER},
    {NULL, LZ_RECORDER_OTHER},
};

static bool is_word(const char *op, const char *word)
{
    size_t len = strcspn(op, " \t");
    return strlen(word) == len && strncasecmp(op, word, len) == 0;
}

static enum lz_recorder_f f_of(struct lz_world *w, lz_op op, bool is_keyed)
{
    struct lz_recorders *rs = w->recorders;
    uint32_t at = 2u * op + is_keyed;
    rs->fs = lz_grow(w->arena, rs->fs, &rs->f_cap, at + 1, sizeof(*rs->fs));
    if (rs->fs[at] == 0) {
        const char *text = lz_call_op_name(w, op);
        bool reads = !is_keyed && lz_database_is_read(text);
        enum lz_recorder_f f = reads ? LZ_RECORDER_READ : LZ_RECORDER_WRITE;
        for (const struct word *row = is_keyed ? keyed_words : words; row->word != NULL; row++)
            if (is_word(text, row->word))
                f = row->f;
        rs->fs[at] = (uint8_t)(f + 1);
    }
    return (enum lz_recorder_f)(rs->fs[at] - 1);
}

// Of a service: as an expectation says.
static const struct lz_recorder_role *role_of(const struct lz_recorder *r, lz_op op)
{
    for (uint32_t i = 0; i < r->role_count; i++)
        if (r->roles[i].op == op)
            return &r->roles[i];
    return NULL;
}

bool lz_recorder_is_removal(const struct lz_world *w, lz_op op)
{
    const char *text = lz_call_op_name(w, op);
    return is_word(text, "delete") || is_word(text, "remove") || is_word(text, "del");
}

void lz_recorder_watch(struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(!w->running);
    if (w->recorders == NULL)
        w->recorders = lz_arena_alloc(w->arena, sizeof(*w->recorders));
    if (w->recorders->numbers == 0)
        w->recorders->numbers = LZ_RECORDER_FIRST;
    struct lz_recorders *rs = w->recorders;
    rs->by_component =
        lz_grow(w->arena, rs->by_component, &rs->component_cap, id + 1, sizeof(*rs->by_component));
    if (rs->by_component[id] != 0)
        return;
    rs->all = lz_grow(w->arena, rs->all, &rs->cap, rs->count + 1, sizeof(*rs->all));
    rs->all[rs->count++] = (struct lz_recorder){.component = id};
    rs->by_component[id] = rs->count;
    for (lz_edge_id e = 1; e <= lz_edge_count(w) && lz_recorder_takes_calls(w, id); e++)
        if (lz_edge_get(w, e)->opts.to == id) {
            lz_edge_get(w, e)->is_recorded = lz_edge_get(w, e)->is_watched = true;
            lz_plain_settle(w, lz_edge_get(w, e));
        }
}

void lz_recorder_ask(struct lz_world *w, lz_component_id id, enum lz_recorder_kind kind)
{
    LZ_ASSERT(!w->running && lz_recorder_is_on(w, id));
    w->recorders->all[w->recorders->by_component[id] - 1].kinds |= (uint8_t)kind;
}

void lz_recorder_part(struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(!w->running && lz_recorder_is_on(w, id));
    w->recorders->all[w->recorders->by_component[id] - 1].is_per_key = true;
}

static const char *role_name(uint8_t f)
{
    return f == LZ_RECORDER_INSERT    ? "add an element"
           : f == LZ_RECORDER_MEMBERS ? "read a set"
                                      : lz_recorder_f_name((enum lz_recorder_f)f);
}

bool lz_recorder_play(struct lz_world *w, lz_component_id id, const char *op,
                      const struct lz_recorder_role *role, struct lz_err *err)
{
    LZ_ASSERT(!w->running && lz_recorder_is_on(w, id));
    struct lz_recorder *r = &w->recorders->all[w->recorders->by_component[id] - 1];
    lz_op number = lz_call_op(w, op);
    struct lz_recorder_role *known = (struct lz_recorder_role *)role_of(r, number);
    if (known != NULL && known->f != role->f)
        return lz_fail(err, LZ_EINVAL, "\"%s\" of %s cannot both %s and %s", op,
                       lz_world_component(w, id)->name, role_name(known->f), role_name(role->f));
    if (known == NULL) {
        r->roles = lz_grow(w->arena, r->roles, &r->role_cap, r->role_count + 1, sizeof(*r->roles));
        known = &r->roles[r->role_count++];
        *known = (struct lz_recorder_role){.op = number, .f = role->f};
    }
    known->is_id = known->is_id || role->is_id;
    return true;
}

bool lz_recorder_is_on(const struct lz_world *w, lz_component_id id)
{
    const struct lz_recorders *rs = w->recorders;
    return rs != NULL && id < rs->component_cap && rs->by_component[id] != 0;
}

// A topic's records do not all come by calls: recorder_log.h.
bool lz_recorder_takes_calls(const struct lz_world *w, lz_component_id id)
{
    return lz_recorder_is_on(w, id) && lz_world_component(w, id)->kind != LZ_COMPONENT_TOPIC;
}

const struct lz_recorder *lz_recorder_of(const struct lz_world *w, lz_component_id id)
{
    return lz_recorder_is_on(w, id) ? &w->recorders->all[w->recorders->by_component[id] - 1] : NULL;
}

const struct lz_recorder *lz_recorder_at(const struct lz_world *w, size_t i)
{
    return w->recorders != NULL && i < w->recorders->count ? &w->recorders->all[i] : NULL;
}

// ---- processes

static struct lz_recorder_process *find_process(struct lz_recorders *rs, uint64_t who)
{
    uint32_t i = (uint32_t)lz_hash_mix(who, 1) & (rs->process_cap - 1);
    while (rs->processes[i].who != 0 && rs->processes[i].who != who)
        i = (i + 1) & (rs->process_cap - 1);
    return &rs->processes[i];
}

static void widen_processes(struct lz_world *w)
{
    struct lz_recorders *rs = w->recorders;
    struct lz_recorder_process *old = rs->processes;
    uint32_t old_cap = rs->process_cap;
    rs->process_cap = old_cap > 0 ? 2 * old_cap : 64;
    rs->processes = lz_arena_alloc(w->arena, rs->process_cap * sizeof(*rs->processes));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].who != 0)
            *find_process(rs, old[i].who) = old[i];
    lz_arena_free(w->arena, old, old_cap * sizeof(*old));
}

// Who does it, of those who do one thing after another; 0: it is the only thing they do.
uint64_t lz_recorder_who(const struct lz_world *w, const struct lz_call *c, lz_component_id to)
{
    const struct lz_request *r = lz_request_find(w, c->request);
    uint64_t who = 0;
    if (r != NULL && r->agent != 0)
        who = lz_hash_mix((uint64_t)r->traffic << 32 | r->agent, 2);
    else if (c->owner_kind == LZ_OWNER_TASK)
        who = lz_hash_mix(c->owner, 3);
    return who != 0 ? lz_hash_mix(who, to) | 1 : 0;
}

uint32_t lz_recorder_process_take(struct lz_world *w, struct lz_recorder *r, uint64_t who)
{
    struct lz_recorders *rs = w->recorders;
    if (who == 0)
        return r->processes++;
    if (2 * (rs->process_count + 1) > rs->process_cap)
        widen_processes(w);
    struct lz_recorder_process *p = find_process(rs, who);
    if (p->who == 0)
        rs->process_count++;
    if (p->who == 0 || p->is_open)
        *p = (struct lz_recorder_process){.who = who, .number = r->processes++};
    p->is_open = true;
    return p->number;
}

void lz_recorder_process_give(struct lz_world *w, uint64_t who, uint32_t number)
{
    struct lz_recorders *rs = w->recorders;
    if (who == 0)
        return;
    struct lz_recorder_process *p = find_process(rs, who);
    if (p->who == who && p->number == number)
        p->is_open = false;
}

// ---- operations

// Also one that has ended, until its place is another's.
static struct lz_recorder_under_way *find_sent(const struct lz_world *w, uint64_t call)
{
    struct lz_recorders *rs = w->recorders;
    uint32_t index = (uint32_t)call;
    if (index >= rs->call_cap || rs->calls[index].call != call)
        return NULL;
    return &rs->calls[index];
}

struct lz_recorder_under_way *lz_recorder_under_way(const struct lz_world *w, uint64_t call)
{
    struct lz_recorder_under_way *u = find_sent(w, call);
    return u != NULL && !u->is_ended ? u : NULL;
}

struct lz_recorder_under_way *lz_recorder_sent(struct lz_world *w, const struct lz_call *c)
{
    struct lz_recorders *rs = w->recorders;
    uint32_t index = (uint32_t)lz_pool_id(c);
    rs->calls = lz_grow(w->arena, rs->calls, &rs->call_cap, index + 1, sizeof(*rs->calls));
    return &rs->calls[index];
}

static lz_value value_written(struct lz_world *w, struct lz_call *c, const struct lz_recorder *r)
{
    if (lz_recorder_is_removal(w, c->op))
        return 0;
    lz_argument_id argument = lz_argument_of_call(w, c);
    lz_value own = lz_value_integer((int64_t)r->count + 1);
    if (argument != 0) {
        uint32_t size;
        lz_value *said = lz_argument_bytes(w, argument, &size);
        *said = *said != 0 ? *said : own;
        return *said;
    }
    argument = lz_argument_value(w, own);
    lz_argument_give_call(w, c, argument);
    lz_argument_drop(w, argument); // the call has its own hold on it
    return own;
}

// By how much an increment adds.
static lz_value value_added(const struct lz_world *w, const struct lz_call *c)
{
    lz_value said = lz_argument_to_value(w, lz_argument_of_call(w, c));
    int64_t by = lz_value_kind(said) == LZ_VALUE_INTEGER ? lz_value_to_integer(said) : 1;
    bool is_down = is_word(lz_call_op_name(w, c->op), "decr");
    if (is_down && by == LZ_VALUE_INTEGER_MIN) // no value; a server says no to it
        return lz_value_integer(LZ_VALUE_INTEGER_MAX);
    return lz_value_integer(is_down ? -by : by);
}

static bool is_service(const struct lz_world *w, lz_component_id id)
{
    return lz_world_component(w, id)->kind == LZ_COMPONENT_SERVICE;
}

enum lz_recorder_f lz_recorder_f_for(struct lz_world *w, const struct lz_recorder *r, lz_op op,
                                     bool *is_id)
{
    enum lz_component_kind kind = lz_world_component(w, r->component)->kind;
    bool is_keyed = kind == LZ_COMPONENT_CACHE || kind == LZ_COMPONENT_STORE;
    if (!is_service(w, r->component)) {
        enum lz_recorder_f f = f_of(w, op, is_keyed);
        *is_id = f == LZ_RECORDER_ADD;
        return f;
    }
    const struct lz_recorder_role *role = role_of(r, op);
    *is_id = role != NULL && role->is_id;
    return role != NULL ? (enum lz_recorder_f)role->f : LZ_RECORDER_OTHER;
}

void lz_recorder_begin(struct lz_world *w, struct lz_call *c)
{
    struct lz_recorders *rs = w->recorders;
    lz_component_id to = lz_edge_get(w, c->edge)->opts.to;
    LZ_ASSERT(lz_recorder_is_on(w, to));
    uint32_t at = rs->by_component[to] - 1;
    struct lz_recorder *r = &rs->all[at];
    if (lz_recorder_txn_begins(w, at, c))
        return;
    bool is_keyed = lz_edge_get(w, c->edge)->is_keyed;
    bool has_roles = is_service(w, to), is_id;
    enum lz_recorder_f f = lz_recorder_f_for(w, r, c->op, &is_id);
    if (is_keyed && is_word(lz_call_op_name(w, c->op), "mset"))
        r->many++;
    if (f == LZ_RECORDER_OTHER)
        return;
    if (r->count == LZ_RECORDER_OPS_MAX) {
        r->dropped++;
        return;
    }
    bool writes = f == LZ_RECORDER_WRITE || f == LZ_RECORDER_CREATE || f == LZ_RECORDER_INSERT;
    lz_value value = writes ? value_written(w, c, r) : 0;
    lz_value added = f == LZ_RECORDER_INSERT ? value : 0;
    if (f == LZ_RECORDER_ADD)
        added = value_added(w, c);
    r->ops = lz_grow(w->arena, r->ops, &r->cap, r->count + 1, sizeof(*r->ops));
    r->ops[r->count] = (struct lz_recorder_op){
        .key = has_roles && !r->is_per_key ? 0 : c->key,
        .value = value,
        .begin = ++rs->numbers,
        .at = lz_sim_now(w->sim),
        .unit =
            c->owner_kind == LZ_OWNER_TASK ? lz_hash_mix(c->owner, 4) : lz_hash_mix(rs->numbers, 5),
        .process = lz_recorder_process_take(w, r, lz_recorder_who(w, c, r->component)),
        .f = (uint8_t)f,
        .added = added,
        .is_add = f == LZ_RECORDER_ADD,
        .is_id = is_id,
        .outcome = LZ_RECORDER_UNKNOWN};
    *lz_recorder_sent(w, c) = (struct lz_recorder_under_way){
        .call = lz_pool_id(c), .recorder = at, .op = r->count, .process = r->ops[r->count].process};
    r->count++;
}

/*
 * What the client can be sure of. An answer below 500 that is no success says that nothing was
 * done; so do a refused connection, and a database that says that it is read-only. Anything else of
 * a write may yet have happened, and after a first attempt that ended unknown all that follows says
 * nothing of that one.
 */
static enum lz_recorder_outcome outcome_of(const struct lz_call *c, uint8_t f, bool is_database,
                                           const struct lz_call_result *result)
{
    if (f == LZ_RECORDER_READ || f == LZ_RECORDER_MEMBERS)
        return result->outcome == LZ_OUTCOME_OK ? LZ_RECORDER_OK : LZ_RECORDER_FAIL;
    if (result->outcome == LZ_OUTCOME_OK && result->is_no) // it was there, or another's: 409, 412
        return lz_client_attempts(c) <= 1 ? LZ_RECORDER_FAIL : LZ_RECORDER_UNKNOWN;
    if (result->outcome == LZ_OUTCOME_OK)
        return LZ_RECORDER_OK;
    bool says_no = result->outcome == LZ_OUTCOME_REFUSED ||
                   (result->outcome == LZ_OUTCOME_ERROR &&
                    (result->status < 500 || (is_database && result->status == 503)));
    return says_no && lz_client_attempts(c) <= 1 ? LZ_RECORDER_FAIL : LZ_RECORDER_UNKNOWN;
}

void lz_recorder_end(struct lz_world *w, const struct lz_call *c,
                     const struct lz_call_result *result)
{
    struct lz_recorder_under_way *u = lz_recorder_under_way(w, lz_pool_id(c));
    if (u == NULL)
        return;
    if (u->is_txn) {
        lz_recorder_txn_answered(w, u, c, result);
        u->is_ended = true;
        return;
    }
    struct lz_recorder *r = &w->recorders->all[u->recorder];
    struct lz_recorder_op *op = &r->ops[u->op];
    bool is_database = lz_world_component(w, r->component)->kind == LZ_COMPONENT_DATABASE;
    struct lz_call_result heard = *result;
    if (is_service(w, r->component)) // an answer below 500 is the handler's no
        heard.is_no = result->outcome == LZ_OUTCOME_OK && result->status >= 400;
    op->outcome = (uint8_t)outcome_of(c, op->f, is_database, &heard);
    op->done = lz_sim_now(w->sim);
    op->is_repeated = op->is_repeated || lz_client_attempts(c) > 1;
    if (op->outcome != LZ_RECORDER_UNKNOWN) {
        op->end = ++w->recorders->numbers;
        lz_recorder_process_give(w, lz_recorder_who(w, c, r->component), u->process);
    }
    bool is_told =
        op->f == LZ_RECORDER_READ || op->f == LZ_RECORDER_ADD || op->f == LZ_RECORDER_MEMBERS;
    if (is_told && op->outcome == LZ_RECORDER_OK)
        op->value = result->value;
    if (op->f == LZ_RECORDER_ADD && op->outcome == LZ_RECORDER_OK)
        op->f = LZ_RECORDER_WRITE;
    u->is_ended = true;
}

void lz_recorder_forget(struct lz_world *w, const struct lz_call *c)
{
    struct lz_recorder_under_way *u = lz_recorder_under_way(w, lz_pool_id(c));
    if (u == NULL)
        return;
    if (u->is_txn)
        lz_recorder_txn_answered(w, u, c, NULL);
    u->is_ended = true;
}

void lz_recorder_note(struct lz_world *w, const struct lz_task *t, uint64_t version)
{
    struct lz_recorder_under_way *u = lz_recorder_under_way(w, t->call);
    if (u == NULL || u->is_txn)
        return; // its client hears no more of it
    struct lz_recorder_op *op = &w->recorders->all[u->recorder].ops[u->op];
    op->is_repeated = op->is_repeated || op->has_version;
    op->has_version = true;
    op->version = version;
}

void lz_recorder_mark(struct lz_world *w, const struct lz_task *t,
                      const struct lz_recorder_made *made)
{
    lz_recorder_note(w, t, made->version);
    struct lz_recorder_under_way *u = find_sent(w, t->call);
    if (u == NULL || u->is_txn)
        return;
    struct lz_recorder *r = &w->recorders->all[u->recorder];
    r->marks = lz_grow(w->arena, r->marks, &r->mark_cap, r->mark_count + 1, sizeof(*r->marks));
    r->marks[r->mark_count++] = (struct lz_recorder_mark){.key = r->ops[u->op].key,
                                                          .version = made->version,
                                                          .before = made->before,
                                                          .value = made->value,
                                                          .op = u->op};
}

void lz_recorder_untold(struct lz_world *w, const struct lz_task *t)
{
    lz_recorder_void(w, t);
    lz_component_id of = lz_instance_get(w, t->server)->component;
    if (w->recorders != NULL && lz_recorder_is_on(w, of))
        w->recorders->all[w->recorders->by_component[of] - 1].many++;
}

void lz_recorder_void(struct lz_world *w, const struct lz_task *t)
{
    struct lz_recorder_under_way *u =
        w->recorders != NULL ? lz_recorder_under_way(w, t->call) : NULL;
    if (u != NULL && !u->is_txn)
        w->recorders->all[u->recorder].ops[u->op].f = LZ_RECORDER_OTHER;
}
