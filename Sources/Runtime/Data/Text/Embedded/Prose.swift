/// The general domain: lives, places, animals, crafts, letters, news and small stories.
enum Prose {
    static func write(_ scribe: inout Scribe) {
        let world = World.shared
        let person = scribe.integer(world.people.count)
        scribe.meet(scribe.integer(world.people.count), as: "other")
        scribe.meet(person)
        switch scribe.integer(8) {
        case 0, 1:
            paragraphs(["life", "work", "home life"], &scribe)
        case 2:
            scribe.visit(scribe.integer(world.towns.count))
            paragraphs(["place", "place life"], &scribe)
        case 3:
            scribe.watch(scribe.integer(Words.animals.count))
            paragraphs(["nature", "nature more"], &scribe)
        case 4:
            scribe.employ(scribe.integer(Words.trades.count))
            paragraphs(["craft", "craft more"], &scribe)
        case 5:
            scribe.text = grammar.expand("letter head", &scribe)
            paragraphs(["letter body", "letter body"], &scribe)
            scribe.text += grammar.expand("letter end", &scribe)
        case 6:
            scribe.visit(scribe.integer(world.towns.count))
            paragraphs(["news", "news more"], &scribe)
        default:
            scribe.text = grammar.expand("story opening", &scribe)
            for _ in 0..<scribe.integer(2...5) {
                scribe.text += scribe.chance(0.25) ? "\n\n" : " "
                scribe.text += grammar.expand("story step", &scribe)
            }
            scribe.text += " " + grammar.expand("story end", &scribe)
        }
        scribe.text += "\n"
    }

    /// Some of the sentences of each rule family, one paragraph a family.
    private static func paragraphs(_ families: [String], _ scribe: inout Scribe) {
        var sentences: [String] = []
        for (index, family) in families.enumerated() {
            if index > 0, scribe.chance(0.3) { break }
            let before = sentences.count
            for _ in 0..<scribe.integer(2...5) {
                let sentence = grammar.expand(family, &scribe)
                if !sentences.contains(sentence) { sentences.append(sentence) }
            }
            let paragraph = sentences[before...].joined(separator: " ")
            if index > 0, !paragraph.isEmpty { scribe.text += "\n\n" }
            scribe.text += paragraph
        }
    }

    static let grammar = Grammar(rules.merging(moreRules) { first, _ in first })

    private static let rules: [String: [String]] = [
        "adjective": Words.adjectives,
        "thing": Words.things,
        "animal any": Words.animals.map(\.name),
        "food": Words.foods,
        "weather": [
            "rain", "fog", "frost", "sunshine", "snow", "a cold wind", "a warm breeze", "thunder",
            "a light drizzle", "heavy clouds",
        ],
        "season": ["spring", "summer", "autumn", "winter"],
        "day": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        "time": [
            "in the morning", "before dawn", "at noon", "late in the evening", "after supper",
            "on {day}", "every {season}", "for many years", "once a week", "when the bells rang",
        ],
        "manner": [
            "slowly", "with great care", "without a word", "cheerfully", "as quickly as possible",
            "as usual", "for the first time", "almost by accident", "with both hands",
        ],
        "feeling": [
            "tired but content", "surprised", "a little proud", "uneasy", "full of hope",
            "grateful", "cross with everyone", "ready to begin again", "lonely", "at peace",
        ],
        "place near": [
            "by the river", "behind the church", "at the edge of the wood", "in the market square",
            "on the stairs", "near the harbour", "under the bridge", "beside the road",
            "in the kitchen", "at the end of the lane",
        ],
        "object": ["{a:adjective} {thing}", "the {thing}", "the {adjective} {thing}", "{a:thing}"],
        "life": [
            "{name} was born in {born} and lives in {town}.",
            "{name} is a {trade} in {town}.",
            "{name}, a {trade} by profession, has lived in {town} since childhood.",
            "Born in {born}, {name} learned early how to use {a:tool}.",
            "In {town} everyone knows {name}, the {trade}.",
            "{^she} is known for {hobby}.",
            "{^her} best friend is {friend}.",
            "When {she} is not at work, {first} spends {her} time {hobby}.",
            "People say that {first} is {adjective} and {adjective}, but never {adjective}.",
        ],
        "work": [
            "As a {trade}, {first} works in the {workplace} with {a:tool}.",
            "The {workplace} stands {place near}, and {first} opens it {time}.",
            "{^her} {tool} is older than the {workplace} itself.",
            "Most of the {makes} in {town} comes from {her} hands.",
            "{^time}, {first} sells {makes} in the market of {town}.",
            "The work is hard in {season}, when {weather} comes down from the hills.",
            "{first} once worked {manner} for three days because {weather} kept {them} inside.",
        ],
        "home life": [
            "At home {she} keeps {a:pet}, and the {pet} sleeps {place near}.",
            "{first} likes {likes} more than anything else.",
            "{^time}, {friend} comes to visit and they eat {likes} together.",
            "The {pet} belongs to {first}, although it prefers {othername}.",
            "{^her} house is {adjective}, with {a:adjective} {thing} in every room.",
            "There is always {likes} on the table when friends come.",
        ],
        "place": [
            "{town} is a town in {region}, on the river {river}.",
            "{town} was founded in {founded} and has about {people} inhabitants.",
            "Visitors come to {town} to see {landmark}.",
            "The town is known for its {product}.",
            "The river {river} runs through the middle of {town}.",
            "Since {founded} the people of {town} have traded in {product}.",
            "There are few towns in {region} as {adjective} as {town}.",
        ],
        "place life": [
            "On {day} there is a market where {product} and {food} are sold.",
            "In {season} the streets are full of {weather} and the smell of {food}.",
            "{^landmark} stands {place near}; it is on every postcard.",
            "Children play {place near}, and {a:adjective} {animal any} watches them.",
            "{othername} wrote a book about the town, but few have read it.",
            "The price of {product} is spoken of {time} in every house.",
        ],
        "nature": [
            "The {animal} is a {kind} that lives in {home}.",
            "It feeds on {eats}, which it hunts or gathers {time}.",
            "Its coat is {coat}, and it is easily seen in {season}.",
            "{^a:animal} is not often found far from {home}.",
            "Like every {kind}, the {animal} has its own way of passing the {season}.",
            "A young {animal} eats {eats} from its first days.",
        ],
        "nature more": [
            "Farmers in {town} tell that {a:animal} brings {weather}.",
            "{name} once kept {a:animal} in {a:adjective} {thing}.",
            "In {season} the {animal} stays in {home} and waits for {weather} to pass.",
            "Where there are {eats}, there is {a:animal} not far away.",
            "It is {adjective} by nature and does no harm to people.",
        ],
    ]

