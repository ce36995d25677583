import Foundation
import RuntimeData
import RuntimeSupport

/// Where a state comes from, as a page for people: recipe, exposure, digests of data, keys, base, numerics, processor.
package struct Lineage {
    package var name: String
    package var key: Digest
    package var step: Int
    package var steps: Int
    package var recipe: String
    package var exposure: ExposureLedger?
    package var version: StateVersion?
    package var engines: [Engine]
    package var evaluations: [NamedEvaluation]

    package init(
        name: String, key: Digest, step: Int, steps: Int, recipe: String, exposure: ExposureLedger?,
        version: StateVersion?, engines: [Engine], evaluations: [NamedEvaluation]
    ) {
        (self.name, self.key, self.step, self.steps) = (name, key, step, steps)
        (self.recipe, self.exposure, self.version) = (recipe, exposure, version)
        (self.engines, self.evaluations) = (engines, evaluations)
    }

    private struct Fields: Decodable {
        let weights: String?
        let tokenizer: String
        let sources: [String: String]
        let finetune: Finetune?
        struct Finetune: Decodable {
            let corpus: String
            let data: String
        }
    }

    /// The page, in Markdown.
    ///
    /// - Throws: `DamagedFile` when the recipe is not one.
    package func markdown() throws -> String {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(recipe.utf8)) else {
            throw DamagedFile("the recipe of run \(name)", "it is not a recipe")
        }
        var lines = [
            "# \(name.replacing("\n", with: " "))", "",
            "The state after \(step) of \(steps) steps, trained with mtrepl.", "",
            "| | |", "|---|---|", "| key of the state | `\(key.hex)` |",
        ]
        if let version { lines.append("| version | `\(version.hex)` |") }
        lines.append(
            "| trained from | \(fields.weights.map { "weights with the digest `\($0)`" } ?? "fresh weights of the recipe's seed") |"
        )
        lines.append("| tokenizer | `\(fields.tokenizer)` |")
        for engine in engines {
            lines.append(
                "| computed by | \(engine.text); numerics version \(engine.numerics) |")
        }
        lines += ["", "## Data", "", "| corpus | digest of its training split |", "|---|---|"]
        for (name, digest) in fields.sources.sorted(by: { $0.key < $1.key }) {
            lines.append("| \(name) | `\(digest)` |")
        }
        if let finetune = fields.finetune {
            lines.append("| \(finetune.corpus) (finetuning) | `\(finetune.data)` |")
        }
        if let exposure {
            lines += [
                "", "## Exposure", "", "```json", Self.pretty(try CanonicalJSON.text(exposure)),
                "```",
            ]
        }
        if !evaluations.isEmpty {
            lines += [
                "", "## Losses", "", "| step | corpus | split | nats per token | tokens |",
                "|---|---|---|---|---|",
            ]
            for loss in evaluations {
                lines.append(
                    "| \(loss.step) | \(loss.name) | \(loss.split) | \(loss.evaluation.loss) | \(loss.evaluation.tokens) |"
                )
            }
        }
        lines += ["", "## Recipe", "", "```json", Self.pretty(recipe), "```", ""]
        return lines.joined(separator: "\n")
    }

    /// JSON with a line for every member and element, its texts and numbers as they are.
    private static func pretty(_ json: String) -> String {
        var text = ""
        var (depth, isString, isEscaped) = (0, false, false)
        func line() -> String { "\n" + String(repeating: "  ", count: max(0, depth)) }
        for character in json {
            if isString {
                text.append(character)
                (isString, isEscaped) = (
                    character != "\"" || isEscaped, character == "\\" && !isEscaped
                )
                continue
            }
            switch character {
            case "{", "[":
                depth += 1
                text += String(character) + line()
            case "}", "]":
                depth -= 1
                text += line() + String(character)
            case ",": text += "," + line()
            case ":": text += ": "
            default:
                isString = character == "\""
                text.append(character)
            }
        }
        return text
    }
}
