extension Document {
    /// Where the text of templates stands within a part, counted from the part's beginning.
    package func templateText(within part: Range<Int>) -> [Range<Int>] {
        templateText.compactMap { range in
            let shared = range.clamped(to: part)
            return shared.isEmpty
                ? nil : shared.lowerBound - part.lowerBound..<shared.upperBound - part.lowerBound
        }
    }
}

extension Tokenizer {
    /// What a researcher should know of templates that hold the text of special tokens, which stays plain text.
    ///
    /// - Parameters:
    ///   - templates: The templates with their names.
    ///   - owner: What has the templates, such as a corpus.
    /// - Returns: `nil` if none does.
    package func notice(
        ofTemplates templates: [(name: String, template: Template)], of owner: String
    ) -> String? {
        for (name, template) in templates {
            for literal in template.literals {
                guard
                    let token = addedTokens.first(where: {
                        $0.special && literal.firstRange(of: Array($0.content.utf8)) != nil
                    })
                else { continue }
                return
                    "\(owner): \(name) holds \(token.content), a special token of the tokenizer, which is "
                    + "encoded as plain text; parse_special = true makes it id \(token.id)"
            }
        }
        return nil
    }
}
