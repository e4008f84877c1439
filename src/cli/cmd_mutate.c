/* cmd_mutate.c — `lorenz mutate`: which expectations notice when the system is made worse. */
#include "explore/mutate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/flags.h"
#include "cli/session.h"
#include "report/json.h"
#include "report/pen.h"

struct mutate_flags {
    struct lz_flags common;
    const char *json;
    uint64_t mutants;
};

static bool take_mutants(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_number(value, 1, 100000, &((struct mutate_flags *)into)->mutants, err);
}

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    if (strncmp(value, "json=", 5) != 0 || value[5] == '\0')
        return lz_fail(err, LZ_EINVAL, "expected json=FILE, got \"%s\"", value);
    ((struct mutate_flags *)into)->json = value + 5;
    return true;
}

static const struct lz_opt options[] = {
    {"mutants", 'n', "N", "at most so many of each case (default 200)", take_mutants},
    {"seed", 0, "N", "of all runs (default 1)", lz_flags_seed},
    {"order", 0, "ORDER", "in which messages arrive: fifo, random or pct:DEPTH, then @WINDOW",
     lz_flags_order},
    {"output", 'o', "json=FILE", "also write the results as json; - is stdout", take_output},
    LZ_FLAGS_SELECT,
    {"timeout", 0, "DURATION", "wall-clock limit of each run (default 300s)", lz_flags_timeout},
    {"max-events", 0, "N", "event budget of each run", lz_flags_events},
    {"report-only", 0, NULL, "what nobody notices does not fail the command", lz_flags_report_only},
    LZ_FLAGS_MACHINE_BASE,
    LZ_FLAGS_SHOW,
};

struct telling {
    const struct mutate_flags *f;
    struct lz_report_style style;
    struct lz_str text, json;
    struct lz_exit_set codes;
    size_t cases, vacuous, expectations;
};

static void progress(void *ctx, size_t done, size_t total)
{
    (void)ctx;
    if (isatty(STDERR_FILENO) == 1)
        fprintf(stderr, "\rlorenz: mutating: %zu of %zu runs\x1b[K", done, total);
}

static void tell_expectation(struct lz_pen *pen, const struct lz_mutate *m,
                             const struct lz_mutate_expectation *e)
{
    bool is_blind = e->noticed == 0;
    lz_pen_to(pen, 2);
    lz_pen_addf(pen, is_blind ? LZ_TINT_BAD : LZ_TINT_GOOD, "%s",
                is_blind ? "never notices" : "notices      ");
    lz_pen_addf(pen, LZ_TINT_NONE, " %4zu of %zu  ", e->noticed, m->run);
    lz_pen_fit(pen, LZ_TINT_NONE, e->name, lz_pen_room(pen));
    lz_pen_end(pen);
    if (is_blind)
        return;
    lz_pen_to(pen, 16);
    lz_pen_addf(pen, LZ_TINT_DIM, "first %s", m->mutants[e->first].what);
    lz_pen_end(pen);
}

// What nobody noticed may be what the system does not need, or what nobody asked about.
static void tell_survivors(struct lz_pen *pen, const struct lz_mutate *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++)
        count += m->mutants[i].is_run && !m->mutants[i].is_killed;
    if (count == 0)
        return;
    lz_pen_end(pen);
    lz_pen_to(pen, 2);
    lz_pen_addf(pen, LZ_TINT_BOLD, "%zu change%s that no expectation notices", count,
                count == 1 ? "" : "s");
    lz_pen_end(pen);
    for (size_t i = 0; i < m->count; i++) {
        if (!m->mutants[i].is_run || m->mutants[i].is_killed)
            continue;
        lz_pen_to(pen, 4);
        lz_pen_addf(pen, LZ_TINT_NONE, "line %" PRIu32 "  %s", m->mutants[i].line,
                    m->mutants[i].what);
        lz_pen_end(pen);
    }
}

