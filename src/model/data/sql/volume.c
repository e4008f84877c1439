#include "model/data/sql/volume.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"

#define SECTOR LZ_VOLUME_SECTOR

// ---- the shadow: sectors of which the platter has something else

struct sector {
    uint64_t at;  // file and number, plus one; 0: free
    bool is_lost; // an honest flush does not bring it
    unsigned char bytes[SECTOR];
};

struct lz_shadow {
    struct sector *sectors; // open addressing; a power of two, at most half full
    uint32_t cap, count;
    // The latest write that a loss of power would tear, and what was there before it.
    unsigned char *before;
    size_t before_size, before_cap;
    uint64_t torn_from;
    uint8_t torn_file;
    bool tears;
};

static uint64_t place(uint8_t file, uint64_t number)
{
    return (number << 2 | file) + 1;
}

static struct sector *find(const struct lz_shadow *s, uint64_t at)
{
    uint32_t i = (uint32_t)lz_hash_mix(at, 5) & (s->cap - 1);
    while (s->sectors[i].at != 0 && s->sectors[i].at != at)
        i = (i + 1) & (s->cap - 1);
    return &s->sectors[i];
}

static void fill(struct lz_shadow *to, const struct lz_shadow *from, bool lost_only)
{
    for (uint32_t i = 0; i < from->cap; i++) {
        if (from->sectors[i].at == 0 || (lost_only && !from->sectors[i].is_lost))
            continue;
        *find(to, from->sectors[i].at) = from->sectors[i];
        to->count++;
    }
}

static void rebuild(struct lz_volume *v, uint32_t cap, bool lost_only)
{
    struct lz_shadow old = *v->shadow, *s = v->shadow;
    s->sectors = lz_arena_alloc(v->arena, cap * sizeof(*s->sectors));
    s->cap = cap;
    s->count = 0;
    fill(s, &old, lost_only);
    lz_arena_free(v->arena, old.sectors, old.cap * sizeof(*old.sectors));
}

static struct lz_shadow *shadow_of(struct lz_volume *v)
{
    if (v->shadow == NULL) {
        v->shadow = lz_arena_alloc(v->arena, sizeof(*v->shadow));
        v->shadow->cap = 64;
        v->shadow->sectors = lz_arena_alloc(v->arena, 64 * sizeof(struct sector));
    }
    return v->shadow;
}

static void drop_shadow(struct lz_volume *v)
{
    struct lz_shadow *s = v->shadow;
    if (s == NULL)
        return;
    lz_arena_free(v->arena, s->sectors, s->cap * sizeof(*s->sectors));
    lz_arena_free(v->arena, s->before, s->before_cap);
    lz_arena_free(v->arena, s, sizeof(*s));
    v->shadow = NULL;
}

// Bytes of a sector as the system shows them, zeros beyond the end.
static void read_sector(const struct lz_volume_data *d, uint64_t number, unsigned char *out)
{
    memset(out, 0, SECTOR);
    uint64_t from = number * SECTOR;
    if (from < d->size)
        memcpy(out, d->bytes + from, d->size - from < SECTOR ? d->size - from : SECTOR);
}

// The platter keeps what it has of a sector, or gets `bytes` there.
static void keep(struct lz_volume *v, uint8_t file, uint64_t number, bool is_lost,
                 const unsigned char *bytes)
{
    struct lz_shadow *s = shadow_of(v);
    if (2 * (s->count + 1) > s->cap)
        rebuild(v, 2 * s->cap, false);
    struct sector *at = find(s, place(file, number));
    if (at->at == 0) {
        s->count++;
        at->at = place(file, number);
        at->is_lost = false;
        read_sector(&v->files[file], number, at->bytes);
    }
    at->is_lost = at->is_lost || is_lost;
    if (bytes != NULL)
        memcpy(at->bytes, bytes, SECTOR);
}

// What is written now gets there: the platter's sectors take it too.
static void write_through(struct lz_volume *v, uint8_t file, uint64_t from, uint64_t to,
                          const unsigned char *bytes)
{
    for (uint64_t n = from / SECTOR; n * SECTOR < to; n++) {
        struct sector *at = find(v->shadow, place(file, n));
        if (at->at == 0)
            continue;
        uint64_t first = n * SECTOR > from ? n * SECTOR : from;
        uint64_t last = (n + 1) * SECTOR < to ? (n + 1) * SECTOR : to;
        memcpy(at->bytes + (first - n * SECTOR), bytes + (first - from), last - first);
    }
}

