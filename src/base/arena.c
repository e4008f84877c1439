#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena_quick.h"
#include "base/check.h"
#include "base/mem.h"

// Layout of one slot: the header below, then blocks in the order in which they were first
// asked for. What is freed goes to the free list of its size class, and the next request of
// that class takes it. There is no bookkeeping beside a block: its owner says its size
// when giving it back.
//
// Classes: every multiple of 16 up to FINE_MAX, then eight per doubling, so a block is at
// most one eighth larger than asked. New blocks come from the region between `top` and
// `end`: at first all of the memory, later a large free block (open_region). A block that
// shrinks is cut, and so never fails to and never moves.

#define SLOT_BASE 0x200000000000u // far from where Linux and AddressSanitizer put things
#define SLOT_STRIDE ((size_t)64 << 30)
#define LIMIT_DEFAULT ((size_t)4 << 30)
#define UNIT LZ_ARENA_UNIT
#define FINE_MAX LZ_ARENA_QUICK_MAX
#define FINE_COUNT (FINE_MAX / UNIT)
#define STEPS 8u // classes per doubling above FINE_MAX
#define CLASS_COUNT (FINE_COUNT + STEPS * 26)
#define ORDINARY_PAGES ((size_t)4 << 20) // small worlds are quicker without huge pages
#define PAGE ((size_t)4096)
#define LOADED ((size_t)640 << 10) // touched by a universe that begins with nothing
#define BUILT ((size_t)96 << 10)   // touched by any beyond the image it begins with

struct lz_arena {
    struct lz_arena_lists lists;
    unsigned char *top;
    unsigned char *end;
    unsigned char *map_end;
    bool fresh; // the region was never used before, so it is zero
    size_t limit_bytes;
    lz_arena_full_fn *on_full;
    void *on_full_ctx;
    const struct lz_arena_image *image; // it began with
};

_Static_assert(CLASS_COUNT == LZ_ARENA_CLASSES, "a class has a list");
_Static_assert(offsetof(struct lz_arena, lists) == 0, "arena_quick.h finds the lists there");
_Static_assert(SLOT_BASE % ((size_t)4 << 30) == 0, "Lua hashes the low 32 bits of addresses");
_Static_assert(sizeof(struct lz_arena_block) <= UNIT, "a free block must hold its link");

// Of the arena that was destroyed last, if it was small.
static struct {
    void *address; // NULL: none is kept
    size_t size;
    size_t dirty;                       // bytes from its beginning that may not be zero
    const struct lz_arena_image *image; // mapped at its beginning
} spare;

struct lz_arena_image {
    size_t size;          // of what the arena held
    size_t mapped;        // the same in whole pages
    unsigned char *bytes; // the file, for whoever finds it closed
    int fd;               // -1: there is none, and `bytes` are plain memory
    ino_t inode;          // what was behind fd; a process that closes all it inherits closes it too
    dev_t device;
};

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static size_t first_offset(void)
{
    return round_up(sizeof(struct lz_arena), UNIT);
}

// The class of blocks that hold `size` bytes, and how large they are.
static unsigned coarse_class_of(size_t size, size_t *block_size)
{
    LZ_ASSERT(size > FINE_MAX);
    LZ_ASSERT(size <= SLOT_STRIDE);
    unsigned power = 63 - (unsigned)__builtin_clzll(size - 1); // 2^power < size <= 2^(power + 1)
    size_t step = ((size_t)1 << power) / STEPS;
    size_t steps = (size - 1 - ((size_t)1 << power)) / step + 1; // 1 .. STEPS
    *block_size = ((size_t)1 << power) + steps * step;
    LZ_ASSERT(*block_size >= size);
    return FINE_COUNT + STEPS * (power - 10) + (unsigned)steps - 1;
}

static inline unsigned class_of(size_t size, size_t *block_size)
{
    if (size > FINE_MAX)
        return coarse_class_of(size, block_size);
    size_t units = size > 0 ? (size + UNIT - 1) / UNIT : 1;
    *block_size = units * UNIT;
    return (unsigned)units - 1;
}

