/*
 * atoms.h — what can be taken out of a scenario's text, or made smaller: lua/atoms.lua from C.
 *
 * Only the text is looked at, nothing is loaded; a text that is no Lua has no atoms.
 */
#ifndef LZ_SCRIPT_ATOMS_H
#define LZ_SCRIPT_ATOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lz_atom_kind {
    LZ_ATOM_STATEMENT = 1,
    LZ_ATOM_ITEM,    /* of a table: a field, or an element of a list */
    LZ_ATOM_LITERAL, /* an amount: "4m", 900 */
};

enum lz_atom_role {
    LZ_ATOM_OTHER = 1,
    LZ_ATOM_KEPT, /* not to be taken out: `return` */
    LZ_ATOM_SCENARIO,
    LZ_ATOM_PARAM,
    LZ_ATOM_USE,
    LZ_ATOM_EXPECT, /* and slo */
    LZ_ATOM_TRAFFIC,
    LZ_ATOM_PLACE,
    LZ_ATOM_COMPONENT,
    LZ_ATOM_DRIVE,
    LZ_ATOM_FAULT,
};

struct lz_atom {
    enum lz_atom_kind kind;
    enum lz_atom_role role; /* of its statement */
    size_t from, size;      /* bytes; a statement's have its comment, an item's its comma */
    size_t parent;          /* index of the atom around it; its own: none */
    uint32_t line;          /* from 1 */
    bool is_list;           /* an item without a name */
    char *label;            /* "service pricing"; of the others "queue.max" */
    char *of;               /* their statement's label; of a statement its name, or "" */
};

struct lz_atoms {
    struct lz_atom *items; /* in the order of their first byte, but for comments */
    size_t count;
};

void lz_atoms_find(const char *text, size_t len, struct lz_atoms *out);
void lz_atoms_free(struct lz_atoms *atoms);

#endif
