// os.execute that Ctrl-C ends. The C library's system() ignores SIGINT while the command runs, so that a loop of commands
// would go on with the next.
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

// Starts a shell with a command in our process group; the error number, or 0.
static int start(const char *command, bool resets_quit, pid_t *child) {
    posix_spawnattr_t attributes;
    int code = posix_spawnattr_init(&attributes);
    if (code) return code;
    sigset_t usual;
    sigemptyset(&usual);
    if (resets_quit) sigaddset(&usual, SIGQUIT);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    code = posix_spawn(child, "/bin/sh", NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    return code;
}

// Waits for a command; its status, or -1 with errno. A terminal sends Ctrl-C to the command too; who sends a signal to us
// alone, as a notebook's front end may, means the command.
static int wait_for(mt_state *s, pid_t child) {
    bool is_told_by_terminal = tcgetpgrp(STDIN_FILENO) == getpgrp();
    struct timespec pause = {.tv_nsec = 200000};
    int sent = 0;
    while (true) {
        int status;
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) return status;
        if (ended < 0 && errno != EINTR) return -1;
        int wanted = s->exiting ? SIGTERM : s->interrupted && !is_told_by_terminal ? SIGINT : 0;
        if (wanted && wanted != sent) kill(child, wanted);
        if (wanted) sent = wanted;
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 4000000) pause.tv_nsec *= 2;
    }
}

// os.execute([command]). An interrupt that comes meanwhile is raised when this returns.
int mt_execute(lua_State *L) {
    const char *command = luaL_optstring(L, 1, NULL);
    if (!command) {
        lua_pushboolean(L, access("/bin/sh", X_OK) == 0);
        return 1;
    }
    mt_state *s = mt_of(L);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, quit;
    sigaction(SIGQUIT, &ignore, &quit);
    s->waits = 1;
    pid_t child;
    int code = start(command, quit.sa_handler != SIG_IGN, &child);
    int status = code ? -1 : wait_for(s, child);
    if (status == -1 && !code) code = errno;
    s->waits = 0;
    sigaction(SIGQUIT, &quit, NULL);
    if (status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) mt_interrupt(s);
    errno = code;  // 0 after a command that ran: luaL_execresult takes any other for the failure to run it
    return luaL_execresult(L, status);
}
