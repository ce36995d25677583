import Bindings
import Foundation
import TestSupport
import Testing

@Suite("Corpora in Lua") struct CorpusTests {
    /// Runs a script in a folder with a file of records, whose field `lang` is python for every third.
    private func run(_ script: String) throws {
        let scratch = try Scratch()
        try scratch.write(
            "mixed.jsonl",
            (1...300).map { number in
                """
                {"text": "text number \(number) of all\\n", "lang": "\(number % 3 == 0 ? "python" : "lua")", \
                "split": "of the record", "big": 9007199254740993, "note": null, "meta": {"tags": ["a", "t\(number % 2)"]}}

                """
            }.joined())
        try scratch.write(
            "script.lua",
            """
            function raises(body, ...)
              local good, problem = pcall(body)
              assert(not good, "no error")
              for _, part in ipairs { ... } do
                assert(tostring(problem):find(part, 1, true), tostring(problem) .. " lacks " .. part)
              end
            end
            function mixed(options)
              options = options or {}
              options.name = options.name or "mixed"
              options.files, options.valid_fraction, options.test_fraction = "mixed.jsonl", 0.1, 0.1
              return mt.corpus(options)
            end
            \(script)
            """)
        let outcome = try Program.run(["--store", "store", "script.lua"], in: scratch.path)
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    }

    @Test("documents are counted from 1 over all splits, from -1 at the end, and nil beyond")
    func indices() throws {
        try run(
            """
            local corpus = mixed()
            assert(#corpus == 300)
            for _, i in ipairs { 1, 300, 2, 7 } do
              local d = corpus[i]
              assert(d.text == "text number " .. i .. " of all\\n" and d.index == i)
              assert(d.location == "mixed.jsonl:" .. i, d.location)
              -- The corpus's split, not the record's field of that name; other fields as they are.
              assert(d.split == "train" or d.split == "valid" or d.split == "test")
              assert(d.lang == (i % 3 == 0 and "python" or "lua") and d.note == nil)
              assert(d.big == 9007199254740993 and math.type(d.big) == "integer")
              assert(d.meta.tags[2] == "t" .. i % 2)
            end
            assert(corpus[-1].index == 300 and corpus[-300].index == 1)
            assert(corpus[301] == nil and corpus[math.maxinteger] == nil and corpus[-301] == nil)
            assert(corpus[math.mininteger] == nil)
            local counts = { train = 0, valid = 0, test = 0 }
            for i, d in ipairs(corpus) do counts[d.split] = counts[d.split] + 1 assert(d.index == i) end
            local summary = corpus:summary()
            for split, count in pairs(counts) do assert(summary[split].documents == count) end
            raises(function() return corpus[0] end, "count from 1", "got 0")
            raises(function() return corpus[1.5] end, "integer expected", "1.5")
            raises(function() return corpus.first end, "no field or method 'first'")
            local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 3000 }
            assert(tasks[1].text == tasks[1].prompt .. tasks[1].response and #tasks[1].prompt > 0)
            """)
    }

    @Test("samples are decided by the seed, nested, and of one split if asked")
    func samples() throws {
        try run(
            """
            local corpus = mixed()
            local large, small = corpus:sample(20, { seed = 4 }), corpus:sample(5, { seed = 4 })
            for i, d in ipairs(small) do assert(d.index == large[i].index and d.text == corpus[d.index].text) end
            for _, d in ipairs(corpus:sample(1000, { split = "valid" })) do assert(d.split == "valid") end
            assert(#corpus:sample(1000) == 300)
            local first, drawn = corpus:documents(3, "train"), corpus:documents(3, "train", { seed = 2 })
            assert(#drawn == 3 and table.concat(first) ~= table.concat(drawn))
            assert(corpus:documents(3, "train", { seed = 2 })[3] == drawn[3])
            raises(function() corpus:sample(0) end, "count")
            raises(function() corpus:sample(2, { sede = 1 }) end, "sede", "seed")
            """)
    }

