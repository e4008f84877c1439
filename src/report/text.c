// The terminal report: a line per run and per expectation as they come in, and at the
// end a block for each that did not pass and one line that sums up.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"
#include "report/block.h"
#include "report/pen.h"
#include "report/report.h"
#include "report/run.h"

#define WORD_WIDTH 6 // "INCON "
#define INDENT 2
#define NAME_LEAST 30
#define ACTUAL_MOST 30
#define SPARE_MOST 20
#define NARROW 64 // below it an expectation takes two lines
#define GAP 2
#define IDLE_SHOWN 3 // faults that touched nothing
#define SAID_SHOWN 200

// In order of badness, the best first.
static const struct word {
    const char *verdict, *word;
    enum lz_tint tint;
    bool is_pass, is_failure;
} words[] = {
    {"pass", "PASS", LZ_TINT_GOOD, true, false},
    {"xfail", "XFAIL", LZ_TINT_GOOD, true, false},
    {"inconclusive", "INCON", LZ_TINT_DOUBT, false, false},
    {"budget", "BUDGET", LZ_TINT_DOUBT, false, false},
    {"xpass", "XPASS", LZ_TINT_BAD, false, true},
    {"fail", "FAIL", LZ_TINT_BAD, false, true},
    {"diverged", "DIFFER", LZ_TINT_BAD, false, false},
    {"error", "ERROR", LZ_TINT_BAD, false, false},
};
enum { INCONCLUSIVE = 2, BUDGET = 3, DIVERGED = 6, ERROR = 7 }; // rows that are counted apart
#define WORDS (sizeof(words) / sizeof(words[0]))

static const struct word *word_of(const struct lz_report_run *run)
{
    size_t i = 0;
    while (i + 1 < WORDS && strcmp(words[i].verdict, run->verdict) != 0)
        i++;
    return &words[i]; // a word nobody knows is an error
}

static void add_number(struct lz_str *out, size_t n, const char *one, const char *many)
{
    char text[32];
    lz_format_count(text, sizeof(text), (double)n);
    lz_str_addf(out, "%s %s", text, n == 1 ? one : many);
}

void lz_report_text_head(struct lz_str *out, const struct lz_report_style *style, uint64_t seed,
                         size_t scenarios, size_t cases)
{
    struct lz_pen pen = lz_pen_begin(out, style);
    struct lz_str what;
    lz_str_init(&what);
    add_number(&what, scenarios, "scenario", "scenarios");
    if (cases != scenarios) {
        lz_str_add(&what, ", ");
        add_number(&what, cases, "case", "cases");
    }
    lz_pen_add(&pen, LZ_TINT_BOLD, "lorenz " LZ_VERSION);
    lz_pen_addf(&pen, LZ_TINT_NONE, "   seed %" PRIu64 "   %s", seed, what.text);
    lz_pen_end(&pen);
    if (!style->quiet)
        lz_pen_end(&pen);
    lz_str_finish(&what);
}

// "FAIL  A sentence                      10m virtual".
static void write_heading(struct lz_pen *pen, const struct word *word, const char *name,
                          const char *right)
{
    int right_width = right[0] != '\0' ? lz_pen_width(right) + GAP : 0;
    bool is_narrow = pen->style->width < NARROW;
    lz_pen_add(pen, word->tint, word->word);
    lz_pen_to(pen, WORD_WIDTH);
    lz_pen_fit(pen, LZ_TINT_BOLD, name, lz_pen_room(pen) - (is_narrow ? 0 : right_width));
    if (right_width > 0) {
        if (is_narrow)
            lz_pen_end(pen);
        int column = pen->style->width - right_width + GAP;
        lz_pen_to(pen, is_narrow || column < WORD_WIDTH ? WORD_WIDTH : column);
        lz_pen_add(pen, LZ_TINT_DIM, right);
    }
    lz_pen_end(pen);
}

static bool is_verdict(const struct lz_run_expectation *e, const char *verdict)
{
    return strcmp(e->verdict, verdict) == 0;
}

