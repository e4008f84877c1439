/*
 * engine_hash.c — a build tool: the hash of the sources that decide a run's result.
 *
 *   engine_hash OUT.h OUT.d ROOT FOLDER ...
 *
 * Reads every .c, .h and .lua file in each folder and in those below it (but for meta/, which has
 * types for editors), in the order of their names, and writes `#define LZ_ENGINE_HASH`. OUT.d lists
 * what was read, folders too, so that a file that comes or goes is noticed. It is over sources, not
 * over the program: the same for every compiler.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define PATH_SIZE 4096
#define FILE_SIZE_MAX (4u << 20)

static int is_source(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && entry->d_name[0] != '.' &&
           (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0 || strcmp(dot, ".lua") == 0);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int mix_file(const char *path, const char *name, uint64_t *hash)
{
    static unsigned char text[FILE_SIZE_MAX];
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        fprintf(stderr, "engine_hash: cannot read %s\n", path);
        return 1;
    }
    size_t size = fread(text, 1, sizeof(text), in);
    int failed = ferror(in) != 0 || size == sizeof(text);
    fclose(in);
    if (failed)
        fprintf(stderr, "engine_hash: cannot read all of %s\n", path);
    *hash = lz_hash_mix(lz_hash_mix(*hash, lz_hash_text(name)), lz_hash_bytes(text, size));
    return failed;
}

static int is_folder(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && entry->d_name[0] != '.' && strcmp(entry->d_name, "meta") != 0;
}

static int mix_folder(const char *folder, FILE *depends, uint64_t *hash)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_source, by_bytes);
    if (count < 0) {
        fprintf(stderr, "engine_hash: cannot list %s\n", folder);
        return 1;
    }
    fprintf(depends, " \\\n  %s", folder);
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char path[PATH_SIZE];
        int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        fprintf(depends, " \\\n  %s", path);
        failed |= len >= PATH_SIZE || mix_file(path, names[i]->d_name, hash);
        free(names[i]);
    }
    free(names);
    count = scandir(folder, &names, is_folder, by_bytes);
    for (int i = 0; i < count; i++) {
        char path[PATH_SIZE];
        int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        failed |= len >= PATH_SIZE || mix_folder(path, depends, hash);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    FILE *depends = fopen(argv[2], "wb");
    if (depends == NULL)
        return 2;
    fprintf(depends, "%s:", argv[1]);
    uint64_t hash = 0;
    int failed = 0;
    for (int i = 4; i < argc; i++) {
        char folder[PATH_SIZE];
        snprintf(folder, sizeof(folder), "%s/%s", argv[3], argv[i]);
        failed |= mix_folder(folder, depends, &hash);
    }
    fprintf(depends, "\n");
    failed |= fclose(depends) != 0;
    FILE *out = fopen(argv[1], "wb");
    if (out == NULL || failed)
        return 1;
    fprintf(out, "/* Made by engine_hash; do not edit. */\n");
    fprintf(out, "#define LZ_ENGINE_HASH 0x%016" PRIx64 "ull\n", hash);
    return fclose(out) == 0 ? 0 : 1;
}
