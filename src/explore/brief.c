#include "explore/brief.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "explore/wire.h"
#include "model/world.h"

#define FAULTS_MAX 1000000
#define METRICS_MAX 10000000 // a message that says more is broken

static void put_real(struct lz_str *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    lz_wire_put_u64(out, bits);
}

static double get_real(struct lz_wire *in)
{
    uint64_t bits = lz_wire_get_u64(in);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void put_metrics(const struct lz_world *world, struct lz_str *message)
{
    static const char *const units[] = {
        [LZ_UNIT_COUNT] = "",  [LZ_UNIT_RATIO] = "ratio", [LZ_UNIT_SECONDS] = "s",
        [LZ_UNIT_RATE] = "/s", [LZ_UNIT_BYTES] = "B",
    };
    size_t count = world != NULL ? lz_metrics_count(world->metrics) : 0;
    lz_wire_put_u64(message, count);
    for (lz_metric id = 1; id <= count; id++) {
        const struct lz_metric_def *def = lz_metrics_def(world->metrics, id);
        struct lz_sample whole = lz_metrics_whole(world->metrics, id);
        struct lz_str name;
        lz_str_init(&name);
        lz_str_addf(&name, "%s.%s",
                    lz_world_component(world, lz_metrics_component(world->metrics, id))->name,
                    def->name);
        lz_wire_put_text(message, name.text);
        lz_wire_put_text(message, units[def->unit]);
        put_real(message, whole.present ? whole.value : (double)NAN);
        lz_str_finish(&name);
    }
}

// Replicas are alike: a fault of one is one of its component.
static void put_target(const struct lz_world *w, const struct lz_fault *f, struct lz_str *message)
{
    char a[LZ_TARGET_TEXT_SIZE], b[LZ_TARGET_TEXT_SIZE];
    struct lz_target t = f->opts.target;
    struct lz_str text;
    if (t.kind == LZ_TARGET_INSTANCE)
        t = (struct lz_target){.kind = LZ_TARGET_COMPONENT, .id = t.id};
    lz_str_init(&text);
    lz_target_describe(w, &t, a, sizeof(a));
    lz_str_add(&text, t.kind != 0 ? a : "");
    if (f->opts.target_b.kind != 0) {
        lz_target_describe(w, &f->opts.target_b, b, sizeof(b));
        lz_str_addf(&text, " | %s", b);
    }
    lz_wire_put_text(message, text.text);
    lz_str_finish(&text);
}

static void put_faults(const struct lz_brief_facts *facts, struct lz_str *message)
{
    const struct lz_faults *faults = facts->world != NULL ? facts->faults : NULL;
    size_t count = faults != NULL ? lz_fault_count(faults) : 0;
    size_t absent = faults != NULL ? lz_fault_absent_count(faults) : 0;
    lz_wire_put_u64(message, count + absent);
    for (lz_fault_id id = 1; id <= count; id++) {
        const struct lz_fault *f = lz_fault_get(faults, id);
        // What it has touched and nobody could notice is no test.
        bool has_bit = f->effect > 0 && lz_fault_waits(facts->world, f) == NULL;
        unsigned phases = (f->firings > 0 ? LZ_BRIEF_BEGAN : 0u) | (has_bit ? LZ_BRIEF_BIT : 0u) |
                          (f->ended >= 0 ? LZ_BRIEF_OVER : 0u);
        lz_wire_put_text(message, f->kind->name);
        put_target(facts->world, f, message);
        lz_wire_put_u64(message, f->is_left_out ? LZ_BRIEF_ABSENT : phases);
    }
    for (size_t i = 0; i < absent; i++) {
        const struct lz_fault_absent *a = lz_fault_absent_get(faults, i);
        lz_wire_put_text(message, a->kind);
        lz_wire_put_text(message, a->target);
        lz_wire_put_u64(message, LZ_BRIEF_ABSENT);
    }
}

// Nothing failed or was without a sample, but what happens sometimes did not.
static bool is_open(const struct lz_brief_facts *facts)
{
    size_t count = facts->checks != NULL ? lz_check_count(facts->checks) : 0;
    if (count == 0 || strcmp(facts->verdict, "inconclusive") != 0 ||
        lz_checks_is_idle(facts->checks))
        return false;
    for (lz_expect_id id = 1; id <= count; id++) {
        const struct lz_expect_opts *opts = lz_check_opts(facts->checks, id);
        bool holds = opts->warn || opts->temporal == LZ_SOMETIMES ||
                     lz_check_result(facts->checks, id)->verdict == LZ_VERDICT_PASS;
        if (!holds)
            return false;
    }
    return true;
}

void lz_brief_write(const struct lz_brief_facts *facts, struct lz_str *message)
{
    lz_wire_put_text(message, facts->verdict);
    lz_wire_put_text(message, facts->why);
    lz_wire_put_u64(message, facts->trace);
    lz_wire_put_u64(message, facts->events);
    lz_wire_put_u64(message, facts->stopped);
    lz_wire_put_u64(message, is_open(facts));
    put_faults(facts, message);
    size_t count = facts->checks != NULL ? lz_check_count(facts->checks) : 0;
    lz_wire_put_u64(message, count);
    for (lz_expect_id id = 1; id <= count; id++) {
        const struct lz_expect_opts *opts = lz_check_opts(facts->checks, id);
        const struct lz_expect_result *r = lz_check_result(facts->checks, id);
        lz_wire_put_text(message, opts->name);
        lz_wire_put_text(message, r->verdict == LZ_VERDICT_INCONCLUSIVE ? r->why : r->actual);
        lz_wire_put_text(message, r->spare);
        lz_wire_put_u64(message, (uint64_t)r->verdict);
        lz_wire_put_u64(message, opts->warn);
        lz_wire_put_u64(message, opts->temporal == LZ_SOMETIMES);
        // That something happened is no narrow escape.
        put_real(message, opts->temporal == LZ_SOMETIMES ? (double)NAN : r->margin);
    }
    put_metrics(facts->measured, message);
}

static char *get_text(struct lz_wire *in)
{
    char *text = lz_wire_get_text(in);
    if (text == NULL) {
        in->broken = true;
        text = lz_mem_alloc(1);
        text[0] = '\0';
    }
    return text;
}

// A number that means something up to `most`.
static unsigned get_word(struct lz_wire *in, unsigned most)
{
    uint64_t value = lz_wire_get_u64(in);
    in->broken |= value > most;
    return in->broken ? 0 : (unsigned)value;
}

static void read_metrics(struct lz_wire *in, struct lz_brief *b)
{
    uint64_t count = lz_wire_get_u64(in);
    if (count > METRICS_MAX)
        in->broken = true;
    if (in->broken || count == 0)
        return;
    b->metrics = lz_mem_alloc(count * sizeof(*b->metrics));
    for (; !in->broken && b->metric_count < count; b->metric_count++) {
        struct lz_brief_metric *m = &b->metrics[b->metric_count];
        m->name = get_text(in);
        m->unit = get_text(in);
        m->value = get_real(in);
    }
}

static void read_faults(struct lz_wire *in, struct lz_brief *b)
{
    uint64_t count = lz_wire_get_u64(in);
    if (count > FAULTS_MAX)
        in->broken = true;
    if (in->broken || count == 0)
        return;
    b->faults = lz_mem_alloc(count * sizeof(*b->faults));
    for (; !in->broken && b->fault_count < count; b->fault_count++) {
        struct lz_brief_fault *f = &b->faults[b->fault_count];
        f->kind = get_text(in);
        f->target = get_text(in);
        f->phases = get_word(in, LZ_BRIEF_ABSENT * 2 - 1);
    }
}

bool lz_brief_read(const struct lz_str *message, struct lz_brief *out)
{
    struct lz_wire in = {.at = message->text, .left = message->len};
    struct lz_brief b = {.verdict = get_text(&in)};
    in.broken |= strcmp(b.verdict, "crash") != 0 && lz_exit_verdict(b.verdict) == LZ_EXIT_BUG;
    b.why = get_text(&in);
    b.trace = lz_wire_get_u64(&in);
    b.events = lz_wire_get_u64(&in);
    b.stopped = lz_wire_get_u64(&in) != 0;
    b.is_open = lz_wire_get_u64(&in) != 0;
    read_faults(&in, &b);
    uint64_t count = lz_wire_get_u64(&in);
    if (count > LZ_CHECK_MAX)
        in.broken = true;
    if (!in.broken && count > 0)
        b.expectations = lz_mem_alloc(count * sizeof(*b.expectations));
    for (; !in.broken && b.expectation_count < count; b.expectation_count++) {
        struct lz_brief_expectation *e = &b.expectations[b.expectation_count];
        *e = (struct lz_brief_expectation){.name = get_text(&in)};
        e->actual = get_text(&in);
        e->spare = get_text(&in);
        e->verdict = (enum lz_verdict)get_word(&in, LZ_VERDICT_FAIL);
        e->warn = lz_wire_get_u64(&in) != 0;
        e->is_sometimes = lz_wire_get_u64(&in) != 0;
        e->margin = get_real(&in);
    }
    read_metrics(&in, &b);
    if (in.broken || in.left != 0) {
        lz_brief_finish(&b);
        return false;
    }
    *out = b;
    return true;
}

void lz_brief_finish(struct lz_brief *brief)
{
    for (size_t i = 0; i < brief->expectation_count; i++) {
        free(brief->expectations[i].name);
        free(brief->expectations[i].actual);
        free(brief->expectations[i].spare);
    }
    for (size_t i = 0; i < brief->metric_count; i++) {
        free(brief->metrics[i].name);
        free(brief->metrics[i].unit);
    }
    for (size_t i = 0; i < brief->fault_count; i++) {
        free(brief->faults[i].kind);
        free(brief->faults[i].target);
    }
    free(brief->faults);
    free(brief->metrics);
    free(brief->expectations);
    free(brief->verdict);
    free(brief->why);
    *brief = (struct lz_brief){0};
}
