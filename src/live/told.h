/*
 * told.h — names and numbers in what real things say: of accounts, of records.
 *
 * An answer is words with anything between them that writes lists: blanks, lines, commas, bars,
 * colons, quotes, brackets. So rows of psql -At, CSV, flat JSON and a bare number are read alike.
 *
 *     100                                      one number: a total
 *     ann|70  or  {"ann": 70, "bob": 30}       names and what they hold, by turns
 *     17  or  0 17                             where a record stands; without a partition, in 0
 *     {"offset": 17, "partition_id": 0, ...}   likewise by name, among whatever else
 *     1700000000000-3                          an offset of Redis Streams
 *     0 17 42                                  a record that is read: there, saying 42
 */
#ifndef LZ_LIVE_TOLD_H
#define LZ_LIVE_TOLD_H

#include "model/history/recorder_tell.h"

/*
 * What all accounts hold; malloc'd, names point into `text`. NULL: it cannot be understood, and
 * `why` says for people why. No name may be there twice.
 */
struct lz_recorder_account *lz_told_accounts(const char *text, size_t size, size_t *count,
                                             char *why, size_t why_size);

/*
 * False: it names no place. Where an offset is called so (`offset`, `offset_id`) that is it, and
 * the partition is what is called `partition` or `partition_id`; else the first numbers are.
 */
bool lz_told_place(const char *text, size_t size, struct lz_recorder_place *out);

/*
 * Records, one on each line, which begins with its numbers: an offset and what the record says,
 * before them its partition. Other lines, and those without two numbers, are not records.
 * Malloc'd; a line that may have been cut off is left out.
 */
struct lz_recorder_told *lz_told_records(const char *text, size_t size, bool is_cut, size_t *count);

/* A whole number that the world can hold; false: it is none. */
bool lz_told_number(const char *text, size_t size, int64_t *out);

/*
 * Its first line for people, as far as it fits: what could command a terminal is `?`, and no
 * character of UTF-8 is cut in two.
 */
void lz_told_excerpt(const char *text, size_t size, char *out, size_t out_size);

#endif
