import RuntimeSupport

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
    /// The file of a model's weights, by the name that Hugging Face gives it.
    package static let modelFile = "model.safetensors"

    private struct Entry: Encodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    /// Writes tensors in the given order, and syncs the file.
    ///
    /// - Parameters:
    ///   - storage: `float32`, or `bfloat16` or `float16` to round every number to the nearest.
    ///   - metadata: Texts for the header.
    ///   - stop: polled now and then; `true` throws `Interrupted`.
    /// - Throws: `InvalidValue` naming a tensor with a number beyond the range of float16; `FileError`, for instance
    ///   when the disk is full; no file is left behind then.
    public static func write(
        _ path: String, _ tensors: [NamedTensor], storage: StorageFormat = .float32,
        metadata: [String: String] = [:], stop: ShouldStop = { false }
    ) throws {
        var offset = 0
        var entries: [String: Entry] = [:]
        for tensor in tensors {
            let end = offset + tensor.values.count * storage.size
            entries[tensor.name] = Entry(
                dtype: storage.code, shape: tensor.shape, data_offsets: [offset, end])
            offset = end
        }
        var header = try CanonicalJSON.text(entries)
        if !metadata.isEmpty {
            let text = "{\"__metadata__\":\(try CanonicalJSON.text(metadata))"
            header = text + (entries.isEmpty ? "}" : "," + header.dropFirst())
        }
        // The values start at a multiple of eight bytes, as readers that map the file like it.
        while header.utf8.count % 8 != 0 { header += " " }
        try AtomicFile.write(path) { writer in
            try withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { try writer.write($0) }
            try writer.write(header)
            for tensor in tensors { try write(tensor, storage, &writer, stop) }
        }
    }

    private static func write(
        _ tensor: NamedTensor, _ storage: StorageFormat, _ writer: inout FileWriter,
        _ stop: ShouldStop
    ) throws {
        let values = tensor.values
        for start in stride(from: 0, to: values.count, by: 1 << 14) {
            if stop() { throw Interrupted("interrupted while writing \(tensor.name)") }
            let part = values[start..<min(start + 1 << 14, values.count)]
            guard storage != .float32 else {
                try writer.write(
                    UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: part)))
                continue
            }
            let halves =
                storage == .bfloat16
                ? part.map(StorageFormat.bfloat16) : part.map(StorageFormat.float16)
            // All ones in the exponent: infinite or not a number.
            if storage == .float16, let odd = halves.firstIndex(where: { $0 & 0x7c00 == 0x7c00 }) {
                throw InvalidValue(
                    "storage",
                    expected:
                        "float32 or bfloat16, as tensor \(tensor.name) has \(values[start + odd]), "
                        + "beyond the largest float16, 65504", found: storage.rawValue)
            }
            try halves.map(\.littleEndian).withUnsafeBytes { try writer.write($0) }
        }
    }

    /// Reads tensors into buffers that the caller made; names and shapes must match exactly.
    ///
    /// - Throws: `FileError` or `SafetensorsError` naming the tensor, what it has and what was expected.
    public static func read(
        _ path: String,
        into targets: [(name: String, shape: [Int], values: UnsafeMutableBufferPointer<Float>)]
    ) throws {
        let file = try SafetensorsFile(path)
        for target in targets {
            guard let entry = file.entries[target.name] else {
                throw SafetensorsError(path: path, reason: "tensor \(target.name) is missing")
            }
            let format = try file.check(entry, shape: target.shape)
            try file.read(entry, format, into: target.values)
        }
    }
}