static void tell_text(struct telling *t, const struct lz_suite_scenario *s,
                      const struct lz_suite_run *run, const struct lz_mutate *m)
{
    struct lz_pen pen = lz_pen_begin(&t->text, &t->style);
    struct lz_str of;
    lz_str_init(&of);
    lz_suite_case_text(run->of, "  ", &of);
    lz_pen_addf(&pen, LZ_TINT_BOLD, "%s%s%s", s->path, of.len > 0 ? "   " : "", of.text);
    lz_pen_end(&pen);
    lz_str_finish(&of);
    lz_pen_to(&pen, 2);
    if (strcmp(m->verdict, "pass") != 0) {
        lz_pen_addf(&pen, LZ_TINT_BAD, "its verdict is %s as it is: %s", m->verdict, m->why);
        lz_pen_end(&pen);
        lz_pen_to(&pen, 2);
        lz_pen_add(&pen, LZ_TINT_NONE, "only of what passes can be said what notices");
        lz_pen_end(&pen);
        return;
    }
    lz_pen_addf(&pen, LZ_TINT_NONE, "%zu changes for the worse, seed %" PRIu64, m->run,
                t->f->common.seed);
    if (m->dropped > 0)
        lz_pen_addf(&pen, LZ_TINT_NONE, "; %zu more were too many: --mutants", m->dropped);
    lz_pen_end(&pen);
    for (int is_blind = 1; is_blind >= 0; is_blind--)
        for (size_t i = 0; i < m->expectation_count; i++)
            if ((m->expectations[i].noticed == 0) == (is_blind == 1))
                tell_expectation(&pen, m, &m->expectations[i]);
    if (!t->style.quiet)
        tell_survivors(&pen, m);
}

static void tell_json(struct telling *t, const struct lz_suite_scenario *s,
                      const struct lz_suite_run *run, const struct lz_mutate *m)
{
    struct lz_str *out = &t->json, of;
    lz_str_init(&of);
    lz_suite_case_text(run->of, ",", &of);
    lz_str_add(out, t->cases > 0 ? ",\n{\"file\":" : "\n{\"file\":");
    lz_json_string(out, s->path);
    lz_str_add(out, ",\"case\":");
    lz_json_string(out, of.text);
    lz_str_add(out, ",\"verdict\":");
    lz_json_string(out, m->verdict);
    lz_str_addf(out, ",\"mutants\":%zu,\"dropped\":%zu,\"expectations\":[", m->run, m->dropped);
    for (size_t i = 0; i < m->expectation_count; i++) {
        lz_str_add(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        lz_json_string(out, m->expectations[i].name);
        lz_str_addf(out, ",\"noticed\":%zu}", m->expectations[i].noticed);
    }
    lz_str_add(out, "],\"changes\":[");
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (!m->mutants[i].is_run)
            continue;
        lz_str_add(out, n++ > 0 ? ",\n{\"what\":" : "\n{\"what\":");
        lz_json_string(out, m->mutants[i].what);
        lz_str_addf(out, ",\"line\":%" PRIu32 ",\"noticed\":%s}", m->mutants[i].line,
                    m->mutants[i].is_killed ? "true" : "false");
    }
    lz_str_add(out, "]}");
    lz_str_finish(&of);
}

// False: it was stopped, or cannot go on; the code says so.
static bool mutate_case(struct telling *t, const struct lz_suite *suite,
                        const struct lz_suite_run *run)
{
    const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
    const struct lz_flags *flags = &t->f->common;
    const struct lz_mutate_opts opts = {
        .source = {.path = s->path, .text = s->text, .len = s->len},
        .params = &run->of->params,
        .order = flags->order,
        .version = LZ_VERSION,
        .seed = flags->seed,
        .duration = s->listing.duration,
        .workers = flags->jobs,
        .timeout_ns = flags->timeout_ns,
        .events_max = flags->events_max,
        .mutants_max = (size_t)t->f->mutants,
        .progress = flags->quiet ? NULL : progress,
    };
    struct lz_mutate m;
    struct lz_err err;
    bool ok = lz_mutate_run(&opts, &m, &err);
    if (!flags->quiet && isatty(STDERR_FILENO) == 1)
        fputs("\r\x1b[K", stderr);
    if (!ok) {
        fprintf(stderr, "lorenz mutate: %s\n", err.msg);
        lz_exit_add(&t->codes, LZ_EXIT_BUG);
        return false;
    }
    int signal = m.signal;
    if (signal == 0) {
        tell_text(t, s, run, &m);
        tell_json(t, s, run, &m);
        bool is_pass = strcmp(m.verdict, "pass") == 0;
        if (!is_pass)
            lz_exit_add(&t->codes, lz_exit_verdict(m.verdict));
        for (size_t i = 0; is_pass && i < m.expectation_count; i++) {
            t->expectations++;
            t->vacuous += m.expectations[i].noticed == 0;
        }
        t->cases++;
    } else {
        lz_exit_add(&t->codes, lz_exit_signal(signal));
    }
    lz_mutate_finish(&m);
    return signal == 0;
}

