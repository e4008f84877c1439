#include "promql/regex.h"

#include <string.h>

#include "base/check.h"
#include "promql/regex_tree.h"

#define SAVED (2 * LZ_PROMQL_REGEX_GROUPS_MAX)

// Threads in the order in which their ways are preferred; no instruction twice.
struct list {
    uint32_t *pcs;
    int32_t *saved; // of each thread, ends of groups
    uint32_t count;
};

struct lz_promql_runner {
    const struct lz_promql_regex *re;
    const char *text, *at;
    uint32_t *seen, step; // of each instruction, the step that last added it
    uint32_t *stack;      // of `follow`: instructions, or ends of groups to be put back
    int32_t *stacked;
    struct list lists[2];
    uint32_t saved; // how many of a thread's are used; none where only the whole counts
};

// ---------------------------------------------------------------- the program

struct compiler {
    struct lz_promql_scratch *scratch;
    struct lz_promql_regex *re;
    bool is_full;
};

static uint32_t emit(struct compiler *c, struct lz_promql_code code)
{
    struct lz_promql_regex *re = c->re;
    if (re->count == LZ_PROMQL_REGEX_SIZE_MAX) {
        c->is_full = true;
        return 0;
    }
    re->all =
        lz_promql_scratch_grow(c->scratch, re->all, &re->cap, re->count + 1, sizeof(*re->all));
    re->all[re->count] = code;
    return re->count++;
}

static void put(struct compiler *c, const struct lz_promql_tree *t);

// A way in and a way past it; the first is tried first unless it is lazy.
static void aim(struct compiler *c, uint32_t split, uint32_t in, uint32_t past, bool is_lazy)
{
    c->re->all[split].x = is_lazy ? past : in;
    c->re->all[split].y = is_lazy ? in : past;
}

// a*: over and over, or not at all.
static void put_star(struct compiler *c, const struct lz_promql_tree *t)
{
    uint32_t split = emit(c, (struct lz_promql_code){.op = LZ_PROMQL_OP_SPLIT});
    put(c, t->a);
    emit(c, (struct lz_promql_code){.op = LZ_PROMQL_OP_JUMP, .x = split});
    if (!c->is_full)
        aim(c, split, split + 1, c->re->count, t->is_lazy);
}

static void put_repeat(struct compiler *c, const struct lz_promql_tree *t)
{
    for (uint32_t i = 0; i < t->least && !c->is_full; i++)
        put(c, t->a);
    if (t->most == LZ_PROMQL_NO_MOST) {
        put_star(c, t);
        return;
    }
    uint32_t optional = t->most - t->least, *splits = NULL;
    splits = lz_promql_scratch_alloc(c->scratch, (optional + 1) * sizeof(*splits));
    for (uint32_t i = 0; i < optional && !c->is_full; i++) {
        splits[i] = emit(c, (struct lz_promql_code){.op = LZ_PROMQL_OP_SPLIT});
        put(c, t->a);
    }
    for (uint32_t i = 0; i < optional && !c->is_full; i++)
        aim(c, splits[i], splits[i] + 1, c->re->count, t->is_lazy);
}

static void put_or(struct compiler *c, const struct lz_promql_tree *t)
{
    uint32_t split = emit(c, (struct lz_promql_code){.op = LZ_PROMQL_OP_SPLIT});
    put(c, t->a);
    uint32_t jump = emit(c, (struct lz_promql_code){.op = LZ_PROMQL_OP_JUMP});
    if (!c->is_full)
        aim(c, split, split + 1, c->re->count, false);
    put(c, t->b);
    if (!c->is_full)
        c->re->all[jump].x = c->re->count;
}

static void put(struct compiler *c, const struct lz_promql_tree *t)
{
    if (c->is_full)
        return;
    switch (t->kind) {
    case LZ_PROMQL_TREE_EMPTY:
        return;
    case LZ_PROMQL_TREE_SET:
        emit(c, (struct lz_promql_code){.op = t->set != NULL ? LZ_PROMQL_OP_SET : LZ_PROMQL_OP_ANY,
                                        .set = t->set});
        return;
    case LZ_PROMQL_TREE_PAIR:
        put(c, t->a);
        put(c, t->b);
        return;
    case LZ_PROMQL_TREE_OR:
        put_or(c, t);
        return;
    case LZ_PROMQL_TREE_REPEAT:
        put_repeat(c, t);
        return;
    case LZ_PROMQL_TREE_GROUP:
        emit(c, (struct lz_promql_code){.op = LZ_PROMQL_OP_SAVE, .x = 2 * t->group});
        put(c, t->a);
        emit(c, (struct lz_promql_code){.op = LZ_PROMQL_OP_SAVE, .x = 2 * t->group + 1});
        return;
    case LZ_PROMQL_TREE_PLACE:
        emit(c, (struct lz_promql_code){.op = t->place});
        return;
    }
}

