/// The parts of a path, by its text alone.
///
/// Foundation's own stop the process on a path of one character.
public enum PathName {
    /// What holds the last part: "a/b" for "a/b/c", "" for "c", "/" for "/c"; slashes at the end do not count.
    public static func parent(_ path: String) -> String {
        let whole = trimmed(path[...])
        guard let slash = whole.lastIndex(of: "/") else { return "" }
        let parent = trimmed(whole[..<slash])
        return parent.isEmpty ? "/" : String(parent)
    }

    /// The last part: "c" for "a/b/c".
    public static func last(_ path: String) -> String {
        let whole = trimmed(path[...])
        guard let slash = whole.lastIndex(of: "/") else { return String(whole) }
        return String(whole[whole.index(after: slash)...])
    }

    /// What follows the last dot of the last part, without it; "" for "c", "c." and ".c".
    public static func type(_ path: String) -> String {
        let name = last(path)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[name.index(after: dot)...])
    }

    /// The path without its type and the dot before it.
    public static func stem(_ path: String) -> String {
        let type = type(path)
        return type.isEmpty ? path : String(trimmed(path[...]).dropLast(type.count + 1))
    }

    private static func trimmed(_ path: Substring) -> Substring {
        var path = path
        while path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
