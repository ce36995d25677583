/// A line at the prompt that is no Lua.
enum PromptCommand: Equatable {
    /// `?name` or `name?`.
    case help(String)
    /// `??name` or `name??`.
    case source(String)
    /// `$ command`.
    case shell(String)

    /// Reads a line; nil if it is Lua.
    init?(_ line: String) {
        let text = line.drop { $0.isWhitespace }
        if text.hasPrefix("$") {
            self = .shell(String(text.dropFirst()))
        } else if let match = text.wholeMatch(of: /(\?\??)\s*([A-Za-z_][\w.:]*)?\s*/) {
            let name = match.2.map(String.init) ?? "mt"
            self = match.1.count == 2 ? .source(name) : .help(name)
        } else if let match = text.wholeMatch(of: /([A-Za-z_][\w.:]*)\s*(\?\??)\s*/) {
            self = match.2.count == 2 ? .source(String(match.1)) : .help(String(match.1))
        } else {
            return nil
        }
    }
}
