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
    public static let processor = "\(level), \(libraryKernels)"

    private static let libraryKernels = String(cString: ck_libraries())

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

    /// The libraries that make products, with their versions.
    public static let libraries = String(cString: ck_library_versions())
}
