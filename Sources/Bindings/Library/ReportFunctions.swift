import Foundation
import Runtime

extension Library {
    /// Reports.
    package static var reports: Library { Library(functions: [report]) }

    private static var contentHelp: String {
        "A list: the heading, then in any order strings (paragraphs), plots, { plot, caption = … }, { frame, caption = … }, { columns = …, rows = …, caption = … } (a table), { code = … }, { list = … }, findings of analyses, results of studies and { result, parts = …, against = …, columns = … }."
    }

    private static var report: Function {
        Function(
            "report",
            "Writes a report as one HTML file (.html), as Markdown with a folder of figures (.md), or both into a folder. Equal content gives equal bytes.",
            [
                .options([
                    .path("path", "Where to.").item,
                    .string("title", "What stands at the top."),
                    .string("question", "What it is to answer.").optional,
                    Parameter("sections", .list(.table), "Its sections. " + contentHelp),
                ])
            ], returns: "list of strings: the files written",
            example: """
                mt.report { os.tmpname() .. ".html", title = "A trial", sections = {
                  { "Findings", "The loss fell.", { columns = { "arm", "loss" }, rows = { { "control", 2.31 } }, caption = "Losses." },
                    { mt.plot.bars { { "control", 2.31 } }, caption = "The loss." } },
                } }
                """
        ) { call in
            let options = try call.options()
            var document = ReportDocument(title: try options.string("title"))
            if let question = try options.string(ifPresent: "question") {
                document.section("Question", [.paragraph(question)])
            }
            try add(try options.table("sections").items, to: &document, call)
            document.section("How to reproduce", provenance(call))
            try write(document, try options.string("path"), call)
        }
    }

    static var resultReportMethod: Method<ResultBox> {
        Method(
            "report",
            "Writes a report of the study: question, recipe, exposure, losses with n and intervals, paired effects, figures, exclusions, state keys, the command to reproduce it, and the environment. As `mt.report` does, one HTML file, Markdown, or both.",
            [
                .path("path", "Where to: a name ending in .html or .md, or a folder."),
                .options([
                    .string("title", "What stands at the top.").or("Study"),
                    .string("question", "What it is to answer.").optional,
                    .string("against", "The reference's name; default: control, if there is one.")
                        .optional,
                    .strings("columns", "Columns to compare; default: the losses of all corpora.")
                        .optional,
                    Parameter(
                        "sections", .list(.table),
                        "Further sections, before the exclusions. " + contentHelp
                    ).optional,
                ]),
            ], returns: "list of strings: the files written"
        ) { box, call in
            let options = try call.options()
            var document = ReportDocument(title: try options.string("title"))
            if let question = try options.string(ifPresent: "question") {
                document.section("Question", [.paragraph(question)])
            }
            let study = try StudyReport(
                box.result, against: try options.string(ifPresent: "against"),
                columns: try options.strings(ifPresent: "columns"),
                store: try call.interpreter.session.store())
            document.blocks += try study.blocks(
                [.recipe, .exposure, .losses, .comparison, .surface, .curves], level: 1)
            try add(try options.table(ifPresent: "sections")?.items ?? [], to: &document, call)
            document.blocks += try study.blocks([.exclusions, .keys], level: 1)
            document.section("How to reproduce", provenance(call))
            try write(document, try call.string("path"), call)
        }
    }

    private static func write(_ document: ReportDocument, _ path: String, _ call: Call) throws {
        let session = call.interpreter.session
        guard !path.isEmpty else { throw call.mistake("path", "a name expected, got \"\"") }
        let written = try session.working {
            try document.write(path, allow: call.interpreter.checkPath, stop: session.stop)
        }
        if let warning = written.warning {
            call.interpreter.settings.report(.line("warning: \(path) has no figures: \(warning)"))
        }
        try call.returns(written.files)
    }

