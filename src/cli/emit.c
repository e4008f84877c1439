#include "cli/emit.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "cli/out.h"

// In single quotes, for sh.
static void add_quoted(struct lz_str *out, const char *text)
{
    lz_str_add(out, " '");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'')
            lz_str_add(out, "'\\''");
        else
            lz_str_add_char(out, *c);
    }
    lz_str_add_char(out, '\'');
}

// How many arguments an option of the emitter's takes here; 0: it is none of them.
static int own_option(const char *arg)
{
    static const char *const own[] = {"--blocks", "--emit",     "--jobs", "-j",
                                      "--shard",  "--max-rate", "-o",     "--output"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        size_t len = strlen(own[i]);
        if (strcmp(arg, own[i]) == 0)
            return 2;
        bool is_joined = own[i][1] == '-' ? arg[len] == '=' : arg[len] != '\0';
        if (strncmp(arg, own[i], len) == 0 && is_joined)
            return 1;
    }
    return 0;
}

static void write_script(const struct lz_emit *e, struct lz_str *out)
{
    lz_str_addf(out,
                "#!/bin/sh\n"
                "# block I: the I-th of %" PRIu64 " parts of a sweep; safe to run again.\n"
                "# Run it where the scenarios' paths lead; LORENZ names another lorenz.\n"
                "i=${1:-${SLURM_ARRAY_TASK_ID:-$((${JOB_COMPLETION_INDEX:--1} + 1))}}\n"
                "case $i in '' | *[!0-9]* | 0) echo \"usage: $0 I, from 1 to %" PRIu64
                "\" >&2; exit 4 ;; esac\n"
                "part=$(dirname \"$0\")/$i.lzsweep\n"
                "[ -s \"$part\" ] && exit 0\n"
                "\"${LORENZ:-lorenz}\" sweep",
                e->blocks, e->blocks);
    for (int i = 1; i < e->argc; i++) {
        int taken = own_option(e->argv[i]);
        if (taken == 0)
            add_quoted(out, e->argv[i]);
        i += taken == 2;
    }
    lz_str_addf(out,
                " \\\n    --shard \"$i/%" PRIu64 "\" --no-save --no-shrink --keep none --quiet"
                " --progress none \\\n    -o sweep=\"$part\"\n"
                "status=$?\n"
                "# What failed is in the part: only what could not be run or written is an error.\n"
                "case $status in 0 | 1 | 3) exit 0 ;; *) exit $status ;; esac\n",
                e->blocks);
}

bool lz_emit_write(const struct lz_emit *e, struct lz_err *err)
{
    struct lz_str path, text;
    lz_str_init(&path);
    lz_str_init(&text);
    write_script(e, &text);
    lz_str_addf(&path, "%s/block", e->folder);
    bool ok = lz_out_folder(e->folder, err) && lz_out_file(path.text, text.text, text.len, err);
    if (ok && chmod(path.text, 0755) != 0)
        ok = lz_fail(err, LZ_EIO, "cannot make %s executable", path.text);
    lz_str_clear(&text);
    for (uint64_t i = 1; i <= e->blocks; i++)
        lz_str_addf(&text, "%s %" PRIu64 "\n", path.text, i);
    lz_str_clear(&path);
    lz_str_addf(&path, "%s/commands.txt", e->folder);
    ok = ok && lz_out_file(path.text, text.text, text.len, err);
    lz_str_finish(&path);
    lz_str_finish(&text);
    return ok;
}
