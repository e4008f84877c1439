/*
 * disk.h — a disk that is a process's own, so that it can be full without anybody else's being so.
 *
 * A program that fault.disk_full is planned for gets a tmpfs as its folder before it is started.
 * When the fault fires a file of ours takes what is left but for `keep`, and more when others give
 * some back. It is never done on a disk that somebody else uses: the folder has to be the root of
 * a file system, which is then nobody's but the program's.
 */
#ifndef LZ_LIVE_MACHINE_DISK_H
#define LZ_LIVE_MACHINE_DISK_H

#include "live/undo.h"

#define LZ_DISK_PRESET (256.0 * 1024 * 1024) /* bytes */

/* Mount a tmpfs on the folder, which is there and empty. False: this user may not. */
bool lz_disk_mount(struct lz_undo *undo, const char *folder, double bytes,
                   struct lz_err *err) LZ_MUST_CHECK;

/* Is the folder the root of a file system of its own? */
bool lz_disk_is_own(const char *folder);

#endif
