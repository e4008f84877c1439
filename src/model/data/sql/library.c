#include "model/data/sql/library.h"

#include <sqlite3.h>

#include "base/check.h"
#include "model/data/sql/volume.h"
#include "sim/draw.h"

// ---- memory

// What stands before each block. SQLite wants 8-byte alignment; this keeps the arena's 16.
struct block {
    struct lz_arena *arena; // NULL: malloc's
    size_t size;            // that was asked for
};
_Static_assert(sizeof(struct block) == 16, "what follows a block's head is aligned");

static struct lz_library_scope scope;
static bool is_in_scope;

static void *allocate(int n)
{
    size_t size = (size_t)n;
    struct lz_arena *arena = is_in_scope ? scope.arena : NULL;
    struct block *b =
        arena != NULL ? lz_arena_try(arena, sizeof(*b) + size) : malloc(sizeof(*b) + size);
    if (b == NULL)
        return NULL;
    *b = (struct block){.arena = arena, .size = size};
    return b + 1;
}

static void release(void *p)
{
    if (p == NULL)
        return;
    struct block *b = (struct block *)p - 1;
    if (b->arena != NULL)
        lz_arena_free(b->arena, b, sizeof(*b) + b->size);
    else
        free(b);
}

static void *reallocate(void *p, int n)
{
    struct block *b = (struct block *)p - 1;
    size_t size = (size_t)n;
    struct block *wide =
        b->arena != NULL ? lz_arena_try_resize(b->arena, b, sizeof(*b) + b->size, sizeof(*b) + size)
                         : realloc(b, sizeof(*b) + size);
    if (wide == NULL)
        return NULL;
    wide->size = size;
    return wide + 1;
}

static int size_of(void *p)
{
    return p != NULL ? (int)((const struct block *)p - 1)->size : 0;
}

static int round_up(int n)
{
    return (n + 7) & ~7;
}

static int start(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static void stop(void *ctx)
{
    (void)ctx;
}

// ---- the system, as SQLite sees it

static sqlite3_vfs *base; // of the machine

static int vfs_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *file, int flags, int *out)
{
    (void)v;
    if (!is_in_scope)
        return base->xOpen(base, name, file, flags, out);
    file->pMethods = NULL;
    if (scope.volume == NULL)
        return SQLITE_CANTOPEN;
    return lz_volume_open(scope.volume, file, flags, out);
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
    (void)v;
    if (!is_in_scope)
        return base->xDelete(base, name, sync);
    return scope.volume != NULL ? lz_volume_delete(scope.volume, name) : SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
    (void)v;
    if (!is_in_scope)
        return base->xAccess(base, name, flags, out);
    *out = scope.volume != NULL && lz_volume_has(scope.volume, name);
    return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *v, const char *name, int size, char *out)
{
    (void)v;
    if (!is_in_scope)
        return base->xFullPathname(base, name, size, out);
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

static void *vfs_dl_open(sqlite3_vfs *v, const char *name)
{
    (void)v;
    return is_in_scope ? NULL : base->xDlOpen(base, name);
}

static void vfs_dl_error(sqlite3_vfs *v, int size, char *out)
{
    (void)v;
    if (is_in_scope)
        sqlite3_snprintf(size, out, "a run loads nothing");
    else
        base->xDlError(base, size, out);
}

static void (*vfs_dl_sym(sqlite3_vfs *v, void *handle, const char *symbol))(void)
{
    (void)v;
    return base->xDlSym(base, handle, symbol);
}

static void vfs_dl_close(sqlite3_vfs *v, void *handle)
{
    (void)v;
    base->xDlClose(base, handle);
}

static int vfs_randomness(sqlite3_vfs *v, int size, char *out)
{
    (void)v;
    if (!is_in_scope)
        return base->xRandomness(base, size, out);
    struct lz_draw draw =
        lz_draw_begin(scope.run_key, scope.owner, LZ_PURPOSE_SQL, scope.counter & 0xffffff);
    for (int i = 0; i < size; i += 8) {
        uint64_t bits = lz_draw_u64(&draw);
        memcpy(out + i, &bits, size - i < 8 ? (size_t)(size - i) : 8u);
    }
    return size;
}

static int vfs_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    return is_in_scope ? us : base->xSleep(base, us);
}

// Julian day numbers times 86400000; the Unix epoch is day 2440587.5.
static int vfs_now(sqlite3_vfs *v, sqlite3_int64 *out)
{
    (void)v;
    if (!is_in_scope)
        return base->xCurrentTimeInt64(base, out);
    *out = INT64_C(210866760000000) + LZ_LIBRARY_EPOCH_S * 1000 +
           (scope.now != NULL ? scope.now(scope.ctx) / LZ_MS : 0);
    return SQLITE_OK;
}

static int vfs_now_in_days(sqlite3_vfs *v, double *out)
{
    sqlite3_int64 ms = 0;
    int rc = vfs_now(v, &ms);
    *out = (double)ms / 86400000.0;
    return rc;
}

static int vfs_last_error(sqlite3_vfs *v, int size, char *out)
{
    (void)v;
    return is_in_scope || base->xGetLastError == NULL ? 0 : base->xGetLastError(base, size, out);
}

static sqlite3_vfs vfs = {
    .iVersion = 2,
    .zName = LZ_LIBRARY_VFS,
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_name,
    .xDlOpen = vfs_dl_open,
    .xDlError = vfs_dl_error,
    .xDlSym = vfs_dl_sym,
    .xDlClose = vfs_dl_close,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_now_in_days,
    .xGetLastError = vfs_last_error,
    .xCurrentTimeInt64 = vfs_now,
};

void lz_library_init(void)
{
    static bool is_done;
    if (is_done)
        return;
    is_done = true;
    static const sqlite3_mem_methods memory = {.xMalloc = allocate,
                                               .xFree = release,
                                               .xRealloc = reallocate,
                                               .xSize = size_of,
                                               .xRoundup = round_up,
                                               .xInit = start,
                                               .xShutdown = stop};
    int rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    LZ_ASSERT(rc == SQLITE_OK); // somebody used SQLite before us
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    rc = sqlite3_initialize();
    LZ_ASSERT(rc == SQLITE_OK);
    base = sqlite3_vfs_find(NULL);
    LZ_ASSERT(base != NULL && base->iVersion >= 2);
    int own = lz_volume_file_size();
    vfs.szOsFile = base->szOsFile > own ? base->szOsFile : own;
    vfs.mxPathname = base->mxPathname;
    // The default one: it is the default's randomness that SQLite asks for.
    rc = sqlite3_vfs_register(&vfs, 1);
    LZ_ASSERT(rc == SQLITE_OK);
    // What has no place in a run is refused: 'localtime' would be the machine's.
    sqlite3_test_control(SQLITE_TESTCTRL_LOCALTIME_FAULT, 1);
}

void lz_library_enter(const struct lz_library_scope *s)
{
    LZ_ASSERT(!is_in_scope);
    LZ_ASSERT(s->arena != NULL && base != NULL);
    scope = *s;
    is_in_scope = true;
    sqlite3_randomness(0, NULL); // forgets what it had: it asks again when it needs some
}

void lz_library_leave(void)
{
    LZ_ASSERT(is_in_scope);
    is_in_scope = false;
    scope = (struct lz_library_scope){0};
    sqlite3_randomness(0, NULL);
}

void lz_library_abandon(void)
{
    if (is_in_scope)
        lz_library_leave();
}