static enum lz_glyph mark_of(const struct lz_run_expectation *e, enum lz_tint *tint)
{
    bool is_warning = strcmp(e->severity, "warn") == 0;
    *tint = LZ_TINT_GOOD;
    if (is_verdict(e, "pass"))
        return LZ_GLYPH_PASS;
    *tint = LZ_TINT_DOUBT;
    if (is_warning)
        return LZ_GLYPH_WARN;
    if (is_verdict(e, "inconclusive"))
        return LZ_GLYPH_DOUBT;
    *tint = LZ_TINT_BAD;
    return LZ_GLYPH_FAIL;
}

// What stands beside a name: for one that was not judged, the reason.
static const char *actual_of(const struct lz_run_expectation *e)
{
    bool has_reason = is_verdict(e, "inconclusive") && e->why[0] != '\0';
    return has_reason ? e->why : e->actual;
}

struct columns {
    int indent;
    int name, actual, spare; // widths
};

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

// Names have what the other columns leave, and at least NAME_LEAST.
static struct columns choose_columns(const struct lz_report_style *style,
                                     const struct lz_report_run *run, int indent)
{
    struct columns c = {.indent = indent};
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        c.name = most(c.name, lz_pen_width(e->name));
        if (!is_verdict(e, "inconclusive"))
            c.actual = most(c.actual, lz_pen_width(e->actual));
        c.spare = most(c.spare, lz_pen_width(e->spare));
    }
    int room = style->width - indent - 2 - 2 * GAP;
    c.spare = least(c.spare, SPARE_MOST);
    c.actual = least(most(c.actual, 9), most(ACTUAL_MOST, room - c.name - c.spare));
    c.actual = most(least(c.actual, room - c.spare - NAME_LEAST), 9);
    c.name = least(c.name, room - c.actual - c.spare);
    return c;
}

static void write_expectation(struct lz_pen *pen, const struct lz_run_expectation *e,
                              const struct columns *c)
{
    enum lz_tint tint;
    enum lz_glyph mark = mark_of(e, &tint);
    lz_pen_to(pen, c->indent);
    lz_pen_draw(pen, tint, mark, 1);
    lz_pen_to(pen, c->indent + 2);
    if (pen->style->width < NARROW) {
        lz_pen_add(pen, LZ_TINT_NONE, e->name);
        lz_pen_end(pen);
        lz_pen_to(pen, c->indent + 4);
        lz_pen_addf(pen, LZ_TINT_DIM, "%s%s%s", actual_of(e), e->spare[0] != '\0' ? "  " : "",
                    e->spare);
        lz_pen_end(pen);
        return;
    }
    lz_pen_fit(pen, LZ_TINT_NONE, e->name, c->name);
    lz_pen_to(pen, c->indent + 2 + c->name + GAP);
    bool has_spare = e->spare[0] != '\0';
    lz_pen_fit(pen, tint == LZ_TINT_GOOD ? LZ_TINT_NONE : tint, actual_of(e),
               has_spare ? c->actual : lz_pen_room(pen));
    if (has_spare) {
        lz_pen_to(pen, c->indent + 2 + c->name + GAP + c->actual + GAP);
        lz_pen_add(pen, LZ_TINT_DIM, e->spare);
    }
    lz_pen_end(pen);
}

// Where something is unclear, what is clear is only counted.
static void write_expectations(struct lz_pen *pen, const struct lz_report_run *run, int indent)
{
    struct columns c = choose_columns(pen->style, run, indent);
    size_t passed = 0;
    for (size_t i = 0; i < run->expectation_count; i++)
        passed += is_verdict(&run->expectations[i], "pass");
    bool is_summed = strcmp(run->verdict, "inconclusive") == 0 && passed > 1 &&
                     passed < run->expectation_count && pen->style->verbose == 0;
    if (is_summed) {
        lz_pen_to(pen, indent);
        lz_pen_draw(pen, LZ_TINT_GOOD, LZ_GLYPH_PASS, 1);
        lz_pen_addf(pen, LZ_TINT_NONE, " %zu of %zu", passed, run->expectation_count);
        lz_pen_end(pen);
    }
    for (size_t i = 0; i < run->expectation_count; i++)
        if (!is_summed || !is_verdict(&run->expectations[i], "pass"))
            write_expectation(pen, &run->expectations[i], &c);
}

