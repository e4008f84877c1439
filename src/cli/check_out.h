/*
 * check_out.h — what `lorenz check` found, in the formats that other programs read.
 *
 * json    lorenz.check/1: every file with its findings, and the exit codes
 * sarif   SARIF 2.1.0, for code scanning: results with places, help and certain edits
 * github  workflow commands that annotate a pull request: nine, and how many more there are,
 *         because GitHub shows ten of a step and hides the rest without a word
 */
#ifndef LZ_CLI_CHECK_OUT_H
#define LZ_CLI_CHECK_OUT_H

#include <stddef.h>

#include "base/str.h"
#include "explore/exit.h"
#include "explore/vet.h"

/* One file and what became of it. */
struct lz_check_file {
    const char *path;
    struct lz_vet vet;
    char *problem; /* it crashed, hung or used up its memory: a sentence; else NULL */
    enum lz_exit code;
    bool is_looked_at; /* false: it was not reached, or problem says why not */
};

struct lz_check_result {
    const struct lz_check_file *files;
    size_t count;
    size_t errors, warnings; /* of all files; a problem is an error */
    struct lz_exit_set codes;
};

void lz_check_out_json(struct lz_str *out, const struct lz_check_result *result);
void lz_check_out_sarif(struct lz_str *out, const struct lz_check_result *result);
void lz_check_out_github(struct lz_str *out, const struct lz_check_result *result);

#endif
