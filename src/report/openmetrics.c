#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exposition.h"
#include "base/mem.h"
#include "base/sort.h"
#include "report/formats.h"

// A metric of one run.
struct metric {
    char *family; // "lorenz_latency_p99_seconds"
    const char *unit;
    size_t run;
    int64_t id;
    char *labels;
};

struct list {
    struct metric *items;
    size_t count;
};

static char *name_family(const char *name, const char *unit)
{
    struct lz_str out;
    lz_str_init(&out);
    lz_exposition_name(&out, name, unit);
    return lz_str_take(&out);
}

static void add_label(struct lz_str *out, const char *name, const char *value)
{
    lz_str_addf(out, "%s%s=\"", out->len > 0 ? "," : "", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            lz_str_addf(out, "\\%c", *c);
        else if (*c == '\n')
            lz_str_add(out, "\\n");
        else
            lz_str_add_char(out, *c);
    }
    lz_str_add_char(out, '"');
}

static char *make_labels(const struct lz_report_run *run, const char *component)
{
    char seed[24];
    struct lz_str out;
    snprintf(seed, sizeof(seed), "%" PRIu64, run->seed);
    lz_str_init(&out);
    add_label(&out, "scenario", run->file);
    if (run->case_id[0] != '\0')
        add_label(&out, "case", run->case_id);
    add_label(&out, "seed", seed);
    add_label(&out, "component", component);
    return lz_str_take(&out);
}

static void collect(struct list *list, const struct lz_report_run *run, size_t index)
{
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select m.id, m.name, m.unit, c.name from metric m"
                                 " join component c on c.id = m.component order by m.id",
                                 0, 0);
    while (lz_run_next(&q)) {
        list->items = lz_mem_resize(list->items, (list->count + 1) * sizeof(list->items[0]));
        const char *unit = lz_exposition_unit(lz_run_text(q, 2));
        list->items[list->count++] = (struct metric){
            .family = name_family(lz_run_text(q, 1), unit),
            .unit = unit,
            .run = index,
            .id = sqlite3_column_int64(q, 0),
            .labels = make_labels(run, lz_run_text(q, 3)),
        };
    }
}

static int by_family(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(((const struct metric *)a)->family, ((const struct metric *)b)->family);
}

// A window's value stands at its end.
static void write_samples(struct lz_str *out, const struct metric *m, int64_t epoch_s,
                          const struct lz_report_run *run)
{
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select start_ns + width_ns, value from series"
                                 " where metric = ? order by start_ns",
                                 m->id, 0);
    while (lz_run_next(&q)) {
        lz_time at = lz_run_time(q, 0);
        double value = lz_run_real(q, 1);
        if (!isfinite(value))
            continue;
        lz_str_addf(out, "%s{%s} %.17g %" PRId64 ".%03d\n", m->family, m->labels, value,
                    epoch_s + at / 1000000000, (int)(at % 1000000000 / 1000000));
    }
}

void lz_openmetrics_write(struct lz_str *out, const struct lz_report_options *options,
                          struct lz_report_run *const *runs, size_t count)
{
    struct list list = {0};
    size_t from = out->len;
    int64_t epoch = options->epoch_s != 0 ? options->epoch_s : LZ_REPORT_EPOCH_S;
    for (size_t i = 0; i < count; i++)
        collect(&list, runs[i], i);
    lz_sort(list.items, list.count, sizeof(list.items[0]), by_family, NULL);
    for (size_t i = 0; i < list.count; i++) {
        const struct metric *m = &list.items[i];
        if (i == 0 || strcmp(list.items[i - 1].family, m->family) != 0) {
            lz_str_addf(out, "# TYPE %s gauge\n", m->family);
            if (m->unit[0] != '\0')
                lz_str_addf(out, "# UNIT %s %s\n", m->family, m->unit);
        }
        write_samples(out, m, epoch, runs[m->run]);
    }
    lz_str_add(out, "# EOF\n");
    lz_str_make_plain(out, from);
    for (size_t i = 0; i < list.count; i++) {
        free(list.items[i].family);
        free(list.items[i].labels);
    }
    free(list.items);
}