// Whether a line of a diagnostic goes on with the sentence before it.
static bool goes_on(const char *line, size_t len)
{
    size_t lead = strspn(line, " ");
    return lead > 0 && lead < len && strchr("=|", line[lead]) == NULL &&
           strncmp(line + lead, "-->", 3) != 0 && memchr(line, '|', len) == NULL;
}

// A sentence and the lines that go on with it, below where it began: `error[LZ102]: ...`.
static void write_sentence(struct lz_pen *pen, const char *line, int indent)
{
    const char *start = strstr(line, ": ");
    size_t label = start != NULL ? (size_t)(start - line) + 1 : 0; // without its blank
    size_t lead = strspn(line, " ");
    if (label <= lead || label > 16) {
        lz_pen_wrap(pen, LZ_TINT_NONE, line, indent);
        return;
    }
    lz_pen_to(pen, indent + (int)lead);
    lz_pen_add_n(pen, LZ_TINT_NONE, line + lead, label - lead);
    lz_pen_wrap(pen, LZ_TINT_NONE, line + label, indent + (int)label + 1);
}

// The lines of a sentence, joined; how long they are, and whether one of them is too wide.
static size_t read_sentence(const char *text, int room, struct lz_str *out, bool *is_wide)
{
    struct lz_str line;
    size_t all = 0;
    *is_wide = false;
    lz_str_init(&line);
    do {
        const char *from = text + all + (all > 0);
        size_t len = strcspn(from, "\n");
        lz_str_clear(&line);
        lz_str_add_n(&line, from, len);
        *is_wide = *is_wide || lz_pen_width(line.text) > room;
        if (all > 0)
            lz_str_add_char(out, ' ');
        lz_str_add(out, line.text);
        all = (size_t)(from - text) + len;
    } while (text[all] == '\n' && goes_on(text + all + 1, strcspn(text + all + 1, "\n")));
    lz_str_finish(&line);
    return all;
}

// All of a diagnostic: it is said nowhere else. Its sentences are wrapped; source lines,
// which have marks below them, are cut.
static void write_error(struct lz_pen *pen, const struct lz_report_run *run, int indent)
{
    for (const char *text = run->error; *text != '\0';) {
        struct lz_str line;
        lz_str_init(&line);
        size_t len = strcspn(text, "\n");
        bool is_wide, is_source = memchr(text, '|', len) != NULL;
        size_t all = read_sentence(text, pen->style->width - indent, &line, &is_wide);
        if (!is_source && is_wide) {
            write_sentence(pen, line.text, indent);
            len = all;
        } else {
            lz_str_clear(&line);
            lz_str_add_n(&line, text, len);
            lz_pen_to(pen, indent);
            lz_pen_add(pen, LZ_TINT_NONE, line.text);
            lz_pen_end(pen);
        }
        lz_str_finish(&line);
        text += len + (text[len] == '\n');
    }
}

static void write_memory(struct lz_pen *pen, const struct lz_report_run *run, int indent)
{
    char size[32], each[32], at_once[32];
    sqlite3_stmt *q = lz_run_ask(
        run, "select memory_bytes, in_flight_max, in_flight_bytes from run where memory_bytes > 0",
        0, 0);
    if (lz_run_next(&q)) {
        int64_t count = sqlite3_column_int64(q, 1), bytes = sqlite3_column_int64(q, 2);
        lz_format_value(size, sizeof(size), lz_run_real(q, 0), LZ_UNIT_BYTES);
        lz_format_value(each, sizeof(each), count > 0 ? (double)bytes / (double)count : 0.0,
                        LZ_UNIT_BYTES);
        lz_format_count(at_once, sizeof(at_once), (double)count);
        lz_pen_to(pen, indent);
        lz_pen_addf(pen, LZ_TINT_DIM, "memory %s   requests at once %s, %s each", size, at_once,
                    each);
        lz_pen_end(pen);
    }
    lz_run_stop(&q);
    q = lz_run_ask(run, "select name, bytes from component order by bytes desc, id", 0, 0);
    while (lz_run_next(&q)) {
        lz_format_value(size, sizeof(size), lz_run_real(q, 1), LZ_UNIT_BYTES);
        lz_pen_to(pen, indent);
        lz_pen_addf(pen, LZ_TINT_DIM, "memory of %s   %s", lz_run_text(q, 0), size);
        lz_pen_end(pen);
    }
}

