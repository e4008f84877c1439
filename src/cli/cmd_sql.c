/* cmd_sql.c — `lorenz sql`: a question to a recorded run, in SQL. */
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "report/json.h"
#include "report/pen.h"
#include "report/run.h"

#define STEPS_MAX 500000000 // virtual machine instructions; a question without end has more

#define TABLE_WIDTH 13 // columns of a table's name

#define TABLES                                                                                     \
    "select m.name as \"table\", group_concat(p.name, ', ') as columns"                            \
    " from sqlite_schema m, pragma_table_info(m.name) p where m.type = 'table' group by m.name"

enum manner { COLUMNS, TABS, JSON_LINES };

struct sql_flags {
    struct lz_flags common;
    enum manner manner;
};

static bool take_format(void *into, const char *value, struct lz_err *err)
{
    static const char *const words[] = {"columns", "tabs", "json"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(words[i], value) == 0) {
            ((struct sql_flags *)into)->manner = (enum manner)i;
            return true;
        }
    }
    return lz_fail(err, LZ_EINVAL, "expected columns, tabs or json, got \"%s\"", value);
}

static const struct lz_opt options[] = {
    {"format", 'f', "columns|tabs|json", "how rows are written (default columns)", take_format},
};

static int give_up(void *ctx)
{
    int *left = ctx;
    return --*left <= 0;
}

static void add_value(struct lz_str *out, sqlite3_stmt *q, int column, bool is_json)
{
    int type = sqlite3_column_type(q, column);
    const char *text = (const char *)sqlite3_column_text(q, column);
    if (type == SQLITE_NULL)
        lz_str_add(out, is_json ? "null" : "");
    else if (type == SQLITE_FLOAT)
        lz_json_number(out, sqlite3_column_double(q, column));
    else if (is_json && type != SQLITE_INTEGER)
        lz_json_string(out, text);
    else if (type == SQLITE_INTEGER)
        lz_str_add(out, text);
    else // a tab or a line break of a text would be one of the table
        for (const char *c = text; *c != '\0'; c++)
            lz_str_add_char(out, (unsigned char)*c >= 0x20 && *c != 0x7f ? *c : ' ');
}

static void write_json(sqlite3_stmt *q, struct lz_str *out)
{
    int count = sqlite3_column_count(q);
    for (int i = 0; i < count; i++) {
        lz_str_add_char(out, i > 0 ? ',' : '{');
        lz_json_string(out, sqlite3_column_name(q, i));
        lz_str_add_char(out, ':');
        add_value(out, q, i, true);
    }
    lz_str_add(out, "}\n");
}

static void write_tabs(sqlite3_stmt *q, struct lz_str *out)
{
    int count = sqlite3_column_count(q);
    for (int i = 0; i < count; i++) {
        lz_str_add(out, i > 0 ? "\t" : "");
        add_value(out, q, i, false);
    }
    lz_str_add_char(out, '\n');
}

// Rows of texts between tabs as columns of equal width.
static void align(const struct lz_str *rows, int columns, struct lz_str *out)
{
    size_t *widths = lz_mem_alloc(((size_t)columns + 1) * sizeof(widths[0]));
    memset(widths, 0, ((size_t)columns + 1) * sizeof(widths[0]));
    for (int pass = 0; pass < 2; pass++) {
        int column = 0;
        for (const char *c = rows->text; *c != '\0';) {
            struct lz_str cell;
            size_t len = strcspn(c, "\t\n");
            lz_str_init(&cell);
            lz_str_add_n(&cell, c, len);
            size_t width = lz_str_width(cell.text);
            bool is_last = c[len] == '\n';
            if (pass == 0 && width > widths[column])
                widths[column] = width;
            if (pass == 1) {
                lz_str_add(out, cell.text);
                lz_str_add_repeat(out, " ", is_last ? 0 : widths[column] - width + 2);
                lz_str_add(out, is_last ? "\n" : "");
            }
            column = is_last ? 0 : column + 1;
            c += len + (c[len] != '\0');
            lz_str_finish(&cell);
        }
    }
    free(widths);
}

