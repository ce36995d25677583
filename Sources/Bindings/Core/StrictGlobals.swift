import Runtime

extension Library {
    /// `mt.strict`.
    static var strictness: Library {
        Library(functions: [
            Function(
                "strict",
                "Whether reading a global that nobody has set is an error (the default); sets it first if asked to. Assigning a global is always allowed.",
                [.boolean("on", "Whether from now on.").optional], returns: "boolean",
                example: """
                    mt.strict(false)
                    assert(no_such_global == nil)
                    mt.strict(true)
                    assert(not pcall(function() return no_such_global end))
                    """
            ) { call in
                guard let helpers = call.interpreter.helpers else { return }
                if let on = try call.boolean(ifPresent: "on") { try helpers.strict.call(on) }
                if case .boolean(let on)? = try helpers.isStrict.call().first {
                    try call.returns(on)
                }
            }
        ])
    }
}

extension Interpreter {
    /// What reading a global does that nobody has set.
    static var undefinedGlobal: Function {
        Function("undefined", "") { call in
            guard case .string(let name) = try call.argument(2) else {
                return try call.returns(Value.null)
            }
            let interpreter = call.interpreter
            if interpreter.library.functions.contains(where: { $0.name == name }) {
                throw Mistake("the global '\(name)' is not defined; did you mean 'mt.\(name)'?")
            }
            let hint = NearestName.hint(name, among: interpreter.globalNames, listing: true)
            throw Mistake(
                "the global '\(name)' is not defined\(hint.hasPrefix("; did") ? hint : "")")
        }.with(.metamethod("_G"))
    }
}
