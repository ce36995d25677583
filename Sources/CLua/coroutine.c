// coroutine.resume, wrap and close that tell the interrupt which coroutine runs, as hooks are per coroutine, and that let an
// interrupt pass. They follow Lua's own (lcorolib.c, MIT licence, Copyright (C) 1994-2022 Lua.org, PUC-Rio).
#include "internal.h"

// From now on an interrupt meets this coroutine.
static void enter(mt_state *s, lua_State *co) {
    s->current = co;
    mt_rearm(s, co);
}

// Closes the variables of a coroutine that is suspended or dead; its status, with the error on top of it.
static int reset(lua_State *L, lua_State *co) {
    mt_state *s = mt_of(L);
    enter(s, co);
    int status = lua_resetthread(co);
    enter(s, L);
    return status;
}

// Moves `n` values to `co`, runs it, moves the results back. Returns their number, or -1 with the error on top.
static int resume_with(lua_State *L, lua_State *co, int n) {
    mt_state *s = mt_of(L);
    int results;
    mt_tick(L);
    if (!lua_checkstack(co, n)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, n);
    enter(s, co);
    int status = lua_resume(co, L, n, &results);
    enter(s, L);
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
    mt_state *s = mt_of(L);
    unsigned before = s->raised;
    int results = resume_with(L, co, lua_gettop(L) - 1);
    if (mt_passes(L, before) || (results < 0 && s->exiting)) return mt_raise_again(L);
    lua_pushboolean(L, results >= 0);
    int count = results < 0 ? 1 : results;
    lua_insert(L, -(count + 1));
    return count + 1;
}

static int wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    mt_state *s = mt_of(L);
    unsigned before = s->raised;
    int results = resume_with(L, co, lua_gettop(L));
    int status = lua_status(co);
    if (results < 0 && status != LUA_OK && status != LUA_YIELD) {  // it died: close its variables, which may change the error
        status = reset(L, co);
        lua_xmove(co, L, 1);
    }
    if (mt_passes(L, before) || (results < 0 && s->exiting)) return mt_raise_again(L);
    if (results >= 0) return results;
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

// NULL if a coroutine can be closed, otherwise what it is.
static const char *in_use(lua_State *L, lua_State *co) {
    if (co == L) return "running";
    lua_Debug frame;
    return lua_status(co) == LUA_OK && lua_getstack(co, 0, &frame) ? "normal" : NULL;
}

static int close(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    const char *use = in_use(L, co);
    if (use) return luaL_error(L, "cannot close a %s coroutine", use);
    mt_state *s = mt_of(L);
    unsigned before = s->raised;
    int status = reset(L, co);
    if (mt_passes(L, before) || (status != LUA_OK && s->exiting)) return mt_raise_again(L);
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK) return 1;
    lua_xmove(co, L, 1);
    return 2;
}

void mt_setup_coroutines(lua_State *L) {
    static const luaL_Reg functions[] = {{"resume", resume}, {"wrap", wrap}, {"close", close}, {NULL, NULL}};
    lua_getglobal(L, "coroutine");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