static size_t size_of_class(unsigned class)
{
    LZ_ASSERT(class < CLASS_COUNT);
    if (class < FINE_COUNT)
        return (size_t)(class + 1) * UNIT;
    unsigned above = class - FINE_COUNT;
    size_t power = (size_t)FINE_MAX << above / STEPS;
    return power + (above % STEPS + 1) * (power / STEPS);
}

static inline void push(struct lz_arena *arena, unsigned class, void *ptr)
{
    struct lz_arena_block *block = ptr;
    block->next = arena->lists.free[class];
    arena->lists.free[class] = block;
}

// Put `size` bytes on the free lists, as the largest blocks that fit, first to last.
static void cut(struct lz_arena *arena, unsigned char *at, size_t size)
{
    LZ_ASSERT(size % UNIT == 0);
    while (size > 0) {
        size_t block_size;
        unsigned class = class_of(size, &block_size);
        if (block_size > size)
            block_size = size_of_class(--class);
        LZ_ASSERT(block_size <= size);
        push(arena, class, at);
        at += block_size;
        size -= block_size;
    }
}

// Make the largest free block beyond `class` the region; false if there is none. What is left
// of the old region goes to the free lists. Largest, because a region loses only its end.
static bool open_region(struct lz_arena *arena, unsigned class)
{
    unsigned largest = CLASS_COUNT - 1;
    while (largest > class && arena->lists.free[largest] == NULL)
        largest--;
    if (largest == class)
        return false;
    struct lz_arena_block *block = arena->lists.free[largest];
    arena->lists.free[largest] = block->next;
    cut(arena, arena->top, (size_t)(arena->end - arena->top) / UNIT * UNIT);
    arena->top = (unsigned char *)block;
    arena->end = arena->top + size_of_class(largest);
    arena->fresh = false;
    return true;
}

static inline void account(struct lz_arena *arena, size_t more)
{
    arena->lists.used_bytes += more;
    if (arena->lists.used_bytes > arena->lists.peak_bytes)
        arena->lists.peak_bytes = arena->lists.used_bytes;
    LZ_ASSERT(arena->lists.used_bytes <= arena->limit_bytes);
}

// Not from the free list of its class. Sets *fresh if the memory is still zero.
static void *take_from_region(struct lz_arena *arena, unsigned class, size_t size, bool *fresh)
{
    if (size > (size_t)(arena->end - arena->top) && !open_region(arena, class))
        return NULL;
    LZ_ASSERT(size <= (size_t)(arena->end - arena->top));
    unsigned char *ptr = arena->top;
    arena->top += size;
    *fresh = arena->fresh;
    return ptr;
}

// A block for `size` bytes, or NULL when the budget is used up.
static inline void *take(struct lz_arena *arena, size_t size, bool *fresh)
{
    if (size > arena->limit_bytes)
        return NULL;
    size_t block_size;
    unsigned class = class_of(size, &block_size);
    struct lz_arena_block *block = arena->lists.free[class];
    if (block != NULL) {
        arena->lists.free[class] = block->next;
    } else {
        block = take_from_region(arena, class, block_size, fresh);
        if (block == NULL)
            return NULL;
    }
    account(arena, block_size);
    return block;
}

static _Noreturn void full(struct lz_arena *arena)
{
    if (arena->on_full != NULL) {
        arena->on_full(arena->on_full_ctx, arena->lists.used_bytes, arena->limit_bytes);
        lz_check_failed("on_full must not return", __FILE__, __LINE__);
    }
    fprintf(stderr, "lorenz: out of memory: %zu of %zu bytes are used\n", arena->lists.used_bytes,
            arena->limit_bytes);
    abort();
}

void *lz_arena_try(struct lz_arena *arena, size_t size)
{
    bool fresh = false;
    return take(arena, size, &fresh);
}

void *lz_arena_alloc(struct lz_arena *arena, size_t size)
{
    bool fresh = false;
    void *ptr = take(arena, size, &fresh);
    if (ptr == NULL)
        full(arena);
    return fresh ? ptr : memset(ptr, 0, size);
}

static inline bool owns(const struct lz_arena *arena, const void *ptr)
{
    const unsigned char *at = ptr;
    return at >= (const unsigned char *)arena + first_offset() && at < arena->map_end;
}

