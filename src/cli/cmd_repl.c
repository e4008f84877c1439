#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/cmd.h"
#include "cli/replay.h"
#include "cli/runs.h"
#include "cli/session.h"
#include "repl/repl.h"
#include "repl/saved.h"
#include "report/run.h"
#include "script/docs.h"

struct repl_flags {
    struct lz_flags common;
    int64_t at;
    uint64_t memory; /* bytes; 0: not given */
    FILE *session;   /* to be typed first; NULL: none */
};

static bool take_at(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_duration(value, &((struct repl_flags *)into)->at, err);
}

#define MEMORY_LEAST (16u << 20)

// "512MiB": what must be there for a single copy, and no more than a machine can have.
static bool take_memory(void *into, const char *value, struct lz_err *err)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0},
                 {"kB", 1e3},     {"MB", 1e6},        {"GB", 1e9}};
    char *end;
    double n = strtod(value, &end);
    for (size_t i = 0; end != value && i < sizeof(units) / sizeof(units[0]); i++) {
        double bytes = n * units[i].bytes;
        if (strcmp(end, units[i].unit) != 0)
            continue;
        if (!(bytes >= (double)MEMORY_LEAST && bytes <= 1e15))
            return lz_fail(err, LZ_ERANGE, "must be at least 16MiB, and below 1 PB, got %s", value);
        ((struct repl_flags *)into)->memory = (uint64_t)bytes;
        return true;
    }
    return lz_fail(err, LZ_EINVAL, "expected a size such as 512MiB or 2GiB, got \"%s\"", value);
}

#define OPTION_MEMORY                                                                              \
    {                                                                                              \
        "memory", 0, "SIZE", "for copies to go back to (default 512MiB)", take_memory              \
    }

