#include "model/data/image.h"

#include <string.h>

#include "base/check.h"

struct lz_image *lz_image_create(struct lz_arena *arena, const void *bytes, size_t size)
{
    LZ_ASSERT(size <= UINT32_MAX - sizeof(struct lz_image));
    struct lz_image *image = lz_arena_alloc(arena, sizeof(*image) + size);
    image->arena = arena;
    image->holders = 1;
    image->size = (uint32_t)size;
    if (size > 0)
        memcpy(image->bytes, bytes, size);
    return image;
}

struct lz_image *lz_image_hold(struct lz_image *image)
{
    if (image == NULL)
        return NULL;
    LZ_ASSERT(image->holders > 0 && image->holders < UINT32_MAX);
    image->holders++;
    return image;
}

void lz_image_release(struct lz_image *image)
{
    if (image == NULL)
        return;
    LZ_ASSERT(image->holders > 0);
    if (--image->holders == 0)
        lz_arena_free(image->arena, image, sizeof(*image) + image->size);
}