// What was there before the latest write, for a loss of power that tears it.
static void remember(struct lz_volume *v, uint8_t file, uint64_t from, size_t size)
{
    struct lz_shadow *s = shadow_of(v);
    const struct lz_volume_data *d = &v->files[file];
    if (size > s->before_cap) {
        lz_arena_free(v->arena, s->before, s->before_cap);
        s->before = lz_arena_alloc(v->arena, size);
        s->before_cap = size;
    }
    memset(s->before, 0, size);
    if (from < d->size)
        memcpy(s->before, d->bytes + from, d->size - from < size ? d->size - from : size);
    s->before_size = size;
    s->torn_from = from;
    s->torn_file = file;
    s->tears = true;
}

// Another place of the file, as far from a sector's beginning as the right one.
static void misdirect(struct lz_volume *v, uint8_t file, uint64_t from, size_t size,
                      const unsigned char *bytes, double where)
{
    uint64_t sectors = v->files[file].size / SECTOR;
    uint64_t first = (uint64_t)((double)sectors * where);
    for (uint64_t i = 0; (i + 1) * SECTOR <= size && first + i < sectors; i++)
        if (first + i != from / SECTOR + i)
            keep(v, file, first + i, true, bytes + i * SECTOR);
}

static void undergo(struct lz_volume *v, uint8_t file, uint64_t from, size_t size,
                    const unsigned char *bytes)
{
    struct lz_volume_fate f =
        v->fate != NULL ? v->fate(v->ctx, v->writes) : (struct lz_volume_fate){0};
    bool stays_out = f.lies || f.loses || f.misdirects;
    for (uint64_t n = from / SECTOR; stays_out && n * SECTOR < from + size; n++)
        keep(v, file, n, f.loses || f.misdirects, NULL);
    if (f.misdirects)
        misdirect(v, file, from, size, bytes, f.where);
    if (f.tears)
        remember(v, file, from, size);
    else if (v->shadow != NULL)
        v->shadow->tears = false;
    if (!stays_out && v->shadow != NULL)
        write_through(v, file, from, from + size, bytes);
}

// ---- file methods

struct file {
    sqlite3_file base;
    struct lz_volume *volume;
    uint8_t kind;
};

static struct lz_volume_data *data_of(sqlite3_file *f)
{
    const struct file *own = (const struct file *)f;
    return &own->volume->files[own->kind];
}

static int file_close(sqlite3_file *f)
{
    (void)f;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *f, void *out, int size, sqlite3_int64 from)
{
    const struct lz_volume_data *d = data_of(f);
    size_t n = (size_t)size, at = (size_t)from;
    size_t there = at < d->size ? (d->size - at < n ? d->size - at : n) : 0;
    if (there > 0)
        memcpy(out, d->bytes + at, there);
    if (there == n)
        return SQLITE_OK;
    memset((char *)out + there, 0, n - there);
    return SQLITE_IOERR_SHORT_READ;
}

static bool widen(struct lz_volume *v, struct lz_volume_data *d, size_t size)
{
    if (size <= d->cap)
        return true;
    size_t cap = d->cap > 0 ? d->cap : 16384;
    while (cap < size)
        cap *= 2;
    void *wide = lz_arena_try_resize(v->arena, d->bytes, d->cap, cap);
    if (wide == NULL)
        return false;
    d->bytes = wide;
    d->cap = cap;
    return true;
}

static int file_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
    struct lz_volume *v = ((struct file *)f)->volume;
    struct lz_volume_data *d = data_of(f);
    size_t size = (size_t)n, from = (size_t)at;
    if (v->failure != 0)
        return v->failure == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    if (at + n > LZ_VOLUME_BYTES_MAX)
        return SQLITE_FULL;
    if (!widen(v, d, from + size))
        return SQLITE_NOMEM;
    v->writes++;
    if (v->fate != NULL || v->shadow != NULL)
        undergo(v, ((struct file *)f)->kind, from, size, bytes);
    if (from > d->size)
        memset(d->bytes + d->size, 0, from - d->size);
    memcpy(d->bytes + from, bytes, size);
    if (from + size > d->size)
        d->size = from + size;
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct lz_volume_data *d = data_of(f);
    if ((size_t)size < d->size)
        d->size = (size_t)size;
    return SQLITE_OK;
}

// An honest flush brings all that was held back, but for what was lost.
static int file_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    struct lz_volume *v = ((struct file *)f)->volume;
    if (v->failure != 0)
        return SQLITE_IOERR_FSYNC;
    if (v->shadow == NULL)
        return SQLITE_OK;
    bool lies = v->fate != NULL && v->fate(v->ctx, v->writes).lies;
    if (!lies)
        rebuild(v, v->shadow->cap, true);
    if (v->shadow->count == 0 && !v->shadow->tears)
        drop_shadow(v);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)data_of(f)->size;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *f, int level)
{
    (void)f;
    (void)level;
    return SQLITE_OK; // one connection to a volume: nobody else could hold one
}

