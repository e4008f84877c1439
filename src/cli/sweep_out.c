#include "cli/sweep_out.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/json.h"

#define NAME_WIDTH_MIN 12
#define COVER_WIDTH 40 // of a fault and its target
#define INDENT 12

void lz_sweep_out_option(const struct lz_suite_run *run, struct lz_str *out)
{
    if (run->of == NULL || run->of->params.count == 0)
        return;
    struct lz_str values;
    lz_str_init(&values);
    lz_suite_case_text(run->of, ",", &values);
    const char *harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=,._%+:@/-";
    bool is_safe = strspn(values.text, harmless) == values.len;
    lz_str_add(out, is_safe ? " --case " : " --case '");
    for (const char *c = values.text; *c != '\0'; c++) {
        if (*c == '\'')
            lz_str_add(out, "'\\'");
        lz_str_add_char(out, *c);
        if (*c == '\'')
            lz_str_add_char(out, '\'');
    }
    lz_str_add(out, is_safe ? "" : "'");
    lz_str_finish(&values);
}

static void plain(struct lz_str *out, const char *text, const struct lz_report_style *style)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_plain = (unsigned char)*c >= 0x20 && *c != 0x7f;
        bool is_ascii = (unsigned char)*c < 0x80;
        lz_str_add_char(out, is_plain && (is_ascii || !style->ascii) ? *c : '?');
    }
}

// What fits into the rest of a line that is at `column`.
static void cut(struct lz_str *out, const char *text, const struct lz_report_style *style,
                int column)
{
    struct lz_str whole;
    lz_str_init(&whole);
    plain(&whole, text, style);
    size_t room = (size_t)(style->width - column);
    bool is_long = lz_str_width(whole.text) > room;
    while (is_long && whole.len > 0 && lz_str_width(whole.text) > room - (style->ascii ? 3 : 1)) {
        while (whole.len > 0 && ((unsigned char)whole.text[whole.len - 1] & 0xc0) == 0x80)
            whole.text[--whole.len] = '\0'; // the rest of a character
        whole.text[--whole.len] = '\0';
    }
    lz_str_add(out, whole.text);
    lz_str_add(out, !is_long ? "" : style->ascii ? "..." : "…");
    lz_str_finish(&whole);
}

// Nearly all is not all: as many digits as what lacks needs, and none rounded up.
static void add_nearly_all(struct lz_str *out, double percent)
{
    int digits = 1;
    double step = 10.0;
    while (digits < 9 && (100.0 - percent) * step < 0.999) {
        digits++;
        step *= 10.0;
    }
    lz_str_addf(out, "%.*f %%", digits, floor(percent * step + 1e-6) / step);
}

void lz_sweep_out_rate(struct lz_str *out, double rate)
{
    double percent = 100.0 * rate;
    if (percent > 99.0 && percent < 100.0) {
        add_nearly_all(out, percent);
        return;
    }
    lz_str_addf(out,
                percent >= 9.95 || percent == 0.0 ? "%.0f %%"
                : percent >= 0.0095               ? "%.2g %%"
                                                  : "%.1e %%",
                percent);
}

static void add_certainty(struct lz_str *out, const struct lz_sweep *s,
                          const struct lz_sweep_case *c)
{
    uint64_t known = c->passed + c->failed;
    if (known == 0) {
        lz_str_add(out, "unknown");
        return;
    }
    struct lz_certain_interval i = lz_certain_interval(known, c->failed, s->opts.confidence);
    if (c->failed == 0) {
        lz_str_add(out, "below ");
        lz_sweep_out_rate(out, i.high);
    } else if (c->failed == known) {
        lz_str_add(out, "above ");
        lz_sweep_out_rate(out, i.low);
    } else {
        lz_sweep_out_rate(out, i.low);
        lz_str_add(out, " to ");
        lz_sweep_out_rate(out, i.high);
    }
    if (c->xfail)
        lz_str_add(out, c->failed > 0 ? "  (xfail)" : "  (xfail, never failed)");
}

