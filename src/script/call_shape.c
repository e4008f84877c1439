#include "script/call_shape.h"

#include "base/check.h"

// Entries that are more than these, or fewer than there is room for, have another way.
static bool has_entries(const struct lz_layout_table *t, uint8_t *op_tag)
{
    if ((t->flags & LZ_LAYOUT_LESS) != 0 || t->entry_limit < 1 || t->entry_limit > 2)
        return false;
    *op_tag = t->entry_limit == 2 ? t->entries[1].tag : 0;
    return t->entries[0].tag == LZ_LAYOUT_TABLE &&
           (t->entry_limit == 1 || *op_tag == LZ_LAYOUT_TEXT || *op_tag == LZ_LAYOUT_LONG_TEXT);
}

static enum lz_call_part part_of(const struct lz_layout_node *node,
                                 const struct lz_call_names *names)
{
    if (node->key == (uintptr_t)names->key)
        return LZ_CALL_KEY;
    return node->key == (uintptr_t)names->value ? LZ_CALL_VALUE : LZ_CALL_OPTION;
}

void lz_call_shape_learn(struct lz_call_shape *shape, const struct lz_layout_table *t,
                         const struct lz_call_names *names)
{
    struct lz_call_shape new_shape = {.node_count_log2 = t->node_count_log2};
    shape->is_known = false;
    LZ_ASSERT(t->metatable == NULL);
    if (!has_entries(t, &new_shape.op_tag) || t->node_count_log2 > LZ_CALL_SHAPE_LOG2)
        return;
    for (uint32_t i = 0; i < lz_layout_node_count(t); i++) {
        const struct lz_layout_node *node = &t->nodes[i];
        if (lz_layout_is_nothing(node->tag))
            continue;
        if (node->key_tag != LZ_LAYOUT_TEXT)
            return;
        new_shape.nodes[i].part = (uint8_t)part_of(node, names);
        new_shape.nodes[i].name = node->key;
        new_shape.nodes[i].word = node->word;
        new_shape.nodes[i].tag = node->tag;
    }
    *shape = new_shape;
    shape->is_known = true;
}