// What scripts wrote down. A run that fails shows of it what is near; here it is all.
static void write_said(struct lz_pen *pen, const struct lz_report_run *run, int indent)
{
    char at[32], more[32];
    int64_t count = 0;
    sqlite3_stmt *q = lz_run_ask(
        run, "select at_ns, text from event where kind in ('log', 'mark') order by seq", 0, 0);
    while (lz_run_next(&q)) {
        if (count++ >= SAID_SHOWN)
            continue;
        lz_format_instant(at, sizeof(at), sqlite3_column_int64(q, 0));
        lz_pen_to(pen, indent);
        lz_pen_addf(pen, LZ_TINT_DIM, "%9s  ", at);
        lz_pen_add(pen, LZ_TINT_NONE, lz_run_text(q, 1));
        lz_pen_end(pen);
    }
    if (count <= SAID_SHOWN)
        return;
    lz_format_count(more, sizeof(more), (double)(count - SAID_SHOWN));
    lz_pen_to(pen, indent);
    lz_pen_addf(pen, LZ_TINT_DIM, "and %s more: lorenz sql RUN", more);
    lz_pen_end(pen);
}

static void write_details(struct lz_pen *pen, const struct lz_report_run *run, int indent)
{
    char events[32];
    lz_format_count(events, sizeof(events), (double)run->events);
    if (run->trace_hash[0] != '\0') { // of what is real there is none
        lz_pen_to(pen, indent);
        lz_pen_addf(pen, LZ_TINT_DIM, "%s events   trace %s   %s", events, run->trace_hash,
                    run->file);
        lz_pen_end(pen);
        write_memory(pen, run, indent);
    }
    write_said(pen, run, indent);
    sqlite3_stmt *q =
        lz_run_ask(run, "select name, effect, effect_unit from fault order by id", 0, 0);
    while (lz_run_next(&q)) {
        char effect[32];
        lz_format_count(effect, sizeof(effect), (double)sqlite3_column_int64(q, 1));
        lz_pen_to(pen, indent);
        lz_pen_addf(pen, LZ_TINT_DIM, "fault %s   %s %s", lz_run_text(q, 0), effect,
                    lz_run_text(q, 2));
        lz_pen_end(pen);
    }
}

// An inconclusive run names the first in its reason; one that failed has another, and what it did
// not test is worth a line all the same.
static void write_idle_faults(struct lz_pen *pen, const struct lz_report_run *run, int indent)
{
    if (strcmp(run->verdict, "fail") != 0 || pen->style->verbose > 0)
        return;
    size_t count = 0;
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select name, effect_unit from fault"
                                 " where firings > 0 and effect = 0 order by id",
                                 0, 0);
    while (lz_run_next(&q)) {
        if (count++ >= IDLE_SHOWN)
            continue;
        lz_pen_to(pen, indent);
        lz_pen_draw(pen, LZ_TINT_DOUBT, LZ_GLYPH_DOUBT, 1);
        lz_pen_to(pen, indent + 2);
        lz_pen_addf(pen, LZ_TINT_NONE, "fault %s touched nothing", lz_run_text(q, 0));
        lz_pen_addf(pen, LZ_TINT_DIM, ": 0 %s", lz_run_text(q, 1));
        lz_pen_end(pen);
    }
    if (count > IDLE_SHOWN) {
        lz_pen_to(pen, indent + 2);
        lz_pen_addf(pen, LZ_TINT_DIM, "nor did %zu more", count - IDLE_SHOWN);
        lz_pen_end(pen);
    }
}

static void write_body(struct lz_pen *pen, const struct lz_report_run *run, int indent)
{
    if (word_of(run) >= &words[DIVERGED])
        write_error(pen, run, indent);
    if (pen->style->quiet)
        return;
    write_expectations(pen, run, indent);
    write_idle_faults(pen, run, indent);
    if (strcmp(run->verdict, "budget") == 0)
        lz_pen_wrap(pen, LZ_TINT_NONE, run->why, indent);
    if (pen->style->verbose > 0)
        write_details(pen, run, indent);
}

