#include "model/broker/murmur.h"

#include "base/check.h"

#define SEED 0x9747b28cu
#define M 0x5bd1e995u
#define R 24

static uint32_t mix(uint32_t k)
{
    k *= M;
    k ^= k >> R;
    return k * M;
}

uint32_t lz_murmur_bytes(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint32_t h = SEED ^ (uint32_t)len;
    size_t left = len;
    for (; left >= 4; left -= 4, p += 4) {
        uint32_t k =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        h = h * M ^ mix(k);
    }
    for (size_t i = left; i > 0; i--)
        h ^= (uint32_t)p[i - 1] << (8 * (i - 1));
    if (left > 0)
        h *= M;
    h ^= h >> 13;
    h *= M;
    return h ^ h >> 15;
}

uint32_t lz_murmur_partition(uint64_t key, uint32_t partitions)
{
    LZ_ASSERT(partitions > 0);
    unsigned char bytes[8];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(key >> (56 - 8 * i));
    return (lz_murmur_bytes(bytes, sizeof(bytes)) & 0x7fffffffu) % partitions;
}
