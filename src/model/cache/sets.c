#include "model/cache/sets.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/cache/cache_state.h"

// The elements of one line of versions: first those of another list, as far as that one had come.
struct list {
    uint32_t base, base_count; // number of that list; 0: of none
    uint32_t count;            // with the base's
    uint32_t bytes;            // as a text
    uint32_t cap, text_count;
    lz_value *own;
    lz_value text; // of the first text_count
};

// Where a list has an element of its own.
struct place {
    lz_value element;
    uint32_t list, at; // list 0: a free place
};

struct lz_sets {
    struct list *lists; // 1 .. count
    uint32_t count, cap;
    struct place *places; // open addressing, a power of two
    uint32_t place_count, place_cap;
};

#define PLACES_MIN 64u
#define LISTS_MAX (1u << 30)

static uint64_t version_of(uint32_t list, uint32_t count)
{
    return ((uint64_t)list << 32 | count) << 2 | LZ_VALUE_NOTHING;
}

static uint32_t list_of(uint64_t set)
{
    return (uint32_t)(set >> 34);
}

static uint32_t count_of(uint64_t set)
{
    return (uint32_t)(set >> 2);
}

static struct place *find_place(const struct lz_sets *s, uint32_t list, lz_value element)
{
    uint32_t mask = s->place_cap - 1, i = (uint32_t)lz_hash_mix(element, list) & mask;
    while (s->places[i].list != 0 && (s->places[i].list != list || s->places[i].element != element))
        i = (i + 1) & mask;
    return &s->places[i];
}

static void widen(struct lz_world *w, struct lz_sets *s)
{
    struct place *old = s->places;
    uint32_t old_cap = s->place_cap;
    s->place_cap = old_cap > 0 ? 2 * old_cap : PLACES_MIN;
    s->places = lz_arena_alloc(w->arena, s->place_cap * sizeof(*s->places));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].list != 0)
            *find_place(s, old[i].list, old[i].element) = old[i];
    if (old != NULL)
        lz_arena_free(w->arena, old, old_cap * sizeof(*old));
}

static struct lz_sets *sets_of(struct lz_world *w)
{
    if (w->caches->sets == NULL) {
        w->caches->sets = lz_arena_alloc(w->arena, sizeof(*w->caches->sets));
        widen(w, w->caches->sets);
    }
    return w->caches->sets;
}

static bool has(const struct lz_sets *s, uint64_t set, lz_value element)
{
    uint32_t count = count_of(set);
    for (uint32_t l = list_of(set); l != 0; l = s->lists[l].base) {
        const struct place *p = find_place(s, l, element);
        if (p->list != 0 && p->at < count)
            return true;
        count = count < s->lists[l].base_count ? count : s->lists[l].base_count;
    }
    return false;
}

static lz_value element_at(const struct lz_sets *s, uint32_t list, uint32_t at)
{
    while (at < s->lists[list].base_count)
        list = s->lists[list].base;
    LZ_ASSERT(at < s->lists[list].count);
    return s->lists[list].own[at - s->lists[list].base_count];
}

static uint32_t bytes_of(const struct lz_world *w, const struct lz_sets *s, uint64_t set)
{
    uint32_t count = count_of(set), bytes = 0;
    if (set == 0 || count == s->lists[list_of(set)].count)
        return set == 0 ? 0 : s->lists[list_of(set)].bytes;
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        (void)lz_value_to_text(w, element_at(s, list_of(set), i), &size);
        bytes += (uint32_t)size + (i > 0);
    }
    return bytes;
}

// The list that goes on from a version: its own, if no other version has gone on from it yet.
static uint32_t list_from(struct lz_world *w, struct lz_sets *s, uint64_t set, uint32_t bytes)
{
    if (set != 0 && s->lists[list_of(set)].count == count_of(set))
        return list_of(set);
    LZ_ASSERT(s->count + 1 < LISTS_MAX);
    s->lists = lz_grow(w->arena, s->lists, &s->cap, s->count + 2, sizeof(*s->lists));
    s->lists[++s->count] = (struct list){
        .base = list_of(set), .base_count = count_of(set), .count = count_of(set), .bytes = bytes};
    return s->count;
}

uint64_t lz_sets_add(struct lz_world *w, uint64_t set, const char *element, size_t size)
{
    LZ_ASSERT(set == 0 || lz_sets_is(set));
    LZ_ASSERT(size > 0 && memchr(element, ',', size) == NULL);
    struct lz_sets *s = sets_of(w);
    uint32_t bytes = bytes_of(w, s, set);
    if (bytes + size >= LZ_VALUE_TEXT_MAX)
        return 0;
    lz_value v = lz_value_text(w, element, size);
    if (has(s, set, v))
        return set;
    uint32_t number = list_from(w, s, set, bytes);
    struct list *l = &s->lists[number];
    uint32_t own = l->count - l->base_count;
    l->own = lz_grow(w->arena, l->own, &l->cap, own + 1, sizeof(*l->own));
    l->own[own] = v;
    if (2 * ++s->place_count > s->place_cap)
        widen(w, s);
    *find_place(s, number, v) = (struct place){.element = v, .list = number, .at = l->count};
    l->bytes = bytes + (uint32_t)size + (l->count > 0);
    return version_of(number, ++l->count);
}

lz_value lz_sets_text(struct lz_world *w, uint64_t set)
{
    if (set == 0)
        return lz_value_text(w, "", 0);
    LZ_ASSERT(lz_sets_is(set) && w->caches->sets != NULL);
    const struct lz_sets *s = w->caches->sets;
    struct list *l = &s->lists[list_of(set)];
    uint32_t count = count_of(set);
    LZ_ASSERT(count > 0 && count <= l->count);
    if (l->text_count == count)
        return l->text;
    struct lz_str text;
    lz_str_init(&text);
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        const char *one = lz_value_to_text(w, element_at(s, list_of(set), i), &size);
        if (i > 0)
            lz_str_add_char(&text, ',');
        lz_str_add_n(&text, one, size);
    }
    l->text = lz_value_text(w, text.text, text.len);
    l->text_count = count;
    lz_str_finish(&text);
    return l->text;
}
