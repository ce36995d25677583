import CLua
import Runtime

/// How the prompt shows things.
public struct Display {
    /// Columns of the terminal.
    public var width: () -> Int = { 80 }
    /// Whether text on standard output may be coloured.
    public var colours = false
    /// Whether somebody shows HTML.
    public var html: () -> Bool = { false }
    /// Whether the progress line is rewritten in place.
    public var isLive = false

    /// 80 columns, no colours.
    public init() {}

    /// Text in bold, where there are colours.
    public func bold(_ text: String) -> String { colours ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
}

/// The functions of the prelude that Swift calls.
struct Helpers {
    let printer, keep, configure, begin, strict, isStrict, source: Callback

    init(_ table: Table) throws {
        func function(_ name: String) throws -> Callback {
            guard case .function(let callback)? = table[name] else { throw UnknownName(name: name) }
            return callback
        }
        printer = try function("printer")
        keep = try function("keep")
        configure = try function("configure")
        begin = try function("begin")
        strict = try function("strict")
        isStrict = try function("is_strict")
        source = try function("source")
    }
}

extension Interpreter {
    /// Runs the prelude: the printer, and strict globals.
    func prepare() throws {
        let state = try open()
        for function in [Self.undefinedGlobal, Self.page, Self.present] {
            try check(mt_add_function(state, "mt_internal", function.name, note(function)))
        }
        guard case .table(let table)? = try evaluate(Prelude.text, name: "=prelude").first else {
            throw LuaError("the prelude returned nothing")
        }
        helpers = try Helpers(table)
        if settings.strict { try helpers?.strict.call(true) }
    }

    /// Makes the globals of a prompt: `Out`, `who` and `help`; from here on `_` and `Out` keep results.
    public func beginPrompt() throws { try helpers?.begin.call() }

    /// What is done with the results of a chunk.
    public enum Handling {
        /// They are dropped.
        case dropped
        /// They are kept in `_` and `Out`.
        case kept
        /// They are kept and printed.
        case printed
    }

    /// The reference of the function that takes results, 0 for none.
    func receiver(_ results: Handling) throws -> Int32 {
        switch results {
        case .dropped: return 0
        case .kept: return helpers?.keep.reference ?? 0
        case .printed:
            let display = settings.display
            try helpers?.configure.call(display.width(), display.colours, display.html())
            return helpers?.printer.reference ?? 0
        }
    }

    /// Whether a piece of Lua ends with a semicolon, which keeps the prompt from printing.
    public static func isSilenced(_ text: String) -> Bool {
        guard let last = LuaTokens(text).tokens.last(where: { $0.kind != .openComment }) else {
            return false
        }
        return last.kind == .symbol && last.text == ";"
    }
}
