import Bindings
import Foundation
import TestSupport
import Testing

@Suite("Reports") struct ReportTests {
    private static let study = """
        base = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 128, layers = 1, width = 16, heads = 2 }),
          steps = 12, batch = 5, seed = 1, mixture = { prose = 1 },
        }
        result = mt.study {
          arms = mt.grid { start = { 4, 8 }, weight = { 0.2, 0.6 }, seed = { 1, 2 } },
          recipe = function(arm)
            return base:with { seed = arm.seed }:midtrain {
              from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight },
            }
          end,
          controls = { control = base, continued = base:midtrain { from = 8, mixture = { code = 1 } } },
          finetune = { tasks, epochs = 1, batch = 4, learning_rate = { 1e-3 } },
          evaluate = { prose, tasks }, limit = 4,
        }:run()
        """

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    @Test("a study's report has every part, and the same bytes when it is made again")
    func study() throws {
        let laboratory = try LaboratoryBench()
        let interpreter = laboratory.bench.interpreter
        try interpreter.setArguments(script: "trial.lua", ["--size", "two words"])
        try interpreter.run(Self.study, name: "=study")
        let folder = laboratory.scratch.path + "/out"
        let report = """
            result:report('\(folder)', { title = 'A trial', question = 'Does it help?', sections = {
              { 'Extra', 'A remark.', { result:plot { 'tasks', against = 'control' }, caption = 'Bars.' },
                { columns = { 'a', 'b' }, rows = { { 1, 0.5 }, { 'x' } }, caption = 'Numbers.' } } } })
            """
        try interpreter.run(report, name: "=report")
        let html = try text(folder + "/report.html")
        let markdown = try text(folder + "/report.md")
        try FileManager.default.removeItem(atPath: folder)
        try interpreter.run(Self.study, name: "=study")
        try interpreter.run(report, name: "=report")
        #expect(try text(folder + "/report.html") == html)
        #expect(try text(folder + "/report.md") == markdown)

        for part in [
            "Question", "Recipe", "Exposure", "Losses", "Effects", "Start and weight", "Finetuning",
            "Extra", "Exclusions", "State keys", "How to reproduce",
        ] {
            #expect(html.contains("<h2>\(part)</h2>"), "\(part)")
            #expect(markdown.contains("\n## \(part)\n"), "\(part)")
        }
        #expect(
            html.contains(
                "<pre>mtrepl --store \(laboratory.scratch.path)/store trial.lua --size &#39;two words&#39;</pre>"
            ))
        #expect(html.contains("all 12 arms and seeds that were planned are in every number"))
        let key = try laboratory.bench.text("return result:rows()[1].key")
        #expect(html.contains(String(key.prefix(16))))
        // Two columns of bars, two matrices, finetuning, the extra one.
        #expect(html.ranges(of: "<svg").count == 6)
        let bars = try laboratory.bench.text(
            "local p, caption = result:plot { 'tasks', against = 'control' } return caption")
        #expect(bars.contains("n = 2 seeds a bar"))
    }

    @Test("a report says when it was made interactively, and repeats the text of -e with the store")
    func provenance() throws {
        let laboratory = try LaboratoryBench(setup: false)
        let bench = laboratory.bench
        let path = laboratory.scratch.path + "/made.md"
        let report = "mt.report { '\(path)', title = 't', sections = { { 'A', 'b' } } }"
        try bench.interpreter.run(report, name: "=stdin")
        #expect(try text(path).contains("Made interactively"))
        #expect(try text(path).contains("| operating system |"))
        bench.interpreter.commandTexts = ["it's = 1"]
        try bench.interpreter.run(report, name: "=stdin")
        #expect(
            try text(path).contains(
                "mtrepl --store \(laboratory.scratch.path)/store -e 'it'\\''s = 1'"))
    }

    @Test("bars and points whose limits are the wrong way round are refused")
    func limits() throws {
        try LaboratoryBench(setup: false).bench.interpreter.run(
            """
            local fine, message = pcall(mt.plot.bars, { { "a", 1 }, { "b", 1, low = 2, high = 0 } })
            assert(not fine and message:find("bars[2]: low at most high expected, got 2.0 and 0.0", 1, true), message)
            fine, message = pcall(mt.plot.scatter, { { x = 1, y = 1, y_low = 2, y_high = 1 } })
            assert(not fine and message:find("points[1]: y_low at most y_high", 1, true), message)
            """, name: "=limits")
    }

    @Test("one rate for all arms, effects at every rate, and findings in reports")
    func rates() throws {
        let laboratory = try LaboratoryBench()
        let bench = laboratory.bench
        try bench.interpreter.run(
            Self.study.replacing("{ 1e-3 }", with: "{ 1e-3, 3e-3, 1e-2 }"), name: "=study")
        let path = laboratory.scratch.path + "/rates.md"
        try bench.interpreter.run(
            """
            local found = result:rates { value = "tasks" }
            local counts = { [1e-3] = 0, [3e-3] = 0, [1e-2] = 0 }
            for _, row in ipairs(result:rows()) do counts[row.learning_rate] = counts[row.learning_rate] + 1 end
            assert(found.values.lowest == counts[1e-3] and found.values.highest == counts[1e-2])
            assert(found.values.choices == 12 and #found.rows == 6)
            for _, rate in ipairs { 1e-3, 3e-3, 1e-2 } do
              local one, sum, control = result:with_rate(rate), 0, {}
              for _, row in ipairs(one:rows()) do
                assert(row.learning_rate == rate)
                if row.arm == "control" then control[row.seed] = row.tasks end
              end
              for _, row in ipairs(one:rows()) do
                if row.arm == "continued" then sum = sum + row.tasks - control[row.seed] end
              end
              for _, row in ipairs(found.rows) do
                if row.arm == "continued" then
                  local value = row[("at %s"):format(({ [1e-3] = "0.001", [3e-3] = "0.003", [1e-2] = "0.01" })[rate])].value
                  assert(math.abs(value - sum / 2) < 1e-12, rate)
                end
              end
            end
            assert(result:with_rate():rows()[1].learning_rate == found.values.common)
            local bad, message = pcall(result.with_rate, result, 0.5)
            assert(not bad and message:find("no finetuning of every arm at 0.5; known: 0.001, 0.003, 0.01", 1, true), message)
            mt.report { "\(path)", title = "t", sections = { { "Rates", found } } }
            """, name: "=rates")
        let markdown = try text(path)
        #expect(markdown.contains("Difference to control on tasks by learning rate of finetuning"))
        #expect(markdown.contains("| midtrained start 4 weight 0.2 |"))
        #expect(markdown.contains("| lowest |"))
    }

    @Test("figures of runs, results and similarities draw what tables say")
    func figures() throws {
        let laboratory = try LaboratoryBench()
        let bench = laboratory.bench
        try bench.interpreter.run(Self.study, name: "=study")
        try bench.interpreter.run(
            """
            local run = base:midtrain { from = 6, mixture = { prose = 0.5, code = 0.5 } }:open { name = "a" }
            run:train()
            local other = base:open { name = "b" }
            other:train()
            local svg = run:plot { other, title = "Two" }:svg()
            for _, text in ipairs { "Two", "midtrain", "training loss, nats a token", "step", ">a<", ">b<" } do
              assert(svg:find(text, 1, true), text)
            end
            local rows, sum, n = result:rows(), 0, 0
            for _, row in ipairs(rows) do
              if row.start == 4 and row.weight == 0.6 then sum, n = sum + row.tasks, n + 1 end
            end
            local map = result:plot { "tasks", rows = "start", columns = "weight" }
            local mean = ("%.3f"):format(sum / n)
            assert(map:svg():find(mean, 1, true), mean)
            assert(map:text():find(mean, 1, true), map:text())
            local close = mt.similarity { prose, code, metric = "words", documents = 20, bootstrap = 4 }
            assert(close:plot():svg():find(("%.2f"):format(close:matrix()[1][2].value), 1, true))
            local curves = result:curves()
            assert(curves:svg():find("midtrained start 4 weight 0.6", 1, true))
            """, name: "=figures")
    }

    @Test("figures of accuracies do not speak of losses, nor of finetuning where there was none")
    func accuracies() throws {
        let laboratory = try LaboratoryBench()
        let file = try laboratory.scratch.write(
            "sums.jsonl", #"{"q": "2 + 2 =", "right": "4", "wrong": ["5"]}"# + "\n")
        try laboratory.bench.interpreter.run(
            """
            local sums = mt.multiple_choice { "sums", files = "\(file)", prompt = "{q}", correct = " {right}",
              distractors = { " {wrong[1]}" } }
            local result = mt.study {
              arms = mt.grid { weight = { 0.2, 0.6 }, seed = { 1, 2 } },
              recipe = function(arm)
                return base:with { seed = arm.seed }:midtrain {
                  from = 4, mixture = { prose = 1 - arm.weight, code = arm.weight } }
              end,
              controls = { control = base }, evaluate = { prose }, tasks = { sums }, limit = 4,
            }:run()
            local plot, caption = result:plot { "sums", against = "control" }
            local svg = plot:svg()
            assert(svg:find("sums accuracy: difference to control", 1, true), svg)
            assert(svg:find("Δ against control, part of the questions", 1, true), svg)
            assert(caption:find("Above zero is better", 1, true) and not caption:find("loss", 1, true), caption)
            local _, losses = result:plot { "prose", against = "control" }
            assert(losses:find("prose test loss, nats a token; n = 2 seeds a bar", 1, true), losses)
            """, name: "=accuracies")
    }

    @Test("mistakes in plots and reports name the place")
    func mistakes() throws {
        let laboratory = try LaboratoryBench(setup: false)
        let bench = laboratory.bench
        for (code, expected) in [
            (
                "mt.plot.line { { x = { 1, 2 }, y = { 1 } } }",
                "series[1].y: 2 numbers expected, as x has, got 1"
            ),
            ("mt.plot.line { { x = { 1 }, yy = { 1 } } }", "unknown option 'series[1].yy'"),
            ("mt.plot.bars { { 'a' } }", "(in a figure) expected, but it is missing"),
            (
                "mt.plot.heatmap { { { 1 } }, rows = { 'a', 'b' }, columns = { 'c' } }",
                "rows: expected 1 names"
            ),
            ("mt.plot.lines {}", "mt.plot has no 'lines'; did you mean 'line'?"),
            (
                "mt.plot.bars { { 'a', 1 } }:save 'x.eps'",
                "a name that ends in .svg, .png, .pdf, .tikz, .csv or .gp"
            ),
            (
                "mt.report { 'x', title = 't', sections = { { 'h', { rows = {} } } } }",
                "sections[1][2]"
            ),
            (
                "mt.report { 'x', title = 't', sections = { { 'h', print } } }",
                "sections[1][2]: string, plot"
            ),
        ] {
            let error = bench.error(code)
            #expect(error.contains(expected), "\(code): \(error)")
        }
    }

    @Test("figures for papers: PDF and TikZ of a column's width, the same bytes each time")
    func papers() throws {
        let laboratory = try LaboratoryBench(setup: false)
        try laboratory.bench.interpreter.run(
            """
            local figures = {
              line = mt.plot.line { { name = "a_b & 50%", x = { 1, 2, 3 }, y = { 3.1, -2.9, 2.8 }, low = { 3, -3, 2.7 }, high = { 3.2, 3, 2.9 } },
                title = "Loss #1 {x}", x = "step", y = "Δ loss", marks = { { 2, "mid" } } },
              heat = mt.plot.heatmap { rows = { "200", "400" }, columns = { "0.1", "0.5" }, values = { { 1, -0.2 }, { 0.3, 0.4 } }, title = "Heat" },
              bars = mt.plot.bars { { "control", 3.2 }, { "midtrained", 2.9, low = 2.8, high = 3 } },
              points = mt.plot.scatter { { x = 0.01, y = 0.02, label = "flan" }, { x = 0.05, y = 0.04 }, { x = 0.1, y = 0.2 }, fit = true },
            }
            local function read(path)
              local file = assert(io.open(path, "rb"))
              local text = file:read "a"
              file:close() os.remove(path)
              return text
            end
            for name, figure in pairs(figures) do
              for columns, points in pairs { 234, 486 } do
                figure:save("f.pdf", { columns = columns })
                local pdf = read "f.pdf"
                assert(pdf:sub(1, 5) == "%PDF-", name)
                local width = tonumber(pdf:match "/MediaBox %[ 0 0 ([%d.]+)")
                assert(width and math.abs(width - points) <= 1, name .. " " .. tostring(width))
                figure:save("f.pdf", { columns = columns })
                assert(read "f.pdf" == pdf, name)
              end
              figure:save("f.tikz", { columns = 1 })
              local tikz = read "f.tikz"
              assert(tikz:find("\\\\begin{tikzpicture}", 1, true) == 1 and tikz:find("\\\\end{tikzpicture}", 1, true), name)
              local depth = 0
              for brace in tikz:gsub("\\\\[{}]", ""):gmatch "[{}]" do
                depth = depth + (brace == "{" and 1 or -1)
                assert(depth >= 0, name)
              end
              assert(depth == 0, name)
              assert(not tikz:find("nan") and not tikz:find("inf "), name)
            end
            figures.line:save "f.tikz"
            local tikz = read "f.tikz"
            assert(tikz:find("a\\\\_b \\\\& 50\\\\%", 1, true) and tikz:find("$\\\\Delta$ loss", 1, true), tikz)
            assert(tikz:find("Loss \\\\#1 \\\\{x\\\\}", 1, true) and tikz:find("rotate=90", 1, true))
            for _, wrong in ipairs { { columns = 5 }, { columns = 0 }, { columns = 1, column_width = 100 } } do
              assert(not pcall(figures.line.save, figures.line, "f.pdf", wrong))
            end
            """, name: "=papers")
    }
}
