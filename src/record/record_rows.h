/*
 * record_rows.h — inside record/: rows on their way into the database.
 *
 * A *writer* is the database being filled and its first failure, which sticks: rows are
 * put without asking, and whoever made the writer asks once, at the end. An *insert* is
 * a prepared statement and the column that comes next; a row is its columns in order
 * and then lz_record_end_row:
 *
 *     struct lz_record_insert i = lz_record_insert(w, "insert into param values (?, ?)");
 *     lz_record_put_text(&i, "retries");
 *     lz_record_put_text(&i, "3");
 *     lz_record_end_row(&i);
 *     lz_record_finish(&i);
 *
 * Texts are not copied: they must live until the row has ended.
 */
#ifndef LZ_RECORD_RECORD_ROWS_H
#define LZ_RECORD_RECORD_ROWS_H

#include <sqlite3.h>
#include <stdint.h>

#include "record/record.h"

/* "LRNZ", in the header of every run file. */
#define LZ_RECORD_APPLICATION_ID 0x4c524e5a

struct lz_record_writer {
    sqlite3 *db;
    int status; /* SQLITE_OK, or the first failure */
};

struct lz_record_insert {
    struct lz_record_writer *writer;
    sqlite3_stmt *statement; /* NULL: the writer has failed */
    int column;              /* of the last value put; the first is 1 */
};

extern const char lz_record_schema[]; /* the statements that make the tables */

struct lz_record_insert lz_record_insert(struct lz_record_writer *w, const char *sql);
void lz_record_put_int(struct lz_record_insert *i, int64_t value);
void lz_record_put_id(struct lz_record_insert *i, uint64_t id);        /* 0: null */
void lz_record_put_time(struct lz_record_insert *i, lz_time t);        /* negative: null */
void lz_record_put_real(struct lz_record_insert *i, double value);     /* not finite: null */
void lz_record_put_text(struct lz_record_insert *i, const char *text); /* NULL: null */
void lz_record_end_row(struct lz_record_insert *i);
void lz_record_finish(struct lz_record_insert *i);

/* What exists and what it measured: component, instance, metric, series. */
void lz_record_put_world(struct lz_record_writer *w, const struct lz_world *world);

/* What happened: event, request, span. */
void lz_record_put_events(struct lz_record_writer *w, const struct lz_world *world);
void lz_record_put_requests(struct lz_record_writer *w, const struct lz_world *world);

/* What went wrong on purpose, and what should have held: fault, expectation. */
void lz_record_put_faults(struct lz_record_writer *w, const struct lz_world *world,
                          const struct lz_faults *faults);
void lz_record_put_checks(struct lz_record_writer *w, const struct lz_world *world,
                          const struct lz_checks *checks);

/* What clients did and saw, where it was recorded: history. */
void lz_record_put_histories(struct lz_record_writer *w, const struct lz_world *world);

#endif
