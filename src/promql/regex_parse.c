#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "promql/regex_tree.h"

#define LAST_CHAR 0x10ffffu

struct flags {
    bool any_case, lines, no_newline;
};

typedef const struct lz_promql_tree tree;

struct parser {
    struct lz_promql_scratch *scratch;
    struct lz_promql_regex *re;
    const char *pattern, *at;
    struct flags flags;
    tree *before; // what \Q..\E has but for its last character
    uint32_t depth;
    struct lz_err *err;
};

uint32_t lz_promql_regex_char(const char **at)
{
    const unsigned char *p = (const unsigned char *)*at;
    uint32_t c = p[0];
    uint32_t more = c >= 0xf0 && c < 0xf8 ? 3 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xc2 && c < 0xe0;
    for (uint32_t i = 1; i <= more; i++)
        if ((p[i] & 0xc0) != 0x80)
            more = 0;
    *at += 1 + more;
    if (more == 0)
        return c;
    c &= 0x3fu >> more;
    for (uint32_t i = 1; i <= more; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

static tree *complain(struct parser *p, const char *what)
{
    if (p->err->msg[0] == '\0')
        lz_fail(p->err, LZ_EINVAL, "%s", what);
    return NULL;
}

static tree *make(struct parser *p, struct lz_promql_tree t)
{
    struct lz_promql_tree *copy = lz_promql_scratch_alloc(p->scratch, sizeof(*copy));
    *copy = t;
    uint32_t a = t.a != NULL ? t.a->times : 0, b = t.b != NULL ? t.b->times : 0;
    if (copy->times == 0)
        copy->times = a > b ? a : b;
    return copy;
}

// ---------------------------------------------------------------- sets of characters

static void add_plain(struct parser *p, struct lz_promql_set *set, uint32_t from, uint32_t until)
{
    set->ranges = lz_promql_scratch_grow(p->scratch, set->ranges, &set->cap, set->count + 1,
                                         sizeof(*set->ranges));
    set->ranges[set->count].from = from;
    set->ranges[set->count++].until = until;
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

// With (?i), letters of the other case too.
static void add_range(struct parser *p, struct lz_promql_set *set, uint32_t from, uint32_t until)
{
    add_plain(p, set, from, until);
    if (!p->flags.any_case)
        return;
    if (from <= 'z' && until >= 'a')
        add_plain(p, set, most_of(from, 'a') - 32, least_of(until, 'z') - 32);
    if (from <= 'Z' && until >= 'A')
        add_plain(p, set, most_of(from, 'A') + 32, least_of(until, 'Z') + 32);
}

// Pairs of characters; what lies between belongs to it.
static const char *class_of(char name)
{
    return name == 'd' ? "09" : name == 'w' ? "09AZ__az" : name == 's' ? "\t\n\f\r  " : NULL;
}

static void add_class(struct parser *p, struct lz_promql_set *set, const char *pairs, bool is_not)
{
    uint32_t next = 0;
    for (const char *c = pairs; *c != '\0'; c += 2) {
        uint32_t from = (unsigned char)c[0], until = (unsigned char)c[1];
        if (!is_not)
            add_plain(p, set, from, until);
        else if (from > next)
            add_plain(p, set, next, from - 1);
        next = until + 1;
    }
    if (is_not)
        add_plain(p, set, next, LAST_CHAR);
}

static tree *set_tree(struct parser *p, const struct lz_promql_set *set)
{
    return make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_SET, .set = set});
}

static tree *char_tree(struct parser *p, uint32_t c)
{
    struct lz_promql_set *set = lz_promql_scratch_alloc(p->scratch, sizeof(*set));
    add_range(p, set, c, c);
    return set_tree(p, set);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// Behind \x: two digits, or any number in braces.
static bool read_hex(struct parser *p, uint32_t *out)
{
    bool braced = *p->at == '{';
    uint32_t digits = 0, c = 0;
    p->at += braced ? 1 : 0;
    while (hex_digit(*p->at) >= 0 && digits < (braced ? 6u : 2u)) {
        c = c * 16 + (uint32_t)hex_digit(*p->at++);
        digits++;
    }
    if (digits == 0 || (braced ? *p->at != '}' : digits != 2) || c > LAST_CHAR)
        return complain(p, "\\x needs two hexadecimal digits, or {digits} up to 10FFFF") != NULL;
    p->at += braced ? 1 : 0;
    *out = c;
    return true;
}

// A character behind a backslash that stands for itself or for what cannot be typed.
static bool read_escape(struct parser *p, uint32_t *out)
{
    static const char names[] = "tnrfva", values[] = "\t\n\r\f\v\a";
    char c = *p->at;
    if (c == '\0')
        return complain(p, "a backslash at the end") != NULL;
    const char *known = strchr(names, c);
    if (c == 'x') {
        p->at++;
        return read_hex(p, out);
    }
    if (known != NULL) {
        p->at++;
        *out = (unsigned char)values[known - names];
        return true;
    }
    if (c == 'p' || c == 'P')
        return complain(p, "Unicode classes (\\p) are not supported: name the characters") != NULL;
    if ((c >= '1' && c <= '9'))
        return complain(p, "RE2 has no back-references") != NULL;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0')
        return complain(p, "no such escape") != NULL;
    *out = lz_promql_regex_char(&p->at);
    return true;
}

struct posix {
    const char *name, *pairs;
};

static const struct posix posix[] = {
    {"alnum", "09AZaz"},   {"alpha", "AZaz"},    {"ascii", "\x01\x7f"},
    {"blank", "\t\t  "},   {"digit", "09"},      {"cntrl", "\x01\x1f\x7f\x7f"},
    {"graph", "!~"},       {"lower", "az"},      {"print", " ~"},
    {"punct", "!/:@[`{~"}, {"space", "\t\r  "},  {"upper", "AZ"},
    {"word", "09AZ__az"},  {"xdigit", "09AFaf"},
};

// [:alpha:] and [:^alpha:] within brackets.
static bool read_posix(struct parser *p, struct lz_promql_set *set)
{
    bool is_not = p->at[2] == '^';
    const char *name = p->at + 2 + (is_not ? 1 : 0), *end = strstr(name, ":]");
    for (size_t i = 0; end != NULL && i < sizeof(posix) / sizeof(posix[0]); i++) {
        if (strlen(posix[i].name) != (size_t)(end - name) ||
            strncmp(posix[i].name, name, (size_t)(end - name)) != 0)
            continue;
        add_class(p, set, posix[i].pairs, is_not);
        p->at = end + 2;
        return true;
    }
    return complain(p, "no such class: there are [:alnum:] [:alpha:] [:digit:] [:lower:] "
                       "[:punct:] [:space:] [:upper:] [:word:] [:xdigit:] and a few more") != NULL;
}

static bool read_set_char(struct parser *p, uint32_t *out)
{
    if (*p->at == '\\') {
        p->at++;
        return read_escape(p, out);
    }
    *out = lz_promql_regex_char(&p->at);
    return true;
}

static bool read_set_item(struct parser *p, struct lz_promql_set *set)
{
    if (p->at[0] == '[' && p->at[1] == ':')
        return read_posix(p, set);
    char lower = (char)(p->at[1] | 32);
    if (p->at[0] == '\\' && class_of(lower) != NULL) {
        add_class(p, set, class_of(lower), p->at[1] != lower);
        p->at += 2;
        return true;
    }
    uint32_t from = 0, until = 0;
    if (!read_set_char(p, &from))
        return false;
    until = from;
    if (p->at[0] == '-' && p->at[1] != ']' && p->at[1] != '\0') {
        p->at++;
        if (!read_set_char(p, &until))
            return false;
    }
    if (until < from)
        return complain(p, "a range of characters that ends before it begins") != NULL;
    add_range(p, set, from, until);
    return true;
}

static tree *parse_set(struct parser *p)
{
    struct lz_promql_set *set = lz_promql_scratch_alloc(p->scratch, sizeof(*set));
    const char *begin = p->at - 1;
    if (*p->at == '^') {
        set->is_not = true;
        p->at++;
    }
    for (bool first = true; first || *p->at != ']'; first = false) {
        if (*p->at == '\0') {
            p->at = begin;
            return complain(p, "[ without a ]");
        }
        if (!read_set_item(p, set))
            return NULL;
    }
    p->at++;
    return set_tree(p, set);
}

// ---------------------------------------------------------------- what they are put together to

static tree *parse_or(struct parser *p);

static tree *place(struct parser *p, enum lz_promql_op op)
{
    return make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_PLACE, .place = op});
}