static int file_reserved(sqlite3_file *f, int *out)
{
    (void)f;
    *out = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    (void)f;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *f)
{
    (void)f;
    return (int)SECTOR;
}

static int file_traits(sqlite3_file *f)
{
    (void)f;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
};

int lz_volume_file_size(void)
{
    return (int)sizeof(struct file);
}

int lz_volume_open(struct lz_volume *v, sqlite3_file *file, int flags, int *out)
{
    struct file *f = (struct file *)file;
    uint8_t kind = LZ_VOLUME_FILES;
    if (flags & SQLITE_OPEN_MAIN_DB)
        kind = LZ_VOLUME_MAIN;
    else if (flags & SQLITE_OPEN_WAL)
        kind = LZ_VOLUME_LOG;
    else if (flags & SQLITE_OPEN_MAIN_JOURNAL)
        kind = LZ_VOLUME_JOURNAL;
    if (kind == LZ_VOLUME_FILES)
        return SQLITE_CANTOPEN; // of temporary tables and super-journals: they stay in memory
    *f = (struct file){.base.pMethods = &methods, .volume = v, .kind = kind};
    v->files[kind].exists = true;
    if (out != NULL)
        *out = flags;
    return SQLITE_OK;
}

static uint8_t kind_of(const char *name)
{
    size_t len = strlen(name);
    if (len > 4 && strcmp(name + len - 4, "-wal") == 0)
        return LZ_VOLUME_LOG;
    return len > 8 && strcmp(name + len - 8, "-journal") == 0 ? LZ_VOLUME_JOURNAL : LZ_VOLUME_MAIN;
}

int lz_volume_delete(struct lz_volume *v, const char *name)
{
    struct lz_volume_data *d = &v->files[kind_of(name)];
    d->size = 0;
    d->exists = false;
    return SQLITE_OK;
}

bool lz_volume_has(const struct lz_volume *v, const char *name)
{
    const struct lz_volume_data *d = &v->files[kind_of(name)];
    return d->exists && (d->size > 0 || d == &v->files[LZ_VOLUME_MAIN]);
}

// ---- as a whole

void lz_volume_init(struct lz_volume *v, struct lz_arena *arena)
{
    *v = (struct lz_volume){.arena = arena};
}

static void empty(struct lz_volume *v)
{
    drop_shadow(v);
    for (int k = 0; k < LZ_VOLUME_FILES; k++) {
        lz_arena_free(v->arena, v->files[k].bytes, v->files[k].cap);
        v->files[k] = (struct lz_volume_data){0};
    }
}

void lz_volume_finish(struct lz_volume *v)
{
    empty(v);
}

void lz_volume_copy(struct lz_volume *v, const struct lz_volume *from)
{
    LZ_ASSERT(v != from);
    empty(v);
    for (int k = 0; k < LZ_VOLUME_FILES; k++) {
        const struct lz_volume_data *d = &from->files[k];
        v->files[k] = (struct lz_volume_data){.size = d->size, .cap = d->size, .exists = d->exists};
        if (d->size == 0)
            continue;
        v->files[k].bytes = lz_arena_alloc(v->arena, d->size);
        memcpy(v->files[k].bytes, d->bytes, d->size);
    }
}

static void put(struct lz_volume_data *d, uint64_t from, const unsigned char *bytes, size_t size)
{
    if (from >= d->size)
        return; // the file has been cut since
    memcpy(d->bytes + from, bytes, d->size - from < size ? d->size - from : size);
}

void lz_volume_lose_power(struct lz_volume *v)
{
    struct lz_shadow *s = v->shadow;
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->cap; i++) {
        const struct sector *at = &s->sectors[i];
        if (at->at != 0)
            put(&v->files[(at->at - 1) & 3], ((at->at - 1) >> 2) * SECTOR, at->bytes, SECTOR);
    }
    if (s->tears) { // sectors are written whole: half of them
        size_t half = s->before_size / 2 / SECTOR * SECTOR;
        put(&v->files[s->torn_file], s->torn_from + half, s->before + half, s->before_size - half);
    }
    drop_shadow(v);
}

size_t lz_volume_bytes(const struct lz_volume *v)
{
    size_t bytes = 0;
    for (int k = 0; k < LZ_VOLUME_FILES; k++)
        bytes += v->files[k].cap;
    return bytes + (v->shadow != NULL ? v->shadow->cap * sizeof(struct sector) : 0);
}
