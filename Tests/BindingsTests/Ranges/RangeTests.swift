import Bindings
import Foundation
import TestSupport
import Testing

@Suite("Numbers at the ends of ranges") struct RangeTests {
    /// The records of each type, and those of the module in a few parts.
    static var families: [(name: String, records: [Function])] {
        let library = Library.standard
        let size = 12
        let functions = stride(from: 0, to: library.functions.count, by: size).map { start in
            let end = min(start + size, library.functions.count)
            return (
                name: "mt \(start + 1) to \(end)", records: Array(library.functions[start..<end])
            )
        }
        return functions + library.types.map { (name: $0.name, records: $0.members) }
    }

    @Test(
        "every number that a function takes may be any: the call returns or raises",
        arguments: families.indices)
    func everyNumber(index: Int) throws {
        let family = Self.families[index]
        let script = RangeScript(family.records)
        let outcome = try WatchedScript(script).run()
        for failure in outcome { Issue.record("\(family.name): \(failure)") }
    }
}
