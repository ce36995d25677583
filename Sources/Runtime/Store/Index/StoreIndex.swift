import CFiles
import Foundation
import RuntimeSupport

/// Where the index of a store is.
public enum StoreIndex {
    /// What `statfs` calls file systems that several machines mount: NFS, SMB, CIFS, Lustre, GPFS, Ceph, BeeGFS, AFS, OCFS2,
    /// GFS2, 9p and FUSE, which may be any.
    private static let network: Set<Int> = [
        0x6969, 0xfe53_4d42, 0xff53_4d42, 0x0bd0_0bd0, 0x4750_4653, 0x00c3_6400, 0x1983_0326,
        0x5346_414f,
        0x7461_636f, 0x0116_1970, 0x0102_1997, 0x6573_5546,
    ]

    /// The index of a store: what is given, else `MTREPL_INDEX`, else a file in the store or, if that is on a network file
    /// system, in the user's cache.
    public static func path(_ folder: String, given: String? = nil) -> String {
        if let given { return given }
        if let variable = getenv("MTREPL_INDEX").map({ String(cString: $0) }), !variable.isEmpty {
            return variable
        }
        guard network.contains(Int(cf_file_system(folder))), let cache = cacheFolder
        else { return "\(folder)/index.sqlite" }
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let whole = realpath(folder, &bytes).map { String(cString: $0) } ?? folder
        return "\(cache)/mtrepl/index-\(Digest.of(Array(whole.utf8)).short).sqlite"
    }

    private static var cacheFolder: String? {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        return variable("XDG_CACHE_HOME") ?? variable("HOME").map { "\($0)/.cache" }
    }
}
