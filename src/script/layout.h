/*
 * layout.h — how Lua 5.4 lays a table out, for those that stand on the way of every request.
 *
 * Lua's functions show a table one key at a time, at a hundred instructions each: what a call is
 * asked for, what a result says and what a handler is given are a dozen of them. Here they are
 * words in memory. What is below is lobject.h's; nothing of it is believed: when first asked,
 * tables are made by an allocator that knows each block, and all that is used here is compared
 * with what Lua's own functions say of them (layout.c).
 *
 * If anything is otherwise, in another version or another build, lz_layout_is_known says no, and
 * whoever asks goes by Lua's functions. So does a universe that is shaken, whose results are
 * compared with the ordinary one's each time.
 *
 * Rules of who writes: (1) to nodes that still have their key, with a value or without, or to all
 * of a table that was just made; (2) nothing that may be collected, but what the registry holds:
 * Lua's barriers are for others; (3) by what lz_layout_write_* does, never by hand.
 */
#ifndef LZ_SCRIPT_LAYOUT_H
#define LZ_SCRIPT_LAYOUT_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* Variants of Lua's types, as values have them. */
enum lz_layout_tag {
    LZ_LAYOUT_NIL = 0, /* or any other that `is_nothing` tells */
    LZ_LAYOUT_FALSE = 1,
    LZ_LAYOUT_TRUE = 17,
    LZ_LAYOUT_INTEGER = 3,
    LZ_LAYOUT_FLOAT = 19,
    LZ_LAYOUT_TEXT = 4 | 64,       /* a short one: there is one object of each */
    LZ_LAYOUT_LONG_TEXT = 20 | 64, /* there may be several */
    LZ_LAYOUT_TABLE = 5 | 64,
};

struct lz_layout_value {
    uint64_t word; /* a number, or an address; of nothing and of truths it says nothing */
    uint8_t tag;
};

struct lz_layout_node {
    uint64_t word;
    uint8_t tag, key_tag;
    int32_t next;
    uint64_t key;
};

struct lz_layout_table {
    void *next_object;
    uint8_t type, marked, flags, node_count_log2;
    uint32_t entry_limit; /* entries of the array, if `flags` does not say that it is less */
    struct lz_layout_value *entries;
    struct lz_layout_node *nodes;
    void *last_free;
    void *metatable;
    void *gc_list;
};

#define LZ_LAYOUT_LESS 0x80   /* in `flags` */
#define LZ_LAYOUT_TEXT_MAX 40 /* bytes of a short one */

/* Whether this build of Lua has it so. Looks when first asked. */
bool lz_layout_is_known(void);

/* What is expected wrongly on purpose, so that looking can be seen to say no. Zero: nothing. */
struct lz_layout_doubt {
    size_t size;   /* so much larger is each block */
    uint64_t word; /* so much more is each word of a value */
    uint8_t tag;   /* these bits of each tag are others */
};
bool lz_layout_fits(const struct lz_layout_doubt *doubt);

/* A table's, by its address as lua_topointer tells it. */
static inline struct lz_layout_table *lz_layout_of(const void *table)
{
    return (struct lz_layout_table *)(uintptr_t)table;
}

static inline uint32_t lz_layout_node_count(const struct lz_layout_table *t)
{
    return 1u << t->node_count_log2;
}

static inline bool lz_layout_is_nothing(uint8_t tag)
{
    return (tag & 15) == 0;
}

/* Of a text or a table; of anything else it is not to be believed. */
static inline const void *lz_layout_address(const struct lz_layout_value *v)
{
    return (const void *)(uintptr_t)v->word;
}

/* Whether two values of this tag can differ in their word. */
static inline bool lz_layout_has_word(uint8_t tag)
{
    return (tag & 15) != 0 && (tag & 15) != 1;
}

/* Whether the key of a node is the short text at that address. */
static inline bool lz_layout_is_field(const struct lz_layout_node *node, const void *name)
{
    return node->key == (uintptr_t)name && node->key_tag == LZ_LAYOUT_TEXT;
}

/* The node of a field that is there, or NULL: one that was set to nil is not, though it may still
   have its node (lz_proc_fact takes that). */
struct lz_layout_node *lz_layout_find(const struct lz_layout_table *t, const void *name);

static inline void lz_layout_write_integer(struct lz_layout_node *node, int64_t n)
{
    node->word = (uint64_t)n;
    node->tag = LZ_LAYOUT_INTEGER;
}

static inline void lz_layout_write_boolean(struct lz_layout_node *node, bool is)
{
    node->tag = is ? LZ_LAYOUT_TRUE : LZ_LAYOUT_FALSE;
}

static inline void lz_layout_write_nothing(struct lz_layout_node *node)
{
    node->tag = LZ_LAYOUT_NIL;
}

/* A short text that the registry holds. */
static inline void lz_layout_write_text(struct lz_layout_node *node, const void *text)
{
    node->word = (uintptr_t)text;
    node->tag = LZ_LAYOUT_TEXT;
}

#endif
