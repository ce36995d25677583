import Foundation
import RuntimeSupport

/// A checkpoint on the history of a run.
public struct HeldCheckpoint: Sendable {
    /// Its state.
    public let key: Digest
    /// Optimiser steps behind it.
    public let step: Int
    /// Whether it is there for resuming only, not to stay.
    public let rolling: Bool
    /// Bytes on disk.
    public let bytes: Int
}

/// A registered run with what the store holds of it.
public struct StoredRun: Sendable {
    /// What the registry knows.
    public let row: RunRow
    /// `running`, `killed` (it was running, and no process does), `interrupted`, `failed` or `finished`.
    public let status: String
    /// Its checkpoints, the latest first; other runs may share them.
    public let checkpoints: [HeldCheckpoint]

    /// Bytes of its checkpoints.
    public var bytes: Int { checkpoints.reduce(0) { $0 + $1.bytes } }
    /// Whether a process trains it now.
    public var isActive: Bool { status == "running" }

    /// The checkpoints that it needs to be resumed and branched from.
    ///
    /// While it is trained, all. Otherwise those that were to stay, and the latest, which it is resumed from.
    package var needed: [HeldCheckpoint] {
        isActive
            ? checkpoints
            : checkpoints.enumerated().filter { $0.offset == 0 || !$0.element.rolling }
                .map(\.element)
    }
}

/// No registered run, or several, go by what the researcher wrote.
public struct UnknownRun: RuntimeError {
    /// What was asked for, and what there is.
    public let message: String
}

extension Store {
    /// Every registered run, the latest change last.
    public func runs() throws -> [StoredRun] { try runs(try checkpoints().usable) }

    package func runs(_ manifests: [CheckpointManifest]) throws -> [StoredRun] {
        let rows = try registry.runs()
        let held = Dictionary(
            uniqueKeysWithValues: manifests.map { manifest in
                (
                    manifest.key,
                    HeldCheckpoint(
                        key: manifest.key, step: manifest.step, rolling: manifest.rolling,
                        bytes: checkpointBytes(manifest.key))
                )
            })
        let histories = try registry.history(rows.compactMap(\.state), among: Set(held.keys))
        let active = activities
        return rows.map { row in
            var keys = row.state.flatMap { histories[$0] } ?? []
            // A checkpoint that the run itself wrote is its own even if its history was lost.
            let own = manifests.filter { $0.recipe == row.recipe && !keys.contains($0.key) }
            if !own.isEmpty {
                keys += own.map(\.key)
                keys.sort { (held[$0]?.step ?? 0) > (held[$1]?.step ?? 0) }
            }
            let status =
                active.contains(row.key)
                ? "running"
                : row.step == row.steps && row.failure == nil
                    ? "finished" : row.status == "running" ? "killed" : row.status
            return StoredRun(row: row, status: status, checkpoints: keys.compactMap { held[$0] })
        }
    }

    /// The run that a name or the beginning of a key means.
    ///
    /// - Throws: `UnknownRun` naming the runs that could be meant.
    public func run(_ text: String) throws -> StoredRun {
        let runs = try runs()
        let named = runs.filter { $0.row.name == text }
        let found =
            named.isEmpty && !text.isEmpty ? runs.filter { $0.row.key.hex.hasPrefix(text) } : named
        switch found.count {
        case 1: return found[0]
        case 0:
            if Self.parse(text).step != nil {
                throw UnknownRun(
                    message: "no run is called '\(text)': expected a run without a step, such as "
                        + "'\(Self.parse(text).name)'; only `mtrepl export` takes the state of a step"
                )
            }
            // What is damaged may be what is asked for.
            let damage = try registry.damages().map { "; \($0.error.message)" }.joined()
            throw UnknownRun(
                message: (runs.isEmpty
                    ? "no run is called '\(text)': the store \(folder) has no runs"
                    : "no run is called '\(text)' and no key begins with it"
                        + NearestName.hint(text, among: runs.map(\.row.name))
                        + "; `mtrepl runs` lists all \(runs.count)") + damage)
        default:
            let list = found.prefix(8).map {
                "\($0.row.key.short) (\($0.row.name), step \($0.row.step) of \($0.row.steps))"
            }
            throw UnknownRun(
                message: "'\(text)' means \(found.count) runs: \(list.joined(separator: ", "))"
                    + (found.count > 8 ? ", …" : "") + "; name one by its key")
        }
    }

    /// The runs that a name or the beginning of a key means, or all whose names a pattern matches: `*` stands for any
    /// characters, `?` for one, `[…]` for one of some.
    ///
    /// - Throws: `UnknownRun` when there is none.
    public func runs(matching text: String) throws -> [StoredRun] {
        let all = try runs()
        let isPattern = text.utf8.contains { "*?[".utf8.contains($0) }
        guard isPattern, !all.contains(where: { $0.row.name == text }) else {
            return [try run(text)]
        }
        let found = all.filter { fnmatch(text, $0.row.name, 0) == 0 }
        guard !found.isEmpty else {
            throw UnknownRun(
                message: "no run's name matches '\(text)'; `mtrepl runs` lists all \(all.count)")
        }
        return found
    }

    /// Forgets runs, and deletes their checkpoints that no other registered run needs.
    ///
    /// - Returns: The checkpoints that went.
    /// - Throws: `UnknownRun` if a process trains one of them; nothing is removed then.
    @discardableResult
    public func remove(_ doomed: [StoredRun], stop: ShouldStop = { false }) throws
        -> [HeldCheckpoint]
    {
        let gate = try gate(stop: stop)
        defer { withExtendedLifetime(gate) {} }
        for run in doomed where isActive(run.row.key) {
            throw UnknownRun(
                message:
                    "run \(run.row.key.short) (\(run.row.name)) is being trained by a process; stop it first"
            )
        }
        for run in doomed { try registry.removeRun(run.row.key) }
        let needed = Set(try runs().flatMap(\.checkpoints).map(\.key))
        var seen = needed
        let removed = doomed.flatMap(\.checkpoints).filter { seen.insert($0.key).inserted }
        for checkpoint in removed { removeCheckpoint(checkpoint.key) }
        return removed
    }

    /// Bytes of the files in a folder.
    package static func size(_ folder: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(0) { total, name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return total + ((attributes?[.size] as? Int) ?? 0)
        }
    }
}
