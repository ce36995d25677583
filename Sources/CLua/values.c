// Reading values: only API functions that cannot raise.
#include "internal.h"

int mt_count(mt_call *c) { return c->count; }

int mt_top(mt_call *c) { return lua_gettop(c->L); }

void mt_settop(mt_call *c, int top) { lua_settop(c->L, top); }

mt_kind mt_type(mt_call *c, int index) {
    switch (lua_type(c->L, index)) {
        case LUA_TNONE: return MT_NONE;
        case LUA_TNIL: return MT_NIL;
        case LUA_TBOOLEAN: return MT_BOOLEAN;
        case LUA_TNUMBER: return lua_isinteger(c->L, index) ? MT_INTEGER : MT_NUMBER;
        case LUA_TSTRING: return MT_STRING;
        case LUA_TTABLE: return MT_TABLE;
        case LUA_TFUNCTION: return MT_FUNCTION;
        case LUA_TUSERDATA: return mt_to_box(c->L, index) ? MT_OBJECT : MT_OTHER;
        default: return MT_OTHER;
    }
}

const char *mt_type_name(mt_call *c, int index) { return lua_typename(c->L, lua_type(c->L, index)); }

bool mt_boolean(mt_call *c, int index) { return lua_toboolean(c->L, index); }

int64_t mt_integer(mt_call *c, int index) { return lua_tointegerx(c->L, index, NULL); }

double mt_number(mt_call *c, int index) { return lua_tonumberx(c->L, index, NULL); }

const char *mt_string(mt_call *c, int index, size_t *length) {
    // A number would be converted in place, which allocates.
    if (lua_type(c->L, index) == LUA_TSTRING) return lua_tolstring(c->L, index, length);
    *length = 0;
    return "";
}

void *mt_object(mt_call *c, int index, int32_t *type) {
    mt_box *box = mt_to_box(c->L, index);
    *type = box ? box->type : -1;
    return box ? box->object : NULL;
}

void *mt_take_object(mt_call *c, int index) {
    mt_box *box = mt_to_box(c->L, index);
    if (!box) return NULL;
    void *object = box->object;
    box->object = NULL;
    if (object) c->state->objects--;
    return object;
}

size_t mt_table_length(mt_call *c, int index) { return lua_rawlen(c->L, index); }

bool mt_table_begin(mt_call *c) {
    if (!lua_checkstack(c->L, 8)) return false;
    lua_pushnil(c->L);
    return true;
}

bool mt_table_next(mt_call *c, int index) { return lua_next(c->L, index) != 0; }

typedef struct { int reference; } reference;

static int make_reference(lua_State *L) {
    if (lua_type(L, 1) != LUA_TLIGHTUSERDATA) return luaL_error(L, "an internal function");
    reference *r = lua_touserdata(L, 1);
    lua_settop(L, 2);
    r->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

int mt_reference(mt_call *c, int index) {
    lua_State *L = c->L;
    // With room for the call on the stack nothing here can start a collection. A finalizer could change the table that the
    // caller walks, and lua_next would then raise over its frames.
    if (!lua_checkstack(L, 4 + 2 * LUA_MINSTACK)) return 0;
    reference r = {0};
    index = lua_absindex(L, index);
    int top = lua_gettop(L);
    lua_pushcfunction(L, make_reference);
    lua_pushlightuserdata(L, &r);
    lua_pushvalue(L, index);
    int status = lua_pcall(L, 2, 0, 0);
    lua_settop(L, top);
    return status == LUA_OK ? r.reference : 0;
}
