/// A function that Lua can call, with all that is said about it.
///
/// One record feeds the table of calls, the checking of arguments, the help at the prompt, completion and the reference page.
public final class Function {
    /// The name in Lua, without module or type.
    public let name: String
    /// What it does: a sentence, then more if need be.
    public let help: String
    /// What it takes, in order.
    public let parameters: [Parameter]
    /// What it returns, in words; empty if nothing.
    public let returns: String
    /// Lua code that shows its use; may be empty.
    public private(set) var example: String
    /// How Lua reaches it.
    public private(set) var form = Form.function
    /// Whether the first argument is the object itself.
    private(set) var hasReceiver = false
    /// Whether Lua decides on the number of arguments.
    private(set) var isMetamethod = false
    package let body: (Call) throws -> Void
    let checks: [Check]

    /// How Lua reaches a function.
    public enum Form: Equatable {
        /// `mt.name(…)`.
        case function
        /// `object:name(…)` of the named type.
        case method(String)
        /// `object.name` of the named type.
        case field(String)
        /// An event such as `__add` of the named type; arguments as Lua passes them.
        case metamethod(String)
    }

    /// Creates a record.
    ///
    /// - Parameters:
    ///   - name: The name in Lua.
    ///   - help: What it does.
    ///   - parameters: What it takes.
    ///   - returns: What it returns, in words.
    ///   - example: Lua code that shows its use.
    ///   - body: Reads the arguments from the call, makes one call to Runtime, and hands over the results.
    public init(
        _ name: String, _ help: String, _ parameters: [Parameter] = [], returns: String = "",
        example: String = "",
        body: @escaping (Call) throws -> Void
    ) {
        self.name = name
        self.help = help
        self.parameters = parameters
        self.returns = returns
        self.example = example
        self.body = body
        checks = parameters.map(Check.init)
    }

    package func with(_ form: Form) -> Function {
        self.form = form
        switch form {
        case .method, .field: hasReceiver = true
        case .metamethod: isMetamethod = true
        case .function: break
        }
        if example.isEmpty { example = Examples.example(fullName) ?? "" }
        return self
    }

    /// The name with what it belongs to: `mt.corpus`, `corpus:summary`, `corpus.name`.
    public var fullName: String {
        switch form {
        case .function: "mt.\(name)"
        case .method(let type): "\(type):\(name)"
        case .field(let type): "\(type).\(name)"
        case .metamethod(let type): "\(type).\(name)"
        }
    }
}
