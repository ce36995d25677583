import Runtime

/// A value of a notebook's file with its place, for reading that names what is wrong.
struct JSONField {
    let file: String
    /// Such as `cells[3].outputs[0].text`; empty for the whole.
    let place: String
    let value: JSON

    /// Reads a file.
    ///
    /// - Throws: `FileError`; `NotebookError` naming line and column.
    init(file: String) throws {
        let bytes = try FileReader.bytes(file, limit: 1 << 30)
        do {
            value = try JSON(reading: bytes)
        } catch {
            let before = bytes[..<min(error.offset, bytes.count)]
            let line = before.count { $0 == 10 } + 1
            let column = before.count - (before.lastIndex(of: 10) ?? -1)
            throw NotebookError(
                "\(file):\(line)", "column \(column): not a notebook: \(error.reason)")
        }
        (self.file, place) = (file, "")
    }

    /// Reads a text that stands in a line of a file; an empty one has no fields.
    ///
    /// - Throws: `NotebookError` naming the line.
    init(text: String, file: String, line: Int) throws {
        (self.file, place) = ("\(file):\(line)", "")
        do { value = text.isEmpty ? [:] : try JSON(reading: Array(text.utf8)) } catch {
            throw NotebookError("\(file):\(line)", "not JSON: \(error.reason)")
        }
    }

    private init(_ file: String, _ place: String, _ value: JSON) {
        (self.file, self.place, self.value) = (file, place, value)
    }

    /// The error that something else was expected here.
    func expected(_ what: String) -> NotebookError {
        let head = place.isEmpty ? "not a notebook" : place
        return NotebookError(file, "\(head): \(what) expected, got \(value.words)")
    }

    /// A field that may be missing or null.
    func optional(_ key: String) throws -> JSONField? {
        guard value.fields != nil else { throw expected("an object") }
        guard let field = value[key], field != .null else { return nil }
        return JSONField(file, place.isEmpty ? key : "\(place).\(key)", field)
    }

    /// A field that must be there.
    func required(_ key: String) throws -> JSONField {
        guard let field = try optional(key) else {
            throw NotebookError(file, "\(place.isEmpty ? key : "\(place).\(key)"): it is missing")
        }
        return field
    }

    func object() throws -> JSON {
        guard value.fields != nil else { throw expected("an object") }
        return value
    }

    /// The elements of a list.
    func elements() throws -> [JSONField] {
        guard case .array(let items) = value else { throw expected("a list") }
        return items.enumerated().map { JSONField(file, "\(place)[\($0)]", $1) }
    }

    func string() throws -> String {
        guard case .string(let text) = value else { throw expected("a text") }
        return text
    }

    func boolean() throws -> Bool {
        guard case .boolean(let flag) = value else { throw expected("true or false") }
        return flag
    }

    func integer(_ range: ClosedRange<Int>) throws -> Int {
        guard case .integer(let number) = value, range.contains(number) else {
            throw expected("an integer in \(range.lowerBound) ... \(range.upperBound)")
        }
        return number
    }

    func number(_ range: ClosedRange<Double>) throws -> Double {
        let found: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .number(let text): Double(text)
            default: nil
            }
        guard let found, range.contains(found) else {
            throw expected("a number in \(range.lowerBound) ... \(range.upperBound)")
        }
        return found
    }

    /// A text that may be a list of its pieces.
    func lines() throws -> String {
        switch value {
        case .string(let text): return text
        case .array: return try elements().map { try $0.string() }.joined()
        default: throw expected("a text or a list of texts")
        }
    }
}
