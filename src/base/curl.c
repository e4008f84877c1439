#define LZ_CURL_NO_MACROS
#include "base/curl.h"

#include <dlfcn.h>
#include <string.h>

struct lz_curl lz_curl;

// The number is that of libcurl's ABI, which has been the same since 2006.
#ifdef __APPLE__
#define LIBRARY "libcurl.4.dylib"
#else
#define LIBRARY "libcurl.so.4"
#endif

static const struct {
    const char *name;
    void *slot;
} functions[] = {
#define ROW(name) {"curl_" #name, &lz_curl.name},
    LZ_CURL_FUNCTIONS(ROW)
#undef ROW
};

bool lz_curl_load(struct lz_err *err)
{
    static bool is_loaded;
    if (is_loaded)
        return true;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return lz_fail(err, LZ_EIO, "libcurl is needed for this: %s; install libcurl4", dlerror());
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *symbol = dlsym(library, functions[i].name);
        if (symbol == NULL)
            return lz_fail(err, LZ_EIO, "%s has no %s: it is too old, 7.85 or later is needed",
                           LIBRARY, functions[i].name);
        // ISO C has no conversion from an object's pointer to a function's; POSIX says they fit.
        memcpy(functions[i].slot, &symbol, sizeof(symbol));
    }
    if (lz_curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return lz_fail(err, LZ_EIO, "%s does not start", LIBRARY);
    is_loaded = true;
    return true;
}
