/*
 * docs.h — the language's documentation, from the tables that validation and the model use.
 *
 * The pages are written by the private Lua half (docs.lua and its neighbours), which is
 * given the kinds of faults and the metrics as C knows them. No scenario is loaded and
 * nothing is simulated; a Lua state of its own, outside any universe, is enough.
 *
 * All texts belong to the object and live until the next question.
 */
#ifndef LZ_SCRIPT_DOCS_H
#define LZ_SCRIPT_DOCS_H

#include <stddef.h>

struct lz_docs;

struct lz_docs *lz_docs_create(void);
void lz_docs_destroy(struct lz_docs *docs);

/* The page of a topic, in lines of at most `width` columns; NULL if there is none. */
const char *lz_docs_page(struct lz_docs *docs, const char *topic, int width);

/* The topic that was probably meant, or NULL. */
const char *lz_docs_near(struct lz_docs *docs, const char *topic);

/* What can be asked: as a page, and as lines of topic, tab, what it is. */
const char *lz_docs_index(struct lz_docs *docs, int width);
const char *lz_docs_names(struct lz_docs *docs);

/* lorenz-scenario(5), in roff. */
const char *lz_docs_man(struct lz_docs *docs);

/* The language as types for editors, and the settings that make its folder an addon. */
const char *lz_docs_types(struct lz_docs *docs);
const char *lz_docs_types_config(struct lz_docs *docs);

#endif