// What brings the run back; one for all cases of a scenario.
static void write_token(struct lz_pen *pen, const struct lz_report_run *run)
{
    if (pen->style->quiet || run->token[0] == '\0' || run->trace_hash[0] == '\0')
        return;
    lz_pen_to(pen, INDENT);
    lz_pen_addf(pen, LZ_TINT_DIM, "token %s", run->token);
    lz_pen_end(pen);
}

static bool is_other_seed(const struct lz_pen *pen, const struct lz_report_run *run)
{
    return pen->style->seed != 0 && run->seed != pen->style->seed;
}

// What tells a run from others of its scenario: its case, and its seed if that is another.
static void name_case(const struct lz_pen *pen, const struct lz_report_run *run, struct lz_str *out)
{
    lz_str_add(out, run->case_id);
    if (is_other_seed(pen, run))
        lz_str_addf(out, "%sseed %" PRIu64, out->len > 0 ? "  " : "", run->seed);
}

static void write_alone(struct lz_pen *pen, const struct lz_report_run *run)
{
    char virtual[32], right[48] = "";
    if (run->case_id[0] != '\0' || is_other_seed(pen, run)) {
        struct lz_str name;
        lz_str_init(&name);
        name_case(pen, run, &name);
        write_heading(pen, word_of(run), lz_run_title(run), name.text);
        lz_str_finish(&name);
    } else {
        if (run->virtual_ns > 0)
            snprintf(right, sizeof(right), "%s %s",
                     lz_format_duration(virtual, sizeof(virtual), run->virtual_ns),
                     run->trace_hash[0] != '\0' ? "virtual" : "live");
        write_heading(pen, word_of(run), lz_run_title(run), right);
    }
    write_body(pen, run, INDENT);
    write_token(pen, run);
}

// The first expectation that made a case what it is, if there is one.
static const struct lz_run_expectation *deciding(const struct lz_report_run *run)
{
    bool has_failed = strcmp(run->verdict, "fail") == 0 || strcmp(run->verdict, "xfail") == 0;
    for (size_t i = 0; i < run->expectation_count; i++)
        if (is_verdict(&run->expectations[i], has_failed ? "fail" : "inconclusive") &&
            strcmp(run->expectations[i].severity, "warn") != 0)
            return &run->expectations[i];
    return NULL;
}

// A case that is as it should be takes one line; another, those of its expectations too.
static void write_case(struct lz_pen *pen, const struct lz_report_run *run)
{
    const struct word *word = word_of(run);
    lz_pen_to(pen, INDENT);
    lz_pen_add(pen, word->tint, word->word);
    lz_pen_to(pen, INDENT + WORD_WIDTH);
    struct lz_str name;
    lz_str_init(&name);
    name_case(pen, run, &name);
    lz_pen_add(pen, LZ_TINT_BOLD, name.len > 0 ? name.text : run->file);
    lz_str_finish(&name);
    const struct lz_run_expectation *e = deciding(run);
    if (strcmp(run->verdict, "xfail") == 0 && e != NULL && lz_pen_room(pen) > NAME_LEAST)
        lz_pen_addf(pen, LZ_TINT_DIM, "   %s: %s", e->name, e->actual);
    lz_pen_end(pen);
    if (!word->is_pass || pen->style->verbose > 0)
        write_body(pen, run, 2 * INDENT);
}

static void write_group(struct lz_pen *pen, struct lz_report_run *const *runs, size_t count)
{
    const struct word *worst = words;
    size_t plain = 0;
    for (size_t i = 0; i < count; i++) {
        const struct word *word = word_of(runs[i]);
        worst = word > worst ? word : worst;
        plain += word == words;
    }
    struct lz_str right;
    lz_str_init(&right);
    add_number(&right, count, "case", "cases");
    write_heading(pen, worst->is_pass ? words : worst, lz_run_title(runs[0]), right.text);
    lz_str_finish(&right);
    // Quiet is about what is as it should be, or fails: what is wrong has no other place to say so.
    bool is_verbose = pen->style->verbose > 0, is_quiet = pen->style->quiet;
    for (size_t i = 0; i < count; i++)
        if (is_quiet ? word_of(runs[i]) >= &words[DIVERGED]
                     : is_verbose || word_of(runs[i]) != words)
            write_case(pen, runs[i]);
    if (is_quiet)
        return;
    if (!is_verbose && plain > 0 && plain < count) {
        lz_pen_to(pen, INDENT);
        lz_pen_add(pen, words->tint, words->word);
        lz_pen_to(pen, INDENT + WORD_WIDTH);
        lz_pen_addf(pen, LZ_TINT_NONE, "%zu more", plain);
        lz_pen_end(pen);
    }
    write_token(pen, runs[0]);
}

