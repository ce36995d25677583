import Foundation
import Runtime

/// A folder that is removed when the object dies.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "mtrepl-\(UUID().uuidString)"
        try AtomicFile.makeFolder(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try AtomicFile.write(path + "/" + name, text: text)
        return path + "/" + name
    }

    /// Writes bytes and returns their path.
    @discardableResult
    func write(_ name: String, bytes: [UInt8]) throws -> String {
        try AtomicFile.write(path + "/" + name) { writer in
            try bytes.withUnsafeBytes { try writer.write($0) }
        }
        return path + "/" + name
    }

    /// Records of one field, one a line.
    @discardableResult
    func lines(_ name: String, _ texts: [String], field: String = "text") throws -> String {
        try write(name, texts.map { "{\"\(field)\": \(JSONValue.quoted($0))}\n" }.joined())
    }

    /// A corpus of some files with all documents in train.
    func corpus(_ files: String..., change: (inout CorpusSpecification) -> Void = { _ in }) throws
        -> Corpus
    {
        var specification = CorpusSpecification(name: "test", files: files)
        specification.validFraction = 0
        specification.testFraction = 0
        change(&specification)
        return try Corpus(specification)
    }
}

extension Corpus {
    /// The documents of a split as strings.
    func texts(_ split: Split = .train) throws -> [String] {
        var result: [String] = []
        try forEachDocument(split) { result.append(String(decoding: $0.text, as: UTF8.self)) }
        return result
    }
}
