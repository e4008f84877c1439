#include "record/record_rows.h"

#include <math.h>

#include "base/check.h"

static void note(struct lz_record_writer *w, int status)
{
    if (w->status == SQLITE_OK && status != SQLITE_OK)
        w->status = status;
}

struct lz_record_insert lz_record_insert(struct lz_record_writer *w, const char *sql)
{
    LZ_ASSERT(w->db != NULL);
    LZ_ASSERT(sql != NULL);
    struct lz_record_insert i = {.writer = w};
    if (w->status == SQLITE_OK)
        note(w, sqlite3_prepare_v3(w->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &i.statement, NULL));
    return i;
}

// The column to bind next; 0 once the writer has failed.
static int next(struct lz_record_insert *i)
{
    if (i->statement == NULL)
        return 0;
    i->column++;
    LZ_ASSERT(i->column <= sqlite3_bind_parameter_count(i->statement));
    return i->column;
}

void lz_record_put_int(struct lz_record_insert *i, int64_t value)
{
    int column = next(i);
    if (column != 0)
        note(i->writer, sqlite3_bind_int64(i->statement, column, value));
}

// A parameter that is not bound is null.
void lz_record_put_id(struct lz_record_insert *i, uint64_t id)
{
    int column = next(i);
    if (column != 0 && id != 0)
        note(i->writer, sqlite3_bind_int64(i->statement, column, (int64_t)id));
}

void lz_record_put_time(struct lz_record_insert *i, lz_time t)
{
    int column = next(i);
    if (column != 0 && t >= 0)
        note(i->writer, sqlite3_bind_int64(i->statement, column, t));
}

void lz_record_put_real(struct lz_record_insert *i, double value)
{
    int column = next(i);
    if (column != 0 && isfinite(value))
        note(i->writer, sqlite3_bind_double(i->statement, column, value));
}

void lz_record_put_text(struct lz_record_insert *i, const char *text)
{
    int column = next(i);
    if (column != 0 && text != NULL)
        note(i->writer, sqlite3_bind_text(i->statement, column, text, -1, SQLITE_STATIC));
}

void lz_record_end_row(struct lz_record_insert *i)
{
    if (i->statement == NULL)
        return;
    LZ_ASSERT(i->column == sqlite3_bind_parameter_count(i->statement));
    int status = sqlite3_step(i->statement);
    note(i->writer, status == SQLITE_DONE ? SQLITE_OK : status);
    sqlite3_reset(i->statement);
    sqlite3_clear_bindings(i->statement);
    i->column = 0;
}

void lz_record_finish(struct lz_record_insert *i)
{
    LZ_ASSERT(i->column == 0);
    sqlite3_finalize(i->statement);
    i->statement = NULL;
}
