/*
 * recorder.h — what clients of a component did and saw, written down as the run goes.
 *
 * Black box: an operation is a call, from the instant its client begins it until the client hears
 * its end: `ok`, `fail` (it certainly did nothing) or `unknown` (a timeout, a broken connection, a
 * server's failure: it may have happened, or may happen yet). Beginnings and ends have numbers in
 * one order. White box: the server adds which version an operation wrote or saw, which no client
 * knows; checkers of histories answer without it and are then compared with it.
 *
 * What a call does goes by the first word of its operation, as servers take it: reads, deletes,
 * locks; everything else writes. Of a cache or a store what its own words mean. A write that brings
 * no value is given one of its own, a number, so that who reads it can be told whose it was. So a
 * recorded component's values are others than an unrecorded one's where the scenario said none;
 * nothing else of the run changes.
 *
 * A process is whoever can have only one operation open: a user of a closed loop or of a session,
 * a task of a handler, else a request. One whose operation ended unknown is not heard of again,
 * another takes its place (Jepsen's rule).
 *
 * A transaction (recorder_txn.h) is one operation of many steps, that all have its outcome; a
 * statement of SQL that is in none is a transaction by itself.
 *
 * What a service does is known to its handlers alone: an expectation says which of its operations
 * add, read or generate, and the others are not recorded. Its operations are of one object unless
 * it is said that each key is one (`is_per_key`).
 *
 * Beside versions a server may leave a *mark*: which version a write came after, and what its
 * answer says. From a version back along its marks is what is in it. Marks are left even for an
 * operation whose client has given up, as long as no other call has its place.
 *
 * Off, a call costs nothing: only edges to a recorded component are watched. Ownership: the
 * world's arena; at most LZ_RECORDER_OPS_MAX operations, further ones are counted.
 */
#ifndef LZ_MODEL_HISTORY_RECORDER_H
#define LZ_MODEL_HISTORY_RECORDER_H

#include "model/value.h"
#include "model/world.h"

#define LZ_RECORDER_OPS_MAX 20000000u
#define LZ_RECORDER_FIRST 2 /* numbers up to here are of what was before the run */

enum lz_recorder_f {
    LZ_RECORDER_READ,
    LZ_RECORDER_WRITE,  /* also a delete: of nothing */
    LZ_RECORDER_CREATE, /* a write if there is nothing, or what its client had read */
    LZ_RECORDER_ACQUIRE,
    LZ_RECORDER_RELEASE,
    LZ_RECORDER_ADD,     /* to what is there: once it is answered, a write of what it came to */
    LZ_RECORDER_INSERT,  /* an element into a set */
    LZ_RECORDER_MEMBERS, /* reads all of a set: a text, its elements with commas between */
    LZ_RECORDER_OTHER,   /* not recorded */
};

/* What is asked of a component's operations: bits. A history is written in the form of each. */
enum lz_recorder_kind {
    LZ_RECORDER_OBJECTS = 1, /* registers, locks, transactions */
    LZ_RECORDER_COUNTERS = 2,
    LZ_RECORDER_SETS = 4,
    LZ_RECORDER_IDS = 8,
};

enum lz_recorder_outcome { LZ_RECORDER_OK, LZ_RECORDER_FAIL, LZ_RECORDER_UNKNOWN };

struct lz_recorder_op {
    uint64_t key;
    lz_value value;    /* written, or read; of a create what it wrote */
    lz_value expected; /* CREATE: what had to be there; 0: nothing */
    uint64_t begin;    /* numbers in one order, above LZ_RECORDER_FIRST */
    uint64_t end;      /* 0: it never ended */
    uint64_t version;  /* 0: not told, or of what was never written */
    uint64_t unit;     /* what was done by one request of a handler has the same */
    lz_value added;    /* ADD: by how much; INSERT: the element */
    lz_time at, done;
    uint32_t process;
    uint8_t f;
    uint8_t outcome;
    bool has_version;
    bool is_repeated; /* it took effect more than once, or was tried again */
    bool is_add;      /* it was an ADD, whatever it is now */
    bool is_id;       /* what it answers is an id */
};

/* The operation (index) made `version` of its key out of `before`; 0: out of nothing. */
struct lz_recorder_mark {
    uint64_t key, version, before;
    lz_value value; /* answered */
    uint32_t op;
};

/* What an operation of a service does. */
struct lz_recorder_role {
    uint16_t op; /* an lz_op */
    uint8_t f;
    bool is_id;
};

struct lz_recorder_txn;
struct lz_recorder_step;
struct lz_recorder_send;
struct lz_recorder_poll;

