#include "base/wall.h"

#include <stddef.h>

#include "base/check.h"

static const int64_t *virtual_ns;

void lz_wall_enter(const int64_t *now_ns)
{
    LZ_ASSERT(now_ns != NULL);
    virtual_ns = now_ns;
}

void lz_wall_leave(void)
{
    virtual_ns = NULL;
}

const int64_t *lz_wall_virtual_ns(void)
{
    return virtual_ns;
}