void lz_sweep_out_head(const struct lz_sweep_opts *opts, const struct lz_report_style *style,
                       struct lz_str *out)
{
    size_t cases = opts->suite->run_count;
    lz_str_addf(out, "lorenz " LZ_VERSION "   seeds %" PRIu64 " to %" PRIu64, opts->first,
                opts->last);
    lz_str_addf(out, style->ascii ? " x %zu case%s" : " × %zu case%s", cases,
                cases == 1 ? "" : "s");
    char order[LZ_ORDER_TEXT_SIZE];
    if (lz_order_write(&opts->suite->opts.order, order)[0] != '\0')
        lz_str_addf(out, "   order %s", order);
    if (opts->max_rate > 0.0) {
        lz_str_addf(out, "   until %g %% sure of ", 100.0 * opts->confidence);
        lz_sweep_out_rate(out, opts->max_rate);
    }
    lz_str_add(out, "\n\n");
}

// Blanks up to a column of the line that began at `from`.
static void pad(struct lz_str *out, size_t from, size_t column)
{
    size_t width = lz_str_width(out->text + from);
    lz_str_add_repeat(out, " ", width < column ? column - width : 1);
}

static void write_cases(const struct lz_sweep *s, const struct lz_report_style *style,
                        struct lz_str *out)
{
    const struct lz_suite *suite = s->opts.suite;
    size_t wide = NAME_WIDTH_MIN;
    for (size_t i = 0; i < s->case_count; i++) {
        struct lz_str name;
        lz_str_init(&name);
        lz_suite_case_text(suite->runs[s->cases[i].run].of, "  ", &name);
        wide = name.len > wide ? name.len : wide;
        lz_str_finish(&name);
    }
    size_t most = (size_t)style->width > 60 ? (size_t)style->width - 50 : 20;
    wide = wide < most ? wide : most;
    size_t from = out->len;
    lz_str_add(out, "case");
    pad(out, from, wide);
    lz_str_addf(out, "   pass   fail  inconcl.  %g %% sure it fails\n", 100.0 * s->opts.confidence);
    size_t last = suite->scenario_count;
    for (size_t i = 0; i < s->case_count; i++) {
        const struct lz_sweep_case *c = &s->cases[i];
        const struct lz_suite_run *run = &suite->runs[c->run];
        if (run->scenario != last && suite->run_scenarios > 1)
            lz_str_addf(out, "%s\n", suite->scenarios[run->scenario].path);
        last = run->scenario;
        struct lz_str name;
        lz_str_init(&name);
        lz_suite_case_text(run->of, "  ", &name);
        from = out->len;
        plain(out, name.len > 0 ? name.text : "-", style);
        if (lz_str_width(out->text + from) > wide) // a long case has a line for itself
            lz_str_add(out, "\n"), from = out->len;
        pad(out, from, wide);
        lz_str_finish(&name);
        lz_str_addf(out, "%7" PRIu64 "%7" PRIu64, c->passed, c->failed);
        if (c->inconclusive > 0)
            lz_str_addf(out, "%10" PRIu64 "  ", c->inconclusive);
        else
            lz_str_add(out, "         -  ");
        add_certainty(out, s, c);
        if (c->broken > 0)
            lz_str_addf(out, "  (%" PRIu64 " broke off)", c->broken);
        if (s->opts.max_rate > 0.0 && !c->xfail)
            lz_str_add(out, c->decision == LZ_CERTAIN_BELOW   ? "  decided: below"
                            : c->decision == LZ_CERTAIN_ABOVE ? "  decided: above"
                                                              : "  undecided");
        lz_str_add(out, "\n");
    }
}

static void add_command(struct lz_str *out, const struct lz_suite *suite,
                        const struct lz_sweep_failure *f)
{
    const struct lz_suite_run *run = &suite->runs[f->run];
    lz_str_addf(out, "lorenz run %s", suite->scenarios[run->scenario].path);
    lz_sweep_out_option(run, out);
    lz_str_addf(out, " --seed %" PRIu64, f->seed);
    lz_manner_write(&f->manner, out);
}

