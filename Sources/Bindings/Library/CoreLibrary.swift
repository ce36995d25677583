import CLua
import Runtime

extension Library {
    /// Help, memory, threads, time and script options.
    public static var core: Library {
        Library(functions: [help, memory, threads, elapsed, scriptOptions])
    }

    private static var help: Function {
        Function(
            "help", "Shows what a function or type does; without a name, lists all.",
            [
                .any("name", "A name such as \"corpus\" or \"corpus:summary\", or an object.")
                    .optional
            ],
            returns: "string", example: "print(mt.help(\"options\"))"
        ) { call in
            let library = call.interpreter.library
            switch try call.value("name") {
            case nil: try call.returns(Reference.summary(library))
            case .string(let name):
                // Longer than any name; it would be compared with all of them.
                guard name.utf8.count <= 200 else {
                    throw Mistake(
                        "name", expected: "the name of a function or an object",
                        found: .string(name))
                }
                try call.returns(Reference.help(name, library))
            case .object(let reference):
                try call.returns(Reference.help(reference.typeName, library))
            case let other?:
                throw Mistake("name", expected: "the name of a function or an object", found: other)
            }
        }
    }

    private static var memory: Function {
        Function(
            "memory", "Bytes in use, and the limit above which Lua collects garbage.",
            [
                .integer(
                    "soft_maximum", "A new limit for the bytes of objects, in bytes.", .bytes
                ).optional
            ],
            returns:
                "table with live (tensors), soft_maximum, lua, lua_limit, resident (of the process; all bytes), objects (how many Lua holds) and collections",
            example: "print(mt.memory().live)"
        ) { call in
            if let bytes = try call.integer(ifPresent: "soft_maximum") {
                call.interpreter.setSoftMaximum(bytes)
            }
            let memory = call.interpreter.memory
            try call.returns(
                Record([
                    ("live", Int(memory.live_bytes)), ("soft_maximum", Int(memory.soft_maximum)),
                    ("lua", memory.lua_bytes), ("lua_limit", memory.limit),
                    ("objects", Int(memory.objects)), ("collections", Int(memory.collections)),
                    ("resident", Machine.residentBytes),
                ]))
        }
    }

    private static var threads: Function {
        Function(
            "threads",
            "The number of threads in use; sets it first if one is given. It changes speed, never results.",
            [.integer("count", "Threads from now on.", .count, in: 1...256).optional],
            returns: "integer",
            example: "print(mt.threads())"
        ) { call in
            if let count = try call.integer(ifPresent: "count") { Parallel.threads = count }
            try call.returns(Parallel.threads)
        }
    }

    private static var elapsed: Function {
        Function(
            "elapsed", "Seconds since the program started.", returns: "number",
            example: "local before = mt.elapsed()\nprint(mt.elapsed() - before)"
        ) { call in
            let time = (ContinuousClock.now - call.interpreter.started).components
            try call.returns(Double(time.seconds) + Double(time.attoseconds) * 1e-18)
        }
    }
}
