// What was recorded of clients' operations, a line for each beginning and end: what
// `lorenz verify-history` reads. One run's, the first that recorded any: operations of two runs
// have no order. Of one with more operations than a record keeps a single line says how many.

#include "report/history.h"

#include "report/run.h"

void lz_history_lines(struct lz_str *out, const struct lz_report_options *options,
                      struct lz_report_run *const *runs, size_t count)
{
    (void)options;
    for (size_t i = 0; i < count && out->len == 0; i++) {
        if (runs[i]->db == NULL)
            continue;
        sqlite3_stmt *q = lz_run_ask(runs[i], "select lines from history order by rowid", 0, 0);
        while (lz_run_next(&q))
            lz_str_add(out, lz_run_text(q, 0));
    }
}
