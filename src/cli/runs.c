#include "cli/runs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "cli/session.h"
#include "record/record.h"
#include "report/run.h"

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

char *lz_runs_find(const char *name)
{
    struct lz_str path;
    lz_str_init(&path);
    lz_str_add(&path, name);
    if (is_file(path.text))
        return lz_str_take(&path);
    lz_str_clear(&path);
    lz_str_addf(&path, LZ_SESSION_RUNS "/%s", name);
    if (is_file(path.text))
        return lz_str_take(&path);
    lz_str_add(&path, ".lzrun");
    if (is_file(path.text))
        return lz_str_take(&path);
    lz_str_finish(&path);
    return NULL;
}

bool lz_runs_open(const char *name, struct lz_runs_file *out, struct lz_err *err)
{
    struct lz_runs_file file = {.path = lz_runs_find(name)};
    if (file.path == NULL)
        return lz_fail(
            err, LZ_ENOENT,
            "there is no run \"%s\", neither as a file nor in %s\nhelp: `lorenz run` makes "
            "them, `ls %s` lists them",
            name, LZ_SESSION_RUNS, LZ_SESSION_RUNS);
    bool ok = lz_record_load(file.path, &file.image, &file.size, err);
    if (ok && !lz_report_open(file.image, file.size, &file.report, err)) {
        ok = lz_fail_in(err, "%s", file.path);
        free(file.image);
    }
    if (!ok) {
        free(file.path);
        return false;
    }
    lz_report_set_path(file.report, file.path);
    *out = file;
    return true;
}

bool lz_runs_open_again(const char *name, struct lz_runs_file *out, struct lz_err *err)
{
    if (!lz_runs_open(name, out, err))
        return false;
    const struct lz_report_run *run = out->report;
    if (!lz_run_is_live(run))
        return true;
    lz_fail(
        err, LZ_EINVAL,
        "%s is a live run, which nothing brings back; `lorenz report %s` shows it, `lorenz live "
        "--allow-run %s` makes another",
        name, name, run->file);
    lz_runs_close(out);
    return false;
}

void lz_runs_close(struct lz_runs_file *file)
{
    lz_report_close(file->report);
    free(file->image);
    free(file->path);
    *file = (struct lz_runs_file){0};
}

struct lz_manner lz_runs_manner(const struct lz_report_run *run)
{
    struct lz_manner manner = {.swarm = run->is_swarm ? LZ_MANNER_SWARM : 0.0};
    struct lz_err err;
    if (run->order[0] != '\0' && !lz_order_parse(run->order, &manner.order, &err))
        manner.order = (struct lz_order_opts){0}; // of another version, as the engine's hash says
    return manner;
}
