import CDigest

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
public struct SHA256: Sendable {
    /// Bytes of a digest.
    public static let byteCount = 32

    private var hash = cd_sha256()

    /// Starts with no bytes.
    public init() { cd_sha256_start(&hash) }

    /// Adds bytes.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        cd_sha256_add(&hash, bytes.baseAddress, bytes.count)
    }

    /// Adds bytes.
    public mutating func add(_ bytes: some Collection<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ add(UnsafeRawBufferPointer($0)) }) == nil {
            Array(bytes).withUnsafeBytes { add($0) }
        }
    }

    /// The 32 bytes of the digest of everything added so far.
    public func finish() -> [UInt8] {
        withUnsafePointer(to: hash) { hash in
            [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
                if let start = buffer.baseAddress { cd_sha256_finish(hash, start) }
                count = Self.byteCount
            }
        }
    }
}

extension Digest {
    /// The digest of bytes.
    package static func of(_ bytes: some Collection<UInt8>) -> Digest {
        var hasher = SHA256()
        hasher.add(bytes)
        return Digest(hasher)
    }

    /// The digest of everything that was added to `hasher`.
    package init(_ hasher: SHA256) { self.init(bytes: hasher.finish()) }
}