    private static let moreRules: [String: [String]] = [
        "craft": [
            "A {trade} works in a {workplace} and makes {makes}.",
            "The most important tool of a {trade} is the {tool}.",
            "To become a {trade} one learns for {years} years.",
            "Without a good {tool} no {trade} can make {makes}.",
            "The {workplace} must be {adjective} and dry.",
        ],
        "years": ["three", "four", "five", "six", "seven"],
        "craft more": [
            "First the {trade} cleans the {tool}; then the work begins {manner}.",
            "Good {makes} is sold {time}, and the rest is kept {place near}.",
            "{name} visited a {workplace} in {season} and came home {feeling}.",
            "An old saying holds that {a:tool} tells more about a {trade} than words.",
            "If {weather} comes, the {workplace} is closed and the {makes} must wait.",
        ],
        "letter head": ["Dear {otherfirst},\n\n", "My dear {otherfirst},\n\n"],
        "letter body": [
            "I am writing from {town}, where we have had {weather} since {day}.",
            "{friend} sends greetings and asks for {object}.",
            "You will remember that I promised you {object}.",
            "The {pet} is well and has found a new place to sleep {place near}.",
            "Work as a {trade} goes on {manner}, and the {tool} has been mended.",
            "We ate {likes} {time} and thought of you.",
            "I have taken up {hobby} again, {manner}.",
            "Please tell me whether {othertown} is still as {adjective} as it was.",
        ],
        "letter end": [
            "Yours,", "With love,", "Until {season},", "Write soon,", "Your old friend,",
        ],
        "news": [
            "{town}, {day}. {^a:adjective} {thing} was found {place near} {time}.",
            "{town}, {day}. The council has decided to repair {landmark}.",
            "{town}, {day}. {^weather} has closed the road along the {river}.",
            "{name}, a {trade}, said that nobody had seen anything like it.",
            "The makers of {product} fear for their trade.",
            "About {people} people live in the town, and most of them heard of it {time}.",
            "No one was hurt.",
        ],
        "news more": [
            "\"We shall wait for {season},\" said {othername}.",
            "\"It was {adjective},\" said {first}, \"but not as {adjective} as in {born}.\"",
            "The price of {product} rose {manner}.",
            "A meeting will be held {place near} on {day}.",
            "In {region} such things are remembered for a long time.",
        ],
        "story opening": [
            "One {season} {first} found {object} {place near}.",
            "It was {day}, and {weather} lay over {town} when {first} went out.",
            "{name} had lost {object} and could not sleep.",
            "Nobody in {town} believed {first} until {a:adjective} {animal any} came to the door.",
            "There was once a {trade} called {first} who owned nothing but {a:tool} and {a:thing}.",
        ],
        "story step": [
            "{^she} took {object} and walked {manner} to {friend}.",
            "\"Have you seen my {thing}?\" asked {first}. \"No,\" said {otherfirst}, \"but I have seen {object}.\"",
            "Then {weather} came, and they waited {place near}.",
            "{otherfirst} laughed and gave {them} {likes} and {object}.",
            "{^time}, {she} looked for it {place near}, but found only {object}.",
            "\"If you want it back,\" said the {animal any}, \"bring me {likes}.\"",
            "{first} felt {feeling}, and so did {otherfirst}.",
            "The {pet} ran ahead and stopped {place near}.",
            "Because {she} was a {trade}, {she} knew what to do with {object}.",
            "They carried {object} {manner} as far as {town}.",
        ],
        "story end": [
            "In the end {first} went home, {feeling}.",
            "And that is why there is {object} {place near} in {town}.",
            "From then on {first} and {otherfirst} were friends.",
            "Nobody spoke of it again.",
            "It was {season} before they understood.",
        ],
    ]
}
