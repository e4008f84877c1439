#include "explore/brief.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "explore/wire.h"

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

void lz_brief_write(const struct lz_brief_facts *facts, struct lz_str *message)
{
    lz_wire_put_text(message, facts->verdict);
    lz_wire_put_text(message, facts->why);
    lz_wire_put_u64(message, facts->trace);
    lz_wire_put_u64(message, facts->events);
    lz_wire_put_u64(message, facts->stopped);
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
        // That something happened is no narrow escape.
        put_real(message, opts->temporal == LZ_SOMETIMES ? (double)NAN : r->margin);
    }
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

bool lz_brief_read(const struct lz_str *message, struct lz_brief *out)
{
    struct lz_wire in = {.at = message->text, .left = message->len};
    struct lz_brief b = {.verdict = get_text(&in)};
    b.why = get_text(&in);
    b.trace = lz_wire_get_u64(&in);
    b.events = lz_wire_get_u64(&in);
    b.stopped = lz_wire_get_u64(&in) != 0;
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
        e->verdict = (enum lz_verdict)lz_wire_get_u64(&in);
        e->warn = lz_wire_get_u64(&in) != 0;
        e->margin = get_real(&in);
    }
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
    free(brief->expectations);
    free(brief->verdict);
    free(brief->why);
    *brief = (struct lz_brief){0};
}
