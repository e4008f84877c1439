#include "live/net/nfqueue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "live/net/spaces.h"

#define TABLE "lorenz"
#define SOURCE_PORT_AT 0 // in the header of TCP and of UDP
#define TARGET_PORT_AT 2
#define SOCKET_BYTES (16 << 20)
#define RULES_MAX ((size_t)64 << 10) // bytes at a time: a socket's buffer takes about 200 KiB
#define COPY_ALL 0xffffu

_Static_assert((int)LZ_NFQUEUE_INPUT == (int)NF_INET_LOCAL_IN, "as the kernel counts them");
_Static_assert((int)LZ_NFQUEUE_FORWARD == (int)NF_INET_FORWARD, "as the kernel counts them");
_Static_assert((int)LZ_NFQUEUE_OUTPUT == (int)NF_INET_LOCAL_OUT, "as the kernel counts them");

static const char *const chains[] = {
    [LZ_NFQUEUE_INPUT] = "input",
    [LZ_NFQUEUE_FORWARD] = "forward",
    [LZ_NFQUEUE_OUTPUT] = "output",
};

// ---------------------------------------------------------------- rules

static uint16_t of_tables(int message)
{
    return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

// Where its header has the addresses, of IPv6 their last four bytes: those of IPv4 (spaces.h).
static const struct family {
    struct nfgenmsg body;
    uint32_t source_at, target_at;
} families[] = {
    {{.nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0}, 12, 16},
    {{.nfgen_family = NFPROTO_IPV6, .version = NFNETLINK_V0}, 20, 36},
};

static void put_of(struct lz_netlink_batch *b, const struct family *f, int message, uint16_t flags)
{
    lz_netlink_message(b, of_tables(message), flags, &f->body, sizeof(f->body));
}

static void border(struct lz_netlink_batch *b, uint16_t type)
{
    const struct nfgenmsg body = {
        .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
    lz_netlink_message_unasked(b, type, &body, sizeof(body));
}

static void start_rules(struct lz_netlink_batch *b)
{
    lz_netlink_start(b);
    border(b, NFNL_MSG_BATCH_BEGIN);
}

static bool ask_rules(struct lz_nfqueue *q, int *refused, struct lz_err *err)
{
    border(&q->batch, NFNL_MSG_BATCH_END);
    return lz_netlink_ask(q->rules, &q->batch, refused, err);
}

static void add_chain(struct lz_netlink_batch *b, const struct family *f, enum lz_nfqueue_hook hook)
{
    put_of(b, f, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    lz_netlink_put_text(b, NFTA_CHAIN_TABLE, TABLE);
    lz_netlink_put_text(b, NFTA_CHAIN_NAME, chains[hook]);
    size_t nest = lz_netlink_nest(b, NFTA_CHAIN_HOOK);
    lz_netlink_put_be32(b, NFTA_HOOK_HOOKNUM, hook);
    lz_netlink_put_be32(b, NFTA_HOOK_PRIORITY, 0);
    lz_netlink_end(b, nest);
    lz_netlink_put_text(b, NFTA_CHAIN_TYPE, "filter");
}

// An expression of a rule is open until both were ended.
struct expression {
    size_t element, data;
};

static struct expression begin_expression(struct lz_netlink_batch *b, const char *name)
{
    struct expression e = {.element = lz_netlink_nest(b, NFTA_LIST_ELEM)};
    lz_netlink_put_text(b, NFTA_EXPR_NAME, name);
    e.data = lz_netlink_nest(b, NFTA_EXPR_DATA);
    return e;
}

static void end_expression(struct lz_netlink_batch *b, struct expression e)
{
    lz_netlink_end(b, e.data);
    lz_netlink_end(b, e.element);
}

// Goes on only if register 1 is, or is not, these bytes.
static void compare(struct lz_netlink_batch *b, unsigned how, const void *bytes, size_t size)
{
    struct expression e = begin_expression(b, "cmp");
    lz_netlink_put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
    lz_netlink_put_be32(b, NFTA_CMP_OP, how);
    size_t data = lz_netlink_nest(b, NFTA_CMP_DATA);
    lz_netlink_put(b, NFTA_DATA_VALUE, bytes, size);
    lz_netlink_end(b, data);
    end_expression(b, e);
}

static void match(struct lz_netlink_batch *b, uint32_t base, uint32_t offset, const void *bytes,
                  uint32_t size)
{
    struct expression e = begin_expression(b, "payload");
    lz_netlink_put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
    lz_netlink_put_be32(b, NFTA_PAYLOAD_BASE, base);
    lz_netlink_put_be32(b, NFTA_PAYLOAD_OFFSET, offset);
    lz_netlink_put_be32(b, NFTA_PAYLOAD_LEN, size);
    end_expression(b, e);
    compare(b, NFT_CMP_EQ, bytes, size);
}

static void match_address(struct lz_netlink_batch *b, uint32_t offset, uint32_t address)
{
    uint32_t there = htonl(address);
    if (address != 0)
        match(b, NFT_PAYLOAD_NETWORK_HEADER, offset, &there, sizeof(there));
}

static void match_port(struct lz_netlink_batch *b, uint32_t offset, uint16_t port)
{
    uint16_t there = htons(port);
    if (port != 0)
        match(b, NFT_PAYLOAD_TRANSPORT_HEADER, offset, &there, sizeof(there));
}

static void match_unmarked(struct lz_netlink_batch *b)
{
    uint32_t mark = LZ_NFQUEUE_MARK;
    struct expression e = begin_expression(b, "meta");
    lz_netlink_put_be32(b, NFTA_META_DREG, NFT_REG_1);
    lz_netlink_put_be32(b, NFTA_META_KEY, NFT_META_MARK);
    end_expression(b, e);
    compare(b, NFT_CMP_NEQ, &mark, sizeof(mark));
}

static void hand_over(struct lz_netlink_batch *b, bool is_compat)
{
    // XT_ALIGN: xtables takes what a target needs in whole words of 8 bytes.
    struct {
        struct xt_NFQ_info info;
        unsigned char padding[8 - sizeof(struct xt_NFQ_info)];
    } compat = {.info = {.queuenum = LZ_NFQUEUE_NUMBER}};
    struct expression e = begin_expression(b, is_compat ? "target" : "queue");
    if (is_compat) {
        lz_netlink_put_text(b, NFTA_TARGET_NAME, "NFQUEUE");
        lz_netlink_put_be32(b, NFTA_TARGET_REV, 0);
        lz_netlink_put(b, NFTA_TARGET_INFO, &compat, sizeof(compat));
    } else {
        lz_netlink_put_be16(b, NFTA_QUEUE_NUM, LZ_NFQUEUE_NUMBER);
        lz_netlink_put_be16(b, NFTA_QUEUE_TOTAL, 1);
    }
    end_expression(b, e);
}

static void add_rule(struct lz_netlink_batch *b, const struct family *f,
                     const struct lz_nfqueue_way *way, bool is_compat)
{
    LZ_ASSERT(way->hook >= LZ_NFQUEUE_INPUT && way->hook <= LZ_NFQUEUE_OUTPUT);
    put_of(b, f, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    lz_netlink_put_text(b, NFTA_RULE_TABLE, TABLE);
    lz_netlink_put_text(b, NFTA_RULE_CHAIN, chains[way->hook]);
    size_t list = lz_netlink_nest(b, NFTA_RULE_EXPRESSIONS);
    match_address(b, f->source_at, way->source);
    match_address(b, f->target_at, way->target);
    match_port(b, SOURCE_PORT_AT, way->source_port);
    match_port(b, TARGET_PORT_AT, way->target_port);
    match_unmarked(b);
    hand_over(b, is_compat);
    lz_netlink_end(b, list);
}

static void flush_chain(struct lz_netlink_batch *b, const struct family *f,
                        enum lz_nfqueue_hook hook)
{
    put_of(b, f, NFT_MSG_DELRULE, 0);
    lz_netlink_put_text(b, NFTA_RULE_TABLE, TABLE);
    lz_netlink_put_text(b, NFTA_RULE_CHAIN, chains[hook]);
}

bool lz_nfqueue_set(struct lz_nfqueue *q, const struct lz_nfqueue_way *ways, size_t count,
                    struct lz_err *err)
{
    start_rules(&q->batch);
    for (size_t k = 0; k < q->family_count; k++)
        for (unsigned hook = LZ_NFQUEUE_INPUT; hook <= LZ_NFQUEUE_OUTPUT; hook++)
            flush_chain(&q->batch, &families[k], hook);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < q->family_count; k++)
            add_rule(&q->batch, &families[k], &ways[i], q->is_compat);
        if (q->batch.len < RULES_MAX)
            continue;
        if (!ask_rules(q, NULL, err))
            return lz_fail_in(err, "rules of nf_tables");
        start_rules(&q->batch);
    }
    return ask_rules(q, NULL, err) || lz_fail_in(err, "rules of nf_tables");
}

static bool make_table(struct lz_nfqueue *q, const struct family *f, struct lz_err *err)
{
    start_rules(&q->batch);
    put_of(&q->batch, f, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    lz_netlink_put_text(&q->batch, NFTA_TABLE_NAME, TABLE);
    for (unsigned hook = LZ_NFQUEUE_INPUT; hook <= LZ_NFQUEUE_OUTPUT; hook++)
        add_chain(&q->batch, f, hook);
    return ask_rules(q, NULL, err);
}

// Without IPv6 there may be packets of it all the same, of which none is handed over: who acts on
// those is told `no_v6`.
static bool make_tables(struct lz_nfqueue *q, struct lz_err *err)
{
    q->family_count = 0;
    if (!make_table(q, &families[0], err)) {
        err->code = LZ_ERANGE;
        return lz_fail_in(err,
                          "nf_tables is missing (CONFIG_NF_TABLES_IPV4), or not for this user");
    }
    q->family_count = make_table(q, &families[1], &q->no_v6) ? 2 : 1;
    return true;
}

// A rule for an address that nobody has, made and taken away again.
static bool choose_target(struct lz_nfqueue *q, struct lz_err *err)
{
    const struct lz_nfqueue_way none = {.hook = LZ_NFQUEUE_FORWARD, .source = 0xFFFFFFFFu};
    for (int compat = 0; compat <= 1; compat++) {
        q->is_compat = compat;
        if (lz_nfqueue_set(q, &none, 1, err))
            return lz_nfqueue_set(q, NULL, 0, err);
    }
    return lz_fail(err, LZ_ERANGE,
                   "the kernel has neither nf_tables' queue (CONFIG_NFT_QUEUE) nor xtables' "
                   "NFQUEUE with nft_compat");
}

// ---------------------------------------------------------------- the queue

static uint16_t of_queue(int message)
{
    return (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | message);
}

static struct nfgenmsg queue_body(void)
{
    return (struct nfgenmsg){
        .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(LZ_NFQUEUE_NUMBER)};
}

static bool bind_queue(struct lz_nfqueue *q, struct lz_err *err)
{
    const struct nfgenmsg body = queue_body();
    const struct nfqnl_msg_config_cmd bind = {.command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET)};
    const struct nfqnl_msg_config_params params = {.copy_range = htonl(COPY_ALL),
                                                   .copy_mode = NFQNL_COPY_PACKET};
    struct lz_netlink_batch *b = &q->batch;
    lz_netlink_start(b);
    lz_netlink_message(b, of_queue(NFQNL_MSG_CONFIG), 0, &body, sizeof(body));
    lz_netlink_put(b, NFQA_CFG_CMD, &bind, sizeof(bind));
    lz_netlink_message(b, of_queue(NFQNL_MSG_CONFIG), 0, &body, sizeof(body));
    lz_netlink_put(b, NFQA_CFG_PARAMS, &params, sizeof(params));
    lz_netlink_put_be32(b, NFQA_CFG_QUEUE_MAXLEN, LZ_NFQUEUE_HELD_MAX);
    if (lz_netlink_ask(q->fd, b, NULL, err))
        return true;
    err->code = LZ_ERANGE;
    return lz_fail_in(err, "no packets can be queued for us (CONFIG_NETFILTER_NETLINK_QUEUE)");
}

// What is queued while we are busy waits in the socket; what does not fit is lost.
static void widen(int fd)
{
    int bytes = SOCKET_BYTES, one = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one));
}

