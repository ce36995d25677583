// What the files of CLua share. The only place that includes lua.h.
#ifndef MT_INTERNAL_H
#define MT_INTERNAL_H

#if __has_include(<lua5.4/lua.h>)
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#else
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#endif
#include <pthread.h>
#include <signal.h>

#include "CLua.h"

_Static_assert(LUA_VERSION_NUM == 504, "mtrepl needs Lua 5.4");

// One instruction of a list.
typedef struct {
    enum { OP_NIL, OP_BOOLEAN, OP_INTEGER, OP_NUMBER, OP_STRING, OP_OBJECT, OP_REFERENCE, OP_TABLE, OP_FIELD, OP_ITEM } code;
    int32_t type;
    union {
        int64_t integer;
        double number;
        void *object;
        struct { size_t offset, length; } string;
        struct { int items, fields; } table;
    };
} mt_op;

struct mt_list {
    mt_state *state;
    mt_op *ops;
    size_t count, capacity;
    char *bytes;  // of the strings, and of the error message
    size_t used, room;
    bool failed;  // memory ran out while it was written
};

struct mt_call {
    mt_state *state;
    lua_State *L;
    int count;       // arguments, at 1 ... count
    int error_slot;  // stack index of the error value of the last failed callback
    uint64_t pending;
    unsigned raised;  // of the state, when the call began
    mt_list *results;
    struct mt_call *previous;
};

struct mt_state {
    lua_State *L;
    mt_host host;
    bool safe;
    // Memory.
    size_t used, limit;
    bool limited;   // by ulimit
    size_t probed;  // what Lua may use before it is seen again whether that leaves room
    int64_t allocations, fail_at;
    int64_t soft_maximum, collections;
    int64_t objects;  // Swift objects held by Lua, or on their way to it
    // Calls under way: the innermost, and one that stands for the host itself.
    mt_call *top;
    mt_call root;
    uint64_t errors;
    int pooled;  // outboxes in the pool
    // Types: references to their metatables.
    int32_t type_count;
    int metatables[128];
    // References given up by Swift, to be freed when Lua is at rest.
    int *freed;
    size_t freed_count, freed_room;
    // Last message.
    char *message;
    size_t message_length;
    char *place;  // chunk of the last error, or NULL
    int place_line;
    // Interrupts.
    lua_State *volatile current;
    volatile sig_atomic_t interrupted, presses, stays, leaves;
    volatile sig_atomic_t repeats;  // the timer that sets the hook again
    volatile sig_atomic_t waits;  // for a command of os.execute
    pthread_t owner;
    int wake;  // a descriptor that a request to end the process is written to, or -1
    // An interrupt that was raised and is on its way out of the outermost run; see interrupt.c.
    bool reaches;  // into finalizers and message handlers
    bool unwinding;
    unsigned raised;  // how often one was raised
    int patience;     // what is left to the code that cleans up, in ticks
    int depth;        // mt_run and mt_invoke under way
    char interrupt_text[1024];
    volatile sig_atomic_t exiting;
    volatile sig_atomic_t ended;  // by a signal
    bool stopped;                 // the last run, by an interrupt
    bool closing;
    int exit_code;
};

// A Swift object in Lua.
typedef struct {
    void *object;  // NULL: closed
    int32_t type;
} mt_box;

#define mt_of(L) (*(mt_state **)lua_getextraspace(L))

// context.c
void mt_set_message(mt_state *s, const char *text, size_t length);
mt_status mt_protect(mt_state *s, lua_CFunction body, void *argument);
void *mt_light(lua_State *L);
// list.c
void mt_list_reset(mt_list *list);
void mt_list_close(mt_list *list);
int mt_replay(lua_State *L, mt_list *list);
// trampoline.c
void mt_setup_trampoline(lua_State *L);
void mt_push_function(lua_State *L, int32_t function);
void mt_drain(mt_state *s, lua_State *L);
// objects.c
mt_box *mt_to_box(lua_State *L, int index);
mt_box *mt_new_box(lua_State *L, int32_t type);
void mt_release(mt_state *s, void *object);
// interrupt.c
void mt_rearm(mt_state *s, lua_State *L);
int mt_raise_interrupt(lua_State *L);
int mt_raise_again(lua_State *L);
int mt_stop_here(lua_State *L);
bool mt_passes(lua_State *L, unsigned before);
void mt_tick(lua_State *L);
void mt_settle(mt_state *s);
void mt_setup_interrupts(lua_State *L);
int mt_raise_exit(lua_State *L);
bool mt_is_exit(lua_State *L, int index);
void mt_forget(mt_state *s);
bool mt_is_cut_short(mt_state *s);
bool mt_wait_to_read(mt_state *s, int descriptor);
void mt_lost_reader(void);
// protected.c
void mt_setup_protected(lua_State *L);
// output.c, coroutine.c, sandbox.c
void mt_setup_output(void);
void mt_setup_coroutines(lua_State *L);
void mt_setup_sandbox(lua_State *L);
void mt_setup_loaders(lua_State *L);
// files.c
void mt_setup_files(lua_State *L);
// As luaL_loadfilex; raises an interrupt that comes while it reads. `confined`: the path must lie within the folder of --safe.
int mt_load_named(lua_State *L, const char *path, const char *mode, bool confined);
bool mt_is_readable(lua_State *L, const char *path);
// execute.c
int mt_execute(lua_State *L);

#endif
