#include "check/anchor.h"

#include <stdio.h>

#include "base/check.h"
#include "check/expect.h"
#include "model/journal.h"

static bool is_fault(const struct lz_anchor *a)
{
    return a->kind == LZ_ANCHOR_FAULT || a->kind == LZ_ANCHOR_FAULT_ENDS;
}

bool lz_anchor_check(const struct lz_checks *c, const struct lz_anchor *a, struct lz_err *err)
{
    if (a->kind == LZ_ANCHOR_TIME && a->at < 0)
        return lz_fail(err, LZ_ERANGE, "an instant must not be negative");
    if (is_fault(a) && (a->fault == 0 || a->fault > lz_fault_count(c->faults)))
        return lz_fail(err, LZ_ENOENT, "no such fault: number %u", a->fault);
    if (a->kind == LZ_ANCHOR_FAULT_ENDS) {
        const struct lz_fault *f = lz_fault_get(c->faults, a->fault);
        if (f->opts.at >= 0 && f->opts.lasting == 0 && !a->may_stop)
            return lz_fail(err, LZ_EINVAL,
                           "fault %s never ends: give it `lasting`, or stop it in a drive",
                           f->name);
    }
    if (a->kind == LZ_ANCHOR_MARK && (a->mark == NULL || a->mark[0] == '\0'))
        return lz_fail(err, LZ_EINVAL, "a mark needs a name");
    return true;
}

lz_time lz_anchor_planned(const struct lz_checks *c, const struct lz_anchor *a)
{
    switch (a->kind) {
    case LZ_ANCHOR_NONE:
        return c->world->warmup;
    case LZ_ANCHOR_TIME:
        return a->at;
    case LZ_ANCHOR_MARK:
        return -1;
    case LZ_ANCHOR_FAULT:
    case LZ_ANCHOR_FAULT_ENDS:
        break;
    }
    LZ_ASSERT(is_fault(a));
    const struct lz_fault *f = lz_fault_get(c->faults, a->fault);
    const struct lz_fault_opts *opts = &f->opts;
    if (a->kind == LZ_ANCHOR_FAULT_ENDS && f->is_stopped)
        return f->ended;
    if (opts->at < 0)
        return -1;
    if (a->kind == LZ_ANCHOR_FAULT)
        return opts->at;
    return opts->lasting > 0 ? opts->at + opts->lasting : -1;
}

lz_time lz_anchor_instant(const struct lz_checks *c, const struct lz_anchor *a, lz_time now)
{
    if (a->kind == LZ_ANCHOR_MARK) {
        lz_time marked = lz_journal_marked(c->world, a->mark);
        return marked <= now ? marked : -1;
    }
    lz_time planned = lz_anchor_planned(c, a);
    if (!is_fault(a))
        return planned <= now ? planned : -1;

    // `started` and `ended` are of the latest firing, so that of a repeated fault they may
    // already be of the second one; the plan knows the first.
    const struct lz_fault *f = lz_fault_get(c->faults, a->fault);
    if (f->firings == 0)
        return -1;
    if (planned >= 0)
        return planned <= now ? planned : -1;
    return a->kind == LZ_ANCHOR_FAULT ? f->started : f->ended;
}

struct lz_anchor lz_anchor_before(const struct lz_anchor *a)
{
    struct lz_anchor before = *a;
    if (before.kind == LZ_ANCHOR_FAULT_ENDS)
        before.kind = LZ_ANCHOR_FAULT;
    return before;
}

void lz_anchor_describe_missing(const struct lz_checks *c, const struct lz_anchor *a, char *out,
                                size_t size)
{
    if (a->kind == LZ_ANCHOR_MARK) {
        snprintf(out, size, "the mark \"%s\" was never set", a->mark);
        return;
    }
    if (!is_fault(a)) {
        snprintf(out, size, "the run ended before it began");
        return;
    }
    const struct lz_fault *f = lz_fault_get(c->faults, a->fault);
    bool is_unstopped = f->firings > 0 && f->opts.at >= 0 && f->opts.lasting == 0;
    snprintf(out, size, "fault %s never %s%s", f->name, f->firings == 0 ? "fired" : "ended",
             is_unstopped ? ": it has no `lasting`, and nothing stopped it" : "");
}

// Of a fault that comes again and again each firing is a scope of its own.
static void follow_stop(const struct lz_checks *c, struct lz_scope_state *s)
{
    if (s->scope.of == 0 || s->start < 0 || s->end >= 0)
        return;
    const struct lz_fault *f = lz_fault_get(c->faults, s->scope.of);
    if (f->started == s->start)
        s->end = f->stopped;
    LZ_ASSERT(s->end < 0 || s->end >= s->start);
}

void lz_anchor_follow(const struct lz_checks *c, struct lz_scope_state *scopes, uint32_t count,
                      lz_time now)
{
    for (uint32_t i = 0; i < count; i++) {
        if (scopes[i].start < 0)
            scopes[i].start = lz_anchor_instant(c, &scopes[i].scope.after, now);
        follow_stop(c, &scopes[i]);
    }
}

static lz_time end_of(const struct lz_scope_state *s)
{
    if (s->end >= 0)
        return s->end;
    bool open = s->scope.lasting == 0 || s->start > LZ_FOREVER - s->scope.lasting;
    return open ? LZ_FOREVER : s->start + s->scope.lasting;
}

bool lz_anchor_within(const struct lz_scope_state *scopes, uint32_t count, lz_time start,
                      lz_time end)
{
    LZ_ASSERT(start <= end);
    for (uint32_t i = 0; i < count; i++)
        if (scopes[i].start >= 0 && start >= scopes[i].start && end <= end_of(&scopes[i]))
            return true;
    return false;
}

bool lz_anchor_touches(const struct lz_scope_state *scopes, uint32_t count, lz_time start,
                       lz_time end)
{
    LZ_ASSERT(start <= end);
    for (uint32_t i = 0; i < count; i++)
        if (scopes[i].start >= 0 && start < end_of(&scopes[i]) && end > scopes[i].start)
            return true;
    return false;
}

lz_time lz_anchor_latest(const struct lz_scope_state *scopes, uint32_t count, lz_time now)
{
    lz_time latest = count == 0 ? now : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (scopes[i].start < 0 || scopes[i].start >= now)
            continue;
        lz_time end = end_of(&scopes[i]) < now ? end_of(&scopes[i]) : now;
        latest = end > latest ? end : latest;
    }
    return latest;
}
