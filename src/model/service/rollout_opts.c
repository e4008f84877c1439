// What follows from the options of a rollout alone.
#include "base/check.h"
#include "model/service/rollout.h"

struct lz_fenceposts lz_rollout_fenceposts(const struct lz_rollout_opts *o, uint32_t desired)
{
    struct lz_fenceposts f = {.surge = lz_amount_of(o->max_surge, desired, true),
                              .unavailable = lz_amount_of(o->max_unavailable, desired, false)};
    if (f.surge == 0 && f.unavailable == 0)
        f.unavailable = 1; // else nothing could move
    return f;
}

int64_t lz_rollout_share(uint32_t size, uint32_t was, uint32_t limit, int64_t left)
{
    LZ_ASSERT(was > 0);
    int64_t to = (int64_t)((double)size * (double)limit / (double)was + 0.5);
    int64_t by = to - (int64_t)size;
    if (left > 0)
        return by < left ? by : left;
    return by > left ? by : left;
}

static bool check_amount(const char *name, struct lz_amount a, double most, struct lz_err *err)
{
    if (!(a.value >= 0.0) || (a.is_percent && a.value > most))
        return lz_fail(err, LZ_ERANGE, "rollout: %s must be between 0%% and %g%%, got %g%%", name,
                       most, a.value);
    if (a.value > LZ_SERVICE_REPLICAS_MAX)
        return lz_fail(err, LZ_ERANGE, "rollout: %s must be at most %d, got %g", name,
                       LZ_SERVICE_REPLICAS_MAX, a.value);
    return true;
}

bool lz_rollout_check(struct lz_rollout_opts *o, struct lz_err *err)
{
    LZ_ASSERT(o->is_on);
    if (!check_amount("max_surge", o->max_surge, 1000.0, err) ||
        !check_amount("max_unavailable", o->max_unavailable, 100.0, err))
        return false;
    if (!o->is_recreate && lz_amount_is_none(o->max_surge) && lz_amount_is_none(o->max_unavailable))
        return lz_fail(err, LZ_EINVAL,
                       "rollout: max_surge and max_unavailable are both 0, and no replica could be "
                       "replaced: give one of them at least 1");
    o->deadline = o->deadline > 0 ? o->deadline : LZ_ROLLOUT_DEADLINE;
    if (o->min_ready < 0 || o->min_ready >= o->deadline)
        return lz_fail(err, LZ_ERANGE,
                       "rollout: min_ready must be from 0s to below progress_deadline, %gs, got "
                       "%gs",
                       (double)o->deadline / 1e9, (double)o->min_ready / 1e9);
    return true;
}

uint32_t lz_rollout_spare(const struct lz_rollout_opts *o, uint32_t replicas)
{
    uint32_t surge = o->is_recreate ? 0 : lz_rollout_fenceposts(o, replicas).surge;
    return 2 * surge + replicas;
}