bool lz_nfqueue_open(struct lz_nfqueue *q, struct lz_err *err)
{
    q->rules = q->fd = -1;
    bool ok = lz_netlink_open(NETLINK_NETFILTER, &q->rules, err) && make_tables(q, err) &&
              choose_target(q, err) && lz_netlink_open(NETLINK_NETFILTER, &q->fd, err) &&
              bind_queue(q, err);
    if (!ok) {
        lz_nfqueue_close(q);
        return false;
    }
    widen(q->fd);
    fcntl(q->fd, F_SETFL, O_NONBLOCK);
    return true;
}

void lz_nfqueue_close(struct lz_nfqueue *q)
{
    if (q->rules >= 0)
        close(q->rules);
    if (q->fd >= 0)
        close(q->fd);
    q->rules = q->fd = -1;
}

// ---------------------------------------------------------------- packets and verdicts

static bool read_packet(const unsigned char *at, const unsigned char *end,
                        struct lz_nfqueue_packet *out)
{
    struct lz_netlink_attribute a;
    struct nfqnl_msg_packet_hdr header;
    bool has_header = false;
    *out = (struct lz_nfqueue_packet){0};
    while (lz_netlink_next(&at, end, &a)) {
        if (a.type == NFQA_PACKET_HDR && a.size >= sizeof(header)) {
            memcpy(&header, a.data, sizeof(header));
            has_header = true;
        } else if (a.type == NFQA_PAYLOAD) {
            out->bytes = a.data;
            out->size = a.size;
        }
    }
    if (!has_header)
        return false;
    out->id = ntohl(header.packet_id);
    out->hook = header.hook;
    return true;
}

