import Bindings
import Testing

@Suite("Networks") struct NetworkTests {
    @Test("a network shows the weights of a state, and training leaves it alone")
    func snapshot() throws {
        let rig = try Rig()
        try rig.make("run")
        try rig.bench.interpreter.run(
            """
            run:train { to = 1 }
            local first = run:model()
            local name = "gpt_neox.embed_in.weight"
            local before = first:parameter(name)
            local copy = before:table()
            run:train()
            local after = run:model():parameter(name)
            assert((after - before):abs():max() > 0)
            for i = 1, #copy do
              for j = 1, #copy[i] do assert(before[i][j]:item() == copy[i][j]) end
            end
            first:close()
            collectgarbage()
            assert(before:table()[1][1] == copy[1][1])
            assert(not before.tracked and not pcall(function() before[1] = 0 end))
            """, name: "=test")
    }

    @Test("logits and hidden states agree with each other and with the loss of the run")
    func forward() throws {
        let rig = try Rig()
        try rig.make("network")
        try rig.bench.interpreter.run(
            """
            local ids = tokenizer:encode("the old house")
            while #ids > 8 do table.remove(ids) end
            local logits, states = network:logits(ids), network:hidden_states(ids)
            assert(logits.rank == 2 and #logits == #ids and logits.shape[2] == network.vocabulary)
            assert(#states == network.layers + 2 and states[1].shape[2] == network.width)
            local again = states[#states]:linear(network:parameter "embed_out.weight")
            assert((again - logits):abs():max() < 1e-5)
            local embedded = network:parameter("gpt_neox.embed_in.weight"):embedding(ids)
            assert((embedded - states[1]):abs():max() <= 0)
            local both = network:logits { ids, ids }
            assert(both.rank == 3 and #both == 2)
            assert((both[2] - logits):abs():max() < 1e-5)
            assert((network:logits(mt.tensor(ids)) - logits):abs():max() <= 0)
            assert(logits:slice(1, -2):cross_entropy(mt.tensor(ids):slice(2)) > 0)
            """, name: "=test")
        #expect(
            rig.bench.error("network:logits { 1, 280 }")
                == "test:1: bad argument #1 to 'logits' (ids[2]: id in 0 ... 279 expected, got 280)"
        )
        #expect(
            rig.bench.error("network:logits {}")
                == "test:1: bad argument #1 to 'logits' (ids: a list of ids, or lists of equal lengths, expected, got the shape [0])"
        )
        #expect(
            rig.bench.error("network:logits { 1, 2, 3, 4, 5, 6, 7, 8, 9 }").contains(
                "at most the context of 8"))
        #expect(
            rig.bench.error("network:parameter 'gpt_neox.embed_in.wieght'").contains(
                "did you mean 'gpt_neox.embed_in.weight'"))
    }

    @Test("replaced parameters change the result, and leaves among them get gradients")
    func replacing() throws {
        let rig = try Rig()
        try rig.make("network")
        try rig.bench.interpreter.run(
            """
            ids = { 5, 60, 7, 8 }
            local plain = network:logits(ids)
            local all = {}
            for _, name in ipairs(network:parameter_names()) do all[name] = network:parameter(name) end
            assert((network:logits(ids, { replace = all }) - plain):abs():max() <= 0)
            assert(not network:logits(ids, { replace = all }).tracked)
            for name, tensor in pairs(all) do all[name] = tensor:requires_grad() end
            local targets = { 60, 7, 8, -1 }
            local function loss(replace)
              return network:logits(ids, { replace = replace }):cross_entropy(targets)
            end
            loss(all):backward()
            for _, name in ipairs(network:parameter_names()) do assert(all[name].grad:norm() >= 0, name) end
            local name = "embed_out.weight"
            local slope = all[name].grad
            local step = mt.zeros(slope.shape) + 0.01 / slope:norm() * slope
            local base = network:parameter(name)
            local difference = loss { [name] = base + step } - loss { [name] = base - step }
            assert((difference / 0.02 / slope:norm() - 1):abs() < 1e-2)
            local states = network:hidden_states(ids, { replace = { [name] = mt.zeros(base.shape) } })
            assert((states[2] - network:hidden_states(ids)[2]):abs():max() <= 0)
            """, name: "=test")
        #expect(
            rig.bench.error("network:logits(ids, { replace = { embed_out = mt.ones(1) } })")
                .hasPrefix(
                    "test:1: bad argument #2 to 'logits' (options: replace: no parameter is called 'embed_out'"
                ))
        #expect(
            rig.bench.error(
                "network:logits(ids, { replace = { ['embed_out.weight'] = mt.ones(1) } })"
            )
            .hasPrefix("test:1: embed_out.weight: shape [1] does not fit: expected the parameter's")
        )
    }
}
