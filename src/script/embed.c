/*
 * embed.c — a build tool: Lua files as C arrays.
 *
 *   embed OUT.c strip|keep NAME=FILE ... --text NAME=FILE ...
 *
 * The first become bytecode, the private Lua half; those after --text stay text, because
 * modules of the standard library are compiled in the sandbox and shown in messages.
 *
 * From source the private Lua half would cost over a millisecond for every universe; without
 * line numbers and the names of locals (`strip`) it loads in half the time of `keep`, which is
 * for work on it (the option private_lines). A script that catches an error can see the difference,
 * so it does not go by the kind of build. The chunk names begin with "=lz." so that no message can
 * show a file of ours.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 256

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

static size_t load(const char *path, char *source, size_t max)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        fprintf(stderr, "embed: cannot read %s\n", path);
        exit(1);
    }
    size_t size = fread(source, 1, max, in);
    fclose(in);
    return size;
}

enum how { KEEP, STRIP, TEXT };

static void embed_one(lua_State *L, FILE *out, const char *name, const char *path, enum how how)
{
    static char source[1 << 20];
    char chunk_name[4200];
    snprintf(chunk_name, sizeof(chunk_name), "=lz.%s", name);
    size_t size = load(path, source, sizeof(source));
    if (luaL_loadbufferx(L, source, size, chunk_name, "t") != LUA_OK) {
        fprintf(stderr, "embed: %s: %s\n", path, lua_tostring(L, -1));
        exit(1);
    }
    struct sink s = {.out = out};
    fprintf(out, "static const unsigned char %s_%s[] = {\n", how == TEXT ? "text" : "lua", name);
    if (how == TEXT)
        write_bytes(L, source, size, &s);
    else
        lua_dump(L, write_bytes, &s, how == STRIP);
    fprintf(out, "};\n");
    lua_pop(L, 1);
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
    static char names[MODULES_MAX][64];
    enum how bytecode = strcmp(argv[2], "strip") == 0 ? STRIP : KEEP;
    int count = 0, first_text = MODULES_MAX;
    for (int i = 3; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (strcmp(argv[i], "--text") == 0) {
            first_text = count;
            continue;
        }
        if (equals == NULL || count == MODULES_MAX) {
            fprintf(stderr, "embed: %s: at most %d modules, as NAME=FILE\n", argv[i], MODULES_MAX);
            return 2;
        }
        snprintf(names[count], sizeof(names[count]), "%.*s", (int)(equals - argv[i]), argv[i]);
        embed_one(L, out, names[count], equals + 1, count >= first_text ? TEXT : bytecode);
        count++;
    }
    fprintf(out, "const struct lz_module lz_modules[] = {\n");
    for (int i = 0; i < count && i < first_text; i++)
        fprintf(out, "    {\"%s\", lua_%s, sizeof(lua_%s)},\n", names[i], names[i], names[i]);
    fprintf(out, "    {0, 0, 0},\n};\nconst struct lz_module lz_stdlib[] = {\n");
    for (int i = first_text; i < count; i++)
        fprintf(out, "    {\"%s\", text_%s, sizeof(text_%s)},\n", names[i], names[i], names[i]);
    fprintf(out, "    {0, 0, 0},\n};\n");
    lua_close(L);
    return fclose(out) == 0 ? 0 : 1;
}
