import Runtime

extension Reference {
    private struct ParameterItem: Encodable {
        let name, kind, help: String
        let optional: Bool
        let standard: String?
        let options: [ParameterItem]

        init(_ parameter: Parameter) {
            (name, kind, help) = (parameter.name, parameter.kind.name, parameter.help)
            optional = parameter.mayBeLeftOut
            standard = parameter.standard?.summary
            options = parameter.kind.options.map(ParameterItem.init)
        }
    }

    private struct FunctionItem: Encodable {
        let name, signature, help, returns, example: String
        let parameters: [ParameterItem]

        init(_ function: Function) {
            (name, signature) = (function.fullName, Reference.signature(function))
            (help, returns, example) = (function.help, function.returns, function.example)
            parameters = function.parameters.map(ParameterItem.init)
        }
    }

    private struct TypeItem: Encodable {
        let name, help, begins: String
        let members: [FunctionItem]
    }

    private struct Page: Encodable {
        let functions: [FunctionItem]
        let types: [TypeItem]
    }

    /// Everything that scripts see as JSON: functions and types with parameters, defaults, help and examples.
    ///
    /// An example of a type's member comes after what its `begins` says.
    public static func json(_ library: Library) throws -> String {
        try CanonicalJSON.text(
            Page(
                functions: library.functions.map(FunctionItem.init),
                types: library.types.map { type in
                    TypeItem(
                        name: type.name, help: type.help, begins: Examples.setUp(type.name),
                        members: type.members.filter { member in
                            if case .metamethod = member.form { !member.help.isEmpty } else { true }
                        }.map(FunctionItem.init))
                }), pretty: true)
    }
}