void lz_sweep_out_command(const struct lz_sweep *s, const struct lz_sweep_failure *f,
                          struct lz_str *out)
{
    add_command(out, s->opts.suite, f);
}

static void write_failures(const struct lz_sweep *s, const struct lz_report_style *style,
                           struct lz_str *out)
{
    if (s->failure_count == 0)
        return;
    uint64_t runs = 0;
    for (size_t i = 0; i < s->failure_count; i++)
        runs += s->failures[i].count;
    lz_str_addf(out, "\n%zu distinct failure%s (%" PRIu64 " run%s)\n", s->failure_count,
                s->failure_count == 1 ? "" : "s", runs, runs == 1 ? "" : "s");
    for (size_t i = 0; i < s->failure_count && i < 26; i++) {
        const struct lz_sweep_failure *f = &s->failures[i];
        lz_str_addf(out, "  %c %5" PRIu64 "%s  ", (char)('A' + i), f->count,
                    style->ascii ? "x" : "×");
        cut(out, f->name, style, INDENT);
        if (f->others > 0)
            lz_str_addf(out, "\n%*sand %zu other%s", INDENT, "", f->others,
                        f->others == 1 ? "" : "s");
        if (f->actual[0] != '\0') {
            lz_str_addf(out, "\n%*s", INDENT, "");
            cut(out, f->actual, style, INDENT);
        }
        lz_str_addf(out, "\n            %sfirst seed %" PRIu64 "   ",
                    f->is_xfail          ? "meant to fail; "
                    : f->is_inconclusive ? "inconclusive; "
                                         : "",
                    f->seed);
        add_command(out, s->opts.suite, f);
        lz_str_add(out, "\n");
    }
    if (s->failure_count > 26)
        lz_str_addf(out, "  and %zu more\n", s->failure_count - 26);
}

static void write_closest(const struct lz_sweep *s, const struct lz_report_style *style,
                          struct lz_str *out)
{
    if (s->closest_count == 0)
        return;
    lz_str_add(out, "\nclosest calls among the passes\n");
    for (size_t i = 0; i < s->closest_count; i++) {
        const struct lz_sweep_close *c = &s->closest[i];
        lz_str_addf(out, "  seed %-6" PRIu64 " ", c->seed);
        lz_suite_case_text(s->opts.suite->runs[c->run].of, " ", out);
        if (s->opts.suite->runs[c->run].of->params.count > 0)
            lz_str_addf(out, "\n%*s", INDENT, "");
        struct lz_str what;
        lz_str_init(&what);
        lz_str_addf(&what, "%s  %s", c->spare, c->name);
        cut(out, what.text, style, INDENT);
        lz_str_finish(&what);
        lz_str_add(out, "\n");
    }
}

// What never came, and what touched nothing, has not been tested.
static void write_cover(const struct lz_sweep *s, struct lz_str *out)
{
    const struct lz_cover *c = &s->cover;
    size_t wide = 0;
    if (c->fault_count == 0)
        return;
    for (size_t i = 0; i < c->fault_count; i++) {
        size_t len = strlen(c->faults[i].kind) + 1 + lz_str_width(c->faults[i].target);
        wide = len > wide ? len : wide;
    }
    wide = (wide < COVER_WIDTH ? wide : COVER_WIDTH) + 2;
    size_t from = out->len;
    lz_str_add(out, "\nfaults");
    pad(out, from + 1, wide);
    lz_str_add(out, "    runs    came     bit    over\n");
    for (size_t i = 0; i < c->fault_count; i++) {
        const struct lz_cover_fault *f = &c->faults[i];
        from = out->len;
        lz_str_addf(out, "%s %s", f->kind, f->target);
        pad(out, from, wide);
        lz_str_addf(out, "%8" PRIu64 "%8" PRIu64 "%8" PRIu64 "%8" PRIu64 "%s\n", f->runs, f->came,
                    f->bit, f->over,
                    f->came == 0  ? "  never came"
                    : f->bit == 0 ? "  never touched anything"
                                  : "");
    }
}

