import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Mixture") struct MixtureTests {
    private func random(_ generator: inout Draws) throws -> Mixture {
        let count = Int.random(in: 1...6, using: &generator)
        let raw = (0..<count).map { _ in Double(Int.random(in: 1...1000, using: &generator)) }
        let sum = raw.reduce(0, +)
        return try Mixture(raw.enumerated().map { ("s\($0)", $1 / sum) })
    }

    @Test("after every sample each source has its share to within less than one")
    func prefixError() throws {
        var generator = Draws(seed: 1)
        for _ in 0..<60 {
            let mixture = try random(&generator)
            var order = MixtureOrder(mixture)
            var counts = [Int](repeating: 0, count: mixture.parts.count)
            let bound = mixture.parts.count > 1 ? 1 - 1 / Double(2 * mixture.parts.count - 2) : 0
            for n in 1...20_000 {
                counts[order.next()] += 1
                for (index, part) in mixture.parts.enumerated() {
                    let share = Double(n * part.millionths) / 1e6
                    if abs(Double(counts[index]) - share) > bound + 1e-9 {
                        Issue.record("\(mixture) after \(n): \(counts[index]), share \(share)")
                        return
                    }
                }
            }
        }
    }

    @Test("after each period the counts are exact")
    func period() throws {
        for weights in [
            [0.8, 0.2], [0.05, 0.95], [0.1, 0.2, 0.7], [0.333333, 0.333333, 0.333334],
        ] {
            let mixture = try Mixture(weights.enumerated().map { ("s\($0)", $1) })
            var order = MixtureOrder(mixture)
            var counts = [Int](repeating: 0, count: weights.count)
            for _ in 0..<order.period { counts[order.next()] += 1 }
            #expect(counts == mixture.parts.map { $0.millionths * order.period / Mixture.whole })
        }
        #expect(MixtureOrder(try Mixture([("a", 0.8), ("b", 0.2)])).period == 5)
    }

    @Test("counts can be had at any sample without the samples before it")
    func sequence() throws {
        var generator = Draws(seed: 2)
        for _ in 0..<20 {
            let mixture = try random(&generator)
            let sequence = try MixtureSequence(mixture, samples: 5000)
            var order = MixtureOrder(mixture)
            var counts = [Int](repeating: 0, count: mixture.parts.count)
            for n in 0..<5000 {
                if n % 97 == 0 { #expect(sequence.counts(n) == counts) }
                let source = order.next()
                #expect(sequence.source(n) == source)
                counts[source] += 1
            }
        }
    }

    @Test("weights must sum to 1; the error shows the sum")
    func sum() throws {
        let error = message { _ = try Mixture([("web", 0.5), ("code", 0.6)]) }
        #expect(error.contains("code = 0.6, web = 0.5 sum to 1.1"))
        #expect(message { _ = try Mixture([("a", 1.5), ("b", -0.5)]) }.contains("-0.5"))
        #expect(message { _ = try Mixture([("a", .nan)]) }.contains("nan"))
        #expect(message { _ = try Mixture([]) }.contains("at least one source"))
        #expect(message { _ = try Mixture([("a", 0.5), ("a", 0.5)]) }.contains("named twice"))
        let third = 1.0 / 3
        #expect(
            try Mixture([("a", third), ("b", third), ("c", third)]).parts.map(\.millionths) == [
                333_334, 333_333, 333_333,
            ])
    }

    @Test("the order of naming and sources of weight 0 make no difference")
    func canonical() throws {
        let mixture = try Mixture([("web", 0.8), ("code", 0.2)])
        #expect(try Mixture([("code", 0.2), ("books", 0), ("web", 0.8)]) == mixture)
        #expect(mixture.description == "code 0.2, web 0.8")
        let data = Data(try CanonicalJSON.text(mixture).utf8)
        #expect(try JSONDecoder().decode(Mixture.self, from: data) == mixture)
        let bad = Data("[{\"name\":\"a\",\"millionths\":5}]".utf8)
        #expect(throws: MixtureError.self) { try JSONDecoder().decode(Mixture.self, from: bad) }
    }

    @Test("an unknown source is named with the nearest known one")
    func unknown() throws {
        let mixture = try Mixture([("wbe", 1)])
        let error = message { try mixture.check(against: ["web", "code"]) }
        #expect(error.contains("\"wbe\"") && error.contains("did you mean 'web'?"))
    }
}
