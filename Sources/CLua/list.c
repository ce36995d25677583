// Lists of values on their way to Lua: written by Swift without touching Lua, replayed by C with no Swift frame alive.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static mt_op *append(mt_list *l) {
    if (l->failed) return NULL;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 8;
        mt_op *ops = realloc(l->ops, capacity * sizeof *ops);
        if (!ops) {
            l->failed = true;
            return NULL;
        }
        l->ops = ops;
        l->capacity = capacity;
    }
    return &l->ops[l->count++];
}

#define APPEND(...)                            \
    do {                                       \
        mt_op *op = append(list);              \
        if (op) *op = (mt_op){__VA_ARGS__};    \
    } while (0)

void mt_list_nil(mt_list *list) { APPEND(.code = OP_NIL); }
void mt_list_boolean(mt_list *list, bool value) { APPEND(.code = OP_BOOLEAN, .integer = value); }
void mt_list_integer(mt_list *list, int64_t value) { APPEND(.code = OP_INTEGER, .integer = value); }
void mt_list_number(mt_list *list, double value) { APPEND(.code = OP_NUMBER, .number = value); }
void mt_list_reference(mt_list *list, int reference) { APPEND(.code = OP_REFERENCE, .integer = reference); }
void mt_list_field(mt_list *list) { APPEND(.code = OP_FIELD); }
void mt_list_item(mt_list *list, int64_t index) { APPEND(.code = OP_ITEM, .integer = index); }

static int clamp(size_t n) { return n > INT_MAX ? INT_MAX : (int)n; }

void mt_list_table(mt_list *list, size_t items, size_t fields) {
    APPEND(.code = OP_TABLE, .table = {clamp(items), clamp(fields)});
}

void mt_list_string(mt_list *list, const void *bytes, size_t length) {
    if (list->failed) return;
    if (length > list->room - list->used) {
        size_t room = list->room ? list->room : 64;
        while (room - list->used < length && room <= SIZE_MAX / 2) room *= 2;
        char *larger = realloc(list->bytes, room);
        if (!larger) {
            list->failed = true;
            return;
        }
        list->bytes = larger;
        list->room = room;
    }
    if (length) memcpy(list->bytes + list->used, bytes, length);
    APPEND(.code = OP_STRING, .string = {list->used, length});
    list->used += length;
}

void mt_list_object(mt_list *list, void *retained, int32_t type) {
    list->state->objects++;
    mt_op *op = append(list);
    if (op)
        *op = (mt_op){.code = OP_OBJECT, .type = type, .object = retained};
    else
        mt_release(list->state, retained);
}

mt_list *mt_list_new(mt_state *state) {
    mt_list *list = calloc(1, sizeof *list);
    if (list) list->state = state;
    return list;
}

// Empties the list, giving up what has not moved into Lua.
void mt_list_reset(mt_list *list) {
    size_t count = list->count;
    list->count = 0;
    for (size_t i = 0; i < count; i++)
        if (list->ops[i].code == OP_OBJECT && list->ops[i].object) mt_release(list->state, list->ops[i].object);
    list->used = 0;
    list->failed = false;
    if (list->capacity > 4096) {
        free(list->ops);
        list->ops = NULL;
        list->capacity = 0;
    }
    if (list->room > 1 << 20) {
        free(list->bytes);
        list->bytes = NULL;
        list->room = 0;
    }
}

// Empties it and gives back its memory.
void mt_list_close(mt_list *list) {
    mt_list_reset(list);
    free(list->ops);
    free(list->bytes);
    *list = (mt_list){.state = list->state};
}

void mt_list_free(mt_list *list) {
    if (!list) return;
    mt_list_close(list);
    free(list);
}

// Pushes the values; returns how many. May raise: the list then still owns what has not moved.
int mt_replay(lua_State *L, mt_list *list) {
    int base = lua_gettop(L);
    if (list->failed) return luaL_error(L, "not enough memory");
    for (size_t i = 0; i < list->count; i++) {
        mt_op *op = &list->ops[i];
        if (i % 65536 == 65535 && mt_should_stop(list->state)) return mt_stop_here(L);
        luaL_checkstack(L, 4, "too many values");
        switch (op->code) {
            case OP_NIL: lua_pushnil(L); break;
            case OP_BOOLEAN: lua_pushboolean(L, op->integer != 0); break;
            case OP_INTEGER: lua_pushinteger(L, op->integer); break;
            case OP_NUMBER: lua_pushnumber(L, op->number); break;
            case OP_STRING: lua_pushlstring(L, list->bytes + op->string.offset, op->string.length); break;
            case OP_REFERENCE: lua_rawgeti(L, LUA_REGISTRYINDEX, op->integer); break;
            case OP_TABLE: lua_createtable(L, op->table.items, op->table.fields); break;
            case OP_FIELD: lua_rawset(L, -3); break;
            case OP_ITEM: lua_rawseti(L, -2, op->integer); break;
            case OP_OBJECT: {
                mt_box *box = mt_new_box(L, op->type);  // empty first: a failure leaves the object with the list
                box->object = op->object;
                op->object = NULL;
                break;
            }
        }
    }
    return lua_gettop(L) - base;
}
