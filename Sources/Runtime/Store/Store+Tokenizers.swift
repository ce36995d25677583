import Foundation
import RuntimeData
import RuntimeSupport

extension Store {
    private static let tokenizerKind = "tokenizer 2"

    private func tokenizerPath(_ name: String) -> String { "\(folder)/tokenizers/\(name).json" }

    /// The name of a tokenizer that is kept for a run: its digest, and that of what was read with it.
    private static func tokenizerName(_ digest: String, extras: String?) -> String {
        digest + (extras.map { "-\($0.prefix(16))" } ?? "")
    }

    /// A tokenizer trained on the train splits of some corpora, trained on first use and read back afterwards.
    ///
    /// - Parameters:
    ///   - size: How many ids.
    ///   - maximumBytes: Text used in all; `nil` for everything.
    ///   - preset: Whose words and normal form it has.
    /// - Throws: as `Tokenizer.train`; `FileError`.
    public func tokenizer(
        trainedOn corpora: [Corpus], vocabulary size: Int, maximumBytes: Int?,
        preset: TokenizerPreset = .gpt2,
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) throws -> Tokenizer {
        var builder = DigestBuilder("trained tokenizer 1")
        for corpus in corpora {
            builder.add(
                try corpus.summary(cache: folder, progress: progress, stop: stop)[.train].digest)
        }
        builder.add(size)
        builder.add(maximumBytes ?? -1)
        if preset.name != TokenizerPreset.gpt2.name { builder.add(preset.name) }
        let name = builder.finish().hex
        do {
            if let (known, isSealed) = try stored(name) {
                if isSealed { return known }
                // Nothing in the file says what it was trained on.
                throw DamagedFile(tokenizerPath(name), SealedFile.unsealed)
            }
        } catch let error as DamagedFile {
            progress(WorkProgress(notice: error.message + "; the tokenizer is trained again"))
        }
        let tokenizer = try Tokenizer.train(
            on: corpora, vocabularySize: size, maximumBytes: maximumBytes, preset: preset,
            progress: progress, stop: stop)
        try write(tokenizer, name)
        return tokenizer
    }

    /// Keeps a tokenizer under its digest and that of what was read with it, so that states can be exported later.
    package func keep(_ tokenizer: Tokenizer) throws {
        let name = Self.tokenizerName(tokenizer.digest.hex, extras: tokenizer.extras.digest?.hex)
        guard !keptTokenizers.contains(name) else { return }
        let known = try? SealedFile.read(tokenizerPath(name), kind: Self.tokenizerKind, name: name)
        if known?.isSealed != true { try write(tokenizer, name) }
        keptTokenizers.insert(name)
    }

    /// The tokenizer of a run, read from `file` or from the store.
    ///
    /// - Throws: `ExportError` when the store does not have it, with what is wrong with the file that should.
    package func tokenizer(of run: StoredRun, _ file: String?) throws -> Tokenizer {
        let recipe = try JSONValue.read(
            Array(run.row.recipe.utf8), file: "the recipe of run \(run.row.name)")
        let digest = recipe["tokenizer"]?.string ?? ""
        func isThis(_ tokenizer: Tokenizer) -> Bool {
            tokenizer.digest.hex == digest || tokenizer.formerDigest.hex == digest
        }
        if let file {
            let tokenizer = try Tokenizer.load(file)
            guard isThis(tokenizer) else {
                throw ExportError(
                    message: "\(file) is not the tokenizer of run \(run.row.name): expected the "
                        + "digest \(digest), got \(tokenizer.digest.hex)")
            }
            return tokenizer
        }
        // Stores of earlier versions have only those that were trained, under other names.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/tokenizers"))
        let others = (names ?? []).sorted().filter { $0.hasSuffix(".json") }
            .map { String($0.dropLast(5)) }
        let named = Self.tokenizerName(digest, extras: recipe["tokenizer_extras"]?.string)
        var damage = ""
        for name in [named, digest] + others {
            do {
                // The digest is of all that decides the ids, so that it also vouches for a file without a seal.
                if let known = try stored(name)?.tokenizer, isThis(known) { return known }
            } catch let error as any RuntimeError {
                if damage.isEmpty { damage = "; " + error.message }
            }
        }
        throw ExportError(
            message: "the store \(folder) does not have the tokenizer of run \(run.row.name) "
                + "(digest \(digest)); expected its tokenizer.json with --tokenizer" + damage)
    }

    private func stored(_ name: String) throws -> (tokenizer: Tokenizer, isSealed: Bool)? {
        let path = tokenizerPath(name)
        guard
            let content = try SealedFile.read(path, kind: Self.tokenizerKind, name: name)
        else { return nil }
        do {
            let root = try JSONValue.read(content.json, file: path)
            return (try TokenizerFile(path: path, root: root).tokenizer(), content.isSealed)
        } catch let error as any RuntimeError {
            throw DamagedFile(path, error.message)
        }
    }

    private func write(_ tokenizer: Tokenizer, _ name: String) throws {
        let path = tokenizerPath(name)
        let plain = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        defer { unlink(plain) }
        try tokenizer.save(plain, withCompanions: true)
        try SealedFile.write(
            path, kind: Self.tokenizerKind, name: name, json: try FileReader.bytes(plain))
    }
}
