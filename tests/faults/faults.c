/*
 * What every fault promises, whoever wrote it: it bites; nobody else feels it; and once it is over
 * nothing of it is left, alone and together with any other.
 *
 * Method: the three systems of topology.lua, run once without faults. Then with each kind alone,
 * and with each pair of kinds in all the ways two intervals can meet, and the samples of every
 * metric in every window are compared with the first run's:
 *
 *   busy   has requests and faults: effects are counted, the row's metric has another value
 *   idle   has the same faults but no requests until all are over: then no sample differs
 *   near   has requests and no fault: no sample differs at any time
 *
 * The text that failed last is kept in FAILED, to be run by hand.
 *
 *     test_faults TOPOLOGY FAILED [KIND [KIND]]
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "rows.h"
#include "script/script.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define IDLE_FROM 45 // the windows from here on are those after the faults
#define TEXT_MAX 65536

// When the two faults of a pair are active, in seconds. One after another, so that a single run
// has all orders of beginning and end; and a run has several pairs of one kind, again one after
// another. Only if something is left of them each pair is run by itself.
struct when {
    double at, lasting;
};
static const struct when first_when[] = {{0.5, 1}, {3, 1}, {4.5, 1.5}, {7, 0.5}};
static const struct when second_when[] = {{1, 1}, {2.5, 1}, {5, 0.5}, {6.5, 1.5}};
#define PAIR_SECONDS 8.5
#define GROUP 4
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define WAYS COUNT(first_when)
static const struct when alone = {1, 3};

#define METRICS_MAX 4096
struct outcome {
    bool ran;
    char why[512];        // it did not run, or how it differs from the first run
    uint64_t effects[64]; // of each fault on `busy`, in order
    size_t faults;        // on busy
    double shown;         // the row's metric
    bool is_shown;
};

struct stage {
    char topology[TEXT_MAX], text[TEXT_MAX];
    size_t topology_len;
    const char *failed_path;
    struct outcome base;
    uint64_t samples[METRICS_MAX]; // of the base, by metric
    int count, failed;
};

static void add_fault(struct stage *s, const struct fault_row *row, const char *side,
                      struct when when)
{
    size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof(s->text) - used,
             "do local s = %s fault.%s { %s, at = \"%gs\", lasting = \"%gs\" } end\n", side,
             row->kind, row->body, when.at, when.lasting);
}

static void add_faults(struct stage *s, const struct fault_row *row, const struct when *when,
                       size_t count, double after)
{
    for (size_t i = 0; i < count; i++) {
        struct when at = {when[i].at + after, when[i].lasting};
        add_fault(s, row, "busy", at);
        add_fault(s, row, "idle", at);
    }
}

static void add_pair(struct stage *s, const struct fault_row *a, const struct fault_row *b,
                     double after)
{
    add_faults(s, a, first_when, WAYS, after);
    add_faults(s, b, second_when, WAYS, after);
}

// From which window on a metric must be the same. Totals count from the start and so remember;
// what has the same mean, maximum and count in a second has the same quantiles, which cost more.
static size_t same_from(const struct lz_world *w, lz_metric id)
{
    const char *name = lz_world_component(w, lz_metrics_component(w->metrics, id))->name;
    enum lz_view view = lz_metrics_def(w->metrics, id)->view;
    if (strcmp(name, "idle-etcd") == 0 && strcmp(lz_metrics_def(w->metrics, id)->name, "cpu") == 0)
        return SIZE_MAX; // its leader's, and who leads is not given back
    if (view == LZ_VIEW_TOTAL || view == LZ_VIEW_QUANTILE || strncmp(name, "busy", 4) == 0)
        return SIZE_MAX;
    return strncmp(name, "idle", 4) == 0 ? IDLE_FROM : 0;
}

static uint64_t hash_of(const struct lz_metrics *m, lz_metric id, size_t from)
{
    uint64_t hash = 0;
    for (size_t i = from; i < lz_metrics_windows(m, id); i++) {
        struct lz_sample sample = lz_metrics_stored(m, id, i);
        uint64_t bits[3];
        memcpy(&bits[0], &sample.value, sizeof(bits[0]));
        memcpy(&bits[1], &sample.low, sizeof(bits[1]));
        memcpy(&bits[2], &sample.high, sizeof(bits[2]));
        hash = lz_hash_mix(hash, sample.present);
        for (int k = 0; k < 3 && sample.present; k++)
            hash = lz_hash_mix(hash, bits[k]);
    }
    return hash;
}

static void describe(const struct lz_metrics *m, const struct lz_world *w, lz_metric id,
                     struct outcome *out)
{
    const char *name = lz_world_component(w, lz_metrics_component(m, id))->name;
    snprintf(out->why, sizeof(out->why), "%s.%s is not what it is without a fault, from %zu s on",
             name, lz_metrics_def(m, id)->name, same_from(w, id));
}

// Remembers the samples of the base; of other runs, says which differs.
static void compare(struct stage *s, const struct lz_world *w, bool is_base, struct outcome *out)
{
    const struct lz_metrics *m = w->metrics;
    LZ_ASSERT(lz_metrics_count(m) < METRICS_MAX);
    for (lz_metric id = 1; id <= lz_metrics_count(m); id++) {
        uint64_t hash = hash_of(m, id, same_from(w, id));
        if (is_base)
            s->samples[id] = hash;
        else if (hash != s->samples[id] && out->why[0] == '\0')
            describe(m, w, id, out);
    }
}

static void read_outcome(const struct lz_script_world *world, const struct fault_row *row,
                         struct outcome *out)
{
    const struct lz_world *w = world->world;
    for (lz_fault_id id = 1; id <= lz_fault_count(world->faults); id += 2)
        if (out->faults < COUNT(out->effects))
            out->effects[out->faults++] = lz_fault_get(world->faults, id)->effect;
    if (row == NULL)
        return;
    lz_component_id c = lz_world_find(w, row->component);
    lz_metric id = c != 0 ? lz_world_metric(w, c, row->metric) : 0;
    if (id == 0)
        return;
    struct lz_sample sample = lz_metrics_whole(w->metrics, id);
    out->is_shown = sample.present;
    out->shown = sample.value;
}

// Runs the text; `row` names the metric that is read.
static struct outcome run(struct stage *s, const struct fault_row *row, bool is_base)
{
    struct outcome out = {0};
    const struct lz_script_opts opts = {.path = "faults.lua",
                                        .source = s->text,
                                        .source_len = strlen(s->text),
                                        .memory_max = MEMORY_MAX};
    struct lz_script *script;
    struct lz_script_world world;
    struct lz_err err;
    if (!lz_script_load(&opts, &script, &err)) {
        snprintf(out.why, sizeof(out.why), "%s", err.msg);
        return out;
    }
    out.ran = lz_script_trouble(script) == LZ_SCRIPT_OK && lz_script_build(script, 1, 0, &world) &&
              lz_script_run(script) == LZ_SIM_ENDED && lz_script_trouble(script) == LZ_SCRIPT_OK;
    if (out.ran) {
        read_outcome(&world, row, &out);
        compare(s, world.world, is_base, &out);
    } else {
        snprintf(out.why, sizeof(out.why), "%s", lz_script_diagnostics(script, false));
    }
    lz_script_destroy(script);
    return out;
}

static void start_text(struct stage *s)
{
    memcpy(s->text, s->topology, s->topology_len + 1);
}

static void keep_failed(const struct stage *s)
{
    FILE *file = fopen(s->failed_path, "w");
    if (file == NULL)
        return;
    fputs(s->text, file);
    fclose(file);
}

static void say(struct stage *s, bool ok, const char *name, const char *why)
{
    s->count++;
    s->failed += !ok;
    printf("%s %d - %s\n", ok ? "ok" : "not ok", s->count, name);
    if (ok)
        return;
    for (const char *line = why; *line != '\0'; line += strcspn(line, "\n")) {
        line += *line == '\n';
        fputs("# ", stdout);
        fwrite(line, 1, strcspn(line, "\n"), stdout);
        putchar('\n');
    }
    keep_failed(s);
}

static bool is_clean(const struct outcome *got)
{
    return got->ran && got->why[0] == '\0';
}

static void run_base(struct stage *s, const struct fault_row *row)
{
    start_text(s);
    s->base = run(s, row, true);
}

static void test_alone(struct stage *s, const struct fault_row *row)
{
    char name[120];
    run_base(s, row);
    add_faults(s, row, &alone, 1, 0);
    struct outcome got = run(s, row, false);
    const char *wrong = is_clean(&got) ? NULL : got.why;
    if (wrong == NULL && got.effects[0] == 0)
        wrong = "it counts no effect";
    else if (wrong == NULL && (!got.is_shown || got.shown == s->base.shown))
        wrong = "the row's metric does not change";
    snprintf(name, sizeof(name), "fault.%s bites, and leaves nothing behind", row->kind);
    say(s, wrong == NULL, name, wrong);
}

static bool test_pair(struct stage *s, const struct fault_row *a, const struct fault_row *b)
{
    start_text(s);
    add_pair(s, a, b, 0);
    struct outcome got = run(s, NULL, false);
    if (is_clean(&got))
        return true;
    char name[120];
    snprintf(name, sizeof(name), "fault.%s and fault.%s leave nothing behind together", a->kind,
             b->kind);
    say(s, false, name, got.why);
    return false;
}

// Says that a group left something of which no pair of it leaves anything.
static int say_group(struct stage *s, const struct fault_row *a, const struct outcome *got)
{
    char name[120];
    snprintf(name, sizeof(name), "fault.%s and several others leave nothing behind", a->kind);
    say(s, false, name, got->why);
    return 1;
}

static void test_pairs_of(struct stage *s, const struct fault_row *a)
{
    char name[120];
    int pairs = 0, clean = 0;
    for (const struct fault_row *b = a; b->kind != NULL;) {
        int n = 0;
        start_text(s);
        for (; n < GROUP && b[n].kind != NULL; n++)
            add_pair(s, a, &b[n], n * PAIR_SECONDS);
        struct outcome got = run(s, NULL, false);
        for (int i = 0; i < n; i++)
            clean += is_clean(&got) || test_pair(s, a, &b[i]);
        if (!is_clean(&got) && clean == pairs + n)
            clean -= say_group(s, a, &got); // none alone: several together
        pairs += n;
        b += n;
    }
    snprintf(name, sizeof(name), "fault.%s composes with itself and the %d after it", a->kind,
             pairs - 1);
    if (clean == pairs)
        say(s, true, name, "");
}

static const struct fault_row *find_row(const char *kind)
{
    for (const struct fault_row *row = fault_rows; row->kind != NULL; row++)
        if (strcmp(row->kind, kind) == 0)
            return row;
    return NULL;
}

static void test_every_kind_has_a_row(struct stage *s)
{
    char why[4096] = "";
    for (size_t i = 0; i < lz_fault_kind_count(); i++) {
        const char *kind = lz_fault_kind_get(i)->name;
        size_t used = strlen(why);
        if (find_row(kind) == NULL)
            snprintf(why + used, sizeof(why) - used, "tests/faults/rows.c has no row for %s\n",
                     kind);
    }
    for (const struct fault_row *row = fault_rows; row->kind != NULL; row++) {
        size_t used = strlen(why);
        if (lz_fault_kind_find(row->kind) == NULL)
            snprintf(why + used, sizeof(why) - used, "there is no fault %s\n", row->kind);
    }
    start_text(s);
    say(s, why[0] == '\0', "every kind of fault has a row", why);
}

// What the harness answers to a fault where none should be felt, or to none where one should.
static void test_the_harness_says_no(struct stage *s)
{
    static const struct fault_row slow = {"latency", "s.web, add = \"20ms\"", "", ""};
    static const struct {
        const char *name, *side;
        struct when when;
        const char *says; // the component that is complained about
    } cases[] = {
        {"a fault next door is noticed", "near", {1, 3}, "near-"},
        {"a fault that stays is noticed", "idle", {38, 11}, "idle-"},
        {"a fault that is over is not", "idle", {1, 3}, ""},
    };
    run_base(s, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        start_text(s);
        add_fault(s, &slow, cases[i].side, cases[i].when);
        struct outcome got = run(s, NULL, false);
        size_t len = strlen(cases[i].says);
        bool ok = got.ran && strncmp(got.why, cases[i].says, len > 0 ? len : 1) == 0;
        say(s, ok && LZ_IMPLIES(len == 0, got.effects[0] == 0), cases[i].name, got.why);
    }
}

static bool read_topology(struct stage *s, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    s->topology_len = fread(s->topology, 1, sizeof(s->topology) - 1, file);
    fclose(file);
    return s->topology_len > 0 && s->topology_len < sizeof(s->topology) - 1;
}

static void test_all(struct stage *s)
{
    run_base(s, NULL);
    say(s, s->base.ran, "the topology runs", s->base.why);
    test_every_kind_has_a_row(s);
    test_the_harness_says_no(s);
    static const struct fault_row *const lists[] = {fault_rows, fault_rows_again};
    for (size_t i = 0; i < COUNT(lists); i++)
        for (const struct fault_row *row = lists[i]; row->kind != NULL; row++)
            test_alone(s, row);
    run_base(s, NULL);
    for (size_t i = 0; i < COUNT(lists) && s->base.ran; i++)
        for (const struct fault_row *row = lists[i]; row->kind != NULL; row++)
            test_pairs_of(s, row);
}

int main(int argc, char **argv)
{
    static struct stage s;
    const struct fault_row *a = argc > 3 ? find_row(argv[3]) : NULL;
    const struct fault_row *b = argc > 4 ? find_row(argv[4]) : NULL;
    if (argc < 3 || !read_topology(&s, argv[1]) || (argc > 3 && a == NULL) ||
        (argc > 4 && b == NULL)) {
        fprintf(stderr, "usage: test_faults TOPOLOGY FAILED [KIND [KIND]]\n");
        return 2;
    }
    s.failed_path = argv[2];
    lz_script_warm();
    if (a == NULL) {
        test_all(&s);
    } else if (b == NULL) {
        test_alone(&s, a);
    } else {
        run_base(&s, NULL);
        say(&s, test_pair(&s, a, b), "the pair is tried", "");
    }
    printf("1..%d\n", s.count);
    return s.failed > 0 ? 1 : 0;
}
