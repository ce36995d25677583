import CLua
import Glibc
import Runtime

/// A Lua interpreter with the library in it.
///
/// Used from one thread.
public final class Interpreter {
    /// How an interpreter is set up.
    public struct Settings {
        /// Seeds `math.random`, and what a script does not seed itself.
        public var seed: UInt64 = 0
        /// When set, scripts may use files inside this folder only, and no processes; this holds for the whole process.
        public var safeFolder: String?
        /// Where runs and token stores are kept; nil for the default place.
        public var store: String?
        /// The file of the store's index; nil for the default place.
        public var index: String?
        /// Bytes that Lua values may take; 0 for half of the physical memory.
        public var memoryLimit = 0
        /// Bytes of Swift objects above which Lua collects its garbage.
        public var softMaximum: Int64 = 512 << 20
        /// Counts the bytes that Swift objects hold.
        public var liveBytes: (@convention(c) () -> Int64)?
        /// Whether reading a global that nobody has set is an error.
        public var strict = true
        /// How results and help are shown.
        public var display = Display()
        /// Receives messages and progress; by default lines go to standard error.
        public var report: (Report) -> Void = { report in
            switch report {
            case .line(let text): Report.toStandardError(text + "\n")
            case .page(let text): Report.toStandardOutput(text + "\n")
            case .output(let output), .value(let output):
                Report.toStandardOutput(output.text + "\n")
            case .status, .clear: break
            }
        }

        /// The defaults.
        public init() {}
    }

    /// Something to show to the researcher beside the results.
    public enum Report {
        /// A message that stays.
        case line(String)
        /// A line that replaces the one before it; empty when there is nothing more to say.
        case status(String)
        /// A plot, or another thing with more forms than text; belongs to standard output.
        case output(RichOutput)
        /// What was shown so far is to go, at once or with the next output.
        case clear(wait: Bool)
        /// A help text, which may be longer than a screen.
        case page(String)
        /// The value of an expression at the prompt.
        case value(RichOutput)

        /// Hands on what is buffered for standard output; whether all that was ever written has arrived.
        public static func flushStandardOutput() -> Bool { mt_flush() }

        /// Writes text to standard output, in order with `print`; a terminal gets it visible.
        public static func toStandardOutput(_ text: String) {
            var text = TerminalText.shown(text, on: 1)
            text.withUTF8 { mt_write($0.baseAddress, $0.count) }
        }

        /// Writes text to standard error; a terminal gets it visible.
        public static func toStandardError(_ text: String) {
            var text = TerminalText.shown(text, on: 2)
            text.withUTF8 { mt_write_error($0.baseAddress, $0.count) }
        }

        /// Writes text to descriptor 1 or 2 past the listener; what comes before it has been flushed.
        ///
        /// A terminal gets it visible, unless it `moves` the cursor on purpose.
        public static func put(_ text: String, to descriptor: Int32, moves: Bool = false) {
            var text = moves ? text : TerminalText.shown(text, on: descriptor)
            text.withUTF8 { _ = mt_put(descriptor, $0.baseAddress, $0.count) }
        }

        /// Whether what is typed at the terminal stays unseen, so that it does not disturb a line that is rewritten in place.
        public static func hideTyping(_ isHidden: Bool) { mt_quiet(isHidden) }

        /// Hears every piece of text that Lua and Swift write to standard output (1) and standard error (2) from now on,
        /// before it gets there; `nil` ends that.
        ///
        /// The process has one listener. What child processes write does not pass it.
        ///
        /// - Parameter only: Whether the pieces go to the listener alone.
        public static func listen(
            only: Bool = false, _ listener: ((Int32, UnsafeRawBufferPointer) -> Void)?
        ) {
            heard = listener
            guard listener != nil else { return mt_listen(nil, nil, false) }
            mt_listen(
                { _, descriptor, bytes, length in
                    Report.heard?(descriptor, UnsafeRawBufferPointer(start: bytes, count: length))
                }, nil, only)
        }

        /// Takes standard input from a function, for `io.read` and the like.
        ///
        /// To be called before any interpreter is made. The function gives a line with its end, or nil at the end of all; it is
        /// called on the interpreter's thread.
        public static func readInput(_ line: @escaping () -> String?) {
            asked = line
            mt_read_from(
                { _, bytes, room in
                    guard let bytes,
                        let line = Report.rest ?? Report.asked?().map({ Array($0.utf8) })
                    else { return 0 }
                    let count = min(room, line.count)
                    for index in 0..<count { bytes[index] = CChar(bitPattern: line[index]) }
                    Report.rest = count < line.count ? Array(line[count...]) : nil
                    return count
                }, nil)
        }

        nonisolated(unsafe) private static var asked: (() -> String?)?
        /// What has been given and not been read.
        nonisolated(unsafe) private static var rest: [UInt8]?

        nonisolated(unsafe) private static var heard: ((Int32, UnsafeRawBufferPointer) -> Void)?
    }

