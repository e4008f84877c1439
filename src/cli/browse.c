#include "cli/browse.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>

extern char **environ;

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

bool lz_browse(const char *path)
{
    if (!is_set("BROWSER") && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"))
        return false;
    char *program = is_set("BROWSER") ? getenv("BROWSER") : (char[]){"xdg-open"};
    char *const argv[] = {program, (char *)path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t manner;
    pid_t pid;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    if (posix_spawnattr_init(&manner) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    // A group of its own: Ctrl-C is not meant for it.
    bool ok = posix_spawnattr_setflags(&manner, POSIX_SPAWN_SETPGROUP) == 0;
    for (int fd = 0; fd < 3; fd++)
        ok = ok && posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0) == 0;
    ok = ok && posix_spawnp(&pid, program, &files, &manner, argv, environ) == 0;
    posix_spawnattr_destroy(&manner);
    posix_spawn_file_actions_destroy(&files);
    return ok;
}
