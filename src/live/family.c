#include "live/family.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

#define MEMBERS_MAX 65536
#define ENVIRON_MAX 262144
#define ROUNDS 50 // of 10 ms each

struct member {
    pid_t pid, parent, session;
    uint64_t start;
    char state;
    bool is_in;
};

struct crowd {
    struct member *all;
    size_t count, cap;
};

static size_t read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size_t len = 0;
    ssize_t n;
    while (len + 1 < size && (n = read(fd, out + len, size - 1 - len)) > 0)
        len += (size_t)n;
    close(fd);
    out[len] = '\0';
    return len;
}

// proc_pid_stat(5): the name in parentheses may itself hold anything, so from the last one on.
static bool read_member(pid_t pid, struct member *m)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (read_file(path, text, sizeof(text)) == 0)
        return false;
    const char *at = strrchr(text, ')');
    int parent = 0, session = 0;
    *m = (struct member){.pid = pid};
    if (at == NULL || sscanf(at + 1,
                             " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                             "%*d %*d %" SCNu64,
                             &m->state, &parent, &session, &m->start) != 4)
        return false;
    m->parent = parent;
    m->session = session;
    return m->state != 'Z' && m->state != 'X';
}

uint64_t lz_family_start_time(pid_t pid)
{
    struct member m;
    return pid > 0 && read_member(pid, &m) ? m.start : 0;
}

static struct crowd look(void)
{
    struct crowd c = {0};
    DIR *dir = opendir("/proc");
    if (dir == NULL)
        return c;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL && c.count < MEMBERS_MAX) {
        struct member m;
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_member(atoi(entry->d_name), &m))
            continue;
        if (c.count == c.cap) {
            c.cap = c.cap > 0 ? 2 * c.cap : 256;
            c.all = lz_mem_resize(c.all, c.cap * sizeof(*c.all));
        }
        c.all[c.count++] = m;
    }
    closedir(dir);
    return c;
}

// Nobody's but our own and root's environment can be read; others we could not signal either.
static bool has_mark(pid_t pid, const char *mark)
{
    static char text[ENVIRON_MAX];
    char path[64], want[300];
    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    int len = snprintf(want, sizeof(want), "%s=%s", LZ_FAMILY_VARIABLE, mark);
    size_t size = read_file(path, text, sizeof(text));
    for (const char *at = text; at < text + size; at += strlen(at) + 1)
        if (strncmp(at, want, (size_t)len) == 0 && at[len] == '\0')
            return true;
    return false;
}

static bool is_known(const struct crowd *c, pid_t pid)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->all[i].pid == pid)
            return c->all[i].is_in;
    return false;
}

// Who belongs to it: the program, its session, those with its mark, and whom they have begotten.
// A session outlives its leader, and its number is not given to others meanwhile (setsid(2)).
static void mark_members(struct crowd *c, const struct lz_family *f)
{
    pid_t self = getpid();
    bool is_same = lz_family_start_time(f->pid) == f->start;
    uint64_t taken = is_same ? 0 : lz_family_start_time(f->pid);
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = &c->all[i];
        bool is_program = m->pid == f->pid && m->start == f->start;
        bool is_session = m->session == f->pid && taken == 0 && m->start >= f->start;
        m->is_in = m->pid != self &&
                   (is_program || is_session || (f->mark != NULL && has_mark(m->pid, f->mark)));
    }
    for (bool grows = true; grows;) {
        grows = false;
        for (size_t i = 0; i < c->count; i++) {
            struct member *m = &c->all[i];
            if (m->is_in || m->pid == self || m->parent <= 1 || !is_known(c, m->parent))
                continue;
            m->is_in = grows = true;
        }
    }
}

uint32_t lz_family_signal(const struct lz_family *family, int signal)
{
    LZ_ASSERT(family->pid > 1 || family->mark != NULL);
    struct crowd c = look();
    uint32_t count = 0;
    mark_members(&c, family);
    for (size_t i = 0; i < c.count; i++)
        if (c.all[i].is_in && lz_family_start_time(c.all[i].pid) == c.all[i].start)
            count += kill(c.all[i].pid, signal) == 0;
    free(c.all);
    return count;
}

size_t lz_family_pids(const struct lz_family *family, pid_t *out, size_t max)
{
    struct crowd c = look();
    size_t count = 0;
    mark_members(&c, family);
    for (size_t i = 0; i < c.count && count < max; i++)
        if (c.all[i].is_in)
            out[count++] = c.all[i].pid;
    free(c.all);
    return count;
}

uint32_t lz_family_stopped(const struct lz_family *family)
{
    struct crowd c = look();
    uint32_t count = 0;
    mark_members(&c, family);
    for (size_t i = 0; i < c.count; i++)
        count += c.all[i].is_in && c.all[i].state == 'T';
    free(c.all);
    return count;
}

bool lz_family_end(const struct lz_family *family)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (lz_family_signal(family, SIGKILL) == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return lz_family_signal(family, 0) == 0;
}
