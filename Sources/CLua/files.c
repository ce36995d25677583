// Chunks from files; and the functions of io and os that name files, under --safe: on the descriptors that cf_open and its
// like decide on.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CFiles.h"
#include "internal.h"

// Raises for a place outside the folder; any other failure of a call is for its caller to report.
static void refuse_outside(lua_State *L, const char *path) {
    if (errno == CF_OUTSIDE) luaL_error(L, "--safe: '%s' is not inside the working folder", path);
}

static int close_file(lua_State *L) {
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

// The flags of open for a mode of io.open; -1 for what is not a mode.
static int flags(const char *mode) {
    const char *first = mode;
    if (!*mode || !strchr("rwa", *mode)) return -1;
    bool both = *++mode == '+';
    mode += both;
    if (strspn(mode, "b") != strlen(mode)) return -1;
    int access = both ? O_RDWR : *first == 'r' ? O_RDONLY : O_WRONLY;
    return access | O_CLOEXEC | (*first == 'w' ? O_CREAT | O_TRUNC : *first == 'a' ? O_CREAT | O_APPEND : 0);
}

// Pushes an open file; false, with errno, if it cannot be opened.
static bool push_file(lua_State *L, const char *path, const char *mode) {
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
    stream->closef = NULL;  // closed until it is there
    luaL_setmetatable(L, LUA_FILEHANDLE);
    int descriptor = cf_open(path, flags(mode), 0666);
    refuse_outside(L, path);
    if (descriptor < 0) return false;
    stream->f = fdopen(descriptor, mode);
    if (!stream->f) {
        int code = errno;
        close(descriptor);
        errno = code;
        return false;
    }
    stream->closef = close_file;
    return true;
}

static int open_file(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    const char *mode = luaL_optstring(L, 2, "r");
    luaL_argcheck(L, flags(mode) >= 0, 2, "invalid mode");
    errno = 0;
    return push_file(L, path, mode) ? 1 : luaL_fileresult(L, 0, path);
}

static void must_open(lua_State *L, const char *path, const char *mode) {
    errno = 0;
    if (!push_file(L, path, mode)) luaL_error(L, "%s: %s", path, strerror(errno));
}

// Upvalue 1: the original function, for what names no file.
static int pass_on(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int lines(lua_State *L) {
    if (lua_isnoneornil(L, 1)) return pass_on(L);
    must_open(L, luaL_checkstring(L, 1), "r");
    lua_replace(L, 1);
    lua_getfield(L, 1, "lines");
    lua_pushvalue(L, 1);
    lua_rotate(L, 2, 2);
    lua_call(L, lua_gettop(L) - 2, 1);
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, 1);  // closed when the loop ends
    return 4;
}

// io.input and io.output; upvalue 2 is the mode.
static int standard_file(lua_State *L) {
    if (lua_isstring(L, 1)) {
        must_open(L, lua_tostring(L, 1), lua_tostring(L, lua_upvalueindex(2)));
        lua_replace(L, 1);
    }
    return pass_on(L);
}

static int remove_file(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    errno = 0;
    bool done = cf_remove(path) == 0;
    refuse_outside(L, path);
    return luaL_fileresult(L, done, path);
}

static int rename_file(lua_State *L) {
    const char *from = luaL_checkstring(L, 1);
    const char *to = luaL_checkstring(L, 2);
    errno = 0;
    bool done = cf_rename(from, to) == 0;
    if (!done && errno == CF_OUTSIDE) {
        // Which of the two it was.
        refuse_outside(L, cf_check(from) != 0 && errno == CF_OUTSIDE ? from : to);
        luaL_error(L, "--safe: '%s' is not inside the working folder", to);
    }
    return luaL_fileresult(L, done, NULL);
}

typedef struct {
    mt_state *state;
    FILE *file;
    bool waits;  // reading may take for ever, as from a pipe
    int first;   // a character that was looked at, or EOF
    char piece[4096];
} source;

// Whether a call that failed is to be made again: a signal interrupted it, and nothing waits to be delivered.
static bool goes_on(source *from) {
    if (errno != EINTR || mt_should_stop(from->state)) return false;
    if (from->file) clearerr(from->file);
    return true;
}

static bool is_buffered(FILE *file) { return file->_IO_read_ptr < file->_IO_read_end; }

static int next(source *from) {
    int character;
    do {
        if (from->waits && !is_buffered(from->file) && !mt_wait_to_read(from->state, fileno(from->file))) return EOF;
        character = getc(from->file);
    } while (character == EOF && ferror(from->file) && goes_on(from));
    return character;
}

static const char *read_source(lua_State *L, void *context, size_t *size) {
    (void)L;
    source *from = context;
    size_t have = 0;
    if (from->first != EOF) {
        from->piece[have++] = (char)from->first;
        from->first = EOF;
    }
    // As much as one read gives: a second one might wait although there is something to go on with.
    int character = have ? EOF : next(from);
    if (character != EOF) from->piece[have++] = (char)character;
    while (have < sizeof from->piece && is_buffered(from->file)) from->piece[have++] = (char)getc(from->file);
    *size = have;
    return have ? from->piece : NULL;
}

// Leaves the message and returns LUA_ERRFILE.
static int cannot(lua_State *L, const char *what, int code) {
    lua_pushfstring(L, "cannot %s %s: %s", what, lua_tostring(L, -1) + 1, strerror(code));
    lua_remove(L, -2);
    return LUA_ERRFILE;
}

int mt_load_named(lua_State *L, const char *path, const char *mode, bool confined) {
    source from = {.state = mt_of(L), .file = path ? NULL : stdin};
    if (path)
        lua_pushfstring(L, "@%s", path);
    else
        lua_pushliteral(L, "=stdin");
    if (path) {
        int descriptor;
        do {
            descriptor = confined ? cf_open(path, O_RDONLY | O_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
        } while (descriptor < 0 && goes_on(&from));
        if (descriptor < 0 && mt_should_stop(from.state)) return mt_stop_here(L);
        if (descriptor < 0 && confined) refuse_outside(L, path);
        if (descriptor < 0) return cannot(L, "open", errno);
        from.file = fdopen(descriptor, "r");
        if (!from.file) {
            int code = errno;
            close(descriptor);
            return cannot(L, "open", code);
        }
    }
    struct stat about;
    from.waits = fstat(fileno(from.file), &about) == 0 && !S_ISREG(about.st_mode);
    // A byte order mark and a first line that begins with '#' are passed over, as luaL_loadfilex does.
    from.first = next(&from);
    if (from.first == 0xef && next(&from) == 0xbb && next(&from) == 0xbf) from.first = next(&from);
    if (from.first == '#') {
        while (from.first != EOF && from.first != '\n') from.first = next(&from);
        if (from.first == EOF) from.first = '\n';
    }
    int status = lua_load(L, read_source, &from, lua_tostring(L, -1), mode);
    int code = ferror(from.file) ? errno : 0;
    if (path) fclose(from.file);
    if (mt_should_stop(from.state)) return mt_stop_here(L);
    if (code) {
        lua_pop(L, 1);  // what came of the part
        return cannot(L, "read", code);
    }
    lua_remove(L, -2);  // the name
    return status;
}

bool mt_is_readable(lua_State *L, const char *path) {
    int descriptor = mt_of(L)->safe ? cf_open(path, O_RDONLY | O_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) close(descriptor);
    return descriptor >= 0;
}

// Puts a function in the place of one of a library, with the original and a mode as upvalues.
static void replace(lua_State *L, const char *library, const char *name, lua_CFunction function, const char *mode) {
    lua_getglobal(L, library);
    lua_getfield(L, -1, name);
    lua_pushstring(L, mode);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void mt_setup_files(lua_State *L) {
    replace(L, "io", "open", open_file, "");
    replace(L, "io", "lines", lines, "r");
    replace(L, "io", "input", standard_file, "r");
    replace(L, "io", "output", standard_file, "w");
    replace(L, "os", "remove", remove_file, "");
    replace(L, "os", "rename", rename_file, "");
}
