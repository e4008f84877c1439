// A short run over the corpus in the ordinary suite: every file as it is, then changed in ways
// that are drawn from the file's name, so that a failure repeats. TAP.
//
//     fuzz_mutate ROUNDS FAILED FILE...
//
// The text that is being tried is written to FAILED before a crash ends the program.

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"
#include "harness.h"

static struct lz_str tried;
static const char *failed_path;
static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state = lz_hash_mix(state, 0x9e3779b97f4a7c15u);
    return below > 0 ? state % below : 0;
}

static const char *const words[] = {
    "{",
    "}",
    "(",
    ")",
    ",",
    "=",
    ":",
    "..",
    "\"",
    "[[",
    "]]",
    "--",
    "\n",
    "\0",
    "end",
    " for ",
    " local ",
    " function() ",
    "nil",
    "true",
    "-1",
    "0",
    "1e308",
    "0/0",
    "9223372036854775807",
    "\"1s\"",
    "\"10%\"",
    "\"-5s\"",
    "\"\"",
    "\"\xff\"",
    "_ENV",
    "setmetatable({}, {})",
    "pairs",
    "pcall(error)",
    "error({})",
    "string.rep(\"x\", 1e9)",
    "dur(\"1s\")",
    "param(\"p\", { 1, 2 })",
    "use \"./a.lua\"",
    "web",
    "fault.kill ",
    "expect \"e\" ",
    "service \"s\" ",
    "\xc3\xa9",
    "300ms",
    "10%",
    "~=",
    "!=",
};

static void mutate(const struct lz_str *source, const struct lz_str *other, struct lz_str *out)
{
    size_t from = (size_t)draw(source->len + 1);
    size_t len = (size_t)draw(draw(4) == 0 ? 200 : 12);
    if (len > source->len - from)
        len = source->len - from;
    lz_str_clear(out);
    lz_str_add_n(out, source->text, from);
    switch (draw(5)) {
    case 0: // taken out
        break;
    case 1: // twice
        lz_str_add_n(out, source->text + from, len);
        lz_str_add_n(out, source->text + from, len);
        break;
    case 2: // a piece of another file
        if (other->len > 0) {
            size_t at = (size_t)draw(other->len), size = (size_t)draw(100);
            lz_str_add_n(out, other->text + at, size < other->len - at ? size : other->len - at);
        }
        break;
    case 3: // one byte is another
        lz_str_add_char(out, (char)draw(256));
        break;
    default: // a word in its place
        lz_str_add(out, words[draw(sizeof(words) / sizeof(words[0]))]);
        break;
    }
    lz_str_add_n(out, source->text + from + len, source->len - from - len);
}

static void on_crash(int number)
{
    FILE *out = fopen(failed_path, "wb");
    if (out != NULL) {
        fwrite(tried.text, 1, tried.len, out);
        fclose(out);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void try(const struct lz_str *text)
{
    lz_str_clear(&tried);
    lz_str_add_n(&tried, text->text, text->len);
    harness_load(tried.text, tried.len);
}

static void read_file(const char *path, struct lz_str *out)
{
    char chunk[4096];
    size_t n;
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
        lz_str_add_n(out, chunk, n);
    fclose(in);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int rounds = atoi(argv[1]);
    int count = argc - 3;
    struct lz_str *files = calloc((size_t)count, sizeof(*files));
    struct lz_str text, next;
    lz_str_init(&text);
    lz_str_init(&next);
    lz_str_init(&tried);
    failed_path = argv[2];
    signal(SIGABRT, on_crash);
    signal(SIGSEGV, on_crash);
    signal(SIGALRM, on_crash);
    for (int i = 0; i < count; i++) {
        lz_str_init(&files[i]);
        read_file(argv[i + 3], &files[i]);
    }
    for (int i = 0; i < count; i++) {
        const char *name = strrchr(argv[i + 3], '/') != NULL ? strrchr(argv[i + 3], '/') + 1 : "";
        state = lz_hash_text(name);
        alarm(60); // a hang is a crash that takes longer
        try(&files[i]);
        for (int k = 0; k < rounds; k++) {
            mutate(&files[i], &files[draw((uint64_t)count)], &text);
            for (uint64_t more = draw(4); more > 0; more--) {
                mutate(&text, &files[draw((uint64_t)count)], &next);
                struct lz_str swap = text;
                text = next;
                next = swap;
            }
            try(&text);
        }
        printf("ok %d - %s and %d texts like it are loaded or refused\n", i + 1, name, rounds);
        fflush(stdout);
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++)
        lz_str_finish(&files[i]);
    free(files);
    lz_str_finish(&text);
    lz_str_finish(&next);
    lz_str_finish(&tried);
    return 0;
}
