import Foundation
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

/// A folder that holds token stores, checkpoints and the registry; several processes may use one at a time.
public final class Store {
    /// The folder.
    public let folder: String
    /// The file of the registry's index.
    public let indexPath: String
    /// Runs, step records and evaluations.
    public let registry: Registry

    /// The tokens of corpora, kept in the folder.
    public let data: EncodedCorpora

    /// What a person should know of the store, said once.
    private var notices: [String] = []
    /// What evaluates models on sets, prepared on first use.
    public let evaluators: Evaluators
    /// Names of the tokenizers that this object knows to be in the store.
    var keptTokenizers: Set<String> = []

    /// Opens a store, making the folder if it is not there.
    ///
    /// - Parameters:
    ///   - index: The file of the registry's index; by default what `MTREPL_INDEX` says, else `index.sqlite` in the folder, or a
    ///     file in the user's cache if the folder is on a network file system, where SQLite is not safe.
    ///   - forReading: Whether a folder that cannot be written will do; the index is then made in memory.
    /// - Throws: `FileError` or `RegistryError`.
    public init(_ folder: String, index: String? = nil, forReading: Bool = false) throws {
        self.folder = folder
        if !forReading { try AtomicFile.makeFolder(folder) }
        let isWritable = access(folder, W_OK | X_OK) == 0
        guard isWritable || forReading else {
            let reason = String(cString: strerror(errno))
            throw FileError(
                "write to the store", folder,
                reason: "\(reason); --store or MTREPL_STORE names another folder")
        }
        for name in ["journals", "checkpoints", "tokens", "tokenizers", "corpora", "claims"] {
            let path = "\(folder)/\(name)"
            guard !FileAccess.exists(path) || FileAccess.isFolder(path) else {
                throw FileError("open", path, reason: "it is not a folder; move it away")
            }
        }
        data = EncodedCorpora(folder)
        evaluators = Evaluators(data)
        indexPath = StoreIndex.path(folder, given: index)
        if isWritable {
            notices = try StoreForm.prepare(folder)
        } else {
            guard try StoreForm.isReady(folder) else {
                throw FileError(
                    "read the store", folder,
                    reason:
                        "it has the form of an earlier version, and cannot be written to be migrated"
                )
            }
        }
        let isChosen = StoreIndex.isChosen(folder, given: index)
        registry = try Registry(
            journals: "\(folder)/journals", index: isWritable || isChosen ? indexPath : nil,
            isOurs: !isChosen, stated: Self.statedLengths(folder))
        notices += try registry.damages().map(\.error.message)
    }

    /// What a person should know of the store and was not told yet, such as damage.
    public func takeNotices() -> [String] {
        defer { notices = [] }
        return notices
    }

    /// The file of the index of a store beside the one that is worked on, whatever `MTREPL_INDEX` says.
    public static func ownIndex(_ folder: String) -> String { StoreIndex.inside(folder) }

    /// Whether a folder holds a store, of whatever form.
    public static func isStore(_ folder: String) -> Bool {
        FileAccess.exists(StoreForm.path(folder))
            || FileAccess.exists(StoreForm.registryPath(folder))
            || FileAccess.isFolder("\(folder)/journals")
    }
}