bool lz_nfqueue_next(const unsigned char **at, const unsigned char *end,
                     struct lz_nfqueue_packet *out)
{
    const size_t body = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
    struct nlmsghdr h;
    while ((size_t)(end - *at) >= sizeof(h)) {
        const unsigned char *message = *at;
        size_t left = (size_t)(end - message);
        memcpy(&h, message, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > left)
            return false;
        *at = NLMSG_ALIGN(h.nlmsg_len) < left ? message + NLMSG_ALIGN(h.nlmsg_len) : end;
        if (h.nlmsg_type == of_queue(NFQNL_MSG_PACKET) && h.nlmsg_len >= body &&
            read_packet(message + body, message + h.nlmsg_len, out))
            return true;
    }
    return false;
}

static void put_verdict(struct lz_netlink_batch *b, uint32_t id, uint32_t verdict)
{
    const struct nfgenmsg body = queue_body();
    const struct nfqnl_msg_verdict_hdr header = {.verdict = htonl(verdict), .id = htonl(id)};
    lz_netlink_message_unasked(b, of_queue(NFQNL_MSG_VERDICT), &body, sizeof(body));
    lz_netlink_put(b, NFQA_VERDICT_HDR, &header, sizeof(header));
}

void lz_nfqueue_accept(struct lz_netlink_batch *b, uint32_t id, const unsigned char *bytes,
                       size_t size)
{
    put_verdict(b, id, NF_ACCEPT);
    if (bytes != NULL)
        lz_netlink_put(b, NFQA_PAYLOAD, bytes, size);
}

void lz_nfqueue_drop(struct lz_netlink_batch *b, uint32_t id)
{
    put_verdict(b, id, NF_DROP);
}

// ---------------------------------------------------------------- whether it can be done

static bool try_it(struct lz_err *err)
{
    static struct lz_nfqueue q;
    return lz_nfqueue_open(&q, err);
}

bool lz_nfqueue_probe(struct lz_str *saw)
{
    return lz_spaces_probe_by(try_it, "packets between namespaces can be queued for us", saw);
}
