import CPCRE2

/// A regular expression of PCRE2 with Unicode properties, compiled to machine code where PCRE2 can.
final class PCREPattern: @unchecked Sendable {
    // Compiled patterns are immutable; each match uses match data of its own.
    private let code: OpaquePointer

    /// Compiles `pattern`.
    ///
    /// - Throws: `InvalidValue` with PCRE2's reason.
    init(_ pattern: String) throws {
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

    /// Calls `body` with the range of each match in `text`, which must be valid UTF-8.
    func forEachMatch(_ text: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void) throws {
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
