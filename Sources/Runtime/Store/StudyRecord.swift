import RuntimeSupport

/// A study as the registry knows it: what its arms are called and where they end.
public struct StudyRecord: Codable, Hashable, Sendable {
    /// One arm.
    public struct Arm: Codable, Hashable, Sendable {
        /// What it is called.
        public let label: String
        /// The key of its last state before finetuning.
        public let key: Digest
        /// The keys of its finetuned states.
        public let finetuned: [Digest]

        package init(label: String, key: Digest, finetuned: [Digest]) {
            (self.label, self.key, self.finetuned) = (label, key, finetuned)
        }
    }

    /// The digest of all that follows.
    public let key: Digest
    /// The arms in order.
    public let arms: [Arm]
    /// The corpora and tasks that are measured.
    public let measured: [String]

    package init(arms: [Arm], measured: [String]) {
        var builder = DigestBuilder("study 1")
        for arm in arms {
            builder.add(arm.label)
            builder.add(arm.key)
            builder.add(arm.finetuned.count)
            for key in arm.finetuned { builder.add(key) }
        }
        for name in measured { builder.add(name) }
        key = builder.finish()
        (self.arms, self.measured) = (arms, measured)
    }
}

extension Registry {
    /// Records a study, once.
    package func record(_ study: StudyRecord) throws {
        guard try read({ try $0.value(.study, study.key.bytes) }) == nil else { return }
        try append([(.study, try JournalJSON.content(study))])
    }

    /// The studies that were begun in this store.
    public func studies() throws -> [StudyRecord] {
        try read { rows in
            try rows.entries(.study).compactMap { JournalJSON.decode(StudyRecord.self, $0.value) }
        }
    }

    /// Whether something was measured of all states of an arm.
    package func isMeasured(_ arm: StudyRecord.Arm) throws -> Bool {
        try read { rows in
            try ([arm.key] + arm.finetuned).allSatisfy { try !rows.measured($0).isEmpty }
        }
    }

    /// The engines that records name.
    package func engine(_ id: EngineID) throws -> Engine? {
        var key = Bytes()
        key.add(id.value)
        return try read { try $0.value(.engine, key.all) }.flatMap {
            JournalJSON.decode(Engine.self, $0)
        }
    }
}
