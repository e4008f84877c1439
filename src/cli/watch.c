#include "cli/watch.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"
#include "base/str.h"

#define PERIOD_NS 500000000L

// The sum of a hash for each file, so that the order in which a folder lists them is nothing.
static uint64_t look(const char *path, int depth);

static uint64_t look_inside(const char *folder, int depth)
{
    uint64_t sum = 0;
    DIR *dir = depth <= LZ_SELECT_DEPTH_MAX ? opendir(folder) : NULL;
    if (dir == NULL)
        return 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] == '.')
            continue;
        struct lz_str path;
        lz_str_init(&path);
        lz_str_addf(&path, "%s/%s", folder, e->d_name);
        sum += look(path.text, depth + 1);
        lz_str_finish(&path);
    }
    closedir(dir);
    return sum;
}

static uint64_t look(const char *path, int depth)
{
    struct stat st;
    size_t len = strlen(path);
    if (lstat(path, &st) != 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        return look_inside(path, depth);
    if (len < 4 || strcmp(path + len - 4, ".lua") != 0)
        return 0;
    const int64_t facts[] = {st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, (int64_t)st.st_ino};
    return lz_hash_bytes(path, len) ^ (lz_hash_bytes(facts, sizeof(facts)) * 0x9e3779b97f4a7c15u);
}

static uint64_t look_at_all(const struct lz_opts_rest *paths)
{
    uint64_t sum = paths->count == 0 ? look(LZ_SELECT_DEFAULT, 1) : 0;
    for (size_t i = 0; i < paths->count; i++) {
        struct stat st;
        struct lz_str folder;
        lz_str_init(&folder);
        lz_str_add(&folder, paths->items[i]);
        if (stat(folder.text, &st) == 0 && !S_ISDIR(st.st_mode)) {
            const char *slash = strrchr(paths->items[i], '/');
            lz_str_clear(&folder);
            if (slash != NULL)
                lz_str_add_n(&folder, paths->items[i], (size_t)(slash - paths->items[i]) + 1);
            lz_str_add(&folder, ".");
        }
        sum += look(folder.text, 1) * (i + 1);
        lz_str_finish(&folder);
    }
    return sum;
}

enum lz_exit lz_watch_run(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                          enum lz_exit (*work)(void *ctx), void *ctx)
{
    for (;;) {
        uint64_t before = flags->watch ? look_at_all(paths) : 0;
        enum lz_exit status = work(ctx);
        if (!flags->watch || status > LZ_EXIT_SIGNAL)
            return status;
        fprintf(stderr, "lorenz: waiting for a change; Ctrl-C ends it\n");
        while (look_at_all(paths) == before) {
            const struct timespec period = {.tv_nsec = PERIOD_NS};
            nanosleep(&period, NULL);
        }
        fputs("\n", stderr);
    }
}
