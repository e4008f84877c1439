/* bind_fault.c — faults, planned and at once. Their parameters are read by each kind's own table.
 */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "script/read.h"
#include "script/state.h"

static enum lz_pick_kind pick_of(const char *name)
{
    static const char *const names[] = {[LZ_PICK_ALL] = "all",
                                        [LZ_PICK_ONE] = "one",
                                        [LZ_PICK_COUNT] = "count",
                                        [LZ_PICK_SHARE] = "share",
                                        [LZ_PICK_RANDOM] = "random"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return (enum lz_pick_kind)i;
    LZ_UNREACHABLE("a pick is one of ours");
    return LZ_PICK_ALL;
}

// Which of the words "a|b|c" it is, from 0.
static unsigned nth_word(const char *choices, const char *v)
{
    size_t len = strlen(v);
    unsigned word = 0;
    for (const char *at = choices; at != NULL; word++) {
        const char *bar = strchr(at, '|');
        size_t n = bar != NULL ? (size_t)(bar - at) : strlen(at);
        if (n == len && memcmp(at, v, n) == 0)
            return word;
        at = bar != NULL ? bar + 1 : NULL;
    }
    LZ_UNREACHABLE("the Lua half knows the words");
    return 0;
}

// The first where none is given.
static unsigned read_choice(lua_State *L, int idx, const struct lz_param *p)
{
    const char *v = lz_read_text(L, idx, p->name);
    return v != NULL ? nth_word(p->choices, v) : 0;
}

// A list of words, as bits.
static unsigned read_words(lua_State *L, int idx, const struct lz_param *p)
{
    unsigned bits = 0;
    if (lua_getfield(L, idx, p->name) == LUA_TTABLE) { // [... list]
        for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
            bits |= 1u << nth_word(p->choices, luaL_checkstring(L, -1));
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return bits;
}

static bool read_bounded(lua_State *L, int idx, const struct lz_param *p, double *out,
                         struct lz_err *err)
{
    *out = lz_read_num(L, idx, p->name, p->preset);
    bool is_given = lua_getfield(L, idx, p->name) != LUA_TNIL;
    lua_pop(L, 1);
    if (p->max > p->min && is_given && !(*out >= p->min && *out <= p->max))
        return lz_fail(err, LZ_ERANGE, "`%s` must be between %g and %g, got %g", p->name, p->min,
                       p->max, *out);
    return true;
}

static bool read_param(lua_State *L, int idx, const struct lz_param *p, struct lz_fault_params *out,
                       struct lz_err *err)
{
    void *field = (char *)out + p->offset;
    switch (p->type) {
    case LZ_PARAM_DURATION:
    case LZ_PARAM_OFFSET:
        *(lz_time *)field = lz_read_int(L, idx, p->name, 0);
        return true;
    case LZ_PARAM_DIST:
        return lz_read_dist(L, idx, p->name, field, err);
    case LZ_PARAM_RATIO:
    case LZ_PARAM_NUMBER:
    case LZ_PARAM_SIGNED:
    case LZ_PARAM_SIZE:
    case LZ_PARAM_SPEED:
    case LZ_PARAM_RATE:
        return read_bounded(L, idx, p, field, err);
    case LZ_PARAM_LOAD:
        return lz_read_shape(L, idx, p->name, field, err);
    case LZ_PARAM_COUNT:
        *(uint32_t *)field = (uint32_t)lz_read_int(L, idx, p->name, (int64_t)p->preset);
        return true;
    case LZ_PARAM_TEXT:
        *(const char **)field = lz_read_text(L, idx, p->name);
        return true;
    case LZ_PARAM_BOOL:
        *(bool *)field =
            lua_getfield(L, idx, p->name) != LUA_TNIL ? lua_toboolean(L, -1) : p->preset > 0.0;
        lua_pop(L, 1);
        return true;
    case LZ_PARAM_CHOICE:
        *(unsigned *)field = read_choice(L, idx, p);
        return true;
    case LZ_PARAM_BURST:
        lz_read_burst(L, idx, p->name, field);
        return true;
    case LZ_PARAM_WORDS:
        *(unsigned *)field = read_words(L, idx, p);
        return true;
    }
    return true;
}

// fault{kind, line, target, target_b, at, lasting, every, pick, params} -> id
static int fault(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    struct lz_err err;
    struct lz_fault_opts o = {
        .kind = lz_read_text(L, 1, "kind"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .family = (uint32_t)lz_read_int(L, 1, "family", 0),
        .at = lz_read_int(L, 1, "at", -1),
        .spread = lz_read_int(L, 1, "spread", 0),
        .lasting = lz_read_int(L, 1, "lasting", 0),
        .every = lz_read_int(L, 1, "every", 0),
        .ramp = lz_read_int(L, 1, "ramp", 0),
        .pick = {.kind = pick_of(lz_read_text(L, 1, "pick")),
                 .amount = lz_read_num(L, 1, "pick_amount", 0)},
    };
    lua_settop(L, 1);
    lua_getfield(L, 1, "target");
    lz_read_target(L, 2, &o.target);
    if (lua_getfield(L, 1, "target_b") != LUA_TNIL)
        lz_read_target(L, 3, &o.target_b);
    lua_settop(L, 1);
    lua_getfield(L, 1, "params"); // [opts params]
    const struct lz_fault_kind *kind = lz_fault_kind_find(o.kind);
    LZ_ASSERT(kind != NULL);
    for (const struct lz_param *p = kind->params; p->name != NULL; p++)
        if (!read_param(L, 2, p, &o.params, &err))
            return lz_bind_refuse(L, &err);

    lz_fault_id id = 0;
    bool ok = lz_fault_add(s->world.faults, &o, &id, &err);

    if (!ok)
        return lz_bind_refuse(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

// stop_fault(id) -> true | nil, message
static int stop_fault(lua_State *L)
{
    struct lz_err err;
    lz_fault_id id = (lz_fault_id)luaL_checkinteger(L, 1);
    if (!lz_faults_stop(lz_script_of(L)->world.faults, id, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

static const char *type_name(enum lz_param_type type)
{
    static const char *const names[] = {
        [LZ_PARAM_DURATION] = "duration", [LZ_PARAM_DIST] = "dist",
        [LZ_PARAM_RATIO] = "ratio",       [LZ_PARAM_NUMBER] = "number",
        [LZ_PARAM_COUNT] = "count",       [LZ_PARAM_SIZE] = "size",
        [LZ_PARAM_SPEED] = "bandwidth",   [LZ_PARAM_RATE] = "rate",
        [LZ_PARAM_LOAD] = "load",         [LZ_PARAM_TEXT] = "text",
        [LZ_PARAM_BOOL] = "bool",         [LZ_PARAM_CHOICE] = "choice",
        [LZ_PARAM_OFFSET] = "offset",     [LZ_PARAM_SIGNED] = "signed",
        [LZ_PARAM_WORDS] = "words",       [LZ_PARAM_BURST] = "burst",
    };
    LZ_ASSERT((size_t)type < sizeof(names) / sizeof(names[0]) && names[type] != NULL);
    return names[type];
}

static void push_param(lua_State *L, const struct lz_param *p)
{
    lua_newtable(L);
    lua_pushstring(L, p->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, type_name(p->type));
    lua_setfield(L, -2, "type");
    lua_pushstring(L, p->doc);
    lua_setfield(L, -2, "doc");
    lua_pushboolean(L, p->required);
    lua_setfield(L, -2, "required");
    lua_pushstring(L, p->choices);
    lua_setfield(L, -2, "choices");
    if (p->type == LZ_PARAM_COUNT) {
        lua_pushinteger(L, (lua_Integer)p->min);
        lua_setfield(L, -2, "min");
    }
}

static bool can_ramp(const struct lz_fault_kind *k)
{
    bool ramps = k->ramps_itself;
    for (const struct lz_param *p = k->params; p->name != NULL; p++)
        ramps = ramps || p->ramp != LZ_RAMP_NONE;
    return ramps;
}

// The kinds of target in `bits`, as words: [list]. `on` says which components; 0: any.
static void push_targets(lua_State *L, unsigned bits, unsigned on)
{
    static const struct {
        enum lz_target_kind kind;
        const char *word;
    } words[] = {
        {LZ_TARGET_LINK, "link"},        {LZ_TARGET_COMPONENT, "component"},
        {LZ_TARGET_INSTANCE, "replica"}, {LZ_TARGET_PRIMARY, "primary"},
        {LZ_TARGET_HOST, "host"},        {LZ_TARGET_ZONE, "zone"},
        {LZ_TARGET_REGION, "region"},    {LZ_TARGET_CLOUD, "cloud"},
    };
    lua_Integer n = 0;
    lua_newtable(L);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        bool is_named = on != 0 && words[i].kind == LZ_TARGET_COMPONENT;
        if ((bits & LZ_TARGET_BIT(words[i].kind)) == 0 || is_named)
            continue;
        lua_pushstring(L, words[i].word);
        lua_seti(L, -2, ++n);
    }
    for (int k = 1; k < LZ_COMPONENT_KINDS; k++) {
        if ((on & LZ_FAULT_ON(k)) == 0)
            continue;
        lua_pushstring(L, lz_world_kind_name((enum lz_component_kind)k));
        lua_seti(L, -2, ++n);
    }
}

// fault_kinds() -> { kill = { doc, effect, waits, elsewhere, targets, names_components, second,
// params, picks, ramps }, ... }, where targets are lists of words (of kinds of component if it
// names them) and params lists of { name, type, doc, required, choices }
static int fault_kinds(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < lz_fault_kind_count(); i++) {
        const struct lz_fault_kind *k = lz_fault_kind_get(i);
        lua_newtable(L);
        lua_pushstring(L, k->doc);
        lua_setfield(L, -2, "doc");
        lua_pushstring(L, k->effect_unit);
        lua_setfield(L, -2, "effect");
        lua_pushboolean(L, k->waits != NULL);
        lua_setfield(L, -2, "waits");
        lua_pushstring(L, k->elsewhere);
        lua_setfield(L, -2, "elsewhere");
        unsigned on = k->on != LZ_FAULT_ON_ALL ? k->on : 0;
        push_targets(L, k->targets, on);
        lua_setfield(L, -2, "targets");
        lua_pushboolean(L, on != 0);
        lua_setfield(L, -2, "names_components");
        push_targets(L, k->second, 0);
        lua_setfield(L, -2, "second");
        lua_newtable(L);
        lua_Integer n = 0;
        for (const struct lz_param *p = k->params; p->name != NULL; p++) {
            push_param(L, p);
            lua_seti(L, -2, ++n);
        }
        lua_setfield(L, -2, "params");
        lua_pushboolean(L, k->per_instance || k->per_link);
        lua_setfield(L, -2, "picks");
        lua_pushboolean(L, can_ramp(k));
        lua_setfield(L, -2, "ramps");
        lua_setfield(L, -2, k->name);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"fault", fault},
    {"stop_fault", stop_fault},
    {"fault_kinds", fault_kinds},
    {NULL, NULL},
};

void lz_bind_fault(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
