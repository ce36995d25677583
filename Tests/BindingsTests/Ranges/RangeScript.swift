import Bindings
import Foundation

/// A Lua script that calls the functions of one family with hard numbers, one call after the other.
///
/// It says which call it makes before it makes it, in a file, so that a call that ends the process is known; and it begins with the call it
/// is told to, so that the next process goes on behind that one.
struct RangeScript {
    /// What is called, in Lua.
    private(set) var calls: [String] = []
    /// Calls with good numbers, which must succeed.
    private(set) var goodCalls: [String] = []
    private let setUp: String
    private static let isLong = ProcessInfo.processInfo.environment["MTREPL_LONG"] != nil
    /// What makes anew the objects that calls change.
    private let again: String

    /// The calls of some records.
    init(_ records: [Function]) {
        let types = records.flatMap { record in
            [Self.receiver(record)].compactMap { $0 } + Rig.types(of: record)
        }
        let needsFolder = records.contains { $0.fullName == "mt.pretrained" }
        // A second corpus is there for mixtures and comparisons.
        setUp =
            Rig.code(for: ["corpus"] + types + (needsFolder ? ["network"] : []))
            + "\ncode = mt.corpus { 'code', embedded = 'code', bytes = 20000 }\n"
            + (needsFolder ? "network:export('exported')" : "")
        again = types.contains("run") ? "run = recipe:open()" : ""
        for record in records { add(record, Self.receiver(record)) }
    }

    /// The type of the object that a record is called on.
    private static func receiver(_ record: Function) -> String? {
        switch record.form {
        case .function: nil
        case .method(let type), .field(let type), .metamethod(let type): type
        }
    }

    private mutating func add(_ record: Function, _ receiver: String?) {
        let name = record.fullName
        let good = record.parameters.map { GoodArguments.value($0.kind, "\(name).\($0.name)") }
        func call(_ arguments: [String]) -> String? {
            let list = arguments.joined(separator: ", ")
            switch (record.form, receiver) {
            case (.function, _): return "\(name)(\(list))"
            case (.method, let receiver?): return "\(receiver):\(record.name)(\(list))"
            case (.field, let receiver?): return "\(receiver).\(record.name)"
            default: return nil
            }
        }
        if case .metamethod = record.form {
            guard let receiver else { return }
            calls += Self.operators(record.name, receiver)
            return
        }
        if let plain = call(good), record.name != "close" { calls.append(plain) }
        for (place, parameter) in record.parameters.enumerated() {
            for slot in NumberSlot.all(in: parameter.kind, "\(name).\(parameter.name)") {
                // Each of these trains for a while; what they pass on is tried with `recipe:finetune` too.
                let trains =
                    slot.path.contains("halving.options.finetune")
                    || slot.path.contains("plasticity.options.finetune")
                if trains, !Self.isLong { continue }
                func with(_ value: String) -> String? {
                    var arguments = good
                    arguments[place] = slot.argument(value)
                    return call(Array(arguments.prefix(max(place + 1, needed(record)))))
                }
                goodCalls += [slot.good.flatMap(with)].compactMap { $0 }
                calls += slot.values.compactMap(with)
            }
        }
    }

    /// The script, which takes the number of the call to begin with and prints what failed of the good calls.
    var text: String {
        func list(_ calls: [String]) -> String {
            "{\n" + calls.map { "[==[\($0)]==],\n" }.joined() + "}"
        }
        return """
            local from = tonumber(arg[1])
            local progress = assert(io.open("progress", "w"))
            progress:setvbuf("no")
            local function carry_out(code)
              return pcall(assert(load("return " .. code) or load(code)))
            end
            \(setUp)
            local good = \(list(goodCalls))
            local calls = \(list(calls))
            if from == 0 then
              for _, code in ipairs(good) do
                \(again)
                local fine, problem = carry_out(code)
                if not fine then print("refused: " .. code .. ": " .. tostring(problem)) end
              end
              from = 1
            end
            for place = from, #calls do
              progress:write(place, "\\n")
              \(again)
              local _, result = carry_out(calls[place])
              pcall(tostring, result)
              result = nil
              collectgarbage()
            end
            """
    }

    /// How many arguments a call must have.
    private func needed(_ record: Function) -> Int {
        (record.parameters.lastIndex { !$0.mayBeLeftOut } ?? -1) + 1
    }

    private static func operators(_ event: String, _ object: String) -> [String] {
        let symbols = [
            "__add": "+", "__sub": "-", "__mul": "*", "__div": "/", "__pow": "^", "__lt": "<",
            "__le": "<=", "__eq": "==", "__idiv": "//", "__mod": "%", "__concat": "..",
        ]
        if let symbol = symbols[event] {
            return NumberSlot.hard.flatMap {
                ["\(object) \(symbol) (\($0))", "(\($0)) \(symbol) \(object)"]
            }
        }
        switch event {
        case "__index": return NumberSlot.hard.map { "\(object)[\($0)]" }
        case "__newindex":
            return NumberSlot.hard.map { "(function() \(object)[\($0)] = \($0) end)()" }
        case "__len": return ["#\(object)"]
        case "__unm": return ["-\(object)"]
        case "__tostring": return ["tostring(\(object))"]
        default: return []
        }
    }
}