    /// The settings it was created with.
    public let settings: Settings
    /// The functions and types it knows.
    public let library: Library
    /// The arguments of the script, without its name.
    public private(set) var arguments: [String] = []
    /// The name of the script, or `mtrepl`.
    public private(set) var scriptName = "mtrepl"
    /// The texts of `-e`, for reports to say how they were made.
    public var commandTexts: [String] = []

    /// What the laboratory's functions share.
    public private(set) lazy var session = Session(settings, stop: shouldStop)
    /// Values of the table that is being copied from Lua, so far.
    var valuesCopied = 0

    /// Who keeps the log of the session.
    public weak var logging: (any SessionLogging)?

    package let core = Core()
    package let started = ContinuousClock.now
    private var functions: [Function] = []
    private var typeNumbers: [ObjectIdentifier: Int32] = [:]
    /// What the prelude does for Swift.
    var helpers: Helpers?
    /// The text of chunks that are in no file, by name, for errors and for the source of functions.
    public var chunks: [String: String] = [:]

    /// Creates an interpreter.
    ///
    /// - Throws: `LuaOutOfMemory`; `LuaError` if the library cannot be registered.
    public init(_ settings: Settings = Settings(), library: Library = .standard) throws {
        self.settings = settings
        self.library = library
        var host = mt_host()
        host.host = Unmanaged.passUnretained(self).toOpaque()
        host.dispatch = { host, call, function in
            guard let host, let call else { return MT_ERROR }
            return Unmanaged<Interpreter>.fromOpaque(host).takeUnretainedValue().dispatch(
                call, Int(function))
        }
        host.release = { object in
            if let object { Unmanaged<AnyObject>.fromOpaque(object).release() }
        }
        host.warn = { if let text = $0 { Report.toStandardError(String(cString: text)) } }
        host.live_bytes = settings.liveBytes
        host.soft_maximum = settings.softMaximum
        host.memory_limit = settings.memoryLimit
        host.seed = settings.seed
        if let folder = settings.safeFolder {
            try FileAccess.confine(to: folder)
            let store = Session.storeFolder(settings.store)
            FileAccess.exempt(store)
            let index = StoreIndex.path(store, given: settings.index)
            if !index.hasPrefix(store + "/") { FileAccess.exempt(PathName.parent(index)) }
            host.safe = true
        }
        guard let state = mt_open(&host) else { throw LuaError("cannot start Lua") }
        core.state = state
        core.interpreter = self
        try register(library)
        try prepare()
    }

    deinit { close() }

    /// Releases everything that Lua holds.
    ///
    /// Objects of this interpreter are closed from then on.
    public func close() {
        guard let state = core.state else { return }
        helpers = nil
        core.state = nil
        core.interpreter = nil
        mt_close(state)
    }

    // MARK: Running

    /// Runs a chunk; what it returns is dropped, or kept and printed as the prompt does.
    ///
    /// - Parameters:
    ///   - text: Lua source.
    ///   - name: `@file` or `=name`, for error messages.
    ///   - arguments: Passed as `...`.
    ///   - results: What is done with what it returns.
    /// - Throws: `LuaSyntaxError`, `LuaError` with a traceback, `Interrupted`, `ExitRequest`, `LuaOutOfMemory`.
    public func run(
        _ text: String, name: String, arguments: [String] = [], results: Handling = .dropped
    )
        throws
    {
        let state = try open()
        let receiver = try receiver(results)
        try load(text, name)
        try execute(state, arguments, receiver: receiver) { _, _ in }
    }

    /// Runs a file (or standard input, when the path is nil), skipping a first line that starts with `#`.
    ///
    /// - Throws: as `run(_:name:arguments:results:)`.
    public func run(file path: String?, arguments: [String] = []) throws {
        let state = try open()
        try check(mt_load_file(state, path))
        try execute(state, arguments) { _, _ in }
    }

    /// Runs a chunk and copies what it returns.
    public func evaluate(_ text: String, name: String = "=evaluate") throws -> [Value] {
        let state = try open()
        try load(text, name)
        return try execute(state, []) { call, first in
            try Reader(interpreter: self, call: call).values(from: first)
        }
    }

    /// Says whether a chunk parses.
    ///
    /// - Throws: `LuaSyntaxError`, which tells incomplete chunks from wrong ones.
    public func parse(_ text: String, name: String) throws {
        let state = try open()
        try load(text, name)
        guard let call = mt_current(state) else { return }
        mt_settop(call, mt_top(call) - 1)
    }

