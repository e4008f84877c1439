#include "model/net/loss.h"

#include "base/check.h"

enum { GOOD, BAD };
enum { RECEIVED_IN_GAP, RECEIVED_IN_BURST, LOST_IN_BURST, LOST_ALONE };

static bool is_share(const char *name, double value, struct lz_err *err)
{
    if (value >= 0.0 && value <= 1.0)
        return true;
    return lz_fail(err, LZ_ERANGE, "%s must be between 0 and 1, got %g", name, value);
}

static bool fit_together(const char *a, const char *b, double sum, struct lz_err *err)
{
    if (sum <= 1.0)
        return true;
    return lz_fail(err, LZ_ERANGE,
                   "%s and %s are ways out of one state and add up to %g: at most 1", a, b, sum);
}

bool lz_loss_check(const struct lz_loss *l, struct lz_err *err)
{
    switch (l->kind) {
    case LZ_LOSS_NONE:
        return true;
    case LZ_LOSS_RATIO:
        return is_share("ratio", l->ratio, err) && is_share("correlation", l->correlation, err);
    case LZ_LOSS_GILBERT_ELLIOTT:
        return is_share("p", l->p, err) && is_share("r", l->r, err) &&
               is_share("bad", l->bad, err) && is_share("good", l->good, err);
    case LZ_LOSS_FOUR_STATES:
        return is_share("p13", l->p13, err) && is_share("p31", l->p31, err) &&
               is_share("p32", l->p32, err) && is_share("p23", l->p23, err) &&
               is_share("p14", l->p14, err) && fit_together("p13", "p14", l->p13 + l->p14, err) &&
               fit_together("p31", "p32", l->p31 + l->p32, err);
    }
    LZ_UNREACHABLE("a loss has one of the kinds");
    return false;
}

// One draw decides where nothing is remembered, so that a plain ratio costs one.
static bool ratio_next(const struct lz_loss *l, struct lz_loss_state *s, struct lz_draw *draw)
{
    if (l->correlation > 0.0) {
        bool repeats = lz_draw_unit(draw) < l->correlation;
        if (!repeats || !s->has_last)
            s->last = lz_draw_unit(draw) < l->ratio;
        s->has_last = true;
        return s->last;
    }
    return lz_draw_unit(draw) < l->ratio;
}

// As sch_netem.c's loss_gilb_ell: the state before the step decides, and then it steps.
static bool gilbert_elliott_next(const struct lz_loss *l, struct lz_loss_state *s,
                                 struct lz_draw *draw)
{
    bool is_bad = s->state == BAD;
    if (lz_draw_unit(draw) < (is_bad ? l->r : l->p))
        s->state = is_bad ? GOOD : BAD;
    return lz_draw_unit(draw) < (is_bad ? l->bad : l->good);
}

// As sch_netem.c's loss_4state: a packet is lost if the state it leads to is a lost one.
static bool four_states_next(const struct lz_loss *l, struct lz_loss_state *s, struct lz_draw *draw)
{
    double u = lz_draw_unit(draw);
    switch (s->state) {
    case RECEIVED_IN_GAP:
        if (u < l->p14)
            s->state = LOST_ALONE;
        else if (u < l->p14 + l->p13)
            s->state = LOST_IN_BURST;
        break;
    case RECEIVED_IN_BURST:
        if (u < l->p23)
            s->state = LOST_IN_BURST;
        break;
    case LOST_IN_BURST:
        if (u < l->p32)
            s->state = RECEIVED_IN_BURST;
        else if (u < l->p32 + l->p31)
            s->state = RECEIVED_IN_GAP;
        break;
    default:
        s->state = RECEIVED_IN_GAP;
    }
    return s->state == LOST_IN_BURST || s->state == LOST_ALONE;
}

bool lz_loss_next(const struct lz_loss *l, struct lz_loss_state *s, struct lz_draw *draw)
{
    switch (l->kind) {
    case LZ_LOSS_NONE:
        return false;
    case LZ_LOSS_RATIO:
        return ratio_next(l, s, draw);
    case LZ_LOSS_GILBERT_ELLIOTT:
        LZ_ASSERT(s->state <= BAD);
        return gilbert_elliott_next(l, s, draw);
    case LZ_LOSS_FOUR_STATES:
        LZ_ASSERT(s->state <= LOST_ALONE);
        return four_states_next(l, s, draw);
    }
    LZ_UNREACHABLE("a loss has one of the kinds");
    return false;
}

// In balance: state 1 feeds 3 by p13 and 4 by p14, 4 returns at once, 3 returns by p31 and visits
// 2 by p32, which returns by p23. A chain that can stay for ever in a burst loses all of it.
static double four_states_mean(const struct lz_loss *l)
{
    if (!(l->p13 > 0.0))
        return l->p14 / (1.0 + l->p14);
    if (!(l->p31 > 0.0))
        return l->p32 > 0.0 ? l->p23 / (l->p32 + l->p23) : 1.0;
    double one = 1.0, four = l->p14, three = l->p13 / l->p31;
    double two = l->p32 > 0.0 ? three * l->p32 / l->p23 : 0.0;
    return (three + four) / (one + two + three + four);
}

double lz_loss_mean(const struct lz_loss *l)
{
    switch (l->kind) {
    case LZ_LOSS_NONE:
        return 0.0;
    case LZ_LOSS_RATIO:
        return l->ratio;
    case LZ_LOSS_GILBERT_ELLIOTT:
        return l->p > 0.0 ? (l->r * l->good + l->p * l->bad) / (l->p + l->r) : l->good;
    case LZ_LOSS_FOUR_STATES:
        return four_states_mean(l);
    }
    LZ_UNREACHABLE("a loss has one of the kinds");
    return 0.0;
}
