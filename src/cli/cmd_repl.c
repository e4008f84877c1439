#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/session.h"
#include "repl/repl.h"
#include "script/docs.h"

struct repl_flags {
    struct lz_flags common;
    int64_t at;
};

static bool take_at(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_duration(value, &((struct repl_flags *)into)->at, err);
}

static const struct lz_opt options[] = {
    {"at", 0, "T", "where to begin (default 0s)", take_at},
    {"seed", 0, "N|TOKEN|random", "what all chance is drawn from (default 1)", lz_flags_seed},
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"case", 0, "NAME=VALUE,...", "the case (default the first)", lz_flags_case},
    LZ_FLAGS_MACHINE_BASE,
    LZ_FLAGS_SHOW,
};

// ---------------------------------------------------------------- lines

static char *read_line(void *ctx)
{
    (void)ctx;
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = getline(&line, &cap, stdin);
    if (len < 0) {
        free(line);
        return NULL;
    }
    if (len > 0 && line[len - 1] == '\n')
        line[len - 1] = '\0';
    return line;
}

// A terminal that can move its cursor.
static bool is_terminal(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && term != NULL &&
           term[0] != '\0' && strcmp(term, "dumb") != 0;
}

static void put(void *ctx, const char *text)
{
    lz_out_text(ctx, text);
    fflush(stdout);
}

struct pages {
    struct lz_docs *docs;
    int width;
};

static const char *page(void *ctx, const char *topic)
{
    const struct pages *p = ctx;
    return topic[0] == '\0' ? lz_docs_index(p->docs, p->width)
                            : lz_docs_page(p->docs, topic, p->width);
}

// ---------------------------------------------------------------- the scenario

// The one run that is explored: the first case of the only scenario.
static const struct lz_suite_run *choose(const struct lz_suite *suite, enum lz_exit *status)
{
    *status = LZ_EXIT_USAGE;
    const struct lz_suite_run *first = NULL;
    for (size_t i = 0; i < suite->run_count; i++) {
        const struct lz_suite_run *run = &suite->runs[i];
        if (first != NULL && run->scenario != first->scenario) {
            fprintf(stderr, "lorenz repl: %s and %s: one scenario at a time\n",
                    suite->scenarios[first->scenario].path, suite->scenarios[run->scenario].path);
            return NULL;
        }
        if (first == NULL)
            first = run;
    }
    if (first == NULL) {
        fputs("lorenz repl: no scenario; give its PATH\n", stderr);
        return NULL;
    }
    const struct lz_suite_scenario *s = &suite->scenarios[first->scenario];
    if (first->of == NULL) {
        const char *why = s->listing.diagnostics != NULL ? s->listing.diagnostics : s->problem;
        fprintf(stderr, "%s\n", why != NULL ? why : "the scenario does not load");
        *status = LZ_EXIT_SCENARIO;
        return NULL;
    }
    *status = LZ_EXIT_OK;
    return first;
}

static enum lz_exit explore(const struct repl_flags *f, const struct lz_suite *suite,
                            const struct lz_suite_run *run, struct lz_out *out)
{
    const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    char *history = is_terminal() ? lz_line_history_path() : NULL;
    const struct lz_line_opts terminal = {
        .in = STDIN_FILENO, .out = STDOUT_FILENO, .colour = term.colour, .history = history};
    struct pages pages = {lz_docs_create(), term.width < 100 ? term.width : 100};
    struct lz_str case_text, why;
    lz_str_init(&case_text);
    lz_str_init(&why);
    lz_suite_case_text(run->of, "  ", &case_text);
    char token[LZ_TOKEN_SIZE];
    const struct lz_token t = lz_token_make(f->common.seed, s->listing.text_hash);
    const struct lz_repl_opts opts = {
        .stage = {.source = {s->path, s->text, s->len},
                  .params = &run->of->params,
                  .version = LZ_VERSION,
                  .token = lz_token_write(&t, token),
                  .seed = f->common.seed},
        .title = s->listing.scenario,
        .case_text = case_text.text,
        .at = f->at,
        .style = {.colour = term.colour, .ascii = term.ascii, .width = term.width},
        .input = {.read = read_line},
        .terminal = is_terminal() ? &terminal : NULL,
        .put = put,
        .put_ctx = out,
        .page = page,
        .page_ctx = &pages,
    };
    bool ok = lz_repl_run(&opts, &why);
    if (!ok)
        fprintf(stderr, "%s\n", why.text);
    free(history);
    lz_str_finish(&why);
    lz_str_finish(&case_text);
    lz_docs_destroy(pages.docs);
    return ok ? LZ_EXIT_OK : LZ_EXIT_SCENARIO;
}

static enum lz_exit cmd_repl(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest paths;
    struct repl_flags f = {0};
    struct lz_select_files files = {0};
    struct lz_suite *suite = NULL;
    enum lz_exit status;
    lz_flags_init(&f.common);
    if (lz_flags_read(&line, out, &f, &paths, &status)) {
        status = lz_session_open(&f.common, &paths, false, &files, &suite);
        const struct lz_suite_run *run = status == LZ_EXIT_OK ? choose(suite, &status) : NULL;
        if (run != NULL)
            status = explore(&f, suite, run, out);
        if (suite != NULL)
            lz_suite_destroy(suite);
        lz_select_free(&files);
    }
    free(paths.items);
    lz_flags_finish(&f.common);
    return status;
}

const struct lz_cmd lz_cmd_repl = {
    .name = "repl",
    .args = "[PATH]",
    .summary = "explore a scenario: run, stop, break, look, go back, branch",
    .about = "Explore a scenario at a prompt. A line is Lua in the scenario's own words (a fault\n"
             "without `at` acts now), a command that begins with a dot, or ?NAME for\n"
             "documentation; .help lists the commands. Time passes by .run, and .back goes\n"
             "to any earlier instant. Piped input works, without prompts.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_repl,
};