    private func load(_ text: String, _ name: String) throws {
        let state = try open()
        var text = text
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                mt_load(state, $0.baseAddress, $0.count, name)
            }
        }
        do { try check(status) } catch var error as LuaSyntaxError {
            if let match = error.message.firstMatch(of: /:(\d+):\s/), let line = Int(match.1) {
                error.place = (name, line)
            }
            throw error
        }
    }

    private func execute<Result>(
        _ state: OpaquePointer, _ arguments: [String], receiver: Int32 = 0,
        _ read: (OpaquePointer, Int32) throws -> Result
    ) throws -> Result {
        try withList { list in
            for argument in arguments { list.string(argument) }
            var first: Int32 = 0
            do { try check(mt_run(state, list.list, receiver, &first)) } catch var error as LuaError
            {
                var line: Int32 = 0
                if let chunk = mt_error_place(state, &line) {
                    error.place = (String(cString: chunk), Int(line))
                }
                throw error
            }
            guard let call = mt_current(state) else { throw LuaError("no state") }
            defer { mt_settop(call, first - 1) }
            return try read(call, first)
        }
    }

    /// Sets the global `arg` as `lua` does: the script's name at 0, its arguments from 1, the program's name at -1.
    public func setArguments(script: String, _ arguments: [String], program: String? = nil) throws {
        let state = try open()
        self.arguments = arguments
        scriptName = script
        try withList { list in
            try arguments.write(to: list)
            list.string(script)
            mt_list_item(list.list, 0)
            if let program {
                list.string(program)
                mt_list_item(list.list, -1)
            }
            try check(mt_set_global(state, "arg", list.list))
        }
    }

    // MARK: Interrupts

    /// Lets Ctrl-C interrupt this interpreter; pressed three times, it ends the process, unless that `stays`.
    ///
    /// SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU are from then on `os.exit(128 + signal)`, unless they were ignored, and so
    /// is the end of whoever reads standard output.
    public func catchInterrupts(stays: Bool = false) {
        guard let state = core.state else { return }
        mt_catch_interrupts(state)
        if stays { mt_stay(state) }
    }

    /// From now on an interrupt does what `os.exit()` does, which no script can catch; called on any thread.
    public var leaveWhenInterrupted: @Sendable () -> Void {
        nonisolated(unsafe) let state = core.state
        return { if let state { mt_leave(state) } }
    }

    /// Has 8 bytes written to a descriptor when a signal asks the process to end.
    public func wake(by descriptor: Int32) {
        if let state = core.state { mt_wake_by(state, descriptor) }
    }

    /// Whether `os.exit` was called, or a signal asked to end; called on any thread until the interpreter is closed.
    public var isLeaving: @Sendable () -> Bool {
        nonisolated(unsafe) let state = core.state
        return { state.map { mt_exiting($0) } ?? true }
    }

    /// Does what Ctrl-C does.
    ///
    /// Called on the interpreter's own thread.
    public func interrupt() {
        if let state = core.state { mt_interrupt(state) }
    }

    /// Forgets an interrupt that has not been delivered; whether there was one.
    @discardableResult
    public func clearInterrupt() -> Bool { core.state.map { mt_clear_interrupt($0) } ?? false }

    /// Whether `os.exit` was called, or a signal asked to end; the code to leave with.
    public var exitCode: Int32? {
        core.state.flatMap { mt_exiting($0) ? Int32(mt_exit_code($0)) : nil }
    }

    /// True once the researcher has asked to stop: what Runtime polls in long work.
    ///
    /// Any thread that works for this interpreter may ask: it is not closed meanwhile, and the flags are single words.
    public var shouldStop: ShouldStop {
        nonisolated(unsafe) let core = core
        return { core.state.map { mt_should_stop($0) } ?? false }
    }

    // MARK: For bindings

    /// Refuses a path outside the working folder under `--safe`.
    public func checkPath(_ path: String) throws {
        if settings.safeFolder != nil { try FileAccess.check(path) }
    }

    /// Writes to standard output, in order with `print`.
    public func write(_ text: String) { Report.toStandardOutput(text) }

    /// Bytes in use.
    public var memory: mt_memory { core.state.map { mt_memory_use($0) } ?? mt_memory() }

    /// Collects Lua's garbage, and with it the objects that only garbage refers to.
    func collect() {
        if let state = core.state { mt_collect(state) }
    }

    /// Sets the bytes of Swift objects above which Lua collects its garbage.
    public func setSoftMaximum(_ bytes: Int) {
        if let state = core.state { mt_set_soft_maximum(state, Int64(bytes)) }
    }

    func typeName(_ number: Int32) -> String {
        library.types.indices.contains(Int(number)) ? library.types[Int(number)].name : "object"
    }

    func typeNumber<Object>(of type: Object.Type) -> Int32? {
        typeNumbers[ObjectIdentifier(Box<Object>.self)]
    }

    package func note(_ function: Function) -> Int32 {
        functions.append(function)
        return Int32(functions.count - 1)
    }

    package func note(_ type: ObjectType, _ number: Int32) { typeNumbers[type.identifier] = number }

    package func function(_ index: Int) throws -> Function {
        guard functions.indices.contains(index) else {
            throw UnknownName(name: "function \(index)")
        }
        return functions[index]
    }

    package func open() throws -> OpaquePointer {
        guard let state = core.state else { throw LuaError("the interpreter is closed") }
        return state
    }

    func withList<Result>(_ body: (Results) throws -> Result) throws -> Result {
        guard let list = mt_list_new(try open()) else { throw LuaOutOfMemory() }
        defer { mt_list_free(list) }
        return try body(Results(list: list, interpreter: self))
    }
}
