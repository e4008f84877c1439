/*
 * chain.h — lists through the records that are in them, by address.
 *
 * A chain is a head and the links of records, each with the one before and the one behind it, the
 * head being between the last and the first. So nothing is at an end: to append and to take out
 * are a few stores each. A record says where its link is (LZ_CHAIN_RECORD).
 *
 * Neither a head nor a record that is in a chain may move. A head of zeroes is one that nobody has
 * begun; lz_chain_append must not see it.
 */
#ifndef LZ_BASE_CHAIN_H
#define LZ_BASE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct lz_chain {
    struct lz_chain *before, *behind; /* of a head: the last and the first */
};

/* The record of `type` whose `member` this link is. */
#define LZ_CHAIN_RECORD(link, type, member)                                                        \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void lz_chain_init(struct lz_chain *head)
{
    head->before = head->behind = head;
}

static inline bool lz_chain_is_empty(const struct lz_chain *head)
{
    return head->behind == head;
}

/* It comes last. */
static inline void lz_chain_append(struct lz_chain *head, struct lz_chain *link)
{
    struct lz_chain *last = head->before;
    LZ_ASSERT(last != NULL);
    link->before = last;
    link->behind = head;
    last->behind = link;
    head->before = link;
}

/* Once: whoever is out has neighbours that know nothing of it. */
static inline void lz_chain_remove(struct lz_chain *link)
{
    struct lz_chain *before = link->before, *behind = link->behind;
    LZ_ASSERT(before->behind == link && behind->before == link);
    before->behind = behind;
    behind->before = before;
}

#endif
