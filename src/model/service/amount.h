/*
 * amount.h — so many, or such a share: "25%" or 2, as Kubernetes' IntOrString.
 *
 * A share is of so many, rounded up or down to a whole number as the user of it says
 * (apimachinery, util/intstr: GetScaledValueFromIntOrPercent).
 */
#ifndef LZ_MODEL_SERVICE_AMOUNT_H
#define LZ_MODEL_SERVICE_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct lz_amount {
    bool is_percent;
    double value; /* a count, or percent: not below 0 */
};

static inline bool lz_amount_is_none(struct lz_amount a)
{
    return !(a.value > 0.0);
}

static inline uint32_t lz_amount_of(struct lz_amount a, uint32_t whole, bool is_up)
{
    double exact = a.is_percent ? a.value * (double)whole / 100.0 : a.value;
    if (exact >= (double)UINT32_MAX)
        return UINT32_MAX;
    uint32_t cut = (uint32_t)exact;
    return cut + (is_up && (double)cut < exact);
}

#endif
