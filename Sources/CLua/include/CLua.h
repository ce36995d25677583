// The Lua boundary as Swift sees it. Nothing declared here can raise a Lua error, and lua.h is not
// included, so that a jump over a Swift frame cannot be written. See docs/architecture.md.
#ifndef MT_LUA_H
#define MT_LUA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mt_state mt_state;  // an interpreter
typedef struct mt_call mt_call;    // one call from Lua to Swift; valid until the Swift function returns
typedef struct mt_list mt_list;    // values on their way to Lua

typedef enum {
    MT_OK,
    MT_ERROR,        // a message
    MT_VALUE,        // the error value of a failed callback, passed on unchanged
    MT_MEMORY,       // out of memory
    MT_SYNTAX,       // the chunk does not parse
    MT_INCOMPLETE,   // the chunk could become correct with more text
    MT_INTERRUPTED,  // Ctrl-C
    MT_EXIT,         // os.exit
} mt_status;

typedef enum {
    MT_NONE, MT_NIL, MT_BOOLEAN, MT_INTEGER, MT_NUMBER, MT_STRING, MT_TABLE, MT_FUNCTION, MT_OBJECT, MT_OTHER
} mt_kind;

typedef enum { MT_METHOD, MT_FIELD, MT_METAMETHOD } mt_member;

typedef struct {
    void *host;                                                          // passed to dispatch
    mt_status (*dispatch)(void *host, mt_call *call, int32_t function);  // the one way into Swift
    void (*release)(void *object);                                       // gives up a retained object
    int64_t (*live_bytes)(void);                                         // bytes held by Swift objects, or NULL
    void (*warn)(const char *text);                                      // shows a piece of a warning on a terminal
    int64_t soft_maximum;     // live bytes above which a full collection runs
    size_t memory_limit;      // bytes Lua itself may hold; 0: half of the physical memory
    uint64_t seed;            // of math.random
    bool safe;                // scripts may use only the files that cf_confine leaves, and no processes
} mt_host;

// ---- State (context.c, run.c). All return NULL or a status instead of raising.
mt_state *mt_open(const mt_host *host);
void mt_close(mt_state *state);
// Loads a text chunk; `name` as in lua_load ("@file", "=stdin"). The function stays on top of the stack for mt_run.
mt_status mt_load(mt_state *state, const char *text, size_t length, const char *name);
// The same from a file, or from standard input when path is NULL.
mt_status mt_load_file(mt_state *state, const char *path);
// Calls what was loaded. Values it returns stay on the stack of mt_current from *first to the top (mt_settop removes
// them). With a printer (a reference) they are handed to it instead.
mt_status mt_run(mt_state *state, mt_list *arguments, int printer, int *first);
// Calls a referenced function from inside a Swift function (or from outside of any).
mt_status mt_invoke(mt_state *state, int reference, mt_list *arguments, int *first);
// Text of the last error of mt_load, mt_run, mt_invoke and mt_set_*.
const char *mt_message(mt_state *state, size_t *length);
// The chunk and line that the last error of mt_run begins with, such as "@file" or "=stdin"; NULL when not known.
const char *mt_error_place(mt_state *state, int *line);
int mt_exit_code(mt_state *state);
mt_status mt_set_global(mt_state *state, const char *name, mt_list *value);
mt_call *mt_current(mt_state *state);

// ---- Registration. `function` is what dispatch receives.
mt_status mt_add_function(mt_state *state, const char *module, const char *name, int32_t function);
mt_status mt_add_value(mt_state *state, const char *module, const char *name, mt_list *value);
mt_status mt_add_metamethod(mt_state *state, const char *module, const char *name, int32_t function);
mt_status mt_add_type(mt_state *state, const char *name, int32_t *type);
mt_status mt_add_member(mt_state *state, int32_t type, mt_member member, const char *name, int32_t function);

