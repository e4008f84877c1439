#include "explore/wire.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

void lz_wire_put_u64(struct lz_str *out, uint64_t value)
{
    lz_str_add_n(out, (const char *)&value, sizeof(value));
}

void lz_wire_put_blob(struct lz_str *out, const void *bytes, size_t size)
{
    LZ_ASSERT(LZ_IMPLIES(size > 0, bytes != NULL));
    lz_wire_put_u64(out, size);
    if (size > 0)
        lz_str_add_n(out, bytes, size);
}

void lz_wire_put_text(struct lz_str *out, const char *text)
{
    lz_wire_put_u64(out, text != NULL);
    if (text != NULL)
        lz_wire_put_blob(out, text, strlen(text));
}

// Where the next `size` bytes are, or NULL and broken.
static const char *take(struct lz_wire *in, size_t size)
{
    LZ_ASSERT(in != NULL);
    if (in->broken || in->left < size) {
        in->broken = true;
        return NULL;
    }
    const char *at = in->at;
    in->at += size;
    in->left -= size;
    return at;
}

uint64_t lz_wire_get_u64(struct lz_wire *in)
{
    uint64_t value = 0;
    const char *at = take(in, sizeof(value));
    if (at != NULL)
        memcpy(&value, at, sizeof(value));
    return value;
}

void *lz_wire_get_blob(struct lz_wire *in, size_t *size)
{
    size_t len = (size_t)lz_wire_get_u64(in);
    const char *at = take(in, len);
    if (at == NULL)
        len = 0;
    char *copy = lz_mem_alloc(len + 1); // so that a text is a blob with its NUL
    if (len > 0)
        memcpy(copy, at, len);
    copy[len] = '\0';
    *size = len;
    return copy;
}

char *lz_wire_get_text(struct lz_wire *in)
{
    size_t len;
    if (lz_wire_get_u64(in) == 0)
        return NULL;
    return lz_wire_get_blob(in, &len);
}
