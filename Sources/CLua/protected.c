// pcall and xpcall that an interrupt and os.exit pass. They follow Lua's own (lbaselib.c, MIT licence, Copyright (C) 1994-2022
// Lua.org, PUC-Rio); the continuation's context is the number of interrupts that were raised before.
#include "internal.h"

// What a protected call returns: its results behind true, or false and the error. `extra` values lie below.
static int finish(lua_State *L, int status, lua_KContext before, int extra) {
    mt_state *s = mt_of(L);
    bool failed = status != LUA_OK && status != LUA_YIELD;
    if (mt_passes(L, (unsigned)before) || (failed && s->exiting)) return mt_raise_again(L);
    if (!failed) return lua_gettop(L) - extra;
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
}

static int finish_pcall(lua_State *L, int status, lua_KContext before) { return finish(L, status, before, 0); }

static int finish_xpcall(lua_State *L, int status, lua_KContext before) { return finish(L, status, before, 2); }

static int protected_call(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    lua_KContext before = (lua_KContext)mt_of(L)->raised;
    return finish_pcall(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, before, finish_pcall), before);
}

static int protected_call_with_handler(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int count = lua_gettop(L);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    lua_KContext before = (lua_KContext)mt_of(L)->raised;
    return finish_xpcall(L, lua_pcallk(L, count - 2, LUA_MULTRET, 2, before, finish_xpcall), before);
}

void mt_setup_protected(lua_State *L) {
    lua_pushcfunction(L, protected_call);
    lua_setglobal(L, "pcall");
    lua_pushcfunction(L, protected_call_with_handler);
    lua_setglobal(L, "xpcall");
}
