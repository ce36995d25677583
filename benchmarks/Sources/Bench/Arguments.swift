import Runtime

/// `--name value` pairs after the subcommand.
struct Arguments {
    private var values: [String: String] = [:]

    init(_ words: some Sequence<String>) throws {
        var name: String?
        for word in words {
            if let known = name {
                values[known] = word
                name = nil
            } else {
                guard word.hasPrefix("--") else {
                    throw InvalidValue("argument", expected: "--name value", found: word)
                }
                name = String(word.dropFirst(2))
            }
        }
        if let name { throw InvalidValue("--" + name, expected: "a value", found: "nothing") }
    }

    func text(_ name: String) throws -> String {
        guard let value = values[name] else {
            throw InvalidValue("--" + name, expected: "a value", found: "nothing")
        }
        return value
    }

    func integer(_ name: String) throws -> Int {
        let value = try text(name)
        guard let number = Int(value) else {
            throw InvalidValue("--" + name, expected: "a whole number", found: value)
        }
        return number
    }

    func precision() throws -> Precision {
        let value = try text("precision")
        guard let precision = Precision(rawValue: value) else {
            throw InvalidValue("--precision", expected: "float32 or bfloat16", found: value)
        }
        return precision
    }
}