// Once: a pattern is asked of each series, and at each step of a subquery.
static struct lz_promql_runner *runner_for(const struct lz_promql_regex *re,
                                           struct lz_promql_scratch *s)
{
    size_t count = re->count, ends = re->groups > 1 ? 2 * re->groups : 0;
    struct lz_promql_runner *r = lz_promql_scratch_alloc(s, sizeof(*r));
    r->re = re;
    r->seen = lz_promql_scratch_alloc(s, count * sizeof(*r->seen));
    // Each instruction is followed once and stacks two at most.
    r->stack = lz_promql_scratch_alloc(s, (2 * count + 2) * sizeof(*r->stack));
    r->stacked = lz_promql_scratch_alloc(s, (2 * count + 2) * sizeof(*r->stacked));
    for (int i = 0; i < 2; i++) {
        r->lists[i].pcs = lz_promql_scratch_alloc(s, count * sizeof(*r->lists[i].pcs));
        r->lists[i].saved = lz_promql_scratch_alloc(s, count * ends * sizeof(*r->lists[i].saved));
    }
    return r;
}

bool lz_promql_regex_compile(struct lz_promql_scratch *s, const char *pattern,
                             const struct lz_promql_regex **out, size_t *where, struct lz_err *err)
{
    size_t nowhere = 0, *at = where != NULL ? where : &nowhere;
    *at = 0;
    if (strlen(pattern) > LZ_PROMQL_REGEX_BYTES_MAX)
        return lz_fail(err, LZ_EFULL, "a regular expression of %zu bytes, %d are allowed",
                       strlen(pattern), LZ_PROMQL_REGEX_BYTES_MAX);
    struct lz_promql_regex *re = lz_promql_scratch_alloc(s, sizeof(*re));
    const struct lz_promql_tree *t = lz_promql_regex_parse(s, pattern, re, at, err);
    if (t == NULL)
        return false;
    struct compiler c = {.scratch = s, .re = re};
    put(&c, t);
    emit(&c, (struct lz_promql_code){.op = LZ_PROMQL_OP_MATCH});
    if (c.is_full)
        return lz_fail(err, LZ_EFULL,
                       "a regular expression of more than %d steps: repeat less often",
                       LZ_PROMQL_REGEX_SIZE_MAX);
    re->runner = runner_for(re, s);
    *out = re;
    return true;
}

// ---------------------------------------------------------------- all ways at once

