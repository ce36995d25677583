// Ctrl-C and os.exit: a flag that Swift work polls, and a hook that stops Lua code.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static mt_state *volatile catching;
static const char exit_key;

bool mt_is_exit(lua_State *L, int index) { return lua_touserdata(L, index) == &exit_key; }

// Unwinds to the outermost run. A pcall on the way cannot keep it: the hook raises it again.
int mt_raise_exit(lua_State *L) {
    mt_rearm(mt_of(L), L);
    lua_pushlightuserdata(L, (void *)&exit_key);
    return lua_error(L);
}

static void stop(lua_State *L, lua_Debug *where) {
    (void)where;
    mt_state *s = mt_of(L);
    if (s->exiting) mt_raise_exit(L);
    lua_sethook(L, NULL, 0, 0);
    if (!s->interrupted) return;
    luaL_where(L, 0);
    lua_pushliteral(L, "interrupted!");
    lua_concat(L, 2);
    mt_delivered(s, L);
    lua_error(L);
}

// Sets the hook on the running coroutine if something waits to be delivered.
void mt_rearm(mt_state *s, lua_State *L) {
    if (s->interrupted || s->exiting) lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

// The message on top of the stack is the interrupt: nothing is pending any more, and the run can tell it from other errors.
void mt_delivered(mt_state *s, lua_State *L) {
    s->interrupted = 0;
    if (!s->exiting) lua_sethook(L, NULL, 0, 0);
    snprintf(s->interrupt_text, sizeof s->interrupt_text, "%s", lua_tostring(L, -1));
}

void mt_interrupt(mt_state *s) {
    s->interrupted = 1;
    // lua_sethook is meant to be called from a signal handler; `current` is the coroutine that runs.
    mt_rearm(s, s->current);
}

static void on_signal(int number) {
    mt_state *s = catching;
    if (!s) return;
    if (!pthread_equal(pthread_self(), s->owner)) {  // the hook must be set by the thread that runs Lua
        pthread_kill(s->owner, number);
        return;
    }
    if (number == SIGTERM) {  // leaves like os.exit: what is under way is saved, and no pcall keeps it
        if (s->exiting) signal(SIGTERM, SIG_DFL);
        mt_quiet(false);
        s->exit_code = 128 + SIGTERM;
        s->exiting = true;
        mt_rearm(s, s->current);
        return;
    }
    if (s->leaves) s->exiting = true;
    // Ctrl-C is the command's first, which may be a program that takes it many times.
    if (s->waits) {
        mt_interrupt(s);
        return;
    }
    s->presses = s->presses + 1;
    if (s->presses == 2 && !s->stays) {
        static const char text[] = "\n(stopping at the next safe point; Ctrl-C again to quit at once)\n";
        if (write(2, text, sizeof text - 1) < 0) { /* nothing can be done about it here */ }
        mt_quiet(false);
        signal(SIGINT, SIG_DFL);
    }
    mt_interrupt(s);
}

// The handler runs on a stack of its own: machine code that oneDNN makes uses the stack pointer for data,
// and a signal frame pushed there would overwrite a matrix or the heap.
void mt_catch_interrupts(mt_state *s) {
    static char room[1 << 16];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    sigaltstack(&stack, NULL);
    s->presses = 0;
    s->owner = pthread_self();
    catching = s;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    // Whoever started the program may have blocked it, as thread pools do for their workers.
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigaddset(&interrupt, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
}

void mt_stay(mt_state *s) { s->stays = 1; }

void mt_leave(mt_state *s) { s->leaves = 1; }

void mt_forget(mt_state *s) {
    if (catching != s) return;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    catching = NULL;
}

bool mt_should_stop(mt_state *s) { return s->interrupted || s->exiting; }

bool mt_exiting(mt_state *s) { return s->exiting; }

bool mt_clear_interrupt(mt_state *s) {
    bool pending = s->interrupted;
    s->interrupted = 0;
    if (catching == s && s->presses) mt_catch_interrupts(s);
    return pending;
}
