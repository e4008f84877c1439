/*
 * slot_lists.h — the entries of a node of a cluster by hash slot, as chains in both directions.
 *
 * Entries are numbers from 1, each in at most one list; what comes last is first. All is O(1).
 */
#ifndef LZ_MODEL_CACHE_SLOT_LISTS_H
#define LZ_MODEL_CACHE_SLOT_LISTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct lz_slot_lists;

struct lz_slot_lists *lz_slot_lists_create(struct lz_arena *arena);
void lz_slot_lists_add(struct lz_slot_lists *l, uint32_t slot, uint32_t entry);
void lz_slot_lists_drop(struct lz_slot_lists *l, uint32_t slot, uint32_t entry);
void lz_slot_lists_copy(struct lz_slot_lists *l, const struct lz_slot_lists *from);

uint32_t lz_slot_lists_count(const struct lz_slot_lists *l, uint32_t slot);
uint32_t lz_slot_lists_first(const struct lz_slot_lists *l, uint32_t slot); /* 0: none */
uint32_t lz_slot_lists_next(const struct lz_slot_lists *l, uint32_t entry);
size_t lz_slot_lists_bytes(const struct lz_slot_lists *l);

#endif
