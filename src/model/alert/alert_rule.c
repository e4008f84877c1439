#include "model/alert/alert_rule.h"

#include "base/check.h"

void lz_alert_rule_init(struct lz_alert_rule *r)
{
    *r = (struct lz_alert_rule){.active_at = LZ_ALERT_NEVER,
                                .fired_at = LZ_ALERT_NEVER,
                                .resolved_at = LZ_ALERT_NEVER,
                                .kept_since = LZ_ALERT_NEVER,
                                .sent_at = LZ_ALERT_NEVER};
}

static void check(const struct lz_alert_rule *r)
{
    LZ_ASSERT(LZ_IMPLIES(r->state != LZ_ALERT_INACTIVE, r->active_at >= 0));
    LZ_ASSERT(LZ_IMPLIES(r->state == LZ_ALERT_FIRING, r->fired_at >= r->active_at));
    LZ_ASSERT(LZ_IMPLIES(r->resolved_at >= 0, r->state == LZ_ALERT_INACTIVE));
    LZ_ASSERT(LZ_IMPLIES(r->kept_since >= 0, r->state == LZ_ALERT_FIRING));
}

// keep_firing_for counts from the first evaluation that found it false.
static bool is_kept(struct lz_alert_rule *r, const struct lz_alert_rule_opts *o, lz_time now)
{
    if (r->state != LZ_ALERT_FIRING || o->keep_firing == 0)
        return false;
    if (r->kept_since < 0)
        r->kept_since = now;
    return now - r->kept_since < o->keep_firing;
}

static void found_false(struct lz_alert_rule *r, const struct lz_alert_rule_opts *o, lz_time now)
{
    if (is_kept(r, o, now))
        return;
    if (r->resolved_at >= 0 && now - r->resolved_at > LZ_ALERT_RETENTION)
        lz_alert_rule_init(r);
    enum lz_alert_state was = r->state;
    r->state = LZ_ALERT_INACTIVE;
    r->kept_since = LZ_ALERT_NEVER;
    if (was == LZ_ALERT_FIRING)
        r->resolved_at = now;
    else if (was == LZ_ALERT_PENDING) // it is forgotten, as if it had never been
        lz_alert_rule_init(r);
}

static void found_true(struct lz_alert_rule *r, const struct lz_alert_rule_opts *o, lz_time now)
{
    r->kept_since = LZ_ALERT_NEVER;
    if (r->state == LZ_ALERT_INACTIVE) { // a new alert: what was told of the last is not of this
        lz_alert_rule_init(r);
        r->state = LZ_ALERT_PENDING;
        r->active_at = now;
    }
    if (r->state == LZ_ALERT_PENDING && now - r->active_at >= o->pending) {
        r->state = LZ_ALERT_FIRING;
        r->fired_at = now;
    }
}

enum lz_alert_state lz_alert_rule_evaluate(struct lz_alert_rule *r,
                                           const struct lz_alert_rule_opts *o, bool is_true,
                                           lz_time now)
{
    LZ_ASSERT(o->pending >= 0 && o->keep_firing >= 0);
    LZ_ASSERT(now >= r->active_at);
    if (is_true)
        found_true(r, o, now);
    else
        found_false(r, o, now);
    check(r);
    return r->state;
}

static bool is_due(const struct lz_alert_rule *r, lz_time now)
{
    if (r->state == LZ_ALERT_PENDING || (r->state == LZ_ALERT_INACTIVE && r->resolved_at < 0))
        return false;
    if (r->sent_at < 0 || r->resolved_at > r->sent_at)
        return true;
    return r->sent_at + LZ_ALERT_RESEND < now;
}

bool lz_alert_rule_sends(struct lz_alert_rule *r, const struct lz_alert_rule_opts *o, lz_time now,
                         struct lz_alert_sending *out)
{
    LZ_ASSERT(o->interval > 0);
    if (!is_due(r, now))
        return false;
    lz_time step = o->interval > LZ_ALERT_RESEND ? o->interval : LZ_ALERT_RESEND;
    r->sent_at = now;
    *out = (struct lz_alert_sending){
        .starts_at = r->fired_at,
        .ends_at = r->resolved_at >= 0 ? r->resolved_at : now + LZ_ALERT_SENDS_MISSED * step};
    return true;
}
