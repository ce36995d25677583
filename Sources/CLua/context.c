// States: set-up inside a protected call, the counting allocator, warnings, messages, memory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "internal.h"

#define RESERVE ((size_t)32 << 20)
#define STRIDE ((size_t)1 << 20)

static bool is_limited(int kind) {
    struct rlimit limit;
    return getrlimit(kind, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

// Under `ulimit -v` or `-d` Lua leaves some memory to everything else: where it gets none, Swift can only end the process.
static bool leaves_room(mt_state *s, size_t grows) {
    if (!s->limited || s->used + grows <= s->probed) return true;
    size_t size = RESERVE + grows;
    void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return false;
    munmap(place, size);
    s->probed = s->used + grows + STRIDE;
    return true;
}

static void *allocate(void *context, void *block, size_t old, size_t size) {
    mt_state *s = context;
    if (!block) old = 0;  // then it is the kind of the new object
    if (size == 0) {
        s->used -= old;
        free(block);
        return NULL;
    }
    if (size > old) {
        s->allocations++;
        if (s->fail_at && s->allocations >= s->fail_at) return NULL;
        if (size - old > s->limit || s->used > s->limit - (size - old)) return NULL;
    }
    if (size > old && !leaves_room(s, size - old)) return NULL;
    void *result = realloc(block, size);
    // Lua relies on shrinking: a block that cannot be made smaller stays as it is.
    if (!result) return size <= old ? block : NULL;
    s->used += size - old;
    return result;
}

static void warn(void *context, const char *text, int more) {
    static bool fresh = true;
    mt_state *s = context;
    if (mt_should_stop(s)) return;  // an interrupt of a finalizer
    if (fresh && !more && text[0] == '@') return;  // control messages: warnings stay on
    if (fresh) fputs("Lua warning: ", stderr);
    if (s->host.warn && isatty(STDERR_FILENO))
        s->host.warn(text);
    else
        fputs(text, stderr);
    fresh = !more;
    if (fresh) fputc('\n', stderr);
}

// Only a mistake of ours leads here; returning would let Lua jump over Swift frames.
static int panic(lua_State *L) {
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "(no message)";
    fprintf(stderr, "mtrepl: error outside of any protected call: %s\n", text);
    abort();
}

void mt_set_message(mt_state *s, const char *text, size_t length) {
    char *copy = realloc(s->message, length + 1);
    if (!copy) {
        s->message_length = 0;
        return;
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    s->message = copy;
    s->message_length = length;
}

const char *mt_message(mt_state *s, size_t *length) {
    *length = s->message_length;
    return s->message ? s->message : "";
}

// The argument that mt_protect passed. Scripts cannot make light userdata, so that functions which they may find through
// debug.getinfo do nothing for them.
void *mt_light(lua_State *L) {
    if (lua_type(L, 1) != LUA_TLIGHTUSERDATA) luaL_error(L, "an internal function");
    void *pointer = lua_touserdata(L, 1);
    lua_remove(L, 1);
    return pointer;
}

// Runs `body` with a light userdata; what it returns is dropped.
mt_status mt_protect(mt_state *s, lua_CFunction body, void *argument) {
    mt_call *c = mt_current(s);
    lua_State *L = c->L;
    if (!lua_checkstack(L, 4)) return MT_MEMORY;
    int top = lua_gettop(L);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, argument);
    int status = lua_pcall(L, 1, 0, 0);
    if (status != LUA_OK && lua_type(L, -1) == LUA_TSTRING) {
        size_t length;
        const char *text = lua_tolstring(L, -1, &length);
        mt_set_message(s, text, length);
    }
    lua_settop(L, top);
    return status == LUA_OK ? MT_OK : status == LUA_ERRMEM ? MT_MEMORY : MT_ERROR;
}

static int set_up(lua_State *L) {
    mt_state *s = mt_light(L);
    luaL_openlibs(L);
    mt_setup_trampoline(L);
    mt_setup_interrupts(L);
    mt_setup_coroutines(L);
    mt_setup_protected(L);
    mt_setup_loaders(L);
    mt_setup_sandbox(L);
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, (lua_Integer)s->host.seed);
    lua_call(L, 1, 0);
    return 0;
}

mt_state *mt_open(const mt_host *host) {
    mt_setup_output();
    mt_state *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->host = *host;
    s->safe = host->safe;
    s->soft_maximum = host->soft_maximum;
    mt_set_memory_limit(s, host->memory_limit);
    s->owner = pthread_self();
    s->wake = -1;
    s->limited = is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA);
    s->L = lua_newstate(allocate, s);
    if (!s->L) {
        free(s);
        return NULL;
    }
    mt_of(s->L) = s;
    lua_atpanic(s->L, panic);
    lua_setwarnf(s->L, warn, s);
    lua_settop(s->L, 0);
    lua_pushnil(s->L);  // the error slot of the root call
    s->current = s->L;
    s->root = (mt_call){.state = s, .L = s->L, .error_slot = 1};
    if (mt_protect(s, set_up, s) != MT_OK) {
        mt_close(s);
        return NULL;
    }
    return s;
}

void mt_close(mt_state *s) {
    s->closing = true;
    if (mt_is_cut_short(s)) return mt_forget(s);  // what the process holds goes with it
    mt_forget(s);
    s->exiting = false;  // finalizers may run Lua
    s->interrupted = 0;
    s->unwinding = false;
    s->fail_at = 0;
    lua_sethook(s->L, NULL, 0, 0);
    lua_close(s->L);
    free(s->message);
    free(s->place);
    free(s->freed);
    free(s);
}

mt_call *mt_current(mt_state *s) { return s->top ? s->top : &s->root; }

int mt_exit_code(mt_state *s) { return s->exit_code; }

mt_memory mt_memory_use(mt_state *s) {
    return (mt_memory){
        .lua_bytes = s->used,
        .limit = s->limit,
        .live_bytes = s->host.live_bytes ? s->host.live_bytes() : 0,
        .soft_maximum = s->soft_maximum,
        .collections = s->collections,
        .objects = s->objects,
    };
}

void mt_set_soft_maximum(mt_state *s, int64_t bytes) { s->host.soft_maximum = s->soft_maximum = bytes; }

void mt_set_memory_limit(mt_state *s, size_t bytes) {
    // Half of the memory: tensors need the rest, and a machine that swaps cannot be interrupted.
    if (bytes == 0) bytes = (size_t)sysconf(_SC_PHYS_PAGES) / 2 * (size_t)sysconf(_SC_PAGESIZE);
    s->limit = bytes;
}

void mt_collect(mt_state *s) {
    s->collections++;
    lua_gc(mt_current(s)->L, LUA_GCCOLLECT);
}

int64_t mt_fail_allocation(mt_state *s, int64_t n) {
    int64_t made = s->allocations;
    s->allocations = 0;
    s->fail_at = n;
    return made;
}