static enum lz_exit answer(const struct sql_flags *f, struct sqlite3 *db, const char *sql,
                           struct lz_out *out)
{
    struct lz_str rows;
    sqlite3_stmt *q = NULL;
    int left = STEPS_MAX / 1000000;
    const char *rest = "";
    int status = sqlite3_prepare_v2(db, sql, -1, &q, &rest);
    if (status == SQLITE_OK && (q == NULL || rest[strspn(rest, " \t\n;")] != '\0')) {
        fprintf(stderr, "lorenz sql: one question at a time\n");
        sqlite3_finalize(q);
        return LZ_EXIT_USAGE;
    }
    sqlite3_progress_handler(db, 1000000, give_up, &left);
    lz_str_init(&rows);
    int columns = sqlite3_column_count(q);
    for (int i = 0; i < columns && f->manner != JSON_LINES; i++)
        lz_str_addf(&rows, "%s%s", i > 0 ? "\t" : "", sqlite3_column_name(q, i));
    lz_str_add(&rows, columns > 0 && f->manner != JSON_LINES ? "\n" : "");
    while (status == SQLITE_OK && (status = sqlite3_step(q)) == SQLITE_ROW) {
        if (f->manner == JSON_LINES)
            write_json(q, &rows);
        else
            write_tabs(q, &rows);
        status = SQLITE_OK;
    }
    bool ok = status == SQLITE_DONE;
    if (!ok)
        fprintf(stderr, "lorenz sql: %s\n%s\n", sqlite3_errmsg(db),
                status == SQLITE_READONLY ? "help: a run file is only read"
                                          : "help: without a question it lists tables and columns");
    sqlite3_finalize(q);
    struct lz_str aligned;
    lz_str_init(&aligned);
    if (f->manner == COLUMNS)
        align(&rows, columns, &aligned);
    const struct lz_str *shown = f->manner == COLUMNS ? &aligned : &rows;
    if (ok)
        lz_out_write(out, shown->text, shown->len);
    lz_str_finish(&aligned);
    lz_str_finish(&rows);
    return ok ? LZ_EXIT_OK : LZ_EXIT_USAGE;
}

// Without a question: what could be asked about, a table each.
static void list_tables(const struct sql_flags *f, const struct lz_report_run *run,
                        struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    const struct lz_report_style style = {
        .colour = term.colour, .ascii = term.ascii, .width = term.width};
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &style);
    sqlite3_stmt *q = lz_run_ask(run, TABLES, 0, 0);
    while (lz_run_next(&q)) {
        lz_pen_addf(&pen, LZ_TINT_BOLD, "%-*s", TABLE_WIDTH - 1, lz_run_text(q, 0));
        lz_pen_wrap(&pen, LZ_TINT_NONE, lz_run_text(q, 1), TABLE_WIDTH);
    }
    lz_out_write(out, text.text, text.len);
    lz_str_finish(&text);
}

static enum lz_exit ask(const struct sql_flags *f, const struct lz_opts_rest *rest,
                        struct lz_out *out)
{
    struct lz_runs_file file;
    struct lz_err err;
    if (rest->count == 0 || rest->count > 2) {
        fprintf(stderr,
                "lorenz sql: takes a run and a question\n"
                "help: lorenz sql db_failover-1 \"select name, verdict from expectation\"\n");
        return LZ_EXIT_USAGE;
    }
    if (!lz_runs_open(rest->items[0], &file, &err)) {
        fprintf(stderr, "lorenz sql: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    bool is_plain = rest->count == 1 && f->manner == COLUMNS;
    const char *sql = rest->count == 2 ? rest->items[1] : TABLES;
    enum lz_exit status = LZ_EXIT_OK;
    if (is_plain)
        list_tables(f, file.report, out);
    else
        status = answer(f, file.report->db, sql, out);
    lz_runs_close(&file);
    return status;
}

static enum lz_exit cmd_sql(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest rest;
    struct sql_flags flags = {0};
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &rest, &status))
        status = ask(&flags, &rest, out);
    free(rest.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_sql = {
    .name = "sql",
    .args = "RUN [QUERY]",
    .summary = "ask a recorded run a question in SQL",
    .about =
        "Ask a recorded run a question in SQL; without one, list its tables and columns. A RUN\n"
        "is a run file or its name in .lorenz/runs. The run is a copy in memory: nothing that\n"
        "is asked changes the file. Times are whole nanoseconds of virtual time (_ns), values\n"
        "are in base units.\n\n"
        "    lorenz sql db_failover-1 \"select at_ns / 1e9 as s, text from event\"\n\n"
        "Exit status: 0, 4 if there is no such run or the question makes no sense.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_sql,
};
