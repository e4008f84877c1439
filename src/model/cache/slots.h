/*
 * slots.h — which of a cluster's hash slots a key belongs to; for model/ and script/.
 *
 * Redis Cluster's rule: the slot of a key is CRC16 of it modulo 16384 (the XMODEM CRC: polynomial
 * 0x1021, of "123456789" it is 0x31C3). Of a key that has a { with a } behind it and something
 * between them only that is hashed, its hash tag, so that keys can be kept together:
 * {user1000}.following and {user1000}.followers.
 *
 * A key that is an integer is hashed as it is written, in decimal. Of a text the model keeps only a
 * hash: what slot it has is learnt where the text is still known, once, by worlds that have a
 * cluster.
 */
#ifndef LZ_MODEL_CACHE_SLOTS_H
#define LZ_MODEL_CACHE_SLOTS_H

#include "model/world.h"

#define LZ_SLOTS 16384u

uint16_t lz_slots_crc16(const void *bytes, size_t len);
uint32_t lz_slots_of_text(const char *text, size_t len);

/* A text that scripts use as a key, and the number it has become. */
void lz_slots_learn(struct lz_world *w, uint64_t key, const char *text, size_t len);

uint32_t lz_slots_of_key(const struct lz_world *w, uint64_t key);

/* The first key from `key` on that has one of the slots that `has` says yes to. */
uint64_t lz_slots_next_key(const struct lz_world *w, uint64_t key,
                           bool (*has)(const void *ctx, uint32_t slot), const void *ctx);

#endif
