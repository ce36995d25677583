import RuntimeData
import RuntimeSupport

extension Study {
    /// What the held-out documents of the evaluated corpora have in common with all that arms are trained and finetuned
    /// on; `nil` if nothing is evaluated or trained on.
    ///
    /// It is computed once and kept in the store.
    ///
    /// - Throws: as `Overlap`.
    public func overlap(
        _ settings: Overlap.Settings = Overlap.Settings(),
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) throws -> Overlap? {
        let (train, test) = comparedCorpora
        guard !train.isEmpty, !test.isEmpty else { return nil }
        return try Overlap(
            train: train, test: test, settings, cache: store.folder, progress: progress, stop: stop)
    }

    /// What is trained on and what is held out, each corpus once, by name.
    private var comparedCorpora: (train: [Corpus], test: [Corpus]) {
        func distinct(_ corpora: [Corpus]) -> [Corpus] {
            corpora.indices.filter { index in
                !corpora[..<index].contains { $0 === corpora[index] }
            }.map { corpora[$0] }.sorted { $0.name < $1.name }
        }
        let mixed = arms.flatMap { arm in
            arm.recipe.corpora.sorted { $0.key < $1.key }.map(\.value)
        }
        return (
            distinct(mixed + arms.flatMap(\.finetuning).map(\.corpus)),
            distinct(validLosses.map(\.set.corpus))
        )
    }

    /// The overlap for a result: looked for before anything is trained, with a line about what is found, and otherwise
    /// what is known of it.
    ///
    /// What cannot be compared, such as held-out documents that memory does not hold, does not keep a study from running.
    ///
    /// - Throws: `Interrupted` when `stop` says so.
    func overlap(isTraining: Bool, _ options: StudyOptions) throws -> Overlap? {
        let (train, test) = comparedCorpora
        guard !train.isEmpty, !test.isEmpty else { return nil }
        do {
            guard isTraining else {
                return try Overlap.known(train: train, test: test, cache: store.folder)
            }
            let found = try overlap(progress: options.progress, stop: options.stop)
            for sentence in found?.sentences ?? [] {
                options.progress(WorkProgress(notice: sentence))
            }
            return found
        } catch let interrupt as Interrupted {
            throw interrupt
        } catch let error as any RuntimeError {
            options.progress(
                WorkProgress(
                    notice:
                        "held-out documents were not compared with what is trained on: \(error.message)"
                ))
            return nil
        }
    }
}
