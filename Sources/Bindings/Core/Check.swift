import CLua

/// The quick test of a plain argument on the stack.
///
/// What it does not pass is looked at again in full, for the value or for the error message.
struct Check {
    private enum Code {
        case boolean
        case integer(Int, Int)
        case number(NumberKind)
        case string
        case object
        case thorough
    }

    private let code: Code
    private let isOptional: Bool
    private let typeName: String

    init(_ parameter: Parameter) {
        isOptional = parameter.isOptional
        var typeName = ""
        switch parameter.kind {
        case .boolean: code = .boolean
        case .integer(let kind): code = .integer(kind.range.lowerBound, kind.range.upperBound)
        case .number(let kind): code = .number(kind)
        case .bytes: code = .string
        case .object(let names) where names.count == 1:
            code = .object
            typeName = names[0]
        default: code = .thorough
        }
        self.typeName = typeName
    }

    /// Whether the value at `index` is good as it is.
    func passes(_ call: OpaquePointer, _ index: Int32, isGiven: Bool, _ interpreter: Interpreter)
        -> Bool
    {
        if case .thorough = code { return false }
        let kind = isGiven ? mt_type(call, index) : MT_NIL
        if kind == MT_NIL { return isOptional }
        switch code {
        case .boolean: return kind == MT_BOOLEAN
        case .integer(let low, let high):
            guard kind == MT_INTEGER else { return false }
            let value = Int(mt_integer(call, index))
            return low <= value && value <= high
        case .number(let accepted):
            return (kind == MT_NUMBER || kind == MT_INTEGER)
                && accepted.contains(mt_number(call, index))
        case .string: return kind == MT_STRING
        case .object:
            var type: Int32 = -1
            return mt_object(call, index, &type) != nil && interpreter.typeName(type) == typeName
        case .thorough: return false
        }
    }
}
