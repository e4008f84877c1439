/*
 * guess.c — a branch predictor over a trace of instructions; README.md says which.
 *
 *     guess START BASE JUMPS < TRACE
 *
 * TRACE is what valgrind's lackey writes with --trace-mem=yes, of which lines "I  ADDRESS,SIZE" are
 * read, from address START on. BASE is taken off each address. JUMPS names a file with a line for
 * each jump: address, c (conditional) or i (indirect), length. Prints, per jump and in order, how
 * often it was guessed wrong, and of how many times.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES 13
#define BITS 12 // of a table's index, and of a tag
#define TARGET_BITS 11
#define PAST (1u << 20) // jumps that are remembered
#define CODE (1u << 23) // bytes of the program
#define BASE_BITS 15

static const uint32_t lengths[TABLES] = {4, 7, 11, 17, 26, 40, 60, 90, 130, 190, 280, 420, 640};

// The last `length` outcomes, folded to `bits` by exclusive or.
struct fold {
    uint32_t value, length, bits;
};

struct guess {
    uint16_t tag;
    int8_t taken; // -4 .. 3
    uint8_t useful;
};

struct target {
    uint64_t to;
    uint16_t tag;
    uint8_t trust, useful;
};

struct jump {
    uint8_t kind; // 'c', 'i' or 0
    uint8_t length;
    uint64_t times, wrong;
};

static struct guess guesses[TABLES][1u << BITS];
static struct target targets[TABLES][1u << TARGET_BITS];
static int8_t base[1u << BASE_BITS];
static uint64_t base_target[1u << BITS];
static struct fold index_of[TABLES], tag_a[TABLES], tag_b[TABLES];
static uint8_t past[PAST];
static uint32_t now, seed = 1;
static struct jump jumps[CODE];

static uint32_t chance(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 16;
}

static void fold_in(struct fold *f)
{
    uint32_t old = past[(now - f->length) % PAST];
    f->value = (f->value << 1 | past[now % PAST]) ^ old << f->length % f->bits;
    f->value = (f->value ^ f->value >> f->bits) & ((1u << f->bits) - 1);
}

static void remember(uint32_t outcome)
{
    past[++now % PAST] = outcome & 1u;
    for (int i = 0; i < TABLES; i++) {
        fold_in(&index_of[i]);
        fold_in(&tag_a[i]);
        fold_in(&tag_b[i]);
    }
}

static uint32_t index_at(uint32_t at, int table, uint32_t bits)
{
    return (at ^ at >> (BITS - table % 3) ^ index_of[table].value ^ (uint32_t)table * 0x9e5) &
           ((1u << bits) - 1);
}

static uint16_t tag_at(uint32_t at, int table)
{
    return (uint16_t)((at * 3 ^ at >> 5 ^ tag_a[table].value ^ tag_b[table].value << 1) &
                      ((1u << BITS) - 1));
}

static void toward(int8_t *counter, int taken, int8_t least, int8_t most)
{
    if (taken && *counter < most)
        ++*counter;
    else if (!taken && *counter > least)
        --*counter;
}

// Longer histories are asked to do better.
static void widen(uint32_t at, int table, int taken)
{
    int given = 0;
    for (int i = table + 1 + (int)(chance() & 1u); i < TABLES && given < 2; i++) {
        struct guess *g = &guesses[i][index_at(at, i, BITS)];
        if (g->useful > 0)
            continue;
        *g = (struct guess){.tag = tag_at(at, i), .taken = taken ? 0 : -1};
        given++;
        i++;
    }
    for (int i = table + 1; i < TABLES && given == 0; i++) {
        struct guess *g = &guesses[i][index_at(at, i, BITS)];
        g->useful -= g->useful > 0;
    }
}

static void conditional(uint32_t at, int taken)
{
    struct guess *hit = NULL, *other = NULL;
    int table = -1;
    for (int i = TABLES - 1; i >= 0 && other == NULL; i--) {
        struct guess *g = &guesses[i][index_at(at, i, BITS)];
        if (g->tag != tag_at(at, i))
            continue;
        if (hit == NULL) {
            hit = g;
            table = i;
        } else {
            other = g;
        }
    }
    int8_t *plain = &base[(at ^ at >> 13) % (1u << BASE_BITS)];
    int second = other != NULL ? other->taken >= 0 : *plain >= 0;
    int is_weak = hit != NULL && hit->useful == 0 && (hit->taken == 0 || hit->taken == -1);
    int guessed = hit != NULL && !is_weak ? hit->taken >= 0 : second;
    jumps[at].times++;
    jumps[at].wrong += guessed != taken;
    if (hit != NULL) {
        if ((hit->taken >= 0) != second && (hit->taken >= 0) == taken)
            hit->useful += hit->useful < 3;
        else if ((hit->taken >= 0) != second)
            hit->useful -= hit->useful > 0;
        toward(&hit->taken, taken, -4, 3);
    }
    if (hit == NULL || (hit->useful == 0 && other == NULL))
        toward(plain, taken, -2, 1);
    if (guessed != taken)
        widen(at, table, taken);
    remember((uint32_t)taken);
}

static void indirect(uint32_t at, uint64_t to)
{
    struct target *hit = NULL;
    int table = TABLES - 1;
    for (; table >= 0 && hit == NULL; table--) {
        struct target *t = &targets[table][index_at(at, table, TARGET_BITS)];
        if (t->tag == tag_at(at, table))
            hit = t;
    }
    table += hit != NULL; // of the hit
    uint64_t *plain = &base_target[(at ^ at >> 7) % (1u << BITS)];
    int is_wrong = (hit != NULL ? hit->to : *plain) != to;
    jumps[at].times++;
    jumps[at].wrong += (uint64_t)is_wrong;
    if (hit != NULL && hit->to == to) {
        hit->trust += hit->trust < 3;
        hit->useful = 1;
    } else if (hit != NULL && hit->trust > 0) {
        hit->trust--;
    } else if (hit != NULL) {
        hit->to = to;
        hit->useful = 0;
    }
    *plain = to;
    for (int i = table + 1; is_wrong && i < TABLES; i++) {
        struct target *t = &targets[i][index_at(at, i, TARGET_BITS)];
        if (t->useful == 0) {
            *t = (struct target){.to = to, .tag = tag_at(at, i)};
            break;
        }
        t->useful = (chance() & 3u) != 0;
    }
    for (uint32_t bit = 4; bit <= 10; bit += 2)
        remember((uint32_t)(to >> bit));
}

static int read_jumps(const char *path)
{
    FILE *file = fopen(path, "r");
    unsigned long at;
    char kind;
    unsigned length;
    if (file == NULL)
        return 0;
    while (fscanf(file, "%lx %c %u", &at, &kind, &length) == 3)
        if (at < CODE)
            jumps[at] = (struct jump){.kind = (uint8_t)kind, .length = (uint8_t)length};
    fclose(file);
    return 1;
}

static int by_wrong(const void *a, const void *b)
{
    uint64_t x = jumps[*(const uint32_t *)a].wrong, y = jumps[*(const uint32_t *)b].wrong;
    return (y > x) - (y < x);
}

static void print_all(void)
{
    static uint32_t order[CODE];
    uint32_t count = 0;
    for (uint32_t at = 0; at < CODE; at++)
        if (jumps[at].wrong > 0)
            order[count++] = at;
    qsort(order, count, sizeof(*order), by_wrong);
    for (uint32_t i = 0; i < count; i++)
        printf("%x %lu %lu\n", order[i], (unsigned long)jumps[order[i]].wrong,
               (unsigned long)jumps[order[i]].times);
}

int main(int argc, char **argv)
{
    if (argc != 4 || !read_jumps(argv[3])) {
        fprintf(stderr, "guess START BASE JUMPS < TRACE\n");
        return 2;
    }
    uint64_t start = strtoull(argv[1], NULL, 16), off = strtoull(argv[2], NULL, 16), before = CODE;
    for (int i = 0; i < TABLES; i++) {
        index_of[i] = (struct fold){.length = lengths[i], .bits = BITS};
        tag_a[i] = (struct fold){.length = lengths[i], .bits = BITS};
        tag_b[i] = (struct fold){.length = lengths[i], .bits = BITS - 1};
    }
    char line[256];
    for (int is_on = 0; fgets(line, sizeof(line), stdin) != NULL;) {
        if (line[0] != 'I')
            continue;
        uint64_t at = strtoull(line + 3, NULL, 16);
        is_on = is_on || at == start;
        if (!is_on)
            continue;
        at -= off;
        if (before < CODE && jumps[before].kind == 'c')
            conditional((uint32_t)before, at != before + jumps[before].length);
        else if (before < CODE && jumps[before].kind == 'i')
            indirect((uint32_t)before, at);
        before = at;
    }
    print_all();
    return 0;
}
