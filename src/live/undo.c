#include "live/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "live/family.h"

#define TEXT_MAX 4000
#define LINE_SIZE 26000
#define FILE_MAX ((size_t)64 << 20)
#define MAGIC "lorenz.undo/1"

// What an entry says, with texts of its own.
struct entry {
    struct lz_undo_entry e;
    char *path, *text;
    bool is_done;
};

struct lz_undo {
    int fd;
    int (*sync)(void *ctx, int fd); // NULL: fsync
    void *sync_ctx;
    char *path;
    struct entry *entries; // numbered from 1
    uint32_t count;
};

static const char *const verbs[] = {
    [LZ_UNDO_END] = "end",         [LZ_UNDO_SIGNAL] = "signal", [LZ_UNDO_UNLINK] = "unlink",
    [LZ_UNDO_RMDIR] = "rmdir",     [LZ_UNDO_WRITE] = "write",   [LZ_UNDO_PRLIMIT] = "prlimit",
    [LZ_UNDO_UNMOUNT] = "unmount",
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

// ---------------------------------------------------------------- lines

// A text without spaces: "-" for none, "=" before one, %XX for what would be mistaken.
static void put_text(struct lz_str *out, const char *text)
{
    if (text == NULL) {
        lz_str_add(out, " -");
        return;
    }
    lz_str_add(out, " =");
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c <= ' ' || *c == '%' || *c == '~' || *c >= 127)
            lz_str_addf(out, "%%%02X", *c);
        else
            lz_str_add_char(out, (char)*c);
    }
}

