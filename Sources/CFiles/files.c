#define _GNU_SOURCE
#include "CFiles.h"

#include <sys/vfs.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEVELS = 256, LINKS = 40 };

// Set before any script runs, and only read afterwards.
static int root = -1;
static struct stat root_status;
static pthread_mutex_t setting = PTHREAD_MUTEX_INITIALIZER;

// A name on its way: the folders from the root down to where it has come, and what is left of it.
typedef struct {
    int folders[LEVELS];  // the first is the root's own descriptor
    int depth;
    int links;
    char rest[2 * PATH_MAX];
    char last[NAME_MAX + 1];  // the part that the caller acts on
} walk;

int cf_confine(const char *folder) {
    pthread_mutex_lock(&setting);
    int status = 0;
    if (root < 0) {
        int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0 || fstat(descriptor, &root_status) != 0)
            status = -1;
        else
            root = descriptor;
    }
    pthread_mutex_unlock(&setting);
    return status;
}

bool cf_is_confined(void) { return root >= 0; }

static bool climbs(const char *path) {
    for (const char *at = path; (at = strstr(at, "..")); at += 2)
        if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == 0)) return true;
    return false;
}

// What is left of an absolute name behind the folder itself; NULL if the name does not pass through the folder.
static const char *behind_root(const char *path) {
    char prefix[PATH_MAX];
    if (strlen(path) >= sizeof prefix) return NULL;
    for (const char *at = path;; at++) {
        if (*at != '/' && *at != 0) continue;
        size_t length = at == path ? 1 : (size_t)(at - path);
        memcpy(prefix, path, length);
        prefix[length] = 0;
        struct stat status;
        if (stat(prefix, &status) == 0 && status.st_dev == root_status.st_dev && status.st_ino == root_status.st_ino)
            return *at ? at : ".";
        if (*at == 0) return NULL;
    }
}

static void leave(walk *w) {
    int code = errno;
    while (w->depth > 1) close(w->folders[--w->depth]);
    errno = code;
}

static int fail(walk *w, int code) {
    leave(w);
    errno = code;
    return -1;
}

static int top(const walk *w) { return w->folders[w->depth - 1]; }

// Puts the target of a link in front of what is left.
static int follow(walk *w, const char *target) {
    if (++w->links > LINKS) return fail(w, ELOOP);
    if (*target == 0) return fail(w, ENOENT);
    if (*target == '/') {
        target = behind_root(target);
        if (!target) return fail(w, CF_OUTSIDE);
        leave(w);
    }
    char whole[sizeof w->rest];
    int length = snprintf(whole, sizeof whole, "%s%s%s", target, *w->rest ? "/" : "", w->rest);
    if (length < 0 || (size_t)length >= sizeof whole) return fail(w, ENAMETOOLONG);
    memcpy(w->rest, whole, (size_t)length + 1);
    return 0;
}

