/*
 * cmd.h — one subcommand per file, one table in main.c.
 *
 * A command is data as far as it can be: its options are a table, from which come
 * parsing, `--help` and the usage line. What is left is a function that is given the
 * arguments and says how to leave.
 */
#ifndef LZ_CLI_CMD_H
#define LZ_CLI_CMD_H

#include <stddef.h>

#include "cli/opts.h"
#include "cli/out.h"
#include "explore/exit.h"

struct lz_cmd {
    const char *name;
    const char *args;    /* what follows the options in the usage line: "[PATH...]" */
    const char *summary; /* one line, for the list in `lorenz help` */
    const char *about;   /* a paragraph or more for `lorenz help NAME`; NULL: none */
    const struct lz_opt *opts;
    size_t opt_count;
    enum lz_exit (*run)(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv);
};

extern const struct lz_cmd lz_cmd_check;
extern const struct lz_cmd lz_cmd_compare;
extern const struct lz_cmd lz_cmd_completions;
extern const struct lz_cmd lz_cmd_config;
extern const struct lz_cmd lz_cmd_doctor;
extern const struct lz_cmd lz_cmd_explain;
extern const struct lz_cmd lz_cmd_help;
extern const struct lz_cmd lz_cmd_init;
extern const struct lz_cmd lz_cmd_list;
extern const struct lz_cmd lz_cmd_live;
extern const struct lz_cmd lz_cmd_man;
extern const struct lz_cmd lz_cmd_mutate;
extern const struct lz_cmd lz_cmd_new;
extern const struct lz_cmd lz_cmd_plan;
extern const struct lz_cmd lz_cmd_recover;
extern const struct lz_cmd lz_cmd_repl;
extern const struct lz_cmd lz_cmd_replay;
extern const struct lz_cmd lz_cmd_report;
extern const struct lz_cmd lz_cmd_run;
extern const struct lz_cmd lz_cmd_shrink;
extern const struct lz_cmd lz_cmd_sql;
extern const struct lz_cmd lz_cmd_sweep;
extern const struct lz_cmd lz_cmd_types;
extern const struct lz_cmd lz_cmd_verify_history;
extern const struct lz_cmd lz_cmd_version;
extern const struct lz_cmd lz_cmd_why;

/* The table, by name; NULL past its end. */
const struct lz_cmd *lz_cmd_get(size_t i);
const struct lz_cmd *lz_cmd_find(const char *name);

/* `lorenz help NAME`, made from the command's tables. */
void lz_cmd_help_page(const struct lz_cmd *cmd, struct lz_out *out);

/* "there is no command `rum`", with the nearest one; returns the status to leave with. */
enum lz_exit lz_cmd_unknown(const char *name);

#endif
