import RuntimeSupport

/// Consecutive steps of one history, as the content of a record.
///
///      0  32  key of the state before the first step
///     32  16  version of that state
///     48  16  version of the last state
///     64   8  number of the first step, from 1
///     72   8  what computed them: the beginning of the engine's digest
///     80   8  how many steps: N
///     88  72 · N  for each step: key of the state after it (32), loss, learning rate, gradient norm (64-bit floating-point
///            numbers), tokens (64-bit integer), seconds (floating-point)
///     then a line feed
package struct StepBatch {
    package var parent: Digest
    package var before: StateVersion
    package var after: StateVersion
    package var engine: EngineID
    /// The states that the steps led to, and what they measured.
    package var steps: [(state: Digest, record: StepRecord)]

    static let headBytes = 88
    static let stepBytes = 72
    /// Steps of one record, so that a damaged one costs few.
    package static let most = 4096

    package init(
        parent: Digest, before: StateVersion, after: StateVersion, engine: EngineID,
        steps: [(state: Digest, record: StepRecord)]
    ) {
        (self.parent, self.before, self.after) = (parent, before, after)
        (self.engine, self.steps) = (engine, steps)
    }

    /// Entries that follow each other, as batches of at most `most`.
    package static func batches(
        _ entries: [StepEntry], from version: StateVersion, engine: EngineID
    ) -> [StepBatch] {
        var batches: [StepBatch] = []
        var version = version
        for entry in entries {
            let last = batches.indices.last
            let follows =
                last.map {
                    batches[$0].steps.last?.state == entry.parent
                        && batches[$0].steps.count < most
                } ?? false
            if !follows {
                batches.append(
                    StepBatch(
                        parent: entry.parent, before: version, after: version, engine: engine,
                        steps: []))
            }
            version = version.after(entry.state, entry.record)
            batches[batches.count - 1].steps.append((entry.state, entry.record))
            batches[batches.count - 1].after = version
        }
        return batches
    }

    package var content: [UInt8] {
        var bytes = Bytes()
        bytes.reserve(Self.headBytes + steps.count * Self.stepBytes + 1)
        bytes.add(parent)
        bytes.add(before)
        bytes.add(after)
        bytes.add(steps.first?.record.step ?? 0)
        bytes.add(engine.value)
        bytes.add(steps.count)
        for (state, record) in steps {
            bytes.add(state)
            bytes.add(record.loss)
            bytes.add(record.learningRate)
            bytes.add(record.gradientNorm)
            bytes.add(record.tokens)
            bytes.add(record.seconds)
        }
        bytes.add([0x0a])
        return bytes.all
    }

    /// What the index needs of a batch, read without the steps between.
    struct Outline {
        let parent: Digest
        let before: StateVersion
        let after: StateVersion
        let first: Int
        let engine: EngineID
        let count: Int
        let firstState: Digest
        let lastState: Digest
    }

    /// `nil` when the content does not have the length that its number of steps asks for.
    static func outline(_ content: UnsafeRawBufferPointer) -> Outline? {
        var reader = ByteReader(content)
        let parent = reader.digest()
        let (before, after) = (reader.version(), reader.version())
        let (first, engine, count) = (reader.int(), EngineID(reader.uint64()), reader.int())
        guard first >= 1, count >= 1, count <= JournalForm.longest / stepBytes,
            content.count == headBytes + count * stepBytes + 1
        else { return nil }
        func state(_ index: Int) -> Digest {
            let start = headBytes + index * stepBytes
            var reader = ByteReader(
                UnsafeRawBufferPointer(rebasing: content[start..<(start + 32)]))
            return reader.digest()
        }
        return Outline(
            parent: parent, before: before, after: after, first: first, engine: engine,
            count: count, firstState: state(0), lastState: state(count - 1))
    }

    package init?(_ content: UnsafeRawBufferPointer) {
        guard let outline = Self.outline(content) else { return nil }
        (parent, before, after) = (outline.parent, outline.before, outline.after)
        engine = outline.engine
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: content[Self.headBytes...]))
        steps = (0..<outline.count).map { index in
            let state = reader.digest()
            let (loss, rate, norm) = (reader.double(), reader.double(), reader.double())
            let (tokens, seconds) = (reader.int(), reader.double())
            return (
                state,
                StepRecord(
                    step: outline.first + index, loss: loss, learningRate: rate,
                    gradientNorm: norm, tokens: tokens, seconds: seconds)
            )
        }
    }

    /// The steps with the versions of the states they led to.
    package var versions: [StateVersion] {
        var version = before
        return steps.map { state, record in
            version = version.after(state, record)
            return version
        }
    }
}
