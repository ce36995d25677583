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
    /// Pixels of the PNG file for each pixel of a page.
    public var pngScale = 1
    /// What is shown later under the same name takes its place, where that can be.
    public var id: String?

    /// Creates an output.
    public init(text: String, html: String? = nil, svg: String? = nil, png: Data? = nil) {
        (self.text, self.html, self.svg, self.png) = (text, html, svg, png)
    }

    /// The size that the PNG file has on a page, if it is not one pixel for each of its own: without it, front ends would
    /// show a finer picture larger.
    public var pngSize: (width: Int, height: Int)? {
        guard pngScale > 1, let pixels = pngPixels else { return nil }
        return (pixels.width / pngScale, pixels.height / pngScale)
    }

    /// The pixels of the PNG file; `nil` without one.
    public var pngPixels: (width: Int, height: Int)? {
        guard let png, png.count >= 24 else { return nil }
        // The header of the first chunk, IHDR, begins at byte 8; width and height follow it.
        func number(_ offset: Int) -> Int {
            png.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        return (number(16), number(20))
    }
}

extension Interpreter {
    /// Shows something, in order with `print`: as text, unless the host (session log, kernel) can do better.
    package func show(_ output: RichOutput) { settings.report(.output(output)) }
}
