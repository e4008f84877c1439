/*
 * hash.h — one 64-bit mixer for names, draw keys and the trace.
 *
 * The mixing step is wyhash's: a 64 x 64 to 128 bit product folded by xor.
 * It is not cryptographic and need not be; it is the same on every machine.
 */
#ifndef LZ_BASE_HASH_H
#define LZ_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t lz_hash_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 p = (u128)(a ^ 0xa0761d6478bd642full) * (b ^ 0xe7037ed1a0b428dbull);
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* FNV-1a, then mixed: names are short. */
static inline uint64_t lz_hash_bytes(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t h = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3ull;
    return lz_hash_mix(h, len);
}

static inline uint64_t lz_hash_text(const char *text)
{
    return lz_hash_bytes(text, strlen(text));
}

#endif
