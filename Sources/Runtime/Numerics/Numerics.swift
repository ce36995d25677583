import CKernels
import RuntimeSupport

/// What the bits of a result depend on beside its inputs.
public enum Numerics {
    /// Raised whenever the same inputs give other bits than before on the same processor.
    public static let version = 2

    /// The levels of instructions that this processor has and the kernels are compiled for, from the lowest: `portable`, `avx2`
    /// (with FMA), `avx512`, `avx512-bf16`; `neon` on arm64.
    public static let levels = (0..<ck_levels()).map { String(cString: ck_level_name($0)) }

    /// The level in use: the highest, unless `MTREPL_KERNELS` names a lower one.
    public static let level: String = {
        let level = Int(ck_level())
        // Without products of bfloat16, which oneDNN may lack, it is the level below.
        return levels[level == 3 && Kernels.level.has_bf16() == 0 ? 2 : level]
    }()

    /// The level in use and the instructions of the matrix libraries, such as `avx2, oneDNN avx2, OpenBLAS Zen`; equal names
    /// give equal bits.
    public static let processor = "\(level), \(libraries)"

    private static let libraries = String(cString: ck_libraries())

    /// The libraries of products with their versions, such as `OpenBLAS 0.3.21, oneDNN 2.6.3`.
    public static let libraryVersions = String(cString: ck_library_versions())

    /// The level as keys of states name it; `nil` for those that give the bits of the highest one.
    ///
    /// `avx512` and `avx512-bf16` have the same kernels of 32-bit numbers. Where there are tiles (AMX), oneDNN multiplies
    /// bfloat16 by them.
    package static func keyed(_ precision: Precision) -> String? {
        switch (precision, level) {
        case (.float32, "avx512"), (.float32, "avx512-bf16"): nil
        case (.bfloat16, "avx512-bf16"): libraries.hasSuffix("amx") ? "\(level) amx" : nil
        default: level
        }
    }

    /// Checks that `MTREPL_KERNELS` names a level that this processor has, if it is set; no tensor is made otherwise.
    ///
    /// - Throws: `InvalidValue`.
    public static func checkLevel() throws {
        if let refusal { throw refusal }
    }

    private static let refusal = ck_refused().map {
        InvalidValue(
            "MTREPL_KERNELS",
            expected:
                "a level of kernels that this processor has (\(levels.joined(separator: ", ")))",
            found: String(cString: $0))
    }
}