    /// The command and the environment.
    private static func provenance(_ call: Call) -> [ReportDocument.Block] {
        let interpreter = call.interpreter
        let script =
            interpreter.scriptName == "mtrepl"
            ? [] : [interpreter.scriptName] + interpreter.arguments
        let words =
            ["mtrepl"] + (interpreter.settings.store.map { ["--store", $0] } ?? [])
            + interpreter.commandTexts.flatMap { ["-e", $0] } + script
        let isCommand =
            script.first != "-" && (!script.isEmpty || !interpreter.commandTexts.isEmpty)
        let plain = CharacterSet(
            charactersIn:
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%")
        let command = words.map { word in
            !word.isEmpty && word.unicodeScalars.allSatisfy(plain.contains)
                ? word : "'" + word.replacing("'", with: "'\\''") + "'"
        }.joined(separator: " ")
        var table = TextTable(["environment", ""])
        table.append(["mtrepl", Version.text])
        table.append(["numerics version", "\(Numerics.version)"])
        table.append(["processor and BLAS kernels", Numerics.processor])
        table.append(["operating system", ProcessInfo.processInfo.operatingSystemVersionString])
        if let gnuplot = Gnuplot.version(stop: interpreter.session.stop) {
            table.append(["gnuplot", gnuplot])
        }
        return [
            isCommand
                ? .code(command)
                : .paragraph(
                    "Made interactively, at the prompt, in a notebook or from standard input: there is no command to repeat. What was entered is in the session's log or the notebook."
                        + (interpreter.settings.store.map { " The store is \($0)." } ?? "")),
            .table(
                table,
                caption:
                    "Equal versions, numerics and processor give equal bits, on any number of threads; figures are gnuplot's. What the store holds is not trained again."
            ),
        ]
    }

    // MARK: - Sections

    private static func add(_ sections: [Value], to document: inout ReportDocument, _ call: Call)
        throws
    {
        for (index, section) in sections.enumerated() {
            guard case .table(let section) = section else { throw UnknownName(name: "sections") }
            let place = "sections[\(index + 1)]"
            guard let heading = section.items.first?.stringValue, section.fields.isEmpty else {
                throw call.mistake(
                    "options", "\(place): a list that begins with the heading expected")
            }
            var blocks: [ReportDocument.Block] = []
            for (number, item) in section.items.enumerated().dropFirst() {
                blocks += try content(item, "\(place)[\(number + 1)]", call)
            }
            document.section(heading, blocks)
        }
    }

    private static func content(
        _ value: Value, _ place: String, _ call: Call
    ) throws -> [ReportDocument.Block] {
        switch value {
        case .string(let text): return [.paragraph(text)]
        case .object(let reference):
            if let box: PlotBox = reference.get() {
                return [.figure(box.plot, caption: box.plot.title)]
            }
            if let box: ResultBox = reference.get() {
                return try study(box, Table(), place, call)
            }
            if let box: FindingBox = reference.get() { return box.finding.blocks }
            if let frame: Frame = reference.get() {
                return [.table(frame.textTable(), caption: "")]
            }
            throw call.mistake(
                "options",
                "\(place): plot, finding, frame or result expected, got \(value.summary)")
        case .table(let table): return try content(table, place, call)
        default:
            throw call.mistake(
                "options",
                "\(place): string, plot, finding, frame, result or table expected, got \(value.summary)"
            )
        }
    }

    private static func content(
        _ table: Table, _ place: String, _ call: Call
    ) throws -> [ReportDocument.Block] {
        let allowed: [String]
        var blocks: [ReportDocument.Block] = []
        let caption = table["caption"]?.stringValue ?? ""
        if case .object(let reference)? = table.items.first {
            if let box: PlotBox = reference.get() {
                allowed = ["caption"]
                blocks = [.figure(box.plot, caption: caption)]
            } else if let frame: Frame = reference.get() {
                allowed = ["caption"]
                blocks = [.table(frame.textTable(), caption: caption)]
            } else if let box: ResultBox = reference.get() {
                allowed = ["parts", "against", "columns"]
                blocks = try study(box, table, place, call)
            } else {
                throw call.mistake("options", "\(place): plot, frame or result expected")
            }
        } else if let code = table["code"]?.stringValue {
            allowed = ["code"]
            blocks = [.code(code)]
        } else if case .table(let list)? = table["list"] {
            allowed = ["list"]
            blocks = [.list(list.items.map(cell))]
        } else if case .table(let columns)? = table["columns"],
            case .table(let rows)? = table["rows"]
        {
            allowed = ["columns", "rows", "caption"]
            var result = TextTable(columns.items.map(cell))
            for (index, row) in rows.items.enumerated() {
                guard case .table(let row) = row, row.items.count <= columns.items.count else {
                    throw call.mistake(
                        "options",
                        "\(place): rows[\(index + 1)]: a list of at most \(columns.items.count) cells expected"
                    )
                }
                result.append(row.items.map(cell))
            }
            blocks = [.table(result, caption: caption)]
        } else {
            throw call.mistake(
                "options",
                "\(place): { plot }, { frame }, { result }, { columns = …, rows = … }, { code = … } or { list = … } expected"
            )
        }
        if let odd = table.fields.first(where: { !allowed.contains($0.key) }) {
            throw call.mistake(
                "options",
                "\(place): unknown option '\(odd.key)'\(NearestName.hint(odd.key, among: allowed, listing: true))"
            )
        }
        return blocks
    }

    private static func study(
        _ box: ResultBox, _ table: Table, _ place: String, _ call: Call
    ) throws -> [ReportDocument.Block] {
        func names(_ name: String) throws -> [String]? {
            switch table[name] {
            case nil: return nil
            case .string(let text)?: return [text]
            case .table(let list)?:
                let texts = list.items.compactMap(\.stringValue)
                guard texts.count == list.items.count else { break }
                return texts
            default: break
            }
            throw call.mistake("options", "\(place).\(name): a list of strings expected")
        }
        let known = StudyReport.Part.allCases.map(\.rawValue)
        let parts = try (names("parts") ?? ["losses", "comparison"]).map { name in
            guard let part = StudyReport.Part(rawValue: name) else {
                throw call.mistake(
                    "options",
                    "\(place).parts: one of \(known.joined(separator: ", ")) expected, got \"\(name)\"\(NearestName.hint(name, among: known, listing: true))"
                )
            }
            return part
        }
        return try StudyReport(
            box.result, against: try names("against")?.first, columns: try names("columns"),
            store: try call.interpreter.session.store()
        ).blocks(parts, level: 2)
    }

    /// A cell of a table: numbers in at most six digits, flags as words.
    private static func cell(_ value: Value) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .number(let number): String(format: "%.6g", number)
        case .boolean(let flag): flag ? "yes" : "no"
        case .null: ""
        default: value.summary
        }
    }
}
