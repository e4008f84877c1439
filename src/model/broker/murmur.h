/*
 * murmur.h — which partition a key belongs to: murmur2 as Kafka's clients have it.
 *
 * org.apache.kafka.common.utils.Utils.murmur2 with its seed, the sign bit cleared, modulo the
 * number of partitions (BuiltInPartitioner.partitionForKey). A key is a number here; its bytes are
 * those of Kafka's LongSerializer, eight of them, the most significant first.
 */
#ifndef LZ_MODEL_BROKER_MURMUR_H
#define LZ_MODEL_BROKER_MURMUR_H

#include <stddef.h>
#include <stdint.h>

uint32_t lz_murmur_bytes(const void *bytes, size_t len);

/* `partitions` > 0; from 0. */
uint32_t lz_murmur_partition(uint64_t key, uint32_t partitions);

#endif
