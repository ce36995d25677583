import Bindings
import Foundation
import Runtime

/// An object that counts how many of it live.
final class Probe: LuaObject {
    final class Counter {
        var live = 0
        var made = 0
    }

    let counter: Counter
    let name: String
    /// Whatever a script gave it to keep.
    var kept: Callback?

    init(_ counter: Counter, _ name: String) {
        self.counter = counter
        self.name = name
        counter.live += 1
        counter.made += 1
    }

    deinit { counter.live -= 1 }
}

/// A struct as an object.
struct Pair: LuaObject {
    let left, right: Int
}

extension Library {
    /// Functions that do what bindings do, good and bad.
    static func test(_ counter: Probe.Counter) -> Library {
        Library(functions: functions(counter), types: [probe(counter), pair])
    }

    private static func functions(_ counter: Probe.Counter) -> [Function] {
        [
            Function(
                "probe", "Makes a probe.", [.string("name", "A name.").or("p")], returns: "probe"
            ) {
                try $0.returns(Probe(counter, try $0.string("name")))
            },
            Function(
                "pair", "Makes a pair.",
                [.integer("left", "", .position), .integer("right", "", .count, in: 0...9)],
                returns: "pair"
            ) {
                try $0.returns(Pair(left: try $0.integer("left"), right: try $0.integer("right")))
            },
            Function(
                "many", "Returns probes, then fails if asked to.", [.boolean("fail", "").optional]
            ) { call in
                try call.returns(
                    "a", 1, 2.5, true, Probe(counter, "x"),
                    [Probe(counter, "y"), Probe(counter, "z")],
                    Record(
                        [("one", 1), ("none", Int?.none), ("probe", Probe(counter, "w"))],
                        items: ["first"]))
                if try call.boolean(ifPresent: "fail") == true {
                    throw InvalidValue("many", expected: "success", found: 0)
                }
            },
            Function(
                "configure", "Takes options.",
                [
                    .options([
                        .string("name", "").item, .strings("files", "").optional,
                        .integer("steps", "", .steps.positive).or(10),
                        .number("rate", "", .rate.positive).or(1),
                        .choice("schedule", ["cosine", "linear"], "").or("cosine"),
                        .weights("mixture", "").optional,
                        .options("optimizer", "", [.number("decay", "", .decay).or(0.1)])
                            .optional,
                        .object("probe", "probe", "").optional,
                    ])
                ]
            ) { call in
                let o = try call.options()
                try call.returns(
                    Record([
                        ("name", try o.string("name")),
                        ("files", try o.strings(ifPresent: "files")),
                        ("steps", try o.integer("steps")), ("rate", try o.number("rate")),
                        ("schedule", try o.string("schedule")),
                        ("order", try o.weights(ifPresent: "mixture")?.map(\.name)),
                        ("decay", try o.options("optimizer").number("decay")),
                    ]))
            },
            Function(
                "add", "Adds.", [.number("a", "", .finite), .number("b", "", .finite)],
                returns: "number"
            ) {
                try $0.returns(try $0.number("a") + $0.number("b"))
            },
            Function(
                "apply", "Calls a function.", [.function("body", ""), .any("value", "").optional]
            ) { call in
                let results = try call.function("body").call(try call.value("value") ?? .null)
                for result in results { try call.returns(result) }
            },
            Function(
                "attempt", "Calls a function and keeps its error.", [.function("body", "")],
                returns: "string"
            ) {
                call in
                do {
                    try call.function("body").call()
                    try call.returns("fine")
                } catch let error as LuaError {
                    try call.returns(error.message)
                }
            },
            Function("echo", "Returns its argument.", [.any("value", "").optional]) {
                try $0.returns(try $0.value("value") ?? .null)
            },
            Function("bytes", "Counts bytes.", [.bytes("text", "")]) {
                try $0.returns(try $0.bytes("text").count)
            },
            Function(
                "work", "Polls until it is told to stop.", [.boolean("self_interrupt", "").or(true)]
            ) { call in
                if try call.boolean("self_interrupt") { call.interpreter.interrupt() }
                let stop = call.interpreter.shouldStop
                for step in 0..<10_000 {
                    if stop() { throw Interrupted("interrupted at step \(step)") }
                    usleep(1000)
                }
            },
            Function("interrupt", "Does what Ctrl-C does.") { $0.interpreter.interrupt() },
            Function("read", "Checks a path.", [.path("path", "")]) {
                try $0.returns(try $0.string("path"))
            },
        ]
    }

    private static func probe(_ counter: Probe.Counter) -> ObjectType {
        ObjectType(
            "probe", Probe.self, "Counts how many of it live.", describe: { "probe \($0.name)" },
            fields: [Field("name", "string", "Its name.") { $0.name }],
            methods: [
                Method("twin", "Makes another.", [.string("name", "").optional], returns: "probe") {
                    probe, call in
                    try call.returns(
                        Probe(probe.counter, try call.string(ifPresent: "name") ?? probe.name))
                },
                Method("keep", "Keeps a function.", [.function("body", "")]) { probe, call in
                    probe.kept = try call.function("body")
                },
                Method("call", "Calls the function it keeps.") { probe, call in
                    for value in try probe.kept?.call(probe) ?? [] { try call.returns(value) }
                },
            ],
            operators: [
                Function("__add", "Joins names.", [.any("left", ""), .any("right", "")]) { call in
                    let names = try ["left", "right"].map {
                        try call.object($0, as: Probe.self).name
                    }
                    try call.returns(Probe(counter, names.joined(separator: "+")))
                }
            ],
            length: { $0.name.utf8.count }, closable: true)
    }

    private static var pair: ObjectType {
        ObjectType(
            "pair", Pair.self, "Two integers.", describe: { "(\($0.left), \($0.right))" },
            index: { pair, key, call in
                guard let index = key.integerValue, (1...2).contains(index) else {
                    throw InvalidValue("index", expected: "1 or 2", found: key.summary)
                }
                try call.returns(index == 1 ? pair.left : pair.right)
            })
    }
}

/// An interpreter with the test library in it.
struct Bench {
    let counter = Probe.Counter()
    let interpreter: Interpreter

    init(_ settings: Interpreter.Settings = .init(), with other: Library = .standard) throws {
        interpreter = try Interpreter(settings, library: other.adding(.test(counter)))
    }

    /// The results of a chunk as text, separated by spaces.
    func text(_ code: String) throws -> String {
        try interpreter.evaluate(code).map { value in
            switch value {
            case .string(let text): text
            default: value.summary
            }
        }.joined(separator: " ")
    }

    /// The first line of the error that a chunk raises.
    func error(_ code: String) -> String {
        do {
            try interpreter.run(code, name: "=test")
            return "no error"
        } catch {
            return "\(error)".split(separator: "\n").first.map(String.init) ?? ""
        }
    }
}
