// coroutine.resume and coroutine.wrap that tell the interrupt which coroutine runs: hooks are per coroutine.
// Follows lcorolib.c of Lua 5.4 closely (Copyright (C) 1994-2022 Lua.org, PUC-Rio; MIT licence).
#include "internal.h"

// Moves `n` values to `co`, runs it, moves the results back. Returns their number, or -1 with the error on top.
static int resume_with(lua_State *L, lua_State *co, int n) {
    mt_state *s = mt_of(L);
    int results;
    if (!lua_checkstack(co, n)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, n);
    s->current = co;
    mt_rearm(s, co);
    int status = lua_resume(co, L, n, &results);
    s->current = L;
    mt_rearm(s, L);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static int resume(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    int results = resume_with(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    int count = results < 0 ? 1 : results;
    lua_insert(L, -(count + 1));
    return count + 1;
}

static int wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int results = resume_with(L, co, lua_gettop(L));
    if (results >= 0) return results;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {  // it died: close its variables, which may change the error
        status = lua_resetthread(co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

void mt_setup_coroutines(lua_State *L) {
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, resume);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, wrap);
    lua_setfield(L, -2, "wrap");
    lua_pop(L, 1);
}