static enum lz_exit tell(struct telling *t, struct lz_out *out)
{
    struct lz_err err;
    if (t->vacuous > 0)
        lz_exit_add(&t->codes, LZ_EXIT_INCONCLUSIVE);
    enum lz_exit status = lz_exit_worst(&t->codes, t->f->common.report_only);
    lz_str_addf(&t->text, "\n%zu of %zu expectation%s never notice%s anything   exit %d\n",
                t->vacuous, t->expectations, t->expectations == 1 ? "" : "s",
                t->vacuous == 1 || t->expectations == 1 ? "s" : "", (int)status);
    struct lz_str json;
    lz_str_init(&json);
    lz_str_addf(&json,
                "{\"schema\":\"lorenz.mutate/1\",\"seed\":%" PRIu64
                ",\"exit_code\":%d,\"never_notice\":%zu,\"cases\":[",
                t->f->common.seed, (int)status, t->vacuous);
    lz_str_add(&json, t->json.text);
    lz_str_add(&json, "\n]}\n");
    bool to_stdout = t->f->json != NULL && strcmp(t->f->json, "-") == 0;
    lz_out_write(out, to_stdout ? json.text : t->text.text, to_stdout ? json.len : t->text.len);
    if (t->f->json != NULL && !to_stdout && !lz_out_file(t->f->json, json.text, json.len, &err)) {
        fprintf(stderr, "lorenz mutate: %s\n", err.msg);
        status = LZ_EXIT_WRITE;
    }
    lz_str_finish(&json);
    return status;
}

static enum lz_exit mutate_suite(const struct mutate_flags *f, struct lz_suite *suite,
                                 struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    struct telling t = {.f = f,
                        .style = {.colour = term.colour,
                                  .ascii = term.ascii,
                                  .width = term.width,
                                  .quiet = f->common.quiet}};
    lz_str_init(&t.text);
    lz_str_init(&t.json);
    bool ok = true;
    for (size_t i = 0; ok && i < suite->run_count; i++) {
        const struct lz_suite_run *run = &suite->runs[i];
        const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
        if (run->of == NULL) {
            fputs(s->listing.diagnostics != NULL ? s->listing.diagnostics : "", stderr);
            fprintf(stderr, "lorenz mutate: %s does not load\n", s->path);
            lz_exit_add(&t.codes, LZ_EXIT_SCENARIO);
        } else if (!run->of->xfail) { // what is meant to fail has nothing to lose
            ok = mutate_case(&t, suite, run);
        }
    }
    enum lz_exit status = ok ? tell(&t, out) : lz_exit_worst(&t.codes, false);
    lz_str_finish(&t.text);
    lz_str_finish(&t.json);
    return status;
}

static enum lz_exit cmd_mutate(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest rest;
    struct mutate_flags flags = {0};
    struct lz_select_files files;
    struct lz_suite *suite;
    enum lz_exit status;
    lz_flags_init(&flags.common);
    if (lz_flags_read(&line, out, &flags, &rest, &status)) {
        status = lz_session_open(&flags.common, &rest, false, &files, &suite);
        if (status == LZ_EXIT_OK) {
            lz_subset_shard(&flags.common.subset, suite);
            status = suite->run_count == 0 ? lz_session_nothing(&flags.common, "mutate")
                                           : mutate_suite(&flags, suite, out);
            lz_suite_destroy(suite);
            lz_select_free(&files);
        }
    }
    free(rest.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_mutate = {
    .name = "mutate",
    .args = "[PATH...]",
    .summary = "make the system worse on purpose; list expectations that never notice",
    .about =
        "Make the system worse on purpose, one change at a time, and list the expectations that\n"
        "pass all the same: they say nothing. Retries, timeouts, budgets, breakers, fallbacks,\n"
        "limits, health checks, failover and replication are taken away, replicas too; what takes\n"
        "time takes ten times as long, traffic is four times as much, and each component stops or\n"
        "slows down in the middle of the run. All with the same seed. Changes that nothing\n"
        "notices are listed too: what the system does not need, or nobody asked about.\n\n"
        "Exit status: 0 all notice something, 1 an expectation fails as it is, 2 a scenario does\n"
        "not load, 3 some never notice, or a run is inconclusive as it is, 4 usage, 5 nothing\n"
        "matched, 70 internal error, 74 not written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_mutate,
};
