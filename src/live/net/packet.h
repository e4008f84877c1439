/*
 * packet.h — IPv4 packets as bytes: who sends to whom, where their data is, one bit turned.
 */
#ifndef LZ_LIVE_NET_PACKET_H
#define LZ_LIVE_NET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lz_packet {
    uint32_t source, target;           /* in the machine's byte order; of IPv6 their last bytes */
    uint8_t protocol;                  /* IPPROTO_ */
    bool is_v6, is_later;              /* a fragment that is not the first */
    uint16_t source_port, target_port; /* of TCP and UDP, but later fragments; else 0 */
    size_t data;  /* where what TCP or UDP carry begins; else what follows IP's header */
    size_t inner; /* what follows IP's header */
};

/* False: these are no whole header of IPv4 or IPv6. Lengths that they give are never believed
 * beyond `size`.
 */
bool lz_packet_read(const unsigned char *bytes, size_t size, struct lz_packet *out);

/*
 * Turn one bit, the one that `bits` says, of its data; of what follows IP's header if it carries
 * none. False: there is nothing behind that header.
 */
bool lz_packet_flip(unsigned char *bytes, size_t size, uint64_t bits);

#endif