static char *get_text(const char *word)
{
    if (word[0] != '=')
        return NULL;
    char *out = lz_mem_alloc(strlen(word)), *to = out;
    for (const char *at = word + 1; *at != '\0'; at++) {
        unsigned code = 0;
        if (*at == '%' && sscanf(at + 1, "%2X", &code) == 1) {
            *to++ = (char)code;
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return out;
}

static void seal(struct lz_str *line)
{
    lz_str_addf(line, " ~%016" PRIx64 "\n", lz_hash_bytes(line->text, line->len));
}

// The line without its seal, if that is right. `line` is changed.
static bool unseal(char *line)
{
    char *mark = strrchr(line, '~');
    uint64_t want;
    if (mark == NULL || mark - line < 2 || sscanf(mark + 1, "%16" SCNx64, &want) != 1 ||
        strlen(mark) != 17)
        return false;
    mark[-1] = '\0';
    return lz_hash_bytes(line, strlen(line)) == want;
}

static bool append(struct lz_undo *u, struct lz_str *line, struct lz_err *err)
{
    seal(line);
    size_t done = 0;
    while (done < line->len) {
        ssize_t n = write(u->fd, line->text + done, line->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int why = n < 0 ? errno : EIO;
            // Half a line would make those after it unreadable.
            if (done > 0 && ftruncate(u->fd, lseek(u->fd, 0, SEEK_CUR) - (off_t)done) != 0)
                why = errno;
            return lz_fail(err, LZ_EIO, "cannot write the undo log %s: %s", u->path, strerror(why));
        }
        done += (size_t)n;
    }
    return true;
}

static bool bring_to_disk(struct lz_undo *u, struct lz_err *err)
{
    int why = 0;
    if (u->sync != NULL)
        why = u->sync(u->sync_ctx, u->fd);
    else if (fsync(u->fd) != 0)
        why = errno;
    return why == 0 || lz_fail(err, LZ_EIO, "cannot bring the undo log %s to the disk: %s", u->path,
                               strerror(why));
}

// ---------------------------------------------------------------- undoing

static bool write_back(const struct lz_undo_entry *e, struct lz_err *err)
{
    int fd = open(e->path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    size_t len = strlen(e->text);
    bool ok = fd >= 0 && write(fd, e->text, len) == (ssize_t)len;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return ok ||
           lz_fail(err, LZ_EIO, "cannot write \"%s\" to %s: %s", e->text, e->path, strerror(why));
}

// Whoever is in a cgroup goes to the one above it. Version 1 has no other way to empty one.
static void empty_group(const char *group)
{
    char path[TEXT_MAX + 20], above[TEXT_MAX + 20], pid[32];
    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    snprintf(above, sizeof(above), "%s/../cgroup.procs", group);
    FILE *members = fopen(path, "re");
    while (members != NULL && fgets(pid, sizeof(pid), members) != NULL) {
        int fd = open(above, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            break;
        if (write(fd, pid, strlen(pid)) < 0)
            usleep(1000); // it ends at this moment, or stays: the next round sees
        close(fd);
    }
    if (members != NULL)
        fclose(members);
}

// A cgroup cannot be removed while anybody is in it.
static bool remove_folder(const struct lz_undo_entry *e, struct lz_err *err)
{
    char path[TEXT_MAX + 20];
    for (int i = 0; i < 50; i++) {
        if (rmdir(e->path) == 0 || errno == ENOENT)
            return true;
        if (errno != EBUSY)
            break;
        empty_group(e->path);
        if (rmdir(e->path) == 0)
            return true;
        snprintf(path, sizeof(path), "%s/cgroup.kill", e->path);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            if (write(fd, "1", 1) != 1)
                i = 50;
            close(fd);
        }
        usleep(10000);
    }
    return lz_fail(err, LZ_EIO, "cannot remove the folder %s: %s", e->path, strerror(errno));
}

static bool undo_process(const struct lz_undo_entry *e, struct lz_err *err)
{
    const struct lz_family family = {.pid = e->pid, .start = e->start, .mark = e->text};
    if (e->verb == LZ_UNDO_END)
        return lz_family_end(&family) ||
               lz_fail(err, LZ_EIO, "process %d and its children could not be ended", (int)e->pid);
    if (lz_family_start_time(e->pid) != e->start)
        return true; // it has ended, or the number is another's by now
    if (e->verb == LZ_UNDO_SIGNAL) {
        lz_family_signal(&family, e->number);
        return true;
    }
    const struct rlimit limit = {.rlim_cur = e->soft, .rlim_max = e->hard};
    if (prlimit(e->pid, (__rlimit_resource_t)e->number, &limit, NULL) == 0 || errno == ESRCH)
        return true;
    return lz_fail(err, LZ_EIO, "cannot give process %d its limits back: %s", (int)e->pid,
                   strerror(errno));
}

static bool carry_out(const struct lz_undo_entry *e, struct lz_err *err)
{
    switch (e->verb) {
    case LZ_UNDO_END:
    case LZ_UNDO_SIGNAL:
    case LZ_UNDO_PRLIMIT:
        return undo_process(e, err);
    case LZ_UNDO_UNLINK:
        if (unlink(e->path) == 0 || errno == ENOENT)
            return true;
        return lz_fail(err, LZ_EIO, "cannot remove %s: %s", e->path, strerror(errno));
    case LZ_UNDO_RMDIR:
        return remove_folder(e, err);
    case LZ_UNDO_WRITE:
        return write_back(e, err);
    case LZ_UNDO_UNMOUNT:
        if (umount2(e->path, MNT_DETACH) == 0 || errno == EINVAL || errno == ENOENT)
            return true;
        return lz_fail(err, LZ_EIO, "cannot unmount %s: %s", e->path, strerror(errno));
    }
    return true;
}

static void describe(const struct lz_undo_entry *e, char *out, size_t size)
{
    if (e->verb == LZ_UNDO_END)
        snprintf(out, size, "process %d ended, if it was there still", (int)e->pid);
    else if (e->verb == LZ_UNDO_SIGNAL)
        snprintf(out, size, "process %d got SIG%s", (int)e->pid, sigabbrev_np(e->number));
    else if (e->verb == LZ_UNDO_PRLIMIT)
        snprintf(out, size, "process %d has its limits back", (int)e->pid);
    else if (e->verb == LZ_UNDO_WRITE)
        snprintf(out, size, "%s is \"%s\" again", e->path, e->text);
    else
        snprintf(out, size, "%s is gone", e->path);
}

// ---------------------------------------------------------------- a log of our own

bool lz_undo_folder(struct lz_str *out, struct lz_err *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state != NULL && state[0] == '/')
        lz_str_addf(out, "%s/lorenz/live", state);
    else if (home != NULL && home[0] == '/')
        lz_str_addf(out, "%s/.local/state/lorenz/live", home);
    else
        return lz_fail(err, LZ_EIO,
                       "there is no place for the undo log: set HOME or XDG_STATE_HOME");
    for (char *at = out->text + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        bool ok = mkdir(out->text, 0700) == 0 || errno == EEXIST || errno == EISDIR;
        *at = end;
        if (!ok)
            return lz_fail(err, LZ_EIO, "cannot make the state folder %s: %s", out->text,
                           strerror(errno));
        if (end == '\0')
            return true;
    }
}

bool lz_undo_open(const char *folder, const char *run, struct lz_undo **out, struct lz_err *err)
{
    struct lz_str path, line;
    lz_str_init(&path);
    lz_str_init(&line);
    lz_str_addf(&path, "%s/%s.undo", folder, run);
    struct lz_undo *u = lz_mem_alloc(sizeof(*u));
    *u = (struct lz_undo){.path = lz_str_take(&path)};
    u->fd = open(u->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    bool ok = u->fd >= 0;
    if (!ok) {
        lz_fail(err, LZ_EIO, "cannot make the undo log %s: %s", u->path, strerror(errno));
    } else {
        lz_str_addf(&line, MAGIC " %s %d %" PRIu64, run, (int)getpid(),
                    lz_family_start_time(getpid()));
        ok = append(u, &line, err) && bring_to_disk(u, err);
        if (!ok)
            unlink(u->path);
    }
    lz_str_finish(&line);
    if (ok)
        *out = u;
    else
        lz_undo_close(u);
    return ok;
}

void lz_undo_sync_by(struct lz_undo *u, int (*sync)(void *ctx, int fd), void *ctx)
{
    u->sync = sync;
    u->sync_ctx = ctx;
}

static char *copy(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

void lz_undo_forget(struct lz_undo *u, lz_undo_id id)
{
    LZ_ASSERT(id >= 1 && id <= u->count);
    struct entry *own = &u->entries[id - 1];
    struct lz_err err;
    struct lz_str line;
    if (own->is_done)
        return;
    own->is_done = true;
    lz_str_init(&line);
    lz_str_addf(&line, "done %u", id);
    // If this is lost, it is undone once more, which does nothing.
    if (!append(u, &line, &err))
        own->is_done = true;
    lz_str_finish(&line);
}

bool lz_undo_add(struct lz_undo *u, const struct lz_undo_entry *e, lz_undo_id *id,
                 struct lz_err *err)
{
    LZ_ASSERT(e->verb >= LZ_UNDO_END && e->verb < VERB_COUNT);
    LZ_ASSERT(e->path == NULL || strlen(e->path) <= TEXT_MAX);
    LZ_ASSERT(e->text == NULL || strlen(e->text) <= TEXT_MAX);
    struct lz_str line;
    lz_str_init(&line);
    lz_str_addf(&line, "do %u %s %d %" PRIu64 " %d %" PRIu64 " %" PRIu64, u->count + 1,
                verbs[e->verb], (int)e->pid, e->start, e->number, e->soft, e->hard);
    put_text(&line, e->path);
    put_text(&line, e->text);
    bool ok = append(u, &line, err);
    lz_str_finish(&line);
    if (!ok)
        return false;
    u->entries = lz_mem_resize(u->entries, (u->count + 1) * sizeof(*u->entries));
    struct entry *own = &u->entries[u->count++];
    *own = (struct entry){.e = *e, .path = copy(e->path), .text = copy(e->text)};
    own->e.path = own->path;
    own->e.text = own->text;
    // Its number is taken before it is on the disk: others may be written down meanwhile.
    lz_undo_id number = u->count;
    if (!bring_to_disk(u, err)) {
        lz_undo_forget(u, number);
        return false;
    }
    *id = number;
    return true;
}

bool lz_undo_now(struct lz_undo *u, lz_undo_id id, struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= u->count);
    const struct entry *own = &u->entries[id - 1];
    if (own->is_done)
        return true;
    if (!carry_out(&own->e, err))
        return false;
    lz_undo_forget(u, id);
    return true;
}

bool lz_undo_all(struct lz_undo *u, struct lz_err *err)
{
    bool ok = true;
    for (uint32_t id = u->count; id > 0; id--) {
        struct lz_err why;
        if (lz_undo_now(u, id, &why))
            continue;
        if (ok && err != NULL)
            *err = why;
        ok = false;
    }
    if (ok)
        unlink(u->path);
    return ok;
}

const char *lz_undo_path(const struct lz_undo *u)
{
    return u->path;
}

void lz_undo_close(struct lz_undo *u)
{
    if (u == NULL)
        return;
    if (u->fd >= 0)
        close(u->fd);
    for (uint32_t i = 0; i < u->count; i++) {
        free(u->entries[i].path);
        free(u->entries[i].text);
    }
    free(u->entries);
    free(u->path);
    free(u);
}

// ---------------------------------------------------------------- a log that somebody left

static bool read_entry(char *line, struct entry *out, uint32_t number)
{
    char verb[20], *path = lz_mem_alloc(LINE_SIZE), *text = lz_mem_alloc(LINE_SIZE);
    unsigned id = 0;
    int pid = 0;
    *out = (struct entry){0};
    bool ok =
        strlen(line) < LINE_SIZE &&
        sscanf(line, "do %u %19s %d %" SCNu64 " %d %" SCNu64 " %" SCNu64 " %s %s", &id, verb, &pid,
               &out->e.start, &out->e.number, &out->e.soft, &out->e.hard, path, text) == 9 &&
        id == number;
    for (size_t v = LZ_UNDO_END; ok && v < VERB_COUNT; v++)
        if (strcmp(verbs[v], verb) == 0)
            out->e.verb = (enum lz_undo_verb)v;
    if (ok) {
        out->e.pid = pid;
        out->e.path = out->path = get_text(path);
        out->e.text = out->text = get_text(text);
    }
    free(path);
    free(text);
    bool is_about_path = out->e.verb >= LZ_UNDO_UNLINK && out->e.verb != LZ_UNDO_PRLIMIT;
    return ok && out->e.verb != 0 && (!is_about_path || out->path != NULL) &&
           (out->e.verb != LZ_UNDO_WRITE || out->text != NULL) && (is_about_path || pid > 1);
}

// Lines are whole up to the last; one that is not was never acted upon.
static void read_lines(char *text, struct lz_undo *u, struct lz_undo_report *report)
{
    char *next;
    for (char *line = text; (next = strchr(line, '\n')) != NULL; line = next + 1) {
        unsigned id = 0;
        *next = '\0';
        u->entries = lz_mem_resize(u->entries, (u->count + 1) * sizeof(*u->entries));
        if (!unseal(line)) {
            report->is_damaged = true;
        } else if (sscanf(line, "done %u", &id) == 1 && id >= 1 && id <= u->count) {
            u->entries[id - 1].is_done = true;
        } else if (read_entry(line, &u->entries[u->count], u->count + 1)) {
            u->count++;
        } else {
            report->is_damaged = true;
        }
    }
}

static bool read_head(char *text, struct lz_undo_report *report, char **rest)
{
    char *end = strchr(text, '\n');
    int pid = 0;
    uint64_t start = 0;
    if (end == NULL)
        return false;
    *end = '\0';
    *rest = end + 1;
    if (!unseal(text) || sscanf(text, MAGIC " %63s %d %" SCNu64, report->run, &pid, &start) != 3)
        return false;
    report->pid = pid;
    report->is_running = start != 0 && lz_family_start_time(pid) == start;
    return true;
}

static char *read_log(const char *path, struct lz_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        lz_fail(err, LZ_EIO, "cannot read the undo log %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (st.st_uid != geteuid() || (st.st_mode & 022) != 0 || (size_t)st.st_size > FILE_MAX) {
        lz_fail(err, LZ_EIO,
                "the undo log %s could have been written by others, and is not followed", path);
        close(fd);
        return NULL;
    }
    size_t size = (size_t)st.st_size, len = 0;
    char *text = lz_mem_alloc(size + 1);
    ssize_t n;
    while (len < size && (n = read(fd, text + len, size - len)) > 0)
        len += (size_t)n;
    close(fd);
    text[len] = '\0';
    return text;
}

bool lz_undo_file(const char *path, struct lz_undo_report *report, struct lz_err *err)
{
    *report = (struct lz_undo_report){0};
    lz_str_init(&report->said);
    char *text = read_log(path, err), *rest = NULL;
    if (text == NULL)
        return false;
    struct lz_undo u = {.fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), .path = (char *)path};
    // Without a whole first line nothing was begun: the first entry comes after it.
    bool is_empty = strchr(text, '\n') == NULL;
    if (!is_empty && !read_head(text, report, &rest))
        report->is_damaged = true;
    if (rest != NULL && !report->is_running)
        read_lines(rest, &u, report);
    for (uint32_t id = u.count; id > 0; id--) {
        char what[TEXT_MAX + 100];
        struct lz_err why;
        if (u.entries[id - 1].is_done)
            continue;
        describe(&u.entries[id - 1].e, what, sizeof(what));
        bool ok = lz_undo_now(&u, id, &why);
        report->undone += ok;
        report->left += !ok;
        lz_str_addf(&report->said, "%s\n", ok ? what : why.msg);
    }
    if (!report->is_running && !report->is_damaged && report->left == 0)
        unlink(path);
    for (uint32_t i = 0; i < u.count; i++) {
        free(u.entries[i].path);
        free(u.entries[i].text);
    }
    free(u.entries);
    free(text);
    if (u.fd >= 0)
        close(u.fd);
    return true;
}
