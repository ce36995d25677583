import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Report documents") struct ReportDocumentTests {
    private func document() -> ReportDocument {
        var table = TextTable(["arm", "loss | <nats>"])
        table.append(["a|b", "1.5"])
        table.append(["<i>*c*</i>", "−2"])
        var document = ReportDocument(title: "A <trial> & more")
        document.section(
            "Findings",
            [
                .paragraph("Less than < and & and `code`."), .table(table, caption: "Losses."),
                .figure(
                    Plot(
                        title: "Bars",
                        BarPlot(bars: [.init(label: "x", value: Interval(1))], label: "y")),
                    caption: "Bars & whiskers."),
                .code("mtrepl '<a>' ```"), .list(["one", "# two"]),
            ])
        return document
    }

    @Test("HTML needs no other file, escapes what others wrote, and is the same bytes every time")
    func html() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/a/report.html"
        #expect(try document().write(path).files == [path])
        let first = try FileReader.text(path)
        var before = stat()
        stat(path, &before)
        _ = try document().write(path)
        var after = stat()
        stat(path, &after)
        #expect(before.st_ino == after.st_ino, "an unchanged file was written again")
        #expect(first.contains("<title>A &lt;trial&gt; &amp; more</title>"))
        #expect(first.contains("<td>&lt;i&gt;*c*&lt;/i&gt;</td><td class=\"n\">−2</td>"))
        #expect(first.contains("<figcaption>Figure 1. Bars &amp; whiskers.</figcaption>"))
        #expect(first.contains("<svg"))
        #expect(!first.contains("<?xml") && !first.contains("http-equiv"))
        #expect(first.ranges(of: /(src|href)="http/).isEmpty)
        try FileManager.default.removeItem(atPath: path)
        _ = try document().write(path)
        #expect(try FileReader.text(path) == first)
    }

    @Test("ids of two figures in a page differ")
    func ids() throws {
        var twice = document()
        twice.blocks += document().blocks
        let scratch = try Scratch()
        _ = try twice.write(scratch.path + "/report.html")
        let html = try FileReader.text(scratch.path + "/report.html")
        let ids = html.matches(of: /\bid=['"]([^'"]*)['"]/).map { String($0.1) }
        #expect(!ids.isEmpty && Set(ids).count == ids.count)
        for match in html.matches(of: /(?:xlink:href=['"]|url\()#([^'")]*)/) {
            #expect(ids.contains(String(match.1)), "\(match.1)")
        }
    }

    @Test("Markdown has its figures beside it, and nothing that others wrote is markup")
    func markdown() throws {
        let scratch = try Scratch()
        let files = try document().write(scratch.path + "/report.md").files
        #expect(files == ["report.md", "report-figures/1.svg"].map { scratch.path + "/" + $0 })
        let text = try FileReader.text(files[0])
        #expect(text.hasPrefix("# A \\<trial\\> \\& more\n"))
        #expect(text.contains("| a\\|b | 1.5 |"))
        #expect(text.contains("| arm | loss \\| \\<nats\\> |\n| --- | --: |"))
        #expect(text.contains("![Bars](<report-figures/1.svg>)"))
        #expect(text.contains("````\nmtrepl '<a>' ```\n````"))
        #expect(text.contains("- \\# two"))
    }
}
