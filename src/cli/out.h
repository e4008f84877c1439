/*
 * out.h — where results go: standard output and files, each with its own way to fail.
 *
 * A reader who goes away (`| head`) has what they wanted: writing stops without a word.
 * Any other failure is kept, and makes the command leave with LZ_EXIT_WRITE, because a
 * result that is lost must not look like one that was delivered.
 */
#ifndef LZ_CLI_OUT_H
#define LZ_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct lz_out {
    int fd;
    bool closed; /* nobody reads any more */
    int error;   /* errno of the first failure; nothing is written after it */
};

/* Standard output. Also makes sure that descriptors 0 to 2 are taken, so that a file
   opened later cannot become the output of a process started with them closed. */
void lz_out_init(struct lz_out *out);

void lz_out_write(struct lz_out *out, const char *bytes, size_t size);
void lz_out_text(struct lz_out *out, const char *text);
void lz_out_textf(struct lz_out *out, const char *fmt, ...) LZ_PRINTF(2, 3);

/* Write a whole file. A regular file appears complete or not at all (temporary name,
   rename); a device or a pipe is written to as it is. LZ_EIO names path and cause. */
bool lz_out_file(const char *path, const char *bytes, size_t size,
                 struct lz_err *err) LZ_MUST_CHECK;

/* Make a folder and those above it. */
bool lz_out_folder(const char *path, struct lz_err *err) LZ_MUST_CHECK;

#endif
