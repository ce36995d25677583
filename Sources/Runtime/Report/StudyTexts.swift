import Foundation
import RuntimeSupport
import RuntimeTraining

extension StudyPlan {
    /// The plan for people: the tree, then steps, time, memory and disk.
    public func text() -> String {
        var table = TextTable(["#", "arm", "shares", "steps", "finetuning", "to train"])
        for (index, branch) in branches.enumerated() {
            let shared = branch.parent.map { "\(branch.from) with #\($0 + 1)" } ?? "–"
            table.append([
                "\(index + 1)", branch.label, shared, "\(branch.steps)", "\(branch.finetuneSteps)",
                "\(branch.missing)",
            ])
        }
        let saved = naiveSteps > 0 ? Double(naiveSteps) / Double(max(1, distinctSteps)) : 1
        var lines = [
            table.text(), "",
            "\(distinctSteps) distinct steps instead of \(naiveSteps) (\(String(format: "%.2f", saved))× fewer); "
                + "\(missingSteps) to train, \(missingTokens) tokens, "
                + String(format: "%.3g floating-point operations", missingOperations),
            "\(parameters) parameters; about \(Amount.bytes(memoryBytes)) of memory, "
                + "\(Amount.bytes(checkpointBytes)) of checkpoints",
        ]
        if let seconds { lines.append("about \(Amount.duration(seconds)) on this machine") }
        return lines.joined(separator: "\n")
    }
}

extension StudyResult {
    /// Every arm and seed in one table, and what failed.
    public func summary() -> String {
        let targets = Set(rows.compactMap(\.chosen?.settings.corpus.name))
        let hidden = Set(
            ["key", "failure"] + (targets.count > 1 ? [] : [StudyResult.targetColumn]))
        let names = columns
        let shown = names.indices.filter { !hidden.contains(names[$0]) }
        var table = TextTable(shown.map { names[$0] })
        for record in records() {
            table.append(
                shown.map { index in
                    if case .number(let value) = record[index],
                        measured.contains(where: { names[index].hasPrefix($0.name) })
                    {
                        return String(format: "%.4f", value)
                    }
                    return record[index].description
                })
        }
        var lines = [table.text()]
        for row in rows {
            if let failure = row.failure { lines.append("failed: \(row.arm.label): \(failure)") }
        }
        let part = wholeCount.map { "\(rows.count) of \($0) rows; " } ?? ""
        lines.append(
            "\(part)\(trainedSteps) steps trained now; \(distinctSteps) distinct steps instead of \(naiveSteps) in all"
        )
        return lines.joined(separator: "\n")
    }

    /// The records as a JSON array of objects with sorted keys.
    public func json() throws -> String {
        let names = columns
        return try ResultJSON.text(records().lazy.map { (names, $0) })
    }
}

/// Rows as JSON.
enum ResultJSON {
    private struct Cell: Encodable {
        let value: ResultValue

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch value {
            case .integer(let number): try container.encode(number)
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .flag(let flag): try container.encode(flag)
            case .missing: try container.encodeNil()
            }
        }
    }

    /// An array of objects with sorted keys; what is missing has no key.
    static func text(_ rows: some Sequence<([String], [ResultValue])>) throws -> String {
        let objects = rows.map { names, row in
            Dictionary(
                zip(names, row).compactMap { name, value -> (String, Cell)? in
                    value == .missing ? nil : (name, Cell(value: value))
                }, uniquingKeysWith: { first, _ in first })
        }
        return try CanonicalJSON.text(objects, pretty: true) + "\n"
    }
}
