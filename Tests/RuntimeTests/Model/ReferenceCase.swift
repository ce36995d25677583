import Foundation
import Runtime

/// One configuration of `scripts/reference.py`, as PyTorch computed it.
struct ReferenceCase: Decodable {
    struct Array: Decodable {
        var offset: Int
        var shape: [Int]
        var type: String
    }
    struct Optimiser: Decodable {
        var learning_rate, beta1, beta2, epsilon, weight_decay, clip: Double
    }
    var vocabulary, context, layers, width, heads, feed_forward, rows, columns: Int
    var parallel_residual, tied: Bool
    var rotary_fraction: Double
    var gelu: Gelu
    var tokens, targets: [Int32]
    var adamw: Optimiser
    var losses, norms: [Double]
    var arrays: [String: Array]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Reference")

    static func load(_ name: String) throws -> (ReferenceCase, Data) {
        let text = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
        let data = try Data(contentsOf: folder.appendingPathComponent(name + ".bin"))
        return (try JSONDecoder().decode(ReferenceCase.self, from: text), data)
    }

    func array(_ name: String, _ data: Data) throws -> [Float] {
        guard let entry = arrays[name] else {
            throw InvalidValue("array", expected: "one in the file", found: name)
        }
        let count = entry.shape.reduce(1, *)
        return data.withUnsafeBytes { bytes in
            (0..<count).map { index in
                if entry.type == "bfloat16" {
                    let bits = bytes.loadUnaligned(
                        fromByteOffset: entry.offset + 2 * index, as: UInt16.self)
                    return Float(bitPattern: UInt32(bits) << 16)
                }
                return bytes.loadUnaligned(
                    fromByteOffset: entry.offset + 4 * index, as: Float.self)
            }
        }
    }

    var batch: TokenBatch {
        TokenBatch(rows: rows, columns: columns, inputs: tokens, targets: targets)
    }

    func model(_ data: Data, precision: Precision = .float32) throws -> any LanguageModel {
        var configuration = NeoXConfiguration(
            vocabulary: vocabulary, context: context, layers: layers, width: width, heads: heads,
            feedForward: feed_forward)
        configuration.parallelResidual = parallel_residual
        configuration.tiedEmbeddings = tied
        configuration.rotaryFraction = rotary_fraction
        configuration.gelu = gelu
        let model = try configuration.model(seed: 0, precision: precision)
        for range in model.parameters.ranges {
            let initial = try array("initial/" + range.name, data)
            for (index, value) in initial.enumerated() {
                model.parameters.values[range.offset + index] = value
            }
        }
        return model
    }
}

/// The largest difference, or infinity if any number is not finite.
func largestDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { worst, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isFinite ? max(worst, difference) : .infinity
    }
}
