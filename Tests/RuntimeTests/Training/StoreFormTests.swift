import Foundation
import GRDB
import Testing

import Runtime
import RuntimeStore

@Suite("Forms of stores", .serialized) struct StoreFormTests {
    /// Makes a store what an earlier version would have left: its records in `registry.sqlite`.
    private func writeFirstForm(_ store: Store, states: [Digest], data: Digest, score: Digest)
        throws
    {
        let folder = store.folder
        let registry = store.registry
        for name in ["registry.sqlite", "store.json"] { unlink("\(folder)/\(name)") }
        let queue = try DatabaseQueue(path: folder + "/registry.sqlite")
        try Migration.migrations.migrate(queue)
        try queue.write { database in
            for row in try registry.runs() {
                try database.execute(
                    sql: "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                    arguments: [
                        row.key.hex, row.name, row.status, row.step, row.steps, row.updated,
                        row.recipe, row.failure, row.state?.hex,
                        try row.exposure.map { try CanonicalJSON.text($0) },
                    ])
            }
            for (keys, records) in try states.map({ ($0, try registry.history($0)) }) {
                _ = keys
                for record in records { _ = record }
            }
            for loss in try states.compactMap({ state in
                try registry.value(Evaluation.self, state: state, data: data).map { (state, $0) }
            }) {
                try database.execute(
                    sql: "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?)",
                    arguments: [
                        loss.0.hex, data.hex, loss.1.nats, loss.1.tokens, loss.1.bytes,
                    ])
            }
            try database.execute(
                sql: "INSERT INTO datasets VALUES (?, ?, ?)",
                arguments: [data.hex, "prose", "valid"])
            try database.execute(
                sql: "INSERT INTO scores VALUES (?, ?, ?)",
                arguments: [
                    states[0].hex, score.hex,
                    "{\"correct\":3,\"correctNormalised\":2,\"count\":4,\"truncated\":1}",
                ])
        }
        try queue.close()
    }

    private func insert(_ run: Run, into path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            for (index, record) in try run.records().enumerated() {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        run.trajectory.keys[index + 1].hex, record.step, record.loss,
                        record.learningRate, record.gradientNorm, record.tokens, record.seconds,
                        run.trajectory.keys[index].hex,
                    ])
            }
        }
        try queue.close()
    }

    @Test("a store of the first form is migrated, after a backup, to the same answers")
    func migration() throws {
        let laboratory = try Laboratory()
        let store = laboratory.store
        var options = RunOptions()
        options.keep = [5]
        let trunk = try laboratory.run(laboratory.base)
        try trunk.train(options: options)
        let branch = try laboratory.run(laboratory.midtrained())
        try branch.train()
        let data = Digest.of(Array("data".utf8))
        let task = Digest.of(Array("task".utf8))
        let loss = Evaluation(nats: 12.25, tokens: 5, bytes: 20)
        for run in [trunk, branch] {
            try store.registry.record(
                loss, state: run.key, data: data, name: "prose", split: .valid)
        }
        try store.registry.record(
            ["count": 4, "correct": 3, "correctNormalised": 2, "truncated": 1], state: trunk.key,
            data: task)
        func answers(_ store: Store) throws -> [String] {
            let registry = store.registry
            return try [trunk, branch].flatMap { run in
                [
                    "\(try registry.history(run.key))", "\(try registry.evaluations(run.key))",
                    "\(String(describing: try registry.value(TaskResult.self, state: run.key, data: task)))",
                ]
            }
                + (try store.runs().map {
                    "\($0.row.name) \($0.status) \($0.checkpoints.map(\.step)) \($0.row.recipe)"
                })
        }
        let expected = try answers(store)
        let records = try (trunk.records(), branch.records())
        #expect(records.0.count == 12 && records.1.count == 12)
        try writeFirstForm(store, states: [trunk.key, branch.key], data: data, score: task)
        for run in [trunk, branch] { try insert(run, into: store.folder + "/registry.sqlite") }
        // A manifest of the first form names no journal and no version.
        try FileManager.default.removeItem(atPath: store.folder + "/journals")
        for end in ["", "-wal", "-shm"] { unlink("\(store.folder)/index.sqlite\(end)") }
        let migrated = try Store(store.folder)
        let notices = migrated.takeNotices()
        #expect(notices.count == 1 && notices[0].contains("backup/registry-"), "\(notices)")
        #expect(try answers(migrated) == expected)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: store.folder + "/backup").count == 1
        )
        // Nothing is migrated twice, and what was not checked says so.
        #expect(try Store(store.folder).takeNotices().isEmpty)
        let names = try FileManager.default.contentsOfDirectory(atPath: store.folder + "/journals")
        #expect(names.count == 1 && names[0].hasPrefix("migrated-"))
        let again = Run(branch.trajectory, store: migrated, name: "again")
        #expect(again.step == 12)
        #expect(try again.records() == records.1)
    }

    /// Puts all that a store's journals say into a registry of the first form, and removes them.
    private func moveBack(_ store: Store) throws {
        struct Found: Decodable {
            let state, data: Digest
            let name, split: String?
            let values: Evaluation
        }
        let folder = store.folder
        let runs = try store.registry.runs()
        let queue = try DatabaseQueue(path: folder + "/old.sqlite")
        try Migration.migrations.migrate(queue)
        try queue.write { database in
            for row in runs {
                try database.execute(
                    sql: "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        row.key.hex, row.name, row.status, row.step, row.steps, row.updated,
                        row.recipe, row.failure, row.state?.hex,
                        try row.exposure.map { try CanonicalJSON.text($0) }, row.processor,
                    ])
            }
            for name in try FileAccess.names(in: folder + "/journals") {
                var reader = try JournalReader("\(folder)/journals/\(name)")
                try reader.forEach { header, _, content in
                    switch JournalForm.Kind(rawValue: header.kind) {
                    case .steps:
                        let batch = try #require(StepBatch(content))
                        var parent = batch.parent
                        for (state, record) in batch.steps {
                            try database.execute(
                                sql: "INSERT OR IGNORE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                                arguments: [
                                    state.hex, record.step, record.loss, record.learningRate,
                                    record.gradientNorm, record.tokens, record.seconds, parent.hex,
                                ])
                            parent = state
                        }
                    case .evaluation:
                        let found = try JSONDecoder().decode(Found.self, from: Data(content))
                        let loss = found.values
                        try database.execute(
                            sql: "INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?, ?)",
                            arguments: [
                                found.state.hex, found.data.hex, loss.nats, loss.tokens, loss.bytes,
                            ])
                        try database.execute(
                            sql: "INSERT OR IGNORE INTO datasets VALUES (?, ?, ?)",
                            arguments: [found.data.hex, found.name, found.split])
                    default: break
                    }
                }
            }
        }
        try queue.close()
        for name in [
            "journals", "store.json", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm",
        ] {
            FileAccess.removeTree("\(folder)/\(name)")
        }
        try FileAccess.rename(folder + "/old.sqlite", folder + "/registry.sqlite")
    }

    @Test("a study of a store of the first form has the same rows, and nothing is trained again")
    func study() throws {
        let laboratory = try Laboratory()
        func study(_ store: Store) throws -> StudyResult {
            try Study(
                arms: [laboratory.base, laboratory.midtrained()].enumerated().map { index, recipe in
                    Arm(
                        name: "arm", parameters: [("number", .integer(index))], recipe: recipe,
                        finetuning: [1e-4, 1e-3].map { laboratory.finetuning($0) })
                }, evaluate: [laboratory.prose, laboratory.code, laboratory.tasks],
                evaluationLimit: 4, store: store
            ).run()
        }
        let expected = try study(laboratory.store).csv()
        let runs = try laboratory.store.runs().map {
            "\($0.row.name) \($0.status) \($0.checkpoints.map(\.step))"
        }
        try moveBack(laboratory.store)
        let migrated = try Store(laboratory.store.folder)
        let result = try study(migrated)
        #expect(result.csv() == expected)
        #expect(result.trainedSteps == 0)
        #expect(
            try migrated.runs().map {
                "\($0.row.name) \($0.status) \($0.checkpoints.map(\.step))"
            } == runs)
    }

    @Test("rows of a wrong type are left out of a migration and counted")
    func wrongRows() throws {
        let scratch = try Scratch()
        let queue = try DatabaseQueue(path: scratch.path + "/registry.sqlite")
        try Migration.migrations.migrate(queue)
        let (state, parent) = (Digest.of([1]).hex, Digest.of([2]).hex)
        try queue.write { database in
            for (key, loss) in [(state, "'x'"), (parent, "1.5")] {
                try database.execute(
                    sql: "INSERT INTO steps VALUES ('\(key)', 1, \(loss), 1, 1, 1, 1, '\(key)')")
            }
            try database.execute(
                sql: "INSERT INTO evaluations VALUES (x'00ff', 'a', 'b', 'c', 'd')")
        }
        try queue.close()
        let store = try Store(scratch.path)
        let notices = store.takeNotices()
        #expect(notices.contains { $0.contains("2 of its rows") }, "\(notices)")
        #expect(try store.registry.history(Digest.of([2])).map(\.loss) == [1.5])
    }

    @Test("an earlier program is told that the store is of a newer form")
    func gate() throws {
        let scratch = try Scratch()
        _ = try Store(scratch.path)
        // What earlier programs do first.
        let pool = try DatabasePool(path: scratch.path + "/registry.sqlite")
        let error = #expect(throws: DatabaseError.self) { try Migration.migrations.migrate(pool) }
        #expect(
            error?.message?.contains("this store has the form 2") == true,
            "\(String(describing: error))")
        try pool.close()
        #expect(try Store(scratch.path).takeNotices().isEmpty)
    }

    @Test(
        "a store of a later form is refused; what is damaged of the form's files is written again")
    func later() throws {
        let scratch = try Scratch()
        _ = try Store(scratch.path)
        let path = scratch.path + "/store.json"
        var bytes = try FileReader.bytes(path)
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        _ = try Store(scratch.path)
        #expect(try FileReader.bytes(path) != bytes)
        try SealedFile.write(path, kind: "store", name: "form", json: Array("{\"form\":3}".utf8))
        let error = #expect(throws: FileError.self) { _ = try Store(scratch.path) }
        #expect(
            error?.message.contains("it has the form 3, this mtrepl knows 2: use a newer one")
                == true)
        // Half a registry of the first form says nothing, and is not taken for a new one.
        let empty = try Scratch()
        try Data().write(to: URL(fileURLWithPath: empty.path + "/registry.sqlite"))
        let notices = try Store(empty.path).takeNotices()
        #expect(notices.contains { $0.contains("was empty") }, "\(notices)")
    }
}