// \Q...\E, or to the end: as it stands. Each character is one of its own, so what is repeated
// behind it is the last; the others are `before`.
static tree *parse_quoted(struct parser *p)
{
    tree *before = NULL, *last = make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_EMPTY});
    while (*p->at != '\0' && strncmp(p->at, "\\E", 2) != 0) {
        before = before == NULL ? last
                                : make(p, (struct lz_promql_tree){
                                              .kind = LZ_PROMQL_TREE_PAIR, .a = before, .b = last});
        last = char_tree(p, lz_promql_regex_char(&p->at));
    }
    p->at += *p->at != '\0' ? 2 : 0;
    p->before = before;
    return last;
}

static tree *parse_escape(struct parser *p)
{
    char c = *p->at, lower = (char)(c | 32);
    enum lz_promql_op op = c == 'b'   ? LZ_PROMQL_OP_WORD
                           : c == 'B' ? LZ_PROMQL_OP_NO_WORD
                           : c == 'A' ? LZ_PROMQL_OP_BEGIN
                           : c == 'z' ? LZ_PROMQL_OP_END
                                      : 0;
    if (op != 0) {
        p->at++;
        return place(p, op);
    }
    if (c == 'Q') {
        p->at++;
        return parse_quoted(p);
    }
    if (class_of(lower) != NULL) {
        struct lz_promql_set *set = lz_promql_scratch_alloc(p->scratch, sizeof(*set));
        add_class(p, set, class_of(lower), c != lower);
        p->at++;
        return set_tree(p, set);
    }
    uint32_t value = 0;
    return read_escape(p, &value) ? char_tree(p, value) : NULL;
}

