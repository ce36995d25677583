import Foundation
import Runtime
import TestSupport
import Testing

/// Values of `scripts/frame_reference.py`, computed by pandas and SciPy.
private struct FrameGolden: Decodable {
    struct Pivot: Decodable {
        var start: [Double]
        var weight: [Double]
        var cells: [[Double]]
    }

    /// A cell of a row: text, number or nothing.
    enum Cell: Decodable {
        case text(String)
        case number(Double)
        case missing

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .missing
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .number(try container.decode(Double.self))
            }
        }

        func equals(_ value: ResultValue) -> Bool {
            switch (self, value) {
            case (.missing, .missing): true
            case (.text(let a), .text(let b)): a == b
            case (.number(let a), _):
                value.number.map { abs($0 - a) <= 1e-12 * max(1, abs(a)) } ?? false
            default: false
            }
        }
    }

    struct Law: Decodable {
        var amounts, values, wanted, read: [Double]
        var limit, scale, exponent, residual: Double
    }

    var csv, extra: String
    var laws: [Law]
    var `where`: [String: [Int]]
    var with: [String: [Double?]]
    var sort: [String: [Int]]
    var summary: [[Cell]]
    var statistics: [[Double]]
    var over: [[Cell]]
    var pivot: Pivot
    var join: [String: [[Cell]]]

    static func load() throws -> FrameGolden {
        let path = ReferenceCase.folder.appendingPathComponent("frame.json")
        return try JSONDecoder().decode(FrameGolden.self, from: Data(contentsOf: path))
    }
}

@Suite("Frames") struct FrameTests {
    private let golden: FrameGolden
    private let scratch: Scratch
    private let frame: Frame

    init() throws {
        golden = try FrameGolden.load()
        scratch = try Scratch()
        let path = try scratch.write("design.csv", golden.csv)
        frame = try Frame(csv: path).with(axes: ["arm", "start", "weight"], seeds: nil)
    }

    private func matches(_ frame: Frame, _ rows: [[FrameGolden.Cell]]) -> Bool {
        frame.count == rows.count
            && rows.indices.allSatisfy { row in
                zip(rows[row], frame.row(row)).allSatisfy { $0.equals($1) }
            }
    }

    private func ids(_ places: [Int]) throws -> [Int] {
        try frame.rows(at: places).numbers("id").map { Int($0) }
    }

