import Foundation
import Runtime
import Testing

/// Values of part three of `scripts/science_reference.py`.
private struct EffectsGolden: Decodable {
    struct Mixed: Decodable {
        var x, y, beta, errors: [Double]
        var groups: [String]
        var group_variance, residual_variance, log_likelihood: Double
    }
    struct TwoWayCase: Decodable {
        struct Place: Decodable {
            var row, column, value: Double
            var block: String
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                row = try list.decode(Double.self)
                column = try list.decode(Double.self)
                block = try list.decode(String.self)
                value = try list.decode(Double.self)
            }
        }
        var points: [Place]
        var terms: [String: [Double]]
        var residual, changes, half_widths: [Double]
    }
    struct Components: Decodable {
        var groups: [[Double]]
        var mean: Double
        var trunk, finetuning: [Double]
    }
    var mixed: [Mixed]
    var two_way: [TwoWayCase]
    var variance: [Components]
    var upper_f, chi: [[Double]]

    static func load() throws -> EffectsGolden {
        let path = ReferenceCase.folder.appendingPathComponent("science.json")
        return try JSONDecoder().decode(EffectsGolden.self, from: Data(contentsOf: path))
    }
}

@Suite("Effects") struct EffectsTests {
    private func near(_ a: Double, _ b: Double, _ tolerance: Double = 1e-5) -> Bool {
        abs(a - b) <= tolerance * max(1, abs(a), abs(b))
    }

    @Test("a random intercept by REML agrees with statsmodels and with whole matrices")
    func mixed() throws {
        for item in try EffectsGolden.load().mixed {
            let found = try MixedModel(
                item.y, [item.x.map { _ in 1 }, item.x], groups: item.groups)
            for index in 0..<2 {
                #expect(near(found.coefficients[index].value, item.beta[index]))
                #expect(near(found.errors[index], item.errors[index]))
            }
            #expect(near(found.groupVariance, item.group_variance))
            #expect(near(found.residualVariance, item.residual_variance))
            #expect(near(found.logLikelihood, item.log_likelihood, 1e-8))
        }
        #expect(throws: InvalidValue.self) {
            try MixedModel([1, 2, 3], [[1, 1, 1]], groups: ["a", "a", "a"])
        }
        #expect(throws: InvalidValue.self) {
            try MixedModel([1, 2, 3], [[1, 1, 1], [2, 2, 2]], groups: ["a", "a", "b"])
        }
    }

    @Test("two-way analyses agree with statsmodels, complete and with missing arms")
    func twoWay() throws {
        for item in try EffectsGolden.load().two_way {
            let found = try TwoWay(
                item.points.map {
                    TwoWay.Point(row: $0.row, column: $0.column, block: $0.block, value: $0.value)
                })
            for term in found.terms {
                let golden = try #require(item.terms[term.name])
                #expect(Double(term.degrees) == golden[0], "\(term.name)")
                #expect(agrees(term.sum, golden[1]), "\(term.name)")
                #expect(agrees(term.f, golden[2]), "\(term.name)")
                #expect(near(term.p ?? 2, golden[3], 1e-9), "\(term.name)")
            }
            #expect(Double(found.residualDegrees) == item.residual[0])
            #expect(agrees(found.residualMean, item.residual[1]))
            for (index, contrast) in [found.rowChange, found.columnChange, found.interaction]
                .enumerated()
            {
                #expect(agrees(contrast?.estimate.mean, item.changes[index]))
                #expect(agrees(contrast?.estimate.halfWidth, item.half_widths[index]))
            }
        }
    }

    @Test(
        "an interaction without repetitions has no F and no interval, and a constant one no noise")
    func degenerate() throws {
        func points(_ seeds: [String]) -> [TwoWay.Point] {
            seeds.flatMap { seed in
                [1.0, 2].flatMap { row in
                    [1.0, 2].map {
                        TwoWay.Point(row: row, column: $0, block: seed, value: row * $0)
                    }
                }
            }
        }
        let alone = try TwoWay(points(["1"]))
        #expect(alone.terms.allSatisfy { $0.f == nil } && alone.residualMean == nil)
        #expect(alone.interaction?.estimate.halfWidth == nil)
        #expect(abs((alone.interaction?.estimate.mean ?? 0) - 1) < 1e-12)
        #expect(try TwoWay(points(["1", "2"])).residualMean == nil)
        #expect(throws: InvalidValue.self) {
            try TwoWay([TwoWay.Point(row: 1, column: 1, block: "1", value: 1)])
        }
    }

    @Test("variance components, F and χ² agree with SciPy")
    func variance() throws {
        let golden = try EffectsGolden.load()
        for item in golden.variance {
            let found = try VarianceComponents(item.groups)
            #expect(agrees(found.mean, item.mean))
            let trunk = try #require(found.trunk)
            let finetuning = try #require(found.finetuning)
            #expect(agree(trunk, item.trunk))
            #expect(agree(finetuning, item.finetuning))
        }
        for item in golden.upper_f {
            #expect(agrees(FDistribution.upper(item[0], item[1], item[2]), item[3]))
        }
        for item in golden.chi {
            #expect(agrees(ChiSquared.cumulative(item[0], degrees: item[1]), item[2]))
            #expect(
                agrees(
                    ChiSquared.quantile(item[2], degrees: item[1]), item[2] < 0.999 ? item[0] : nil)
                    || item[2] >= 0.999)
        }
        let single = try VarianceComponents([[1], [2], [4]])
        #expect(!single.isSeparated && agrees(single.trunk?.value, 7.0 / 3))
        #expect(try VarianceComponents([[1, 2, 4]]).trunk == nil)
    }

    @Test("points on a line within targets correlate exactly once targets have intercepts")
    func proximity() throws {
        func point(_ target: String, _ x: Double, _ y: Double) -> ProximityGain.Point {
            ProximityGain.Point(
                arm: "a", mixture: Mixture(only: "web"), target: target, advantage: Interval(x),
                gain: Interval(y), seeds: 2)
        }
        let points = [
            point("a", 0, 0.01), point("a", 1, 1), point("a", 2, 2), point("b", 0, 5),
            point("b", 1, 6.01), point("b", 2, 7), point("c", 0, -3), point("c", 1, -2),
            point("c", 2, -1.01),
        ]
        let found = try ProximityGain(points, isRelative: false)
        let mixed = try #require(found.mixed)
        #expect(abs(mixed.coefficients[1].value - 1) < 0.01 && mixed.groupVariance > 10)
        #expect(found.correlation.pearson.value < 0.5)
        #expect((found.pearson.low ?? 2) < found.pearson.value)
        #expect(found.byTarget.low != nil && found.leftOut.count == 3)
        // Of the 3!³ orders within targets only the measured one correlates as much.
        #expect(abs(found.withinTargetP - 1.0 / 216) < 0.003)
        let falling = points.map { point($0.target, -$0.advantage.value, $0.gain.value) }
        #expect(try ProximityGain(falling, isRelative: false).withinTargetP == 1)
        // Without c the points have the intercepts 0 and 5.
        let left = try #require(found.leftOut.last)
        let other = try Correlation([0, 1, 2, 0, 1, 2], [0.01, 1, 2, 5, 6.01, 7])
        #expect(left.target == "c" && left.correlation?.pearson == other.pearson)
        #expect(try ProximityGain(points, isRelative: false).pearson == found.pearson)
        #expect(found.finding().text().contains("mixed_slope"))
        #expect(throws: InvalidValue.self) {
            try ProximityGain(Array(points.prefix(2)), isRelative: false)
        }
    }
}