static void write_sometimes(const struct lz_sweep *s, const struct lz_report_style *style,
                            struct lz_str *out)
{
    const struct lz_cover *c = &s->cover;
    for (size_t i = 0; i < c->sometimes_count; i++) {
        const struct lz_cover_sometimes *e = &c->sometimes[i];
        if (e->reached > 0)
            continue;
        lz_str_addf(out, "\nnever reached in %" PRIu64 " run%s, so inconclusive: ", e->runs,
                    e->runs == 1 ? "" : "s");
        plain(out, e->name, style);
        if (s->opts.suite->runs[e->run].of->params.count > 0) {
            lz_str_add(out, "   ");
            lz_suite_case_text(s->opts.suite->runs[e->run].of, " ", out);
        }
        lz_str_add(out, "\n");
    }
}

void lz_sweep_out_text(const struct lz_sweep *s, const struct lz_report_style *style,
                       struct lz_str *out)
{
    write_cases(s, style, out);
    if (s->opts.saved_count > 0)
        lz_str_addf(out, "\nsaved seeds: %" PRIu64 " of %zu still fail\n", s->saved_failed,
                    s->opts.saved_count);
    write_failures(s, style, out);
    write_sometimes(s, style, out);
    if (style->quiet)
        return;
    write_cover(s, out);
    write_closest(s, style, out);
}

static void json_real(struct lz_str *out, double value)
{
    if (isfinite(value))
        lz_str_addf(out, "%.17g", value);
    else
        lz_str_add(out, "null");
}

static void json_case(const struct lz_sweep *s, const struct lz_suite_run *run, struct lz_str *out)
{
    lz_str_add(out, "\"file\":");
    lz_json_string(out, s->opts.suite->scenarios[run->scenario].path);
    lz_str_add(out, ",\"params\":{");
    for (size_t i = 0; i < run->of->params.count; i++) {
        lz_str_add(out, i > 0 ? "," : "");
        lz_json_string(out, run->of->params.items[i].name);
        lz_str_add(out, ":");
        lz_json_string(out, run->of->params.items[i].value);
    }
    lz_str_add(out, "}");
}

static void json_cover(const struct lz_sweep *s, struct lz_str *out)
{
    const struct lz_cover *c = &s->cover;
    for (size_t i = 0; i < c->fault_count; i++) {
        const struct lz_cover_fault *f = &c->faults[i];
        lz_str_add(out, i > 0 ? ",\n{\"file\":" : "\n{\"file\":");
        lz_json_string(out, s->opts.suite->scenarios[f->scenario].path);
        lz_str_add(out, ",\"kind\":");
        lz_json_string(out, f->kind);
        lz_str_add(out, ",\"target\":");
        lz_json_string(out, f->target);
        lz_str_addf(out,
                    ",\"runs\":%" PRIu64 ",\"came\":%" PRIu64 ",\"bit\":%" PRIu64
                    ",\"over\":%" PRIu64 ",\"absent\":%" PRIu64 "}",
                    f->runs, f->came, f->bit, f->over, f->absent);
    }
    lz_str_add(out, "],\"sometimes\":[");
    for (size_t i = 0; i < c->sometimes_count; i++) {
        const struct lz_cover_sometimes *e = &c->sometimes[i];
        lz_str_add(out, i > 0 ? ",\n{" : "\n{");
        json_case(s, &s->opts.suite->runs[e->run], out);
        lz_str_add(out, ",\"name\":");
        lz_json_string(out, e->name);
        lz_str_addf(out, ",\"runs\":%" PRIu64 ",\"reached\":%" PRIu64 "}", e->runs, e->reached);
    }
}