// ---- Reading arguments and results (values.c); an index counts from 1.
int mt_count(mt_call *call);
int mt_top(mt_call *call);
void mt_settop(mt_call *call, int top);
mt_kind mt_type(mt_call *call, int index);
const char *mt_type_name(mt_call *call, int index);
bool mt_boolean(mt_call *call, int index);
int64_t mt_integer(mt_call *call, int index);
double mt_number(mt_call *call, int index);
const char *mt_string(mt_call *call, int index, size_t *length);  // valid while the value is on the stack
void *mt_object(mt_call *call, int index, int32_t *type);         // not retained; NULL when closed
void *mt_take_object(mt_call *call, int index);                   // closes it and hands over its reference
size_t mt_table_length(mt_call *call, int index);
// Walks a table: begin, then next until false; key and value lie at top - 1 and top. The table must not change meanwhile.
bool mt_table_begin(mt_call *call);
bool mt_table_next(mt_call *call, int index);
// Leaves on top of the stack what a path of names leads to from the globals, without running code: raw access, and the
// tables that __index names. With `inherited`, the table that is asked after so many others when a name is missing.
mt_status mt_look(mt_state *state, mt_list *path, int inherited);
// Makes a reference to the value at index, which lives until mt_unreference; 0 when out of memory.
int mt_reference(mt_call *call, int index);
void mt_unreference(mt_state *state, int reference);

// ---- Values on their way to Lua (list.c). A list owns its objects until they have moved into Lua.
mt_list *mt_list_new(mt_state *state);
void mt_list_free(mt_list *list);
mt_list *mt_results(mt_call *call);
void mt_list_nil(mt_list *list);
void mt_list_boolean(mt_list *list, bool value);
void mt_list_integer(mt_list *list, int64_t value);
void mt_list_number(mt_list *list, double value);
void mt_list_string(mt_list *list, const void *bytes, size_t length);
void mt_list_object(mt_list *list, void *retained, int32_t type);
void mt_list_reference(mt_list *list, int reference);
void mt_list_table(mt_list *list, size_t items, size_t fields);  // a new table
void mt_list_field(mt_list *list);                               // table, key, value: sets it, leaves the table
void mt_list_item(mt_list *list, int64_t index);                 // table, value: table[index] = value

// ---- Errors on their way to Lua.
void mt_fail(mt_call *call, const void *text, size_t length);
// The error value kept by a failed mt_invoke: its ticket, and whether it is still the one with that ticket.
uint64_t mt_pending(mt_call *call);
void mt_exit(mt_call *call, int code);

// ---- Interrupts (interrupt.c).
// From now on SIGINT goes to this state, and the signals that ask a process to end (SIGTERM, SIGHUP, SIGUSR1, SIGUSR2,
// SIGXCPU, unless they are ignored) are os.exit(128 + number) there, as is the end of standard output's reader.
void mt_catch_interrupts(mt_state *state);
void mt_interrupt(mt_state *state);         // as Ctrl-C does
void mt_stay(mt_state *state);              // no number of interrupts ends the process
void mt_leave(mt_state *state);             // from any thread: the next interrupt is an os.exit()
void mt_wake_by(mt_state *state, int descriptor);  // 8 bytes are written to it when the process is asked to end
bool mt_should_stop(mt_state *state);
bool mt_exiting(mt_state *state);  // os.exit was called, or a signal asks to end
bool mt_clear_interrupt(mt_state *state);  // forgets a pending one; whether there was one

// ---- Memory.
typedef struct {
    size_t lua_bytes, limit;
    int64_t live_bytes, soft_maximum;
    int64_t collections;
    int64_t objects;  // Swift objects held by Lua
} mt_memory;
mt_memory mt_memory_use(mt_state *state);
void mt_set_soft_maximum(mt_state *state, int64_t bytes);
void mt_set_memory_limit(mt_state *state, size_t bytes);
void mt_collect(mt_state *state);
// For tests: the n-th allocation from now and all after it fail; 0 ends that. Returns how many were made since.
int64_t mt_fail_allocation(mt_state *state, int64_t n);

// ---- Standard output and error (output.c), shared with print, io.write and io.stderr.
// Is told of every piece before it goes to its descriptor, 1 or 2.
typedef void (*mt_listener)(void *context, int descriptor, const void *bytes, size_t length);
// From now on; NULL: nobody. With `only`, nothing goes to the descriptors.
void mt_listen(mt_listener tell, void *context, bool only);
void mt_write(const void *bytes, size_t length);
void mt_write_error(const void *bytes, size_t length);
// Writes to a descriptor past the listener; the caller has flushed what comes before.
bool mt_put(int descriptor, const void *bytes, size_t length);
// Takes standard input from a function that fills `bytes` and returns how many, 0 at the end. Before states are made.
typedef long (*mt_reader)(void *context, char *bytes, size_t room);
void mt_read_from(mt_reader read, void *context);
// Whether what is typed stays unseen, until it is switched off again or the program is about to be killed by Ctrl-C.
void mt_quiet(bool on);
// Whether all that was ever written to standard output has arrived; not so on a full disk, for instance.
bool mt_flush(void);

#endif
