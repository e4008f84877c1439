/*
 * One of promqltest's cases after another, played: what s06_promql.lua writes on standard input, a
 * line of verdict each on standard output. Lines are a word and, behind a space, its text, in which
 * \n stands for a line's end and \\ for a backslash:
 *
 *   load                begin with an empty store
 *   every MS            between the samples of series to come
 *   series TEXT         name{a="b"}
 *   values V ...        of it, from 0 on; "-" none, "stale" a staleness marker
 *   case MS NAME        evaluate at that instant
 *   flags TEXT          "types": __type__ and __unit__ go where the name goes
 *   expr TEXT
 *   want VALUE TEXT     an element; in order where "ordered" is said
 *   scalar VALUE        or a scalar
 *   ordered
 *   go                  "ok NAME", or "no NAME: why"
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "promql/ast.h"
#include "promql/promql.h"

#define SERIES_MAX 4096
#define WITHIN 1e-6 // promqltest compares so

struct series {
    struct lz_promql_labels labels;
    struct lz_promql_point *points;
    uint32_t count;
};

struct wanted {
    struct lz_promql_labels labels;
    double value;
};

static struct lz_promql_scratch store_memory, case_memory;
static struct series all[SERIES_MAX];
static uint32_t series_count;
static double every_ms;

static struct {
    char name[256];
    int64_t at_ms;
    char *expr;
    struct wanted *want;
    uint32_t count, cap;
    bool is_scalar, is_ordered, has_types;
    double scalar;
} now;

// ---------------------------------------------------------------- the store

static uint32_t store_count(void *ctx)
{
    (void)ctx;
    return series_count;
}

static struct lz_promql_labels store_labels(void *ctx, uint32_t series)
{
    (void)ctx;
    return all[series].labels;
}

static const struct lz_promql_point *store_samples(void *ctx, uint32_t series, int64_t after,
                                                   int64_t until, struct lz_promql_scratch *s,
                                                   uint32_t *count)
{
    (void)ctx;
    (void)s;
    const struct series *x = &all[series];
    uint32_t first = 0, end = x->count;
    while (first < end && x->points[first].t_ms <= after)
        first++;
    while (end > first && x->points[end - 1].t_ms > until)
        end--;
    *count = end - first;
    return x->points + first;
}

static const struct lz_promql_store store = {
    .count = store_count, .labels = store_labels, .samples = store_samples};

// ---------------------------------------------------------------- reading

// name{a="b"} is a selector: its matchers are the labels.
static struct lz_promql_labels read_labels(struct lz_promql_scratch *s, const char *text)
{
    struct lz_promql_labels l = {0};
    const struct lz_promql_query *q = NULL;
    struct lz_promql_fault fault;
    size_t len = strlen(text);
    if (strcmp(text, "{}") == 0)
        return l;
    if (!lz_promql_parse(s, text, &q, &fault)) {
        fprintf(stderr, "labels %s: %s\n", text, fault.err.msg);
        exit(1);
    }
    LZ_ASSERT(len > 0 && q->root->kind == LZ_PROMQL_NODE_SELECTOR);
    for (uint32_t i = 0; i < q->root->matcher_count; i++)
        l = lz_promql_labels_set(s, &l, q->root->matchers[i].name, q->root->matchers[i].value);
    return l;
}

static double read_value(const char *text)
{
    return strcmp(text, "stale") == 0 ? lz_promql_stale() : strtod(text, NULL);
}

static void read_values(char *text)
{
    struct series *x = &all[series_count - 1];
    uint32_t cap = 0, k = 0;
    for (char *save = NULL, *word = strtok_r(text, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save), k++) {
        if (strcmp(word, "-") == 0)
            continue;
        x->points = lz_promql_scratch_grow(&store_memory, x->points, &cap, x->count + 1,
                                           sizeof(*x->points));
        x->points[x->count++] =
            (struct lz_promql_point){(int64_t)llround((double)k * every_ms), read_value(word)};
    }
}

static void unescape(char *text)
{
    char *out = text;
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\\' && c[1] != '\0')
            *out++ = *++c == 'n' ? '\n' : *c;
        else
            *out++ = *c;
    }
    *out = '\0';
}

// ---------------------------------------------------------------- verdicts

static bool same(double want, double got)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (want == got)
        return true;
    double sum = fabs(want) + fabs(got);
    return fabs(want - got) / sum < WITHIN;
}

static bool judge_vector(const struct lz_promql_value *v, char why[400])
{
    for (uint32_t i = 0; i < now.count; i++) {
        uint32_t at = now.is_ordered ? i : 0;
        while (!now.is_ordered && at < v->count &&
               lz_promql_labels_compare(&v->all[at].labels, &now.want[i].labels) != 0)
            at++;
        const char *shown = lz_promql_labels_show(&case_memory, &now.want[i].labels);
        if (at >= v->count ||
            lz_promql_labels_compare(&v->all[at].labels, &now.want[i].labels) != 0) {
            snprintf(why, 400, "no %.100s; of %u the first is %.100s", shown, v->count,
                     v->count > 0 ? lz_promql_labels_show(&case_memory, &v->all[0].labels) : "-");
            return false;
        }
        if (!same(now.want[i].value, v->all[at].value)) {
            snprintf(why, 400, "%.100s is %.17g and must be %.17g", shown, v->all[at].value,
                     now.want[i].value);
            return false;
        }
    }
    if (v->count == now.count)
        return true;
    snprintf(why, 400, "%u elements, and %u are right: the last is %.100s", v->count, now.count,
             lz_promql_labels_show(&case_memory, &v->all[v->count - 1].labels));
    return false;
}

static bool judge(const struct lz_promql_value *v, char why[400])
{
    bool is_scalar = v->type == LZ_PROMQL_SCALAR;
    if (is_scalar != now.is_scalar) {
        snprintf(why, 400, "a %s", lz_promql_type_name(v->type));
        return false;
    }
    if (!is_scalar)
        return judge_vector(v, why);
    snprintf(why, 400, "%.17g and must be %.17g", v->scalar, now.scalar);
    return same(now.scalar, v->scalar);
}

static void play(void)
{
    char why[400] = "";
    const struct lz_promql_query *q = NULL;
    struct lz_promql_fault fault;
    struct lz_promql_value v;
    struct lz_promql_eval_opts opts = {.store = &store,
                                       .at_ms = now.at_ms,
                                       .drops_names_late = true,
                                       .drops_type_labels = now.has_types};
    bool ok = lz_promql_parse(&case_memory, now.expr, &q, &fault) &&
              lz_promql_eval(q, &opts, &case_memory, &v, &fault);
    if (!ok)
        snprintf(why, sizeof(why), "%.300s", fault.err.msg);
    else
        ok = judge(&v, why);
    printf(ok ? "ok %s\n" : "no %s: %s\n", now.name, why);
}

static void begin_case(const char *text)
{
    lz_promql_scratch_reset(&case_memory);
    memset(&now, 0, sizeof(now));
    const char *name = strchr(text, ' ');
    now.at_ms = strtoll(text, NULL, 10);
    snprintf(now.name, sizeof(now.name), "%s", name != NULL ? name + 1 : "?");
}

static void want(char *text)
{
    char *labels = strchr(text, ' ');
    LZ_ASSERT(labels != NULL);
    *labels++ = '\0';
    now.want =
        lz_promql_scratch_grow(&case_memory, now.want, &now.cap, now.count + 1, sizeof(*now.want));
    now.want[now.count++] = (struct wanted){read_labels(&case_memory, labels), read_value(text)};
}

static void obey(const char *word, char *text)
{
    if (strcmp(word, "load") == 0) {
        lz_promql_scratch_reset(&store_memory);
        memset(all, 0, sizeof(all));
        series_count = 0;
    } else if (strcmp(word, "every") == 0) {
        every_ms = strtod(text, NULL);
    } else if (strcmp(word, "series") == 0) {
        LZ_ASSERT(series_count < SERIES_MAX);
        all[series_count++].labels = read_labels(&store_memory, text);
    } else if (strcmp(word, "values") == 0) {
        read_values(text);
    } else if (strcmp(word, "case") == 0) {
        begin_case(text);
    } else if (strcmp(word, "flags") == 0) {
        now.has_types = strcmp(text, "types") == 0;
    } else if (strcmp(word, "expr") == 0) {
        now.expr = lz_promql_scratch_text(&case_memory, text, strlen(text));
    } else if (strcmp(word, "want") == 0) {
        want(text);
    } else if (strcmp(word, "scalar") == 0) {
        now.is_scalar = true;
        now.scalar = read_value(text);
    } else if (strcmp(word, "ordered") == 0) {
        now.is_ordered = true;
    } else {
        LZ_ASSERT(strcmp(word, "go") == 0);
        play();
    }
}

int main(void)
{
    struct lz_arena *arena = NULL;
    struct lz_err err;
    if (!lz_arena_create(&(struct lz_arena_opts){0}, &arena, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    lz_promql_scratch_init(&store_memory, arena);
    lz_promql_scratch_init(&case_memory, arena);
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = 0;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *text = strchr(line, ' ');
        if (text != NULL)
            *text++ = '\0';
        else
            text = line + strlen(line);
        unescape(text);
        obey(line, text);
    }
    free(line);
    lz_arena_destroy(arena);
    return 0;
}
