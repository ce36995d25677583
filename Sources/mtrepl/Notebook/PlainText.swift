/// Text without what a terminal takes as colours.
enum PlainText {
    static func of(_ text: String) -> String {
        text.contains("\u{1b}") ? text.replacing(#/\u{1b}\[[0-9;]*m/#, with: "") : text
    }
}
