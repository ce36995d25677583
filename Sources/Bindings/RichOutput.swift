import Foundation

/// One thing shown to the researcher in several forms; who shows it takes the richest that it can.
public struct RichOutput: Sendable {
    /// For a terminal, and for whoever shows nothing else.
    public var text: String
    /// A fragment of HTML.
    public var html: String?
    /// A whole SVG document.
    public var svg: String?
    /// A PNG file.
    public var png: Data?
    /// What is shown later under the same name takes its place, where that can be.
    public var id: String?

    /// Creates an output.
    public init(text: String, html: String? = nil, svg: String? = nil, png: Data? = nil) {
        (self.text, self.html, self.svg, self.png) = (text, html, svg, png)
    }
}

extension Interpreter {
    /// Shows something, in order with `print`: as text, unless the host (session log, kernel) can do better.
    func show(_ output: RichOutput) { settings.report(.output(output)) }
}
