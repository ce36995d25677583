/// The elements of a JSON array, or JSON values one after another; memory is bounded by the longest.
///
/// Only where an element ends is found here; whether it is valid is for its reader to say.
package struct JSONArrayReader: ~Copyable {
    private enum State {
        case beginning, first, after, sequence, ended
    }

    private var window: ByteWindow
    private let file: String
    private var state = State.beginning
    private var newlines = 0
    /// The line at which the element last returned begins, from 1.
    package private(set) var line = 1

    /// Reads from `input`; an element longer than `limit` bytes is an error naming `file`.
    package init(_ input: any ByteInput, file: String, limit: Int) {
        window = ByteWindow(input, file: file, limit: limit)
        self.file = file
    }

    /// Bytes of the file read so far.
    package var consumed: Int { window.consumed }

    private func failure(_ reason: String) -> TextError {
        TextError(file, line: newlines + 1, reason)
    }

    /// The next byte that is not white space, not taken; `nil` at the end of the file.
    private mutating func peek() throws -> UInt8? {
        while true {
            var index = 0
            while index < window.count {
                let byte = window[index]
                guard byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d else {
                    _ = window.take(index)
                    if byte == ByteWindow.mark[0], state == .beginning || state == .sequence,
                        try window.skipMark(line: newlines + 1) > 0
                    {
                        index = 0
                        continue
                    }
                    return byte
                }
                if byte == 0x0a { newlines += 1 }
                index += 1
            }
            _ = window.take(index)
            guard try window.fill(line: newlines + 1) else { return nil }
        }
    }

    /// The next element, valid until the following call; `nil` at the end.
    ///
    /// - Throws: `TextError` naming file and line when the file is not an array of elements divided by commas, and no
    ///   sequence of objects either.
    package mutating func next() throws -> UnsafeRawBufferPointer? {
        var byte = try peek()
        if state == .beginning {
            if byte == nil { return nil }
            if byte == UInt8(ascii: "[") {
                _ = window.take(1)
                state = .first
                byte = try peek()
            } else if byte == UInt8(ascii: "{") {
                state = .sequence
            } else {
                throw failure("expected a JSON array of records, or records one after another")
            }
        }
        if state == .first || state == .after, byte == UInt8(ascii: "]") {
            _ = window.take(1)
            state = .ended
            byte = try peek()
        }
        switch state {
        case .ended:
            guard byte == nil else { throw failure("expected the end of the file after \"]\"") }
            return nil
        case .after:
            guard byte == nil || byte == UInt8(ascii: ",") else {
                throw failure("expected \",\" or \"]\" after an element")
            }
            if byte != nil {
                _ = window.take(1)
                byte = try peek()
            }
        case .sequence where byte == nil: return nil
        default: break
        }
        guard let byte else { throw failure("the file ends within the array") }
        if state != .sequence {
            guard byte != UInt8(ascii: "]"), byte != UInt8(ascii: ",") else {
                throw failure("expected a JSON value after \",\"")
            }
            state = .after
        }
        line = newlines + 1
        return try element(byte)
    }

    /// Takes the element that begins with `first`.
    private mutating func element(_ first: UInt8) throws -> UnsafeRawBufferPointer {
        var depth = 0
        var inString = false
        var isEscaped = false
        var index = 0
        while true {
            while index < window.count {
                let byte = window[index]
                index += 1
                if byte == 0x0a { newlines += 1 }
                if inString {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == 0x5c {
                        isEscaped = true
                    } else if byte == 0x22 {
                        inString = false
                        if depth == 0 { return try take(index) }
                    }
                    continue
                }
                switch byte {
                case 0x22: inString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { return try take(index) }
                    if depth < 0 { return try scalar(index - 1) }
                case UInt8(ascii: ","), 0x20, 0x0a, 0x0d, 0x09:
                    guard depth == 0 else { continue }
                    // A number or a word ends before this byte, which is still to come.
                    if byte == 0x0a { newlines -= 1 }
                    return try scalar(index - 1)
                default: break
                }
            }
            guard try window.fill(line: line) else {
                if depth == 0, !inString { return try take(index) }
                throw TextError(
                    file, line: line, "the file ends within the element that begins here")
            }
        }
    }

    private mutating func scalar(_ length: Int) throws -> UnsafeRawBufferPointer {
        guard length > 0 else { throw failure("expected a JSON value") }
        return try take(length)
    }

    private mutating func take(_ length: Int) throws -> UnsafeRawBufferPointer {
        try window.check(length, line: line)
        return window.take(length)
    }
}
