import Runtime
import Testing

@Suite("Statistics") struct StatisticsTests {
    @Test("Student's interval at another confidence: quantiles of t from tables")
    func confidence() {
        // t of 1 degree of freedom at 0.995, of 4 at 0.99.
        #expect(abs((Estimate([0, 2], confidence: 0.99).halfWidth ?? 0) - 63.65674) < 1e-4)
        let five = Estimate([1, 2, 3, 4, 5], confidence: 0.98)
        #expect(abs((five.halfWidth ?? 0) - 3.746947 * (2.5 / 5).squareRoot()) < 1e-5)
    }

    @Test("sign and permutation tests and Holm's correction agree with SciPy and statsmodels")
    func paired() throws {
        let golden = try ScienceGolden.load()
        for item in golden.paired {
            #expect(agrees(PairedTests.sign(item.differences), item.sign))
            #expect(agrees(try PairedTests.permutation(item.differences), item.permutation))
        }
        for (a, b) in zip(PairedTests.holm(golden.holm.values), golden.holm.corrected) {
            #expect(agrees(a, b))
        }
    }

    @Test("correlations, intervals and the line of least squares agree with SciPy and statsmodels")
    func correlations() throws {
        for item in try ScienceGolden.load().correlations {
            let found = try Correlation(item.x, item.y)
            #expect(agree(found.pearson, item.pearson))
            #expect(agree(found.spearman, item.spearman))
            #expect(agrees(found.pearsonP, item.pearson_p))
            #expect(agrees(found.spearmanP, item.spearman_p))
            #expect(agree(found.fit.slope, item.slope))
            #expect(agrees(found.fit.intercept, item.intercept))
            #expect(agrees(found.fit.residual, item.residual))
            #expect(agrees(found.fit.leaveOneOut, item.leave_one_out))
            #expect(agrees(found.fit.leaveOneOutMean, item.leave_one_out_mean))
        }
    }

    @Test("many pairs are tested by draws that agree with the exact test")
    func draws() throws {
        let stream = RandomStream(seed: 4, "test")
        let few = (0..<20).map { stream.normal(UInt64($0)) + 0.4 }
        // A difference of 0 changes no sum, but makes 21 pairs.
        let p = try PairedTests.permutation(few)
        #expect(try abs(PairedTests.permutation(few + [0]) - p) < 0.005)
        #expect(try PairedTests.floor(3) == 0.25 && PairedTests.permutation([1, 2, 4]) == 0.25)
    }

    @Test("the bootstrap of a mean is seeded and about as wide as Student's interval")
    func bootstrap() throws {
        let stream = RandomStream(seed: 9, "test")
        let values = (0..<60).map { stream.normal(UInt64($0)) }
        let interval = try Bootstrap.mean(values)
        #expect(try interval == Bootstrap.mean(values))
        #expect(try interval != Bootstrap.mean(values, seed: 2))
        let half = try #require(Estimate(values).halfWidth)
        let (low, high) = (try #require(interval.low), try #require(interval.high))
        #expect(abs((high - low) / 2 / half - 1) < 0.15)
    }

    @Test("what cannot be correlated is refused")
    func refused() {
        #expect(throws: InvalidValue.self) { try Correlation([1, 2], [1, 2]) }
        #expect(throws: InvalidValue.self) { try Correlation([1, 1, 1], [1, 2, 3]) }
        #expect(throws: InvalidValue.self) { try Correlation([1, 2, 3], [1, 1, 1]) }
        #expect(throws: InvalidValue.self) { try Correlation([1, 2, .nan], [1, 2, 3]) }
    }
}
