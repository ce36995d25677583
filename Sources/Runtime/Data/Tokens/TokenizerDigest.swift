import RuntimeSupport

/// The digest of everything that decides the ids of a text.
package struct TokenizerDigest {
    package let tokens: [[UInt8]]
    package let merges: [(left: Int32, right: Int32, result: Int32)]
    package let added: [Tokenizer.AddedToken]
    package let endOfText: Int32
    package let rules: TokenizerRules

    private var normalForms: [NormalForm] { rules.normalForms ?? [] }

    /// The digest in use.
    ///
    /// How added tokens are found and text is normalised enters only where the ids may differ from those that were
    /// made before they were followed exactly: other tokenizers keep the digest that stores know them by.
    package var present: Digest {
        var builder = former
        if !normalForms.isEmpty {
            builder.add("normal forms of Unicode 9.0")
            for form in normalForms { builder.add(form.rawValue) }
        }
        if !normalForms.isEmpty || !rules.isPlain || !isFoundInOnePass {
            builder.add("added tokens 2")
            for token in added {
                for flag in [
                    token.normalized, token.leftStrip, token.rightStrip, token.singleWord,
                ] {
                    builder.add(flag ? 1 : 0)
                }
            }
        }
        if !rules.isPlain { builder.add("rules 1\n\(rules.text)") }
        return builder.finish()
    }

    /// The digest that versions before those rules gave, by which their runs name the tokenizer.
    package var formerDigest: Digest { former.finish() }

    private var former: DigestBuilder {
        var builder = DigestBuilder("tokenizer 1")
        builder.add(WordPattern.source)
        builder.add(normalForms.isEmpty ? 0 : 1)
        builder.add(Int(endOfText))
        builder.add(tokens.count)
        for token in tokens { token.withUnsafeBytes { builder.add(bytes: $0) } }
        builder.add(merges.count)
        for merge in merges {
            builder.add(
                UInt64(UInt32(bitPattern: merge.left)) << 32
                    | UInt64(UInt32(bitPattern: merge.right)))
        }
        builder.add(added.count)
        for token in added {
            builder.add(Int(token.id))
            builder.add(token.content)
            builder.add(token.special ? 1 : 0)
        }
        if rules.isPlain, rules.prefixesSpace { builder.add("prefix space") }
        return builder
    }

    /// Whether a single search for the tokens that are not special finds what the search in two passes does.
    private var isFoundInOnePass: Bool {
        let found = added.filter { !$0.special }
        guard found.allSatisfy(\.isPlain), Set(found.map(\.normalized)).count <= 1 else {
            return false
        }
        // Special tokens hide those that begin within them, if both are looked for in the same pass.
        let hiding = added.filter { special in
            special.special && found.contains { $0.normalized == special.normalized }
        }
        return !hiding.contains { special in
            found.contains { Self.overlap(Array(special.content.utf8), Array($0.content.utf8)) }
        }
    }

    /// Whether some text holds both at places that overlap.
    private static func overlap(_ one: [UInt8], _ two: [UInt8]) -> Bool {
        func meets(_ one: [UInt8], _ two: [UInt8]) -> Bool {
            one.indices.contains { start in
                let count = min(one.count - start, two.count)
                return one[start..<start + count].elementsEqual(two[..<count])
            }
        }
        return meets(one, two) || meets(two, one)
    }
}
