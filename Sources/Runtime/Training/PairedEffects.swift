import RuntimeSupport

/// The arms of a study against a reference of the same seeds.
public struct PairedEffects {
    /// What one independent repetition says.
    public struct Unit {
        /// The seed that makes it independent: of the trunk, or of finetuning when all come from one trunk.
        public let seed: String
        /// Treatment minus reference.
        public let difference: Double
        /// The reference's value.
        public let reference: Double
    }

    /// Arms that share everything but their seeds.
    public struct Group {
        /// The arms' name and parameters but the seeds.
        public let label: String
        /// The first of the arms.
        public let arm: Arm
        /// One for each repetition, in the order of the arms.
        public fileprivate(set) var units: [Unit]
        /// The reference's values of all its repetitions, for the noise floor.
        public fileprivate(set) var references: [Double]
    }

    /// The parameters that only tell repetitions apart.
    public static let seedNames = ["seed", "finetune_seed"]

    /// The groups in order of the study's arms.
    public let groups: [Group]
    /// The reference's name.
    public let reference: String

    /// Pairs every arm among `names` (`nil`: all but the reference) with the arm called `reference` that has the same
    /// value of every parameter that the reference has.
    ///
    /// Finetunings of one trunk are not repetitions of training: with several trunk seeds their values are averaged
    /// within the trunk. With one trunk seed, finetuning seeds are the repetitions.
    ///
    /// - Throws: `RecipeError` naming an arm that does not exist.
    public init(
        _ result: StudyResult, names: [String]?, against reference: String,
        value: (StudyResult.Row) -> Double?
    ) throws {
        let known = Set(result.rows.map(\.arm.name))
        for name in (names ?? []) + [reference] where !known.contains(name) {
            throw RecipeError(
                "against",
                "no arm is called \(name); known: \(known.sorted().joined(separator: ", "))")
        }
        let wanted = Set(names ?? Array(known)).subtracting([reference])
        let references = result.rows.filter { $0.arm.name == reference }
        var parameters: [String] = []
        for row in references {
            for parameter in row.arm.parameters where !parameters.contains(parameter.name) {
                parameters.append(parameter.name)
            }
        }
        func key(_ arm: Arm, _ names: [String]) -> [ArmValue?] { names.map { arm.parameter($0) } }
        let plain = parameters.filter { !Self.seedNames.contains($0) }
        var order: [String] = []
        var arms: [String: Arm] = [:]
        var pairs: [String: [(arm: Arm, value: Double, reference: Double)]] = [:]
        for row in result.rows where wanted.contains(row.arm.name) {
            let label = row.arm.withoutSeeds.label
            if arms[label] == nil {
                order.append(label)
                arms[label] = row.arm
            }
            let other = references.first { key($0.arm, parameters) == key(row.arm, parameters) }
            if let other, let a = value(row), let b = value(other) {
                pairs[label, default: []].append((row.arm, a, b))
            }
        }
        groups = order.compactMap { label in
            guard let arm = arms[label] else { return nil }
            let found = pairs[label] ?? []
            let differences = Repetitions(found.map { ($0.arm, $0.value - $0.reference) })
            let levels = Repetitions(found.map { ($0.arm, $0.reference) })
            let all = Repetitions(
                references.filter { key($0.arm, plain) == key(arm, plain) }.compactMap { row in
                    value(row).map { (row.arm, $0) }
                })
            return Group(
                label: label, arm: arm,
                units: zip(differences.items, levels.items).map {
                    Unit(seed: $0.seed, difference: $0.value, reference: $1.value)
                }, references: all.items.map(\.value))
        }
        self.reference = reference
    }
}

/// Values of arms that differ in their seeds only, one for each independent repetition.
public struct Repetitions {
    /// The repetitions in order of first appearance.
    public let items: [(seed: String, value: Double)]

    /// Averages finetunings within trunks when there are several trunk seeds; with one, each finetuning counts.
    public init(_ values: [(arm: Arm, value: Double)]) {
        func name(_ arm: Arm, _ parameter: String) -> String {
            arm.parameter(parameter)?.description ?? ""
        }
        let several = Set(values.map { name($0.arm, "seed") }).count > 1
        var order: [String] = []
        var groups: [String: [Double]] = [:]
        for (arm, value) in values {
            let seed = name(arm, several ? "seed" : "finetune_seed")
            if groups[seed] == nil { order.append(seed) }
            groups[seed, default: []].append(value)
        }
        items = order.map { seed in
            let values = groups[seed] ?? []
            return (seed, values.reduce(0, +) / Double(values.count))
        }
    }

    /// One value for each group of values that differ in their finetuning seeds only.
    public static func averaged(_ values: [(arm: Arm, value: Double)]) -> [Double] {
        var order: [String] = []
        var arms: [String: [(arm: Arm, value: Double)]] = [:]
        for item in values {
            let label = item.arm.withoutSeeds.label
            if arms[label] == nil { order.append(label) }
            arms[label, default: []].append(item)
        }
        return order.flatMap { Repetitions(arms[$0] ?? []).items.map(\.value) }
    }
}

extension Arm {
    /// The arm without the parameters that only tell repetitions apart.
    public var withoutSeeds: Arm {
        var arm = self
        arm.parameters.removeAll { PairedEffects.seedNames.contains($0.name) }
        return arm
    }
}

extension StudyResult {
    /// What lacks results, and why, one line an arm: nothing is left out without a word.
    public var exclusions: [String] {
        rows.compactMap { row in row.failure.map { "\(row.arm.label): \($0)" } }
    }

    /// What a measured column has in a row: the value after finetuning, or of `NAME_before` the one before it.
    ///
    /// - Throws: `RecipeError` when no measure has such a column.
    package func measured(_ column: String) throws -> (Row) -> Double? {
        let names = measured.map(\.name)
        if added.contains(column) { return { $0.added[column] } }
        if names.contains(column) { return { $0.after[column] } }
        let before = "_before"
        let name = String(column.dropLast(before.count))
        if column.hasSuffix(before), names.contains(name), !added.contains(name) {
            return { $0.before[name] }
        }
        throw RecipeError(
            "value",
            "no measured column is called \(column); known: \(names.joined(separator: ", "))"
                + NearestName.hint(column, among: names))
    }
}

extension Arm {
    /// A parameter as a number, if it is one.
    public func number(_ name: String) -> Double? {
        switch parameter(name) {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