// Behind "(?P<" or "(?<".
static bool read_group_name(struct parser *p, uint32_t group)
{
    const char *end = strchr(p->at, '>');
    size_t len = end != NULL ? (size_t)(end - p->at) : 0;
    for (size_t i = 0; i < len; i++)
        if (class_of('w') == NULL || !(p->at[i] == '_' || hex_digit(p->at[i]) >= 0 ||
                                       ((p->at[i] | 32) >= 'a' && (p->at[i] | 32) <= 'z')))
            len = 0;
    if (len == 0)
        return complain(p, "a group's name is letters, digits and _, and ends with >") != NULL;
    p->re->names[group] = lz_promql_scratch_text(p->scratch, p->at, len);
    p->at = end + 1;
    return true;
}

// Behind "(?": flags, for what is between the brackets or, without ":", for the rest around.
static bool read_flags(struct parser *p, bool *is_group)
{
    bool value = true;
    for (; *p->at != ':' && *p->at != ')'; p->at++) {
        if (*p->at == '-' && value)
            value = false;
        else if (*p->at == 'i')
            p->flags.any_case = value;
        else if (*p->at == 'm')
            p->flags.lines = value;
        else if (*p->at == 's')
            p->flags.no_newline = !value;
        else if (*p->at == '=' || *p->at == '!' || *p->at == '<')
            return complain(p, "RE2 has no look-ahead and no look-behind") != NULL;
        else
            return complain(p, "after (? come flags of i, m and s, or : or P<name>") != NULL;
    }
    *is_group = *p->at++ == ':';
    return true;
}

