/// Help for what is Lua's own: one line for each function.
package enum LuaManual {
    /// The signature and what it does, by the full name.
    package static let entries: [String: (signature: String, text: String)] = {
        var entries: [String: (signature: String, text: String)] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "|", maxSplits: 1)
            let signature = parts[0].trimmingSpaces
            let name = String(signature.prefix { $0 != "(" && $0 != " " })
            entries[name] = (signature, parts[1].trimmingSpaces)
        }
        return entries
    }()

    /// The help of a name such as `print`, `string.format` or `string`; nil if Lua has no such thing.
    package static func help(_ name: String) -> String? {
        if let entry = entries[name] { return "\(entry.signature)\n  \(entry.text)" }
        let members = entries.filter { $0.key.hasPrefix(name + ".") }.values
        guard !members.isEmpty else { return nil }
        let lines = members.map { "  \($0.signature)  \($0.text)" }.sorted()
        return (["\(name): a library of Lua"] + lines).joined(separator: "\n")
    }

    private static let text = """
        assert(value, [message]) | Gives its arguments back if the value is true; otherwise raises the message.
        collectgarbage([option], [argument]) | Collects garbage, or does what the option says: "count" gives the kilobytes in use.
        dofile([path]) | Runs a file and gives what it returns.
        error(message, [level]) | Raises an error; level 1 names the line of the call, 2 its caller's, 0 none.
        getmetatable(object) | The metatable, or what its __metatable says.
        ipairs(table) | For loops over 1, 2, 3 … up to the first nil: for index, value in ipairs(t).
        load(chunk, [name], [mode], [environment]) | Compiles text, or the pieces that a function gives; the function, or nil and a message.
        loadfile([path], [mode], [environment]) | Compiles a file; the function, or nil and a message.
        next(table, [key]) | The next key and value of a table in no order; nil after the last.
        pairs(table) | For loops over all keys and values, in no order: for key, value in pairs(t).
        pcall(f, ...) | Calls f; true and its results, or false and the error. An interrupt (Ctrl-C) and os.exit pass it: they are raised again.
        print(...) | Writes its arguments with tabs between and a newline.
        rawequal(a, b) | Whether two values are the same, without __eq.
        rawget(table, key) | A field, without __index.
        rawlen(value) | The length of a table or string, without __len.
        rawset(table, key, value) | Sets a field, without __newindex.
        require(name) | Loads a module once and gives it.
        select(n, ...) | The arguments from the n-th on; "#" for n gives how many there are.
        setmetatable(table, metatable) | Sets the metatable and gives the table.
        tonumber(value, [base]) | The number that a value stands for; nil if it is none.
        tostring(value) | The value as text.
        type(value) | "nil", "number", "string", "boolean", "table", "function", "thread" or "userdata".
        warn(message, ...) | Writes a warning, where "@on" has switched them on.
        xpcall(f, handler, ...) | As pcall; the handler gets the error where it was raised, also an interrupt, after which it may work for about a second.
        coroutine.close(thread) | Ends a suspended coroutine and closes its pending variables.
        coroutine.create(f) | A coroutine that will run f.
        coroutine.isyieldable([thread]) | Whether it can yield.
        coroutine.resume(thread, ...) | Goes on with a coroutine; true and what it yields or returns, or false and the error. An interrupt passes it, as it does pcall.
        coroutine.running() | The running coroutine, and whether it is the main one.
        coroutine.status(thread) | "running", "suspended", "normal" or "dead".
        coroutine.wrap(f) | A function that resumes a coroutine of f at every call.
        coroutine.yield(...) | Suspends the coroutine; resume gives the arguments.
        debug.getinfo([thread], function or level, [what]) | A table about a function: source, lines, name, parameters.
        debug.traceback([thread], [message], [level]) | The calls that are under way, as text.
        io.close([file]) | Closes a file, by default the standard output.
        io.flush() | Writes out what is buffered for the default output.
        io.input([file]) | Sets or gives the default input.
        io.lines([path], ...) | For loops over the lines of a file, or what the formats say.
        io.open(path, [mode]) | A file for "r", "w", "a", "r+", "w+" or "a+", with "b" for binary; or nil and a message.
        io.output([file]) | Sets or gives the default output.
        io.popen(program, [mode]) | Starts a program and gives a file to read from it, or to write to it.
        io.read(...) | Reads from the default input: "l" a line, "L" with its end, "n" a number, "a" all, or so many bytes.
        io.stderr | The standard error, a file.
        io.stdin | The standard input, a file.
        io.stdout | The standard output, a file.
        io.tmpfile() | A temporary file that vanishes at the end.
        io.type(value) | "file", "closed file" or nil.
        io.write(...) | Writes strings and numbers to the default output.
        math.abs(x) | The absolute value.
        math.acos(x) | The arc cosine, in radians.
        math.asin(x) | The arc sine, in radians.
        math.atan(y, [x]) | The angle of the point (x, y), in radians; x is 1 if left out.
        math.ceil(x) | The smallest integer that is not below x.
        math.cos(x) | The cosine of an angle in radians.
        math.atan2(y, x) | As math.atan(y, x), from older versions of Lua.
        math.cosh(x) | The hyperbolic cosine, from older versions of Lua.
        math.frexp(x) | A fraction and a power of 2 that make x, from older versions of Lua.
        math.ldexp(x, n) | x times 2^n, from older versions of Lua.
        math.log10(x) | The logarithm to base 10, from older versions of Lua.
        math.pow(x, y) | x^y, from older versions of Lua.
        math.sinh(x) | The hyperbolic sine, from older versions of Lua.
        math.tanh(x) | The hyperbolic tangent, from older versions of Lua.
        math.deg(x) | An angle in radians as degrees.
        math.exp(x) | e to the power of x.
        math.floor(x) | The largest integer that is not above x.
        math.fmod(x, y) | The remainder of x / y rounded towards zero.
        math.huge | Infinity.
        math.log(x, [base]) | The logarithm, natural if no base is given.
        math.max(x, ...) | The largest argument.
        math.maxinteger | The largest integer, 2^63 - 1.
        math.min(x, ...) | The smallest argument.
        math.mininteger | The smallest integer, -2^63.
        math.modf(x) | The integral and the fractional part.
        math.pi | 3.14159…
        math.rad(x) | An angle in degrees as radians.
        math.random([low], [high]) | A number in [0, 1), an integer in 1 … low, or in low … high; seeded by --seed.
        math.randomseed([seed], [more]) | Seeds math.random.
        math.sin(x) | The sine of an angle in radians.
        math.sqrt(x) | The square root.
        math.tan(x) | The tangent of an angle in radians.
        math.tointeger(x) | The integer that equals x; nil if there is none.
        math.type(x) | "integer", "float", or nil if x is not a number.
        math.ult(a, b) | Whether a < b as unsigned integers.
        os.clock() | Seconds of processor time of the program.
        os.date([format], [time]) | A time as text, by strftime's codes, or as a table for "*t"; "!" at the front for UTC.
        os.difftime(late, early) | Seconds between two times.
        os.execute([command]) | Runs a shell command; true or nil, "exit" or "signal", and the number.
        os.exit([code], [close]) | Leaves the program.
        os.getenv(name) | A variable of the environment; nil if it is not set.
        os.remove(path) | Deletes a file or an empty folder; or nil and a message.
        os.rename(old, new) | Renames a file; or nil and a message.
        os.setlocale(locale, [category]) | Sets or, for nil, gives the locale; numbers keep their point.
        os.time([table]) | Seconds since 1970, now or of a table such as os.date("*t") makes.
        os.tmpname() | A name for a temporary file.
        package.loaded | The modules that require has loaded, by name.
        package.path | Where require looks for Lua files.
        package.preload | Loaders for modules, by name.
        package.searchers | What require asks for a loader.
        package.searchpath(name, path, [separator], [replacement]) | The file that require would load.
        string.byte(s, [first], [last]) | The bytes from first to last, as numbers.
        string.char(...) | A string of the bytes with these numbers.
        string.find(s, pattern, [start], [plain]) | Where the pattern is first found: first and last place, and captures; or nil.
        string.format(format, ...) | As C's printf: %d %5.2f %s %q %x %%.
        string.gmatch(s, pattern, [start]) | For loops over all matches of a pattern: its captures, or all of it.
        string.gsub(s, pattern, replacement, [n]) | Replaces matches by a string, from a table or by a function; the result and how many.
        string.len(s) | The length in bytes.
        string.lower(s) | With small letters.
        string.match(s, pattern, [start]) | The captures of the first match, or all of it; nil if there is none.
        string.pack(format, ...) | Values as a binary string.
        string.packsize(format) | The bytes that pack makes of a format.
        string.rep(s, n, [separator]) | The string n times.
        string.reverse(s) | The bytes from the last to the first.
        string.sub(s, first, [last]) | The bytes from first to last; negative places count from the end.
        string.unpack(format, s, [start]) | The values in a binary string, and the place after them.
        string.upper(s) | With capital letters.
        table.concat(list, [separator], [first], [last]) | Joins strings and numbers.
        table.insert(list, [place], value) | Inserts a value, by default at the end.
        table.move(list, first, last, to, [target]) | Copies items first … last to a place of the list or of a target.
        table.pack(...) | A table of the arguments, with their number as n.
        table.remove(list, [place]) | Removes an item, by default the last, and gives it.
        table.sort(list, [less]) | Sorts in place, by < or by a function.
        table.unpack(list, [first], [last]) | The items as separate values.
        utf8.char(...) | The characters with these numbers.
        utf8.charpattern | A pattern that matches one UTF-8 character.
        utf8.codepoint(s, [first], [last], [lax]) | The numbers of the characters between two bytes.
        utf8.codes(s, [lax]) | For loops over characters: place and number.
        utf8.len(s, [first], [last], [lax]) | How many characters; nil and the place of the first byte that is wrong.
        utf8.offset(s, n, [start]) | The byte where the n-th character begins.
        help([name]) | The help of a name, a function or an object; without one, all there is.
        who() | Lists your globals, with their types.
        """
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var part = self
        while part.first == " " { part.removeFirst() }
        while part.last == " " { part.removeLast() }
        return String(part)
    }
}
