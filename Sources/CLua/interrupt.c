// Ctrl-C, the signals that end a process, and os.exit: flags that Swift work polls, and a hook that stops Lua code.
//
// An interrupt is raised as an error, and no protected call keeps it: pcall, xpcall, coroutine.resume and the like raise it
// again when they return, until the outermost run has ended. The code that cleans up meanwhile (message handlers, __close)
// sees it and may work for a while; then it is raised there too, past every message handler. A finalizer's error becomes a
// warning of Lua's, so that an interrupt which comes within a finalizer stays pending.
//
// Lua calls no hook within a finalizer, nor within a message handler for an error that a hook raised: an endless loop there
// could not be stopped. A byte of lua_State decides that. It has had its place in all of Lua 5.4, and is used only if it is
// seen to be what it should be. A signal may come just before Lua clears that byte, or while the hook of an earlier one is
// being removed; so the hook is set again every few milliseconds of processor time until nothing waits any more.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "internal.h"

#define TICK 1000        // instructions
#define PATIENCE 100000  // ticks that all the code which cleans up has; about a second
#define AGAIN 1000       // microseconds of processor time after which the hook is set again

static mt_state *volatile catching;
static const char exit_key;
// Those that ask a process to end: a closed terminal, Ctrl-\, a batch system before its limit, a limit of processor time.
static const int ending[] = {SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU};
#define ENDING (sizeof ending / sizeof ending[0])

// How Lua 5.4's lua_State begins (lstate.h).
typedef struct {
    void *next;
    unsigned char type, mark, status, allows_hook;
} head;

static void observe(lua_State *L, lua_Debug *where) {
    (void)where;
    mt_of(L)->reaches = ((head *)L)->allows_hook == 0;
}

void mt_setup_interrupts(lua_State *L) {
    bool allowed = ((head *)L)->allows_hook == 1;
    lua_sethook(L, observe, LUA_MASKCOUNT, 1);
    if (luaL_loadstring(L, "local x = 1") == LUA_OK) lua_pcall(L, 0, 0, 0);
    lua_sethook(L, NULL, 0, 0);
    mt_state *s = mt_of(L);
    s->reaches = s->reaches && allowed && ((head *)L)->allows_hook == 1;
}

// Lets hooks run also where Lua calls none.
static void reach(mt_state *s, lua_State *L) {
    if (s->reaches) ((head *)L)->allows_hook = 1;
}

static bool is_in_finalizer(lua_State *L) { return lua_gc(L, LUA_GCCOUNT) < 0; }

bool mt_is_exit(lua_State *L, int index) { return lua_touserdata(L, index) == &exit_key; }

// Unwinds to the outermost run. A pcall on the way cannot keep it: the hook raises it again.
int mt_raise_exit(lua_State *L) {
    mt_rearm(mt_of(L), L);
    lua_pushlightuserdata(L, (void *)&exit_key);
    return lua_error(L);
}

// Whether an interrupt has still to leave the outermost run, or a finalizer: one that was raised since `before`, or any once
// the code that cleans up has had its time.
bool mt_passes(lua_State *L, unsigned before) {
    mt_state *s = mt_of(L);
    return (s->unwinding && (s->raised != before || s->patience == 0)) || (s->interrupted && is_in_finalizer(L));
}

// Raises again what a protected call has caught.
int mt_raise_again(lua_State *L) {
    mt_state *s = mt_of(L);
    if (s->exiting) return mt_raise_exit(L);
    if (!s->unwinding)
        lua_pushliteral(L, "interrupted!");
    else if (s->patience > 0)
        lua_pushstring(L, s->interrupt_text);
    else
        lua_pushliteral(L, "not enough memory");  // Lua calls no message handler for this one
    return lua_error(L);
}

// Raises the message on top of the stack as an interrupt: nothing is pending any more.
int mt_raise_interrupt(lua_State *L) {
    mt_state *s = mt_of(L);
    if (s->interrupted && is_in_finalizer(L)) return lua_error(L);  // into a warning: it stays pending
    const char *text = lua_tostring(L, -1);
    size_t length = strlen(text), room = sizeof s->interrupt_text - 1;
    if (length > room)
        for (length = room; length > 0 && (text[length] & 0xc0) == 0x80;) length--;
    memcpy(s->interrupt_text, text, length);
    s->interrupt_text[length] = 0;
    if (s->interrupted || !s->unwinding) s->patience = PATIENCE;
    s->interrupted = 0;
    s->unwinding = true;
    s->raised++;
    mt_rearm(s, L);
    return s->patience > 0 ? lua_error(L) : mt_raise_again(L);
}

// The outermost run has ended, and with it an interrupt.
void mt_settle(mt_state *s) {
    s->unwinding = false;
    if (!s->interrupted && !s->exiting) lua_sethook(s->current, NULL, 0, 0);
}

// Counts what the code that cleans up does.
void mt_tick(lua_State *L) {
    mt_state *s = mt_of(L);
    if (!s->unwinding) return;
    if (s->patience > 0) s->patience--;
    if (s->patience == 0) mt_raise_again(L);
}

