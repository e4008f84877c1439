/*
 * recorder_tell.h — what real clients are told of a whole: all accounts of a database at once, and
 * the records of a topic.
 *
 * A live run sees requests and answers, and no transaction step by step. But an answer may say what
 * all accounts hold, which is a transaction that has read them all: that they add up to the same
 * each time is what `conserved` asks. And who writes a record is told its offset, who reads one is
 * told where it stood: that is all of a topic's history (recorder_log.h) but what its broker knows.
 *
 * A read is numbered where it begins and where it is heard; one that never ends has told nothing.
 */
#ifndef LZ_MODEL_HISTORY_RECORDER_TELL_H
#define LZ_MODEL_HISTORY_RECORDER_TELL_H

#include "model/history/recorder.h"

/* Before the run, of a component that is recorded: its reads tell what its accounts hold. */
void lz_recorder_tell_accounts(struct lz_world *w, lz_component_id id);
bool lz_recorder_has_accounts(const struct lz_world *w, lz_component_id id);

struct lz_recorder_account {
    const char *name; /* need not end with NUL */
    size_t size;
    int64_t holds;
};

/* All are asked for by `who` (0: it does nothing else); 0: there are too many operations. */
uint32_t lz_recorder_tell_ask(struct lz_world *w, lz_component_id of, uint64_t who);
/* And told; NULL: nobody was, or not to be understood. `read` 0: nothing. */
void lz_recorder_tell_told(struct lz_world *w, lz_component_id of, uint32_t read,
                           const struct lz_recorder_account *accounts, size_t count);

/* A record is sent to a topic. Its number, from 1, is what it says; 0: there are too many. */
uint32_t lz_recorder_tell_send(struct lz_world *w, lz_component_id topic, uint64_t who);

/* Where it stands, as its producer was told, or a reader. */
struct lz_recorder_place {
    uint32_t partition;
    uint64_t offset;
};
/* It is acknowledged; `place` NULL: that is all its producer was told. `send` 0: nothing. */
void lz_recorder_tell_sent(struct lz_world *w, lz_component_id topic, uint32_t send,
                           const struct lz_recorder_place *place);
/* Nobody will hear. */
void lz_recorder_tell_lost_sight(struct lz_world *w, lz_component_id topic, uint32_t send);
/*
 * A reader was given these, asked for at `asked`: what stands in a row in each of their partitions,
 * as far as they go. So what was acknowledged before, stands between them and is not there is lost.
 * `send` is what a record says; 0, or above all that were sent: a stranger's. What is read again
 * where it was read before is not written down again.
 */
struct lz_recorder_told {
    struct lz_recorder_place at;
    uint64_t send;
};
void lz_recorder_tell_read(struct lz_world *w, lz_component_id topic, lz_time asked,
                           const struct lz_recorder_told *records, size_t count);

#endif
