#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/math.h"
#include "promql/eval.h"

typedef struct lz_promql_eval eval;
typedef struct lz_promql_node node;

static bool is_comparison(enum lz_promql_binary op)
{
    return op >= LZ_PROMQL_EQ && op <= LZ_PROMQL_GE;
}

static double compute(enum lz_promql_binary op, double a, double b)
{
    switch (op) {
    case LZ_PROMQL_ADD:
        return a + b;
    case LZ_PROMQL_SUB:
        return a - b;
    case LZ_PROMQL_MUL:
        return a * b;
    case LZ_PROMQL_DIV:
        return a / b;
    case LZ_PROMQL_MOD:
        return fmod(a, b);
    case LZ_PROMQL_POW:
        return lz_math_pow(a, b);
    case LZ_PROMQL_ATAN2:
        return lz_math_atan2(a, b);
    default:
        LZ_ASSERT(false);
        return 0.0;
    }
}

static bool compare(enum lz_promql_binary op, double a, double b)
{
    return op == LZ_PROMQL_EQ   ? a == b
           : op == LZ_PROMQL_NE ? a != b
           : op == LZ_PROMQL_LT ? a < b
           : op == LZ_PROMQL_GT ? a > b
           : op == LZ_PROMQL_LE ? a <= b
                                : a >= b;
}

// What becomes of a pair: a comparison keeps the one on `kept`'s side, or is 1 or 0.
static bool apply(const node *n, double a, double b, double kept, double *out)
{
    if (!is_comparison(n->op)) {
        *out = compute(n->op, a, b);
        return true;
    }
    bool holds = compare(n->op, a, b);
    *out = n->is_bool ? (holds ? 1.0 : 0.0) : kept;
    return n->is_bool || holds;
}

static bool changes_meaning(const node *n)
{
    return !is_comparison(n->op) || n->is_bool;
}

// ---------------------------------------------------------------- a vector and a scalar

static bool with_scalar(eval *e, const node *n, const struct lz_promql_value *left,
                        const struct lz_promql_value *right, struct lz_promql_value *out)
{
    bool is_left = left->type == LZ_PROMQL_VECTOR;
    const struct lz_promql_value *v = is_left ? left : right;
    double scalar = is_left ? right->scalar : left->scalar;
    for (uint32_t i = 0; i < v->count; i++) {
        double value = v->all[i].value, result = 0.0;
        if (!apply(n, is_left ? value : scalar, is_left ? scalar : value, value, &result))
            continue;
        struct lz_promql_series *s = lz_promql_value_add(e, out);
        *s = v->all[i];
        s->value = result;
        s->drops_name = s->drops_name || changes_meaning(n);
    }
    return true;
}

// ---------------------------------------------------------------- two vectors

// By which labels an element finds its partner.
static struct lz_promql_labels signature(eval *e, const struct lz_promql_matching *m,
                                         const struct lz_promql_labels *l)
{
    if (m->is_on)
        return lz_promql_labels_keep(e->scratch, l, &m->names);
    static const char *const name[] = {LZ_PROMQL_NAME};
    const struct lz_promql_names only = {name, 1};
    struct lz_promql_labels bare = lz_promql_labels_drop(e->scratch, l, &only);
    return m->names.count == 0 ? bare : lz_promql_labels_drop(e->scratch, &bare, &m->names);
}

static bool eval_set(eval *e, const node *n, const struct lz_promql_value *left,
                     const struct lz_promql_value *right, struct lz_promql_value *out)
{
    bool is_or = n->op == LZ_PROMQL_OR;
    const struct lz_promql_value *asked = is_or ? left : right, *filtered = is_or ? right : left;
    struct lz_promql_groups there;
    lz_promql_groups_init(&there, e->scratch);
    for (uint32_t i = 0; i < asked->count; i++) {
        struct lz_promql_labels sig = signature(e, &n->matching, &asked->all[i].labels);
        bool fresh = false;
        lz_promql_groups_add(&there, &sig, &fresh);
        if (is_or)
            *lz_promql_value_add(e, out) = asked->all[i];
    }
    for (uint32_t i = 0; i < filtered->count; i++) {
        struct lz_promql_labels sig = signature(e, &n->matching, &filtered->all[i].labels);
        bool has = lz_promql_groups_find(&there, &sig) != UINT32_MAX;
        if (has == (n->op == LZ_PROMQL_AND))
            *lz_promql_value_add(e, out) = filtered->all[i];
    }
    return true;
}

