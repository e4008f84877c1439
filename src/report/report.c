#include "report/report.h"

#include <string.h>

#include "base/check.h"
#include "report/formats.h"
#include "report/history.h"
#include "report/json.h"
#include "report/run.h"

// A format is a file and a row.
static const struct lz_report_format formats[] = {
    {"dot", "what calls what and what was hit, for Graphviz", lz_graph_dot, NULL},
    {"github", "annotations for GitHub Actions, at most ten", lz_github_write, NULL},
    {"history",
     "what clients did and saw in the first run, for verify-history; at most 200,000 operations",
     lz_history_lines,
     "no run has kept what its clients did and saw; one does whose scenario expects something of "
     "it, such as expect \"...\" { linearizable = db }"},
    {"html", "one page for people: verdicts, timeline, plots, traces; nothing else is loaded",
     lz_html_write, NULL},
    {"json", "one JSON document, lorenz.result/1", lz_json_write, NULL},
    {"junit", "JUnit XML: a suite for each run, a case for each expectation", lz_junit_write, NULL},
    {"lzrun", "the run file itself, of one run: for report, replay, sql, shrink and why",
     lz_lzrun_write, NULL},
    {"mermaid", "what calls what and what was hit, for Mermaid", lz_graph_mermaid, NULL},
    {"ndjson", "a JSON object in each line, lorenz.event/1", lz_ndjson_write, NULL},
    {"openmetrics", "all metrics with timestamps, to be backfilled into Prometheus",
     lz_openmetrics_write, NULL},
    {"otlp", "kept requests as traces, OTLP in JSON lines", lz_otlp_write, NULL},
    {"perfetto", "a trace for ui.perfetto.dev", lz_perfetto_write, NULL},
    {"summary", "Markdown for a job's summary, below 1 MB", lz_summary_write, NULL},
    {"tap", "TAP 14: a subtest for each run", lz_tap_write, NULL},
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

bool lz_report_open(const unsigned char *image, size_t size, struct lz_report_run **out,
                    struct lz_err *err)
{
    LZ_ASSERT(LZ_IMPLIES(size > 0, image != NULL));
    return lz_run_open(image, size, out, err);
}

void lz_report_close(struct lz_report_run *run)
{
    lz_run_close(run);
}

void lz_report_set_path(struct lz_report_run *run, const char *path)
{
    LZ_ASSERT(run != NULL);
    run->path = path;
}

const char *lz_report_verdict(const struct lz_report_run *run)
{
    LZ_ASSERT(run != NULL);
    return run->verdict;
}

const struct lz_report_format *lz_report_format_find(const char *name)
{
    LZ_ASSERT(name != NULL);
    for (size_t i = 0; i < FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

size_t lz_report_format_count(void)
{
    return FORMATS;
}

const struct lz_report_format *lz_report_format_get(size_t i)
{
    LZ_ASSERT(i < FORMATS);
    return &formats[i];
}
