import Foundation
import TestSupport
import Testing

/// Everything that may take long ends at Ctrl-C.
///
/// Each code would take minutes; how soon it reacts is bounded generously, since the machine may be busy.
@Suite("Long work", .serialized) struct LongWorkTests {
    private static let values =
        "local a, b = {}, {} for i = 1, 200000 do a[i], b[i] = i % 7 + 0.5, i % 5 end"
    private static let text =
        "local text = mt.corpus { 'text', embedded = 'prose', bytes = 300000000 }"

    @Test(
        "ends at one Ctrl-C",
        arguments: [
            (values, "mt.paired(a, b)"),
            (
                values + " local g = {} for i = 1, 200000 do g[i] = 'g' .. i % 5000 end",
                "for i = 1, 1000 do mt.mixed(a, b, g) end"
            ),
            ("local a = mt.ones { 4096, 4096 }", "while true do a = a:matmul(a) end"),
            (
                "local x = mt.ones({ 512, 512 }):requires_grad()",
                "while true do local y = x for i = 1, 40 do y = y:matmul(x) end y:sum():backward() end"
            ),
            (
                "local rows = {} for i = 1, 300000 do rows[i] = { a = i, b = '=x' } end",
                "while true do mt.write_csv(os.tmpname(), { 'a', 'b' }, rows) end"
            ),
            (
                "local a, b = mt.corpus { 'a', embedded = 'prose', bytes = 3000000 }, mt.corpus { 'b', embedded = 'code', bytes = 3000000 } "
                    + "local close = mt.similarity { a, b, metric = 'compression', documents = 3000, bootstrap = 1000 }",
                "print(close)"
            ),
            (text, "text:summary()"),
            (text, "mt.tokenizer { train_on = { text }, vocabulary = 30000 }"),
            (
                text,
                "mt.similarity { text, mt.corpus { 'code', embedded = 'code', bytes = 300000000 }, metric = 'words', documents = 100000 }"
            ),
            (
                "local t = {} for i = 1, 3000000 do t[i] = i % 9 end t = mt.tensor(t)",
                "while true do t:table() end"
            ),
            (
                "local bars = {} for i = 1, 400 do bars[i] = { 'bar ' .. i, i } end local plot = mt.plot.bars(bars)",
                "while true do plot:svg() end"
            ),
        ])
    func ends(before: String, code: String) throws {
        let scratch = try Scratch()
        let program = try Program.start([
            "--store", scratch.path + "/store", "-e",
            "\(before) print('begin') io.stdout:flush() \(code) print('went on')",
        ])
        program.waitForOutput("begin")
        program.signal(SIGINT)
        let asked = Date()
        let outcome = try program.wait(atMost: 60)
        #expect(outcome.code == 130, "\(code): \(outcome) \(Date().timeIntervalSince(asked))")
        #expect(outcome.output == "begin\n")
    }
}
