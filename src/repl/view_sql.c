/* view_sql.c — questions to a run as it stands, and the run for other programs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/view.h"

#define ROWS_SHOWN 200

// A cell as it can stand in a line: cleaned by the pen, without ends of lines.
static void add_cell(struct lz_str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        lz_str_add_char(out, *c == '\n' || *c == '\t' ? ' ' : *c);
}

// Rows as columns, as wide as what is in them; what does not fit is cut.
static void say_table(struct lz_repl *r, struct lz_str *cells, int columns, int rows)
{
    int *widths = lz_mem_alloc((size_t)(columns + 1) * sizeof(widths[0]));
    for (int c = 0; c < columns; c++) {
        widths[c] = 0;
        for (int row = 0; row < rows; row++) {
            int width = lz_pen_width(cells[row * columns + c].text);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &r->style);
    for (int row = 0; row < rows; row++) {
        int at = 0;
        for (int c = 0; c < columns; c++) {
            lz_pen_to(&pen, at);
            lz_pen_add(&pen, LZ_TINT_NONE, cells[row * columns + c].text);
            at += widths[c] + 2;
        }
        lz_pen_end(&pen);
    }
    lz_view_say(r, &text);
    lz_str_finish(&text);
    free(widths);
}

static void say_rows(struct lz_repl *r, sqlite3_stmt *q)
{
    int columns = sqlite3_column_count(q), rows = 0, rc;
    size_t cap = (size_t)(columns > 0 ? columns : 1) * ROWS_SHOWN;
    struct lz_str *cells = lz_mem_alloc(cap * sizeof(cells[0]));
    while ((rc = sqlite3_step(q)) == SQLITE_ROW && rows < ROWS_SHOWN) {
        for (int c = 0; c < columns; c++) {
            const char *text = (const char *)sqlite3_column_text(q, c);
            struct lz_str *cell = &cells[rows * columns + c];
            lz_str_init(cell);
            add_cell(cell, text != NULL ? text : "");
        }
        rows++;
    }
    if (rows > 0)
        say_table(r, cells, columns, rows);
    for (int i = 0; i < rows * columns; i++)
        lz_str_finish(&cells[i]);
    free(cells);
    if (rc == SQLITE_INTERRUPT)
        lz_repl_say(r, "error: interrupted");
    else if (rc == SQLITE_ROW)
        lz_repl_say(r, "... more than %d rows: say limit", ROWS_SHOWN);
    else if (rc != SQLITE_DONE)
        lz_repl_say(r, "error: %s", sqlite3_errmsg(sqlite3_db_handle(q)));
    else if (rows == 0)
        lz_repl_say(r, "no rows");
}

static int only_reads(void *ctx, int action, const char *a, const char *b, const char *c,
                      const char *d)
{
    (void)ctx;
    (void)a;
    (void)c;
    (void)d;
    bool is_file = b != NULL && (strcmp(b, "load_extension") == 0 || strcmp(b, "writefile") == 0 ||
                                 strcmp(b, "readfile") == 0);
    bool reads = action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ||
                 action == SQLITE_FUNCTION;
    return reads && !is_file ? SQLITE_OK : SQLITE_DENY;
}

// An endless question is stopped as an endless run is.
static int on_progress(void *ctx)
{
    (void)ctx;
    return lz_tree_is_interrupted();
}

void lz_views_sql(struct lz_repl *r, const char *args)
{
    struct lz_view_record v;
    if (args[0] == '\0') {
        lz_repl_say(r,
                    "error: .sql QUERY; tables: run component instance metric series event fault "
                    "expectation request span");
        return;
    }
    if (!lz_view_open(r, r->tree.current, &v))
        return;
    sqlite3_stmt *q = NULL;
    sqlite3_set_authorizer(v.run->db, only_reads, NULL);
    lz_tree_begin_line();
    sqlite3_progress_handler(v.run->db, 10000, on_progress, NULL);
    if (sqlite3_prepare_v2(v.run->db, args, -1, &q, NULL) != SQLITE_OK || q == NULL)
        lz_repl_say(r, "error: %s",
                    q == NULL && sqlite3_errcode(v.run->db) == SQLITE_OK
                        ? "there is no question"
                        : sqlite3_errmsg(v.run->db));
    else
        say_rows(r, q);
    sqlite3_finalize(q);
    sqlite3_progress_handler(v.run->db, 0, NULL, NULL);
    sqlite3_set_authorizer(v.run->db, NULL, NULL);
    lz_view_close(&v);
}

// ---------------------------------------------------------------- files

static bool write_file(struct lz_repl *r, const char *path, const struct lz_str *text)
{
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fwrite(text->text, 1, text->len, f) == text->len;
    if (f != NULL && fclose(f) != 0)
        ok = false;
    if (ok)
        lz_repl_say(r, "%s", path);
    else
        lz_repl_say(r, "error: %s cannot be written: %s", path, strerror(errno));
    return ok;
}

static void list_formats(struct lz_repl *r)
{
    lz_repl_say(r, "error: .export FORMAT=FILE; formats:");
    lz_repl_say(r, "  %-12s %s", "lua", "the scenario's text, with what was changed here");
    for (size_t i = 0; i < lz_report_format_count(); i++) {
        char line[256];
        int n = snprintf(line, sizeof(line), "  %-12s %s", lz_report_format_get(i)->name,
                         lz_report_format_get(i)->doc);
        lz_repl_cut(r, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    }
}

void lz_views_export(struct lz_repl *r, const char *args)
{
    const char *path = strchr(args, '=');
    char name[32] = "";
    if (path != NULL && path - args < (long)sizeof(name))
        snprintf(name, sizeof(name), "%.*s", (int)(path - args), args);
    const struct lz_report_format *format = lz_report_format_find(name);
    bool is_text = strcmp(name, "lua") == 0;
    if (path == NULL || path[1] == '\0' || (format == NULL && !is_text)) {
        list_formats(r);
        return;
    }
    struct lz_str text;
    lz_str_init(&text);
    struct lz_view_record v;
    if (is_text) {
        lz_str_add(&text, lz_tree_source(&r->tree, &r->opts->stage));
        write_file(r, path + 1, &text);
    } else if (lz_view_open(r, r->tree.current, &v)) {
        const struct lz_report_options options = {.version = r->opts->stage.version,
                                                  .seed = r->opts->stage.seed};
        format->write(&text, &options, &v.run, 1);
        write_file(r, path + 1, &text);
        lz_view_close(&v);
    }
    lz_str_finish(&text);
}
