#include "cli/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/out.h"
#include "cli/types.h"

// It fails, and its own text says why: the first lesson is what a failure looks like.
static const char first_scenario[] =
    "scenario \"The shop survives losing its database\" { duration = \"3m\", warmup = \"20s\" }\n"
    "\n"
    "-- what it is made of -------------------------------------------------------\n"
    "local db = database \"orders\" {\n"
    "  nodes    = 1,                  -- with 3, a replica takes over within 9 s\n"
    "  failover = { detect = \"5s\", promote = \"4s\" },\n"
    "}\n"
    "local web = service \"web\" {\n"
    "  replicas = 2,\n"
    "  calls    = { call { db, \"write order\", timeout = \"500ms\", retries = 2 } },\n"
    "}\n"
    "local shoppers = traffic \"shoppers\" { to = web, rate = \"50/s\", timeout = \"2s\" }\n"
    "\n"
    "-- what goes wrong ----------------------------------------------------------\n"
    "local outage = fault.kill { db.primary, at = \"1m\", lasting = \"30s\" }\n"
    "\n"
    "-- what must hold -----------------------------------------------------------\n"
    "expect \"shoppers are served again within 15 s\" {\n"
    "  eventually = shoppers.success.ratio:at_least \"99%\",\n"
    "  after = outage, within = \"15s\", holding = \"20s\",\n"
    "  because = \"one node cannot replace itself: set nodes = 3 and run again\",\n"
    "}\n"
    "expect \"no acknowledged order is lost\" { always = db.lost_acks:equals(0) }\n";

static const char luarc[] = "{\n"
                            "  \"runtime.version\": \"Lua 5.4\",\n"
                            "  \"workspace.library\": [\"" LZ_TYPES_FOLDER "/library\"],\n"
                            "  \"runtime.builtin\": {\n"
                            "    \"coroutine\": \"disable\", \"debug\": \"disable\", \"io\": "
                            "\"disable\", \"os\": \"disable\",\n"
                            "    \"package\": \"disable\"\n"
                            "  }\n"
                            "}\n";

static const char workflow[] =
    "# Runs every scenario; the job fails when an expectation does.\n"
    "name: lorenz\n"
    "on: [push, pull_request]\n"
    "jobs:\n"
    "  scenarios:\n"
    "    runs-on: ubuntu-latest\n"
    "    steps:\n"
    "      - uses: actions/checkout@v4\n"
    "      # Put the step that installs lorenz on the runner here.\n"
    "      - name: lorenz is there\n"
    "        run: lorenz version || { echo 'install lorenz on this runner first'; exit 1; }\n"
    "      - run: lorenz check\n"
    "      - run: lorenz run -o junit=lorenz.xml -o html=lorenz.html\n"
    "      - uses: actions/upload-artifact@v4\n"
    "        if: always()\n"
    "        with:\n"
    "          name: lorenz\n"
    "          include-hidden-files: true\n"
    "          path: |\n"
    "            lorenz.html\n"
    "            lorenz.xml\n"
    "            .lorenz/runs\n";

const struct lz_skeleton_file lz_skeleton_files[] = {
    {LZ_SKELETON_FIRST, first_scenario},
    {".luarc.json", luarc},
    {".gitignore", ".lorenz/\n"},
    {".github/workflows/lorenz.yml", workflow},
    {NULL, NULL},
};

void lz_skeleton_scenario(struct lz_str *out, const char *name)
{
    LZ_ASSERT(name != NULL && name[0] != '\0');
    lz_str_addf(out, "scenario \"%s: users are served while a replica stands still\" {\n", name);
    lz_str_add(out, "  duration = \"3m\", warmup = \"20s\",\n"
                    "}\n"
                    "\n"
                    "-- what it is made of ----------------------------------------------------\n"
                    "local web = service \"web\" { replicas = 3, service_time = \"5ms\" }\n"
                    "local users = traffic \"users\" {\n"
                    "  to = web, rate = \"100/s\", timeout = \"500ms\", retries = 2,\n"
                    "}\n"
                    "\n"
                    "-- what goes wrong -------------------------------------------------------\n"
                    "local stall = fault.pause { web.replica[1], at = \"1m\", lasting = \"20s\" }\n"
                    "\n"
                    "-- what must hold --------------------------------------------------------\n"
                    "expect \"users are served again within 10 s\" {\n"
                    "  eventually = users.success.ratio:at_least \"99%\",\n"
                    "  after = stall, within = \"10s\", holding = \"5s\",\n"
                    "}\n");
}

// Exclusive, so that a file which appears meanwhile is not overwritten either.
static enum lz_skeleton_end write_new(const char *path, const char *text, struct lz_err *err)
{
    size_t size = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return LZ_SKELETON_KEPT;
    if (fd >= 0) {
        ssize_t n = write(fd, text, size);
        if (close(fd) == 0 && n == (ssize_t)size)
            return LZ_SKELETON_WROTE;
        unlink(path); // half a file would be kept next time
    }
    (void)lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(errno));
    return LZ_SKELETON_FAILED;
}

enum lz_skeleton_end lz_skeleton_write(const char *folder, const char *path, const char *text,
                                       struct lz_err *err)
{
    LZ_ASSERT(path != NULL && text != NULL);
    struct lz_str whole, above;
    lz_str_init(&whole);
    lz_str_init(&above);
    lz_str_addf(&whole, "%s/%s", folder, path);
    lz_str_add_n(&above, whole.text, (size_t)(strrchr(whole.text, '/') - whole.text));
    enum lz_skeleton_end end = LZ_SKELETON_FAILED;
    if (lz_out_folder(above.text, err))
        end = write_new(whole.text, text, err);
    lz_str_finish(&above);
    lz_str_finish(&whole);
    return end;
}
