// What a script must not reach, always; and what --safe withholds besides.
#include <locale.h>
#include <string.h>

#include "internal.h"

static void drop(lua_State *L, const char *library, const char *name) {
    lua_getglobal(L, library);
    lua_pushnil(L);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

// os.exit([code]): leaves through every frame, so that files and locks are given back in order.
static int leave(lua_State *L) {
    mt_state *s = mt_of(L);
    int code = 0;
    if (lua_isboolean(L, 1))
        code = lua_toboolean(L, 1) ? 0 : 1;
    else
        code = (int)luaL_optinteger(L, 1, 0);
    s->exiting = true;
    s->exit_code = code;
    return mt_raise_exit(L);
}

// debug.getinfo that does not hand out C functions: inside a finalizer or a reader these could be ones that were removed.
static int get_info(lua_State *L) {
    int position = lua_type(L, 1) == LUA_TTHREAD ? 2 : 1;
    lua_State *about = position == 2 ? lua_tothread(L, 1) : L;
    if (about == L && lua_isinteger(L, position)) {  // this function adds a level
        lua_Integer level = lua_tointeger(L, position);
        if (level >= 0 && level < 1 << 30) {
            lua_pushinteger(L, level + 1);
            lua_replace(L, position);
        }
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "func");
        bool c = lua_iscfunction(L, -1);
        lua_pop(L, 1);
        if (c) {
            lua_pushnil(L);
            lua_setfield(L, -2, "func");
        }
    }
    return 1;
}

static void keep_debug(lua_State *L) {
    lua_getglobal(L, "debug");
    lua_createtable(L, 0, 2);
    lua_getfield(L, -2, "traceback");
    lua_setfield(L, -2, "traceback");
    lua_getfield(L, -2, "getinfo");
    lua_pushcclosure(L, get_info, 1);
    lua_setfield(L, -2, "getinfo");
    lua_pushvalue(L, -1);
    lua_setglobal(L, "debug");
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "debug");
    lua_pop(L, 3);
}

// os.setlocale that leaves numbers their point: scripts, files and the programs that we start are written with it.
static int set_locale(lua_State *L) {
    const char *name = luaL_optstring(L, 1, NULL), *category = luaL_optstring(L, 2, "all");
    bool is_plain = !name || !strcmp(name, "C") || !strcmp(name, "POSIX");
    if (!strcmp(category, "numeric") && !is_plain) {
        lua_pushnil(L);
        return 1;
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    setlocale(LC_NUMERIC, "C");
    if (lua_isstring(L, -1) && !strcmp(category, "all")) lua_pushstring(L, setlocale(LC_ALL, NULL));
    return 1;
}

static int refused(lua_State *L) {
    return luaL_error(L, "--safe: %s is not available", lua_tostring(L, lua_upvalueindex(1)));
}

static void refuse(lua_State *L, const char *library, const char *name) {
    lua_getglobal(L, library);
    lua_pushfstring(L, "%s.%s", library, name);
    lua_pushcclosure(L, refused, 1);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void mt_setup_sandbox(lua_State *L) {
    drop(L, "string", "dump");
    keep_debug(L);
    lua_getglobal(L, "os");
    lua_pushcfunction(L, leave);
    lua_setfield(L, -2, "exit");
    lua_pushcfunction(L, mt_execute);
    lua_setfield(L, -2, "execute");
    lua_getfield(L, -1, "setlocale");
    lua_pushcclosure(L, set_locale, 1);
    lua_setfield(L, -2, "setlocale");
    lua_pop(L, 1);
    if (!mt_of(L)->safe) return;
    mt_setup_files(L);
    refuse(L, "io", "popen");
    refuse(L, "io", "tmpfile");
    refuse(L, "os", "execute");
    refuse(L, "os", "tmpname");
    refuse(L, "package", "searchpath");
}
