/* cmd_compare.c — `lorenz compare`: two systems under the same seeds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sort.h"
#include "check/format.h"
#include "cli/cmd.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/session.h"
#include "explore/compare.h"
#include "report/json.h"
#include "report/pen.h"
#include "report/run.h"

#define METRICS_SHOWN 12
#define INTERVAL_WIDTH 10 // more than a single change takes
#define NAME_WIDTH 44

struct compare_flags {
    struct lz_flags common;
    struct lz_flags_seeds seeds;
    double confidence;
    const char *json;
    bool gates; // --fail-on regress
};

static bool take_seeds(void *into, const char *value, struct lz_err *err)
{
    return lz_flags_read_seeds(&((struct compare_flags *)into)->seeds, value, err);
}

static bool take_confidence(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_share(value, &((struct compare_flags *)into)->confidence, err);
}

static bool take_fail_on(void *into, const char *value, struct lz_err *err)
{
    ((struct compare_flags *)into)->gates = true;
    return strcmp(value, "regress") == 0 ||
           lz_fail(err, LZ_EINVAL, "expected regress, got \"%s\"", value);
}

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    if (strncmp(value, "json=", 5) != 0 || value[5] == '\0')
        return lz_fail(err, LZ_EINVAL, "expected json=FILE, got \"%s\"", value);
    ((struct compare_flags *)into)->json = value + 5;
    return true;
}

static const struct lz_opt options[] = {
    {"seed", 0, "N", "the one seed of both (default that of a RUN, or 1)", lz_flags_seed},
    {"seeds", 0, "N|FIRST..LAST", "many of them: intervals in place of differences", take_seeds},
    {"confidence", 0, "P", "how sure a change must be (default 95%)", take_confidence},
    {"fail-on", 0, "regress", "exit 1 if an expectation has become worse", take_fail_on},
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"case", 0, "NAME=VALUE,...", "only cases with these values", lz_flags_case},
    {"output", 'o', "json=FILE", "also write the results as json; - is stdout", take_output},
    {"timeout", 0, "DURATION", "wall-clock limit of each run (default 300s)", lz_flags_timeout},
    {"max-events", 0, "N", "event budget of each run", lz_flags_events},
    LZ_FLAGS_MACHINE_BASE,
    LZ_FLAGS_SHOW,
};

/* One of the two: a recorded run, or a scenario with its cases. */
struct side {
    const char *name;
    struct lz_runs_file run; // report NULL: it is a scenario
    struct lz_select_files files;
    struct lz_suite *suite;
    struct lz_select_pairs params; // of the run
};

