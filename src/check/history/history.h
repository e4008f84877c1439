/*
 * history.h — what clients did and saw: operations as intervals.
 *
 * An operation is invoked by a process and completes: `ok` (it happened), `fail` (it did not)
 * or `info` (nobody knows: it may take effect at any time after it was invoked, or never).
 * Begin and end are positions in one order of events; operations whose intervals do not
 * overlap happened one after the other, all others are concurrent. A process has at most one
 * operation open.
 *
 * An operation has *parts*: one for a read or a write, one for each micro-operation of a
 * transaction, one for each account of a bank's balance. What is read and written is an
 * *atom*, a number for each different value, so that checkers compare integers; 0 is nil.
 *
 * Ownership: a history owns its memory (malloc's); it does not refer to the text it was read
 * from. At most LZ_HISTORY_OPS_MAX operations, refused with LZ_EFULL.
 */
#ifndef LZ_CHECK_HISTORY_HISTORY_H
#define LZ_CHECK_HISTORY_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define LZ_HISTORY_OPS_MAX 100000000u
#define LZ_HISTORY_NEVER INT64_MAX /* the end of what never completed */

typedef uint32_t lz_atom; /* 0: nil */

enum lz_history_f {
    LZ_HISTORY_READ,
    LZ_HISTORY_WRITE,
    LZ_HISTORY_CAS,      /* value to value_b, if it was value */
    LZ_HISTORY_CAS_MISS, /* it was not value */
    LZ_HISTORY_APPEND,
    LZ_HISTORY_ADD, /* to a set or a counter */
    LZ_HISTORY_ENQUEUE,
    LZ_HISTORY_DEQUEUE,
    LZ_HISTORY_ACQUIRE,
    LZ_HISTORY_RELEASE,
    LZ_HISTORY_TRANSFER, /* key: from, value_b: to, value: how much */
    LZ_HISTORY_GENERATE, /* of a unique id */
    LZ_HISTORY_SEND,     /* key: partition, value: record, value_b: its offset, if it was told */
    LZ_HISTORY_POLL,     /* the same, of what was read */
    LZ_HISTORY_LOST,     /* the same: the broker knows that it is */
    LZ_HISTORY_FS,
};

enum lz_history_outcome { LZ_HISTORY_OK, LZ_HISTORY_FAIL, LZ_HISTORY_INFO };

struct lz_history_part {
    uint8_t f;
    bool is_known; /* of a READ: what it saw is known */
    bool is_list;  /* of a READ: it saw several values */
    lz_atom key;
    lz_atom value, value_b;
    uint32_t list_first, list_count; /* in the history's list */
};

struct lz_history_op {
    uint32_t process; /* index of a name */
    uint32_t line;    /* where it was invoked; 0: not from a file */
    uint32_t part_first, part_count;
    uint32_t client; /* of SEND and POLL: who did it, + 1; 0: its process */
    uint8_t outcome;
    bool is_txn;
    int64_t begin, end;
    int64_t at, done; /* ns, as the history says; 0: it does not */
};

struct lz_history_atom {
    bool is_integer;
    int64_t integer;
    const char *text; /* NULL for an integer */
};

struct lz_history {
    struct lz_history_op *ops; /* in order of begin */
    uint32_t op_count, op_cap;
    struct lz_history_part *parts;
    uint32_t part_count, part_cap;
    lz_atom *list;
    uint32_t list_count, list_cap;
    struct lz_history_atom *atoms; /* [0] is nil */
    uint32_t atom_count, atom_cap;
    uint32_t *atom_slots; /* open addressing, a power of two */
    uint32_t atom_slot_count;
    char **processes;
    uint32_t process_count, process_cap;
    lz_atom initial;     /* of registers; as its format has it */
    bool nil_is_unknown; /* a read of nil saw anything; as its format has it */
    uint32_t events;     /* what was read, also of processes that are no clients */
};

void lz_history_init(struct lz_history *h);
void lz_history_finish(struct lz_history *h);

lz_atom lz_history_integer(struct lz_history *h, int64_t integer);
lz_atom lz_history_text(struct lz_history *h, const char *text);

/* The index of a process by its name. */
uint32_t lz_history_process(struct lz_history *h, const char *name);

/* Add an operation; its parts follow. Operations may come in any order until lz_history_sort. */
struct lz_history_op *lz_history_add(struct lz_history *h, uint32_t process, int64_t begin);
struct lz_history_part *lz_history_add_part(struct lz_history *h, struct lz_history_op *op,
                                            enum lz_history_f f);
void lz_history_add_value(struct lz_history *h, struct lz_history_part *part, lz_atom value);

/* By begin, stable. */
void lz_history_sort(struct lz_history *h);

static inline const struct lz_history_part *
lz_history_part(const struct lz_history *h, const struct lz_history_op *op, uint32_t i)
{
    return &h->parts[op->part_first + i];
}

/* "7", "x", "nil"; and "process 3: cas 1 to 2 (line 12)". */
void lz_history_show_atom(const struct lz_history *h, lz_atom atom, struct lz_str *out);
void lz_history_show(const struct lz_history *h, const struct lz_history_op *op,
                     struct lz_str *out);

#endif