static bool is_same_scenario(const struct lz_report_run *a, const struct lz_report_run *b)
{
    return strcmp(a->file, b->file) == 0;
}

void lz_report_text_runs(struct lz_str *out, const struct lz_report_style *style,
                         struct lz_report_run *const *runs, size_t count)
{
    struct lz_pen pen = lz_pen_begin(out, style);
    for (size_t i = 0; i < count;) {
        size_t next = i + 1;
        while (next < count && is_same_scenario(runs[i], runs[next]))
            next++;
        if (next - i == 1)
            write_alone(&pen, runs[i]);
        else
            write_group(&pen, runs + i, next - i);
        i = next;
    }
}

static void add_part(struct lz_str *text, size_t n, const char *one, const char *many)
{
    if (n == 0)
        return;
    if (text->len > 0)
        lz_str_add(text, ", ");
    add_number(text, n, one, many);
}

static void write_summary(struct lz_pen *pen, struct lz_report_run *const *runs, size_t count,
                          int exit_code)
{
    size_t by_word[WORDS] = {0}, passed = 0, failed = 0, expectations = 0, slos = 0;
    for (size_t i = 0; i < count; i++) {
        const struct word *word = word_of(runs[i]);
        by_word[word - words]++;
        passed += word->is_pass;
        failed += word->is_failure;
        for (size_t k = 0; k < runs[i]->expectation_count; k++)
            slos += strcmp(runs[i]->expectations[k].temporal, "slo") == 0;
        expectations += runs[i]->expectation_count;
    }
    struct lz_str text;
    lz_str_init(&text);
    if (passed > 0 || count == 0)
        add_number(&text, passed, "passed", "passed");
    add_part(&text, failed, "failed", "failed");
    add_part(&text, by_word[INCONCLUSIVE], "inconclusive", "inconclusive");
    add_part(&text, by_word[BUDGET], "over budget", "over budget");
    add_part(&text, by_word[DIVERGED], "not reproducible", "not reproducible");
    add_part(&text, by_word[ERROR], "wrong", "wrong");
    bool is_good = count > 0 && passed == count;
    bool is_bad = failed + by_word[DIVERGED] + by_word[ERROR] > 0;
    lz_pen_add(pen, is_good ? LZ_TINT_GOOD : is_bad ? LZ_TINT_BAD : LZ_TINT_DOUBT, text.text);
    lz_str_clear(&text);
    add_part(&text, expectations - slos, "expectation", "expectations");
    add_part(&text, slos, "SLO", "SLOs");
    if (is_good)
        lz_pen_addf(pen, LZ_TINT_NONE, "   %s", text.text);
    if (count > 0)
        lz_pen_addf(pen, LZ_TINT_NONE, "   seed %" PRIu64,
                    pen->style->seed != 0 ? pen->style->seed : runs[0]->seed);
    if (exit_code != 0)
        lz_pen_addf(pen, LZ_TINT_NONE, "   exit %d", exit_code);
    lz_pen_end(pen);
    lz_str_finish(&text);
}

void lz_report_text_end(struct lz_str *out, const struct lz_report_style *style,
                        struct lz_report_run *const *runs, size_t count, int exit_code)
{
    struct lz_pen pen = lz_pen_begin(out, style);
    if (!style->quiet) {
        lz_pen_end(&pen);
        for (size_t i = 0; i < count; i++)
            if (word_of(runs[i])->is_failure)
                lz_block_failed(&pen, runs[i]);
        for (size_t i = 0; i < count; i++)
            if (word_of(runs[i])->tint == LZ_TINT_DOUBT)
                lz_block_inconclusive(&pen, runs[i]);
    }
    write_summary(&pen, runs, count, exit_code);
}