// Goes on until one part is left, which is put into `last`; "." stands for the folder that has been reached.
static int advance(walk *w) {
    for (;;) {
        char *part = w->rest + strspn(w->rest, "/");
        size_t length = strcspn(part, "/");
        char *next = part + length;
        bool is_last = *next == 0;
        if (length > NAME_MAX) return fail(w, ENAMETOOLONG);
        memcpy(w->last, part, length);
        w->last[length] = 0;
        memmove(w->rest, next, strlen(next) + 1);
        if (length == 0 || strcmp(w->last, ".") == 0) {
            strcpy(w->last, ".");
            if (is_last) return 0;
            continue;
        }
        if (strcmp(w->last, "..") == 0) {
            if (w->depth == 1) return fail(w, CF_OUTSIDE);
            close(w->folders[--w->depth]);
            strcpy(w->last, ".");
            if (is_last) return 0;
            continue;
        }
        if (is_last) return 0;
        if (w->depth == LEVELS) return fail(w, ENAMETOOLONG);
        int descriptor = openat(top(w), w->last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (descriptor < 0) return fail(w, errno);
        struct stat status;
        if (fstat(descriptor, &status) != 0) {
            int code = errno;
            close(descriptor);
            return fail(w, code);
        }
        if (S_ISDIR(status.st_mode)) {
            w->folders[w->depth++] = descriptor;
            continue;
        }
        int code = ENOTDIR;
        if (S_ISLNK(status.st_mode)) {
            char target[PATH_MAX];
            ssize_t count = readlinkat(descriptor, "", target, sizeof target - 1);
            code = count < 0 ? errno : 0;
            if (count >= 0) target[count] = 0;
            close(descriptor);
            if (code == 0) {
                if (follow(w, target) != 0) return -1;
                continue;
            }
            return fail(w, code);
        }
        close(descriptor);
        return fail(w, code);
    }
}

// Begins a name; without its slashes at the end where `trim` says so, as for what makes and removes names.
static int begin(walk *w, const char *path, bool trim) {
    w->folders[0] = root;
    w->depth = 1;
    w->links = 0;
    if (*path == 0) return fail(w, ENOENT);
    const char *rest = *path == '/' ? behind_root(path) : path;
    if (!rest) return fail(w, CF_OUTSIDE);
    size_t length = strlen(rest);
    while (trim && length > 1 && rest[length - 1] == '/') length--;
    if (length >= PATH_MAX) return fail(w, ENAMETOOLONG);
    memcpy(w->rest, rest, length);
    w->rest[length] = 0;
    return advance(w);
}

// If the last part is a link: follows it, and 1. Otherwise 0; -1 on failure.
static int follow_last(walk *w) {
    char target[PATH_MAX];
    ssize_t count = readlinkat(top(w), w->last, target, sizeof target - 1);
    if (count < 0) return 0;
    target[count] = 0;
    return follow(w, target) == 0 && advance(w) == 0 ? 1 : -1;
}

int cf_open(const char *path, int flags, mode_t mode) {
    if (root < 0) return open(path, flags, mode);
    walk w;
    if (begin(&w, path, false) != 0) return -1;
    for (;;) {
        int descriptor = openat(top(&w), w.last, flags | O_NOFOLLOW, mode);
        int code = errno;
        if (descriptor >= 0) {
            leave(&w);
            return descriptor;
        }
        if (code != ELOOP && code != ENOTDIR) return fail(&w, code);
        int followed = follow_last(&w);
        if (followed < 0) return -1;
        if (followed == 0) return fail(&w, code);
    }
}

int cf_stat(const char *path, struct stat *status, bool follow) {
    if (root < 0) return follow ? stat(path, status) : lstat(path, status);
    walk w;
    if (begin(&w, path, false) != 0) return -1;
    for (;;) {
        if (fstatat(top(&w), w.last, status, AT_SYMLINK_NOFOLLOW) != 0) return fail(&w, errno);
        if (!follow || !S_ISLNK(status->st_mode)) {
            leave(&w);
            return 0;
        }
        int followed = follow_last(&w);
        if (followed < 0) return -1;
    }
}

int cf_check(const char *path) {
    if (root < 0) return 0;
    walk w;
    int status = begin(&w, path, false);
    while (status == 0) {
        status = follow_last(&w);
        if (status == 0) {
            leave(&w);
            return 0;
        }
        status = status > 0 ? 0 : -1;
    }
    // What is not there yet is made in the folder that has been reached, unless the rest of the name climbs out of it.
    if (errno != ENOENT || *path == 0) return -1;
    errno = CF_OUTSIDE;
    return climbs(w.rest) ? -1 : 0;
}

ssize_t cf_readlink(const char *path, char *target, size_t room) {
    if (root < 0) return readlink(path, target, room);
    walk w;
    if (begin(&w, path, true) != 0) return -1;
    ssize_t count = readlinkat(top(&w), w.last, target, room);
    leave(&w);
    return count;
}

int cf_mkdir(const char *path, mode_t mode) {
    if (root < 0) return mkdir(path, mode);
    walk w;
    if (begin(&w, path, true) != 0) return -1;
    int status = mkdirat(top(&w), w.last, mode);
    leave(&w);
    return status;
}

int cf_rename(const char *from, const char *to) {
    if (root < 0) return rename(from, to);
    walk source, target;
    if (begin(&source, from, true) != 0) return -1;
    if (begin(&target, to, true) != 0) {
        leave(&source);
        return -1;
    }
    int status = renameat(top(&source), source.last, top(&target), target.last);
    leave(&source);
    leave(&target);
    return status;
}

int cf_remove(const char *path) {
    if (root < 0) return remove(path);
    walk w;
    if (begin(&w, path, true) != 0) return -1;
    int status = unlinkat(top(&w), w.last, 0);
    if (status != 0 && (errno == EISDIR || errno == EPERM)) status = unlinkat(top(&w), w.last, AT_REMOVEDIR);
    leave(&w);
    return status;
}

long cf_file_system(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (long)status.f_type : -1;
}
