/*
 * recorder_log.h — what producers sent to a topic and what its readers were given.
 *
 * A *send* is a batch of a producer to one partition, from the instant it first leaves until the
 * producer is told what became of it; acknowledged, it knows the offset. Its retries are the same
 * send: whoever reads it at two offsets has read a duplicate. A call that writes a record
 * (`req:call { topic, "produce" }`) is a send of its own, answered when its leader answers it. A
 * *poll* is a piece of a send, at an offset, that came to a member of a group.
 *
 * White box: how often a send was appended to a leader's log, and whether one of these batches was
 * lost after it was acknowledged (topic.h).
 *
 * Sends and polls are numbered with all operations of the run (recorder.h), and stand in their
 * order. Nothing is recorded, at the cost of a look, unless an expectation asks for it.
 */
#ifndef LZ_MODEL_HISTORY_RECORDER_LOG_H
#define LZ_MODEL_HISTORY_RECORDER_LOG_H

#include "model/history/recorder.h"

struct lz_recorder_send {
    uint64_t begin, end; /* end 0: it never ended */
    lz_time at, done;
    uint64_t offset; /* of its first record, as its producer was told */
    uint32_t producer, partition, count;
    uint32_t appended; /* times it came to a leader's log */
    uint8_t outcome;   /* enum lz_recorder_outcome; FAIL: its transaction was aborted, and its
                          producer   was told. Who gives up does not know */
    bool has_offset;
    bool is_lost;
    bool is_read;         /* of a real one: a reader was given it, at */
    uint64_t read_offset; /* this offset first */
    uint64_t who;         /* sent it; 0: who sends nothing else */
    uint32_t told;        /* the latest answer of a reader that it was in */
};

struct lz_recorder_poll {
    uint64_t number; /* 0: not heard */
    lz_time at;
    uint64_t offset;
    uint32_t group, member, partition, count;
    uint32_t send; /* index + 1 */
};

static inline bool lz_recorder_log_is_on(const struct lz_world *w, lz_component_id topic)
{
    return w->recorders != NULL && lz_recorder_is_on(w, topic);
}

/* Of a recorded topic. Gives the send's number, index + 1; 0: there are too many. */
uint32_t lz_recorder_log_send(struct lz_world *w, lz_component_id topic,
                              const struct lz_recorder_send *send);
/* These accept 0: nothing. */
void lz_recorder_log_answered(struct lz_world *w, lz_component_id topic, uint32_t send,
                              const uint64_t *offset);
void lz_recorder_log_aborted(struct lz_world *w, lz_component_id topic, uint32_t send);
void lz_recorder_log_gave_up(struct lz_world *w, lz_component_id topic, uint32_t send);
void lz_recorder_log_appended(struct lz_world *w, lz_component_id topic, uint32_t send);
void lz_recorder_log_lost(struct lz_world *w, lz_component_id topic, uint32_t send);

/* What is on its way to a member: gives its place, index + 1. Then it was heard, so many. */
uint32_t lz_recorder_log_offer(struct lz_world *w, lz_component_id topic,
                               const struct lz_recorder_poll *poll);
void lz_recorder_log_heard(struct lz_world *w, lz_component_id topic, uint32_t first,
                           uint32_t count);

#endif
