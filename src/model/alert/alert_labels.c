#include "model/alert/alert_labels.h"

#include <string.h>

#include "base/check.h"

const char *lz_alert_labels_get(const struct lz_alert_labels *l, const char *name)
{
    LZ_ASSERT(name != NULL);
    for (uint32_t i = 0; i < l->count; i++)
        if (strcmp(l->all[i].name, name) == 0)
            return l->all[i].value;
    return "";
}

static bool matches(const struct lz_alert_labels *l, const struct lz_alert_matcher *m)
{
    const char *value = lz_alert_labels_get(l, m->name);
    if (m->kind != LZ_ALERT_ONE_OF)
        return (value[0] != '\0') == (m->kind == LZ_ALERT_ANY);
    for (uint32_t i = 0; i < m->values.count; i++)
        if (strcmp(value, m->values.all[i]) == 0)
            return true;
    return false;
}

bool lz_alert_labels_match(const struct lz_alert_labels *l, const struct lz_alert_matchers *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        LZ_ASSERT(m->all[i].kind >= LZ_ALERT_ONE_OF && m->all[i].kind <= LZ_ALERT_NONE);
        if (!matches(l, &m->all[i]))
            return false;
    }
    return true;
}

bool lz_alert_labels_agree(const struct lz_alert_labels *a, const struct lz_alert_labels *b,
                           const struct lz_alert_names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(lz_alert_labels_get(a, names->all[i]), lz_alert_labels_get(b, names->all[i])) !=
            0)
            return false;
    return true;
}

static bool has_all(const struct lz_alert_labels *a, const struct lz_alert_labels *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (strcmp(lz_alert_labels_get(a, b->all[i].name), b->all[i].value) != 0)
            return false;
    return true;
}

bool lz_alert_labels_equal(const struct lz_alert_labels *a, const struct lz_alert_labels *b)
{
    return has_all(a, b) && has_all(b, a);
}
