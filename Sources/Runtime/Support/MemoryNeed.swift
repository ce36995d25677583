import Glibc

/// Work that this machine cannot carry out: the sum, its parts and what is there.
public struct ResourceError: RuntimeError {
    /// `training needs 41.2 GB of memory: parameters …; 23.0 GB available; …`.
    public let message: String

    package init(message: String) {
        self.message = message
    }
}

extension Memory {
    /// Bytes that tensors may still ask for: what is left of `limit` and of the process's address space.
    package static var availableBytes: Int {
        min(limit - liveBytes, Machine.addressSpaceLeft ?? .max)
    }

    /// Refuses work whose lists or texts memory cannot hold, before they are asked for.
    ///
    /// Unlike tensors, lists that grow end the process when the system has no more for them, so this also asks how much the
    /// machine has free.
    ///
    /// - Parameters:
    ///   - parts: What is needed, in bytes, each with its name.
    ///   - what: What needs it, such as `the trajectory`.
    /// - Throws: `ResourceError`.
    public static func require(_ parts: [(name: String, bytes: Int)], for what: String) throws {
        let needed = parts.reduce(0) { Int.saturatingSum($0, $1.bytes) }
        // Nothing that small is worth asking the system about.
        guard needed > 1 << 20 else { return }
        let available = max(0, min(availableBytes, Machine.freeMemory ?? .max))
        guard needed > available else { return }
        let list = parts.map { "\($0.name) \(Amount.bytes($0.bytes))" }.joined(separator: ", ")
        throw ResourceError(
            message: "\(what) needs \(Amount.bytes(needed)) of memory: \(list); "
                + "\(Amount.bytes(available)) available")
    }
}
