// load, loadfile, dofile and require for text only: a damaged binary chunk can crash the interpreter.
// Follows lbaselib.c and loadlib.c of Lua 5.4 closely (Copyright (C) 1994-2022 Lua.org, PUC-Rio; MIT licence).
#include <string.h>

#include "internal.h"

// The function on top, with the environment at `environment` if that is not 0; or nil and the message.
static int finish(lua_State *L, int status, int environment) {
    if (status != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (environment) {
        lua_pushvalue(L, environment);
        if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
    }
    return 1;
}

// A reader that was interrupted ends lua_load with an error like any other.
static int finish_reading(lua_State *L, int status, int environment, unsigned before) {
    mt_state *s = mt_of(L);
    if (mt_passes(L, before) || (status != LUA_OK && s->exiting)) return mt_raise_again(L);
    return finish(L, status, environment);
}

// The mode for lua_load: text, or nothing at all where the script asks for binary chunks only.
static const char *text_only(lua_State *L, int index) {
    return strchr(luaL_optstring(L, index, "t"), 't') ? "t" : "none";
}

#define PIECE 5  // stack slot that keeps the piece being read alive

static const char *read_piece(lua_State *L, void *unused, size_t *size) {
    (void)unused;
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        *size = 0;
        return NULL;
    }
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "reader function must return a string");
    lua_replace(L, PIECE);
    return lua_tolstring(L, PIECE, size);
}

static int load(lua_State *L) {
    int environment = lua_isnone(L, 4) ? 0 : 4;
    const char *mode = text_only(L, 3);
    if (lua_type(L, 1) == LUA_TSTRING) {
        size_t length;
        const char *text = lua_tolstring(L, 1, &length);
        const char *name = luaL_optstring(L, 2, text);
        return finish(L, luaL_loadbufferx(L, text, length, name, mode), environment);
    }
    const char *name = luaL_optstring(L, 2, "=(load)");
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, PIECE);
    unsigned before = mt_of(L)->raised;
    return finish_reading(L, lua_load(L, read_piece, NULL, name, mode), environment, before);
}

static int load_file(lua_State *L) {
    int environment = lua_isnone(L, 3) ? 0 : 3;
    const char *mode = text_only(L, 2);
    return finish(L, mt_load_named(L, luaL_optstring(L, 1, NULL), mode, mt_of(L)->safe), environment);
}

static int after_file(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

static int do_file(lua_State *L) {
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (mt_load_named(L, path, "t", mt_of(L)->safe) != LUA_OK) return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, after_file);
    return after_file(L, 0, 0);
}

// The searcher of require for Lua files along package.path (upvalue 1 is the package table).
static int search(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING)
        return luaL_error(L, "'package.path' must be a string");
    name = luaL_gsub(L, name, ".", "/");
    const char *path = luaL_gsub(L, lua_tostring(L, 2), "?", name);
    lua_pushliteral(L, "");  // what was tried
    while (*path) {
        size_t length = strcspn(path, ";");
        lua_pushlstring(L, path, length);
        const char *file = lua_tostring(L, -1);
        path += length + (path[length] == ';');
        if (mt_is_readable(L, file)) {
            if (mt_load_named(L, file, "t", mt_of(L)->safe) != LUA_OK)
                return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", lua_tostring(L, 1), file,
                                  lua_tostring(L, -1));
            lua_insert(L, -2);  // the function, then the file name
            return 2;
        }
        lua_pushfstring(L, "%sno file '%s'", lua_rawlen(L, -2) ? "\n\t" : "", file);
        lua_remove(L, -2);
        lua_concat(L, 2);
    }
    lua_pushliteral(L, "\n\tno library in C, as only text is loaded");
    lua_concat(L, 2);
    return 1;
}

void mt_setup_loaders(lua_State *L) {
    lua_pushcfunction(L, load);
    lua_setglobal(L, "load");
    lua_pushcfunction(L, load_file);
    lua_setglobal(L, "loadfile");
    lua_pushcfunction(L, do_file);
    lua_setglobal(L, "dofile");
    lua_getglobal(L, "package");
    lua_pushnil(L);
    lua_setfield(L, -2, "loadlib");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_createtable(L, 2, 0);
    lua_getfield(L, -2, "searchers");
    lua_rawgeti(L, -1, 1);  // package.preload
    lua_rawseti(L, -3, 1);
    lua_pop(L, 1);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, search, 1);
    lua_rawseti(L, -2, 2);
    lua_setfield(L, -2, "searchers");
    lua_pop(L, 1);
}
