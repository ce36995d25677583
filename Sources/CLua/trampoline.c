// The one C function behind every Swift-made Lua function.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define POOL 8

static const char outbox_key, pool_key;

static int outbox_gc(lua_State *L) {
    mt_list *list = lua_touserdata(L, 1);
    bool ours = lua_getmetatable(L, 1) && lua_rawgetp(L, LUA_REGISTRYINDEX, &outbox_key) && lua_rawequal(L, -1, -2);
    if (list && ours) mt_list_close(list);
    return 0;
}

// Pushes an outbox: a userdata that owns results and error text until they have moved into Lua, whatever raises meanwhile.
static mt_list *take_outbox(lua_State *L, mt_state *s) {
    if (s->pooled > 0) {
        int slot = s->pooled--;
        lua_rawgeti(L, lua_upvalueindex(2), slot);
        lua_pushboolean(L, 0);
        lua_rawseti(L, lua_upvalueindex(2), slot);  // an existing slot: no allocation
        mt_list *list = lua_touserdata(L, -1);
        if (list) return list;
        lua_pop(L, 1);
    }
    mt_list *list = lua_newuserdatauv(L, sizeof *list, 0);
    *list = (mt_list){.state = s};
    lua_rawgetp(L, LUA_REGISTRYINDEX, &outbox_key);
    lua_setmetatable(L, -2);
    return list;
}

// Empties the outbox at `index` and puts it back into the pool. Not called when something raised: the outbox is then garbage.
static void give_outbox(lua_State *L, mt_state *s, int index, mt_list *list) {
    mt_list_reset(list);
    if (s->pooled == POOL) return;
    lua_pushvalue(L, index);
    lua_rawseti(L, lua_upvalueindex(2), ++s->pooled);
}

// Pushes "file:line: " of the nearest Lua function that called.
static void push_where(lua_State *L) {
    for (int level = 1; level <= 2; level++) {
        luaL_where(L, level);
        if (lua_rawlen(L, -1) > 0) return;
        lua_pop(L, 1);
    }
    lua_pushliteral(L, "");
}

static int raise_error(mt_call *c, mt_status status) {
    lua_State *L = c->L;
    mt_state *s = c->state;
    int outbox = c->count + 1;
    if (s->exiting) return mt_raise_exit(L);
    bool passes = mt_passes(L, c->raised);
    if (status == MT_VALUE && !passes) {
        give_outbox(L, s, outbox, c->results);
        lua_settop(L, c->error_slot);
        return lua_error(L);
    }
    lua_settop(L, c->error_slot);
    push_where(L);
    if (c->results->failed)
        lua_pushliteral(L, "not enough memory");
    else
        lua_pushlstring(L, c->results->bytes, c->results->used);
    lua_concat(L, 2);
    give_outbox(L, s, outbox, c->results);
    // Ctrl-C came, or a callback was interrupted; otherwise a callback asked to stop, which is an error like any other.
    bool interrupts = status == MT_INTERRUPTED && (s->interrupted || passes);
    if (interrupts) return mt_raise_interrupt(L);
    return passes ? mt_raise_again(L) : lua_error(L);
}

// Lua sees a tensor as 16 bytes; this is what makes it collect them.
static void collect_if_needed(mt_state *s, lua_State *L) {
    if (!s->host.live_bytes || s->host.live_bytes() <= s->soft_maximum || s->closing) return;
    if (lua_gc(L, LUA_GCCOLLECT) < 0) return;  // inside a finalizer
    s->collections++;
    int64_t live = s->host.live_bytes();
    int64_t wanted = live + live / 5 * 2;
    s->soft_maximum = wanted > s->host.soft_maximum ? wanted : s->host.soft_maximum;
}

static int trampoline(lua_State *L) {
    mt_state *s = mt_of(L);
    mt_call c = {.state = s, .L = L, .count = lua_gettop(L), .raised = s->raised};
    luaL_checkstack(L, LUA_MINSTACK, "too many arguments");
    if (s->freed_count) mt_drain(s, L);
    c.results = take_outbox(L, s);  // all that can raise is done before Swift runs
    lua_pushnil(L);
    c.error_slot = c.count + 2;
    c.previous = s->top;
    s->top = &c;
    mt_status status = s->host.dispatch(s->host.host, &c, (int32_t)lua_tointeger(L, lua_upvalueindex(1)));
    s->top = c.previous;
    // No Swift frame of this call is alive below this line.
    if (status != MT_OK) return raise_error(&c, status);
    if (mt_passes(L, c.raised)) return mt_raise_again(L);
    lua_settop(L, c.error_slot);
    int n = mt_replay(L, c.results);
    give_outbox(L, s, c.count + 1, c.results);
    collect_if_needed(s, L);
    return n;
}

void mt_push_function(lua_State *L, int32_t function) {
    lua_pushinteger(L, function);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &pool_key);
    lua_pushcclosure(L, trampoline, 2);
}

void mt_setup_trampoline(lua_State *L) {
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, outbox_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "mtrepl.outbox");
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &outbox_key);
    lua_createtable(L, POOL, 0);
    for (int i = 1; i <= POOL; i++) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, -2, i);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &pool_key);
}

mt_list *mt_results(mt_call *c) { return c->results; }

void mt_fail(mt_call *c, const void *text, size_t length) {
    mt_list_reset(c->results);
    mt_list_string(c->results, text, length);
}

uint64_t mt_pending(mt_call *c) { return c->pending; }

void mt_exit(mt_call *c, int code) {
    c->state->exiting = true;
    c->state->exit_code = code;
}

// Frees references given up while Lua was busy. The slots exist, so nothing is allocated.
void mt_drain(mt_state *s, lua_State *L) {
    while (s->freed_count) luaL_unref(L, LUA_REGISTRYINDEX, s->freed[--s->freed_count]);
}

void mt_unreference(mt_state *s, int reference) {
    if (s->freed_count == s->freed_room) {
        size_t room = s->freed_room ? 2 * s->freed_room : 16;
        int *larger = realloc(s->freed, room * sizeof *larger);
        if (!larger) return;  // the value then lives as long as the state
        s->freed = larger;
        s->freed_room = room;
    }
    s->freed[s->freed_count++] = reference;
}
