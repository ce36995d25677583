// Swift objects in Lua: boxes, their metatables, and the tables of functions.
#include <string.h>

#include "internal.h"

static const char box_key, methods_key, fields_key, missing_key;

// The box at `index`, or NULL if the value is anything else. Raises nothing and allocates nothing.
mt_box *mt_to_box(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TUSERDATA) return NULL;
    mt_box *box = lua_touserdata(L, index);
    if (!lua_checkstack(L, 3) || !lua_getmetatable(L, index)) return NULL;
    bool ours = lua_rawgetp(L, -1, &box_key) == LUA_TBOOLEAN;
    lua_pop(L, 2);
    return ours ? box : NULL;
}

mt_box *mt_new_box(lua_State *L, int32_t type) {
    mt_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (mt_box){.object = NULL, .type = type};
    lua_rawgeti(L, LUA_REGISTRYINDEX, mt_of(L)->metatables[type]);
    lua_setmetatable(L, -2);
    return box;
}

void mt_release(mt_state *s, void *object) {
    s->objects--;
    s->host.release(object);
}

// __gc and __close: the pointer goes first, so that a second time does nothing.
static int release(lua_State *L) {
    mt_box *box = mt_to_box(L, 1);
    if (!box || !box->object) return 0;
    void *object = box->object;
    box->object = NULL;
    mt_release(mt_of(L), object);
    return 0;
}

// __index: methods, then fields (called with the object), then the type's own or the default answer.
static int lookup(lua_State *L) {
    lua_settop(L, 2);
    if (!mt_to_box(L, 1) || !lua_getmetatable(L, 1)) return luaL_error(L, "not an mtrepl object");
    lua_rawgetp(L, 3, &methods_key);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
    lua_rawgetp(L, 3, &fields_key);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        return 1;
    }
    if (lua_rawgetp(L, 3, &missing_key) == LUA_TNIL) return 1;
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

typedef struct {
    const char *module, *name;
    mt_list *value;
    int32_t function, type;
    mt_member member;
} registration;

static int add_type(lua_State *L) {
    registration *r = mt_light(L);
    mt_state *s = mt_of(L);
    if (s->type_count == (int32_t)(sizeof s->metatables / sizeof *s->metatables)) return luaL_error(L, "too many types");
    lua_createtable(L, 0, 16);
    lua_pushstring(L, r->name);
    lua_setfield(L, -2, "__name");
    lua_pushfstring(L, "mtrepl.%s", r->name);
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, release);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, release);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, lookup);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, &box_key);
    lua_newtable(L);
    lua_rawsetp(L, -2, &methods_key);
    lua_newtable(L);
    lua_rawsetp(L, -2, &fields_key);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX);
    r->type = s->type_count;
    s->metatables[s->type_count++] = reference;
    return 0;
}

static int add_member(lua_State *L) {
    registration *r = mt_light(L);
    mt_state *s = mt_of(L);
    if (r->type < 0 || r->type >= s->type_count) return luaL_error(L, "no such type");
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->metatables[r->type]);
    if (r->member == MT_METAMETHOD && strcmp(r->name, "__index") == 0) {
        mt_push_function(L, r->function);
        lua_rawsetp(L, -2, &missing_key);
        return 0;
    }
    if (r->member != MT_METAMETHOD) lua_rawgetp(L, -1, r->member == MT_METHOD ? &methods_key : &fields_key);
    mt_push_function(L, r->function);
    lua_setfield(L, -2, r->name);
    return 0;
}

// Pushes the global table `name`, which require also finds; of `mt.log`, the table `log` in `mt`.
static void push_module(lua_State *L, const char *name) {
    const char *dot = strchr(name, '.');
    if (dot) {
        lua_pushlstring(L, name, (size_t)(dot - name));
        push_module(L, lua_tostring(L, -1));
        lua_pushstring(L, dot + 1);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) != LUA_TTABLE) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, -5);
        }
        lua_replace(L, -4);
        lua_pop(L, 2);
        return;
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, name) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
        lua_pushvalue(L, -1);
        lua_setglobal(L, name);
    }
    lua_remove(L, -2);
}

static int add_to_module(lua_State *L) {
    registration *r = mt_light(L);
    push_module(L, r->module);
    if (r->member == MT_METAMETHOD && !lua_getmetatable(L, -1)) {
        lua_newtable(L);
        lua_pushstring(L, r->module);
        lua_setfield(L, -2, "__metatable");
        lua_pushvalue(L, -1);
        lua_setmetatable(L, -3);
    }
    if (!r->value)
        mt_push_function(L, r->function);
    else if (mt_replay(L, r->value) != 1)
        return luaL_error(L, "one value expected");
    lua_pushstring(L, r->name);
    lua_insert(L, -2);
    lua_rawset(L, -3);
    return 0;
}

static int set_global(lua_State *L) {
    registration *r = mt_light(L);
    if (mt_replay(L, r->value) != 1) return luaL_error(L, "one value expected");
    lua_setglobal(L, r->name);
    return 0;
}

mt_status mt_add_type(mt_state *s, const char *name, int32_t *type) {
    registration r = {.name = name};
    mt_status status = mt_protect(s, add_type, &r);
    *type = r.type;
    return status;
}

mt_status mt_add_member(mt_state *s, int32_t type, mt_member member, const char *name, int32_t function) {
    registration r = {.name = name, .type = type, .member = member, .function = function};
    return mt_protect(s, add_member, &r);
}

mt_status mt_add_function(mt_state *s, const char *module, const char *name, int32_t function) {
    registration r = {.module = module, .name = name, .member = MT_METHOD, .function = function};
    return mt_protect(s, add_to_module, &r);
}

mt_status mt_add_metamethod(mt_state *s, const char *module, const char *name, int32_t function) {
    registration r = {.module = module, .name = name, .member = MT_METAMETHOD, .function = function};
    return mt_protect(s, add_to_module, &r);
}

mt_status mt_add_value(mt_state *s, const char *module, const char *name, mt_list *value) {
    registration r = {.module = module, .name = name, .value = value, .member = MT_METHOD};
    return mt_protect(s, add_to_module, &r);
}

mt_status mt_set_global(mt_state *s, const char *name, mt_list *value) {
    registration r = {.name = name, .value = value};
    return mt_protect(s, set_global, &r);
}
