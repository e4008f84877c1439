/*
 * why_paths.h — inside explore/: how the owners of draws came by their paths.
 *
 * A path is a hash, made from another path and a name or an index. What is told of them as they are
 * made (sim/draw_watch.h) is remembered, so that a path can be written as people would:
 *
 *     users/1508/users>web/1   the first attempt of request 1508 of users at web
 *     link/eu.a/eu.b
 *     order/web>db             messages between two instances
 *
 * Names are kept, and what was made while the world was built. Of the others, a path for each step
 * of each request, only so many are: new ones take the place of old ones, and who asks, asks about
 * what goes on at that instant.
 */
#ifndef LZ_EXPLORE_WHY_PATHS_H
#define LZ_EXPLORE_WHY_PATHS_H

#include "base/str.h"
#include "model/world.h"
#include "sim/draw_watch.h"

struct lz_why_paths;

struct lz_why_paths *lz_why_paths_create(void);
void lz_why_paths_destroy(struct lz_why_paths *paths);

/* `is_kept`: the world is being built. */
void lz_why_paths_add(struct lz_why_paths *paths, const struct lz_draw_watch_owner *owner,
                      bool is_kept);

/* `world` names instances; NULL while it is built. What is not known is written as its number. */
void lz_why_paths_write(const struct lz_why_paths *paths, const struct lz_world *world,
                        uint64_t path, struct lz_str *out);

#endif
