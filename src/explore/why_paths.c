#include "explore/why_paths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "model/node/instance.h"

#define RECENT_MAX (1u << 20) // places; a power of two
#define DEPTH_MAX 32          // of a path
#define NAMES_MAX 65536
#define ROOT 0

struct step {
    uint64_t path, from, index;
    enum lz_draw_watch_path kind; // 0: no step is here
};

struct named {
    struct step step;
    char *name; // "" of what has none
};

struct lz_why_paths {
    struct step *recent; // by the path's lower bits
    struct named *named; // a hash table without removal, at most half full; NULL name: empty
    size_t named_count, named_cap;
};

struct lz_why_paths *lz_why_paths_create(void)
{
    struct lz_why_paths *p = lz_mem_alloc(sizeof(*p));
    p->named_count = 0;
    p->named_cap = 2 * NAMES_MAX;
    p->recent = calloc(RECENT_MAX, sizeof(*p->recent));
    p->named = calloc(p->named_cap, sizeof(*p->named));
    LZ_ASSERT(p->recent != NULL && p->named != NULL);
    return p;
}

void lz_why_paths_destroy(struct lz_why_paths *paths)
{
    if (paths == NULL)
        return;
    for (size_t i = 0; i < paths->named_cap; i++)
        free(paths->named[i].name);
    free(paths->named);
    free(paths->recent);
    free(paths);
}

// Its place, which is empty if it is not known.
static struct named *find_named(const struct lz_why_paths *p, uint64_t path)
{
    size_t i = path % p->named_cap;
    while (p->named[i].name != NULL && p->named[i].step.path != path)
        i = (i + 1) % p->named_cap;
    return &p->named[i];
}

void lz_why_paths_add(struct lz_why_paths *paths, const struct lz_draw_watch_owner *owner,
                      bool is_kept)
{
    const struct step step = {owner->path, owner->from, owner->index, owner->kind};
    struct named *place = find_named(paths, owner->path);
    if (place->name != NULL)
        return;
    if ((owner->name == NULL && !is_kept) || paths->named_count == NAMES_MAX) {
        paths->recent[owner->path % RECENT_MAX] = step;
        return;
    }
    const char *name = owner->name != NULL ? owner->name : "";
    size_t size = strlen(name) + 1;
    place->step = step;
    place->name = lz_mem_alloc(size);
    memcpy(place->name, name, size);
    paths->named_count++;
}

static void write_instance(const struct lz_world *world, uint32_t id, struct lz_str *out)
{
    char name[80];
    if (world == NULL || id == 0 || id > lz_instance_count(world)) {
        lz_str_addf(out, "%" PRIu32, id);
        return;
    }
    lz_instance_describe(world, id, name, sizeof(name));
    lz_str_add(out, name);
}

static void write_at(const struct lz_why_paths *p, const struct lz_world *world, uint64_t path,
                     unsigned depth, struct lz_str *out)
{
    const struct named *named = find_named(p, path);
    const struct step *step = named->name != NULL ? &named->step : &p->recent[path % RECENT_MAX];
    bool is_known = step->kind != 0 && step->path == path && depth < DEPTH_MAX;
    if (!is_known) {
        lz_str_addf(out, "%016" PRIx64, path);
        return;
    }
    if (step->from != ROOT && step->kind != LZ_DRAW_WATCH_MESSAGES)
        write_at(p, world, step->from, depth + 1, out);
    bool is_empty = step->kind == LZ_DRAW_WATCH_NAME && named->name[0] == '\0';
    bool is_part = step->kind == LZ_DRAW_WATCH_NAME || step->kind == LZ_DRAW_WATCH_INDEX ||
                   step->kind == LZ_DRAW_WATCH_JOIN;
    if (step->from != ROOT && is_part && !is_empty)
        lz_str_add_char(out, '/');
    switch (step->kind) {
    case LZ_DRAW_WATCH_NAME:
        lz_str_add(out, named->name);
        break;
    case LZ_DRAW_WATCH_INDEX:
        lz_str_addf(out, "%" PRIu64, step->index);
        break;
    case LZ_DRAW_WATCH_PAIR:
        lz_str_add_char(out, '>');
        write_at(p, world, step->index, depth + 1, out);
        break;
    case LZ_DRAW_WATCH_JOIN:
        write_at(p, world, step->index, depth + 1, out);
        break;
    case LZ_DRAW_WATCH_MESSAGES:
        lz_str_add(out, "order/");
        write_instance(world, (uint32_t)(step->from >> 32), out);
        lz_str_add_char(out, '>');
        write_instance(world, (uint32_t)step->from, out);
        break;
    }
}

void lz_why_paths_write(const struct lz_why_paths *paths, const struct lz_world *world,
                        uint64_t path, struct lz_str *out)
{
    if (path == ROOT)
        lz_str_add(out, "the run");
    else
        write_at(paths, world, path, 0, out);
}
