import CLua

/// What lies at the end of a path of names; found without running any code.
enum Sight {
    case table
    /// An object of a type.
    case object(String)
    case function
    case string
    case other
}

extension Interpreter {
    /// One step of a path from the globals.
    package enum PathStep {
        case name(String)
        case index(Int)
    }

    /// What a path leads to; nil if there is nothing.
    func look(_ path: [PathStep]) -> Sight? {
        let found: Sight?? = withSight(path) { call, top -> Sight? in
            switch mt_type(call, top) {
            case MT_NONE, MT_NIL: return nil
            case MT_TABLE: return .table
            case MT_STRING: return .string
            case MT_FUNCTION: return .function
            case MT_OBJECT:
                var type: Int32 = -1
                _ = mt_object(call, top, &type)
                return .object(typeName(type))
            default: return .other
            }
        }
        return found ?? nil
    }

    /// The function at the end of a path.
    func lookForFunction(_ path: [PathStep]) -> Callback? {
        let found: Callback?? = withSight(path) { call, top -> Callback? in
            guard mt_type(call, top) == MT_FUNCTION else { return nil }
            let reference = mt_reference(call, top)
            return reference == 0 ? nil : Callback(core: core, reference: reference)
        }
        return found ?? nil
    }

    /// Names of the fields of a table, those that it inherits too, and whether each is a function.
    package func names(_ path: [PathStep]) -> [String: Bool] {
        var result: [String: Bool] = [:]
        for inherited in 0..<8 {
            let found: Bool? = withSight(path, inherited: inherited) { call, table in
                guard mt_type(call, table) == MT_TABLE, mt_table_begin(call) else { return false }
                while mt_table_next(call, table) {
                    let top = mt_top(call)
                    if mt_type(call, top - 1) == MT_STRING {
                        var length = 0
                        let start = mt_string(call, top - 1, &length)
                        let name = String(
                            decoding: UnsafeRawBufferPointer(start: start, count: length),
                            as: UTF8.self)
                        if result[name] == nil { result[name] = mt_type(call, top) == MT_FUNCTION }
                    }
                    mt_settop(call, top - 1)
                }
                return true
            }
            guard found == true else { break }
        }
        return result
    }

    /// The names of the globals.
    var globalNames: [String] { names([]).keys.sorted() }

    private func withSight<Result>(
        _ path: [PathStep], inherited: Int = 0, _ body: (OpaquePointer, Int32) -> Result
    ) -> Result? {
        guard let state = core.state, let call = mt_current(state),
            let list = mt_list_new(state)
        else { return nil }
        defer { mt_list_free(list) }
        let results = Results(list: list, interpreter: self)
        for step in path {
            switch step {
            case .name(let name): results.string(name)
            case .index(let index): mt_list_integer(list, Int64(index))
            }
        }
        let base = mt_top(call)
        guard mt_look(state, list, Int32(inherited)) == MT_OK else { return nil }
        defer { mt_settop(call, base) }
        return body(call, mt_top(call))
    }
}
