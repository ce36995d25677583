import Bindings
import Foundation
import TestSupport
import Testing

@Suite("Tokenizers in Lua") struct TokenizerLuaTests {
    @Test(
        "a preset is trained once, saved, and read back; special tokens stand around a text where asked for"
    )
    func presets() throws {
        let rig = try LaboratoryBench()
        let path = rig.scratch.path + "/t.json"
        try rig.bench.interpreter.run(
            """
            local options = { train_on = { prose, code }, vocabulary = 400, preset = "llama3" }
            local llama = mt.tokenizer(options)
            local again = mt.tokenizer(options)
            assert(llama.digest == again.digest and llama.digest ~= tokens.digest)
            assert(mt.tokenizer { train_on = { prose, code }, vocabulary = 400, preset = "smollm" }.digest ~= llama.digest)
            local text = "It's 12345 otters'\\r\\n  in HTTPServer"
            assert(llama:decode(llama:encode(text)) == text)
            llama:save("\(path)")
            local file = io.open("\(path)"):read("a")
            assert(file:find('"type": "Split"', 1, true))
            -- With a post-processor, as published files have it.
            local template = [[{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "B", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
              "pair": [], "special_tokens": {"B": {"id": "B", "ids": [0], "tokens": ["B"]}}}]]
            local place = file:find('"post_processor": ', 1, true)
            local stop = file:find("\\n", place, true)
            local out = io.open("\(path)", "w")
            out:write(file:sub(1, place - 1), '"post_processor": ', template, ",", file:sub(stop))
            out:close()
            local plain = mt.tokenizer { file = "\(path)" }
            local ids = plain:encode("an otter", { add_special_tokens = true })
            assert(ids[1] == 0 and #ids == #plain:encode("an otter") + 1)
            local opened = mt.tokenizer { file = "\(path)", add_special_tokens = true, end_of_text = "<|endoftext|>" }
            assert(opened.digest ~= plain.digest and plain.digest == llama.digest)
            local run = mt.recipe {
              model = mt.neox("micro-0.1m", { tokenizer = opened, context = 32, layers = 1, width = 16, heads = 2 }),
              steps = 2, batch = 2, seed = 1, mixture = { prose = 1 },
            }:run()
            assert(#run:generate { prompt = "The", tokens = 3 } >= 0)
            run:export("\(rig.scratch.path)/model")
            """, name: "=test")
    }
}
