// Whether a path lies inside a folder once `..` and symbolic links are resolved.
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "CLua.h"

static bool resolves_inside(const char *folder, const char *path, bool itself) {
    char *full = realpath(path, NULL);
    if (!full) return false;
    size_t length = strlen(folder);
    if (length == 1) length = 0;  // the root folder
    bool inside = strncmp(full, folder, length) == 0 && (full[length] == '/' || (itself && full[length] == 0));
    free(full);
    return inside;
}

// `folder` must be resolved already. A file that does not exist yet counts by the folder it would lie in.
bool mt_inside(const char *folder, const char *path) {
    struct stat status;
    if (lstat(path, &status) == 0) return resolves_inside(folder, path, false);
    if (errno != ENOENT) return false;
    const char *slash = strrchr(path, '/');
    if (!slash) return resolves_inside(folder, ".", true);
    if (slash[1] == 0 || strcmp(slash, "/..") == 0 || strcmp(slash, "/.") == 0) return false;
    if (slash == path) return resolves_inside(folder, "/", true);
    char *parent = strndup(path, (size_t)(slash - path));
    bool inside = parent && resolves_inside(folder, parent, true);
    free(parent);
    return inside;
}
