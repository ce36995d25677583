/// Word problems with worked answers: prose to begin with, then numbers.
enum Arithmetic {
    /// A story with numbers in it, the steps to its answer, and what is counted.
    private struct Problem {
        var story: String
        var question: String
        var steps: [String]
        var answer: Int
        var unit: String
    }

    private static let goods = [
        "apples", "bottles", "candles", "loaves", "eggs", "barrels", "books", "ropes", "coins",
        "letters", "bowls", "nails", "pears", "lanterns", "spoons", "sheep", "fish", "boxes",
    ]

    /// Some problems, each with its solution written out.
    static func write(_ scribe: inout Scribe) {
        let count = scribe.integer(1...4)
        for index in 0..<count {
            let problem = make(&scribe)
            if index > 0 { scribe.text += "\n" }
            scribe.text += problem.story + " " + problem.question + "\n"
            if scribe.chance(0.5) {
                scribe.text += "Solution: " + problem.steps.joined(separator: ", then ")
            } else {
                scribe.text += "We work it out: " + problem.steps.joined(separator: "; ")
            }
            scribe.text += ". The answer is \(problem.answer) \(problem.unit).\n"
        }
    }

    /// A problem as a prompt and its solution, one step a line, as the response.
    static func task(_ scribe: inout Scribe) {
        let problem = make(&scribe)
        let lead = scribe.pick(["Solve:", "Work out:", "A problem:"])
        scribe.prompt = "\(lead) \(problem.story) \(problem.question)\n"
        for (index, step) in problem.steps.enumerated() {
            scribe.text += "Step \(index + 1): \(step)\n"
        }
        scribe.text += "Result: \(problem.answer)\n"
    }

    private static func make(_ scribe: inout Scribe) -> Problem {
        scribe.meet(scribe.integer(World.shared.people.count))
        let first = scribe.variables["first"] ?? ""
        let she = scribe.variables["she"] ?? ""
        let trade = scribe.variables["trade"] ?? ""
        let town = scribe.variables["town"] ?? ""
        scribe.meet(scribe.integer(World.shared.people.count), as: "other")
        let other = scribe.variables["otherfirst"] ?? ""
        let goods = scribe.pick(goods)
        let who = scribe.pick([first, "\(first), the \(trade),", "In \(town) \(first)"])
        let a = scribe.integer(3...60)
        let b = scribe.integer(2...40)
        let c = scribe.integer(2...12)
        switch scribe.integer(9) {
        case 0:
            return Problem(
                story: "\(who) has \(a) \(goods). \(other) brings \(b) more.",
                question: scribe.pick([
                    "How many \(goods) does \(first) have now?", "How many are there together?",
                ]),
                steps: ["\(a) + \(b) = \(a + b)"], answer: a + b, unit: goods)
        case 1:
            let total = a + b
            return Problem(
                story: "\(who) has \(total) \(goods) and sells \(b) of them to \(other).",
                question: "How many \(goods) are left?", steps: ["\(total) - \(b) = \(a)"],
                answer: a,
                unit: goods)
        case 2:
            return Problem(
                story: "\(who) fills \(c) boxes with \(b) \(goods) in each.",
                question: "How many \(goods) are that?", steps: ["\(c) * \(b) = \(c * b)"],
                answer: c * b, unit: goods)
        case 3:
            let total = c * b
            return Problem(
                story: "\(who) shares \(total) \(goods) equally among \(c) friends.",
                question: "How many \(goods) does each friend get?",
                steps: ["\(total) / \(c) = \(b)"], answer: b, unit: goods)
        case 4:
            return Problem(
                story:
                    "\(who) buys \(c) \(goods) at \(b) pence each and one kettle for \(a) pence.",
                question: "How much does \(she) pay?",
                steps: ["\(c) * \(b) = \(c * b)", "\(c * b) + \(a) = \(c * b + a)"],
                answer: c * b + a, unit: "pence")
        case 5:
            let days = scribe.integer(2...9)
            return Problem(
                story:
                    "\(who) makes \(b) \(goods) a day and works for \(days) days. Then \(other) takes \(c) of them away.",
                question: "How many \(goods) remain?",
                steps: [
                    "\(b) * \(days) = \(b * days)", "\(b * days) - \(c) = \(b * days - c)",
                ], answer: b * days - c, unit: goods)
        case 6:
            return Problem(
                story: "\(who) has \(a + b) \(goods), and \(other) has \(a).",
                question: "How many more \(goods) has \(first) than \(other)?",
                steps: ["\(a + b) - \(a) = \(b)"], answer: b, unit: goods)
        case 7:
            return Problem(
                story:
                    "\(who) gathers \(a) \(goods) on Monday, \(b) on Tuesday and \(c) on Wednesday.",
                question: "How many \(goods) in all?",
                steps: ["\(a) + \(b) = \(a + b)", "\(a + b) + \(c) = \(a + b + c)"],
                answer: a + b + c, unit: goods)
        default:
            let hours = scribe.integer(2...9)
            return Problem(
                story:
                    "\(who) walks \(c) miles an hour for \(hours) hours, then \(a) miles by cart.",
                question: "How far does \(she) travel?",
                steps: [
                    "\(c) * \(hours) = \(c * hours)", "\(c * hours) + \(a) = \(c * hours + a)",
                ],
                answer: c * hours + a, unit: "miles")
        }
    }
}
