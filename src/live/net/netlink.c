#include "live/net/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"

#define PATIENCE_S 60 // the kernel answers at once; a machine that stands still does not
#define ANSWERS_SIZE 65536
#define HEADER_SIZE sizeof(struct nlattr) // of an attribute
#define TYPE_MASK 0x3fffu                 // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

_Static_assert(NLMSG_ALIGNTO == 4 && NLA_ALIGNTO == 4, "both are aligned by one function");
_Static_assert(sizeof(struct nlattr) % NLA_ALIGNTO == 0, "data follows its header at once");

static size_t aligned(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

bool lz_netlink_open(int protocol, int *fd, struct lz_err *err)
{
    int made = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    const struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    if (made < 0)
        return lz_fail(err, LZ_EIO, "no netlink socket of protocol %d can be had: %s", protocol,
                       strerror(errno));
    // Errors come back without a copy of what they are about.
    int one = 1;
    setsockopt(made, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (bind(made, (const struct sockaddr *)&self, sizeof(self)) != 0) {
        int why = errno;
        close(made);
        return lz_fail(err, LZ_EIO, "a netlink socket cannot be bound: %s", strerror(why));
    }
    *fd = made;
    return true;
}

// ---------------------------------------------------------------- writing

void lz_netlink_start(struct lz_netlink_batch *b)
{
    b->len = b->message = 0;
    b->seq = b->asked = 0;
    b->is_overfull = false;
}

// Room for so many bytes, zeroed; NULL: there is none.
static unsigned char *take(struct lz_netlink_batch *b, size_t size)
{
    size_t whole = aligned(size);
    if (b->is_overfull || whole > sizeof(b->bytes) - b->len) {
        b->is_overfull = true;
        return NULL;
    }
    unsigned char *at = b->bytes + b->len;
    memset(at, 0, whole);
    b->len += whole;
    return at;
}

// The message's own length says how far it goes by now.
static void grown(struct lz_netlink_batch *b)
{
    uint32_t len = (uint32_t)(b->len - b->message);
    memcpy(b->bytes + b->message + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
}

static void begin(struct lz_netlink_batch *b, uint16_t type, uint16_t flags, const void *body,
                  size_t size)
{
    const struct nlmsghdr header = {.nlmsg_type = type,
                                    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
                                    .nlmsg_seq = ++b->seq};
    size_t at = b->len;
    unsigned char *to = take(b, sizeof(header) + size);
    if (to == NULL)
        return;
    b->message = at;
    memcpy(to, &header, sizeof(header));
    if (size > 0)
        memcpy(to + sizeof(header), body, size);
    grown(b);
}

void lz_netlink_message(struct lz_netlink_batch *b, uint16_t type, uint16_t flags, const void *body,
                        size_t size)
{
    begin(b, type, (uint16_t)(flags | NLM_F_ACK), body, size);
    b->asked++;
}

void lz_netlink_message_unasked(struct lz_netlink_batch *b, uint16_t type, const void *body,
                                size_t size)
{
    begin(b, type, 0, body, size);
}

void lz_netlink_put(struct lz_netlink_batch *b, uint16_t type, const void *data, size_t size)
{
    LZ_ASSERT(b->seq > 0);
    LZ_ASSERT(size <= UINT16_MAX - HEADER_SIZE);
    const struct nlattr header = {.nla_len = (uint16_t)(HEADER_SIZE + size), .nla_type = type};
    unsigned char *to = take(b, HEADER_SIZE + size);
    if (to == NULL)
        return;
    memcpy(to, &header, sizeof(header));
    if (size > 0)
        memcpy(to + HEADER_SIZE, data, size);
    grown(b);
}

void lz_netlink_put_text(struct lz_netlink_batch *b, uint16_t type, const char *text)
{
    lz_netlink_put(b, type, text, strlen(text) + 1);
}

void lz_netlink_put_u32(struct lz_netlink_batch *b, uint16_t type, uint32_t value)
{
    lz_netlink_put(b, type, &value, sizeof(value));
}

void lz_netlink_put_be32(struct lz_netlink_batch *b, uint16_t type, uint32_t value)
{
    lz_netlink_put_u32(b, type, htonl(value));
}

void lz_netlink_put_be16(struct lz_netlink_batch *b, uint16_t type, uint16_t value)
{
    uint16_t there = htons(value);
    lz_netlink_put(b, type, &there, sizeof(there));
}

void lz_netlink_put_raw(struct lz_netlink_batch *b, const void *data, size_t size)
{
    unsigned char *to = take(b, size);
    if (to == NULL)
        return;
    memcpy(to, data, size);
    grown(b);
}

size_t lz_netlink_nest_plainly(struct lz_netlink_batch *b, uint16_t type)
{
    size_t at = b->len;
    lz_netlink_put(b, type, NULL, 0);
    return at;
}

size_t lz_netlink_nest(struct lz_netlink_batch *b, uint16_t type)
{
    return lz_netlink_nest_plainly(b, type | NLA_F_NESTED);
}

void lz_netlink_end(struct lz_netlink_batch *b, size_t nest)
{
    if (b->is_overfull)
        return;
    LZ_ASSERT(nest >= b->message && nest < b->len);
    LZ_ASSERT(b->len - nest <= UINT16_MAX);
    uint16_t len = (uint16_t)(b->len - nest);
    memcpy(b->bytes + nest, &len, sizeof(len));
}

// ---------------------------------------------------------------- asking

int lz_netlink_tell(int fd, const struct lz_netlink_batch *b)
{
    if (b->is_overfull)
        return EMSGSIZE;
    ssize_t n;
    do
        n = sendto(fd, b->bytes, b->len, MSG_NOSIGNAL, (const struct sockaddr *)&kernel,
                   sizeof(kernel));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)b->len ? 0 : n < 0 ? errno : EIO;
}

// What answers have said so far.
struct heard {
    uint32_t left; // messages without an acknowledgement
    int refused;   // the first errno
    unsigned char *answer;
    size_t size, len; // of `answer`: what there is room for, and what came
};

static void hear(struct heard *heard, const struct nlmsghdr *h, const unsigned char *body)
{
    size_t size = h->nlmsg_len - sizeof(*h);
    int error;
    if (h->nlmsg_type != NLMSG_ERROR) {
        if (heard->len == 0 && size <= heard->size) {
            memcpy(heard->answer, body, size);
            heard->len = size;
        }
    } else if (size >= sizeof(error)) {
        memcpy(&error, body, sizeof(error));
        heard->refused = heard->refused != 0 ? heard->refused : -error;
        heard->left -= heard->left > 0;
    }
}

static void read_answers(const unsigned char *at, size_t len, struct heard *heard)
{
    struct nlmsghdr h;
    while (len >= sizeof(h)) {
        memcpy(&h, at, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
            return;
        hear(heard, &h, at + sizeof(h));
        size_t whole = aligned(h.nlmsg_len);
        if (whole >= len)
            return;
        at += whole;
        len -= whole;
    }
}

static void ask(int fd, const struct lz_netlink_batch *b, struct heard *heard)
{
    static unsigned char answers[ANSWERS_SIZE];
    heard->left = b->asked;
    heard->refused = lz_netlink_tell(fd, b);
    // A batch that nobody understands is refused by one answer: nothing more comes after it.
    while (heard->refused == 0 && heard->left > 0) {
        ssize_t n = recv(fd, answers, sizeof(answers), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            heard->refused = errno == EAGAIN ? ETIMEDOUT : errno;
        else
            read_answers(answers, (size_t)n, heard);
    }
    // Answers to what was behind a refusal are not to be taken for those of the next batch.
    while (heard->refused != 0 && recv(fd, answers, sizeof(answers), MSG_DONTWAIT) > 0)
        continue;
}

bool lz_netlink_ask(int fd, const struct lz_netlink_batch *b, int *refused, struct lz_err *err)
{
    struct heard heard = {0};
    ask(fd, b, &heard);
    if (refused != NULL)
        *refused = heard.refused;
    return heard.refused == 0 || lz_fail(err, LZ_EIO, "%s", strerror(heard.refused));
}

bool lz_netlink_get(int fd, const struct lz_netlink_batch *b, void *answer, size_t size,
                    size_t *len, struct lz_err *err)
{
    struct heard heard = {.answer = answer, .size = size};
    LZ_ASSERT(b->asked == 1);
    ask(fd, b, &heard);
    *len = heard.len;
    if (heard.refused == 0 && heard.len == 0)
        return lz_fail(err, LZ_EIO, "the kernel gave no answer");
    return heard.refused == 0 || lz_fail(err, LZ_EIO, "%s", strerror(heard.refused));
}

// ---------------------------------------------------------------- reading

bool lz_netlink_next(const unsigned char **at, const unsigned char *end,
                     struct lz_netlink_attribute *out)
{
    struct nlattr header;
    LZ_ASSERT(*at <= end);
    size_t left = (size_t)(end - *at);
    if (left < sizeof(header))
        return false;
    memcpy(&header, *at, sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > left)
        return false;
    *out = (struct lz_netlink_attribute){.type = header.nla_type & TYPE_MASK,
                                         .data = *at + HEADER_SIZE,
                                         .size = header.nla_len - HEADER_SIZE};
    size_t whole = aligned(header.nla_len);
    *at = whole < left ? *at + whole : end;
    return true;
}
