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
    /// system, in the user's cache, or in the folder for temporary files if the cache is on one as well.
    public static func path(_ folder: String, given: String? = nil) -> String {
        if let given { return given }
        if let variable = variable("MTREPL_INDEX") { return variable }
        guard isOnNetwork(folder), let place = localFolder else { return inside(folder) }
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let whole = realpath(folder, &bytes).map { String(cString: $0) } ?? folder
        return "\(place)/index-\(Digest.of(Array(whole.utf8)).short).sqlite"
    }

    /// Whether a person chose the place, where something of theirs may lie.
    static func isChosen(_ folder: String, given: String?) -> Bool {
        let chosen = given ?? variable("MTREPL_INDEX")
        return chosen != nil && chosen != inside(folder)
    }

    /// The index of a store whose folder has it.
    package static func inside(_ folder: String) -> String { "\(folder)/index.sqlite" }

    private static func isOnNetwork(_ folder: String) -> Bool {
        var folder = folder
        // What is not there yet will be made where the folder around it is.
        while !FileAccess.exists(folder), PathName.parent(folder) != folder {
            folder = PathName.parent(folder)
        }
        if folder.isEmpty { folder = "." }
        return network.contains(Int(cf_file_system(folder)))
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static var localFolder: String? {
        let home = variable("HOME").map { "\($0)/.cache" }
        let cache = [variable("XDG_CACHE_HOME"), home].compactMap { $0 }.first {
            $0.hasPrefix("/")
        }
        if let cache, !isOnNetwork(cache) { return "\(cache)/mtrepl" }
        let own = "\(variable("TMPDIR") ?? "/tmp")/mtrepl-\(getuid())"
        _ = mkdir(own, 0o700)
        // A folder that somebody else may write is not one for what we believe.
        var status = stat()
        if lstat(own, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(),
            status.st_mode & 0o022 == 0, !isOnNetwork(own)
        {
            return own
        }
        return cache.map { "\($0)/mtrepl" }
    }
}
