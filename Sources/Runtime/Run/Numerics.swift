import CKernels
import Foundation

/// What of the engine decides the bits of a result.
public enum Numerics {
    /// Raised whenever a change of the engine changes results; part of every state key.
    public static let version = 1

    /// The processor's vector instructions and the kernels' build, recorded with every checkpoint.
    ///
    /// Not part of a state key, so that a store copied to another machine still answers; bits may differ between
    /// processors, and the record says which one made them.
    public static let processor: String = {
        let wanted = ["avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16"]
        let lines = ((try? FileReader.text("/proc/cpuinfo")) ?? "").split(separator: "\n")
        let flags = lines.first { $0.hasPrefix("flags") || $0.hasPrefix("Features") } ?? ""
        let words = Set(flags.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init))
        let found = wanted.filter(words.contains)
        return found.isEmpty ? "portable" : found.joined(separator: " ")
    }()
}
