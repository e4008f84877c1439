/*
 * history_write.h — what was recorded, as JSON lines that history_read.h reads back.
 *
 * An event a line, in the order they happened: {"process":3,"type":"invoke","f":"write","key":5,
 * "value":17,"time":1200000000}, and its end with type ok, fail or info. A transaction is an event
 * with f "txn", and what it did is its value: [["r",5,17],["append",6,3]]; keys of SQL are texts.
 * Times are nanoseconds of the run.
 */
#ifndef LZ_CHECK_HISTORY_HISTORY_WRITE_H
#define LZ_CHECK_HISTORY_HISTORY_WRITE_H

#include "base/str.h"
#include "model/history/recorder.h"

/* For several components in one file: numbers and keys of their own. */
struct lz_history_naming {
    uint32_t process_first;
    const char *key_prefix; /* NULL: keys are numbers */
};

void lz_history_write(const struct lz_world *w, const struct lz_recorder *r,
                      const struct lz_history_naming *naming, struct lz_str *out);

#endif
