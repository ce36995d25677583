// Finding values by name without running code: raw access, and metatables only where __index is a table.
#include "internal.h"

typedef struct {
    mt_list *path;
    int inherited;
} look;

// Replaces the value on top by the table that its metatable's __index names, or by nil.
static void inherit(lua_State *L) {
    if (lua_type(L, -1) == LUA_TTABLE && lua_getmetatable(L, -1)) {
        lua_pushliteral(L, "__index");
        lua_rawget(L, -2);
        lua_replace(L, -3);
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TTABLE) return;
    }
    lua_pop(L, 1);
    lua_pushnil(L);
}

static int find(lua_State *L) {
    look *l = mt_light(L);
    lua_settop(L, 0);
    int count = mt_replay(L, l->path);
    luaL_checkstack(L, 8, "too long a path");
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    for (int i = 1; i <= count; i++) {
        for (int depth = 0; depth < 8 && lua_type(L, -1) == LUA_TTABLE; depth++) {
            lua_pushvalue(L, i);
            if (lua_rawget(L, -2) != LUA_TNIL) break;
            lua_pop(L, 1);
            inherit(L);
        }
        if (lua_gettop(L) == count + 2)
            lua_remove(L, -2);
        else {  // nothing there, or nothing that has fields
            lua_pop(L, 1);
            lua_pushnil(L);
        }
    }
    for (int i = 0; i < l->inherited; i++) inherit(L);
    return 1;
}

mt_status mt_look(mt_state *s, mt_list *path, int inherited) {
    lua_State *L = mt_current(s)->L;
    look l = {.path = path, .inherited = inherited};
    if (!lua_checkstack(L, 4)) return MT_MEMORY;
    lua_pushcfunction(L, find);
    lua_pushlightuserdata(L, &l);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) return MT_OK;
    lua_pop(L, 1);
    return MT_ERROR;
}
