#include "model/alert/alert_mute.h"

#include "base/check.h"

bool lz_alert_mute_silences(const struct lz_alert_silence *s, const struct lz_alert_labels *l,
                            lz_time now)
{
    LZ_ASSERT(s->from <= s->until);
    return now >= s->from && now < s->until && lz_alert_labels_match(l, &s->match);
}

bool lz_alert_mute_inhibits(const struct lz_alert_inhibition *rule,
                            const struct lz_alert_labels *source,
                            const struct lz_alert_labels *target)
{
    if (!lz_alert_labels_match(target, &rule->target) ||
        !lz_alert_labels_match(source, &rule->source))
        return false;
    bool is_on_both_sides = lz_alert_labels_match(target, &rule->source) &&
                            lz_alert_labels_match(source, &rule->target);
    return !is_on_both_sides && lz_alert_labels_agree(source, target, &rule->equal);
}