static const struct lz_opt options[] = {
    {"at", 0, "T", "where to begin (default 0s)", take_at},
    OPTION_MEMORY,
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

static const char *near(void *ctx, const char *topic)
{
    return lz_docs_near(((const struct pages *)ctx)->docs, topic);
}

// $XDG_CONFIG_HOME/lorenz/repl.lua; malloc's, NULL if there is no home.
static char *start_file(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    struct lz_str path;
    lz_str_init(&path);
    if (config != NULL && config[0] == '/')
        lz_str_addf(&path, "%s/lorenz/repl.lua", config);
    else if (home != NULL && home[0] == '/')
        lz_str_addf(&path, "%s/.config/lorenz/repl.lua", home);
    else
        return NULL;
    return lz_str_take(&path);
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

// What there is to explore, wherever it comes from.
struct subject {
    struct lz_worker_source source;
    const struct lz_select_pairs *params;
    const char *title;
    const char *case_text;
    struct lz_manner manner;
    uint64_t seed, text_hash;
};

static enum lz_exit explore(const struct repl_flags *f, const struct subject *what,
                            struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    char *history = is_terminal() ? lz_line_history_path() : NULL, *start = start_file();
    const struct lz_line_opts terminal = {
        .in = STDIN_FILENO, .out = STDOUT_FILENO, .colour = term.colour, .history = history};
    struct pages pages = {lz_docs_create(), term.width < 100 ? term.width : 100};
    struct lz_str why;
    lz_str_init(&why);
    char token[LZ_TOKEN_SIZE];
    struct lz_token t = lz_token_make(what->seed, what->text_hash);
    t.is_swarm = what->manner.swarm > 0.0;
    t.order = what->manner.order;
    const struct lz_repl_opts opts = {
        .stage = {.source = what->source,
                  .params = what->params,
                  .version = LZ_VERSION,
                  .token = lz_token_write(&t, token),
                  .seed = what->seed,
                  .swarm = what->manner.swarm,
                  .order = what->manner.order},
        .title = what->title,
        .case_text = what->case_text,
        .at = f->at,
        .style = {.colour = term.colour, .ascii = term.ascii, .width = term.width},
        .input = {.read = read_line},
        .terminal = is_terminal() ? &terminal : NULL,
        .put = put,
        .put_ctx = out,
        .page = page,
        .near = near,
        .page_ctx = &pages,
        .start_file = start,
        .session = f->session,
        .memory_bytes = f->memory,
    };
    bool ok = lz_repl_run(&opts, &why);
    if (!ok)
        fprintf(stderr, "%s\n", why.text);
    free(history);
    free(start);
    lz_str_finish(&why);
    lz_docs_destroy(pages.docs);
    return ok ? LZ_EXIT_OK : LZ_EXIT_SCENARIO;
}

static enum lz_exit explore_case(const struct repl_flags *f, const struct lz_suite *suite,
                                 const struct lz_suite_run *run, struct lz_out *out)
{
    const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
    struct lz_str case_text;
    lz_str_init(&case_text);
    lz_suite_case_text(run->of, "  ", &case_text);
    const struct subject what = {
        .source = {s->path, s->text, s->len},
        .params = &run->of->params,
        .title = s->listing.scenario,
        .case_text = case_text.text,
        .seed = f->common.seed,
        .manner = {.swarm = f->common.swarm ? LZ_MANNER_SWARM : 0.0, .order = f->common.order},
        .text_hash = s->listing.text_hash};
    enum lz_exit status = explore(f, &what, out);
    lz_str_finish(&case_text);
    return status;
}

// A recorded run has its scenario's text with it: what the file says by now does not matter.
static enum lz_exit explore_record(const struct repl_flags *f, const struct lz_report_run *run,
                                   struct lz_out *out)
{
    struct lz_select_pairs params = {0};
    sqlite3_stmt *q = lz_run_ask(run, "select name, value from param", 0, 0);
    while (lz_run_next(&q))
        lz_select_pairs_put(&params, lz_run_text(q, 0), lz_run_text(q, 1));
    size_t len = strlen(run->source);
    const struct subject what = {.source = {run->file, run->source, len},
                                 .params = &params,
                                 .title = lz_run_title(run),
                                 .case_text = run->case_id,
                                 .seed = run->seed,
                                 .manner = lz_runs_manner(run),
                                 .text_hash = lz_hash_bytes(run->source, len)};
    enum lz_exit status = explore(f, &what, out);
    lz_select_pairs_free(&params);
    return status;
}

static int64_t failed_at(const struct lz_report_run *run)
{
    for (size_t i = 0; i < run->expectation_count; i++)
        if (strcmp(run->expectations[i].verdict, "fail") == 0 && run->expectations[i].at >= 0)
            return run->expectations[i].at;
    return 0;
}

enum lz_exit lz_repl_of_run(const struct lz_flags *flags, const char *name, int64_t at,
                            struct lz_out *out)
{
    struct repl_flags f = {.common = *flags, .at = at};
    struct lz_runs_file file;
    struct lz_err err;
    if (!lz_runs_open_again(name, &file, &err)) {
        fprintf(stderr, "lorenz replay: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    enum lz_exit status = LZ_EXIT_SCENARIO;
    if (at == LZ_REPL_AT_FAILURE)
        f.at = failed_at(file.report);
    if (file.report->source[0] == '\0')
        fprintf(stderr, "lorenz replay: %s has no scenario in it\n", file.path);
    else
        status = explore_record(&f, file.report, out);
    lz_runs_close(&file);
    return status;
}

// The scenario that paths mean, and its case.
static enum lz_exit open_paths(struct repl_flags *f, const struct lz_opts_rest *paths,
                               struct lz_out *out)
{
    struct lz_select_files files = {0};
    struct lz_suite *suite = NULL;
    enum lz_exit status = lz_session_open(&f->common, paths, false, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    if (f->common.has_token)
        lz_session_compare(&f->common.token, suite);
    const struct lz_suite_run *run = choose(suite, &status);
    if (run != NULL)
        status = explore_case(f, suite, run, out);
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return status;
}

// A name that is no path may be a session's: then its scenario, case and seed, and its lines.
static enum lz_exit open_session(struct repl_flags *f, const char *name, struct lz_out *out)
{
    struct lz_saved saved;
    struct lz_err err;
    if (!lz_saved_open(name, &saved, &err)) {
        fprintf(stderr,
                "lorenz repl: %s\nhelp: lorenz repl takes a scenario's PATH, or the name "
                "that .save gave a session\n",
                err.msg);
        return LZ_EXIT_USAGE;
    }
    struct lz_opts_rest path = {.items = &(const char *){saved.scenario}, .count = 1};
    f->common.seed = saved.seed;
    f->common.has_token = lz_token_read(saved.token, &f->common.token, &err);
    for (size_t i = 0; i < saved.params.count; i++)
        lz_select_pairs_put(&f->common.sets, saved.params.items[i].name,
                            saved.params.items[i].value);
    f->session = saved.rest;
    saved.rest = NULL;
    enum lz_exit status = open_paths(f, &path, out);
    lz_saved_close(&saved);
    return status;
}

static bool is_session(const struct lz_opts_rest *paths)
{
    char path[LZ_SAVED_PATH_MAX];
    struct lz_err err;
    return paths->count == 1 && access(paths->items[0], F_OK) != 0 &&
           lz_saved_path(paths->items[0], path, sizeof(path), &err);
}

static enum lz_exit cmd_repl(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest paths;
    struct repl_flags f = {0};
    enum lz_exit status;
    lz_flags_init(&f.common);
    if (lz_flags_read(&line, out, &f, &paths, &status))
        status = is_session(&paths) ? open_session(&f, paths.items[0], out)
                                    : open_paths(&f, &paths, out);
    free(paths.items);
    lz_flags_finish(&f.common);
    return status;
}

// A token says the seed, and which text and engine; the text itself is a PATH's.
static enum lz_exit replay(struct repl_flags *f, struct lz_opts_rest *rest, struct lz_out *out)
{
    struct lz_err err;
    bool is_token = rest->count > 0 && strncmp(rest->items[0], "lz1-", 4) == 0;
    if (is_token && rest->count == 2) {
        struct lz_opts_rest path = {.items = rest->items + 1, .count = 1};
        if (lz_flags_seed(f, rest->items[0], &err))
            return open_paths(f, &path, out);
        fprintf(stderr, "lorenz replay: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    if (rest->count == 1 && !is_token)
        return lz_repl_of_run(&f->common, rest->items[0], f->at, out);
    fprintf(stderr, "lorenz replay: takes a run, or a token and the path of its scenario\n"
                    "help: lorenz replay db_failover-1 --at 4m\n"
                    "help: lorenz replay lz1-1-... scenarios/db_failover.lua\n");
    return LZ_EXIT_USAGE;
}

static enum lz_exit cmd_replay(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest rest;
    struct repl_flags f = {0};
    enum lz_exit status;
    lz_flags_init(&f.common);
    if (lz_flags_read(&line, out, &f, &rest, &status))
        status = replay(&f, &rest, out);
    free(rest.items);
    lz_flags_finish(&f.common);
    return status;
}

const struct lz_cmd lz_cmd_repl = {
    .name = "repl",
    .args = "[PATH | SESSION]",
    .summary = "explore a scenario: run, stop, break, look, go back, branch",
    .about = "Explore a scenario at a prompt. A line is Lua in the scenario's own words (a fault\n"
             "without `at` acts now), a command that begins with a dot, or ?NAME for\n"
             "documentation; .help lists the commands. Time passes by .run, and .back goes\n"
             "to any earlier instant. Piped input works, without prompts. SESSION is a name\n"
             "that .save gave what was typed: it is typed again, and does the same again.\n\n"
             "$XDG_CONFIG_HOME/lorenz/repl.lua (~/.config) is read first: functions of your own.\n"
             "Copies of the world sleep so that .back is quick; --memory, or `memory` in\n"
             "lorenz.conf.lua, is what they may take together.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_repl,
};

static const struct lz_opt replay_options[] = {
    {"at", 0, "T", "where to begin (default 0s)", take_at},
    OPTION_MEMORY,
    LZ_FLAGS_MACHINE_BASE,
    LZ_FLAGS_SHOW,
};

const struct lz_cmd lz_cmd_replay = {
    .name = "replay",
    .args = "RUN | TOKEN PATH",
    .summary = "explore a recorded run, stopped at an instant",
    .about =
        "Explore a recorded run at a prompt, as `lorenz repl` does a scenario: the same text,\n"
        "case and seed, stopped at an instant. RUN is a run file, or its name in\n"
        ".lorenz/runs. A TOKEN comes with the PATH of its scenario, and says so if that\n"
        "is another text by now.",
    .opts = replay_options,
    .opt_count = sizeof(replay_options) / sizeof(replay_options[0]),
    .run = cmd_replay,
};