    @Test("where and filter choose alike, are keyed by what remains, and say what keeps nothing")
    func choice() throws {
        try run(
            """
            local function digest(corpus) return corpus:summary().train.digest end
            local a = mixed { where = { lang = "python" } }
            local b = mixed():filter(function(d) return d.lang == "python" end, { name = "b" })
            local c = mixed { filter = function(d) return d.index % 3 == 0 end }
            assert(digest(a) == digest(b) and digest(b) == digest(c) and digest(a) ~= digest(mixed()))
            assert(#a == 100 and #b == 100 and b.name == "b" and c.name == "mixed")
            assert(b[2].text == a[2].text and b[1].index == 1 and b[1].location == "mixed.jsonl:3")
            assert(#mixed { where = { lang = { "python", "lua" } } } == 300)
            assert(#mixed { where = { ["meta.tags[]"] = "t1", lang = "python" } } == 50)
            assert(#mixed { where = { big = 9007199254740993 } } == 300)
            -- A filter of a union of what was chosen.
            local both = mt.corpus { "both", corpora = { a, mixed { name = "rest", where = { lang = "lua" } } } }
            assert(#both == 300 and #both:filter(function(d) return d.lang == "lua" end, { name = "l" }) == 200)
            raises(function() mixed():filter(function() end) end, "keeps none of the", "train split")
            raises(function() mixed():filter(function(d) error("odd " .. d.index) end) end, "odd 1")
            raises(function() mixed():filter(3) end, "function")
            raises(function() mixed { where = { lang = "pyton" } }:summary() end, "pyton", "did you mean 'python'")
            raises(function() mixed { where = { lang = {} } } end, "lang", "empty list")
            raises(function() mixed { where = { "lang" } } end, "where", "fields with their values")
            raises(function() mixed { where = { lang = { x = 1 } } } end, "where.lang", "table")
            raises(function() mt.corpus { "e", embedded = "prose", where = { lang = "x" } } end, "where", "embedded")
            raises(function() mt.corpus { "u", corpora = a, files = "mixed.jsonl" } end, "files", "corpora")
            raises(function() mt.corpus { "u", corpora = a, valid_fraction = 0 } end, "valid_fraction")
            raises(function() mt.corpus { "u", corpora = { a, a } } end, "twice")
            """)
    }

    @Test(
        "subsets are corpora everywhere: recipes, studies and tokens, with keys of their documents")
    func subsets() throws {
        try run(
            """
            local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000, valid_fraction = 0.1 }
            local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
            local all = prose:tokens(tokens)
            local function part(size, seed, name)
              return mt.subset { prose, tokens = size, tokenizer = tokens, seed = seed, name = name }
            end
            local small, large = part(2000, 1, "small"), part(9000, 1, "large")
            assert(small:tokens(tokens).train >= 2000 and small:tokens(tokens).train < 4000)
            assert(small:tokens(tokens).valid == all.valid and small:summary().valid.digest == prose:summary().valid.digest)
            local inside = {}
            for _, d in ipairs(large) do inside[d.location] = true end
            for _, d in ipairs(small) do assert(inside[d.location]) end
            local function keys(mixture)
              return mt.recipe {
                model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = 1, width = 16, heads = 2 }),
                steps = 2, batch = 2, mixture = mixture,
              }:keys()[1]
            end
            assert(keys { small = 1 } ~= keys { large = 1 })
            part(2000, 1, "again")
            assert(keys { small = 1 } == keys { again = 1 })
            part(2000, 2, "other")
            assert(keys { small = 1 } ~= keys { other = 1 })
            -- Without a name it takes the place of the corpus in mixtures made later.
            local before = keys { prose = 1 }
            mt.subset { prose, documents = 20 }
            assert(keys { prose = 1 } ~= before)
            raises(function() part(all.train + 1, 1, "x") end, "at most " .. all.train, "prose")
            raises(function() mt.subset { prose, tokens = 5 } end, "tokenizer")
            raises(function() mt.subset { prose } end, "give one of the three")
            raises(function() mt.subset { prose, documents = 2, fraction = 0.1 } end, "give one of the three")
            raises(function() mt.subset { prose, fraction = 0 } end, "fraction", "above 0")
            raises(function() mt.subset { prose, fraction = 1.5 } end, "fraction")
            """)
    }