void lz_arena_free(struct lz_arena *arena, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    LZ_ASSERT(owns(arena, ptr));
    size_t block_size;
    unsigned class = class_of(size, &block_size);
    LZ_ASSERT(arena->lists.used_bytes >= block_size);
    arena->lists.used_bytes -= block_size;
    push(arena, class, ptr);
}

// In place: the end of the block goes to the free lists.
static void shrink(struct lz_arena *arena, unsigned char *ptr, size_t old_block, size_t new_block)
{
    LZ_ASSERT(new_block < old_block);
    arena->lists.used_bytes -= old_block - new_block;
    cut(arena, ptr + new_block, old_block - new_block);
}

// The same block if it can stay where it is, which a shrinking one and the one below `top`
// can; NULL when the budget is used up. Bytes from *clean on are zero.
static void *resize(struct lz_arena *arena, unsigned char *ptr, size_t old_size, size_t new_size,
                    size_t *clean)
{
    LZ_ASSERT(owns(arena, ptr));
    *clean = new_size;
    if (new_size > arena->limit_bytes)
        return NULL;
    size_t old_block, new_block;
    class_of(old_size, &old_block);
    class_of(new_size, &new_block);
    if (new_block == old_block)
        return ptr;
    if (new_block < old_block) {
        shrink(arena, ptr, old_block, new_block);
        return ptr;
    }
    size_t more = new_block - old_block;
    if (ptr + old_block == arena->top && more <= (size_t)(arena->end - arena->top)) {
        arena->top += more;
        account(arena, more);
        if (arena->fresh)
            *clean = old_block;
        return ptr;
    }
    bool fresh = false;
    void *moved = take(arena, new_size, &fresh);
    if (moved == NULL)
        return NULL;
    if (fresh)
        *clean = old_size;
    memcpy(moved, ptr, old_size);
    lz_arena_free(arena, ptr, old_size);
    return moved;
}

void *lz_arena_try_resize(struct lz_arena *arena, void *ptr, size_t old_size, size_t new_size)
{
    size_t clean;
    if (ptr == NULL)
        return lz_arena_try(arena, new_size);
    return resize(arena, ptr, old_size, new_size, &clean);
}

void *lz_arena_resize(struct lz_arena *arena, void *ptr, size_t old_size, size_t new_size)
{
    if (ptr == NULL)
        return lz_arena_alloc(arena, new_size);
    size_t clean;
    unsigned char *bytes = resize(arena, ptr, old_size, new_size, &clean);
    if (bytes == NULL)
        full(arena);
    if (clean > new_size)
        clean = new_size;
    if (clean > old_size)
        memset(bytes + old_size, 0, clean - old_size);
    return bytes;
}

char *lz_arena_strdup(struct lz_arena *arena, const char *text)
{
    LZ_ASSERT(text != NULL);
    size_t size = strlen(text) + 1;
    char *copy = lz_arena_alloc(arena, size);
    return memcpy(copy, text, size);
}

static bool map_at(uintptr_t address, size_t size, struct lz_err *err)
{
    void *got = mmap((void *)address, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == MAP_FAILED)
        return lz_fail(err, errno == EEXIST ? LZ_EEXIST : LZ_EIO,
                       "cannot map %zu bytes at %#zx: %s", size, (size_t)address, strerror(errno));
    if ((uintptr_t)got == address)
        return true;
    munmap(got, size); // kernels before 4.17 take the address for a wish
    return lz_fail(err, LZ_EEXIST, "cannot map %zu bytes at %#zx: the address is taken", size,
                   (size_t)address);
}

static bool is_open(const struct lz_arena_image *image)
{
    struct stat now;
    return image->fd >= 0 && fstat(image->fd, &now) == 0 && now.st_ino == image->inode &&
           now.st_dev == image->device;
}

// The image at the beginning of new pages. Their copies are made when they are written to.
static void lay(uintptr_t address, const struct lz_arena_image *image)
{
    if (!is_open(image) ||
        mmap((void *)address, image->mapped, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, image->fd, 0) == MAP_FAILED)
        memcpy((void *)address, image->bytes, image->mapped);
}