static void json_cases(const struct lz_sweep *s, struct lz_str *out)
{
    static const char *const decisions[] = {
        [LZ_CERTAIN_OPEN] = "open", [LZ_CERTAIN_BELOW] = "below", [LZ_CERTAIN_ABOVE] = "above"};
    for (size_t i = 0; i < s->case_count; i++) {
        const struct lz_sweep_case *c = &s->cases[i];
        uint64_t known = c->passed + c->failed;
        struct lz_certain_interval in = {0.0, 1.0};
        if (known > 0)
            in = lz_certain_interval(known, c->failed, s->opts.confidence);
        lz_str_add(out, i > 0 ? ",\n{" : "\n{");
        json_case(s, &s->opts.suite->runs[c->run], out);
        lz_str_addf(
            out,
            ",\"xfail\":%s,\"runs\":%" PRIu64 ",\"passed\":%" PRIu64 ",\"failed\":%" PRIu64
            ",\"inconclusive\":%" PRIu64 ",\"broken\":%" PRIu64 ",\"failure_rate\":{\"low\":",
            c->xfail ? "true" : "false", c->runs, c->passed, c->failed, c->inconclusive, c->broken);
        json_real(out, in.low);
        lz_str_add(out, ",\"high\":");
        json_real(out, in.high);
        lz_str_addf(out, "},\"decision\":\"%s\"}", decisions[c->decision]);
    }
}

void lz_sweep_out_json(const struct lz_sweep *s, enum lz_exit status, struct lz_str *out)
{
    lz_str_addf(out,
                "{\"schema\":\"lorenz.sweep/1\",\"version\":\"" LZ_VERSION
                "\",\"first_seed\":%" PRIu64 ",\"last_seed\":%" PRIu64 ",\"confidence\":",
                s->opts.first, s->opts.last);
    json_real(out, s->opts.confidence);
    lz_str_add(out, ",\"max_rate\":");
    json_real(out, s->opts.max_rate > 0.0 ? s->opts.max_rate : (double)NAN);
    lz_str_addf(
        out,
        ",\"runs\":%" PRIu64 ",\"planned\":%" PRIu64 ",\"failed\":%" PRIu64
        ",\"trace_hash\":\"%016" PRIx64 "\",\"saved_seeds\":%zu,\"saved_seeds_failed\":%" PRIu64
        ",\"exit_code\":%d,\"cases\":[",
        s->done, s->total, s->failed, s->trace, s->opts.saved_count, s->saved_failed, (int)status);
    json_cases(s, out);
    lz_str_add(out, "],\"failures\":[");
    for (size_t i = 0; i < s->failure_count; i++) {
        const struct lz_sweep_failure *f = &s->failures[i];
        lz_str_add(out, i > 0 ? ",\n{" : "\n{");
        json_case(s, &s->opts.suite->runs[f->run], out);
        lz_str_addf(out, ",\"count\":%" PRIu64 ",\"first_seed\":%" PRIu64 ",\"xfail\":%s,\"name\":",
                    f->count, f->seed, f->is_xfail ? "true" : "false");
        lz_json_string(out, f->name);
        lz_str_add(out, ",\"actual\":");
        lz_json_string(out, f->actual);
        lz_str_addf(out, ",\"others\":%zu}", f->others);
    }
    lz_str_add(out, "],\"closest\":[");
    for (size_t i = 0; i < s->closest_count; i++) {
        const struct lz_sweep_close *c = &s->closest[i];
        lz_str_add(out, i > 0 ? ",\n{" : "\n{");
        json_case(s, &s->opts.suite->runs[c->run], out);
        lz_str_addf(out, ",\"seed\":%" PRIu64 ",\"name\":", c->seed);
        lz_json_string(out, c->name);
        lz_str_add(out, ",\"margin\":");
        json_real(out, c->margin);
        lz_str_add(out, "}");
    }
    lz_str_add(out, "],\"faults\":[");
    json_cover(s, out);
    lz_str_add(out, "]}\n");
}
