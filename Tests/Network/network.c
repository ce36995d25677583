/* A network file system, for tests: loaded before the C library, it changes what a program sees of one folder, NETWORK_ROOT.
 *
 * - Names that others made cannot be seen for the first NETWORK_LATE milliseconds, but stand in the way of what is made
 *   exclusively, as with NFS.
 * - Locks are refused with ENOLCK.
 * - The clock is NETWORK_CLOCK seconds wrong; the times of files are not, as they are the server's.
 *
 *   cc -shared -fPIC -o network.so network.c -ldl
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static const char *root(void) {
    static const char *value;
    if (!value) value = getenv("NETWORK_ROOT") ?: "";
    return value;
}

static long setting(const char *name) { return getenv(name) ? atol(getenv(name)) : 0; }

/* Whether a path lies in the folder, and not the folder itself. */
static int is_inside(const char *path) {
    size_t length = strlen(root());
    return length > 0 && path && strncmp(path, root(), length) == 0 && path[length] == '/' && path[length + 1];
}

/* What this process made, which it sees at once. */
static struct own { struct own *next; char path[]; } *made;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static void remember(const char *path) {
    if (!is_inside(path)) return;
    struct own *entry = malloc(sizeof *entry + strlen(path) + 1);
    strcpy(entry->path, path);
    pthread_mutex_lock(&making);
    entry->next = made;
    made = entry;
    pthread_mutex_unlock(&making);
}

static int is_own(const char *path) {
    int found = 0;
    pthread_mutex_lock(&making);
    for (struct own *entry = made; entry && !found; entry = entry->next) {
        size_t length = strlen(entry->path);
        found = strncmp(path, entry->path, length) == 0 && (path[length] == 0 || path[length] == '/');
    }
    pthread_mutex_unlock(&making);
    return found;
}

/* Milliseconds since 1970 at which a name was made; 0 if it is not there. */
static long long birth(const char *path) {
    struct statx status;
    if (syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_CTIME, &status) != 0) return 0;
    struct statx_timestamp time = status.stx_mask & STATX_BTIME ? status.stx_btime : status.stx_ctime;
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static int is_hidden(const char *path) {
    if (!is_inside(path) || is_own(path)) return 0;
    long late = setting("NETWORK_LATE");
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    long long there = now.tv_sec * 1000LL + now.tv_nsec / 1000000 - late;
    /* A folder that was renamed brings what is in it. */
    const char *states = strstr(path + strlen(root()), "/checkpoints/");
    char outer[4096];
    snprintf(outer, sizeof outer, "%s", path);
    if (states) {
        size_t start = (size_t)(states - path) + strlen("/checkpoints/");
        char *slash = strchr(outer + start, '/');
        if (slash) {
            char *second = strchr(slash + 1, '/');
            if (second) *second = 0;
            long long version = birth(outer);
            *slash = 0;
            long long state = birth(outer);
            if (state > there && !is_own(outer)) return 1;
            return version > there && version > state + 50 && !is_own(path);
        }
    }
    /* So is whatever lies in a folder that is not to be seen. */
    for (char *end = outer + strlen(outer); end > outer + strlen(root()); end = strrchr(outer, '/')) {
        *end = 0;
        if (birth(outer) > there && !is_own(outer)) return 1;
    }
    return 0;
}

static int hide(const char *path) {
    if (!is_hidden(path)) return 0;
    errno = ENOENT;
    return 1;
}

#define OPEN(name)                                              \
    int name(const char *path, int flags, ...) {                \
        va_list list;                                           \
        va_start(list, flags);                                  \
        mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0; \
        va_end(list);                                           \
        if (!(flags & O_CREAT) && hide(path)) return -1;        \
        int file = REAL(name)(path, flags, mode);               \
        if (file >= 0 && flags & O_CREAT) remember(path);       \
        return file;                                            \
    }
OPEN(open)
OPEN(open64)

#define STATUS(name, type)                                      \
    int name(const char *path, struct type *status) {           \
        return hide(path) ? -1 : REAL(name)(path, status);      \
    }
STATUS(stat, stat)
STATUS(lstat, stat)
STATUS(stat64, stat64)
STATUS(lstat64, stat64)

int access(const char *path, int mode) { return hide(path) ? -1 : REAL(access)(path, mode); }

int mkdir(const char *path, mode_t mode) {
    int result = REAL(mkdir)(path, mode);
    /* Who is told that a folder is there asks the server for it. */
    if (result == 0 || errno == EEXIST) remember(path);
    return result;
}

int rename(const char *from, const char *to) {
    if (hide(from)) return -1;
    int result = REAL(rename)(from, to);
    if (result == 0) remember(to);
    return result;
}

static void path_of(int file, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, size - 1);
    path[length > 0 ? length : 0] = 0;
}

#define READ(name, type)                                                        \
    struct type *name(DIR *folder) {                                            \
        char path[8192];                                                        \
        path_of(dirfd(folder), path, 4096);                                     \
        size_t length = strlen(path);                                           \
        while (1) {                                                             \
            struct type *entry = REAL(name)(folder);                            \
            if (!entry || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) return entry; \
            snprintf(path + length, sizeof path - length, "/%s", entry->d_name); \
            if (!is_hidden(path)) return entry;                                 \
        }                                                                       \
    }
READ(readdir, dirent)
READ(readdir64, dirent64)

static int is_file_inside(int file) {
    char path[4096];
    path_of(file, path, sizeof path);
    return is_inside(path);
}

int flock(int file, int operation) {
    if (is_file_inside(file)) {
        errno = ENOLCK;
        return -1;
    }
    return REAL(flock)(file, operation);
}

#define CONTROL(name)                                                           \
    int name(int file, int command, ...) {                                      \
        va_list list;                                                           \
        va_start(list, command);                                                \
        void *argument = va_arg(list, void *);                                  \
        va_end(list);                                                           \
        int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW; \
        if (locks && is_file_inside(file)) {                                    \
            errno = ENOLCK;                                                     \
            return -1;                                                          \
        }                                                                       \
        return REAL(name)(file, command, argument);                             \
    }
CONTROL(fcntl)
CONTROL(fcntl64)

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += setting("NETWORK_CLOCK");
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = (int)syscall(SYS_gettimeofday, now, zone);
    if (result == 0) now->tv_sec += setting("NETWORK_CLOCK");
    return result;
}

time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}