// The match of the two sides: `many` is the left one, unless group_right turns them round.
struct match {
    const node *n;
    const struct lz_promql_value *many, *one;
    bool is_swapped;
    struct lz_promql_groups ones; // signatures of the one side; numbers are those of its elements
    uint32_t *one_of;             // element of each signature
    bool *is_met;                 // by one of the many side
    struct lz_promql_labels sig;  // of the pair that is looked at
    struct lz_promql_groups kept; // signatures of pairs that a comparison kept, one-to-one
    struct lz_promql_groups made; // results, where each must be its own
};

static struct lz_promql_labels result_labels(eval *e, const struct match *m,
                                             const struct lz_promql_labels *many,
                                             const struct lz_promql_labels *one)
{
    const struct lz_promql_matching *how = &m->n->matching;
    struct lz_promql_labels l = *many;
    if (!is_comparison(m->n->op))
        l = lz_promql_nameless(e, &l);
    if (how->card == LZ_PROMQL_ONE_TO_ONE)
        l = how->is_on ? lz_promql_labels_keep(e->scratch, &l, &how->names)
                       : lz_promql_labels_drop(e->scratch, &l, &how->names);
    for (uint32_t i = 0; i < how->include.count; i++)
        l = lz_promql_labels_set(e->scratch, &l, how->include.all[i],
                                 lz_promql_labels_get(one, how->include.all[i]));
    return l;
}

static bool index_ones(eval *e, struct match *m)
{
    lz_promql_groups_init(&m->ones, e->scratch);
    m->one_of = lz_promql_scratch_alloc(e->scratch, (m->one->count + 1) * sizeof(*m->one_of));
    m->is_met = lz_promql_scratch_alloc(e->scratch, (m->one->count + 1) * sizeof(*m->is_met));
    for (uint32_t i = 0; i < m->one->count; i++) {
        struct lz_promql_labels sig = signature(e, &m->n->matching, &m->one->all[i].labels);
        bool fresh = false;
        uint32_t at = lz_promql_groups_add(&m->ones, &sig, &fresh);
        if (!fresh)
            return lz_promql_blame(
                e->fault, m->n, LZ_EEXIST, "two elements on the %s side match %s; %s",
                m->is_swapped ? "left" : "right", lz_promql_labels_show(e->scratch, &sig),
                m->n->matching.card == LZ_PROMQL_ONE_TO_ONE
                    ? "more labels in on (...), or group_right where the right side has many"
                    : "that side must have one of each");
        m->one_of[at] = i;
    }
    return true;
}

// One-to-one a signature comes once, of what is kept: of several on the left a comparison may drop
// all but one (VectorBinop, which `continue`s before it looks at matchedSigs).
static bool keep_one(eval *e, struct match *m)
{
    bool fresh = true;
    if (m->n->matching.card == LZ_PROMQL_ONE_TO_ONE)
        lz_promql_groups_add(&m->kept, &m->sig, &fresh);
    return fresh ||
           lz_promql_blame(e->fault, m->n, LZ_EEXIST,
                           "several elements on the left match %s: group_left, if many are meant "
                           "to match one",
                           lz_promql_labels_show(e->scratch, &m->sig));
}