/*
 * Give the image's content back to those pages of an arena that have copies of their own, by what
 * the kernel tells of each (proc_pid_pagemap(5)). Forgetting the copies has the next universe
 * make them anew by faults, at thirty times the cost. False if it cannot be told.
 */
static bool restore(unsigned char *bytes, const struct lz_arena_image *image)
{
    uint64_t tells[256];
    const uint64_t is_there = 1ull << 63, is_swapped = 1ull << 62, is_file = 1ull << 61;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); // a child's is another one
    bool ok = fd >= 0 && sysconf(_SC_PAGESIZE) == (long)PAGE;
    for (size_t at = 0; ok && at < image->mapped; at += sizeof(tells) / sizeof(*tells) * PAGE) {
        size_t left = (image->mapped - at) / PAGE;
        size_t count =
            left < sizeof(tells) / sizeof(*tells) ? left : sizeof(tells) / sizeof(*tells);
        size_t size = count * sizeof(*tells);
        off_t from = (off_t)(((uintptr_t)bytes + at) / PAGE * sizeof(*tells));
        ok = pread(fd, tells, size, from) == (ssize_t)size;
        for (size_t i = 0; ok && i < count; i++)
            if ((tells[i] & (is_there | is_swapped)) != 0 && (tells[i] & is_file) == 0)
                memcpy(bytes + at + i * PAGE, image->bytes + at + i * PAGE, PAGE);
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

// Pages of an arena that was destroyed, as if they were new.
static bool use_spare(const struct lz_arena_image *image)
{
    unsigned char *bytes = spare.address;
    size_t clean = 0;
    if (image != NULL) {
        if (image->fd < 0 || !restore(bytes, image))
            return false; // others will be mapped
        clean = image->mapped;
    }
    if (spare.dirty > clean)
        memset(bytes + clean, 0, spare.dirty - clean);
    spare.address = NULL;
    return true;
}

// Pages of an arena of this size, with the image at their beginning if there is one, else zero.
static bool find_pages(uintptr_t address, size_t size, const struct lz_arena_image *image,
                       struct lz_err *err)
{
    if (spare.address == (void *)address && spare.size == size && spare.image == image &&
        use_spare(image))
        return true;
    if (spare.address == (void *)address)
        lz_arena_trim();
    if (!map_at(address, size, err))
        return false;
    if (size > ORDINARY_PAGES) // only a hint: where there are no huge pages, nothing is lost
        (void)madvise((void *)(address + ORDINARY_PAGES), size - ORDINARY_PAGES, MADV_HUGEPAGE);
    size_t first = image != NULL ? image->mapped : 0, many = image != NULL ? BUILT : LOADED;
    if (image != NULL)
        lay(address, image);
#ifdef MADV_POPULATE_WRITE // a hint too: in one go, what a scenario needs to be loaded
    if (first < size)
        (void)madvise((void *)(address + first), many < size - first ? many : size - first,
                      MADV_POPULATE_WRITE);
#endif
    return true;
}

static bool make(const struct lz_arena_opts *opts, const struct lz_arena_image *image,
                 struct lz_arena **out, struct lz_err *err)
{
    LZ_ASSERT(opts->slot < LZ_ARENA_SLOTS);
    size_t limit = opts->limit_bytes > 0 ? opts->limit_bytes : LIMIT_DEFAULT;
    size_t limit_max = SLOT_STRIDE / 2;
    if (limit > limit_max)
        return lz_fail(err, LZ_ERANGE, "memory limit must be at most %zu bytes, got %zu", limit_max,
                       limit);
    size_t size = round_up(first_offset() + limit, PAGE);
    LZ_ASSERT(image == NULL || image->mapped <= size);
    uintptr_t address = SLOT_BASE + opts->slot * SLOT_STRIDE;
    if (!find_pages(address, size, image, err))
        return false;

    struct lz_arena *arena = (struct lz_arena *)address;
    if (image == NULL) {
        arena->top = (unsigned char *)arena + first_offset();
        arena->fresh = true;
    }
    arena->limit_bytes = limit;
    arena->end = arena->map_end = (unsigned char *)arena + first_offset() + limit;
    arena->lists.first_offset = first_offset();
    arena->lists.extent_max = (size_t)(arena->map_end - (unsigned char *)arena);
    LZ_ASSERT((uintptr_t)arena->top % UNIT == 0);
    *out = arena;
    return true;
}

bool lz_arena_create(const struct lz_arena_opts *opts, struct lz_arena **out, struct lz_err *err)
{
    return make(opts, NULL, out, err);
}

size_t lz_arena_extent(const struct lz_arena *arena)
{
    return arena->fresh ? (size_t)(arena->top - (const unsigned char *)arena) : 0;
}

void lz_arena_settle(struct lz_arena *arena)
{
    memset(arena->lists.free, 0, sizeof(arena->lists.free));
}

// A file in memory of the image's size, mapped; false if the machine makes none.
static bool open_file(struct lz_arena_image *image)
{
    struct stat status;
    image->fd = memfd_create("lorenz", MFD_CLOEXEC);
    if (image->fd < 0)
        return false;
    if (ftruncate(image->fd, (off_t)image->mapped) == 0 && fstat(image->fd, &status) == 0) {
        void *bytes = mmap(NULL, image->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, image->fd, 0);
        image->inode = status.st_ino;
        image->device = status.st_dev;
        image->bytes = bytes;
        if (bytes != MAP_FAILED)
            return true;
    }
    close(image->fd);
    image->fd = -1;
    return false;
}

struct lz_arena_image *lz_arena_image_create(const struct lz_arena *arena)
{
    size_t size = lz_arena_extent(arena);
    if (size == 0)
        return NULL;
    struct lz_arena_image *image = lz_mem_alloc(sizeof(*image));
    *image = (struct lz_arena_image){.size = size, .mapped = round_up(size, PAGE)};
    if (!open_file(image)) {
        image->bytes = lz_mem_alloc(image->mapped);
        memset(image->bytes + size, 0, image->mapped - size);
    }
    memcpy(image->bytes, arena, size);
    return image;
}

void lz_arena_image_destroy(struct lz_arena_image *image)
{
    if (image == NULL)
        return;
    if (spare.image == image)
        lz_arena_trim();
    if (image->fd >= 0) {
        if (is_open(image))
            close(image->fd);
        munmap(image->bytes, image->mapped);
    } else {
        free(image->bytes);
    }
    free(image);
}

size_t lz_arena_image_size(const struct lz_arena_image *image)
{
    return image->size;
}

bool lz_arena_revive(const struct lz_arena_opts *opts, const struct lz_arena_image *image,
                     struct lz_arena **out, struct lz_err *err)
{
    if (!make(opts, image, out, err))
        return false;
    struct lz_arena *arena = *out;
    arena->on_full = NULL;
    arena->on_full_ctx = NULL;
    arena->image = image;
    LZ_ASSERT(arena->top == (unsigned char *)arena + image->size);
    return true;
}

static void unmap(void *address, size_t size)
{
    int failed = munmap(address, size);
    LZ_ASSERT(failed == 0);
}

void lz_arena_trim(void)
{
    if (spare.address != NULL)
        unmap(spare.address, spare.size);
    spare.address = NULL;
    spare.image = NULL;
}

void lz_arena_destroy(struct lz_arena *arena)
{
    if (arena == NULL)
        return;
    size_t size = round_up((size_t)(arena->map_end - (unsigned char *)arena), (size_t)4096);
    size_t extent = lz_arena_extent(arena);
    if (extent == 0 || extent > ORDINARY_PAGES) {
        unmap(arena, size);
        return;
    }
    const struct lz_arena_image *image = arena->image;
    lz_arena_trim();
    spare.address = arena;
    spare.size = size;
    spare.dirty = extent;
    spare.image = image;
}

void lz_arena_on_full(struct lz_arena *arena, lz_arena_full_fn *fn, void *ctx)
{
    arena->on_full = fn;
    arena->on_full_ctx = ctx;
}

size_t lz_arena_used(const struct lz_arena *arena)
{
    return arena->lists.used_bytes;
}

size_t lz_arena_peak(const struct lz_arena *arena)
{
    return arena->lists.peak_bytes;
}
