#include "cli/types.h"

#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "script/docs.h"

static bool write_file(const char *folder, const char *name, const char *text, struct lz_err *err)
{
    struct lz_str path;
    lz_str_init(&path);
    lz_str_addf(&path, "%s/%s", folder, name);
    bool ok = lz_out_file(path.text, text, strlen(text), err);
    lz_str_finish(&path);
    return ok;
}

bool lz_types_write(const char *folder, struct lz_err *err)
{
    LZ_ASSERT(folder != NULL);
    struct lz_docs *docs = lz_docs_create();
    struct lz_str library;
    lz_str_init(&library);
    lz_str_addf(&library, "%s/library", folder);
    bool ok = lz_out_folder(library.text, err) &&
              write_file(folder, "config.json", lz_docs_types_config(docs), err) &&
              write_file(library.text, "lorenz.lua", lz_docs_types(docs), err);
    lz_str_finish(&library);
    lz_docs_destroy(docs);
    return ok;
}