static bool has_name(const char *at)
{
    return strncmp(at, "P<", 2) == 0 || (at[0] == '<' && at[1] != '=' && at[1] != '!');
}

static tree *parse_group(struct parser *p)
{
    const char *begin = p->at - 1;
    struct flags flags = p->flags;
    bool is_kept = true, is_group = true;
    uint32_t group = 0;
    if (*p->at == '?' && !has_name(p->at + 1)) {
        is_kept = false;
        p->at++;
        if (!read_flags(p, &is_group))
            return NULL;
        if (!is_group) // to the end of what is around it
            return make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_EMPTY});
    } else {
        if (p->re->groups == LZ_PROMQL_REGEX_GROUPS_MAX)
            return complain(p, "more than 31 groups");
        group = p->re->groups++;
        if (*p->at == '?') {
            p->at += p->at[1] == 'P' ? 3 : 2;
            if (!read_group_name(p, group))
                return NULL;
        }
    }
    tree *inner = parse_or(p);
    if (inner == NULL)
        return NULL;
    if (*p->at != ')') {
        p->at = begin;
        return complain(p, "( without a )");
    }
    p->at++;
    p->flags = flags;
    return !is_kept ? inner
                    : make(p, (struct lz_promql_tree){
                                  .kind = LZ_PROMQL_TREE_GROUP, .a = inner, .group = group});
}

static tree *parse_any(struct parser *p)
{
    if (!p->flags.no_newline)
        return set_tree(p, NULL);
    struct lz_promql_set *set = lz_promql_scratch_alloc(p->scratch, sizeof(*set));
    set->is_not = true;
    add_plain(p, set, '\n', '\n');
    return set_tree(p, set);
}

static tree *parse_atom(struct parser *p)
{
    char c = *p->at;
    if (c == '*' || c == '+' || c == '?')
        return complain(p, "nothing to repeat");
    if (strchr("([.^$\\", c) == NULL || c == '\0')
        return char_tree(p, lz_promql_regex_char(&p->at));
    p->at++;
    return c == '('   ? parse_group(p)
           : c == '[' ? parse_set(p)
           : c == '.' ? parse_any(p)
           : c == '^' ? place(p, p->flags.lines ? LZ_PROMQL_OP_LINE_BEGIN : LZ_PROMQL_OP_BEGIN)
           : c == '$' ? place(p, p->flags.lines ? LZ_PROMQL_OP_LINE_END : LZ_PROMQL_OP_END)
                      : parse_escape(p);
}

// Digits, the first of several not 0; what is too much for a repetition stays too much.
static bool read_count(const char **at, uint32_t *out)
{
    const char *c = *at;
    size_t len = strspn(c, "0123456789");
    if (len == 0 || (len > 1 && *c == '0'))
        return false;
    for (*out = 0; len > 0; len--, c++)
        if (*out <= LZ_PROMQL_REGEX_REPEAT_MAX)
            *out = *out * 10 + (uint32_t)(*c - '0');
    *at = c;
    return true;
}

// {n}, {n,} or {n,m}; what is not quite that stands for itself.
static bool read_times(const char **at, uint32_t *least, uint32_t *most)
{
    uint32_t from = 0, until = 0;
    const char *c = *at + 1;
    if (!read_count(&c, &from))
        return false;
    until = from;
    if (*c == ',') {
        c++;
        until = LZ_PROMQL_NO_MOST;
        if (*c != '}' && !read_count(&c, &until))
            return false;
    }
    if (*c != '}')
        return false;
    *at = c + 1;
    *least = from;
    *most = until;
    return true;
}

