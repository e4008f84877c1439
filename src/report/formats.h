/*
 * formats.h — inside report/: what other programs read of recorded runs.
 *
 * Each is a pure function of the records, in a file of its own:
 *
 *   github.c       workflow commands: ten annotations of a step are shown and the rest is hidden
 *                  without a word, so nine, worst first, and how many more there are; and a job's
 *                  summary, which is refused whole above 1 MiB, so it is cut below a million bytes
 *   graph.c        components, calls and faults as Mermaid and as DOT
 *   html.c         one page that loads nothing: what it says can be read without scripts and
 *                  without styles, for some servers forbid both; html_draw.h draws, page/ has
 *                  what scripts add, with uPlot where the build has it
 *   junit.c        there is no standard; what GitLab, Jenkins and GitHub readers agree on: names
 *                  are unique in a class, `time` is virtual, inconclusive is skipped with a message
 *   ndjson.c       lorenz.event/1: start, run, expectation, fault, summary; times are whole
 *                  nanoseconds; tools/schema has its JSON schema
 *   openmetrics.c  OpenMetrics 1.0 text: a family's samples together, `# EOF` at the end
 *   otlp.c         OTLP in JSON: ids in hexadecimal, 64-bit whole numbers as texts
 *   perfetto.c     Chrome's trace events: requests overlap, so they are asynchronous (b, e)
 *   tap.c          Test Anything Protocol 14: subtests indented by four, YAML by two more
 */
#ifndef LZ_REPORT_FORMATS_H
#define LZ_REPORT_FORMATS_H

#include "report/run.h"

#define LZ_SUMMARY_SIZE_MAX 1000000 /* bytes */
#define LZ_GITHUB_ANNOTATIONS_MAX 10

typedef void lz_format_fn(struct lz_str *out, const struct lz_report_options *options,
                          struct lz_report_run *const *runs, size_t count);

lz_format_fn lz_github_write, lz_summary_write, lz_graph_mermaid, lz_graph_dot, lz_junit_write,
    lz_html_write, lz_lzrun_write, lz_ndjson_write, lz_openmetrics_write, lz_otlp_write,
    lz_perfetto_write, lz_tap_write;

/* What is said of an expectation in one line: "took 22.4s, limit 15s"; of an inconclusive one why
   nobody knows. */
void lz_format_outcome(struct lz_str *out, const struct lz_run_expectation *e);

/* "retries=3", with the seed if it is not the command's; "" if there is nothing to tell. */
void lz_format_case(struct lz_str *out, const struct lz_report_options *options,
                    const struct lz_report_run *run);

/* The command that runs it again. */
void lz_format_command(struct lz_str *out, const struct lz_report_run *run);

/* Whether a verdict word fails a command. */
bool lz_format_is_bad(const char *verdict);

#endif
