#include "live/net/packet.h"

#include <netinet/in.h>

#include "base/check.h"

#define HEADER_MIN 20u // of IPv4, and of TCP
#define UDP_HEADER 8u
#define TCP_OFFSET_AT 12u // in its upper four bits, in words of four bytes
#define FRAGMENT_MASK 0x1fffu
#define V6_HEADER 40u
#define V6_FRAGMENT_MASK 0xfff8u // of a fragment's header, in units of eight bytes

static uint32_t be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t be16(const unsigned char *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

// Of TCP and UDP only the first fragment has their header.
static size_t data_at(const unsigned char *bytes, size_t size, const struct lz_packet *p)
{
    if (p->is_later)
        return p->inner;
    size_t left = size - p->inner;
    if (p->protocol == IPPROTO_UDP && left >= UDP_HEADER)
        return p->inner + UDP_HEADER;
    if (p->protocol == IPPROTO_TCP && left >= HEADER_MIN) {
        size_t header = (size_t)(bytes[p->inner + TCP_OFFSET_AT] >> 4) * 4;
        return header >= HEADER_MIN && header <= left ? p->inner + header : p->inner;
    }
    return p->inner;
}

static bool read_v4(const unsigned char *bytes, size_t size, struct lz_packet *out)
{
    size_t header = (size_t)(bytes[0] & 15) * 4;
    if (header < HEADER_MIN || header > size)
        return false;
    *out = (struct lz_packet){.source = be32(bytes + 12),
                              .target = be32(bytes + 16),
                              .protocol = bytes[9],
                              .is_later = (be16(bytes + 6) & FRAGMENT_MASK) != 0,
                              .inner = header};
    return true;
}

// Headers that stand between IPv6's own and what it carries (RFC 8200, 4.1), each with its length.
static bool read_v6(const unsigned char *bytes, size_t size, struct lz_packet *out)
{
    if (size < V6_HEADER)
        return false;
    *out = (struct lz_packet){.source = be32(bytes + 20),
                              .target = be32(bytes + 36),
                              .protocol = bytes[6],
                              .is_v6 = true,
                              .inner = V6_HEADER};
    while (out->protocol == IPPROTO_HOPOPTS || out->protocol == IPPROTO_ROUTING ||
           out->protocol == IPPROTO_DSTOPTS || out->protocol == IPPROTO_FRAGMENT) {
        if (size - out->inner < 8)
            return true; // cut short: what it carries is not known
        const unsigned char *at = bytes + out->inner;
        bool is_fragment = out->protocol == IPPROTO_FRAGMENT;
        size_t length = is_fragment ? 8 : ((size_t)at[1] + 1) * 8;
        if (length > size - out->inner)
            return true;
        out->is_later = out->is_later || (is_fragment && (be16(at + 2) & V6_FRAGMENT_MASK) != 0);
        out->protocol = at[0];
        out->inner += length;
    }
    return true;
}

bool lz_packet_read(const unsigned char *bytes, size_t size, struct lz_packet *out)
{
    if (size < HEADER_MIN)
        return false;
    unsigned version = bytes[0] >> 4;
    if ((version != 4 || !read_v4(bytes, size, out)) &&
        (version != 6 || !read_v6(bytes, size, out)))
        return false;
    out->data = data_at(bytes, size, out);
    if (out->data > out->inner) {
        out->source_port = (uint16_t)be16(bytes + out->inner);
        out->target_port = (uint16_t)be16(bytes + out->inner + 2);
    }
    LZ_ASSERT(out->inner <= out->data && out->data <= size);
    return true;
}

bool lz_packet_flip(unsigned char *bytes, size_t size, uint64_t bits)
{
    struct lz_packet p;
    if (!lz_packet_read(bytes, size, &p) || p.inner == size)
        return false;
    size_t from = p.data < size ? p.data : p.inner;
    uint64_t bit = bits % ((uint64_t)(size - from) * 8);
    bytes[from + bit / 8] ^= (unsigned char)(1u << (bit % 8));
    return true;
}
