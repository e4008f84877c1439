/*
 * packet.h — IPv4 packets as bytes: who sends to whom, where their data is, one bit turned.
 */
#ifndef LZ_LIVE_NET_PACKET_H
#define LZ_LIVE_NET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lz_packet {
    uint32_t source, target;           /* in the machine's byte order */
    uint8_t protocol;                  /* IPPROTO_ */
    uint16_t source_port, target_port; /* of TCP and UDP, but later fragments; else 0 */
    size_t data;  /* where what TCP or UDP carry begins; else what follows IP's header */
    size_t inner; /* what follows IP's header */
};

/* False: these are no whole IPv4 header. Lengths that they give are never believed beyond `size`.
 */
bool lz_packet_read(const unsigned char *bytes, size_t size, struct lz_packet *out);

/*
 * Turn one bit, the one that `bits` says, of its data; of what follows IP's header if it carries
 * none. False: there is nothing behind that header.
 */
bool lz_packet_flip(unsigned char *bytes, size_t size, uint64_t bits);

#endif
