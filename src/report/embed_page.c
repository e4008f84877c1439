/*
 * embed_page.c — a build tool: texts that a page carries, as C arrays.
 *
 *   embed_page OUT.c page.css page.js [uPlot.min.css uPlot.iife.min.js LICENSE]
 *
 * The page's own files lose their indentation and the lines that are comments. uPlot's stay as
 * they are, for their first line says whose they are; without them its arrays are empty. A text
 * that would end the element it stands in is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_KIB 512

struct text {
    char *bytes;
    size_t size;
};

static struct text load(const char *path)
{
    struct text t = {malloc((SIZE_MAX_KIB << 10) + 1), 0};
    FILE *in = fopen(path, "rb");
    if (in == NULL || t.bytes == NULL) {
        fprintf(stderr, "embed_page: cannot read %s\n", path);
        exit(1);
    }
    t.size = fread(t.bytes, 1, SIZE_MAX_KIB << 10, in);
    if (ferror(in) != 0 || !feof(in)) {
        fprintf(stderr, "embed_page: %s is larger than %d KiB\n", path, SIZE_MAX_KIB);
        exit(1);
    }
    fclose(in);
    t.bytes[t.size] = '\0';
    if (strlen(t.bytes) != t.size || strstr(t.bytes, "</s") != NULL ||
        strstr(t.bytes, "<!--") != NULL || strstr(t.bytes, "-->") != NULL) {
        fprintf(stderr,
                "embed_page: %s cannot stand in a page: it has a zero byte, </s, <!-- or "
                "-->\n",
                path);
        exit(1);
    }
    return t;
}

static void shrink(struct text *t)
{
    size_t kept = 0;
    for (char *line = t->bytes; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + (line[len] == '\n');
        size_t blanks = strspn(line, " ");
        if (len > blanks && strncmp(line + blanks, "//", 2) != 0) {
            memmove(t->bytes + kept, line + blanks, len - blanks);
            kept += len - blanks;
            t->bytes[kept++] = '\n';
        }
        line = next;
    }
    t->bytes[kept] = '\0';
    t->size = kept;
}

static void write_array(FILE *out, const char *name, const struct text *t)
{
    fprintf(out, "const char %s[] = {\n", name);
    for (size_t i = 0; i < t->size; i++)
        fprintf(out, "%d,%s", (signed char)t->bytes[i], (i + 1) % 24 == 0 ? "\n" : "");
    fprintf(out, "0};\n");
}

// "/*! https://... (v1.6.32) */" is how the file begins.
static void write_version(FILE *out, const char *text)
{
    const char *from = strstr(text, "(v");
    size_t len = from != NULL ? strcspn(from + 2, ")\n") : 0;
    fprintf(out, "const char lz_uplot_version[] = \"%.*s\";\n", len < 40 ? (int)len : 0,
            from != NULL ? from + 2 : "");
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"lz_page_style", "lz_page_script", "lz_uplot_style",
                                        "lz_uplot_script", "lz_uplot_licence"};
    if (argc != 4 && argc != 7)
        return 2;
    FILE *out = fopen(argv[1], "wb");
    if (out == NULL)
        return 2;
    fprintf(out, "/* Made by embed_page; do not edit. */\n#include \"report/page.h\"\n");
    for (int i = 0; i < 5; i++) {
        char nothing[1] = "";
        struct text t = i + 2 < argc ? load(argv[i + 2]) : (struct text){nothing, 0};
        if (i < 2)
            shrink(&t);
        write_array(out, names[i], &t);
        if (i == 3)
            write_version(out, t.bytes);
        if (i + 2 < argc)
            free(t.bytes);
    }
    return fclose(out) == 0 ? 0 : 1;
}
