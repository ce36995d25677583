import Bindings
import TestSupport
import Testing

@Suite("Examples") struct ExampleTests {
    /// What is done with each type's examples, in one process in a folder of its own; `mt` stands for the functions.
    static let groups = ["mt"] + Library.standard.types.map(\.name)

    @Test("the example of every record runs", arguments: groups)
    func run(group: String) throws {
        let records =
            group == "mt"
            ? Library.standard.functions
            : Library.standard.types.first { $0.name == group }?.members ?? []
        let setUp = Examples.setUp(group)
        let blocks = records.filter { !$0.example.isEmpty }.map { record in
            "begin '\(record.fullName)'\ndo\n\(setUp)\n\(record.example)\nend\n"
        }
        guard !blocks.isEmpty else { return }
        // What is trained would be in the store for the next example.
        let trains = setUp.contains("mt.recipe")
        for block in trains ? blocks : [blocks.joined()] { try run(block) }
    }

    private func run(_ block: String) throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "examples.lua",
            """
            local name
            function begin(next) name = next end
            print = function(...) assert(select('#', ...) > 0, name .. ' prints nothing') end
            local good, problem = xpcall(function(...)
            \(block)
            end, debug.traceback)
            if not good then error(name .. ': ' .. tostring(problem), 0) end
            """)
        let outcome = try Program.run([script], in: scratch.path)
        #expect(outcome.code == 0, "\(outcome.errors)")
    }

    @Test("every function and method has an example and a help text")
    func complete() {
        for record in Library.standard.named {
            #expect(!record.help.isEmpty, "\(record.fullName)")
            if case .field = record.form { continue }
            #expect(!record.example.isEmpty, "\(record.fullName)")
        }
    }
}
