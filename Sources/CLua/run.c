// Loading and running chunks, and calling Lua functions from Swift: always through lua_pcall, always text.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct {
    const char *text, *name;
    size_t length;
    bool file;
    int status;
} source;

static int load(lua_State *L) {
    source *from = mt_light(L);
    from->status = from->file ? mt_load_named(L, from->name, "t", false)
                              : luaL_loadbufferx(L, from->text, from->length, from->name, "t");
    return 1;
}

static void keep_message(mt_state *s, lua_State *L) {
    size_t length;
    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &length);
        mt_set_message(s, text, length);
    } else {
        static const char start[] = "(error object is a ", end[] = " value)";
        char text[64] = "";
        strncat(text, start, sizeof text - 1);
        strncat(text, luaL_typename(L, -1), sizeof text - 1 - strlen(text));
        strncat(text, end, sizeof text - 1 - strlen(text));
        mt_set_message(s, text, strlen(text));
    }
}

static mt_status load_from(mt_state *s, source *from) {
    lua_State *L = mt_current(s)->L;
    if (!lua_checkstack(L, 8)) return MT_MEMORY;
    lua_pushcfunction(L, load);
    lua_pushlightuserdata(L, from);
    unsigned raised = s->raised;
    int status = lua_pcall(L, 1, 1, 0);
    bool interrupted = mt_passes(L, raised);
    if (s->depth == 0) mt_settle(s);
    if (status == LUA_OK) status = from->status;
    if (status == LUA_OK) return MT_OK;
    if (interrupted)
        mt_set_message(s, s->interrupt_text, strlen(s->interrupt_text));
    else
        keep_message(s, L);
    lua_pop(L, 1);
    if (s->exiting) return MT_EXIT;
    if (interrupted) return MT_INTERRUPTED;
    if (status == LUA_ERRMEM) return MT_MEMORY;
    static const char mark[] = "<eof>";
    size_t length = s->message_length, tail = sizeof mark - 1;
    bool incomplete = status == LUA_ERRSYNTAX && length >= tail && !strcmp(s->message + length - tail, mark);
    return incomplete ? MT_INCOMPLETE : MT_SYNTAX;
}

mt_status mt_load(mt_state *s, const char *text, size_t length, const char *name) {
    return load_from(s, &(source){.text = text, .length = length, .name = name});
}

mt_status mt_load_file(mt_state *s, const char *path) { return load_from(s, &(source){.name = path, .file = true}); }

// Notes the chunk and line that the message begins with: short_src in the message may have been cut.
static void note_place(lua_State *L, const char *text) {
    mt_state *s = mt_of(L);
    free(s->place);
    s->place = NULL;
    lua_Debug where;
    for (int level = 1; level < 50 && lua_getstack(L, level, &where); level++) {
        lua_getinfo(L, "Sl", &where);
        char start[LUA_IDSIZE + 16];
        int length = snprintf(start, sizeof start, "%s:%d:", where.short_src, where.currentline);
        if (where.currentline < 1 || strncmp(text, start, (size_t)length)) continue;
        s->place = strdup(where.source);
        s->place_line = where.currentline;
        return;
    }
}

const char *mt_error_place(mt_state *s, int *line) {
    *line = s->place_line;
    return s->place;
}

// Message handler: adds the traceback.
static int traceback(lua_State *L) {
    if (mt_is_exit(L, 1)) return 1;
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
    if (!text) {
        if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
            text = lua_tostring(L, -1);
        else if (lua_type(L, 1) == LUA_TNUMBER)
            text = luaL_tolstring(L, 1, NULL);
        else
            text = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    }
    note_place(L, text);
    luaL_traceback(L, L, text, 1);
    return 1;
}

typedef struct {
    mt_list *arguments;
    int reference, printer;
} invocation;

// Stack: [function]. Replays the arguments, calls, and hands results to the printer if there is one.
static int invoke(lua_State *L) {
    invocation *i = mt_light(L);
    if (i->reference) lua_rawgeti(L, LUA_REGISTRYINDEX, i->reference);
    int n = i->arguments ? mt_replay(L, i->arguments) : 0;
    lua_call(L, n, LUA_MULTRET);
    if (i->printer && lua_gettop(L) > 0) {
        luaL_checkstack(L, 2, "too many results to print");
        lua_rawgeti(L, LUA_REGISTRYINDEX, i->printer);
        lua_insert(L, 1);
        lua_call(L, lua_gettop(L) - 1, 0);
    }
    return lua_gettop(L);
}

mt_status mt_run(mt_state *s, mt_list *arguments, int printer, int *first) {
    mt_call *c = mt_current(s);
    lua_State *L = c->L;
    invocation i = {.arguments = arguments, .printer = printer};
    lua_State *before = s->current;
    s->current = L;
    s->owner = pthread_self();
    free(s->place);
    s->place = NULL;
    int function = lua_gettop(L);
    if (!lua_checkstack(L, 8)) {
        lua_settop(L, function - 1);
        return MT_MEMORY;
    }
    lua_pushcfunction(L, traceback);
    lua_pushcfunction(L, invoke);
    lua_pushlightuserdata(L, &i);
    lua_rotate(L, function, -1);  // handler, invoke, light, function
    unsigned raised = s->raised;
    s->depth++;
    int status = lua_pcall(L, 2, LUA_MULTRET, function);
    s->depth--;
    s->current = before;
    lua_remove(L, function);
    *first = function;
    bool interrupted = mt_passes(L, raised);
    if (s->depth == 0) mt_settle(s);
    s->stopped = false;
    if (status == LUA_OK) return MT_OK;
    mt_status result = s->exiting             ? MT_EXIT
                       : interrupted          ? MT_INTERRUPTED
                       : status == LUA_ERRMEM ? MT_MEMORY
                                              : MT_ERROR;
    s->stopped = result == MT_INTERRUPTED;
    if (result == MT_INTERRUPTED)
        mt_set_message(s, s->interrupt_text, strlen(s->interrupt_text));
    else
        keep_message(s, L);
    lua_settop(L, function - 1);
    return result;
}

mt_status mt_invoke(mt_state *s, int reference, mt_list *arguments, int *first) {
    mt_call *c = mt_current(s);
    lua_State *L = c->L;
    invocation i = {.arguments = arguments, .reference = reference};
    *first = lua_gettop(L) + 1;
    if (!lua_checkstack(L, 8)) return MT_MEMORY;
    lua_pushcfunction(L, invoke);
    lua_pushlightuserdata(L, &i);
    unsigned raised = s->raised;
    s->depth++;
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    s->depth--;
    bool interrupted = mt_passes(L, raised);
    if (s->depth == 0) mt_settle(s);
    if (status == LUA_OK) return MT_OK;
    if (interrupted)
        mt_set_message(s, s->interrupt_text, strlen(s->interrupt_text));
    else
        keep_message(s, L);
    lua_replace(L, c->error_slot);  // kept, so that it can be raised again unchanged
    c->pending = ++s->errors;
    return s->exiting             ? MT_EXIT
           : interrupted          ? MT_INTERRUPTED
           : status == LUA_ERRMEM ? MT_MEMORY
                                  : MT_VALUE;
}
