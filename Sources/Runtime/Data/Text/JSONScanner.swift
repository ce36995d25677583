/// What is wrong with a piece of JSON, and at which byte of it.
package struct JSONFailure: Error {
    package let offset: Int
    package let reason: String

    package init(offset: Int, reason: String) { (self.offset, self.reason) = (offset, reason) }

    /// Nothing is wrong: reading was asked to stop.
    static let interruption = JSONFailure(offset: -1, reason: "interrupted")
    var isInterruption: Bool { offset < 0 }
}

/// A strict reader of JSON (RFC 8259) that builds nothing it is not asked for.
///
/// The bytes must be valid UTF-8 if the strings taken from them are to be.
package struct JSONScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes.bindMemory(to: UInt8.self) }

    /// The kinds of value, told apart by their first byte.
    package enum Kind: String {
        case object, array, string, number, boolean, null
    }

    package func failure(_ reason: String) -> JSONFailure {
        JSONFailure(offset: offset, reason: reason)
    }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0a, 0x0d: offset += 1
            default: return
            }
        }
    }

    /// The next byte that is not white space, without taking it; 0 at the end.
    private mutating func peek() -> UInt8 {
        skipSpace()
        return offset < bytes.count ? bytes[offset] : 0
    }

    private mutating func expect(_ byte: UInt8, _ what: String) throws(JSONFailure) {
        guard peek() == byte else { throw failure("expected \(what)\(found)") }
        offset += 1
    }

    private var found: String {
        guard offset < bytes.count else { return " but the text ends" }
        let byte = bytes[offset]
        return byte > 0x20 && byte < 0x7f ? ", found \"\(Character(UnicodeScalar(byte)))\"" : ""
    }

    /// The kind of the value that comes next.
    package mutating func kind() throws(JSONFailure) -> Kind {
        switch peek() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw failure("expected a JSON value\(found)")
        }
    }

    /// Throws unless only white space is left.
    package mutating func finish() throws(JSONFailure) {
        _ = peek()
        guard offset == bytes.count else { throw failure("expected the end\(found)") }
    }

    /// Calls `body` with each key, positioned at its value, which `body` must take or skip.
    package mutating func object(
        _ body: (borrowing [UInt8], inout JSONScanner) throws(JSONFailure) -> Void
    ) throws(JSONFailure) {
        try expect(UInt8(ascii: "{"), "an object")
        if peek() == UInt8(ascii: "}") {
            offset += 1
            return
        }
        var key: [UInt8] = []
        while true {
            key.removeAll(keepingCapacity: true)
            guard peek() == UInt8(ascii: "\"") else { throw failure("expected a key\(found)") }
            try string(into: &key)
            try expect(UInt8(ascii: ":"), "\":\" after a key")
            try body(key, &self)
            if peek() == UInt8(ascii: "}") {
                offset += 1
                return
            }
            try expect(UInt8(ascii: ","), "\",\" or \"}\"")
        }
    }

    /// Calls `body` at each element, which it must take or skip.
    package mutating func array(
        _ body: (inout JSONScanner) throws(JSONFailure) -> Void
    ) throws(JSONFailure) {
        try expect(UInt8(ascii: "["), "an array")
        if peek() == UInt8(ascii: "]") {
            offset += 1
            return
        }
        while true {
            try body(&self)
            if peek() == UInt8(ascii: "]") {
                offset += 1
                return
            }
            try expect(UInt8(ascii: ","), "\",\" or \"]\"")
        }
    }

    /// Passes over one value of any kind, checking it; nesting is limited to `depth`.
    package mutating func skip(depth: Int = 200) throws(JSONFailure) {
        guard depth > 0 else { throw failure("nested deeper than 200 levels") }
        switch try kind() {
        case .object:
            try object { (_, scanner) throws(JSONFailure) in try scanner.skip(depth: depth - 1) }
        case .array: try array { scanner throws(JSONFailure) in try scanner.skip(depth: depth - 1) }
        case .string:
            var ignored: [UInt8] = []
            try string(into: &ignored)
        case .number: _ = try number()
        case .boolean: _ = try boolean()
        case .null: try literal("null")
        }
    }

    /// Takes a value of any kind and gives it as it is written.
    package mutating func raw() throws(JSONFailure) -> String {
        skipSpace()
        let start = offset
        try skip()
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func literal(_ text: StaticString) throws(JSONFailure) {
        let count = text.utf8CodeUnitCount
        guard bytes.count - offset >= count,
            (0..<count).allSatisfy({ bytes[offset + $0] == text.utf8Start[$0] })
        else { throw failure("expected a JSON value") }
        offset += count
    }

    /// Takes `true` or `false`.
    package mutating func boolean() throws(JSONFailure) -> Bool {
        if peek() == UInt8(ascii: "t") {
            try literal("true")
            return true
        }
        try literal("false")
        return false
    }

    /// Takes a number.
    package mutating func number() throws(JSONFailure) -> Double {
        skipSpace()
        let start = offset
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let first = offset
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[first] != UInt8(ascii: "0") else {
            throw failure("expected a number")
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            guard digits() > 0 else { throw failure("expected digits after the decimal point") }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < bytes.count, bytes[offset] == 0x2b || bytes[offset] == 0x2d { offset += 1 }
            guard digits() > 0 else { throw failure("expected digits in the exponent") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard let value = Double(text) else { throw failure("expected a number") }
        return value
    }

    private mutating func digits() -> Int {
        let start = offset
        while offset < bytes.count, bytes[offset] >= 0x30, bytes[offset] <= 0x39 { offset += 1 }
        return offset - start
    }

    /// Takes a string, a number or a truth value and appends its text: numbers as they are written.
    package mutating func text(into output: inout [UInt8]) throws(JSONFailure) {
        let kind = try kind()
        if kind == .string { return try string(into: &output) }
        let start = offset
        if kind == .number { _ = try number() } else { _ = try boolean() }
        output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<offset]))
    }

    /// Takes a string and appends its UTF-8 bytes, escapes resolved.
    package mutating func string(into output: inout [UInt8]) throws(JSONFailure) {
        try expect(UInt8(ascii: "\""), "a string")
        while true {
            let start = offset
            while offset < bytes.count, bytes[offset] != 0x22, bytes[offset] != 0x5c,
                bytes[offset] >= 0x20
            {
                offset += 1
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<offset]))
            guard offset < bytes.count else { throw failure("the string does not end") }
            switch bytes[offset] {
            case 0x22:
                offset += 1
                return
            case 0x5c:
                offset += 1
                try escape(into: &output)
            default: throw failure("a control character stands unescaped in a string")
            }
        }
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONFailure) {
        guard offset < bytes.count else { throw failure("the string does not end") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "n"): output.append(10)
        case UInt8(ascii: "t"): output.append(9)
        case UInt8(ascii: "r"): output.append(13)
        case UInt8(ascii: "b"): output.append(8)
        case UInt8(ascii: "f"): output.append(12)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "u"):
            var value = try hexadecimal()
            if value & 0xfc00 == 0xd800 {
                guard offset + 1 < bytes.count, bytes[offset] == 0x5c, bytes[offset + 1] == 0x75
                else { throw failure("half of a surrogate pair stands alone") }
                offset += 2
                let low = try hexadecimal()
                guard low & 0xfc00 == 0xdc00 else {
                    throw failure("half of a surrogate pair stands alone")
                }
                value = 0x10000 + (value & 0x3ff) << 10 + (low & 0x3ff)
            }
            guard let scalar = UnicodeScalar(value) else {
                throw failure("half of a surrogate pair stands alone")
            }
            output.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        default: throw failure("\"\\\(Character(UnicodeScalar(byte)))\" is not an escape")
        }
    }

    private mutating func hexadecimal() throws(JSONFailure) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw failure("expected four hexadecimal digits") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(UnicodeScalar(bytes[offset])).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
