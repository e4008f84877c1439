#include "promql/labels.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"

const char *lz_promql_labels_get(const struct lz_promql_labels *l, const char *name)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (strcmp(l->all[i].name, name) == 0)
            return l->all[i].value;
    return "";
}

struct lz_promql_labels lz_promql_labels_set(struct lz_promql_scratch *s,
                                             const struct lz_promql_labels *l, const char *name,
                                             const char *value)
{
    struct lz_promql_label *all = lz_promql_scratch_alloc(s, (l->count + 1) * sizeof(*all));
    uint32_t count = 0, i = 0;
    while (i < l->count && strcmp(l->all[i].name, name) < 0)
        all[count++] = l->all[i++];
    if (value[0] != '\0')
        all[count++] = (struct lz_promql_label){name, value};
    if (i < l->count && strcmp(l->all[i].name, name) == 0)
        i++;
    while (i < l->count)
        all[count++] = l->all[i++];
    LZ_ASSERT(count <= l->count + 1);
    return (struct lz_promql_labels){all, count};
}

bool lz_promql_names_have(const struct lz_promql_names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->all[i], name) == 0)
            return true;
    return false;
}

static struct lz_promql_labels filter(struct lz_promql_scratch *s, const struct lz_promql_labels *l,
                                      const struct lz_promql_names *names, bool kept)
{
    struct lz_promql_label *all = lz_promql_scratch_alloc(s, (l->count + 1) * sizeof(*all));
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->count; i++)
        if (lz_promql_names_have(names, l->all[i].name) == kept)
            all[count++] = l->all[i];
    LZ_ASSERT(count <= l->count);
    return (struct lz_promql_labels){all, count};
}

struct lz_promql_labels lz_promql_labels_keep(struct lz_promql_scratch *s,
                                              const struct lz_promql_labels *l,
                                              const struct lz_promql_names *names)
{
    return filter(s, l, names, true);
}

struct lz_promql_labels lz_promql_labels_drop(struct lz_promql_scratch *s,
                                              const struct lz_promql_labels *l,
                                              const struct lz_promql_names *names)
{
    return filter(s, l, names, false);
}

int lz_promql_labels_compare(const struct lz_promql_labels *a, const struct lz_promql_labels *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int d = strcmp(a->all[i].name, b->all[i].name);
        if (d == 0)
            d = strcmp(a->all[i].value, b->all[i].value);
        if (d != 0)
            return d;
    }
    return a->count < b->count ? -1 : a->count > b->count;
}

static size_t shown_len(const struct lz_promql_labels *l)
{
    size_t len = 3;
    for (uint32_t i = 0; i < l->count; i++)
        len += strlen(l->all[i].name) + 2 * strlen(l->all[i].value) + 6;
    return len;
}

static char *put(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len);
    return at + len;
}

const char *lz_promql_labels_show(struct lz_promql_scratch *s, const struct lz_promql_labels *l)
{
    char *text = lz_promql_scratch_alloc(s, shown_len(l) + 1);
    char *at = put(text, lz_promql_labels_get(l, LZ_PROMQL_NAME));
    const char *between = "{";
    for (uint32_t i = 0; i < l->count; i++) {
        if (strcmp(l->all[i].name, LZ_PROMQL_NAME) == 0)
            continue;
        at = put(put(put(at, between), l->all[i].name), "=\"");
        for (const char *c = l->all[i].value; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                *at++ = '\\';
            *at++ = *c;
        }
        at = put(at, "\"");
        between = ", ";
    }
    put(at, between[0] == ',' ? "}" : at == text ? "{}" : "");
    return text;
}

// ---------------------------------------------------------------- sets by number

static uint64_t hash_of(const struct lz_promql_labels *l)
{
    uint64_t h = l->count;
    for (uint32_t i = 0; i < l->count; i++)
        h = lz_hash_mix(lz_hash_mix(h, lz_hash_text(l->all[i].name)),
                        lz_hash_text(l->all[i].value));
    return h;
}

void lz_promql_groups_init(struct lz_promql_groups *g, struct lz_promql_scratch *s)
{
    *g = (struct lz_promql_groups){.scratch = s, .slot_count = 16};
    g->slots = lz_promql_scratch_alloc(s, g->slot_count * sizeof(*g->slots));
}

// The slot that has it, or the empty one where it would be.
static uint32_t *slot_of(const struct lz_promql_groups *g, const struct lz_promql_labels *l,
                         uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (g->slot_count - 1);
    while (g->slots[at] != 0) {
        uint32_t i = g->slots[at] - 1;
        if (g->hashes[i] == hash && lz_promql_labels_compare(&g->all[i], l) == 0)
            break;
        at = (at + 1) & (g->slot_count - 1);
    }
    return &g->slots[at];
}

static void widen(struct lz_promql_groups *g)
{
    g->slot_count *= 2;
    g->slots = lz_promql_scratch_alloc(g->scratch, g->slot_count * sizeof(*g->slots));
    for (uint32_t i = 0; i < g->count; i++)
        *slot_of(g, &g->all[i], g->hashes[i]) = i + 1;
}

uint32_t lz_promql_groups_add(struct lz_promql_groups *g, const struct lz_promql_labels *l,
                              bool *fresh)
{
    uint64_t hash = hash_of(l);
    uint32_t *slot = slot_of(g, l, hash);
    *fresh = *slot == 0;
    if (!*fresh)
        return *slot - 1;
    if ((g->count + 1) * 2 > g->slot_count) {
        widen(g);
        slot = slot_of(g, l, hash);
    }
    g->all = lz_promql_scratch_grow(g->scratch, g->all, &g->cap, g->count + 1, sizeof(*g->all));
    g->hashes = lz_promql_scratch_grow(g->scratch, g->hashes, &g->hash_cap, g->count + 1,
                                       sizeof(*g->hashes));
    g->all[g->count] = *l;
    g->hashes[g->count] = hash;
    *slot = ++g->count;
    return g->count - 1;
}

uint32_t lz_promql_groups_find(const struct lz_promql_groups *g, const struct lz_promql_labels *l)
{
    return *slot_of(g, l, hash_of(l)) - 1;
}