struct lz_recorder {
    lz_component_id component;
    struct lz_recorder_op *ops; /* in order of begin */
    uint32_t count, cap;
    uint64_t dropped;
    uint64_t
        many; /* writes of several keys at once: not recorded, so that reads cannot be judged */
    uint32_t processes;
    struct lz_recorder_txn *txns; /* in order of begin */
    uint32_t txn_count, txn_cap;
    struct lz_recorder_step *steps;
    uint32_t step_count, step_cap;
    struct lz_recorder_send *sends; /* of a topic, see recorder_log.h */
    uint32_t send_count, send_cap;
    struct lz_recorder_poll *polls;
    uint32_t poll_count, poll_cap;
    uint32_t answers;               /* of real readers */
    struct lz_recorder_mark *marks; /* in the order the servers did them */
    uint32_t mark_count, mark_cap;
    struct lz_recorder_role *roles; /* of a service */
    uint32_t role_count, role_cap;
    uint8_t kinds;     /* bits of enum lz_recorder_kind */
    bool is_per_key;   /* of a service: each key is an object */
    bool has_names;    /* of SQL: a key is the value of a text, "accounts[1].balance" */
    uint64_t hidden;   /* SELECTs that did not say which rows they read */
    uint64_t commit;   /* the highest version given to a transaction */
    bool is_real;      /* of a live run: nobody gives versions */
    bool has_accounts; /* likewise: reads are of all that its accounts hold (recorder_tell.h) */
    bool is_rewound;   /* versions were given out again: what was seen at one is not told */
};

/* Before the run: write down what is done to a component. Again: nothing. */
void lz_recorder_watch(struct lz_world *w, lz_component_id id);

/* Of one that is watched: it is judged as that too. */
void lz_recorder_ask(struct lz_world *w, lz_component_id id, enum lz_recorder_kind kind);

/*
 * Of a service that is watched: what an operation does, READ, ADD, INSERT or MEMBERS. `is_id`:
 * what it answers is an id. False: it was said before that it does something else.
 */
bool lz_recorder_play(struct lz_world *w, lz_component_id id, const char *op,
                      const struct lz_recorder_role *role, struct lz_err *err) LZ_MUST_CHECK;

void lz_recorder_part(struct lz_world *w, lz_component_id id); /* a service: by keys */

/* NULL: it is not recorded. */
const struct lz_recorder *lz_recorder_of(const struct lz_world *w, lz_component_id id);

/* All of them, in order of component; NULL past the end. */
const struct lz_recorder *lz_recorder_at(const struct lz_world *w, size_t i);

struct lz_call;
struct lz_call_result;
struct lz_task;

/* For client.c and call.c. */
bool lz_recorder_is_on(const struct lz_world *w, lz_component_id id);
bool lz_recorder_takes_calls(const struct lz_world *w,
                             lz_component_id id); /* is, and by its calls */
void lz_recorder_begin(struct lz_world *w, struct lz_call *c);
void lz_recorder_end(struct lz_world *w, const struct lz_call *c,
                     const struct lz_call_result *result);
void lz_recorder_forget(struct lz_world *w, const struct lz_call *c); /* nobody hears its end */

/*
 * For servers: the operation of this task saw or wrote `version` of its key; 0: the key was never
 * written. Costs a look at a pointer when nothing is recorded.
 */
void lz_recorder_note(struct lz_world *w, const struct lz_task *t, uint64_t version);

static inline void lz_recorder_effect(struct lz_world *w, const struct lz_task *t, uint64_t version)
{
    if (w->recorders != NULL)
        lz_recorder_note(w, t, version);
}

/* The same, and the mark: made out of version `before`, and answered with `value`. */
struct lz_recorder_made {
    uint64_t version, before;
    lz_value value;
};
void lz_recorder_mark(struct lz_world *w, const struct lz_task *t,
                      const struct lz_recorder_made *made);

static inline void lz_recorder_makes(struct lz_world *w, const struct lz_task *t,
                                     const struct lz_recorder_made *made)
{
    if (w->recorders != NULL)
        lz_recorder_mark(w, t, made);
}

/* The operation changed nothing that others could see: a lock taken again by who holds it. */
void lz_recorder_void(struct lz_world *w, const struct lz_task *t);

/* It wrote what no operation of the history says: of what comes after nobody can judge. */
void lz_recorder_untold(struct lz_world *w, const struct lz_task *t);

/* Does it write nothing? By its first word; `op` is a lz_op. */
bool lz_recorder_is_removal(const struct lz_world *w, uint16_t op);

const char *lz_recorder_f_name(enum lz_recorder_f f); /* "read", "write", "cas", ... */

#endif
