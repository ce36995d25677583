import CPCRE2
import RuntimeSupport

/// A regular expression of PCRE2 with Unicode properties, compiled to machine code where PCRE2 can.
package final class PCREPattern: @unchecked Sendable {
    // Compiled patterns are immutable; each match uses match data of its own.
    private let code: OpaquePointer

    /// Compiles `pattern`.
    ///
    /// - Throws: `InvalidValue` with PCRE2's reason.
    package init(_ pattern: String) throws {
        var status: Int32 = 0
        var offset = 0
        let bytes = Array(pattern.utf8)
        guard
            let code = pcre2_compile_8(
                bytes, bytes.count, UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP), &status, &offset, nil)
        else {
            var text = [UInt8](repeating: 0, count: 256)
            pcre2_get_error_message_8(status, &text, text.count)
            let reason = String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
            throw InvalidValue("pattern", expected: "a regular expression", found: reason)
        }
        self.code = code
        // Without JIT matching is slower and the same.
        pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
    }

    deinit { pcre2_code_free_8(code) }

    /// Every match in `text`, from left to right and without overlap, as the ranges of the whole and of each group.
    ///
    /// A group that took no part has `nil`. An empty match may follow one that is not, as in Python's `re`.
    ///
    /// - Throws: `InvalidValue` when PCRE2 gives up on a match.
    package func matches(_ text: [UInt8]) throws -> [[Range<Int>?]] {
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else {
            throw InvalidValue("memory", expected: "room to match a pattern", found: "none")
        }
        defer { pcre2_match_data_free_8(data) }
        var found: [[Range<Int>?]] = []
        var start = 0
        var flags: UInt32 = 0
        while start <= text.count {
            let status = text.withUnsafeBufferPointer {
                // An empty array has no address, which PCRE2 takes for no text.
                pcre2_match_8(code, $0.baseAddress, $0.count, start, flags, data, nil)
            }
            if status == PCRE2_ERROR_NOMATCH {
                guard flags != 0, start < text.count else { break }
                // After an empty match nothing else begins here; the next character is tried.
                let length = text.withUnsafeBytes { UTF8Check.sequenceLength($0, start) }
                start += max(1, length)
                flags = 0
                continue
            }
            guard status > 0, let vector = pcre2_get_ovector_pointer_8(data) else {
                throw InvalidValue("text", expected: "a match", found: "PCRE2 error \(status)")
            }
            let groups = (0..<Int(pcre2_get_ovector_count_8(data))).map { index in
                // A group that took no part has the largest number twice.
                vector[2 * index] > text.count || index >= Int(status)
                    ? nil : vector[2 * index]..<max(vector[2 * index], vector[2 * index + 1])
            }
            found.append(groups)
            let isEmpty = vector[0] == vector[1]
            start = vector[1]
            flags = isEmpty ? UInt32(PCRE2_NOTEMPTY_ATSTART) | UInt32(PCRE2_ANCHORED) : 0
        }
        return found
    }

    /// The text without every match.
    ///
    /// - Throws: as `matches`.
    package func removed(from text: [UInt8]) throws -> [UInt8] {
        var result: [UInt8] = []
        var kept = 0
        for case let range?? in try matches(text).map(\.first) {
            result += text[kept..<max(kept, range.lowerBound)]
            kept = max(kept, range.upperBound)
        }
        return result + text[kept...]
    }

    /// Calls `body` with the range of each match in `text`, which must be valid UTF-8.
    package func forEachMatch(_ text: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void) throws {
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else {
            throw InvalidValue("memory", expected: "room to match a pattern", found: "none")
        }
        defer { pcre2_match_data_free_8(data) }
        let bytes = text.bindMemory(to: UInt8.self)
        guard let vector = pcre2_get_ovector_pointer_8(data) else { return }
        var start = 0
        var flags: UInt32 = 0
        while start < bytes.count {
            let status = pcre2_match_8(
                code, bytes.baseAddress, bytes.count, start, flags, data, nil)
            if status == PCRE2_ERROR_NOMATCH { return }
            guard status > 0 else {
                throw InvalidValue("text", expected: "UTF-8", found: "PCRE2 error \(status)")
            }
            body(vector[0]..<vector[1])
            start = max(vector[1], start + 1)
            // The first call has checked the whole text.
            flags = UInt32(PCRE2_NO_UTF_CHECK)
        }
    }
}