    @Test("rows that satisfy an expression are those of pandas")
    func filtered() throws {
        #expect(golden.where.count == 5)
        for (text, expected) in golden.where {
            let places = try frame.places(where: FrameExpression(text))
            #expect(try ids(places) == expected, "\(text)")
        }
        #expect(
            try ids(
                frame.places(where: [
                    ("weight", [.number(0.5)]), ("seed", [.integer(1), .integer(3)]),
                ]))
                == ids(frame.places(where: FrameExpression("weight == 0.5 and seed ~= 2"))))
    }

    @Test("computed columns are those of NumPy")
    func computed() throws {
        for (text, expected) in golden.with {
            let column = try frame.column("new", FrameExpression(text))
            #expect(column.role == .value)
            for (value, number) in zip(column.values, expected) {
                guard let number else {
                    #expect(value == .missing)
                    continue
                }
                #expect(
                    abs((value.number ?? .nan) - number) < 1e-12 * max(1, abs(number)), "\(text)")
            }
        }
        // Of axes alone come axes.
        #expect(try frame.column("late", FrameExpression("start > 200")).role == .axis)
        #expect(try frame.column("share", FrameExpression("weight * 100")).role == .axis)
        #expect(
            try frame.column("name", FrameExpression("arm .. seed")).values[0] == .text("control1"))
    }

    @Test("rows are sorted as by pandas, what is missing last")
    func sorted() throws {
        for (text, expected) in golden.sort {
            let columns = text.split(separator: ",").map { name in
                (name: String(name.drop { $0 == "-" }), descending: name.hasPrefix("-"))
            }
            #expect(try ids(frame.order(by: columns)) == expected, "\(text)")
        }
    }

    @Test("means are over trunks, with Student's interval and count, as of pandas and SciPy")
    func summaries() throws {
        let groups = try FrameGroups(frame, by: ["arm", "start", "weight"])
        let summary = try groups.summary(["code"], statistics: FrameGroups.Statistic.allCases)
        #expect(
            summary.names == [
                "arm", "start", "weight", "code", "code_low", "code_high", "code_n", "code_sd",
                "code_median", "code_min", "code_max", "code_missing",
            ])
        #expect(matches(summary, golden.summary))
        for (row, expected) in golden.statistics.enumerated() {
            for (name, number) in zip(["sd", "median", "min", "max"], expected) {
                let found = try summary.numbers("code_\(name)")[row]
                #expect(abs(found - number) < 1e-12, "\(name)")
            }
        }
        #expect(try summary.numbers("code_missing").reduce(0, +) == 2)
        let middle = try frame.rows(
            at: frame.places(where: FrameExpression("arm == 'midtrained' and code ~= nil")))
        // Every seed needs the same starts: the two missing values are in different ones.
        #expect(throws: FrameError.self) {
            try FrameGroups(middle, by: ["weight"]).summary(["code"], over: ["start"])
        }
        let whole = try frame.rows(at: frame.places(where: [("arm", [.text("midtrained")])]))
        #expect(
            matches(
                try FrameGroups(whole, by: ["weight"]).summary(["code"], over: ["start"]),
                golden.over))
    }

    @Test("a pivot has the means of pandas")
    func pivoted() throws {
        let part = try frame.rows(at: frame.places(where: [("arm", [.text("midtrained")])]))
        let pivot = try part.pivot(rows: ["start"], columns: ["weight"], value: "code")
        #expect(
            pivot.names.filter { !$0.hasSuffix("_low") && !$0.hasSuffix("_high") } == [
                "start", "weight=0.1", "weight=0.1_n", "weight=0.5", "weight=0.5_n",
            ])
        #expect(try pivot.numbers("start") == golden.pivot.start)
        for (place, weight) in golden.pivot.weight.enumerated() {
            let means = try pivot.numbers("weight=\(weight)")
            for (row, cells) in golden.pivot.cells.enumerated() {
                #expect(abs(means[row] - cells[place]) < 1e-12)
            }
        }
        // A summary is spread with its intervals.
        let summary = try FrameGroups(part, by: ["start", "weight"]).summary(["code"])
        #expect(
            try summary.pivot(rows: ["start"], columns: ["weight"], value: "code").csv()
                == pivot.csv())
        #expect(pivot.text().contains("(n=3)"))
    }

    @Test("joins have the rows of pandas")
    func joined() throws {
        let extra = try Frame(csv: try scratch.write("extra.csv", golden.extra))
        for join in Frame.Join.allCases {
            let both = try frame.joining(extra, on: ["arm", "start"], join, repeats: true)
            let shown = try both.selecting(
                ["id", "arm", "start", "tokens"].map { (name: $0, column: $0) })
            #expect(matches(shown, golden.join[join.rawValue] ?? []), "\(join)")
        }
        let message = #expect(throws: FrameError.self) {
            try frame.joining(extra, on: ["arm", "start"])
        }
        #expect(message?.reason.contains("repeats = true") == true)
        #expect(throws: FrameError.self) {
            try extra.joining(frame, on: ["arm", "start"], repeats: true)
        }
        #expect(throws: FrameError.self) { try frame.joining(frame, on: ["id"]) }
    }

    @Test("what is written as CSV is read as the same")
    func roundTrip() throws {
        let path = try scratch.write("again.csv", frame.csv())
        let again = try Frame(csv: path)
        #expect(again.csv() == frame.csv())
        let both = try frame.appending(frame)
        #expect(both.count == 2 * frame.count)
        // Twice the same rows are no repetitions.
        #expect(throws: FrameError.self) {
            try FrameGroups(both, by: ["arm", "start", "weight"]).summary(["code"])
        }
    }

    @Test("rows that are no repetitions are not averaged")
    func pooled() throws {
        func reason(_ frame: Frame, _ keys: [String], over: [String] = []) -> String {
            do {
                _ = try FrameGroups(frame, by: keys).summary(["code"], over: over)
                return ""
            } catch { return "\((error as? any RuntimeError)?.message ?? "\(error)")" }
        }
        #expect(reason(frame, ["arm"]).contains("group by start too"))
        #expect(reason(frame, ["arm", "start"]).contains("weight 0.1 and 0.5"))
        // Without axes, a seed that occurs twice shows it.
        let plain = try frame.with(axes: ["arm"], seeds: nil)
        #expect(
            reason(plain, ["arm"]).contains("they differ in weight: group by that too"),
            "\(reason(plain, ["arm"]))")
        let seedless = try frame.with(axes: ["arm", "start", "weight"], seeds: [])
        #expect(
            reason(seedless, ["arm", "start", "weight"]).contains("no column says which repetition")
        )
        #expect(reason(frame, ["arm", "start", "weight"]) == "")
        #expect(reason(frame, ["arm"], over: ["start", "weight"]) == "")
    }

    @Test("wrong expressions say what was expected")
    func wrong() throws {
        let cases = [
            ("weight >", "a column, number or text expected, got the end"),
            ("weight != 1", "'!='; it is written ~="), ("wieght > 1", "did you mean 'weight'?"),
            ("(weight", "')' expected, got the end"),
            ("1 +* 2", "a column, number or text expected, got '*'"),
            ("cos(weight)", "no function is called cos; known: abs, ceil"),
            ("log(1, 2)", "log takes 1 arguments, got 2"),
            ("arm + 1", "a number expected, got \"control\""),
            ("arm > 1", "values of one kind expected"), ("'abc", "' is not closed"),
            ("log(0 * code)", "finite numbers expected"),
            ("weight and true", "true or false expected, got 0.1"),
            ("1e999", "not a number in range"), ("", "an empty text"),
            ("a b", "an operator or the end expected"),
            (String(repeating: "(", count: 300), "nests deeper"),
            (String(repeating: "1+", count: 3000) + "1", "at most 4000 bytes"),
        ]
        for (text, expected) in cases {
            let error = #expect(throws: FrameError.self, "\(text)") {
                try FrameExpression(text).values(in: frame, for: "with")
            }
            #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
        }
        let error = #expect(throws: FrameError.self) {
            try frame.places(where: [("arm", [.text("contol")])])
        }
        #expect(
            error?.message
                == "where: no row has arm = \"contol\"; known: \"control\", \"midtrained\"")
        #expect(throws: FrameError.self) { try frame.places(where: FrameExpression("weight")) }
    }

    @Test("LaTeX has the rules of booktabs, and no text is a command")
    func latex() throws {
        let frame = try Frame([
            .init("100%_a & b", .axis, [.text("x_1"), .text("\\input{y}")]),
            .init("loss", .value, [.number(-0.25), .missing]),
        ])
        #expect(
            frame.latex(caption: "A_b", label: "tab:a_b") == """
                \\begin{table}
                \\centering
                \\caption{A\\_b}
                \\label{tab:a_b}
                \\begin{tabular}{lr}
                \\toprule
                100\\%\\_a \\& b & loss \\\\
                \\midrule
                x\\_1 & $-$0.25 \\\\
                \\textbackslash{}input\\{y\\} & -- \\\\
                \\bottomrule
                \\end{tabular}
                \\end{table}

                """)
    }

    @Test("power laws are those of SciPy, and are not read beyond their amounts")
    func laws() throws {
        #expect(golden.laws.count == 3)
        for law in golden.laws {
            let points = zip(law.amounts, law.values).map { (amount: $0, value: $1) }
            let found = try PowerLaw(points, for: "law")
            func near(_ a: Double, _ b: Double, _ part: Double = 1e-6) -> Bool {
                abs(a - b) <= part * max(1e-9, abs(b))
            }
            #expect(
                near(found.limit, law.limit) && near(found.exponent, law.exponent, 1e-5), "\(found)"
            )
            #expect(near(found.scale, law.scale, 1e-4), "\(found)")
            #expect(abs(found.residual - law.residual) < 1e-9)
            for (value, amount) in zip(law.wanted, law.read) {
                #expect(near(found.amount(of: value) ?? .nan, amount, 1e-5))
            }
            let (low, high) = (
                found.value(at: found.range.lowerBound), found.value(at: found.range.upperBound)
            )
            #expect(found.amount(of: high + (high - low) * 0.01) == nil)
            #expect(found.amount(of: low - (high - low) * 0.01) == nil)
            #expect(found.amount(of: 2 * found.limit - high) == nil)
        }
        let line = [1.0, 2, 3].map { (amount: $0, value: -$0 * $0) }
        #expect(throws: FrameError.self) { try PowerLaw(line, for: "law") }
        #expect(throws: FrameError.self) { try PowerLaw(Array(line.prefix(2)), for: "law") }
        #expect(throws: FrameError.self) { try PowerLaw([(0, 1), (1, 2), (2, 3)], for: "law") }
    }
}
