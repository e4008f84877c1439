#include "base/exposition.h"

#include <string.h>

#include "base/check.h"

const char *lz_exposition_unit(const char *unit)
{
    return strcmp(unit, "s") == 0       ? "seconds"
           : strcmp(unit, "B") == 0     ? "bytes"
           : strcmp(unit, "ratio") == 0 ? "ratio"
           : strcmp(unit, "/s") == 0    ? "per_second"
                                        : "";
}

void lz_exposition_name(struct lz_str *out, const char *name, const char *unit)
{
    size_t start = out->len, more = strlen(unit);
    LZ_ASSERT(name[0] != '\0');
    lz_str_add(out, "lorenz_");
    for (const char *c = name; *c != '\0'; c++) {
        bool is_word =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        lz_str_add_char(out, is_word ? *c : '_');
    }
    size_t len = out->len - start;
    bool has_it = more > 0 && len > more && out->text[out->len - more - 1] == '_' &&
                  strcmp(out->text + out->len - more, unit) == 0;
    if (more > 0 && !has_it)
        lz_str_addf(out, "_%s", unit);
    LZ_ASSERT(out->len > start);
}
