/*
 * complete.h — shell completions, from the table of commands.
 *
 * Nothing is listed by hand: names and docs are the tables' own, and what may follow an
 * option is read from what its value is called in help.
 *
 *   N|random             the words in small letters: random
 *   WHEN, WHICH          the words of its doc: "auto, always or never"
 *   FORMAT=FILE          the formats of results, each with "="
 *   mermaid|dot=FILE     those words, each with "="
 *   FILE, FOLDER, PATH   files or folders
 *
 * What follows a command is read from its usage line in the same way. The topics of
 * `explain` are asked of lorenz when they are wanted.
 */
#ifndef LZ_CLI_COMPLETE_H
#define LZ_CLI_COMPLETE_H

#include "base/str.h"

void lz_complete_bash(struct lz_str *out);
void lz_complete_zsh(struct lz_str *out);
void lz_complete_fish(struct lz_str *out);

#endif