static bool read_repeat(struct parser *p, uint32_t *least, uint32_t *most)
{
    char c = *p->at;
    if (c == '{')
        return read_times(&p->at, least, most);
    if (c != '*' && c != '+' && c != '?')
        return false;
    *least = c == '+' ? 1 : 0;
    *most = c == '?' ? 1 : LZ_PROMQL_NO_MOST;
    p->at++;
    return true;
}

static bool begins_repeat(const char *at)
{
    uint32_t least = 0, most = 0;
    return *at == '*' || *at == '+' || *at == '?' || (*at == '{' && read_times(&at, &least, &most));
}

// How often something is there, {n,m} in each other, as Go's repeatIsValid counts it; 0: too often.
static uint32_t times_of(tree *inner, bool is_counted, uint32_t least, uint32_t most)
{
    uint32_t times = inner->times > 0 ? inner->times : 1;
    uint32_t own = most != LZ_PROMQL_NO_MOST ? most : least;
    if (!is_counted)
        return times;
    if (own == 0)
        return 1;
    return times * own <= LZ_PROMQL_REGEX_REPEAT_MAX ? times * own : 0;
}

static tree *repeated(struct parser *p, tree *t)
{
    bool is_counted = *p->at == '{';
    uint32_t least = 0, most = 0;
    if (!read_repeat(p, &least, &most))
        return t;
    bool is_lazy = *p->at == '?';
    p->at += is_lazy ? 1 : 0;
    if (least > LZ_PROMQL_REGEX_REPEAT_MAX ||
        (most != LZ_PROMQL_NO_MOST && (most > LZ_PROMQL_REGEX_REPEAT_MAX || most < least)))
        return complain(p, "{n,m}: n is at most m, and both at most 1000");
    if (begins_repeat(p->at))
        return complain(p, "two repetitions in a row: put the first in ( )");
    uint32_t times = times_of(t, is_counted, least, most);
    if (times == 0)
        return complain(p, "{n,m} in each other come to more than 1000: repeat less often");
    return make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_REPEAT,
                                           .a = t,
                                           .least = least,
                                           .most = most,
                                           .times = times,
                                           .is_lazy = is_lazy});
}

static tree *parse_repeat(struct parser *p)
{
    p->before = NULL;
    tree *t = parse_atom(p), *before = p->before;
    if (t != NULL)
        t = repeated(p, t);
    return t == NULL || before == NULL
               ? t
               : make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_PAIR, .a = before, .b = t});
}

static tree *parse_row(struct parser *p)
{
    tree *t = make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_EMPTY});
    while (t != NULL && *p->at != '\0' && *p->at != '|' && *p->at != ')') {
        tree *next = parse_repeat(p);
        t = next == NULL
                ? NULL
                : make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_PAIR, .a = t, .b = next});
    }
    return t;
}

static tree *parse_or(struct parser *p)
{
    if (++p->depth > LZ_PROMQL_REGEX_DEPTH_MAX)
        return complain(p, "groups nested more than 100 deep");
    tree *t = parse_row(p);
    while (t != NULL && *p->at == '|') {
        p->at++;
        tree *next = parse_row(p);
        t = next == NULL
                ? NULL
                : make(p, (struct lz_promql_tree){.kind = LZ_PROMQL_TREE_OR, .a = t, .b = next});
    }
    p->depth--;
    return t;
}

const struct lz_promql_tree *lz_promql_regex_parse(struct lz_promql_scratch *s, const char *pattern,
                                                   struct lz_promql_regex *re, size_t *where,
                                                   struct lz_err *err)
{
    struct lz_err why = {.msg = ""};
    struct parser p = {.scratch = s, .re = re, .pattern = pattern, .at = pattern, .err = &why};
    re->groups = 1;
    tree *t = parse_or(&p);
    if (t != NULL && *p.at == ')')
        t = complain(&p, ") without a (");
    LZ_ASSERT(LZ_IMPLIES(t != NULL, *p.at == '\0'));
    if (t == NULL) {
        *where = (size_t)(p.at - pattern);
        *err = why;
    }
    return t;
}
