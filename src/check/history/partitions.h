/*
 * partitions.h — a topic's history: sends and polls, against a log in partitions.
 *
 * After Jepsen's checker of Kafka. From what producers were told and readers were given:
 *
 *   lost-write            two sends were acknowledged at one offset, or a reader found one there
 *                         after the other had been acknowledged
 *   inconsistent-offset   different records were read at one offset, or one of them that nobody
 *                         was told of
 *   duplicate             one send was read at two offsets
 *   reordered             of one producer, one partition: a later send was read before an earlier
 *   unexpected            a record that nobody had sent
 *   aborted-read          a record whose send had failed, or whose transaction was aborted
 *
 * What was acknowledged and that nobody read may still be there: it is counted. The white box, the
 * broker's own account of which acknowledged batches are gone, decides of those; and it must have
 * lost what readers prove to be lost, and have written twice what they read twice.
 */
#ifndef LZ_CHECK_HISTORY_PARTITIONS_H
#define LZ_CHECK_HISTORY_PARTITIONS_H

#include "check/history/judge.h"

/* `tolerates`: some of "duplicate", "reordered" and "aborted-read", a space between; NULL: nothing.
 */
void lz_partitions_judge(const struct lz_recorder *r, const char *tolerates,
                         struct lz_judge_result *out);

/* What a file says of a send or a poll. */
struct lz_partitions_source {
    const struct lz_history_op *op;
    const struct lz_history_part *part;
    const struct lz_history_op *failed; /* of a poll: the send of its record */
    const struct lz_history_part *failed_part;
};

/* A file's sends and polls as a recorder has them, and beside each where it stands. */
struct lz_partitions_read {
    const struct lz_recorder *r;
    const struct lz_history *h;
    const struct lz_partitions_source *sent, *polled;
};

/* The anomaly's name, which outlives it; NULL: there is none. */
const char *lz_partitions_judge_read(const struct lz_partitions_read *read, const char *tolerates,
                                     struct lz_judge_result *out);

/* partitions_read.c: of a history that was read, model.h's kind of checker. */
bool lz_partitions_check(struct lz_verify *v, const struct lz_verify_model *model,
                         struct lz_err *err) LZ_MUST_CHECK;

#endif
