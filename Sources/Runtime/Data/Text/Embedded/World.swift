import RuntimeSupport

/// The people, towns, animals and trades of the embedded corpora, with facts that are the same wherever they are told.
struct World: Sendable {
    /// Someone who lives here.
    struct Person: Sendable {
        let name: String
        let first: String
        let she: Bool
        let town: Int
        let trade: Int
        let pet: Int
        let food: String
        let hobby: String
        let born: Int
        let friend: Int
    }

    /// A place.
    struct Town: Sendable {
        let name: String
        let region: String
        let river: String
        let product: String
        let landmark: String
        let founded: Int
        let people: Int
    }

    let people: [Person]
    let towns: [Town]

    /// The one world; no seed changes its facts.
    static let shared = World()

    private init() {
        let stream = RandomStream(seed: 20, "world")
        func choose(_ index: Int, _ salt: Int, _ count: Int) -> Int {
            stream.integer(UInt64(index * 16 + salt), below: count)
        }
        let names = Words.townStarts.flatMap { start in Words.townEnds.map { start + $0 } }
        towns = (0..<60).map { index in
            Town(
                name: names[(index * 37 + 11) % names.count],
                region: Words.regions[choose(index, 0, Words.regions.count)],
                river: Words.rivers[choose(index, 1, Words.rivers.count)],
                product: Words.products[choose(index, 2, Words.products.count)],
                landmark: Words.landmarks[choose(index, 3, Words.landmarks.count)],
                founded: 1100 + choose(index, 4, 780), people: 200 + 50 * choose(index, 5, 400))
        }
        people = (0..<240).map { index in
            let first = Words.firstNames[index % Words.firstNames.count]
            let last = Words.lastNames[
                (index * 7 + index / Words.firstNames.count) % Words.lastNames.count]
            let salt = 1000 + index
            return Person(
                name: "\(first.name) \(last)", first: first.name, she: first.she,
                town: choose(salt, 0, 60), trade: choose(salt, 1, Words.trades.count),
                pet: choose(salt, 2, Words.animals.count),
                food: Words.foods[choose(salt, 3, Words.foods.count)],
                hobby: Words.hobbies[choose(salt, 4, Words.hobbies.count)],
                born: 1890 + choose(salt, 5, 110), friend: choose(salt, 6, 240))
        }
    }
}

extension Scribe {
    /// Sets the variables that tell of a person: `name`, `first`, `she`, `her`, `town`, `trade` and so on.
    mutating func meet(_ index: Int, as prefix: String = "") {
        let world = World.shared
        let person = world.people[index]
        let trade = Words.trades[person.trade]
        let animal = Words.animals[person.pet]
        let facts: [(String, String)] = [
            ("name", person.name), ("first", person.first), ("she", person.she ? "she" : "he"),
            ("her", person.she ? "her" : "his"), ("them", person.she ? "her" : "him"),
            ("town", world.towns[person.town].name), ("trade", trade.name), ("tool", trade.tool),
            ("workplace", trade.place), ("makes", trade.makes), ("pet", animal.name),
            ("likes", person.food), ("hobby", person.hobby), ("born", "\(person.born)"),
            ("friend", world.people[person.friend].name),
        ]
        for (name, value) in facts { variables[prefix + name] = value }
    }

    /// Sets the variables that tell of a town: `town`, `region`, `river`, `product`, `landmark`, `founded`, `people`.
    mutating func visit(_ index: Int) {
        let town = World.shared.towns[index]
        let facts: [(String, String)] = [
            ("town", town.name), ("region", town.region), ("river", town.river),
            ("product", town.product), ("landmark", town.landmark), ("founded", "\(town.founded)"),
            ("people", "\(town.people)"),
        ]
        for (name, value) in facts { variables[name] = value }
    }

    /// Sets the variables that tell of an animal: `animal`, `kind`, `home`, `eats`, `coat`.
    package mutating func watch(_ index: Int) {
        let animal = Words.animals[index]
        let facts = [
            ("animal", animal.name), ("kind", animal.kind), ("home", animal.home),
            ("eats", animal.eats), ("coat", animal.coat),
        ]
        for (name, value) in facts { variables[name] = value }
    }

    /// Sets the variables that tell of a trade: `trade`, `tool`, `workplace`, `makes`.
    mutating func employ(_ index: Int) {
        let trade = Words.trades[index]
        let facts = [
            ("trade", trade.name), ("tool", trade.tool), ("workplace", trade.place),
            ("makes", trade.makes),
        ]
        for (name, value) in facts { variables[name] = value }
    }
}
