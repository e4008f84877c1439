/*
 * history_read_log.h — operations on a topic, as Jepsen's test of Kafka writes them: lists of
 * [send k v], answered with [send k [offset v]], of [poll {k [[offset v]]}] and of [lost k v].
 *
 * What it does beside, subscribe, assign, crash and debug-topic-partitions, moves no record and is
 * read over: in a topic's history alone.
 */
#ifndef LZ_CHECK_HISTORY_HISTORY_READ_LOG_H
#define LZ_CHECK_HISTORY_HISTORY_READ_LOG_H

#include "check/history/history.h"
#include "check/history/value.h"

/* Is an operation `f` with that value one? */
bool lz_history_read_is_log(const struct lz_value *f, const struct lz_value *v);

/* Does `f` move no record? Then its history must be of a topic, or have nothing else. */
bool lz_history_read_is_aside(const struct lz_value *f);
bool lz_history_read_has_log(const struct lz_history *h);

/* Its parts. */
bool lz_history_read_log(struct lz_history *h, struct lz_history_op *op, const struct lz_value *v,
                         struct lz_err *err) LZ_MUST_CHECK;

#endif