    @Test("scores are the losses of documents read alone, whatever stands beside them")
    func scores() throws {
        try run(
            """
            local prose = mt.corpus { "prose", embedded = "prose", bytes = 9000 }
            local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
            local network = mt.neox("micro-0.1m", { tokenizer = tokens, context = 512, layers = 1, width = 16, heads = 2 })
              :initialise { seed = 3 }
            local scores = prose:score { network }
            assert(#scores == #prose)
            local compared = 0
            for i, d in ipairs(prose) do
              local ids = tokens:encode(d.text)
              table.insert(ids, 1, tokens.end_of_text)
              table.insert(ids, tokens.end_of_text)
              assert(scores[i].tokens == #ids - 1)
              if #ids <= 512 then
                local loss = network:logits(ids):slice(1, -2):cross_entropy(mt.tensor(ids):slice(2)):item()
                assert(math.abs(loss - scores[i].loss) < 2e-5, loss .. " " .. scores[i].loss)
                compared = compared + 1
              end
            end
            assert(compared > 5)
            assert(scores:quantile(0) <= scores:quantile(0.5) and scores[-1].loss == scores[#scores].loss)
            assert(scores[#scores + 1] == nil and scores[0] == nil)
            local kept = prose:filter(function(d) return scores[d.index].loss <= scores:quantile(0.5) end, { name = "kept" })
            assert(#kept > 0 and #kept < #prose)
            -- In windows of a short context: every token once, each window behind the token before it.
            local short = mt.neox("micro-0.1m", { tokenizer = tokens, context = 16, layers = 1, width = 16, heads = 2 })
              :initialise { seed = 3 }
            local parts = prose:score { short, split = "train" }
            local ids = tokens:encode(prose[1].text)
            table.insert(ids, 1, tokens.end_of_text)
            table.insert(ids, tokens.end_of_text)
            local sum, first = 0, prose[1].split == "train" and parts[1]
            if first then
              for start = 1, #ids - 1, 16 do
                local stop = math.min(start + 16, #ids)
                local inputs = table.move(ids, start, stop - 1, 1, {})
                local targets = table.move(ids, start + 1, stop, 1, {})
                sum = sum + short:logits(inputs):cross_entropy(mt.tensor(targets)):item() * #targets
              end
              assert(math.abs(sum / first.tokens - first.loss) < 2e-5 and first.tokens == #ids - 1)
            end
            for i, d in ipairs(prose) do assert((parts[i] == nil) == (d.split ~= "train")) end
            -- Of a prompt and its response only the response counts.
            local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 3000 }
            local s = tasks:score { network }
            assert(s[1].bytes == #tasks[1].response)
            assert(prose:score({ network, tokens = 5 })[1].tokens == 5)
            scores:csv "scores.csv"
            assert(io.open("scores.csv"):read("l") == "index,loss,tokens,bytes")
            raises(function() prose:score {} end, "network")
            raises(function() prose:score { network, split = "tran" } end, "tran", "train")
            """)
    }

