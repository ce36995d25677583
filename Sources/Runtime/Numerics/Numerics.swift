import CKernels

/// What the bits of a result depend on beside its inputs.
public enum Numerics {
    /// Raised whenever the same inputs give other bits than before on the same processor.
    public static let version = 2

    /// The instructions and library kernels in use, such as `avx2 Zen`; equal names give equal bits.
    public static var processor: String { String(cString: ck_processor()) }

    /// The libraries that make products, with their versions.
    public static var libraries: String { String(cString: ck_libraries()) }
}