// Raises what waits to be delivered.
int mt_stop_here(lua_State *L) {
    if (mt_of(L)->exiting) return mt_raise_exit(L);
    luaL_where(L, 0);
    lua_pushliteral(L, "interrupted!");
    lua_concat(L, 2);
    return mt_raise_interrupt(L);
}

static void stop(lua_State *L, lua_Debug *where) {
    (void)where;
    mt_state *s = mt_of(L);
    reach(s, L);
    if (s->exiting || s->interrupted) mt_stop_here(L);
    if (!s->unwinding) lua_sethook(L, NULL, 0, 0);
    mt_tick(L);
}

static void repeat(suseconds_t every) {
    struct itimerval timer = {.it_interval.tv_usec = every, .it_value.tv_usec = every};
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

// Sets the hook on the running coroutine if something waits to be delivered, or if it cleans up.
void mt_rearm(mt_state *s, lua_State *L) {
    bool waits = s->interrupted || s->exiting || s->unwinding;
    if (waits != s->repeats && s == catching) repeat((s->repeats = waits) ? AGAIN : 0);
    if (s->interrupted || s->exiting) {
        lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
        reach(s, L);
    } else if (s->unwinding)
        lua_sethook(L, stop, LUA_MASKCOUNT, TICK);
}

void mt_interrupt(mt_state *s) {
    s->interrupted = 1;
    // lua_sethook is meant to be called from a signal handler; `current` is the coroutine that runs.
    mt_rearm(s, s->current);
}

// Leaves like os.exit: what is under way is saved, and no pcall keeps it. What asks again meanwhile changes nothing, so that
// it cannot end the saving.
static void end(mt_state *s, int number) {
    if (s->exiting) return;
    s->exit_code = 128 + number;
    s->ended = true;
    s->exiting = true;
    mt_quiet(false);
    mt_rearm(s, s->current);
    uint64_t one = 1;
    if (s->wake >= 0 && write(s->wake, &one, sizeof one) < 0) { /* it is raised already */ }
}

static void press(mt_state *s) {
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

static void on_signal(int number) {
    mt_state *s = catching;
    int error = errno;  // of whatever was interrupted
    if (!s)
        ;
    else if (!pthread_equal(pthread_self(), s->owner))  // the hook must be set by the thread that runs Lua
        pthread_kill(s->owner, number);
    else if (number == SIGVTALRM) {
        mt_rearm(s, s->current);
        if (s->unwinding) reach(s, s->current);
    } else if (number == SIGINT)
        press(s);
    else
        end(s, number);
    errno = error;
}

// Writing to a pipe without a reader is an error where it is written. Not SIG_IGN, which other programs would inherit.
static void pass(int number) { (void)number; }

// Nobody reads standard output or standard error any more.
void mt_lost_reader(void) {
    mt_state *s = catching;
    if (s && pthread_equal(pthread_self(), s->owner)) end(s, SIGPIPE);
}

static void fill_signals(sigset_t *all) {
    sigemptyset(all);
    sigaddset(all, SIGINT);
    sigaddset(all, SIGVTALRM);
    for (size_t i = 0; i < ENDING; i++) sigaddset(all, ending[i]);
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
    sigset_t all;
    fill_signals(&all);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK, .sa_mask = all}, before;
    sigaction(SIGINT, &action, NULL);
    for (size_t i = 0; i < ENDING; i++) {  // what `nohup` and the like ignore stays ignored
        sigaction(ending[i], NULL, &before);
        if (before.sa_handler != SIG_IGN) sigaction(ending[i], &action, NULL);
    }
    action.sa_flags |= SA_RESTART;
    sigaction(SIGVTALRM, &action, NULL);
    action.sa_handler = pass;
    sigaction(SIGPIPE, &action, NULL);
    // Whoever started the program may have blocked them, as thread pools do for their workers.
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
}

// Whether the program ends because somebody asked it to: then finalizers, which may never end, are not waited for.
bool mt_is_cut_short(mt_state *s) { return catching == s && (s->stopped || s->ended); }

// Waits until a descriptor can be read; false once something is to be delivered, however shortly before it came.
bool mt_wait_to_read(mt_state *s, int descriptor) {
    sigset_t all, before;
    fill_signals(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int found = 0;
    while (found == 0 && !mt_should_stop(s)) {
        struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
        found = ppoll(&wanted, 1, NULL, &before);
        if (found < 0 && errno == EINTR) found = 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !mt_should_stop(s);
}

void mt_stay(mt_state *s) { s->stays = 1; }

void mt_leave(mt_state *s) { s->leaves = 1; }

void mt_wake_by(mt_state *s, int descriptor) { s->wake = descriptor; }

void mt_forget(mt_state *s) {
    if (catching != s) return;
    struct sigaction now;
    repeat(0);  // the signal of what has expired meanwhile finds the handler, and no state
    signal(SIGINT, SIG_DFL);
    for (size_t i = 0; i < ENDING; i++) {
        sigaction(ending[i], NULL, &now);
        if (now.sa_handler == on_signal) signal(ending[i], SIG_DFL);
    }
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