static bool is_word(const char *text, const char *at)
{
    char c = at < text ? '\0' : *at;
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool holds(const struct lz_promql_runner *r, enum lz_promql_op op)
{
    bool begins = r->at == r->text, ends = *r->at == '\0';
    bool edge = is_word(r->text, r->at - 1) != is_word(r->text, r->at);
    return op == LZ_PROMQL_OP_BEGIN        ? begins
           : op == LZ_PROMQL_OP_END        ? ends
           : op == LZ_PROMQL_OP_LINE_BEGIN ? begins || r->at[-1] == '\n'
           : op == LZ_PROMQL_OP_LINE_END   ? ends || *r->at == '\n'
           : op == LZ_PROMQL_OP_WORD       ? edge
                                           : !edge;
}

#define PUT_BACK 0x80000000u

// From `pc` on, to all that waits for a character; depth first, which is the order of preference.
static void follow(struct lz_promql_runner *r, struct list *list, uint32_t pc, int32_t *saved)
{
    uint32_t depth = 0;
    r->stack[depth++] = pc;
    while (depth > 0) {
        uint32_t top = r->stack[--depth];
        if ((top & PUT_BACK) != 0) {
            saved[top & ~PUT_BACK] = r->stacked[depth];
            continue;
        }
        const struct lz_promql_code *c = &r->re->all[top];
        if (r->seen[top] == r->step)
            continue;
        r->seen[top] = r->step;
        if (c->op == LZ_PROMQL_OP_JUMP) {
            r->stack[depth++] = c->x;
        } else if (c->op == LZ_PROMQL_OP_SPLIT) {
            r->stack[depth++] = c->y;
            r->stack[depth++] = c->x;
        } else if (c->op == LZ_PROMQL_OP_SAVE) {
            r->stacked[depth] = saved[c->x];
            r->stack[depth++] = c->x | PUT_BACK;
            r->stack[depth++] = top + 1;
            saved[c->x] = (int32_t)(r->at - r->text);
        } else if (c->op >= LZ_PROMQL_OP_BEGIN && c->op <= LZ_PROMQL_OP_NO_WORD) {
            if (holds(r, c->op))
                r->stack[depth++] = top + 1;
        } else {
            if (r->saved > 0)
                memcpy(list->saved + (size_t)list->count * r->saved, saved,
                       r->saved * sizeof(*saved));
            list->pcs[list->count++] = top;
        }
    }
}

static bool takes(const struct lz_promql_code *code, uint32_t c)
{
    if (code->op == LZ_PROMQL_OP_ANY)
        return true;
    if (code->op != LZ_PROMQL_OP_SET)
        return false;
    for (uint32_t i = 0; i < code->set->count; i++)
        if (c >= code->set->ranges[i].from && c <= code->set->ranges[i].until)
            return !code->set->is_not;
    return code->set->is_not;
}

// Steps are counted on from one text to the next, so that `seen` need not be cleared.
static void next_step(struct lz_promql_runner *r, struct list *list)
{
    if (++r->step == 0) {
        memset(r->seen, 0, r->re->count * sizeof(*r->seen));
        r->step = 1;
    }
    list->count = 0;
}

// The first thread that has it all where the text ends: the preferred way; its `saved` in `out`.
static bool run(struct lz_promql_runner *r, const char *text, uint32_t ends, int32_t out[SAVED])
{
    struct list *now = &r->lists[0], *next = &r->lists[1];
    int32_t saved[SAVED];
    for (int i = 0; i < SAVED; i++)
        saved[i] = -1;
    r->text = r->at = text;
    r->saved = ends;
    next_step(r, now);
    follow(r, now, 0, saved);
    while (*r->at != '\0' && now->count > 0) {
        uint32_t c = lz_promql_regex_char(&r->at);
        next_step(r, next);
        for (uint32_t i = 0; i < now->count; i++) {
            if (!takes(&r->re->all[now->pcs[i]], c))
                continue;
            if (ends > 0)
                memcpy(saved, now->saved + (size_t)i * ends, ends * sizeof(*saved));
            follow(r, next, now->pcs[i] + 1, saved);
        }
        struct list *swap = now;
        now = next;
        next = swap;
    }
    for (uint32_t i = 0; i < now->count && *r->at == '\0'; i++) {
        if (r->re->all[now->pcs[i]].op != LZ_PROMQL_OP_MATCH)
            continue;
        if (ends > 0)
            memcpy(out, now->saved + (size_t)i * ends, ends * sizeof(*out));
        return true;
    }
    return false;
}

bool lz_promql_regex_matches(const struct lz_promql_regex *re, const char *text)
{
    return run(re->runner, text, 0, NULL);
}

bool lz_promql_regex_groups(const struct lz_promql_regex *re, const char *text,
                            struct lz_promql_groups_found *out)
{
    int32_t saved[SAVED];
    if (!run(re->runner, text, re->groups > 1 ? 2 * re->groups : 0, saved))
        return false;
    for (uint32_t i = 1; i < re->groups; i++) {
        bool has = saved[2 * i] >= 0 && saved[2 * i + 1] >= 0;
        out->from[i] = has ? saved[2 * i] : -1;
        out->until[i] = has ? saved[2 * i + 1] : -1;
    }
    out->from[0] = 0;
    out->until[0] = (int32_t)strlen(text);
    return true;
}

// ---------------------------------------------------------------- what label_replace writes

static uint32_t group_named(const struct lz_promql_regex *re, const char *name, size_t len)
{
    uint32_t number = 0;
    size_t digits = 0;
    while (digits < len && name[digits] >= '0' && name[digits] <= '9' && number < 1000)
        number = number * 10 + (uint32_t)(name[digits++] - '0');
    if (digits == len)
        return number;
    for (uint32_t i = 1; i < re->groups; i++)
        if (re->names[i] != NULL && strlen(re->names[i]) == len &&
            strncmp(re->names[i], name, len) == 0)
            return i;
    return re->groups;
}

// $name or ${name} at `at`: how long it is with all around it, 0 if it is neither.
static size_t reference(const char *at, const char **name, size_t *len)
{
    bool braced = at[1] == '{';
    *name = at + (braced ? 2 : 1);
    *len = 0;
    while (is_word(at, *name + *len))
        (*len)++;
    if (*len == 0 || (braced && (*name)[*len] != '}'))
        return 0;
    return (size_t)(*name - at) + *len + (braced ? 1 : 0);
}

struct buffer {
    struct lz_promql_scratch *scratch;
    char *text;
    uint32_t len, cap;
};

static void append(struct buffer *b, const char *text, size_t len)
{
    b->text = lz_promql_scratch_grow(b->scratch, b->text, &b->cap, b->len + (uint32_t)len + 1, 1);
    memcpy(b->text + b->len, text, len);
    b->len += (uint32_t)len;
    b->text[b->len] = '\0';
}

const char *lz_promql_regex_expand(struct lz_promql_scratch *s, const struct lz_promql_regex *re,
                                   const char *tmpl, const char *text,
                                   const struct lz_promql_groups_found *found)
{
    struct buffer b = {.scratch = s};
    append(&b, "", 0);
    for (const char *c = tmpl; *c != '\0';) {
        const char *name = NULL;
        size_t len = 0, whole = *c == '$' ? reference(c, &name, &len) : 0;
        if (whole == 0) {
            append(&b, c, 1);
            c += c[0] == '$' && c[1] == '$' ? 2 : 1;
            continue;
        }
        uint32_t group = group_named(re, name, len);
        if (group < re->groups && found->from[group] >= 0)
            append(&b, text + found->from[group],
                   (size_t)(found->until[group] - found->from[group]));
        c += whole;
    }
    return b.text;
}
