#include "cli/sweep_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/sweep_formats.h"
#include "cli/sweep_out.h"
#include "explore/blocks.h"

static enum lz_exit deliver(const struct lz_sweep_report *r, const struct lz_sweep *sweep,
                            enum lz_exit status, struct lz_out *out)
{
    for (size_t i = 0; i < r->flags->output_count; i++) {
        const struct lz_flags_output *output = &r->flags->outputs[i];
        struct lz_str json;
        struct lz_err err;
        const char *name = output->format->name;
        lz_sweep_format_fn *write = lz_sweep_format_find(name, strlen(name));
        if (write == NULL) {
            fprintf(stderr, "lorenz report: a sweep is written as %s, not as %s\n",
                    lz_sweep_format_names, name);
            return LZ_EXIT_USAGE;
        }
        lz_str_init(&json);
        write(sweep, status, &json);
        if (strcmp(output->path, "-") == 0) {
            lz_out_write(out, json.text, json.len);
        } else if (!lz_out_file(output->path, json.text, json.len, &err)) {
            fprintf(stderr, "lorenz report: %s\n", err.msg);
            status = LZ_EXIT_WRITE;
        }
        lz_str_finish(&json);
    }
    return status;
}

static void write_text(const struct lz_sweep_report *r, const struct lz_blocks_whole *w,
                       enum lz_exit status, struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&r->flags->term, STDOUT_FILENO);
    const struct lz_report_style style = {
        .ascii = term.ascii, .width = term.width, .quiet = r->flags->quiet};
    struct lz_str text;
    lz_str_init(&text);
    lz_sweep_out_head(&w->sweep.opts, &style, &text);
    lz_sweep_out_text(&w->sweep, &style, &text);
    if (w->parts < w->shards || w->missing > 0)
        lz_str_addf(&text, "\n%zu of %" PRIu32 " parts, %" PRIu64 " runs are missing\n", w->parts,
                    w->shards, w->missing);
    lz_str_addf(&text, "\n%" PRIu64 " of %" PRIu64 " runs%s, %" PRIu64 " failed   exit %d\n",
                w->sweep.done, w->sweep.total, w->sweep.decided ? ", decided" : "", w->sweep.failed,
                (int)status);
    lz_out_write(out, text.text, text.len);
    lz_str_finish(&text);
}

enum lz_exit lz_sweep_report_run(const struct lz_sweep_report *r, struct lz_out *out)
{
    struct lz_blocks_whole whole;
    struct lz_err err;
    if (!lz_blocks_merge(r->paths, r->count, r->confidence, r->max_rate, &whole, &err)) {
        fprintf(stderr, "lorenz report: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    enum lz_exit status = lz_exit_worst(&whole.sweep.codes, r->flags->report_only);
    bool is_silent = false;
    for (size_t i = 0; i < r->flags->output_count; i++)
        is_silent = is_silent || strcmp(r->flags->outputs[i].path, "-") == 0;
    status = deliver(r, &whole.sweep, status, out);
    if (!is_silent)
        write_text(r, &whole, status, out);
    lz_blocks_finish(&whole);
    return status;
}