static bool add_pair(eval *e, struct match *m, const struct lz_promql_series *many,
                     const struct lz_promql_series *one, struct lz_promql_value *out)
{
    double a = m->is_swapped ? one->value : many->value;
    double b = m->is_swapped ? many->value : one->value;
    double result = 0.0;
    bool fresh = false;
    if (!apply(m->n, a, b, a, &result))
        return true;
    if (!keep_one(e, m))
        return false;
    struct lz_promql_labels labels = result_labels(e, m, &many->labels, &one->labels);
    lz_promql_groups_add(&m->made, &labels, &fresh);
    if (!fresh)
        return lz_promql_blame(e->fault, m->n, LZ_EEXIST,
                               "two results are called %s: group_left (...) with a label that "
                               "tells them apart, or fewer labels ignored",
                               lz_promql_labels_show(e->scratch, &labels));
    struct lz_promql_series *s = lz_promql_value_add(e, out);
    s->labels = labels;
    s->value = result;
    s->t_ms = many->t_ms;
    s->drops_name = m->n->is_bool || (many->drops_name && is_comparison(m->n->op));
    return true;
}

// What stands for an element of one side that is not there, called as its partner matches. The
// many side is the left one to fill_left, also where group_right has turned them round
// (promqltest's fill-modifier.test has it so).
static bool fill_of(const struct match *m, bool is_many_side, double *out)
{
    const struct lz_promql_matching *how = &m->n->matching;
    *out = is_many_side ? how->left : how->right;
    return is_many_side ? how->fills_left : how->fills_right;
}

static bool meet_all(eval *e, struct match *m, struct lz_promql_value *out)
{
    for (uint32_t i = 0; i < m->many->count; i++) {
        const struct lz_promql_series *s = &m->many->all[i];
        m->sig = signature(e, &m->n->matching, &s->labels);
        uint32_t at = lz_promql_groups_find(&m->ones, &m->sig);
        struct lz_promql_series stand_in = {.labels = m->sig};
        if (at == UINT32_MAX && !fill_of(m, false, &stand_in.value))
            continue;
        if (at != UINT32_MAX)
            m->is_met[m->one_of[at]] = true;
        if (!add_pair(e, m, s, at != UINT32_MAX ? &m->one->all[m->one_of[at]] : &stand_in, out))
            return false;
    }
    return true;
}

static bool fill_rest(eval *e, struct match *m, struct lz_promql_value *out)
{
    double value = 0.0;
    if (!fill_of(m, true, &value))
        return true;
    for (uint32_t i = 0; i < m->one->count; i++) {
        if (m->is_met[i])
            continue;
        struct lz_promql_series stand_in = {.value = value};
        m->sig = signature(e, &m->n->matching, &m->one->all[i].labels);
        stand_in.labels = m->sig;
        // A comparison's result is called as the left side is, which is not there.
        if (!add_pair(e, m, &stand_in, &m->one->all[i], out))
            return false;
    }
    return true;
}

static bool eval_match(eval *e, const node *n, const struct lz_promql_value *left,
                       const struct lz_promql_value *right, struct lz_promql_value *out)
{
    struct match m = {.n = n, .many = left, .one = right};
    if (n->matching.card == LZ_PROMQL_ONE_TO_MANY) {
        m.is_swapped = true;
        m.many = right;
        m.one = left;
    }
    bool fills = n->matching.fills_left || n->matching.fills_right;
    if ((left->count == 0 || right->count == 0) && !fills)
        return true;
    lz_promql_groups_init(&m.kept, e->scratch);
    lz_promql_groups_init(&m.made, e->scratch);
    return index_ones(e, &m) && meet_all(e, &m, out) && fill_rest(e, &m, out);
}

bool lz_promql_eval_binary(eval *e, const node *n, int64_t now_ms, struct lz_promql_value *out)
{
    struct lz_promql_value left, right;
    if (!lz_promql_eval_node(e, n->args[0], now_ms, &left) ||
        !lz_promql_eval_node(e, n->args[1], now_ms, &right))
        return false;
    if (!lz_promql_eval_spend(e, n, (uint64_t)left.count + right.count + 1))
        return false;
    if (n->type == LZ_PROMQL_SCALAR)
        return apply(n, left.scalar, right.scalar, left.scalar, &out->scalar);
    if (left.type == LZ_PROMQL_SCALAR || right.type == LZ_PROMQL_SCALAR)
        return with_scalar(e, n, &left, &right, out);
    return n->op >= LZ_PROMQL_AND ? eval_set(e, n, &left, &right, out)
                                  : eval_match(e, n, &left, &right, out);
}
