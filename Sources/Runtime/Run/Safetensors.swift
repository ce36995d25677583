import Foundation

/// A malformed or unsuitable safetensors file.
public struct SafetensorsError: RuntimeError {
    /// The file.
    public let path: String
    /// What is wrong with it.
    public let reason: String

    /// `PATH is not a usable safetensors file: REASON`.
    public var message: String { "\(path) is not a usable safetensors file: \(reason)" }
}

/// One named tensor of 32-bit floats to be written.
public struct NamedTensor {
    /// The name in the file.
    public let name: String
    /// The shape; its product is the number of values.
    public let shape: [Int]
    /// The values, row-major.
    public let values: UnsafeBufferPointer<Float>

    /// Creates a tensor over values that the caller keeps alive.
    public init(name: String, shape: [Int], values: UnsafeBufferPointer<Float>) {
        self.name = name
        self.shape = shape
        self.values = values
    }
}

/// The safetensors format: eight bytes of header length, a JSON header, then the values.
public enum Safetensors {
    private struct Entry: Codable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    /// Writes float32 tensors in the given order, and syncs the file.
    ///
    /// - Throws: `FileError`, for instance when the disk is full; no file is left behind then.
    public static func write(_ path: String, _ tensors: [NamedTensor]) throws {
        var offset = 0
        var entries: [String: Entry] = [:]
        for tensor in tensors {
            let end = offset + tensor.values.count * 4
            entries[tensor.name] = Entry(
                dtype: "F32", shape: tensor.shape, data_offsets: [offset, end])
            offset = end
        }
        var header = try CanonicalJSON.text(entries)
        // The values start at a multiple of eight bytes, as readers that map the file like it.
        while header.utf8.count % 8 != 0 { header += " " }
        try AtomicFile.write(path) { writer in
            try withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { try writer.write($0) }
            try writer.write(header)
            for tensor in tensors { try writer.write(UnsafeRawBufferPointer(tensor.values)) }
        }
    }

    /// Reads tensors into buffers that the caller made; names, shapes and types must match exactly.
    ///
    /// - Throws: `FileError` or `SafetensorsError` naming the tensor, what it has and what was expected.
    public static func read(
        _ path: String,
        into targets: [(name: String, shape: [Int], values: UnsafeMutableBufferPointer<Float>)]
    ) throws {
        func fail(_ reason: String) -> SafetensorsError {
            SafetensorsError(path: path, reason: reason)
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw FileError("read", path, reason: (error as NSError).localizedDescription)
        }
        guard data.count >= 8 else {
            throw fail("\(data.count) bytes long, shorter than its header length")
        }
        let length = data.prefix(8).enumerated().reduce(UInt64(0)) {
            $0 | UInt64($1.element) << (8 * $1.offset)
        }
        guard length <= UInt64(data.count - 8) else {
            throw fail("says its header has \(length) bytes, but the file has \(data.count)")
        }
        let start = 8 + Int(length)
        let entries: [String: Entry]
        do {
            entries = try JSONDecoder().decode([String: Entry].self, from: data[8..<start])
        } catch {
            throw fail("its header is not the expected JSON (\(error))")
        }
        for target in targets {
            guard let entry = entries[target.name] else {
                throw fail("tensor \(target.name) is missing")
            }
            guard entry.dtype == "F32", entry.shape == target.shape else {
                throw fail(
                    "tensor \(target.name) is \(entry.dtype) \(entry.shape), expected F32 \(target.shape)"
                )
            }
            guard entry.data_offsets.count == 2, entry.data_offsets[0] >= 0,
                entry.data_offsets[1] - entry.data_offsets[0] == target.values.count * 4,
                entry.data_offsets[1] <= data.count - start
            else {
                throw fail(
                    "tensor \(target.name) lies at \(entry.data_offsets), outside of \(data.count - start) bytes of values"
                )
            }
            let bytes = data[(start + entry.data_offsets[0])..<(start + entry.data_offsets[1])]
            _ = bytes.copyBytes(to: UnsafeMutableRawBufferPointer(target.values))
        }
    }
}
