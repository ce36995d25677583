import Foundation
import RuntimeSupport

/// The weights of a model as one file or several, divided and named as transformers does.
public enum ModelShards {
    private struct Index: Encodable {
        struct Metadata: Encodable {
            let total_parameters: Int
            let total_size: Int
        }
        let metadata: Metadata
        let weight_map: [String: String]
    }

    /// The bytes of a size as transformers writes it, such as `500MB`: KB, MB, GB and TB are powers of 1000.
    ///
    /// - Throws: `InvalidValue`.
    public static func bytes(_ size: String) throws -> Int {
        let units = ["KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12]
        if let unit = units[String(size.suffix(2))], let number = Double(size.dropLast(2)),
            let bytes = Int(exactly: (number * unit).rounded()), bytes > 0
        {
            return bytes
        }
        throw InvalidValue(
            "max_shard_size", expected: "a size in KB, MB, GB or TB, such as \"500MB\"",
            found: "\"\(size)\"")
    }

    /// Writes `model.safetensors`, or, if that had more than `shardBytes`, shards and their index.
    package static func write(
        _ folder: String, _ tensors: [NamedTensor], _ storage: StorageFormat, shardBytes: Int?,
        stop: ShouldStop
    ) throws {
        let shards = divide(tensors, storage, most: shardBytes ?? .max)
        let names = (1...max(1, shards.count)).map { number in
            shards.count <= 1
                ? Safetensors.modelFile
                : "model-\(padded(number))-of-\(padded(shards.count)).safetensors"
        }
        for (name, shard) in zip(names, shards) {
            try Safetensors.write(
                "\(folder)/\(name)", shard, storage: storage, metadata: ["format": "pt"], stop: stop
            )
        }
        guard shards.count > 1 else { return }
        let count = tensors.reduce(0) { $0 + $1.values.count }
        let places = zip(names, shards).flatMap { name, shard in shard.map { ($0.name, name) } }
        try AtomicFile.write(
            "\(folder)/\(PretrainedModel.indexFile)",
            json: Index(
                metadata: Index.Metadata(
                    total_parameters: count, total_size: count * storage.size),
                weight_map: Dictionary(uniqueKeysWithValues: places)))
    }

    private static func padded(_ number: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// Tensors in their order, so many in a shard as fit; one that is larger has a shard of its own.
    private static func divide(
        _ tensors: [NamedTensor], _ storage: StorageFormat, most: Int
    ) -> [[NamedTensor]] {
        var shards: [[NamedTensor]] = []
        var room = 0
        for tensor in tensors {
            let size = tensor.values.count * storage.size
            if shards.isEmpty || size > room {
                shards.append([])
                room = most
            }
            shards[shards.count - 1].append(tensor)
            room -= size
        }
        return shards
    }
}
