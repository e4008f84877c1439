#include "model/broker/assign.h"

#include <stdbool.h>

#include "base/check.h"

static void range(uint32_t partitions, uint32_t members, uint32_t *owner)
{
    uint32_t each = partitions / members, more = partitions % members, p = 0;
    for (uint32_t m = 0; m < members; m++)
        for (uint32_t k = each + (m < more); k > 0; k--)
            owner[p++] = m;
    LZ_ASSERT(p == partitions);
}

static uint32_t least_loaded(uint32_t members, const uint32_t *load)
{
    uint32_t best = 0;
    for (uint32_t m = 1; m < members; m++)
        if (load[m] < load[best])
            best = m;
    return best;
}

// Everybody keeps what a balanced assignment lets them keep; the rest goes to who has least.
static void sticky(uint32_t partitions, uint32_t members, uint32_t *owner, uint32_t *load)
{
    uint32_t each = partitions / members, more = partitions % members;
    for (uint32_t m = 0; m < members; m++)
        load[m] = 0;
    for (uint32_t p = 0; p < partitions; p++) {
        uint32_t m = owner[p];
        bool keeps = m < members && load[m] < each;
        if (m < members && load[m] == each && more > 0) {
            keeps = true;
            more--;
        }
        if (keeps)
            load[m]++;
        else
            owner[p] = LZ_ASSIGN_NOBODY;
    }
    for (uint32_t p = 0; p < partitions; p++)
        if (owner[p] == LZ_ASSIGN_NOBODY)
            load[owner[p] = least_loaded(members, load)]++;
}

void lz_assign(enum lz_assign how, uint32_t partitions, uint32_t members, uint32_t *owner,
               uint32_t *load)
{
    LZ_ASSERT(members > 0);
    if (how == LZ_ASSIGN_RANGE)
        range(partitions, members, owner);
    else if (how == LZ_ASSIGN_STICKY)
        sticky(partitions, members, owner, load);
    else
        for (uint32_t p = 0; p < partitions; p++)
            owner[p] = p % members;
}
