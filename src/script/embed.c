/*
 * embed.c — a build tool: Lua files to bytecode, as one C array.
 *
 *   embed OUT.c strip|keep NAME=FILE ...
 *
 * From source the private Lua half would cost over a millisecond for every universe; without
 * line numbers and the names of locals (`strip`) it loads in half the time of `keep`, which is
 * for builds that are debugged. The chunk names begin with "=lz." so that no message can show a
 * file of ours.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <string.h>

struct sink {
    FILE *out;
    size_t bytes;
};

static int write_bytes(lua_State *L, const void *p, size_t size, void *ud)
{
    (void)L;
    struct sink *s = ud;
    const unsigned char *bytes = p;
    for (size_t i = 0; i < size; i++)
        fprintf(s->out, "%u,%s", bytes[i], ++s->bytes % 24 == 0 ? "\n" : "");
    return 0;
}

static int embed_one(lua_State *L, FILE *out, const char *name, const char *path, int strip)
{
    char chunk_name[4200];
    snprintf(chunk_name, sizeof(chunk_name), "=lz.%s", name);
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        fprintf(stderr, "embed: cannot read %s\n", path);
        return 1;
    }
    static char source[1 << 20];
    size_t size = fread(source, 1, sizeof(source), in);
    fclose(in);
    if (luaL_loadbufferx(L, source, size, chunk_name, "t") != LUA_OK) {
        fprintf(stderr, "embed: %s: %s\n", path, lua_tostring(L, -1));
        return 1;
    }
    struct sink s = {.out = out};
    fprintf(out, "static const unsigned char lua_%s[] = {\n", name);
    lua_dump(L, write_bytes, &s, strip);
    fprintf(out, "};\n");
    lua_pop(L, 1);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    lua_State *L = luaL_newstate();
    FILE *out = fopen(argv[1], "wb");
    if (L == NULL || out == NULL)
        return 2;
    fprintf(out, "/* Made by embed from the lua folder; do not edit. */\n");
    fprintf(out, "#include \"script/modules.h\"\n");
    char names[64][64];
    int count = 0;
    for (int i = 3; i < argc && count < 64; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals == NULL)
            return 2;
        snprintf(names[count], sizeof(names[count]), "%.*s", (int)(equals - argv[i]), argv[i]);
        if (embed_one(L, out, names[count], equals + 1, strcmp(argv[2], "strip") == 0) != 0)
            return 1;
        count++;
    }
    fprintf(out, "const struct lz_module lz_modules[] = {\n");
    for (int i = 0; i < count; i++)
        fprintf(out, "    {\"%s\", lua_%s, sizeof(lua_%s)},\n", names[i], names[i], names[i]);
    fprintf(out, "    {0, 0, 0},\n};\n");
    lua_close(L);
    return fclose(out) == 0 ? 0 : 1;
}
