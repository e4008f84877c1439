/*
 * history_write.h — what was recorded, as JSON lines that history_read.h reads back.
 *
 * An event a line, in the order they happened: {"process":3,"type":"invoke","f":"write","key":5,
 * "value":17,"time":1200000000}, and its end with type ok, fail or info. A transaction is an event
 * with f "txn", and what it did is its value: [["r",5,17],["append",6,3]]; keys of SQL are texts.
 * Times are nanoseconds of the run.
 *
 * Counters and sets: f "add", whose end says beside `value` in `sum` what the counter came to, and
 * "read"; ids: "generate". A topic's, as Jepsen's test of Kafka writes them: f "send" with
 * [["send",partition,record]], answered with [["send",partition,[offset,record]]], and "poll" with
 * [["poll",{"partition":[[offset,record]]}]]; `client` is the producer, the member that polled.
 * What its broker knows to be lost is one more event, of the process "broker": f "lost" with
 * [["lost",partition,record]].
 *
 * What one component is asked of may be of several kinds, registers and counters, say: each is a
 * history by itself. In a file with several each event says which it is of, in `of`.
 */
#ifndef LZ_CHECK_HISTORY_HISTORY_WRITE_H
#define LZ_CHECK_HISTORY_HISTORY_WRITE_H

#include "base/str.h"
#include "model/history/recorder.h"

/* For several histories in one file: numbers and keys of their own. */
struct lz_history_naming {
    uint32_t process_first; /* raised by as many as were used */
    const char *key_prefix; /* NULL: there is one history */
    char of[96];            /* "redis counter"; empty: there is one */
};

/* How many histories there are of what was recorded; of each how many operations, at most. */
uint32_t lz_history_count(const struct lz_recorder *r);
uint64_t lz_history_lines_max(const struct lz_recorder *r);

void lz_history_write(const struct lz_world *w, const struct lz_recorder *r,
                      struct lz_history_naming *naming, struct lz_str *out);

/* For the parts of it. */
void lz_history_write_value(struct lz_str *out, const struct lz_world *w, uint64_t value);
void lz_history_write_list(struct lz_str *out, const struct lz_world *w, uint64_t list);
void lz_history_write_of(struct lz_str *out, const struct lz_history_naming *naming);
void lz_history_write_key(struct lz_str *out, const struct lz_history_naming *naming, int64_t key);

/* history_write_counts.c, history_write_log.c */
void lz_history_write_counts(const struct lz_world *w, const struct lz_recorder *r,
                             enum lz_recorder_kind kind, struct lz_history_naming *naming,
                             struct lz_str *out);
void lz_history_write_log(const struct lz_recorder *r, struct lz_history_naming *naming,
                          struct lz_str *out);

#endif
