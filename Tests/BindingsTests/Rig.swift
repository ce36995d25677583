import Bindings
import Runtime
import TestSupport

/// An interpreter with a store of its own, and an object of every type on demand.
final class Rig {
    private let scratch: Scratch
    let bench: Bench
    private var made: Set<String> = []

    init() throws {
        scratch = try Scratch()
        bench = try Bench(Self.settings(scratch))
    }

    /// Settings with a store in a folder and memory counted as the program does.
    static func settings(_ scratch: Scratch) -> Interpreter.Settings {
        var settings = Interpreter.Settings()
        settings.store = scratch.path + "/store"
        settings.liveBytes = { Int64(Memory.liveBytes) }
        settings.report = { _ in }
        return settings
    }

    private static let recipes: [String: (needs: [String], code: String)] = [
        "probe": ([], "mt.probe()"), "pair": ([], "mt.pair(1, 2)"),
        "tensor": ([], "mt.tensor { { 1, 2, 3 }, { 4, 5, 6 } }"),
        "corpus": ([], "mt.corpus { 'prose', embedded = 'prose', bytes = 40000 }"),
        "tokenizer": (["corpus"], "mt.tokenizer { train_on = corpus, vocabulary = 280 }"),
        "model": (
            ["tokenizer"],
            "mt.neox('micro-0.1m', { tokenizer = tokenizer, context = 8, layers = 1 })"
        ),
        "network": (["model"], "model:initialise { seed = 1 }"),
        "recipe": (
            ["model"], "mt.recipe { model = model, steps = 2, batch = 2, mixture = { prose = 1 } }"
        ),
        "batch": (["recipe"], "recipe:batch_at(0)"),
        "run": (["recipe"], "recipe:open()"),
        "study": (
            ["recipe"],
            """
            mt.study { arms = mt.grid { seed = { 1 } }, limit = 2, evaluate = corpus,
              recipe = function(arm) return recipe:with { seed = arm.seed } end }
            """
        ),
        "difference": (["recipe"], "recipe:explain(recipe:with { seed = 7 })"),
        "finding": ([], "mt.mixed({ 1, 2, 3, 4 }, { 1, 2.1, 3, 4.2 }, { 'a', 'a', 'b', 'b' })"),
        "branches": (
            ["recipe"],
            """
            mt.plasticity { recipe = recipe, mixture = { prose = 1 }, starts = 0, steps = 1, target = corpus, limit = 2 }
            """
        ),
        "metric": ([], "mt.metric { 'width', version = 1, evaluate = function() return 1 end }"),
        "task": (
            [],
            """
            (function()
              local name = os.tmpname()
              local out = assert(io.open(name .. '.jsonl', 'w'))
              out:write('{"q": "2 + 2 =", "right": "4", "wrong": "5"}')
              out:close()
              local task = mt.multiple_choice { 'sums', files = name .. '.jsonl', prompt = '{q}',
                correct = ' {right}', distractors = ' {wrong}' }
              os.remove(name)
              os.remove(name .. '.jsonl')
              return task
            end)()
            """
        ),
        "plan": (["study"], "study:plan { calibrate = false }"),
        "result": (["study"], "study:run { evaluate_every = 1 }"),
        "frame": (
            [],
            """
            mt.frame { { arm = 'a', start = 1, seed = 1, loss = 2 }, { arm = 'a', start = 1, seed = 2, loss = 2.5 },
              { arm = 'b', start = 2, seed = 1, loss = 3 } }
            """
        ),
        "groups": (["frame"], "frame:group 'arm'"),
        "similarity": (
            ["corpus"],
            """
            mt.similarity { corpus, mt.corpus { 'code', embedded = 'code', bytes = 20000 },
              metric = 'words', documents = 20, bootstrap = 4 }
            """
        ),
        "overlap": (["corpus"], "mt.overlap { train = corpus, test = corpus }"),
        "scores": (["network"], "corpus:score { network = network, tokens = 8 }"),
        "plot": ([], "mt.plot.bars { { 'a', 1 } }"),
        "recommendation": (
            ["corpus"],
            """
            mt.recommend { general = corpus, candidates = mt.corpus { 'code', embedded = 'code', bytes = 20000 },
              target = mt.corpus { 'tasks', embedded = 'code-tasks', bytes = 8000 }, weights = 0.2,
              metric = 'words', documents = 20, bootstrap = 4 }
            """
        ),
    ]

    /// Leaves an object of a type in the global of its name, with what it needs.
    @discardableResult
    func make(_ type: String) throws -> String {
        guard let recipe = Self.recipes[type] else {
            throw InvalidValue("type", expected: "one that tests know to make", found: type)
        }
        guard made.insert(type).inserted else { return type }
        for other in recipe.needs { try make(other) }
        try bench.interpreter.run("\(type) = \(recipe.code)", name: "=test")
        return type
    }

    /// Leaves the objects that good arguments of a function refer to.
    func make(_ record: Function) throws {
        for parameter in record.parameters {
            for type in Self.types(parameter.kind) { try make(type) }
        }
    }

    /// Lua that makes objects of some types and what they need, each in the global of its name.
    static func code(for types: [String]) -> String {
        var made: [String] = []
        var lines: [String] = []
        func make(_ type: String) {
            guard !made.contains(type), let recipe = recipes[type] else { return }
            made.append(type)
            for other in recipe.needs { make(other) }
            lines.append("\(type) = \(recipe.code)")
        }
        for type in types { make(type) }
        return lines.joined(separator: "\n")
    }

    /// The types of the objects that good arguments of a function refer to.
    static func types(of record: Function) -> [String] {
        record.parameters.flatMap { types($0.kind) }
    }

    private static func types(_ kind: Kind) -> [String] {
        switch kind {
        case .object(let names): Array(names.prefix(1))
        case .list(let kind), .map(let kind): types(kind)
        case .options(let parameters):
            parameters.filter { !$0.isOptional }.flatMap { types($0.kind) }
        case .either(let kinds): kinds.first.map(types) ?? []
        default: []
        }
    }

    /// Lua for a value that a parameter accepts; a path that no file can have.
    static func good(_ kind: Kind) -> String {
        switch kind {
        case .boolean: return "true"
        case .integer(let kind):
            return "\(min(max(1, kind.range.lowerBound), kind.range.upperBound))"
        case .number: return "1"
        case .string, .name, .bytes: return "'x'"
        case .choice(let names): return "'\(names[0])'"
        case .path: return "''"
        case .object(let names): return names[0]
        case .function: return "function() end"
        case .table: return "{ 1 }"
        case .any: return "1"
        case .list(let kind): return "{ \(good(kind)) }"
        case .map(let kind): return "{ a = \(good(kind)) }"
        case .options(let parameters):
            let needed = parameters.filter { !$0.isOptional }
            return "{ \(needed.map { "\($0.name) = \(good($0.kind))" }.joined(separator: ", ")) }"
        case .either(let kinds): return good(kinds[0])
        }
    }
}
