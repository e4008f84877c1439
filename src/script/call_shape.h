/*
 * call_shape.h — the table of a call, known again by how it lies in memory (layout.h).
 *
 * A handler writes `req:call { db, "select item", key = req.key, timeout = "500ms" }`, and its
 * tables are alike each time: as many entries and fields, in the same places, with the same texts
 * in them. Once Lua's functions have said what such a table asks for, the next one is compared with
 * it word by word, which shows as surely that it says just that and no more.
 */
#ifndef LZ_SCRIPT_CALL_SHAPE_H
#define LZ_SCRIPT_CALL_SHAPE_H

#include "script/layout.h"

#define LZ_CALL_SHAPE_LOG2 3 /* fields there may be room for, as a power of two */

/* What a node is. The key and the value of a call may be others each time. */
enum lz_call_part { LZ_CALL_FREE, LZ_CALL_OPTION, LZ_CALL_KEY, LZ_CALL_VALUE };

struct lz_call_shape {
    bool is_known;
    uint8_t op_tag; /* 0: there is no operation, and one entry */
    uint8_t node_count_log2;
    struct {
        uint64_t name, word;
        uint8_t part, tag;
    } nodes[1 << LZ_CALL_SHAPE_LOG2];
};

/* Where the key and the value are that a table says; NULL: it has none. */
struct lz_call_said {
    const struct lz_layout_node *key, *value;
};

/* The names of these two, by their addresses. */
struct lz_call_names {
    const void *key, *value;
};

/*
 * Remember how a table lies, of which it is known what it says: what is called, the operation and
 * the options are kept alive by whoever remembers. Some are not to be known again.
 */
void lz_call_shape_learn(struct lz_call_shape *shape, const struct lz_layout_table *t,
                         const struct lz_call_names *names);

/* Whether a table, whose entries were compared, says the rest as the shape does. */
static inline bool lz_call_shape_fits(const struct lz_call_shape *shape,
                                      const struct lz_layout_table *t, struct lz_call_said *said)
{
    if (!shape->is_known || t->node_count_log2 != shape->node_count_log2)
        return false;
    const struct lz_layout_node *node = t->nodes;
    for (uint32_t i = 0; i < 1u << shape->node_count_log2; i++, node++) {
        if (lz_layout_is_nothing(node->tag)) {
            if (shape->nodes[i].part == LZ_CALL_OPTION)
                return false;
            continue;
        }
        if (node->key != shape->nodes[i].name || node->key_tag != LZ_LAYOUT_TEXT)
            return false;
        if (shape->nodes[i].part == LZ_CALL_KEY)
            said->key = node;
        else if (shape->nodes[i].part == LZ_CALL_VALUE)
            said->value = node;
        else if (node->tag != shape->nodes[i].tag ||
                 (node->word != shape->nodes[i].word && lz_layout_has_word(node->tag)))
            return false;
    }
    return true;
}

#endif
