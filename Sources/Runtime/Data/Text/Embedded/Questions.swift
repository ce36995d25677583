/// Questions about the world's facts and their answers, near to the general domain.
enum Questions {
    /// What can be asked: questions and answers that suit each other, for the corpus and for the finetuning set.
    private struct Fact: Sendable {
        let subject: Subject
        let questions: Grammar
        let answers: Grammar
        /// How the finetuning set asks, and its short answer.
        let task: Grammar
        let short: Grammar

        init(
            subject: Subject, questions: [String], answers: [String], task: [String], short: String
        ) {
            self.subject = subject
            self.questions = Grammar(["line": questions])
            self.answers = Grammar(["line": answers])
            self.task = Grammar(["line": task])
            self.short = Grammar(["line": [short]])
        }
    }

    private enum Subject: Sendable { case person, town, animal, trade }

    /// A set of questions and answers.
    static func write(_ scribe: inout Scribe) {
        let count = scribe.integer(2...6)
        let numbered = scribe.chance(0.2)
        for index in 0..<count {
            let fact = choose(&scribe)
            let question = fact.questions.expand("line", &scribe)
            let answer = fact.answers.expand("line", &scribe)
            let label = numbered ? "Q\(index + 1): " : "Q: "
            scribe.text += label + question + "\nA: " + answer + "\n"
            if index < count - 1, scribe.chance(0.5) { scribe.text += "\n" }
        }
    }

    /// A prompt with one question, sometimes after a hint, and a short answer.
    static func task(_ scribe: inout Scribe) {
        let fact = choose(&scribe)
        scribe.prompt = "Question: " + fact.task.expand("line", &scribe) + "\nAnswer:"
        scribe.text = " " + fact.short.expand("line", &scribe) + "\n"
    }

    private static func choose(_ scribe: inout Scribe) -> Fact {
        let fact = scribe.pick(facts)
        let world = World.shared
        switch fact.subject {
        case .person:
            scribe.meet(scribe.integer(world.people.count))
        case .town: scribe.visit(scribe.integer(world.towns.count))
        case .animal: scribe.watch(scribe.integer(Words.animals.count))
        case .trade: scribe.employ(scribe.integer(Words.trades.count))
        }
        return fact
    }

    private static let facts: [Fact] = [
        Fact(
            subject: .person,
            questions: ["Where does {name} live?", "In which town does {name} live?"],
            answers: ["{name} lives in {town}.", "In {town}."],
            task: [
                "Name the town where {name} lives.",
                "Which town is the home of {name}, the {trade}?",
            ],
            short: "{town}"),
        Fact(
            subject: .person,
            questions: ["What does {name} do for a living?", "What is the trade of {name}?"],
            answers: ["{name} is a {trade}.", "{^she} is a {trade} in {town}."],
            task: ["Name the trade of {name} of {town}.", "As what does {name} earn a living?"],
            short: "{trade}"),
        Fact(
            subject: .person,
            questions: ["When was {name} born?", "In what year was {name} born?"],
            answers: ["{name} was born in {born}.", "In {born}."],
            task: ["Give the year of birth of {name}."], short: "{born}"),
        Fact(
            subject: .person,
            questions: ["What animal does {name} keep?", "Which animal lives with {name}?"],
            answers: ["{^she} keeps {a:pet}.", "{name} keeps {a:pet} at home."],
            task: ["Name the pet of {name}."], short: "{pet}"),
        Fact(
            subject: .person,
            questions: ["What does {name} like to eat?", "What is the favourite food of {name}?"],
            answers: ["{name} likes {likes}.", "{^she} likes {likes} most of all."],
            task: ["Name a dish that {name} would order."], short: "{likes}"),
        Fact(
            subject: .person,
            questions: ["Who is the best friend of {name}?", "Who is {name}'s friend?"],
            answers: ["{friend} is the best friend of {name}.", "{^her} best friend is {friend}."],
            task: ["Name the best friend of {name}."], short: "{friend}"),
        Fact(
            subject: .person,
            questions: [
                "How does {name} spend {her} free time?", "What does {name} do after work?",
            ],
            answers: ["{^she} spends {her} time {hobby}.", "{name} is fond of {hobby}."],
            task: ["Name the pastime of {name}, the {trade} of {town}."], short: "{hobby}"),
        Fact(
            subject: .town,
            questions: ["On which river is {town}?", "Which river runs through {town}?"],
            answers: ["{town} is on the river {river}.", "The {river} runs through {town}."],
            task: ["Name the river of {town}."], short: "{river}"),
        Fact(
            subject: .town,
            questions: ["In which region is {town}?", "Where is {town}?"],
            answers: ["{town} is in {region}.", "It is a town in {region}."],
            task: ["Name the region of {town}."], short: "{region}"),
        Fact(
            subject: .town,
            questions: ["What is {town} known for?", "What do people make in {town}?"],
            answers: ["{town} is known for its {product}.", "They make {product}."],
            task: ["Name the chief product of {town}."], short: "{product}"),
        Fact(
            subject: .town,
            questions: ["When was {town} founded?", "How old is {town}?"],
            answers: ["{town} was founded in {founded}.", "It was founded in {founded}."],
            task: ["Give the year in which {town} began."], short: "{founded}"),
        Fact(
            subject: .town,
            questions: ["What can be seen in {town}?", "Why do visitors come to {town}?"],
            answers: ["Visitors come to see {landmark}.", "In {town} there is {landmark}."],
            task: ["Name the sight of {town}."], short: "{landmark}"),
        Fact(
            subject: .animal,
            questions: ["Where does the {animal} live?", "Where can one find {a:animal}?"],
            answers: ["The {animal} lives in {home}.", "In {home}."],
            task: ["Name the home of the {animal}."], short: "{home}"),
        Fact(
            subject: .animal,
            questions: ["What does the {animal} eat?", "What does {a:animal} feed on?"],
            answers: ["The {animal} eats {eats}.", "It feeds on {eats}."],
            task: ["Name the food of the {animal}."], short: "{eats}"),
        Fact(
            subject: .animal, questions: ["What kind of animal is the {animal}?"],
            answers: ["The {animal} is a {kind}.", "It is a {kind}."],
            task: ["Name the class of the {animal}."], short: "{kind}"),
        Fact(
            subject: .trade,
            questions: ["What does a {trade} make?", "What comes from the hands of a {trade}?"],
            answers: ["A {trade} makes {makes}.", "{^makes}."],
            task: ["Name the product of a {trade}."], short: "{makes}"),
        Fact(
            subject: .trade,
            questions: ["Which tool does a {trade} use?", "What does a {trade} work with?"],
            answers: ["A {trade} uses {a:tool}.", "The tool of a {trade} is the {tool}."],
            task: ["Name the tool of a {trade}."], short: "{tool}"),
        Fact(
            subject: .trade, questions: ["Where does a {trade} work?"],
            answers: ["A {trade} works in a {workplace}.", "In the {workplace}."],
            task: ["Name the workplace of a {trade}."], short: "{workplace}"),
    ]
}