    @Test("a batch shows its sources, where documents begin, and which tokens count")
    func batches() throws {
        try run(
            """
            local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000 }
            local code = mt.corpus { "code", embedded = "code", bytes = 60000 }
            local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 3000 }
            local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
            local recipe = mt.recipe {
              model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 128, layers = 1, width = 16, heads = 2 }),
              steps = 4, batch = 4, accumulate = 2, mixture = { prose = 0.5, code = 0.5 },
            }
            local batch = recipe:batch_at(1)
            assert(#batch.rows == 4 and batch.counted == 4 * 128)
            local counts = {}
            for _, row in ipairs(batch.rows) do
              local name = row.source:match("^%w+")
              counts[name] = (counts[name] or 0) + 1
              assert(#row.tokens == 129 and not row.counts[1] and row.counts[2] and row.counts[129])
            end
            assert(counts.prose == 2 and counts.code == 2)
            local text = batch:text()
            assert(text:find("step 1", 1, true) and not text:find("\\27", 1, true))
            assert(batch:text({ colours = true }):find("\\27[32m", 1, true))
            assert(batch:text({ rows = 1 }):find("and 3 more rows", 1, true))
            -- What a row shows is the text of its tokens.
            local shown = text:gsub("⟦", ""):gsub("⟧", ""):gsub("¶", ""):gsub("\\\\n\\n", "\\n")
            assert(shown:find(tokens:decode(batch.rows[1].tokens), 1, true), shown)
            -- Of finetuning only the responses count, and a document begins behind every end of text.
            local tuned = recipe:finetune { tasks, epochs = 1, batch = 2, learning_rate = 1e-3 }
            local examples = tuned:batch_at(4)
            assert(examples.rows[1].source == "tasks")
            local counted = 0
            for _, row in ipairs(examples.rows) do
              for place, id in ipairs(row.tokens) do
                if row.counts[place] then counted = counted + 1 end
              end
              assert(row.tokens[1] == tokens.end_of_text)
            end
            assert(counted == examples.counted and counted > 0)
            assert(examples:text():find("⟦", 1, true) and examples:text():find("¶", 1, true))
            raises(function() recipe:batch_at(4) end, "0 ... 3", "got 4")
            """)
    }

    @Test("overlap is found between what is trained on and held out, with examples")
    func overlaps() throws {
        try run(
            """
            local out = assert(io.open("web.jsonl", "w"))
            local long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
            for _, text in ipairs { long, long:upper() .. "!", "start " .. long:sub(1, 75) .. " end of it", "other" } do
              out:write('{"text": "' .. text .. '"}\\n')
            end
            out:close()
            out = assert(io.open("held.jsonl", "w"))
            out:write('{"text": "' .. long .. '"}\\n{"text": "' .. long .. ' more"}\\n{"text": "short"}\\n')
            out:write('{"text": "quite another text, which has more than thirteen words in it, so that it could overlap"}\\n')
            out:close()
            local web = mt.corpus { "web", files = "web.jsonl", valid_fraction = 0, test_fraction = 0 }
            local tasks = mt.corpus { "tasks", files = "mixed.jsonl", test = "held.jsonl", valid_fraction = 0 }
            local found = mt.overlap { train = { web, tasks }, test = tasks }
            local pair = found.pairs[1]
            assert(pair.train == "web" and pair.test == "tasks" and pair.documents == 4)
            assert(pair.exact == 1 and pair.near == 1 and pair.overlapping == 2 and pair.short == 1)
            assert(pair.share > 0 and pair.share < 1 and found.pairs[2].overlapping == 0)
            local example = found.examples[1]
            assert(example.kind == "exact" and example.similarity == 1)
            assert(web[example.train.index].text == long and tasks[example.test.index].text == long)
            assert(example.test.location == "held.jsonl:1", example.test.location)
            assert(found.examples[2].kind == "near" and found.examples[2].similarity > 0.8)
            assert(tostring(found):find("exact", 1, true))
            assert(mt.overlap { train = web, test = tasks, n = 2, near = 1 }.pairs[1].near == 0)
            found:csv "overlap.csv"
            assert(io.open("overlap.csv"):read("a"):find("web,tasks,4,1,1,2,1", 1, true))
            raises(function() mt.overlap { train = web, test = web } end, "web", "no document in valid or test")
            raises(function() mt.overlap { train = web, test = tasks, n = 0 } end, "n", "0")
            raises(function() mt.overlap { train = web, test = tasks, near = 0 } end, "near", "above 0")
            raises(function() mt.overlap { train = web, test = tasks, split = "valdi" } end, "valdi", "valid")
            raises(function() mt.overlap { train = web } end, "test")
            """)
    }
}
