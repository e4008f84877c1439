/* recorder_state.h — what the recorder's parts share: who does what now. */
#ifndef LZ_MODEL_HISTORY_RECORDER_STATE_H
#define LZ_MODEL_HISTORY_RECORDER_STATE_H

#include "model/history/recorder_txn.h"

/* Who a process is, and which number it has now. */
struct lz_recorder_process {
    uint64_t who; /* 0: free place */
    uint32_t number;
    bool is_open; /* an operation of it has not ended, or ended unknown */
};

/* Where the operation of a call under way stands, by the call's index. */
struct lz_recorder_under_way {
    uint64_t call; /* 0: none */
    uint32_t recorder, op, process;
    bool is_txn;   /* `op` is a transaction */
    bool is_ended; /* its client hears no more of it; a server may still */
};

struct lz_recorders {
    struct lz_recorder *all;
    uint32_t count, cap;
    uint32_t *by_component; /* recorder + 1 */
    uint32_t component_cap;
    struct lz_recorder_under_way *calls;
    uint32_t call_cap;
    struct lz_recorder_process *processes;
    uint32_t process_count, process_cap;
    uint64_t numbers; /* of beginnings and ends */
    uint8_t *fs;      /* by operation, one more than it is */
    uint32_t f_cap;
};

/* Who does it, of those who do one thing after another; 0: it is the only thing they do. */
uint64_t lz_recorder_who(const struct lz_world *w, const struct lz_call *c, lz_component_id to);
uint32_t lz_recorder_process_take(struct lz_world *w, struct lz_recorder *r, uint64_t who);
void lz_recorder_process_give(struct lz_world *w, uint64_t who, uint32_t number);

/* What an operation does, by its first word, or of a service as an expectation says. */
enum lz_recorder_f lz_recorder_f_for(struct lz_world *w, const struct lz_recorder *r, uint16_t op,
                                     bool *is_id);

/* NULL: nobody waits for its end. */
struct lz_recorder_under_way *lz_recorder_under_way(const struct lz_world *w, uint64_t call);
struct lz_recorder_under_way *lz_recorder_sent(struct lz_world *w, const struct lz_call *c);

/* recorder_txn.c: true if the call is a transaction's, and written down as such. */
bool lz_recorder_txn_begins(struct lz_world *w, uint32_t recorder, const struct lz_call *c);

/* `result` is NULL: nobody hears its end. */
void lz_recorder_txn_answered(struct lz_world *w, const struct lz_recorder_under_way *u,
                              const struct lz_call *c, const struct lz_call_result *result);

#endif