static bool is_scenario(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

static enum lz_exit open_side(const struct compare_flags *f, const char *name, struct side *side)
{
    struct lz_err err;
    *side = (struct side){.name = name};
    if (is_scenario(name)) {
        const char *items[] = {name};
        const struct lz_opts_rest paths = {items, 1};
        enum lz_exit status =
            lz_session_open(&f->common, &paths, false, &side->files, &side->suite);
        if (status != LZ_EXIT_OK)
            return status;
        const struct lz_suite_scenario *s = &side->suite->scenarios[0];
        if (s->code == LZ_EXIT_OK)
            return LZ_EXIT_OK;
        fputs(s->listing.diagnostics != NULL ? s->listing.diagnostics : "", stderr);
        fprintf(stderr, "lorenz compare: %s does not load\n", name);
        return s->code;
    }
    if (!lz_runs_open_again(name, &side->run, &err)) {
        fprintf(stderr, "lorenz compare: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    sqlite3_stmt *q = lz_run_ask(side->run.report, "select name, value from param", 0, 0);
    while (lz_run_next(&q))
        lz_select_pairs_put(&side->params, lz_run_text(q, 0), lz_run_text(q, 1));
    return LZ_EXIT_OK;
}

static void close_side(struct side *side)
{
    if (side->run.report != NULL)
        lz_runs_close(&side->run);
    lz_suite_destroy(side->suite);
    lz_select_free(&side->files);
    lz_select_pairs_free(&side->params);
}

static size_t case_count(const struct side *side)
{
    return side->suite != NULL ? side->suite->run_count : 1;
}

static struct lz_compare_side case_of(const struct side *side, size_t i)
{
    if (side->suite == NULL)
        return (struct lz_compare_side){.source = {side->run.report->file, side->run.report->source,
                                                   strlen(side->run.report->source)},
                                        .params = &side->params};
    const struct lz_suite_scenario *s = &side->suite->scenarios[0];
    return (struct lz_compare_side){.source = {s->path, s->text, s->len},
                                    .params = &side->suite->runs[i].of->params};
}

static bool are_equal(const struct lz_select_pairs *a, const struct lz_select_pairs *b)
{
    return lz_select_matches(a, b) && lz_select_matches(b, a);
}

// The case of the second side with the same values; a single one is compared with whatever it is.
static size_t partner(const struct side *b, const struct lz_compare_side *mine, bool is_single)
{
    size_t count = case_count(b);
    for (size_t i = 0; i < count; i++) {
        struct lz_compare_side other = case_of(b, i);
        if ((is_single && count == 1) || are_equal(mine->params, other.params))
            return i;
    }
    return count;
}

// ---------------------------------------------------------------- telling

static const char *const changes[] = {
    [LZ_COMPARE_SAME] = "",           [LZ_COMPARE_BETTER] = "better",
    [LZ_COMPARE_WORSE] = "worse",     [LZ_COMPARE_ONLY_FIRST] = "gone",
    [LZ_COMPARE_ONLY_SECOND] = "new",
};

static void write_expectations(struct lz_pen *pen, const struct lz_compare_result *c)
{
    for (size_t i = 0; i < c->expectation_count; i++) {
        const struct lz_compare_expectation *e = &c->expectations[i];
        enum lz_tint tint = e->change == LZ_COMPARE_WORSE    ? LZ_TINT_BAD
                            : e->change == LZ_COMPARE_BETTER ? LZ_TINT_GOOD
                                                             : LZ_TINT_NONE;
        lz_pen_to(pen, 2);
        lz_pen_fit(pen, LZ_TINT_BOLD, e->name, lz_pen_room(pen) - 8);
        if (e->change != LZ_COMPARE_SAME) {
            lz_pen_to(pen, pen->style->width - 6);
            lz_pen_add(pen, tint, changes[e->change]);
        }
        lz_pen_end(pen);
        for (int s = 0; s < 2; s++) {
            if (e->runs[s] == 0)
                continue;
            lz_pen_to(pen, 4);
            lz_pen_addf(pen, LZ_TINT_NONE, "%c  ", 'A' + s);
            if (c->seeds > 1)
                lz_pen_addf(pen, LZ_TINT_NONE, "failed %" PRIu64 " of %" PRIu64, e->failed[s],
                            e->runs[s]);
            else
                lz_pen_addf(pen, LZ_TINT_NONE, "%s  %s", e->failed[s] > 0 ? "fails" : "holds",
                            e->actual[s]);
            if (s == 1 && c->seeds > 1 && e->better + e->worse > 0)
                lz_pen_addf(pen, LZ_TINT_DIM, "   %" PRIu64 " worse, %" PRIu64 " better, p = %.2g",
                            e->worse, e->better, e->p);
            lz_pen_end(pen);
        }
    }
}

// How far apart, as a share of the larger: what is shown first.
static double share(const struct lz_compare_metric *m)
{
    double most = fmax(fabs(m->mean[0]), fabs(m->mean[1]));
    return most > 0.0 ? fabs(m->mean[1] - m->mean[0]) / most : 0.0;
}

static int by_share(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    double x = share(*(const struct lz_compare_metric *const *)a);
    double y = share(*(const struct lz_compare_metric *const *)b);
    return x > y ? -1 : x < y;
}

static enum lz_unit unit_of(const char *unit)
{
    return strcmp(unit, "s") == 0       ? LZ_UNIT_SECONDS
           : strcmp(unit, "/s") == 0    ? LZ_UNIT_RATE
           : strcmp(unit, "B") == 0     ? LZ_UNIT_BYTES
           : strcmp(unit, "ratio") == 0 ? LZ_UNIT_RATIO
                                        : LZ_UNIT_COUNT;
}

static void write_value(struct lz_pen *pen, enum lz_unit unit, double value)
{
    char text[40];
    lz_pen_addf(pen, LZ_TINT_NONE, "%12s", lz_format_value(text, sizeof(text), value, unit));
}

// A share, or how many times as much when that is many.
static void write_change(struct lz_pen *pen, double from, double to)
{
    if (!(fabs(from) > 0.0))
        return;
    double ratio = to / from;
    if (ratio < 10.0)
        lz_pen_addf(pen, LZ_TINT_DIM, "  %+.3g %%", 100.0 * (to - from) / fabs(from));
    else
        lz_pen_addf(pen, LZ_TINT_DIM, "  %.*f times", ratio < 100.0, ratio);
}

// Both ends of an interval, or one where they are the same.
static void write_ends(struct lz_pen *pen, double low, double high, const char *unit)
{
    char ends[2][40];
    snprintf(ends[0], sizeof(ends[0]), "%+.3g", low);
    snprintf(ends[1], sizeof(ends[1]), "%+.3g", high);
    bool is_one = strcmp(ends[0], ends[1]) == 0;
    lz_pen_addf(pen, LZ_TINT_DIM, is_one ? "  %s %s" : "  %s to %s %s", ends[0],
                is_one ? unit : ends[1], unit);
}

// Of many seeds: between what the change lies. Without a value to be a share of, in its own unit;
// a share's is percentage points, as a percentage would be read as one of the value before.
static void write_interval(struct lz_pen *pen, const struct lz_compare_metric *m, enum lz_unit unit)
{
    char text[40], low[48], high[48];
    double from = fabs(m->mean[0]);
    if (from > 0.0 && m->high < 10.0 * from) {
        write_ends(pen, 100.0 * m->low / from, 100.0 * m->high / from, "%");
        return;
    }
    if (unit == LZ_UNIT_RATIO) {
        write_ends(pen, m->low * 100.0, m->high * 100.0, "pp");
        return;
    }
    lz_format_value(text, sizeof(text), fabs(m->low), unit);
    snprintf(low, sizeof(low), "%c%s", m->low < 0.0 ? '-' : '+', text);
    lz_format_value(text, sizeof(text), fabs(m->high), unit);
    snprintf(high, sizeof(high), "%c%s", m->high < 0.0 ? '-' : '+', text);
    bool is_one = strcmp(low, high) == 0;
    lz_pen_addf(pen, LZ_TINT_DIM, is_one ? "  %s" : "  %s to %s", low, high);
}

static void write_metric(struct lz_pen *pen, const struct lz_compare_metric *m, bool is_many)
{
    int wide = is_many ? NAME_WIDTH - INTERVAL_WIDTH : NAME_WIDTH;
    enum lz_unit unit = unit_of(m->unit);
    lz_pen_to(pen, 4);
    lz_pen_fit(pen, LZ_TINT_NONE, m->name, wide - 5);
    lz_pen_to(pen, wide);
    write_value(pen, unit, m->mean[0]);
    write_value(pen, unit, m->mean[1]);
    if (is_many)
        write_interval(pen, m, unit);
    else
        write_change(pen, m->mean[0], m->mean[1]);
    lz_pen_end(pen);
}

static void write_metrics(struct lz_pen *pen, const struct lz_compare_result *c)
{
    const struct lz_compare_metric **list =
        lz_mem_alloc((c->metric_count + 1) * sizeof(struct lz_compare_metric *));
    size_t count = 0;
    for (size_t i = 0; i < c->metric_count; i++)
        if (c->metrics[i].differs)
            list[count++] = &c->metrics[i];
    lz_sort(list, count, sizeof(list[0]), by_share, NULL);
    size_t most = pen->style->verbose > 0 ? count : METRICS_SHOWN;
    if (count > 0) {
        lz_pen_end(pen);
        lz_pen_to(pen, 2);
        lz_pen_addf(pen, LZ_TINT_BOLD, "%zu of %zu metrics differ", count, c->metric_count);
        lz_pen_end(pen);
    }
    for (size_t i = 0; i < count && i < most; i++)
        write_metric(pen, list[i], c->seeds > 1);
    if (count > most) {
        lz_pen_to(pen, 4);
        lz_pen_addf(pen, LZ_TINT_DIM, "and %zu more: -v", count - most);
        lz_pen_end(pen);
    }
    free(list);
}

static void write_event(struct lz_pen *pen, const struct lz_compare_result *c)
{
    if (c->seeds != 1)
        return;
    lz_pen_end(pen);
    lz_pen_to(pen, 2);
    if (c->first_event == NULL) {
        lz_pen_add(pen, LZ_TINT_GOOD, "all events are equal");
        lz_pen_end(pen);
        return;
    }
    lz_pen_add(pen, LZ_TINT_BOLD, "the first event that differs");
    lz_pen_end(pen);
    for (const char *at = c->first_event; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        lz_pen_to(pen, 4);
        lz_pen_add_n(pen, LZ_TINT_NONE, at, len);
        lz_pen_end(pen);
        at += len + (at[len] == '\n');
    }
}

static void json_number(struct lz_str *out, const char *key, double value)
{
    lz_str_addf(out, ",\"%s\":", key);
    lz_json_number(out, value);
}

static void write_json(const struct lz_compare_result *c, const char *case_text, struct lz_str *out)
{
    lz_str_add(out, "{\"case\":");
    lz_json_string(out, case_text);
    lz_str_addf(out, ",\"seeds\":%" PRIu64 ",\"equal\":%" PRIu64 ",\"first_event\":", c->seeds,
                c->equal);
    if (c->first_event != NULL)
        lz_json_string(out, c->first_event);
    else
        lz_str_add(out, "null");
    lz_str_add(out, ",\"expectations\":[");
    for (size_t i = 0; i < c->expectation_count; i++) {
        const struct lz_compare_expectation *e = &c->expectations[i];
        lz_str_addf(out, "%s{\"name\":", i > 0 ? "," : "");
        lz_json_string(out, e->name);
        lz_str_addf(out,
                    ",\"runs\":[%" PRIu64 ",%" PRIu64 "],\"failed\":[%" PRIu64 ",%" PRIu64
                    "],\"better\":%" PRIu64 ",\"worse\":%" PRIu64,
                    e->runs[0], e->runs[1], e->failed[0], e->failed[1], e->better, e->worse);
        json_number(out, "p", e->p);
        lz_str_addf(out, ",\"change\":\"%s\"}",
                    e->change == LZ_COMPARE_SAME ? "same" : changes[e->change]);
    }
    lz_str_add(out, "],\"metrics\":[");
    for (size_t i = 0; i < c->metric_count; i++) {
        const struct lz_compare_metric *m = &c->metrics[i];
        lz_str_addf(out, "%s\n{\"name\":", i > 0 ? "," : "");
        lz_json_string(out, m->name);
        json_number(out, "a", m->mean[0]);
        json_number(out, "b", m->mean[1]);
        json_number(out, "low", m->low);
        json_number(out, "high", m->high);
        lz_str_addf(out, ",\"differs\":%s}", m->differs ? "true" : "false");
    }
    lz_str_add(out, "]}");
}

// ---------------------------------------------------------------- the command

struct telling {
    const struct compare_flags *f;
    const struct lz_report_style *style;
    struct lz_str text, json;
    size_t pairs;
    bool has_regressed;
};

static void name_case(const struct lz_compare_side *side, struct lz_str *out)
{
    lz_str_init(out);
    for (size_t i = 0; i < side->params->count; i++)
        lz_str_addf(out, "%s%s=%s", i > 0 ? "," : "", side->params->items[i].name,
                    side->params->items[i].value);
}

static enum lz_exit compare_case(struct telling *t, const struct lz_compare_side sides[2],
                                 uint64_t seed)
{
    const struct compare_flags *f = t->f;
    bool is_many = f->seeds.last > 0;
    const struct lz_compare_opts opts = {
        .sides = {sides[0], sides[1]},
        .first = is_many ? f->seeds.first : seed,
        .last = is_many ? f->seeds.last : seed,
        .confidence = f->confidence,
        .version = LZ_VERSION,
        .workers = f->common.jobs,
        .timeout_ns = f->common.timeout_ns,
        .events_max = f->common.events_max,
    };
    struct lz_compare_result c;
    struct lz_err err;
    if (!lz_compare_run(&opts, &c, &err)) {
        fprintf(stderr, "lorenz compare: %s\n", err.msg);
        return LZ_EXIT_BUG;
    }
    enum lz_exit status = c.signal != 0 ? lz_exit_signal(c.signal) : LZ_EXIT_OK;
    for (int s = 0; s < 2 && status == LZ_EXIT_OK; s++) {
        if (c.is_broken[s]) {
            fprintf(stderr, "lorenz compare: %s does not run: %s\n", sides[s].source.path,
                    c.why[s]);
            status = LZ_EXIT_SCENARIO;
        }
    }
    struct lz_str name, other;
    name_case(&sides[0], &name);
    name_case(&sides[1], &other);
    if (status == LZ_EXIT_OK) {
        struct lz_pen pen = lz_pen_begin(&t->text, t->style);
        bool is_same = strcmp(name.text, other.text) == 0;
        lz_str_addf(&t->text, "%s%s%s%s%s", t->pairs > 0 ? "\n" : "", name.text,
                    is_same ? "" : " and ", is_same ? "" : other.text,
                    name.len + other.len > 0 ? "\n" : "");
        write_expectations(&pen, &c);
        write_metrics(&pen, &c);
        write_event(&pen, &c);
        lz_str_add(&t->json, t->pairs > 0 ? ",\n" : "\n");
        write_json(&c, name.text, &t->json);
        t->pairs++;
    }
    for (size_t i = 0; i < c.expectation_count; i++)
        t->has_regressed = t->has_regressed || c.expectations[i].change == LZ_COMPARE_WORSE;
    lz_str_finish(&name);
    lz_str_finish(&other);
    lz_compare_finish(&c);
    return status;
}

static enum lz_exit deliver(struct telling *t, struct lz_out *out)
{
    const char *json = t->f->json;
    bool to_stdout = json != NULL && strcmp(json, "-") == 0;
    struct lz_err err;
    if (!to_stdout)
        lz_out_write(out, t->text.text, t->text.len);
    lz_str_addf(&t->json, "\n],\"regressed\":%s}\n", t->has_regressed ? "true" : "false");
    if (to_stdout)
        lz_out_write(out, t->json.text, t->json.len);
    else if (json != NULL && !lz_out_file(json, t->json.text, t->json.len, &err)) {
        fprintf(stderr, "lorenz compare: %s\n", err.msg);
        return LZ_EXIT_WRITE;
    }
    return t->f->gates && t->has_regressed ? LZ_EXIT_FAILED : LZ_EXIT_OK;
}

static enum lz_exit compare_sides(const struct compare_flags *f, struct side sides[2],
                                  struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    const struct lz_report_style style = {.colour = term.colour,
                                          .ascii = term.ascii,
                                          .width = term.width,
                                          .verbose = f->common.verbose};
    struct telling t = {.f = f, .style = &style};
    uint64_t seed = !f->common.seed_given && sides[0].run.report != NULL ? sides[0].run.report->seed
                                                                         : f->common.seed;
    lz_str_init(&t.text);
    lz_str_init(&t.json);
    lz_str_addf(&t.text, "A  %s\nB  %s\n", sides[0].name, sides[1].name);
    if (f->seeds.last > 0)
        lz_str_addf(&t.text, "seeds %" PRIu64 " to %" PRIu64 "\n\n", f->seeds.first, f->seeds.last);
    else
        lz_str_addf(&t.text, "seed %" PRIu64 "\n\n", seed);
    lz_str_add(&t.json, "{\"schema\":\"lorenz.compare/1\",\"cases\":[");
    enum lz_exit status = LZ_EXIT_OK;
    for (size_t i = 0; i < case_count(&sides[0]) && status == LZ_EXIT_OK; i++) {
        struct lz_compare_side pair[2] = {case_of(&sides[0], i)};
        size_t other = partner(&sides[1], &pair[0], case_count(&sides[0]) == 1);
        if (other == case_count(&sides[1]))
            continue;
        pair[1] = case_of(&sides[1], other);
        status = compare_case(&t, pair, seed);
    }
    if (status == LZ_EXIT_OK && t.pairs == 0) {
        fprintf(stderr, "lorenz compare: the two have no case in common; name one with --case\n");
        status = LZ_EXIT_NOTHING;
    }
    if (status == LZ_EXIT_OK)
        status = deliver(&t, out);
    lz_str_finish(&t.text);
    lz_str_finish(&t.json);
    return status;
}

static enum lz_exit compare(const struct compare_flags *f, const struct lz_opts_rest *rest,
                            struct lz_out *out)
{
    struct side sides[2] = {{0}, {0}};
    if (rest->count != 2) {
        fprintf(stderr,
                "lorenz compare: takes two runs or scenarios, got %zu\n"
                "help: lorenz compare before.lua after.lua --seeds 100\n",
                rest->count);
        return LZ_EXIT_USAGE;
    }
    enum lz_exit status = open_side(f, rest->items[0], &sides[0]);
    if (status == LZ_EXIT_OK)
        status = open_side(f, rest->items[1], &sides[1]);
    if (status == LZ_EXIT_OK)
        status = compare_sides(f, sides, out);
    close_side(&sides[0]);
    close_side(&sides[1]);
    return status;
}

static enum lz_exit cmd_compare(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest rest;
    struct compare_flags flags = {.confidence = 0.95};
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &rest, &status))
        status = compare(&flags, &rest, out);
    free(rest.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_compare = {
    .name = "compare",
    .args = "A B",
    .summary = "say what is better and what is worse in the second of two systems",
    .about =
        "Run two systems with the same seeds, and say what is better and what is worse in the\n"
        "second. A and B are scenarios, or recorded runs: these are run again as they were.\n\n"
        "With one seed the difference is exact, and the first event that differs is found. With\n"
        "--seeds, expectations are compared by how many pairs changed (McNemar's exact test) and\n"
        "metrics by the mean of the differences (Student's interval): chance that is the same in\n"
        "both falls out. A change is in % of what was, or in percentage points (pp) of a ratio\n"
        "that was next to nothing. --fail-on regress makes it a gate.\n\n"
        "Exit status: 0, 1 with --fail-on if an expectation has become worse, 2 one does not\n"
        "load, 4 usage, 5 they have no case in common, 70 internal error, 74 not written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_compare,
};
