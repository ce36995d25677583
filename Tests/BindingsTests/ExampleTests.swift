import Testing

@testable import Bindings

@Suite("Examples") struct ExampleTests {
    static let examples = Library.standard.records.filter { !$0.example.isEmpty }.map {
        (name: $0.fullName, code: $0.example)
    }

    @Test("the example of every record runs", arguments: examples)
    func run(example: (name: String, code: String)) throws {
        let rig = try Rig()
        try rig.bench.interpreter.run(
            "print = function(...) assert(select('#', ...) > 0) end", name: "=test")
        #expect(rig.bench.error(example.code) == "no error", "\(example.name)")
    }

    @Test("every function and method of tensors has an example")
    func complete() {
        for record in Library.tensors.named {
            if case .field = record.form { continue }
            #expect(!record.example.isEmpty || record.name == "close", "\(record.fullName)")
            #expect(!record.help.isEmpty, "\(record.fullName)")
        }
    }
}
