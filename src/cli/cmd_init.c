#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "cli/skeleton.h"
#include "cli/types.h"

static bool write_skeleton(const char *folder, struct lz_out *out, bool *kept_ignore)
{
    struct lz_err err;
    for (const struct lz_skeleton_file *f = lz_skeleton_files; f->path != NULL; f++) {
        enum lz_skeleton_end end = lz_skeleton_write(folder, f->path, f->text, &err);
        if (end == LZ_SKELETON_FAILED) {
            fprintf(stderr, "lorenz init: %s\n", err.msg);
            return false;
        }
        lz_out_textf(out, "%s  %s\n", end == LZ_SKELETON_KEPT ? "kept " : "wrote", f->path);
        if (end == LZ_SKELETON_KEPT && strcmp(f->path, ".gitignore") == 0)
            *kept_ignore = true;
    }
    return true;
}

static bool write_types(const char *folder, struct lz_out *out)
{
    struct lz_err err;
    struct lz_str path;
    lz_str_init(&path);
    lz_str_addf(&path, "%s/" LZ_TYPES_FOLDER, folder);
    bool ok = lz_types_write(path.text, &err);
    if (ok)
        lz_out_text(out, "wrote  " LZ_TYPES_FOLDER "/, for editors\n");
    else
        fprintf(stderr, "lorenz init: %s\n", err.msg);
    lz_str_finish(&path);
    return ok;
}

static void say_what_is_next(const char *folder, bool kept_ignore, struct lz_out *out)
{
    if (kept_ignore)
        lz_out_text(out, "\n.gitignore was there already: see that it has a line .lorenz/\n");
    lz_out_text(out, "\nNext:\n\n");
    if (strcmp(folder, ".") != 0)
        lz_out_textf(out, "    cd %s\n", folder);
    lz_out_text(out, "    lorenz run\n\n"
                     "It fails, and shows when and why: the database has one node, and nothing\n"
                     "replaces it while it is down. Set nodes = 3 in " LZ_SKELETON_FIRST " and\n"
                     "run again: a replica takes over after 9 s, and the run passes.\n");
}

static enum lz_exit init(const char *folder, struct lz_out *out)
{
    bool kept_ignore = false;
    if (!write_skeleton(folder, out, &kept_ignore) || !write_types(folder, out))
        return LZ_EXIT_WRITE;
    say_what_is_next(folder, kept_ignore, out);
    return LZ_EXIT_OK;
}

static enum lz_exit cmd_init(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {.command = cmd->name};
    struct lz_opts_rest folders;
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, NULL, &folders);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK && folders.count > 1) {
        fprintf(stderr, "lorenz init: one folder, got %zu\n", folders.count);
        fprintf(stderr, "help: lorenz help init\n");
    } else if (outcome == LZ_OPTS_OK) {
        status = init(folders.count > 0 ? folders.items[0] : ".", out);
    }
    free(folders.items);
    return status;
}

const struct lz_cmd lz_cmd_init = {
    .name = "init",
    .args = "[FOLDER]",
    .summary = "begin a project: a first scenario, editor settings, a CI file",
    .about =
        "Begin a project in FOLDER (default: this one): a first scenario, which fails and says\n"
        "how to make it pass, .luarc.json and types for editors, .gitignore, and a workflow\n"
        "for GitHub. Files that are there already are kept; only the types in .lorenz/types,\n"
        "which are lorenz's own, are written again.\n\n"
        "Exit status: 0, 4 usage, 74 if something could not be written.",
    .run = cmd_init,
};
