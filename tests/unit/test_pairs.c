/*
 * The order of `pairs` and `next`: numbers ascending, texts by bytes, false, true; a snapshot.
 *
 * Method: the checks are Lua, in which the functions of pairs.c stand beside the stock ones.
 * The order wanted is computed with stock `pairs` and `table.sort`. Speed is measured by
 * bench_script, not here.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script/state.h"

static void run(const char *chunk)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    lua_register(L, "ordered", lz_order_pairs);
    lua_register(L, "ordered_next", lz_order_next);
    if (luaL_dostring(L, chunk) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
}

static void keys_of_any_kind_come_in_the_defined_order(void **state)
{
    (void)state;
    run("local RANK = { number = 1, string = 2, boolean = 3 }\n"
        "local function before(a, b)\n"
        "  local x, y = RANK[type(a)], RANK[type(b)]\n"
        "  if x ~= y then return x < y end\n"
        "  if x == 3 then return a == false and b == true end\n"
        "  return a < b\n"
        "end\n"
        "local ODD = { 2^70, -2^70, math.huge, -math.huge, math.maxinteger, math.mininteger,\n"
        "              2^63, -0.5, 2^53 + 0.0, -2^63, 0, '', '\\0', '\\0\\0', 'long enough a' }\n"
        "local function key()\n"
        "  local kind = math.random(6)\n"
        "  if kind <= 2 then return math.random(-3, 12) end\n"
        "  if kind == 3 then return math.random() * 10 - 2 end\n"
        "  if kind == 4 then return ODD[math.random(#ODD)] end\n"
        "  if kind == 5 then return math.random(2) == 1 end\n"
        "  return ('abc\\0ab'):sub(1, math.random(0, 6)) .. string.char(math.random(0, 255))\n"
        "    .. (math.random(2) == 1 and 'more than eight bytes' or '')\n"
        "end\n"
        "math.randomseed(1)\n"
        "for _ = 1, 3000 do\n"
        "  local t, want, i = {}, {}, 0\n"
        "  for _ = 1, math.random(0, 30) do\n"
        "    t[key()] = math.random(6) > 1 and 1 or nil\n"
        "  end\n"
        "  for k in pairs(t) do want[#want + 1] = k end\n"
        "  table.sort(want, before)\n"
        "  for k, v in ordered(t) do\n"
        "    i = i + 1\n"
        "    assert(rawequal(k, want[i]) and v == 1)\n"
        "  end\n"
        "  assert(i == #want)\n"
        "  i = 0\n"
        "  for k in ordered_next, t do i = i + 1; assert(rawequal(k, want[i])) end\n"
        "  assert(i == #want)\n"
        "end\n");
}

static void what_is_added_is_not_visited_and_what_is_removed_is_left_out(void **state)
{
    (void)state;
    run("for _, n in ipairs { 0, 1, 2, 3, 4, 7, 8, 9, 100 } do\n"
        "  local t, count = {}, 0\n"
        "  for i = 1, n do t[i] = i end\n"
        "  for k in ordered(t) do\n"
        "    count = count + 1\n"
        "    assert(k == count)\n"
        "    t[#t + 1] = 0\n"
        "    t['x' .. k] = 0\n"
        "  end\n"
        "  assert(count == n)\n"
        "end\n"
        "for _, t in ipairs { { 1, 2, 3, 4, 5, 6 }, { a = 1, b = 2, c = 3, d = 4 } } do\n"
        "  local seen, first = {}, nil\n"
        "  for k in ordered(t) do\n"
        "    first = first or k\n"
        "    seen[#seen + 1] = k\n"
        "    for other in pairs(t) do if other ~= k then t[other] = nil end end\n"
        "  end\n"
        "  assert(#seen == 1 and seen[1] == first)\n"
        "end\n");
}

static void tables_with_holes_are_walked_whole(void **state)
{
    (void)state;
    run("local function keys(t)\n"
        "  local list = {}\n"
        "  for k in ordered(t) do list[#list + 1] = k end\n"
        "  return table.concat(list, ' ')\n"
        "end\n"
        "local t = { 1, 2, 3, 4, 5, 6, 7, 8 }\n"
        "t[3], t[8] = nil, nil\n"
        "assert(keys(t) == '1 2 4 5 6 7')\n"
        "t[1], t[2] = nil, nil\n"
        "assert(keys(t) == '4 5 6 7')\n"
        "assert(keys { nil, nil, 3 } == '3')\n"
        "assert(keys { [0] = 0, 1, 2 } == '0 1 2')\n"
        "assert(keys { 1, 2, [-1] = 0, [1.5] = 0, x = 0 } == '-1 1 1.5 2 x')\n"
        "assert(keys {} == '' and ordered_next({}) == nil)\n");
}

static void keys_without_an_order_are_refused(void **state)
{
    (void)state;
    run("for _, key in ipairs { {}, print, coroutine.create(print), io.stdout } do\n"
        "  for _, f in ipairs { ordered, ordered_next } do\n"
        "    local ok, message = pcall(f, { [key] = 1, x = 2 })\n"
        "    assert(not ok and message:find('LZ504') and message:find(type(key)))\n"
        "  end\n"
        "end\n"
        "assert(not pcall(ordered, 1) and not pcall(ordered_next, { 1 }, 'absent'))\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_any_kind_come_in_the_defined_order),
        cmocka_unit_test(what_is_added_is_not_visited_and_what_is_removed_is_left_out),
        cmocka_unit_test(tables_with_holes_are_walked_whole),
        cmocka_unit_test(keys_without_an_order_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
