import CLua
import Runtime

/// The functions and object types that scripts see.
public struct Library {
    /// What lies in the module `mt`.
    public var functions: [Function]
    /// The types of objects that functions return.
    public var types: [ObjectType]

    /// A library of functions and types.
    public init(functions: [Function] = [], types: [ObjectType] = []) {
        self.functions = functions
        self.types = types
    }

    /// This library and another.
    public func adding(_ other: Library) -> Library {
        Library(functions: functions + other.functions, types: types + other.types)
    }

    /// Every record: functions, then the members of each type.
    public var records: [Function] { functions + types.flatMap(\.members) }

    /// Records that a researcher calls by name, leaving out metamethods.
    public var named: [Function] {
        records.filter { if case .metamethod = $0.form { false } else { true } }
    }
}

extension Interpreter {
    /// Puts a library into the state.
    func register(_ library: Library) throws {
        let state = try open()
        for type in library.types {
            var number: Int32 = -1
            try check(mt_add_type(state, type.name, &number))
            note(type, number)
            for member in type.members {
                let kind =
                    switch member.form {
                    case .field: MT_FIELD
                    case .metamethod: MT_METAMETHOD
                    default: MT_METHOD
                    }
                try check(mt_add_member(state, number, kind, member.name, note(member)))
            }
        }
        // `plot.line` lies in the table `mt.plot`.
        var modules: [String: [String]] = ["mt": ["version"]]
        for function in library.functions {
            let path = function.fullName.split(separator: ".").map(String.init)
            let module = path.dropLast().joined(separator: ".")
            modules[module, default: []].append(path.last ?? function.name)
            try check(mt_add_function(state, module, path.last, note(function)))
        }
        try withList { list in
            list.string(Version.text)
            try check(mt_add_value(state, "mt", "version", list.list))
        }
        for (module, names) in modules.sorted(by: { $0.key < $1.key }) {
            let inner = modules.keys.filter { $0.hasPrefix(module + ".") }.map {
                String($0.dropFirst(module.count + 1))
            }
            let missing = Function("__index", "") { call in
                let key = try call.argument(2)
                guard case .string(let name) = key else { return try call.returns(Value.null) }
                throw Mistake(
                    "\(module) has no '\(name)'\(NearestName.hint(name, among: names + inner, listing: true))"
                )
            }.with(.metamethod(module))
            try check(mt_add_metamethod(state, module, "__index", note(missing)))
        }
    }
}

/// What this program is.
public enum Version {
    /// Its version number.
    public static let text = "0.1.0"
}
